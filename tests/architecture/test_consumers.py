"""Consumers fit their producers and bear repetition.

Every reader accepts all that the producer's class may write, and a committed example of each event, told
again and in another order, changes nothing.
"""

import importlib
import json
from pathlib import Path
from typing import Any

import jsoncompat
import pytest
import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.envelope import REGISTRY, EventData
from benvung.projector import Projector, Received
from benvung.testing import Transaction, deliver

SERVICES = ("households", "funding", "training", "reporting")
EXAMPLES = Path(__file__).parent / "examples"
KIT = {"outbox", "checkpoints", "dead_letters", "audit", "sessions"}


def published() -> dict[str, type[EventData]]:
    """The events of all services by type."""
    for service in SERVICES:
        importlib.import_module(f"{service}.main")
    return {name: kind for name, kind in REGISTRY.items() if kind.__module__.partition(".")[0] in SERVICES}


def projectors() -> list[Any]:
    """(service, projector) for everything that listens."""
    found = []
    for service in SERVICES:
        try:
            module = importlib.import_module(f"{service}.consumers")
        except ModuleNotFoundError as missing:
            if missing.name != f"{service}.consumers":
                raise
            continue
        found += [pytest.param(service, each, id=f"{service}-{each.stream}") for each in module.PROJECTORS]
    return found


def example(event_type: str) -> EventData:
    return published()[event_type].model_validate_json((EXAMPLES / f"{event_type}.json").read_text("utf-8"))


async def rows(conn: AsyncConnection, meta: sa.MetaData) -> dict[str, list[str]]:
    """Everything a projection holds, as comparable text; the outbox counts, its payloads carry the time."""
    held = {}
    for table in meta.sorted_tables:
        if table.name not in KIT:
            found = await conn.exec_driver_sql(f'select t::text from "{table.name}" t')
            held[table.name] = sorted(row[0] for row in found)
    told = await conn.exec_driver_sql("select event_id::text from outbox")
    return held | {"outbox": sorted(row[0] for row in told)}


def metadata(service: str) -> sa.MetaData:
    tables = importlib.import_module(f"{service}.tables")
    return next(value for value in vars(tables).values() if isinstance(value, sa.MetaData))


async def changes_when_told_again(
    conn: AsyncConnection, meta: sa.MetaData, projector: Projector, events: list[EventData]
) -> bool:
    """Whether rows differ after the same events came again: all at once, then one by one, last first."""
    numbered = list(enumerate(events, start=1))
    await deliver(conn, projector, numbered)
    once = await rows(conn, meta)
    await deliver(conn, projector, numbered)
    for each in reversed(numbered):
        await deliver(conn, projector, [each])
    return await rows(conn, meta) != once


def test_every_event_has_its_example() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.json")} == set(published())


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_an_example_is_what_its_producer_would_write(path: Path) -> None:
    event = example(path.stem)

    assert event.model_dump(mode="json", by_alias=True) == json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize(("service", "projector"), projectors())
async def test_events_told_again_change_nothing(
    service: str, projector: Projector, transaction: Transaction
) -> None:
    events = [example(event_type) for event_type in projector.readers]
    conn = await transaction(service)

    assert not await changes_when_told_again(conn, metadata(service), projector, events)
    assert any((await rows(conn, metadata(service))).values()), "the examples leave a trace"


def misfits(producer: type[BaseModel], reader: type[BaseModel]) -> list[str]:
    """Fields of the reader that could meet a value from the producer that they do not accept."""
    written, read = (
        producer.model_json_schema(mode="serialization"),
        reader.model_json_schema(mode="validation"),
    )
    return [name for name in read["properties"] if not _accepts(read, written, name)]


def _accepts(read: dict[str, Any], written: dict[str, Any], name: str) -> bool:
    if name not in written["properties"]:
        return name not in read.get("required", [])
    old, new = (
        json.dumps(
            {
                "type": "object",
                "properties": {name: schema["properties"][name]},
                "required": [name],
                "$defs": schema.get("$defs", {}),
            }
        )
        for schema in (read, written)
    )
    return bool(jsoncompat.check_compat(old, new, "serializer"))


@pytest.mark.parametrize(("service", "projector"), projectors())
def test_readers_accept_all_that_producers_may_write(service: str, projector: Projector) -> None:
    found = {
        event_type: misfits(published()[event_type], reader)
        for event_type, reader in projector.readers.items()
    }

    assert {event_type: fields for event_type, fields in found.items() if fields} == {}


def test_a_reader_that_expects_too_much_is_caught() -> None:
    class Written(BaseModel):
        place: str | None
        number: int

    class Read(BaseModel):
        place: str
        number: int
        more: str

    assert misfits(Written, Read) == ["place", "more"]


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

    assert await changes_when_told_again(conn, meta, planted, [example(kind)])
