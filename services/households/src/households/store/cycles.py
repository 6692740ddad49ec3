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
from households.domain.cycle import Act, Case, Cycle, Entry, Paper
from households.domain.procedure_terms import Action, PaperKind, Role
from households.domain.procedures import Deadline
from households.domain.terms import HouseholdClass
from households.tables import (
    deadlines,
    households,
    members,
    review_cases,
    review_entries,
    review_villages,
    villages,
)


@dataclass(frozen=True, slots=True)
class Logged:
    """One line of the log as it is kept."""

    action: Action
    act: Act
    given: Mapping[str, Any]
    sealed: bytes | None
    calendar: int
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """Whom the register has in a village: a household, or a member of one, with the class it has now."""

    household_id: uuid.UUID
    member_id: uuid.UUID | None
    village: str
    listed_class: HouseholdClass | None


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
    return Logged(Action(row.action), act, row.given, row.sealed, row.calendar)


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


async def states(conn: AsyncConnection, review_id: uuid.UUID) -> set[tuple[str, str]]:
    """The procedures of the review's villages, each with a step at which one of them stands."""
    query = sa.select(review_villages.c.procedure, review_villages.c.state).distinct()
    rows = await conn.execute(query.where(review_villages.c.review_id == review_id))
    return {(row.procedure, row.state) for row in rows}


async def listed(conn: AsyncConnection, commune: str, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Listed]:
    """Active households of a commune."""
    query = sa.select(households.c.id, households.c.village, households.c.poverty_class).where(
        households.c.id.in_(ids), households.c.commune == commune, households.c.status == "ACTIVE"
    )
    return {
        row.id: Listed(row.id, None, row.village, row.poverty_class and HouseholdClass(row.poverty_class))
        for row in await conn.execute(query)
    }


async def listed_members(
    conn: AsyncConnection, commune: str, ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, Listed]:
    """Members who live in active households of a commune."""
    query = (
        sa.select(
            members.c.id,
            members.c.household_id,
            households.c.village,
            households.c.poverty_class,
        )
        .join(households, households.c.id == members.c.household_id)
        .where(
            members.c.id.in_(ids),
            members.c.left_on.is_(None),
            households.c.commune == commune,
            households.c.status == "ACTIVE",
        )
    )
    return {
        row.id: Listed(
            row.household_id,
            row.id,
            row.village,
            row.poverty_class and HouseholdClass(row.poverty_class),
        )
        for row in await conn.execute(query)
    }


async def subjects(
    conn: AsyncConnection, review_id: uuid.UUID, village: str
) -> dict[uuid.UUID, tuple[uuid.UUID, uuid.UUID | None]]:
    """Household and, in a review of workers, member of each case."""
    query = sa.select(review_cases.c.case_id, review_cases.c.household_id, review_cases.c.member_id).where(
        review_cases.c.review_id == review_id, review_cases.c.village == village
    )
    return {row.case_id: (row.household_id, row.member_id) for row in await conn.execute(query)}


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
    *,
    subjects: Mapping[uuid.UUID, tuple[uuid.UUID, uuid.UUID | None]],
) -> list[uuid.UUID]:
    """Add lines to the log and bring what is kept beside it up to date; the time limits that are now missed.

    `subjects` has household and member of each case.
    """
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
    changed = [case for one, case in after.cases.items() if known.get(one) != case]
    await _write_cases(conn, key, changed, subjects)
    return await _write_deadlines(conn, commune, key, before.deadlines if before else (), after.deadlines)


def _line(number: int, one: Logged) -> dict[str, Any]:
    paper, entry = one.act.paper, one.entry
    assert entry is not None, "the rules made a line of it"
    return {
        "number": number,
        "step_before": entry.step_before,
        "step_after": entry.step_after,
        "cases": list(entry.case_ids),
        "facts": {name: value for name, value in entry.facts.items() if name != "reason"},
        "calendar": one.calendar,
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


async def _write_cases(
    conn: AsyncConnection,
    key: Mapping[str, Any],
    changed: Iterable[Case],
    subjects: Mapping[uuid.UUID, tuple[uuid.UUID, uuid.UUID | None]],
) -> None:
    for case in changed:
        held = case.certificate
        household, member = subjects[case.case_id]
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
        statement = insert(review_cases).values(
            {**key, "case_id": case.case_id, "household_id": household, "member_id": member, **values}
        )
        await conn.execute(statement.on_conflict_do_update(index_elements=[*key, "case_id"], set_=values))


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
            "case_id": one.case_id,
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


def entries_query(scope: Scope, review_id: uuid.UUID, village: str | None) -> sa.Select[Any]:
    """The log of a review, or of one village of it."""
    query = (
        sa.select(review_entries)
        .join(
            review_villages,
            sa.and_(
                review_villages.c.review_id == review_entries.c.review_id,
                review_villages.c.village == review_entries.c.village,
            ),
        )
        .where(review_entries.c.review_id == review_id, scope.where(review_villages.c.commune))
    )
    return query if village is None else query.where(review_entries.c.village == village)


def entries_of_household(household_id: uuid.UUID) -> sa.Select[Any]:
    """What was done in any review about a household or somebody of it."""
    ids = sa.func.array(
        sa.select(members.c.id)
        .where(members.c.household_id == household_id)
        .union_all(sa.select(sa.literal(household_id, members.c.id.type)))
        .scalar_subquery()
    )
    return sa.select(review_entries).where(review_entries.c.cases.overlap(ids))
