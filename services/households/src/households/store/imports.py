"""Imports of a review's results: the rows of a file with their answers, and how far they are applied."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from psycopg.types.json import Jsonb
from pydantic_core import to_json
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import db
from benvung.auth import Scope
from households.domain import Basis, HouseholdClass, Scores
from households.file_tables import UNMATCHED
from households.tables import import_rows, imports

UNFINISHED = ("ANSWERED", "APPLYING")
_STAGED = (
    *("uuid", "int4", "jsonb", *("bytea",) * 9),
    *("text", "text", "uuid", "text", "bytea", "bytea", "int4", "uuid"),
)
_RUNNING = ("id", "kind", "commune", "review_id", "holds_from", "uploaded_by")


@dataclass(frozen=True, slots=True)
class AnsweredRow:
    """A row of a file with everything that was answered to it, ready to be stored."""

    row_no: int
    raw: dict[str, Any]
    head_name: bytes | None
    head_key: bytes | None
    indigenous_ethnicity: bytes | None
    reviewer: bytes | None
    flags: bytes | None
    combination_key: bytes | None
    state: str
    matched_by: str | None
    household_id: uuid.UUID | None
    computed_class: str | None
    answers: bytes | None
    given: bytes | None = None
    group: int | None = None
    member_id: uuid.UUID | None = None
    causes: bytes | None = None
    cause_key: bytes | None = None
    cause_text: bytes | None = None


@dataclass(frozen=True, slots=True)
class AcceptedRow:
    """An accepted row that waits to be applied."""

    row_no: int
    household_id: uuid.UUID
    village: str
    members: int
    scores: Scores
    declared_class: HouseholdClass | None
    is_new: bool
    believed: bool
    head_name: bytes | None


@dataclass(frozen=True, slots=True)
class Running:
    """An import that is being applied, held by this transaction."""

    id: uuid.UUID
    kind: str
    commune: str
    review_id: uuid.UUID | None
    holds_from: dt.date | None
    uploaded_by: str


async def add(conn: AsyncConnection, values: dict[str, Any]) -> bool:
    """Insert an import; False when the review, or the commune for a list, already has this very file."""
    try:
        async with conn.begin_nested():
            await conn.execute(imports.insert().values(values))
    except IntegrityError as error:
        if any(name in str(error.orig) for name in ("uq_imports_file", "uq_imports_list")):
            return False
        raise
    return True


async def same_file(conn: AsyncConnection, review_id: uuid.UUID, sha256: bytes) -> uuid.UUID | None:
    """The import of this very file in this review, if there is one that was not a trial."""
    query = sa.select(imports.c.id).where(
        imports.c.review_id == review_id,
        imports.c.sha256 == sha256,
        imports.c.dry_run.is_(False),
        imports.c.state != "FAILED",
    )
    return (await conn.execute(query)).scalar_one_or_none()


async def same_list(conn: AsyncConnection, commune: str, kind: str, sha256: bytes) -> uuid.UUID | None:
    """The import of this very list into this commune, if there is one that was not a trial."""
    query = sa.select(imports.c.id).where(
        imports.c.commune == commune,
        imports.c.kind == kind,
        imports.c.review_id.is_(None),
        imports.c.sha256 == sha256,
        imports.c.dry_run.is_(False),
        imports.c.state != "FAILED",
    )
    return (await conn.execute(query)).scalar_one_or_none()


async def stage(conn: AsyncConnection, import_id: uuid.UUID, rows: Iterable[AnsweredRow]) -> None:
    """Store all rows of a file with their answers."""
    pg = await db.driver(conn)
    async with (
        pg.cursor() as cursor,
        cursor.copy(
            "copy import_rows (import_id, row_no, raw, head_name, head_key, indigenous_ethnicity, reviewer,"
            " flags, combination_key, causes, cause_key, cause_text, state, matched_by, household_id, class,"
            " answers, given, group_no, member_id)"
            " from stdin (format binary)"
        ) as copy,
    ):
        copy.set_types(_STAGED)
        for row in rows:
            await copy.write_row(
                (
                    import_id,
                    row.row_no,
                    Jsonb(row.raw, to_json),
                    row.head_name,
                    row.head_key,
                    row.indigenous_ethnicity,
                    row.reviewer,
                    row.flags,
                    row.combination_key,
                    row.causes,
                    row.cause_key,
                    row.cause_text,
                    row.state,
                    row.matched_by,
                    row.household_id,
                    row.computed_class,
                    row.answers,
                    row.given,
                    row.group,
                    row.member_id,
                )
            )


async def waiting(conn: AsyncConnection) -> list[uuid.UUID]:
    """Imports that are not applied to the end, oldest first."""
    query = sa.select(imports.c.id).where(imports.c.state.in_(UNFINISHED)).order_by(imports.c.id)
    return list((await conn.execute(query)).scalars())


async def unfinished(conn: AsyncConnection, review_id: uuid.UUID) -> bool:
    """Whether a file of this review is not applied to the end."""
    query = sa.select(imports.c.id).where(imports.c.review_id == review_id, imports.c.state.in_(UNFINISHED))
    return (await conn.execute(query.limit(1))).first() is not None


async def hold(conn: AsyncConnection, import_id: uuid.UUID) -> Running | None:
    """The import, if it is unfinished and nobody else is applying a part of it at this moment."""
    query = (
        sa.select(*(imports.c[name] for name in _RUNNING))
        .where(imports.c.id == import_id, imports.c.state.in_(UNFINISHED))
        .with_for_update(skip_locked=True)
    )
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else Running(*row)


async def next_rows(conn: AsyncConnection, import_id: uuid.UUID, limit: int) -> list[AcceptedRow]:
    """The next accepted rows in the order of their households' ids, with the heads of new ones as sealed."""
    pg = await db.driver(conn)
    cursor = await pg.execute(
        "select row_no, household_id, raw, matched_by, case when matched_by = 'NEW' then head_name end"
        " from import_rows"
        " where import_id = %s and state = 'ACCEPTED' order by household_id limit %s",
        (import_id, limit),
    )
    return [_accepted(*row) for row in await cursor.fetchall()]


