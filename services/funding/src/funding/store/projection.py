"""Rows that follow the register's events: newest states, newest answers, and one fact per event.

Written set by set over psycopg directly: this is the path every event takes.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import db
from funding import domain
from funding.domain import Answer, HouseholdStatus, PovertyClass, Product, Reason, Standing, Status


class State(NamedTuple):
    """A household's newest public state, as far as this service needs it."""

    household_id: UUID
    sequence: int
    province: str
    commune: str
    members: int
    standing: Standing


class Kept(NamedTuple):
    """The newest answer for one product, with what it rested on. `revision` counts what was announced."""

    household_id: UUID
    answer: Answer
    limit_dong: int | None
    rate_percent: Decimal | None
    article: str
    rule_version: str
    province: str
    commune: str
    poverty_class: PovertyClass | None
    sequence: int
    revision: int


# A look into a table costs a fifth of asking an enumeration for its member.
_PRODUCT = {each.value: each for each in Product}
_STATUS = {each.value: each for each in Status}
_REASON = {each.value: each for each in Reason}
_HOUSEHOLD_STATUS = {each.value: each for each in HouseholdStatus}
_CLASS: dict[str | None, PovertyClass | None] = {None: None} | {each.value: each for each in PovertyClass}

# Read back into `Kept` in this order.
_KEPT = [
    "household_id",
    "product",
    "status",
    "valid_from",
    "valid_to",
    "reason",
    "limit_dong",
    "rate_percent",
    "article",
    "rule_version",
    "province",
    "commune",
    "poverty_class",
    "sequence",
    "revision",
]


def _columns(table: str) -> str:
    return ", ".join(f"{table}.{column}" for column in _KEPT)


Households = dict[UUID, State]
Answers = dict[UUID, dict[Product, Kept]]
Fact = dict[str, Any]


def fact(state: State, answers: Sequence[Answer]) -> Fact:
    """The row that tells what one event entitled the household to."""
    return _placed(state) | _opened(answers)


async def known(conn: AsyncConnection, ids: Sequence[UUID]) -> tuple[Households, Answers]:
    """What is known of these households. Only who holds the projection's checkpoint may go by it."""
    pg = await db.driver(conn)
    listed = "{" + ",".join(map(str, ids)) + "}"
    states = await pg.execute(
        "select household_id, sequence, province, commune, members, status, poverty_class, class_since,"
        " left_list_on, holds_from from household_states where household_id = any(%s::uuid[])",
        (listed,),
    )
    found = {
        row[0]: State(row[0], row[1], row[2], row[3], row[4], _standing(row[5:]))
        for row in await states.fetchall()
    }
    rows = await pg.execute(
        f"select {_columns('e')} from eligibility e where household_id = any(%s::uuid[])", (listed,)
    )
    answers: Answers = {}
    for row in await rows.fetchall():
        kept = _kept(row)
        answers.setdefault(kept.household_id, {})[kept.answer.product] = kept
    return found, answers


async def save(
    conn: AsyncConnection,
    states: Sequence[State],
    kept: Sequence[Kept],
    facts: Sequence[Fact],
) -> None:
    """Write newest states, newest answers and new facts, in one round trip."""
    async with (await db.driver(conn)).pipeline():
        await save_states(conn, states)
        await save_answers(conn, kept)
        await record_facts(conn, facts)


async def save_states(conn: AsyncConnection, states: Sequence[State]) -> None:
    """Write newest states; a row never moves to a lower sequence."""
    await _write(
        conn,
        "insert into household_states select * from json_to_recordset(%s::text::json) as new(household_id uuid,"
        " sequence bigint, province text, commune text, members int, status text, poverty_class text,"
        " class_since date, left_list_on date, holds_from date)"
        " on conflict (household_id) do update set sequence = excluded.sequence,"
        " province = excluded.province, commune = excluded.commune, members = excluded.members,"
        " status = excluded.status, poverty_class = excluded.poverty_class,"
        " class_since = excluded.class_since, left_list_on = excluded.left_list_on,"
        " holds_from = excluded.holds_from where excluded.sequence > household_states.sequence",
        [_placed(state) | {"members": state.members} for state in states],
    )


async def save_answers(conn: AsyncConnection, kept: Sequence[Kept]) -> None:
    """Write newest answers over those that `known` gave."""
    await _write(
        conn,
        "insert into eligibility select * from json_to_recordset(%s::text::json) as new(household_id uuid, product text,"
        " status text, valid_from date, valid_to date, limit_dong bigint, rate_percent numeric, reason text,"
        " article text, rule_version text, province text, commune text, poverty_class text, sequence bigint,"
        " revision int)"
        " on conflict (household_id, product) do update set status = excluded.status,"
        " valid_from = excluded.valid_from, valid_to = excluded.valid_to, reason = excluded.reason,"
        " limit_dong = excluded.limit_dong, rate_percent = excluded.rate_percent,"
        " article = excluded.article, rule_version = excluded.rule_version, province = excluded.province,"
        " commune = excluded.commune, poverty_class = excluded.poverty_class,"
        " sequence = excluded.sequence, revision = excluded.revision",
        [_answered(each) for each in kept],
    )


async def record_facts(conn: AsyncConnection, facts: Sequence[Fact]) -> None:
    """Record once per event what its state entitles the household to; a fact is never written again."""
    await _write(
        conn,
        "insert into eligibility_history select * from json_to_recordset(%s::text::json) as new(household_id uuid,"
        " sequence bigint, holds_from date, province text, commune text, status text, poverty_class text,"
        " class_since date, left_list_on date, product text, valid_from date, valid_to date,"
        " limit_dong bigint, rate_percent numeric, reason text, article text, rule_version text)"
        " on conflict do nothing",
        facts,
    )


