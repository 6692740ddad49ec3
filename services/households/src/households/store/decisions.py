"""Decisions and changes: facts that are written once and only read from then on."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
import sqlalchemy as sa
from psycopg.types.json import Jsonb
from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import db
from benvung.auth import Scope
from households.domain import (
    Classification,
    HouseholdClass,
    Outcome,
    Scores,
    Stage,
)
from households.store import combinations, geography
from households.store.geography import Eras
from households.store.households import RECORD, SET, record_of
from households.store.reviews import Review
from households.tables import changes, decisions, placements, tellings


@dataclass(frozen=True, slots=True)
class RowRef:
    """A row of an import. `head_name_keys` is what the head of a household that it enters is found by."""

    import_id: uuid.UUID
    row_no: int
    head_name_keys: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class Paper:
    """What an event says of a decision beside what it meant for the household."""

    decision_id: uuid.UUID
    review_id: uuid.UUID
    year: int
    kind: Literal["ANNUAL", "REGULAR"]
    stage: Literal["PRELIMINARY", "OFFICIAL"]
    decided_class: Literal["POOR", "NEAR_POOR", "AVERAGE_LIVING", "NOT_POOR"]
    decided_on: dt.date
    valid_from: dt.date
    decision_number: str | None
    standard: str
    basis: Literal["TOTALS_GIVEN", "FLAGS", "ITEMS"]
    rule_version: str


@dataclass(frozen=True, slots=True)
class SealedCauses:
    """Causes of poverty as they are kept: the codes sealed, their keyed fingerprint, the words of another cause."""

    codes: bytes
    key: bytes
    text: bytes | None


@dataclass(frozen=True, slots=True)
class Taken:
    """A decision as it was taken, with all it rests on, and the household's state after it."""

    decision_id: uuid.UUID
    sequence: int
    outcome: Outcome
    classification: Classification
    scores: Scores
    members: int
    stage: Stage
    declared_class: HouseholdClass | None = None
    reviewer: bytes | None = None
    flags: bytes | None = None
    combination_key: bytes | None = None
    causes: SealedCauses | None = None
    row: RowRef | None = None
    is_new: bool = False
    corrects: int | None = None
    village: str | None = None
    own: "Own | None" = None


@dataclass(frozen=True, slots=True)
class Own:
    """The paper of a decision that corrects another one, which is not that of the review."""

    decided_on: dt.date
    decision_number: str | None
    reason: str


_FACT = """decision_id uuid, sequence bigint, decided_class text, previous_class text, previous_standard text,
 previous_members int, decided_members int, movement text, b1_points int, b2_points int, basis text,
 inputs jsonb, rule_version text, declared_class text, reviewer text, flags text,
 combination_key text, cause_key text, cause_text text, import_id uuid, import_row int, known boolean,
 corrects bigint, decided_village text, own_decided_on date, own_number text, head_name_keys bigint[]"""

_RECORDS = f"""select * from jsonb_to_recordset(%(rows)s)
 as r(household_id uuid, {RECORD}, {_FACT})"""

_INTO_DECISIONS = """insert into decisions (decision_id, household_id, sequence, review_id, commune, village, year,
 kind, stage, standard, class, previous_class, previous_standard, previous_members, members, movement,
 b1_points, b2_points, flags, combination_id, cause_set_id, cause_text, basis, inputs, rule_version,
 declared_class, decided_on, valid_from, decision_number, reviewer, import_id, import_row, corrects)
 select r.decision_id, r.household_id, r.sequence, v.id, v.commune, r.decided_village, v.year, v.kind, v.stage, v.standard,
 r.decided_class, r.previous_class, r.previous_standard, r.previous_members, r.decided_members, r.movement,
 r.b1_points, r.b2_points, {flags},
 coalesce((select k.id from combinations k where k.fingerprint = {key}),
          (select c.id from c where c.fingerprint = {key})),
 (select s.id from cause_sets s where s.fingerprint = {cause_key}), {cause_text}, r.basis, r.inputs, r.rule_version,
 r.declared_class, coalesce(r.own_decided_on, %(decided_on)s::date), %(valid_from)s::date,
 case when r.corrects is null then %(decision_number)s::text else r.own_number end,
 {reviewer}, r.import_id, r.import_row, r.corrects
 from r join reviews v on v.id = %(review)s"""
