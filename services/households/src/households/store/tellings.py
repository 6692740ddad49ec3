"""Facts of all kinds as they were recorded, and what the world was told of each.

`load` reads the histories of locked households, `add` writes what was told of new facts; tellings are only
added, never changed.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import db
from households.domain import HouseholdState, Outcome
from households.store import combinations
from households.store.decisions import Paper


@dataclass(frozen=True, slots=True)
class Told:
    """One event that told of a fact: what the fact left behind, and which event it replaces."""

    sequence: int
    fact: int
    leg: int
    kind: str
    stage: str | None
    on: dt.date
    state: HouseholdState
    outcome: Outcome | None = None
    replaces: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A recorded change as its row is written; `state` is what it left behind."""

    sequence: int
    kind: str
    on: dt.date
    state: HouseholdState
    outcome: Outcome | None
    reason: str
    other_commune: str | None = None
    certificate: str | None = None
    inherited: dict[str, Any] | None = None
    corrects: int | None = None


_ADD = """insert into tellings (sequence, fact, leg, household_id, kind, stage, holds_from, province, commune,
 village, members, status, class, standard, class_since, left_list_on, left_list_from, preliminary_class,
 previous_class, previous_standard, previous_members, movement, replaces)
 select * from jsonb_to_recordset(%s) as r(sequence bigint, fact bigint, leg smallint, household_id uuid,
 kind text, stage text, holds_from date, province text, commune text, village text, members int, status text,
 class text, standard text, class_since date, left_list_on date, left_list_from text, preliminary_class text,
 previous_class text, previous_standard text, previous_members int, movement text, replaces bigint)"""

_ADD_CHANGES = """insert into changes (household_id, sequence, kind, changed_on, commune, village,
 other_commune, previous_class, previous_standard, previous_members, class, standard, members, movement,
 reason, certificate, inherited, corrects)
 select * from jsonb_to_recordset(%s) as r(household_id uuid, sequence bigint, kind text, changed_on date,
 commune text, village text, other_commune text, previous_class text, previous_standard text,
 previous_members int, class text, standard text, members int, movement text, reason text, certificate text,
 inherited jsonb, corrects bigint)"""


async def add(conn: AsyncConnection, told: Sequence[Told]) -> None:
    """Write down what was told."""
    if told:
        await (await db.driver(conn)).execute(_ADD, (db.as_json([_telling(each) for each in told]),))
        # Who is entered anew has no decision yet.
        changed = [each for each in told if each.kind != "REGISTERED" or each.replaces is not None]
        await combinations.follow(conn, {each.state.household_id for each in changed})


async def add_changes(conn: AsyncConnection, recorded: Sequence[Change]) -> None:
    """Store changes of place, size or existence, each where its state has it."""
    if recorded:
        rows = db.as_json([_change(each) for each in recorded])
        await (await db.driver(conn)).execute(_ADD_CHANGES, (rows,))


def _telling(told: Told) -> dict[str, Any]:
    state, outcome = told.state, told.outcome
    return {
        "sequence": told.sequence,
        "fact": told.fact,
        "leg": told.leg,
        "household_id": state.household_id,
        "kind": told.kind,
        "stage": told.stage,
        "holds_from": told.on,
        "province": state.province,
        "commune": state.commune,
        "village": state.village,
        "members": state.members,
        "status": state.status,
        "class": state.poverty_class,
        "standard": state.standard,
        "class_since": state.class_since,
        "left_list_on": state.left_list_on,
        "left_list_from": state.left_list_from,
        "preliminary_class": state.preliminary_class,
        "previous_class": outcome and outcome.previous_class,
        "previous_standard": outcome and outcome.previous_standard,
        "previous_members": outcome and outcome.previous_members,
        "movement": outcome and outcome.movement,
        "replaces": told.replaces,
    }


def _change(change: Change) -> dict[str, Any]:
    state, outcome = change.state, change.outcome
    return {
        "household_id": state.household_id,
        "sequence": change.sequence,
        "kind": change.kind,
        "changed_on": change.on,
        "commune": state.commune,
        "village": state.village,
        "other_commune": change.other_commune,
        "previous_class": outcome and outcome.previous_class,
        "previous_standard": outcome and outcome.previous_standard,
        "previous_members": (outcome and outcome.previous_members) or state.members,
        "class": state.poverty_class,
        "standard": state.standard,
        "members": state.members,
        "movement": outcome and outcome.movement,
        "reason": change.reason,
        "certificate": change.certificate,
        "inherited": change.inherited,
        "corrects": change.corrects,
    }


