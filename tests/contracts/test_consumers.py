"""Consumers fit their producers, bear repetition, and outlive both older and newer events.

Every reader accepts whatever the producer's class may write; every event ever committed, told again and in
another order, changes nothing and announces nothing.
"""

import copy
import datetime as dt
import json
from typing import Any

import jsoncompat
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, assume, given, settings
from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.contracts.examples import Example, heard, newest, projectors, published, tell
from tests.contracts.strategies import values

from benvung import contracts, kit
from benvung.bus import Stored
from benvung.envelope import EventData
from benvung.outbox import Announcement
from benvung.projector import Projector, Received, sort
from benvung.testing import Engine, Transaction

PAIRS = [
    pytest.param(projector, event_type, id=f"{service}-{event_type}")
    for service, projector in projectors()
    for event_type in projector.readers
]
LISTENERS = [pytest.param(*each, id=f"{each[0]}-{each[1].stream}") for each in projectors()]
KITS = sa.MetaData()
kit.tables(KITS)


async def rows(conn: AsyncConnection) -> dict[str, list[str]]:
    """Everything a projection holds, as comparable text."""
    names = await conn.run_sync(lambda sync: sa.inspect(sync).get_table_names())
    held = {}
    for name in sorted(set(names) - set(KITS.tables)):
        found = await conn.exec_driver_sql(f'select t::text from "{name}" t')
        held[name] = sorted(row[0] for row in found)
    return held


async def announced(conn: AsyncConnection) -> list[str]:
    """Ids of what waits to be told."""
    return [row[0] for row in await conn.exec_driver_sql("select event_id::text from outbox order by id")]


def misfits(producer: type[EventData], reader: type[BaseModel]) -> list[str]:
    """Fields of the reader that could meet a value from the producer that they do not accept."""
    whole = contracts.event_schema(producer)
    written = {**whole["properties"]["data"], "$defs": whole["$defs"]}
    read = reader.model_json_schema(mode="validation")
    return [name for name in read["properties"] if not accepts(read, written, name)]


def accepts(read: dict[str, Any], written: dict[str, Any], name: str) -> bool:
    """Whether a reader takes one field as it is written; two checks must agree."""
    if name not in written["required"] and name in read.get("required", ()):
        return False
    if name not in written["properties"]:
        return True
    old, new = (
        {"type": "object", "properties": {name: each["properties"][name]}, "$defs": each.get("$defs", {})}
        for each in (read, written)
    )
    fits = not contracts.breaks(old, new, contracts.Promise.ANSWER)
    return fits and bool(jsoncompat.check_compat(json.dumps(old), json.dumps(new), "serializer"))


@pytest.mark.parametrize(("projector", "event_type"), PAIRS)
def test_readers_accept_all_that_producers_may_write(projector: Projector, event_type: str) -> None:
    assert misfits(published()[event_type], projector.readers[event_type]) == []


@pytest.mark.parametrize(("projector", "event_type"), PAIRS)
def test_whatever_a_producer_writes_is_read(projector: Projector, event_type: str) -> None:
    producer, schema = published()[event_type], contracts.event_schema(published()[event_type])
    body = newest()[event_type].body

    @settings(
        max_examples=25,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
    )
    @given(values(schema["properties"]["data"], schema))
    def is_read(data: dict[str, Any]) -> None:
        try:
            written = producer.model_validate(data).model_dump(mode="json", by_alias=True)
        except ValidationError:
            assume(False)
        assert projector.read(json.dumps({**body, "data": written}).encode()) is not None

    is_read()


class Written(EventData):
    """A planted event."""

    place: str | None
    on: str
    number: int
    later: int | None


def test_a_reader_that_expects_too_much_is_caught() -> None:
    class Read(BaseModel):
        place: str
        on: dt.date
        number: int
        more: str
        perhaps: str | None = None

    Written.event_type = "planted.thing.written.v1"

    assert misfits(Written, Read) == ["place", "on", "more"]


@pytest.mark.parametrize(("service", "projector"), LISTENERS)
async def test_every_event_ever_committed_may_come_twice(
    service: str, projector: Projector, engine: Engine
) -> None:
    assert await changes_the_second_time(engine(service), projector, heard(projector)) == []