_ROW = " join import_rows i on i.import_id = r.import_id and i.row_no = r.import_row"
# A combination that another transaction enters at this moment is not seen: the decision then gets its own later.
_INTO_COMBINATIONS = """insert into combinations (standard, fingerprint, flags)
 select distinct on ({key}) v.standard, {key}, {flags} from r join reviews v on v.id = %(review)s{row}
 where {key} is not null and not exists (select from combinations k where k.fingerprint = {key})
 order by {key} on conflict do nothing returning id, fingerprint"""
_KEY, _FLAGS = "decode(r.combination_key, 'hex')", "decode(r.flags, 'hex')"
_CAUSE_KEY = "decode(r.cause_key, 'hex')"
_COMBINE_GIVEN = _INTO_COMBINATIONS.format(key=_KEY, flags=_FLAGS, row="")
_INSERT_GIVEN = _INTO_DECISIONS.format(
    flags=_FLAGS,
    key=_KEY,
    cause_key=_CAUSE_KEY,
    cause_text="decode(r.cause_text, 'hex')",
    reviewer="decode(r.reviewer, 'hex')",
)
# What a row of a file holds sealed goes from table to table; it is opened nowhere on the way.
_COMBINE_FROM_FILE = _INTO_COMBINATIONS.format(key="i.combination_key", flags="i.flags", row=_ROW)
_INSERT_FROM_FILE = (
    _INTO_DECISIONS.format(
        flags="i.flags",
        key="i.combination_key",
        cause_key="i.cause_key",
        cause_text="i.cause_text",
        reviewer="i.reviewer",
    )
    + _ROW
)

# A statement before the one that needs them: a set that another transaction enters at this moment is waited for,
# so that no decision is written without its own.
_CAUSE_SETS = """insert into cause_sets (fingerprint, causes)
 select distinct on (g.key) g.key, g.causes from {source} where g.key is not null
 and not exists (select from cause_sets s where s.fingerprint = g.key) order by g.key on conflict do nothing"""
_CAUSES_GIVEN = _CAUSE_SETS.format(source="unnest(%b::bytea[], %b::bytea[]) as g(key, causes)")
_CAUSES_FROM_FILE = _CAUSE_SETS.format(
    source="(select cause_key, causes from import_rows where import_id = %b::uuid and row_no = any(%b::int[]))"
    " as g(key, causes)"
)

_ENTER_NEW = """insert into households (id, province, commune, village, members, status, poverty_class,
 standard, class_since, left_list_on, left_list_from, preliminary_class, ever_poor, ever_near_poor,
 last_fact_on, official_annual_year, revision, code, head_name, head_key, head_name_keys, head_sex,
 indigenous_ethnicity)
 select r.household_id, r.province, r.commune, r.village, r.members, r.status, r.poverty_class,
 r.standard, r.class_since, r.left_list_on, r.left_list_from, r.preliminary_class, r.ever_poor,
 r.ever_near_poor, r.last_fact_on, r.official_annual_year, r.revision, i.raw->>'code', i.head_name,
 i.head_key, r.head_name_keys, i.raw->>'head_sex', i.indigenous_ethnicity
 from r join import_rows i on i.import_id = r.import_id and i.row_no = r.import_row where not r.known"""

_UPDATE_KNOWN = f"""update households h set {SET}, version = h.version + 1
 from r where r.known and h.id = r.household_id"""

_MARK_ROWS = """update import_rows i set state = 'APPLIED', applied_sequence = r.sequence, class = r.decided_class
 from r where i.import_id = r.import_id and i.row_no = r.import_row"""

# In time, a decision left behind the state that the household has now.
_TELL = """insert into tellings (sequence, fact, leg, household_id, kind, stage, holds_from, province, commune,
 village, members, status, class, standard, class_since, left_list_on, left_list_from, preliminary_class,
 previous_class, previous_standard, previous_members, movement)
 select r.sequence, r.sequence, 0, r.household_id, 'CLASSIFIED', v.stage, %(valid_from)s::date, r.province, r.commune,
 r.village, r.members, r.status, r.poverty_class, r.standard, r.class_since, r.left_list_on, r.left_list_from,
 r.preliminary_class, r.previous_class, r.previous_standard, r.previous_members, r.movement
 from r join reviews v on v.id = %(review)s"""

