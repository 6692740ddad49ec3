"""Rows of files of households and members: taken chunk by chunk, marked, answered again when somebody matched them."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from psycopg.types.json import Jsonb
from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import db
from benvung.auth import Scope
from households.domain import HouseholdState
from households.file_tables import UNMATCHED
from households.store.households import RECORD, record_of
from households.tables import import_rows, imports

HOUSEHOLDS_AT_ONCE = 250


@dataclass(frozen=True, slots=True)
class Waiting:
    """An accepted row that waits to be applied."""

    row_no: int
    household_id: uuid.UUID
    member_id: uuid.UUID | None
    raw: dict[str, Any]
    given: bytes | None
    is_new: bool


_ENTER = f"""insert into households (id, province, commune, village, members, status, ever_poor, ever_near_poor,
 revision, code, head_name, head_key, head_sex, indigenous_ethnicity)
 select r.household_id, r.province, r.commune, r.village, r.members, r.status, r.ever_poor, r.ever_near_poor,
 r.revision, i.raw->>'code', i.head_name, i.head_key, i.raw->>'head_sex', i.indigenous_ethnicity
 from jsonb_to_recordset(%s) as r(household_id uuid, {RECORD}, row_no int)
 join import_rows i on i.import_id = %s and i.row_no = r.row_no"""


async def next_households(conn: AsyncConnection, import_id: uuid.UUID, limit: int) -> list[Waiting]:
    """The next accepted rows of a list of households, in the order of ids."""
    query = _accepted(import_id).order_by(import_rows.c.household_id).limit(limit)
    return [_waiting(row) for row in await conn.execute(query)]


async def next_whole_households(conn: AsyncConnection, import_id: uuid.UUID) -> list[Waiting]:
    """All accepted rows of the next households of a file of members, none of them cut in two."""
    wanted = (
        sa.select(import_rows.c.household_id)
        .where(import_rows.c.import_id == import_id, import_rows.c.state == "ACCEPTED")
        .distinct()
        .order_by(import_rows.c.household_id)
        .limit(HOUSEHOLDS_AT_ONCE)
    )
    query = _accepted(import_id).where(import_rows.c.household_id.in_(wanted))
    ordered = query.order_by(import_rows.c.household_id, import_rows.c.row_no)
    return [_waiting(row) for row in await conn.execute(ordered)]


def _accepted(import_id: uuid.UUID) -> sa.Select[Any]:
    return sa.select(import_rows).where(
        import_rows.c.import_id == import_id, import_rows.c.state == "ACCEPTED"
    )


def _waiting(row: sa.Row[Any]) -> Waiting:
    is_new = row.matched_by == "NEW"
    return Waiting(row.row_no, row.household_id, row.member_id, row.raw, row.given, is_new)


async def enter(conn: AsyncConnection, import_id: uuid.UUID, states: Mapping[int, HouseholdState]) -> None:
    """Enter the households of these rows with what their rows say of them. Sealed things are opened nowhere."""
    rows = [record_of(state) | {"row_no": number} for number, state in states.items()]
    await (await db.driver(conn)).execute(_ENTER, (Jsonb(rows, to_json), import_id))


async def mark_applied(
    conn: AsyncConnection, import_id: uuid.UUID, applied: Mapping[int, int | None]
) -> None:
    """Mark rows as applied, each with the event that told of it where there was one."""
    pg = await db.driver(conn)
    await pg.execute(
        "update import_rows i set state = 'APPLIED', applied_sequence = r.sequence"
        " from unnest(%s::int[], %s::bigint[]) as r(row_no, sequence)"
        " where i.import_id = %s and i.row_no = r.row_no",
        (list(applied), list(applied.values()), import_id),
    )


async def known_meanwhile(conn: AsyncConnection, import_id: uuid.UUID, row_nos: Sequence[int]) -> set[int]:
    """Which of these rows of new households mean one that somebody entered since the file was answered."""
    pg = await db.driver(conn)
    cursor = await pg.execute(
        "select i.row_no from import_rows i join imports f on f.id = i.import_id join households h"
        " on h.commune = f.commune and h.status = 'ACTIVE' and h.village = i.raw->>'village'"
        " and h.head_key = i.head_key and h.code is not distinct from i.raw->>'code'"
        " where i.import_id = %s and i.row_no = any(%s::int[])",
        (import_id, list(row_nos)),
    )
    return {row[0] for row in await cursor.fetchall()}


async def lock(conn: AsyncConnection, import_id: uuid.UUID, scope: Scope) -> sa.Row[Any] | None:
    """One import within the scope, held against being applied or matched by somebody else."""
    query = sa.select(imports).where(imports.c.id == import_id, scope.where(imports.c.commune))
    return (await conn.execute(query.with_for_update())).one_or_none()


async def rows_of(conn: AsyncConnection, import_id: uuid.UUID, row_nos: Sequence[int]) -> list[sa.Row[Any]]:
    """These rows, and all that stand or fall together with them."""
    groups = sa.select(import_rows.c.group_no).where(
        import_rows.c.import_id == import_id, import_rows.c.row_no.in_(row_nos)
    )
    together = sa.or_(import_rows.c.row_no.in_(row_nos), import_rows.c.group_no.in_(groups))
    query = sa.select(import_rows).where(import_rows.c.import_id == import_id, together)
    return list((await conn.execute(query.order_by(import_rows.c.row_no))).all())


async def claimed(
    conn: AsyncConnection, import_id: uuid.UUID, household_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, int]:
    """Which of these households another row of the file has already, and which row."""
    query = sa.select(import_rows.c.household_id, import_rows.c.row_no).where(
        import_rows.c.import_id == import_id,
        import_rows.c.state.in_(("ACCEPTED", "APPLIED")),
        import_rows.c.household_id.in_(household_ids),
    )
    return {row.household_id: row.row_no for row in await conn.execute(query)}


async def answer_again(
    conn: AsyncConnection, import_id: uuid.UUID, answers: Sequence[Mapping[str, Any]]
) -> None:
    """Write new answers to rows; each names its `row_no` and the columns that change."""
    for answer in answers:
        values = {name: value for name, value in answer.items() if name != "row_no"}
        await conn.execute(
            import_rows.update()
            .where(import_rows.c.import_id == import_id, import_rows.c.row_no == answer["row_no"])
            .values(**values)
        )


async def recount(conn: AsyncConnection, import_id: uuid.UUID) -> None:
    """Count the import's rows anew after some were matched, and wake whoever applies it if rows wait again."""
    counted = sa.select(
        sa.func.count().filter(import_rows.c.state == "REFUSED"),
        sa.func.count().filter(import_rows.c.state == "ACCEPTED"),
    ).where(import_rows.c.import_id == import_id)
    refused, waiting = (await conn.execute(counted)).one()
    values: dict[str, Any] = {"refused": refused}
    if waiting:
        values |= {"state": "APPLYING", "finished_at": None, "attempts": 0}
    await conn.execute(imports.update().where(imports.c.id == import_id).values(**values))
    await conn.execute(sa.text("select pg_notify('imports', '')"))


async def unmatched_count(conn: AsyncConnection, import_id: uuid.UUID) -> int:
    """How many rows wait for somebody to say whom they mean."""
    query = sa.select(sa.func.count()).where(import_rows.c.import_id == import_id, sa.text(UNMATCHED))
    return int((await conn.execute(query)).scalar_one())
