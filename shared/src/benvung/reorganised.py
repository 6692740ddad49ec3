"""Administrative units that changed after the data file was made: kept in a table, learnt by each process.

The register records a reorganisation and tells it; every service that shows areas keeps the units in its own
table of this shape, in the transaction in which it recorded or heard of them. `Keeper` lets each process
learn what the table says.
"""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import sqlalchemy as sa
import structlog
from pydantic import BaseModel, ConfigDict
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from benvung import areas, db
from benvung.areas import AreaType, Level, TypeOfArea, Unit
from benvung.runner import to_its_end

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
EVER = dt.date(1900, 1, 1)
"""Stands in a key for a beginning that is not recorded, where no day may be missing."""

_KEEP = sa.text("""
insert into reorganised_areas (code, begins, sequence, unit)
select code, begins, cast(:sequence as bigint), unit
from jsonb_to_recordset(cast(:units as jsonb)) as r(code text, begins date, unit jsonb)
order by code, begins
on conflict (code, begins) do update set sequence = excluded.sequence, unit = excluded.unit
where excluded.sequence > reorganised_areas.sequence
""")
_STATE = sa.text("""
insert into stated_area_types (sequence, commune, area_type, valid_from, valid_to)
values (:sequence, :commune, :area_type, :valid_from, :valid_to) on conflict (sequence) do nothing
""")
_UNITS = sa.text("select unit from reorganised_areas order by code, begins")
_TYPES = sa.text(
    "select commune, area_type, valid_from, valid_to from stated_area_types order by commune, sequence"
)
# Tables that were made anew are others: what they hold may differ though its end is the same.
_VERSION = sa.text(
    "select cast('reorganised_areas'::regclass as bigint), (select count(*) from reorganised_areas),"
    " (select max(sequence) from reorganised_areas), (select max(sequence) from stated_area_types)"
)


def tables(meta: sa.MetaData) -> tuple[sa.Table, sa.Table]:
    """Declare in `meta` the units that are not as the data file has them, and the stated types of communes."""
    units = sa.Table(
        "reorganised_areas",
        meta,
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("begins", sa.Date, primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("unit", pg.JSONB, nullable=False),
    )
    types = sa.Table(
        "stated_area_types",
        meta,
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("commune", sa.Text, nullable=False),
        sa.Column("area_type", sa.Text, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date),
        sa.CheckConstraint("area_type in ('URBAN', 'RURAL')", name="area_type"),
        sa.CheckConstraint("valid_to > valid_from", name="validity"),
    )
    return units, types


class AreaUnit(BaseModel):
    """An administrative unit as it is known since a reorganisation."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    code: str
    unit_name: str
    level: Literal["PROVINCE", "DISTRICT", "COMMUNE"]
    parent: str | None
    area_type: Literal["URBAN", "RURAL"] | None
    valid_from: dt.date | None
    valid_to: dt.date | None
    predecessors: list[str]


def as_data(unit: Unit) -> dict[str, Any]:
    """A unit as an event and a row have it."""
    return {
        "code": unit.code,
        "unit_name": unit.name,
        "level": unit.level.value,
        "parent": unit.parent,
        "area_type": unit.area_type and unit.area_type.value,
        "valid_from": unit.valid_from and unit.valid_from.isoformat(),
        "valid_to": unit.valid_to and unit.valid_to.isoformat(),
        "predecessors": list(unit.predecessors),
    }


def of_data(data: Mapping[str, Any]) -> Unit:
    """The unit that `as_data` made this of."""
    return Unit(
        data["code"],
        data["unit_name"],
        Level(data["level"]),
        data["parent"],
        data["area_type"] and AreaType(data["area_type"]),
        data["valid_from"] and dt.date.fromisoformat(data["valid_from"]),
        data["valid_to"] and dt.date.fromisoformat(data["valid_to"]),
        tuple(data["predecessors"]),
    )


async def keep(conn: AsyncConnection, sequence: int, units: Sequence[Mapping[str, Any]]) -> None:
    """Write down units as the event with this sequence told them; an older one changes nothing."""
    rows = [{"code": each["code"], "begins": each["valid_from"] or EVER, "unit": each} for each in units]
    await conn.execute(_KEEP, {"sequence": sequence, "units": db.as_json(rows)})


async def state(conn: AsyncConnection, sequence: int, stated: TypeOfArea) -> None:
    """Write down a commune's type as the event with this sequence told it."""
    await conn.execute(
        _STATE,
        {
            "sequence": sequence,
            "commune": stated.commune,
            "area_type": stated.area_type.value,
            "valid_from": stated.valid_from,
            "valid_to": stated.valid_to,
        },
    )


async def load(conn: AsyncConnection) -> tuple[list[Unit], list[TypeOfArea]]:
    """All that the tables say."""
    units = [of_data(unit) for unit in (await conn.execute(_UNITS)).scalars()]
    types = [TypeOfArea(row[0], AreaType(row[1]), row[2], row[3]) for row in await conn.execute(_TYPES)]
    return units, types


async def refresh(conn: AsyncConnection) -> None:
    """Have this process know what the tables say."""
    units, types = await load(conn)
    areas.learn(units, types)


class Keeper:
    """Keeps one process up to date with its database, wherever the change was recorded.

    `then` is what a service does about units that it did not know before: it is called when the process has
    learnt of them, also at its start, and again until it has succeeded.
    """

    def __init__(self, then: Callable[[AsyncEngine], Awaitable[None]] | None = None) -> None:
        self._known: Any = None
        self._then = then

    async def __call__(self, engine: AsyncEngine) -> None:
        """Look every second until cancelled; a database that is away is asked again."""
        while True:
            try:
                # A connection that is given up while it is being made keeps its server process for a minute.
                await to_its_end(self.round(engine))
            except Exception as error:
                if isinstance(error, SQLAlchemyError) or db.is_transient(error):
                    log.warning("areas_not_refreshed", kind=type(error).__name__)
                else:
                    log.exception("areas_not_followed")
            await asyncio.sleep(POLL_SECONDS)

    async def round(self, engine: AsyncEngine) -> None:
        """Learn, if the tables changed."""
        async with engine.connect() as conn:
            version = tuple((await conn.execute(_VERSION)).one())
            if version == self._known:
                return
            await refresh(conn)
        if self._then is not None:
            await self._then(engine)
        self._known = version


class Operations(Protocol):
    """Alembic's `op`, as far as it is used here."""

    def execute(self, sqltext: str) -> None:
        """Run one statement."""


def create(op: Operations) -> None:
    """The step of a service's migrations that makes the tables; once released it is never changed."""
    op.execute(
        "create table reorganised_areas (code text not null, begins date not null, sequence bigint not null,"
        " unit jsonb not null, constraint pk_reorganised_areas primary key (code, begins))"
    )
    op.execute(
        "create table stated_area_types (sequence bigint constraint pk_stated_area_types primary key,"
        " commune text not null, area_type text not null, valid_from date not null, valid_to date,"
        " constraint ck_stated_area_types_area_type check (area_type in ('URBAN', 'RURAL')),"
        " constraint ck_stated_area_types_validity check (valid_to > valid_from))"
    )


def drop(op: Operations) -> None:
    """Undo `create`."""
    op.execute("drop table stated_area_types")
    op.execute("drop table reorganised_areas")