# It gives the class from now on, and with it the combinations of indicators and of causes that count.
_COUNTS = """insert into household_combinations (household_id, commune, combination_id, cause_set_id)
 select r.household_id, r.commune,
 coalesce((select k.id from combinations k where k.fingerprint = {key}),
          (select c.id from c where c.fingerprint = {key})),
 (select s.id from cause_sets s where s.fingerprint = {cause_key})
 from r join reviews v on v.id = %(review)s{row} where v.stage = 'OFFICIAL'
 on conflict (household_id) do update set commune = excluded.commune, combination_id = excluded.combination_id,
 cause_set_id = excluded.cause_set_id"""
_COUNTS_GIVEN = _COUNTS.format(key=_KEY, cause_key=_CAUSE_KEY, row="")
_COUNTS_FROM_FILE = _COUNTS.format(key="i.combination_key", cause_key="i.cause_key", row=_ROW)

# The limit tells the planner that there is one row: it would expect a hundred and read whole tables.
_ONE = f"with r as materialized ({_RECORDS} limit 1), u as ({_UPDATE_KNOWN}), c as ({_COMBINE_GIVEN})"
_GIVEN = f"with r as materialized ({_RECORDS}), u as ({_UPDATE_KNOWN}), c as ({_COMBINE_GIVEN})"
_ROWS = (
    f"with r as materialized ({_RECORDS}), n as ({_ENTER_NEW}), u as ({_UPDATE_KNOWN}), m as ({_MARK_ROWS}),"
    f" c as ({_COMBINE_FROM_FILE})"
)


async def write(conn: AsyncConnection, review: Review, taken: Sequence[Taken], *, late: bool = False) -> None:
    """Store decisions and the states after them in one statement: one, many of a recognition, or a file's rows.

    The rows are marked as applied. A household of a row that was not known before is entered with what the
    row says of it. Late ones come with the state of today, and their tellings are written apart.
    """
    pg = await db.driver(conn)
    from_file = all(each.row for each in taken)
    if not from_file and any(each.row for each in taken):
        raise ValueError("decisions come from a file or not, never both")
    await _enter_causes(pg, taken, from_file=from_file)
    begun, insert = _begun(taken, from_file=from_file)
    counts = _COUNTS_FROM_FILE if from_file else _COUNTS_GIVEN
    telling = "" if late else f", t as ({_TELL}), counted as ({counts})"
    await pg.execute(
        f"{begun}{telling} {insert}",
        {
            "rows": Jsonb([_record(each) for each in taken], to_json),
            "review": review.id,
            "decided_on": review.decided_on,
            "valid_from": review.valid_from,
            "decision_number": review.decision_number,
        },
    )
    if late:
        await combinations.follow(conn, {each.outcome.state.household_id for each in taken})


async def _enter_causes(pg: psycopg.AsyncConnection[Any], taken: Sequence[Taken], *, from_file: bool) -> None:
    if from_file:
        rows = [each.row for each in taken if each.row]
        for one in {row.import_id for row in rows}:
            numbers = [row.row_no for row in rows if row.import_id == one]
            await pg.execute(_CAUSES_FROM_FILE, (one, numbers))
        return
    given = [each.causes for each in taken if each.causes]
    if given:
        await pg.execute(_CAUSES_GIVEN, ([one.key for one in given], [one.codes for one in given]))


def _begun(taken: Sequence[Taken], *, from_file: bool) -> tuple[str, str]:
    if from_file:
        return _ROWS, _INSERT_FROM_FILE
    return (_ONE if len(taken) == 1 else _GIVEN), _INSERT_GIVEN


