"""A review in a village: its log, and what is kept beside it so that lists need not read the log."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.auth import Scope
from households.domain.cycle import Act, Case, Cycle, Paper
from households.domain.procedure_terms import Action, PaperKind, Role
from households.domain.procedures import Deadline
from households.tables import deadlines, households, review_cases, review_entries, review_villages, villages


@dataclass(frozen=True, slots=True)
class Logged:
    """One line of the log as it is kept."""

    action: Action
    act: Act
    given: Mapping[str, Any]
    sealed: bytes | None
    recorded_at: dt.datetime | None = None


async def lock(conn: AsyncConnection, review_id: uuid.UUID, village: str) -> sa.Row[Any] | None:
    """The village in the review, locked against every other step, with its time limits."""
    where = (review_villages.c.review_id == review_id, review_villages.c.village == village)
    row = (await conn.execute(sa.select(review_villages).where(*where).with_for_update())).one_or_none()
    if row is not None:
        held = sa.select(deadlines.c.id).where(
            deadlines.c.review_id == review_id, deadlines.c.village == village
        )
        await conn.execute(held.order_by(deadlines.c.id).with_for_update())
    return row


async def find(conn: AsyncConnection, review_id: uuid.UUID, village: str, scope: Scope) -> sa.Row[Any] | None:
    """The village in the review, within a scope."""
    query = sa.select(review_villages).where(
        review_villages.c.review_id == review_id,
        review_villages.c.village == village,
        scope.where(review_villages.c.commune),
    )
    return (await conn.execute(query)).one_or_none()


async def log(conn: AsyncConnection, review_id: uuid.UUID, village: str) -> list[Logged]:
    """Every line, the first one first."""
    query = (
        sa.select(review_entries)
        .where(review_entries.c.review_id == review_id, review_entries.c.village == village)
        .order_by(review_entries.c.number)
    )
    return [_logged(row) for row in await conn.execute(query)]


def _logged(row: sa.Row[Any]) -> Logged:
    paper = row.paper_kind and Paper(PaperKind(row.paper_kind), row.paper_number, row.paper_dated)
    act = Act(row.actor, Role(row.role), row.on_day, paper)
    return Logged(Action(row.action), act, row.given, row.sealed, row.recorded_at)


async def told(conn: AsyncConnection, review_id: uuid.UUID, village: str) -> dict[int, dt.date]:
    """When each time limit of the village was told as missed, by its number."""
    query = sa.select(deadlines.c.number, deadlines.c.told_on).where(
        deadlines.c.review_id == review_id,
        deadlines.c.village == village,
        deadlines.c.told_on.is_not(None),
    )
    return {row.number: row.told_on for row in await conn.execute(query)}


async def has_village(conn: AsyncConnection, commune: str, village: str) -> bool:
    """Whether the commune's list has it."""
    query = sa.exists().where(villages.c.commune == commune, villages.c.code == village)
    return bool(await conn.scalar(sa.select(query)))


async def months(conn: AsyncConnection, review_id: uuid.UUID) -> set[int | None]:
    """The months that the review's villages were opened for."""
    query = sa.select(review_villages.c.month).where(review_villages.c.review_id == review_id)
    return set((await conn.execute(query)).scalars())


async def unfinished(conn: AsyncConnection, review_id: uuid.UUID) -> bool:
    """Whether a village of the review has not reported."""
    query = sa.exists().where(review_villages.c.review_id == review_id, review_villages.c.state != "REPORTED")
    return bool(await conn.scalar(sa.select(query)))


async def listed(
    conn: AsyncConnection, commune: str, ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, tuple[str, str | None]]:
    """Village and official class of active households of a commune."""
    query = sa.select(households.c.id, households.c.village, households.c.poverty_class).where(
        households.c.id.in_(ids), households.c.commune == commune, households.c.status == "ACTIVE"
    )
    return {row.id: (row.village, row.poverty_class) for row in await conn.execute(query)}


async def certificates(
    conn: AsyncConnection, ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, tuple[str, dt.date]]:
    """The certificate that each of these households holds."""
    query = (
        sa.select(review_cases.c.household_id, review_cases.c.certificate, review_cases.c.certificate_on)
        .where(
            review_cases.c.household_id.in_(ids),
            review_cases.c.certificate.is_not(None),
            review_cases.c.certificate_revoked_on.is_(None),
        )
        .order_by(review_cases.c.certificate_on)
    )
    return {row[0]: (row[1], row[2]) for row in await conn.execute(query)}


