"""What goes wrong, and how: a seed gives the plan, and each fault knows how to strike and how to heal.

A fault has a resource for itself: a part, or a wire. What needs a server to strike has that server.
"""

import asyncio
import contextlib
import os
import random
import signal
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psycopg
from tests.faults.poison import READ_BY_ALL, poison
from tests.faults.proxy import Direction, Link
from tests.faults.site import SERVERS, STANDBYS, Site
from tests.system.world import READERS, eventually

from benvung.bus import Bus, Doubt, Refused, Stored
from benvung_local.servers import SERVICES

Heal = Callable[[], None]
STREAMS = ("HOUSEHOLDS", "FUNDING", "TRAINING")
# One round of fifteen: every kind at least once.
ROUND = (
    *("kill", "kill", "kill", "kill nats", "kill postgres"),
    *("pause", "pause", "pause server"),
    *("cut", "black hole", "slow"),
    *("poison", "copies", "terminate", "consumer"),
)
SIDES: tuple[tuple[Direction, ...], ...] = (("up",), ("down",), ("up", "down"))
COPIES = 25
SEARCHED = 500
STRIKE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a plan: it strikes when `at` requests are acknowledged and is healed `seconds` later."""

    at: int
    kind: str
    target: str
    seconds: float
    seed: int

    @property
    def resource(self) -> str:
        """What nothing else may strike meanwhile."""
        if self.kind in {"poison", "copies", "consumer"}:
            return "nats"
        return "postgres" if self.kind == "terminate" else self.target


@dataclass
class Told:
    """What was put into streams by hand: (stream, message id) → bytes. Poison is what nobody can digest."""

    poison: dict[tuple[str, str], bytes] = field(default_factory=dict)
    copies: dict[tuple[str, str], bytes] = field(default_factory=dict)

    @property
    def by_hand(self) -> set[tuple[str, str]]:
        """All of it."""
        return {*self.poison, *self.copies}


def plan(seed: int, requests: int, number: int) -> list[Fault]:
    """The faults of a run, in the order in which they strike; they depend on nothing but the arguments."""
    drawn = random.Random(f"faults {seed}")
    kinds: list[str] = []
    while len(kinds) < number:
        kinds += drawn.sample(ROUND, len(ROUND))
    step = requests / (number + 1)
    return [
        _fault(drawn, kind, round(step * (at + drawn.random()))) for at, kind in enumerate(kinds[:number])
    ]


def _fault(drawn: random.Random, kind: str, at: int) -> Fault:
    processes = [*SERVICES, *standby_names()]
    wires = ["clients", *(f"{part} {server}" for part in processes for server in SERVERS)]
    targets: Mapping[str, Sequence[str]] = {
        "kill": processes,
        "kill nats": ["nats"],
        "kill postgres": ["postgres"],
        "pause": processes,
        "pause server": SERVERS,
        "cut": wires,
        "black hole": wires,
        "slow": wires,
        "poison": STREAMS,
        "copies": STREAMS,
        "terminate": ["postgres"],
        "consumer": STREAMS,
    }
    longest = {"kill": 1.5, "pause": 6.0, "cut": 3.0, "black": 8.0, "slow": 4.0}.get(
        kind.split(maxsplit=1)[0], 0.0
    )
    shortest = 0.5 if kind.startswith("pause") else 0.0
    seconds = drawn.uniform(shortest, longest) if longest else 0.0
    return Fault(at, kind, drawn.choice(targets[kind]), round(seconds, 2), drawn.randrange(2**31))


def standby_names() -> list[str]:
    """The standbys as `Site` names them."""
    return [f"{name} {2 + STANDBYS[:at].count(name)}" for at, name in enumerate(STANDBYS)]


def strike(site: Site, fault: Fault, told: Told) -> Heal:
    """Do it; returns what undoes it."""
    drawn = random.Random(fault.seed)
    family = fault.kind.split()[0]
    if family == "kill":
        return _kill(site, fault.target)
    if family == "pause":
        return _pause(site, fault.target)
    if fault.target in site.links:
        return _disturb(site.links[fault.target], family, drawn)
    at_once = {
        "poison": partial(_poison, site, fault.target, told, drawn),
        "copies": partial(_copies, site, fault.target, told, drawn),
        "consumer": partial(_consumer, site, fault.target, drawn),
        "terminate": partial(_terminate, site, drawn),
    }
    return _at_once(at_once[family])


def _at_once(do: Callable[[], None]) -> Heal:
    """For what is over when it has struck; a server that was hit just before may need a moment."""

    def done() -> bool:
        try:
            do()
        except (Doubt, Refused, OSError, psycopg.OperationalError):
            return False
        return True

    eventually(done, STRIKE_SECONDS)
    return lambda: None


def _kill(site: Site, part: str) -> Heal:
    site.stack.kill(part) if part in SERVERS else site.process(part).kill()
    return lambda: site.start(part)


def _pause(site: Site, part: str) -> Heal:
    """Stop a process with its children where they stand; they go on as if no time had passed."""
    first = site.process(part).pid
    paused: list[int] = []
    os.kill(first, signal.SIGSTOP)
    for pid in _children(first):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            paused.append(pid)

    def go_on() -> None:
        for pid in [*paused, first]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    return go_on


def _children(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        yield from map(int, (task / "children").read_text().split())


def _disturb(link: Link, family: str, drawn: random.Random) -> Heal:
    sides = drawn.choice(SIDES)
    if family == "cut":
        drawn.choice([link.cut, link.reset])()
    elif family == "black":
        link.black_hole(*sides)
    elif drawn.random() < 0.5:
        link.slow(drawn.uniform(0.05, 0.3), *sides)
    else:
        link.throttle(8_000, *sides)
    return link.heal


def _poison(site: Site, stream: str, told: Told, drawn: random.Random) -> None:
    async def put() -> None:
        bus = await site.connect(stream)
        try:
            base = await _right_event(bus, stream, told)
            for payload in poison(stream, base.payload if base else None, drawn):
                subject = base.subject if base else f"{READ_BY_ALL[stream]}._._"
                await _put(bus, stream, subject, payload, told.poison)
        finally:
            await bus.close()

    asyncio.run(put())


def _copies(site: Site, stream: str, told: Told, drawn: random.Random) -> None:
    """Tell old events again, in any order, under message ids that the server does not know."""

    async def put() -> None:
        bus = await site.connect(stream)
        try:
            state = await bus.stream_state(stream)
            for _ in range(COPIES if state.last_seq else 0):
                at = drawn.randint(state.first_seq, state.last_seq)
                async for old in bus.read_range(stream, at, at):
                    if (stream, old.event_id) not in told.poison:
                        await _put(bus, stream, old.subject, old.payload, told.copies)
        finally:
            await bus.close()

    asyncio.run(put())


async def _right_event(bus: Bus, stream: str, told: Told) -> Stored | None:
    """An event of the kind that every reader of the stream reads, if there is one yet."""
    last = (await bus.stream_state(stream)).last_seq
    async for stored in bus.read_range(stream, 1, min(last, SEARCHED)):
        ours = f'"{READ_BY_ALL[stream]}"'.encode() in stored.payload
        if ours and (stream, stored.event_id) not in told.poison:
            return stored
    return None


async def _put(
    bus: Bus, stream: str, subject: str, payload: bytes, kept: dict[tuple[str, str], bytes]
) -> None:
    """Store one message by hand. It is written down first: whether it arrived, the stream will tell."""
    message_id = str(uuid.uuid4())
    kept[stream, message_id] = payload
    await bus._request(subject, payload, {"Nats-Msg-Id": message_id})


def _consumer(site: Site, stream: str, drawn: random.Random) -> None:
    """An operator sets a durable back, or deletes it."""
    reader = drawn.choice([reader for reader, pairs in READERS.items() if (reader, stream) in pairs])
    if drawn.random() < 0.5:
        last = site.ask(stream, f"STREAM.INFO.{stream}")["state"]["last_seq"]
        site.ask(stream, f"CONSUMER.RESET.{stream}.{reader}", {"seq": drawn.randint(1, last + 1)})
    else:
        site.ask(stream, f"CONSUMER.DELETE.{stream}.{reader}")


def _terminate(site: Site, drawn: random.Random) -> None:
    """End the database session of one that holds an advisory lock."""
    with psycopg.connect(site.stack.postgres.url(), autocommit=True) as conn:
        query = "select pid from pg_locks where locktype = 'advisory' and granted order by pid"
        holders = [row[0] for row in conn.execute(query).fetchall()]
        if holders:
            conn.execute("select pg_terminate_backend(%s)", (drawn.choice(holders),))
