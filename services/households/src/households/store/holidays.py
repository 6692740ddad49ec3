"""Public holidays as administrators loaded them, year by year; a load is never changed, a newer one counts."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from households.domain.workdays import HolidayYear, parse_holiday_year
from households.tables import holiday_years


@dataclass(frozen=True, slots=True)
class Document:
    """The paper that says which days are off."""

    number: str
    dated: dt.date
    issuer: str

    def __str__(self) -> str:
        return f"{self.number} ({self.dated:%d/%m/%Y}), {self.issuer}"


@dataclass(frozen=True, slots=True)
class Loaded:
    """One load: the year as the rules count it, its document, and who loaded it when."""

    sequence: int
    id: uuid.UUID
    year: HolidayYear
    document: Document
    loaded_by: str
    recorded_at: dt.datetime


async def lock(conn: AsyncConnection) -> None:
    """Keep others from loading holidays until this transaction ends, so that sequences are seen in order."""
    await conn.execute(sa.text("select pg_advisory_xact_lock(hashtextextended('holidays', 0))"))


async def add(
    conn: AsyncConnection,
    *,
    load_id: uuid.UUID,
    year: int,
    days: Mapping[str, Any],
    document: Document,
    loaded_by: str,
) -> None:
    """Store a load. `days` are what `year_of` reads."""
    values = {
        "id": load_id,
        "year": year,
        "days": dict(days),
        "document_number": document.number,
        "document_dated": document.dated,
        "document_issuer": document.issuer,
        "loaded_by": loaded_by,
    }
    await conn.execute(holiday_years.insert().values(values))


async def loads(conn: AsyncConnection) -> Sequence[Loaded]:
    """Every load, the first one first."""
    rows = await conn.execute(sa.select(holiday_years).order_by(holiday_years.c.sequence))
    return [_loaded(row) for row in rows]


def _loaded(row: sa.Row[Any]) -> Loaded:
    document = Document(row.document_number, row.document_dated, row.document_issuer)
    year = year_of(row.year, row.days, document)
    return Loaded(row.sequence, row.id, year, document, row.loaded_by, row.recorded_at)


def year_of(year: int, days: Mapping[str, Any], document: Document) -> HolidayYear:
    """A year from what was given as JSON has it. Raises the domain's `HolidayFileInvalid`."""
    day = dt.date.fromisoformat
    return parse_holiday_year(
        {
            "year": year,
            "confidence": "high",
            "sources": [str(document)],
            "days_off": [{**one, "from": day(one["from"]), "to": day(one["to"])} for one in days["days_off"]],
            "make_up": [day(one) for one in days["make_up"]],
            "undecided": [{**one, "day": day(one["day"])} for one in days["undecided"]],
        }
    )