async def write(
    conn: AsyncConnection,
    commune: str,
    before: Cycle | None,
    after: Cycle,
    lines: Sequence[Logged],
) -> list[uuid.UUID]:
    """Add lines to the log and bring what is kept beside it up to date; the time limits that are now missed."""
    key = {"review_id": after.review_id, "village": after.place}
    values = {
        "state": after.step,
        "round": max(1, after.surveys),
        "version": after.entries,
        "cases": len(after.cases),
        "last_on": after.last_on,
        "posted_until": after.posted_until,
    }
    opened = {"commune": commune, "procedure": after.procedure.version, "month": after.month}
    statement = insert(review_villages).values(key | values | opened)
    await conn.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))
    first = after.entries - len(lines) + 1
    await conn.execute(
        review_entries.insert(), [key | _line(number, one) for number, one in enumerate(lines, start=first)]
    )
    known = before.cases if before else {}
    await _write_cases(conn, key, (case for one, case in after.cases.items() if known.get(one) != case))
    return await _write_deadlines(conn, commune, key, before.deadlines if before else (), after.deadlines)


def _line(number: int, one: Logged) -> dict[str, Any]:
    paper = one.act.paper
    return {
        "number": number,
        "action": one.action,
        "on_day": one.act.on,
        "actor": one.act.by,
        "role": one.act.role,
        "paper_kind": paper and paper.kind,
        "paper_number": paper and paper.number,
        "paper_dated": paper and paper.dated,
        "given": dict(one.given),
        "sealed": one.sealed,
    }


async def _write_cases(conn: AsyncConnection, key: Mapping[str, Any], changed: Iterable[Case]) -> None:
    for case in changed:
        held = case.certificate
        values = {
            "state": case.state,
            "finding": case.finding,
            "sent_back": case.sent_back,
            "complaints": case.complaints,
            "decision_number": case.decisions[-1].number if case.decisions else None,
            "certificate": held and held.number,
            "certificate_on": held and held.issued_on,
            "certificate_revoked_on": held and held.revoked_on,
        }
        statement = insert(review_cases).values({**key, "household_id": case.case_id, **values})
        await conn.execute(
            statement.on_conflict_do_update(index_elements=[*key, "household_id"], set_=values)
        )


async def _write_deadlines(
    conn: AsyncConnection,
    commune: str,
    key: Mapping[str, Any],
    before: Sequence[Deadline],
    after: Sequence[Deadline],
) -> list[uuid.UUID]:
    missed: list[uuid.UUID] = []
    for number, one in enumerate(after, start=1):
        old = before[number - 1] if number <= len(before) else None
        if old == one:
            continue
        values = {
            "state": "MISSED" if one.told_on else "OPEN" if one.open else "MET",
            "done_on": one.done_on,
            "told_on": one.told_on,
        }
        made = {
            "number": number,
            "commune": commune,
            "rule": one.code,
            "household_id": one.case_id,
            "starts_on": one.starts_on,
            "due_on": one.due,
            "responsible": one.responsible,
            "legal": one.legal,
        }
        statement = insert(deadlines).values({**key, **made, **values})
        statement = statement.on_conflict_do_update(index_elements=[*key, "number"], set_=values)
        written = (await conn.execute(statement.returning(deadlines.c.id))).scalar_one()
        if one.told_on is not None and (old is None or old.told_on is None):
            missed.append(written)
    return missed


def villages_query(scope: Scope, review_id: uuid.UUID) -> sa.Select[Any]:
    """The villages of a review."""
    return sa.select(review_villages).where(
        review_villages.c.review_id == review_id, scope.where(review_villages.c.commune)
    )


def cases_query(review_id: uuid.UUID, village: str, state: str | None) -> sa.Select[Any]:
    """The households of a village in a review."""
    query = sa.select(review_cases).where(
        review_cases.c.review_id == review_id, review_cases.c.village == village
    )
    return query if state is None else query.where(review_cases.c.state == state)