def _accepted(
    row_no: int, household_id: uuid.UUID, raw: dict[str, Any], matched_by: str, head_name: bytes | None
) -> AcceptedRow:
    scores = Scores(raw["b1_points"], raw["b2_points"], None, Basis(raw["basis"]))
    declared = raw.get("declared_class")
    return AcceptedRow(
        row_no,
        household_id,
        raw["village"],
        raw["members"],
        scores,
        declared and HouseholdClass(declared),
        matched_by == "NEW",
        bool(raw.get("believed")),
        head_name,
    )


async def refuse_rows(
    conn: AsyncConnection, import_id: uuid.UUID, refusals: Sequence[tuple[int, bytes]]
) -> None:
    """Refuse rows that were accepted when the file was answered and no longer hold; answers are sealed."""
    for row_no, answers in refusals:
        await conn.execute(
            import_rows.update()
            .where(import_rows.c.import_id == import_id, import_rows.c.row_no == row_no)
            .values(state="REFUSED", answers=answers)
        )


async def answered(
    conn: AsyncConnection, import_id: uuid.UUID, *, total: int, refused: int, warnings: int
) -> None:
    """Write down how a file was answered, and wake whoever applies imports once that is committed."""
    await conn.execute(
        imports.update()
        .where(imports.c.id == import_id)
        .values(total=total, answered=total, refused=refused, warnings=warnings)
    )
    await conn.execute(sa.text("select pg_notify('imports', '')"))


async def note_attempt(conn: AsyncConnection, import_id: uuid.UUID) -> int:
    """Count a failed attempt to apply a chunk; returns how many there were in a row."""
    attempt = (
        imports.update()
        .where(imports.c.id == import_id)
        .values(attempts=imports.c.attempts + 1)
        .returning(imports.c.attempts)
    )
    return int((await conn.execute(attempt)).scalar_one())


async def count(conn: AsyncConnection, import_id: uuid.UUID, *, applied: int, refused: int) -> None:
    """Move the import's counts and finish it when no accepted row is left."""
    left = sa.exists().where(import_rows.c.import_id == import_id, import_rows.c.state == "ACCEPTED")
    await conn.execute(
        imports.update()
        .where(imports.c.id == import_id)
        .values(
            applied=imports.c.applied + applied,
            refused=imports.c.refused + refused,
            attempts=0,
            state=sa.case((left, "APPLYING"), else_="DONE"),
            finished_at=sa.case((left, None), else_=sa.func.clock_timestamp()),
        )
    )


async def fail(conn: AsyncConnection, import_id: uuid.UUID, failure: str) -> None:
    """End an import whose rows can no longer be applied; what was applied stays."""
    await conn.execute(
        imports.update()
        .where(imports.c.id == import_id, imports.c.state.in_(UNFINISHED))
        .values(state="FAILED", failure=failure, finished_at=sa.func.clock_timestamp())
    )


async def find(conn: AsyncConnection, import_id: uuid.UUID, scope: Scope) -> sa.Row[Any] | None:
    """One import within the scope."""
    query = sa.select(imports).where(imports.c.id == import_id, scope.where(imports.c.commune))
    return (await conn.execute(query)).one_or_none()


def rows_query(import_id: uuid.UUID, only: str | None) -> sa.Select[Any]:
    """The rows of an import: all, those refused (`errors`), or those with any remark (`answers`)."""
    query = sa.select(import_rows).where(import_rows.c.import_id == import_id)
    if only == "errors":
        query = query.where(import_rows.c.state == "REFUSED")
    elif only == "answers":
        query = query.where(import_rows.c.answers.is_not(None))
    elif only == "unmatched":
        query = query.where(sa.text(UNMATCHED))
    return query


async def newest(conn: AsyncConnection, scope: Scope, limit: int) -> list[sa.Row[Any]]:
    """The newest imports of an area."""
    query = sa.select(imports).where(scope.where(imports.c.commune))
    ordered = query.order_by(imports.c.recorded_at.desc(), imports.c.id).limit(limit)
    return list((await conn.execute(ordered)).all())