@dataclass(frozen=True, slots=True)
class Recorded:
    """A fact as its row has it: a decision, or a change. Which columns are filled depends on the kind."""

    household_id: uuid.UUID
    sequence: int
    kind: str
    on: dt.date
    commune: str
    village: str
    members: int
    household_class: str | None
    standard: str | None
    reason: str | None
    other_commune: str | None
    certificate: str | None
    inherited: dict[str, Any] | None
    corrects: int | None
    paper: Paper | None = None


_DECISIONS = """select household_id, sequence, valid_from, commune, village, members, class, standard, corrects,
 decision_id, review_id, year, kind, stage, decided_on, decision_number, basis, rule_version
 from decisions where household_id = any(%s::uuid[])"""
_CHANGES = """select household_id, sequence, kind, changed_on, commune, village, members, class, standard,
 reason, other_commune, certificate, inherited, corrects
 from changes where household_id = any(%s::uuid[])"""
_LIVE = """select fact, array_agg(sequence order by leg) from tellings t
 where household_id = any(%s::uuid[]) and kind <> 'ANNULLED'
 and not exists (select from tellings r where r.replaces = t.sequence) group by fact"""
_LINKS = """select household_id, predecessor_id, kind, fact, predecessor_fact from lineage
 where household_id = any(%(ids)s::uuid[]) or predecessor_id = any(%(ids)s::uuid[])"""


async def load(conn: AsyncConnection, ids: Sequence[uuid.UUID]) -> list[Recorded]:
    """All facts recorded of these households, by their sequences."""
    pg = await db.driver(conn)
    found = [
        Recorded(
            row[0], row[1], "CLASSIFIED", row[2], row[3], row[4], row[5], row[6], row[7],
            None, None, None, None, row[8],
            Paper(row[9], row[10], row[11], row[12], row[13], row[6], row[14], row[2], row[15], row[7],
                  row[16], row[17]),
        )
        for row in await (await pg.execute(_DECISIONS, (list(ids),))).fetchall()
    ]  # fmt: skip
    for row in await (await pg.execute(_CHANGES, (list(ids),))).fetchall():
        found.append(Recorded(*row))
    return sorted(found, key=lambda each: each.sequence)


async def live(conn: AsyncConnection, ids: Sequence[uuid.UUID]) -> dict[int, tuple[int, ...]]:
    """For each fact of these households the events that tell it now."""
    cursor = await (await db.driver(conn)).execute(_LIVE, (list(ids),))
    return {row[0]: tuple(row[1]) for row in await cursor.fetchall()}


async def fact_of(conn: AsyncConnection, sequence: int) -> int:
    """The sequence of the fact that an event told: of a move, that of the departure."""
    cursor = await (await db.driver(conn)).execute(
        "select fact from tellings where sequence = %s", (sequence,)
    )
    row = await cursor.fetchone()
    return sequence if row is None else int(row[0])


Link = tuple[uuid.UUID, uuid.UUID, str, int, int]


async def links(conn: AsyncConnection, ids: Sequence[uuid.UUID]) -> list[Link]:
    """Household, predecessor, kind, fact and the predecessor's fact, wherever one of these is part of it."""
    cursor = await (await db.driver(conn)).execute(_LINKS, {"ids": list(ids)})
    return [(row[0], row[1], row[2], row[3], row[4]) for row in await cursor.fetchall()]


async def link(conn: AsyncConnection, found: Iterable[Link], on: dt.date) -> None:
    """Note from which household another one comes."""
    pg = await db.driver(conn)
    for household, predecessor, kind, fact, predecessor_fact in found:
        await pg.execute(
            "insert into lineage (household_id, predecessor_id, kind, fact, predecessor_fact, holds_from)"
            " values (%s, %s, %s, %s, %s, %s)",
            (household, predecessor, kind, fact, predecessor_fact, on),
        )