async def changes_the_second_time(
    database: AsyncEngine, projector: Projector, examples: list[Example]
) -> list[str]:
    """What differs when the same events come again, after the first ones are committed and all is sent."""
    async with database.begin() as conn:
        await tell(conn, projector, examples)
        once = await rows(conn)
        assert any(once.values()), "the examples leave a trace"
        # What was announced has been sent by now, so nothing in the outbox remembers it.
        await conn.exec_driver_sql("delete from outbox")
    async with database.begin() as conn:
        await tell(conn, projector, examples)
        again = await rows(conn)
        return [name for name in once if again[name] != once[name]] + await announced(conn)


@pytest.mark.parametrize(("service", "projector"), LISTENERS)
async def test_events_told_again_in_another_order_change_nothing(
    service: str, projector: Projector, transaction: Transaction
) -> None:
    conn = await transaction(service)

    assert not await differs_when_told_again(conn, projector, heard(projector))


async def differs_when_told_again(
    conn: AsyncConnection, projector: Projector, examples: list[Example]
) -> bool:
    """Whether rows or announcements differ after the same events came again one by one, the last first."""
    await tell(conn, projector, examples)
    once = (await rows(conn), sorted(await announced(conn)))
    for each in reversed(examples):
        await tell(conn, projector, [each])
    return once != (await rows(conn), sorted(await announced(conn)))


class Anything(BaseModel):
    """A planted reader."""

    model_config = ConfigDict(extra="ignore")


async def test_a_handler_that_counts_is_caught(transaction: Transaction) -> None:
    conn = await transaction("training")
    meta = sa.MetaData()
    counts = sa.Table("counted", meta, sa.Column("events", sa.Integer))
    await conn.run_sync(meta.create_all)

    async def count(conn: AsyncConnection, events: Any) -> list[Any]:
        received: list[Received] = list(events)
        await conn.execute(sa.insert(counts).values(events=len(received)))
        return []

    kind = "training.class.completed.v1"
    planted = Projector(name="planted", stream="TRAINING", readers={kind: Anything}, handle=count)

    assert await differs_when_told_again(conn, planted, [newest()[kind]])


async def test_a_handler_that_announces_the_second_time_too_is_caught(engine: Engine) -> None:
    kind = "training.class.completed.v1"
    held = newest()[kind]

    async def announce(conn: AsyncConnection, events: Any) -> list[Announcement]:
        await conn.exec_driver_sql("create table if not exists seen as select 1 as trace")
        return [Announcement(event.event_id, held.event()) for event in events]

    planted = Projector(name="planted", stream="TRAINING", readers={kind: Anything}, handle=announce)

    assert await changes_the_second_time(engine("training"), planted, [held]) != []


# Old and new side by side: consumers and producers are never replaced at one moment.


def places(value: Any) -> list[dict[str, Any]]:
    """The object and every object inside it."""
    if isinstance(value, list):
        return [each for item in value for each in places(item)]
    if isinstance(value, dict):
        return [value, *(each for item in value.values() for each in places(item))]
    return []


@pytest.mark.parametrize(("service", "projector"), LISTENERS)
def test_a_consumer_of_today_passes_over_what_a_later_producer_adds(
    service: str, projector: Projector
) -> None:
    for example in heard(projector):
        later = copy.deepcopy(example.body)
        for place in places(later):
            place["added_later"] = {"nobody": ["knows", 1, None]}

        assert projector.read(json.dumps(later).encode()) == projector.read(example.stored().payload)


@pytest.mark.parametrize(("service", "projector"), LISTENERS)
def test_a_consumer_of_today_reads_every_event_ever_told(service: str, projector: Projector) -> None:
    messages = [each.stored(at) for at, each in enumerate(heard(projector), 1)]

    found = sort(projector, messages, set(), None)

    assert found.dead == []
    assert [each.event_id for each in found.received] == [
        each.body["id"] for each in heard(projector) if each.type in projector.readers
    ]


@pytest.mark.parametrize(
    ("service", "projector"),
    [
        pytest.param(service, each, id=service)
        for service, each in projectors()
        if "households.household.classified.v1" in each.readers
    ],
)
def test_a_value_that_nobody_promised_is_put_aside_not_guessed(service: str, projector: Projector) -> None:
    body = copy.deepcopy(newest()["households.household.classified.v1"].body)
    body["data"]["poverty_class"] = "UNHEARD_OF"

    found = sort(projector, [Stored(1, body["type"], json.dumps(body).encode())], set(), None)

    assert found.received == []
    assert ["poverty_class" in reason for _, reason in found.dead] == [True]
