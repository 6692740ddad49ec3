"""The stand-in answers what nats-server answers: the same calls are made of both, and the answers compared."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tests.faults.model.client import Client
from tests.faults.model.stand_in import Server

from benvung.bus import Bus, Doubt, Outgoing, Refused, Stored
from benvung.bus.pull import Pull
from benvung.settings import ServiceSettings
from benvung.testing import NatsServer, SettingsFor

STREAM, READER = "HOUSEHOLDS", "funding"
LONG, SHORT = 5.0, 0.3


@dataclass
class Side:
    """One of the two servers, and what it has answered so far."""

    connect: Callable[[str], Awaitable[Bus]]
    push: Callable[[], object]
    answers: list[object] = field(default_factory=list)

    async def note(self, call: str, answer: Awaitable[Any]) -> None:
        """Write an answer down; a stream's age is its own."""
        try:
            found = await answer
        except Refused as refused:
            found = refused.code
        except Doubt as doubt:
            found = type(doubt).__name__
        if hasattr(found, "created"):
            found = replace(found, created="")
        self.answers.append((call, found))

    async def arrive(self, pull: Pull, many: int) -> list[tuple[int, int, str, bytes]]:
        """What comes, `many` messages by rights: place in the stream, number of the delivery, and the message."""
        self.push()
        got: list[Stored] = []
        while more := await pull.batch(100, LONG if len(got) < many else SHORT):
            got += more
        for each in got:
            # The stand-in has one delivery of each, and no time.
            assert each.reply.startswith(f"$JS.ACK.{STREAM}.{READER}.1.{each.stream_seq}.{each.delivery}.")
        return [(each.stream_seq, each.delivery, each.subject, each.payload) for each in got]


def message(number: int, told: str = "") -> Outgoing:
    """One of the messages; `told` makes its id another one."""
    event_id = uuid.uuid5(uuid.NAMESPACE_OID, f"{number}{told}")
    return Outgoing(f"households.household.classified.v1.64.{number}", str(event_id), f"{number}".encode())


async def told(bus: Bus, side: Side) -> None:
    """An owner makes its stream, and stores one after another and in batches."""
    await side.note("no stream", bus.stream_state(STREAM))
    await bus.ensure_stream(STREAM)
    await side.note("made", bus.stream_state(STREAM))
    await bus.mark_stream(STREAM, whole=True)
    await side.note("whole", bus.stream_state(STREAM))
    await side.note("first", bus.publish(STREAM, message(1), 0))
    await side.note("behind what is not last", bus.publish(STREAM, message(2), 0))
    await side.note("second", bus.publish(STREAM, message(2), 1))
    await side.note("known id", bus.publish(STREAM, message(1), 2))
    await side.note("batch", bus.publish_batch(STREAM, [message(3), message(4), message(5)], 2))
    await side.note("late batch", bus.publish_batch(STREAM, [message(6), message(7)], 2))
    await side.note("known id in a batch", bus.publish_batch(STREAM, [message(6), message(3)], 5))
    await side.note("behind another subject", bus.publish(STREAM, message(6), 5, message(4).subject))
    await side.note("told", bus.stream_state(STREAM))
    await side.note("again under another id", bus.publish(STREAM, message(1, "anew"), 5, message(5).subject))
    await bus.mark_stream(STREAM, whole=False)
    await side.note("being filled", bus.stream_state(STREAM))
    await bus.mark_stream(STREAM, whole=True)
    for first, last in ((1, 6), (2, 3), (5, 90), (8, 9)):
        kept = [
            (each.stream_seq, each.event_id, each.payload)
            async for each in bus.read_range(STREAM, first, last)
        ]
        side.answers.append((first, last, kept))


async def read(owner: Bus, side: Side) -> None:
    """A reader follows, begins anew, is robbed of what it had asked for, and follows again."""
    bus = await side.connect("funding")
    await side.note("state for a reader", bus.stream_state(STREAM))
    await owner.ensure_reader(STREAM, READER)
    await owner.ensure_reader(STREAM, READER)
    pull = await bus.pull(STREAM, READER, 0)
    await side.note("from the beginning", side.arrive(pull, 6))
    other = await side.connect("funding")
    second = await other.pull(STREAM, READER, 2)
    # The requests of the first are older: what comes again comes to it.
    await side.note("to who asked first", side.arrive(pull, 1))
    await side.note("nothing to who asked next", side.arrive(second, 0))
    await bus.close()
    # What is asked for by one who is gone goes to nobody as soon as the server has noticed.
    await asyncio.sleep(SHORT)
    third = await other.pull(STREAM, READER, 3)
    await side.note("again, to who is left", side.arrive(second, 3))
    await side.note("to its newer request", side.arrive(third, 0))
    await owner.publish(STREAM, message(7), 6)
    await side.note("what is new", side.arrive(second, 1))
    await side.note("beyond the end", side.arrive(await other.pull(STREAM, READER, 7), 0))
    await owner.publish(STREAM, message(8), 7)
    await side.note("what was beyond", side.arrive(second, 1))
    await other.close()


async def play(side: Side) -> list[object]:
    """All calls on one side."""
    owner = await side.connect("households")
    await told(owner, side)
    await read(owner, side)
    await owner.close()
    return side.answers


async def test_the_stand_in_answers_as_the_server_does(
    nats_server: NatsServer, settings: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Who asked first is who is served first, until a request ends and is made again: on a busy machine that
    # would come at another moment on each side.
    monkeypatch.setattr("benvung.bus.pull.PULL_EXPIRES", 30.0)

    def connect_to(given: Callable[[str], ServiceSettings]) -> Callable[[str], Awaitable[Bus]]:
        return lambda service: Bus.connect(given(service), service, "test")

    real = await play(Side(connect_to(lambda name: settings(name, nats=nats_server)), lambda: None))
    server = Server(asyncio.get_running_loop().time, Counter(), remembers=True)
    monkeypatch.setattr("benvung.bus.connection.Client", lambda: Client(server))
    ours = await play(Side(connect_to(settings), server.deliver_all))
    assert len(real) == len(ours)
    assert [pair for pair in zip(real, ours, strict=True) if pair[0] != pair[1]] == []
