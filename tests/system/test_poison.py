"""Poison in a stream: exactly that goes to the dead letters, and everything else goes on."""

import asyncio
import json
import uuid
from functools import partial
from typing import Any

import pytest

from benvung.bus import Bus, Doubt, Outgoing, Refused
from benvung_local.reclassify import ABOVE, BELOW, decide

from .world import COMMUNE, World, eventually

CLASSIFIED = "households.household.classified"
SUBJECT = f"{CLASSIFIED}.v1.64.{COMMUNE}"
READERS = ("funding", "reporting")


def event(kind: str, data: dict[str, Any]) -> bytes:
    """A CloudEvent of the register's, whatever is in it."""
    return json.dumps(
        {
            "specversion": "1.0",
            "id": str(uuid.uuid4()),
            "source": "/households",
            "type": kind,
            "subject": str(uuid.uuid4()),
            "time": "2024-01-24T08:00:00+07:00",
            "datacontenttype": "application/json",
            "sequence": f"{1:019d}",
            "data": data,
        }
    ).encode()


@pytest.fixture
def whole(world: World) -> dict[str, Any]:
    """What a right event of this kind holds."""
    told = (json.loads(stored.payload) for stored in world.stream("HOUSEHOLDS"))
    data: dict[str, Any] = next(each["data"] for each in told if each["type"] == f"{CLASSIFIED}.v1")
    return data | {"household_id": str(uuid.uuid4())}


def test_what_cannot_be_read_is_buried_alone_and_the_rest_flows_on(
    world: World, whole: dict[str, Any]
) -> None:
    lacking = {name: value for name, value in whole.items() if name != "members"}
    poison = {
        "not JSON": b"\x00\xff not json",
        "unknown version": event(f"{CLASSIFIED}.v2", whole),
        "members": event(f"{CLASSIFIED}.v1", lacking),
        "class": event(f"{CLASSIFIED}.v1", whole | {"poverty_class": "RICH"}),
        "specversion": b"{}",
    }
    none_of_theirs = event("households.village.painted.v1", {"colour": "blue"})
    world.settle()
    before = {reader: buried(world, reader) for reader in READERS}
    [first, second, *_] = world.households(COMMUNE, **{"class": "POOR"})
    review = world.open_review(COMMUNE)

    decide(world.officer(), review, first, ABOVE)
    put(world, [*poison.values(), none_of_theirs])
    taken = decide(world.officer(), review, second, ABOVE)
    decide(world.officer(), review, first, BELOW)
    world.settle()

    for reader in READERS:
        new = [each for each in buried(world, reader) if each not in before[reader]]
        assert [payload for payload, _ in new] == list(poison.values()), reader
        for (_, reason), word in zip(new, poison, strict=True):
            assert word in reason or word == "class", (reader, reason)
    answers = world.officer().get("funding", f"/v1/households/{second['id']}/eligibility")["answers"]
    assert [each["product"] for each in answers if each["status"] == "ELIGIBLE"] == ["NEWLY_ESCAPED"]
    facts = world.rows(
        "reporting", "select count(*) from household_facts where sequence = %s", taken["sequence"]
    )
    assert facts == [(1,)]
    assert world.compared().equal


def buried(world: World, reader: str) -> list[tuple[bytes, str]]:
    """The dead letters of a projector, in the order of the stream."""
    rows = world.rows(
        reader,
        "select payload, reason from dead_letters where projector = %s order by stream_seq",
        reader,
    )
    return [(bytes(payload), str(reason)) for payload, reason in rows]


def put(world: World, payloads: list[bytes]) -> None:
    """Put messages into the register's stream as its own user, which alone may."""

    def try_once(payload: bytes) -> int | None:
        return asyncio.run(publish(payload))

    async def publish(payload: bytes) -> int | None:
        bus = await Bus.connect(world.settings("households"), "households", "test")
        try:
            last = (await bus.stream_state("HOUSEHOLDS")).last_seq
            return await bus.publish("HOUSEHOLDS", Outgoing(SUBJECT, str(uuid.uuid4()), payload), last)
        except (Doubt, Refused):
            return None  # the register's own relay was quicker
        finally:
            await bus.close()

    for payload in payloads:
        world.poison["HOUSEHOLDS"].append(eventually(partial(try_once, payload)))