async def answer_no_more_from(conn: AsyncConnection, replaced: Sequence[tuple[UUID, int]]) -> None:
    """Note facts in whose place others stand, whether or not they came yet."""
    await _write(
        conn,
        "insert into replaced_facts select distinct on (household_id, sequence) * from"
        " jsonb_to_recordset(%s) as new(household_id uuid, sequence bigint)"
        " order by household_id, sequence on conflict do nothing",
        [{"household_id": household, "sequence": sequence} for household, sequence in replaced],
    )


async def differing(conn: AsyncConnection, live: str) -> list[tuple[Kept | None, Kept | None]]:
    """Answers in schema `live` and the ones made anew that tell the world different things, in key order."""
    cursor = await (await db.driver(conn)).execute(
        sql.SQL(
            f"select {_columns('told')}, {_columns('made')}"
            " from {live} told full join eligibility made using (household_id, product)"
            " where (told.status, told.valid_from, told.valid_to, told.commune)"
            " is distinct from (made.status, made.valid_from, made.valid_to, made.commune)"
            " order by coalesce(told.household_id, made.household_id), coalesce(told.product, made.product)"
        ).format(live=sql.Identifier(live, "eligibility"))
    )
    width = len(_KEPT)
    return [
        (None if row[0] is None else _kept(row[:width]), None if row[width] is None else _kept(row[width:]))
        for row in await cursor.fetchall()
    ]


async def continue_revisions(conn: AsyncConnection, live: str) -> None:
    """Answers made anew count on from what was announced of them."""
    await (await db.driver(conn)).execute(
        sql.SQL(
            "update eligibility made set revision = told.revision from {live} told"
            " where told.household_id = made.household_id and told.product = made.product"
            " and told.revision <> made.revision"
        ).format(live=sql.Identifier(live, "eligibility"))
    )


async def standing(conn: AsyncConnection, household_id: UUID) -> Standing | None:
    """What the answers of a household rest on, if it is known."""
    cursor = await (await db.driver(conn)).execute(
        "select status, poverty_class, class_since, left_list_on, holds_from from household_states"
        " where household_id = %s",
        (household_id,),
    )
    row = await cursor.fetchone()
    return None if row is None else _standing(row)


async def _write(conn: AsyncConnection, statement: str, rows: Sequence[dict[str, Any]]) -> None:
    # One JSON parameter: psycopg writes it several times faster than as many arrays.
    if rows:
        await (await db.driver(conn)).execute(statement, (db.as_json(rows),))


def _placed(state: State) -> dict[str, Any]:
    standing = state.standing
    return {
        "household_id": state.household_id,
        "sequence": state.sequence,
        "province": state.province,
        "commune": state.commune,
        "status": standing.status,
        "poverty_class": standing.poverty_class,
        "class_since": standing.class_since,
        "left_list_on": standing.left_list_on,
        "holds_from": standing.holds_from,
    }


def _answered(kept: Kept) -> dict[str, Any]:
    answer = kept.answer
    return {
        "household_id": kept.household_id,
        "product": answer.product,
        "status": answer.status,
        "valid_from": answer.valid_from,
        "valid_to": answer.valid_to,
        "limit_dong": kept.limit_dong,
        "rate_percent": kept.rate_percent,
        "reason": answer.reason,
        "article": kept.article,
        "rule_version": kept.rule_version,
        "province": kept.province,
        "commune": kept.commune,
        "poverty_class": kept.poverty_class,
        "sequence": kept.sequence,
        "revision": kept.revision,
    }


def _opened(answers: Sequence[Answer]) -> dict[str, Any]:
    """The product that is open, or, where none is, why the widest of them is not."""
    opened = next((answer for answer in answers if answer.eligible), None)
    told = opened or answers[-1]
    reason = {
        "reason": told.reason,
        "article": domain.catalogue()[told.product].article,
        "rule_version": domain.rule_version(),
    }
    if opened is None:
        return reason
    return reason | {
        "product": opened.product,
        "valid_from": opened.valid_from,
        "valid_to": opened.valid_to,
        "limit_dong": limit(opened),
        "rate_percent": rate(opened),
    }


def limit(answer: Answer) -> int | None:
    """The most the household may owe, in đồng, on the first day of the answer."""
    return domain.limit_on(answer.product, answer.valid_from)


def rate(answer: Answer) -> Decimal | None:
    """Percent per year on the first day of the answer."""
    found = domain.rate_on(answer.product, answer.valid_from)
    return found.percent if found else None


def _kept(row: tuple[Any, ...]) -> Kept:
    return Kept(
        household_id=row[0],
        answer=Answer(_PRODUCT[row[1]], _STATUS[row[2]], row[3], row[4], _REASON[row[5]]),
        limit_dong=row[6],
        rate_percent=row[7],
        article=row[8],
        rule_version=row[9],
        province=row[10],
        commune=row[11],
        poverty_class=_CLASS[row[12]],
        sequence=row[13],
        revision=row[14],
    )


def _standing(row: tuple[Any, ...]) -> Standing:
    status, poverty_class, *days = row
    return Standing(_HOUSEHOLD_STATUS[status], _CLASS[poverty_class], *days)