def _record(taken: Taken) -> dict[str, Any]:
    outcome, classification, scores = taken.outcome, taken.classification, taken.scores
    return record_of(outcome.state) | {
        "decision_id": taken.decision_id,
        "sequence": taken.sequence,
        "decided_class": classification.household_class,
        "previous_class": outcome.previous_class,
        "previous_standard": outcome.previous_standard,
        "previous_members": outcome.previous_members,
        "decided_members": taken.members,
        "movement": outcome.movement,
        "b1_points": scores.b1_points,
        "b2_points": scores.b2_points,
        "basis": scores.basis,
        "inputs": {
            "area_type": outcome.state.area_type,
            "b1_points": scores.b1_points,
            "b2_points": scores.b2_points,
            "members": taken.members,
            "reason": classification.reason,
            "reason_vi": classification.reason_vi,
            "legal": classification.legal,
            **({"correction": taken.own.reason} if taken.own else {}),
            **({"form": str(scores.form)} if scores.form else {}),
        },
        "rule_version": classification.rule_version,
        "declared_class": taken.declared_class,
        "reviewer": taken.reviewer and taken.reviewer.hex(),
        "flags": taken.flags and taken.flags.hex(),
        "combination_key": taken.combination_key and taken.combination_key.hex(),
        "cause_key": taken.causes and taken.causes.key.hex(),
        "cause_text": taken.causes and taken.causes.text and taken.causes.text.hex(),
        "import_id": taken.row and taken.row.import_id,
        "import_row": taken.row and taken.row.row_no,
        "head_name_keys": taken.row and taken.row.head_name_keys,
        "known": not taken.is_new,
        "corrects": taken.corrects,
        "own_decided_on": taken.own and taken.own.decided_on,
        "own_number": taken.own and taken.own.decision_number,
        "decided_village": taken.village or outcome.state.village,
    }


_MEANT = ("movement", "previous_class", "previous_standard", "previous_members")


def _as_told(table: sa.Table) -> sa.Select[Any]:
    """Facts with what they mean now, and whether they stand: they may have been told again since."""
    first, now, later = (tellings.alias(name) for name in ("first", "now", "later"))
    stands = now.c.sequence.is_not(None)
    meant = [sa.case((stands, now.c[name]), else_=table.c[name]).label(name) for name in _MEANT]
    told = sa.and_(
        now.c.household_id == first.c.household_id,
        now.c.fact == first.c.fact,
        now.c.leg == first.c.leg,
        now.c.kind != "ANNULLED",
        ~sa.exists().where(later.c.replaces == now.c.sequence),
    )
    source = table.join(first, first.c.sequence == table.c.sequence).outerjoin(now, told)
    columns = [column for column in table.c if column.name not in _MEANT]
    return sa.select(*columns, *meant, stands.label("stands")).select_from(source)


async def of_household(conn: AsyncConnection, household_id: uuid.UUID) -> Sequence[sa.Row[Any]]:
    """A household's decisions, in the order of recording."""
    query = _as_told(decisions).where(decisions.c.household_id == household_id)
    return list((await conn.execute(query.order_by(decisions.c.sequence))).all())


async def find(conn: AsyncConnection, decision_id: uuid.UUID, scope: Scope) -> sa.Row[Any] | None:
    """One decision within the scope, or nothing."""
    eras = await geography.every(conn)
    query = _as_told(decisions).where(
        decisions.c.decision_id == decision_id,
        sa.or_(
            eras.where(scope, decisions.c.commune, decisions.c.valid_from),
            _lives_in(scope, eras, decisions.c.household_id),
        ),
    )
    found: sa.Row[Any] | None = (await conn.execute(query)).one_or_none()
    return found


def _lives_in(scope: Scope, eras: Eras, household: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether the household itself came here with a divided commune: then its past did."""
    if scope.communes is None or not eras.parts:
        return sa.false()
    return sa.exists().where(placements.c.household_id == household, scope.where(placements.c.successor))


async def find_change(conn: AsyncConnection, change_id: uuid.UUID, scope: Scope) -> sa.Row[Any] | None:
    """One change within the scope, or nothing."""
    eras = await geography.every(conn)
    query = sa.select(changes).where(
        changes.c.change_id == change_id,
        sa.or_(
            eras.where(scope, changes.c.commune, changes.c.changed_on),
            _lives_in(scope, eras, changes.c.household_id),
        ),
    )
    return (await conn.execute(query)).one_or_none()


async def changes_of_household(conn: AsyncConnection, household_id: uuid.UUID) -> Sequence[sa.Row[Any]]:
    """All that happened to a household beside decisions, in the order of recording."""
    query = _as_told(changes).where(changes.c.household_id == household_id)
    return list((await conn.execute(query.order_by(changes.c.sequence))).all())
