"""Rows that follow the register's events: newest states, newest answers, and one fact per event.

Written set by set over psycopg directly: this is the path every event takes.
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import db, rows
from funding import domain
from funding.domain import Answer, HouseholdStatus, PovertyClass, Product, Reason, Standing, Status


class State(NamedTuple):
    """A household's newest public state, as far as this service needs it."""

    household_id: str
    sequence: int
    province: str
    commune: str
    members: int
    standing: Standing


class Kept(NamedTuple):
    """The newest answer for one product, with what it rested on. `revision` counts what was announced."""

    household_id: str
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

_CLASS_TEXT = {each: rows.text(each) for each in _CLASS.values()}

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
    return ", ".join(f"{table}.{column}{'::text' if column == 'household_id' else ''}" for column in _KEPT)


Households = dict[str, State]
Answers = dict[str, dict[Product, Kept]]
# A row of eligibility_history as `benvung.rows` writes it.
Fact = str


def fact(state: State) -> Fact:
    """The row that tells what one event entitled the household to."""
    days, rest = _opened(state.standing)
    return (
        f"{state.household_id},{state.sequence},{days},{rows.text(state.province)}"
        f",{rows.text(state.commune)},{rest}"
    )


async def known(conn: AsyncConnection, ids: Sequence[str]) -> tuple[Households, Answers]:
    """What is known of these households. Only who holds the projection's checkpoint may go by it."""
    pg = await db.driver(conn)
    listed = "{" + ",".join(ids) + "}"
    states = await pg.execute(
        "select household_id::text, sequence, province, commune, members, status, poverty_class, class_since,"
        " left_list_on, holds_from from household_states where household_id = any(%s::uuid[])",
        (listed,),
    )
    answer_rows = await pg.execute(
        f"select {_columns('e')} from eligibility e where household_id = any(%s::uuid[])", (listed,)
    )
    found = {
        row[0]: State(row[0], row[1], row[2], row[3], row[4], _standing(row[5:]))
        for row in await states.fetchall()
    }
    answers: Answers = {}
    for row in await answer_rows.fetchall():
        kept = _kept(row)
        answers.setdefault(kept.household_id, {})[kept.answer.product] = kept
    return found, answers


async def save(
    conn: AsyncConnection,
    states: Sequence[State],
    kept: Sequence[Kept],
    facts: Sequence[Fact],
) -> None:
    """Write newest states, newest answers and new facts."""
    await save_states(conn, states)
    await save_answers(conn, kept)
    await record_facts(conn, facts)


async def save_states(conn: AsyncConnection, states: Sequence[State]) -> None:
    """Write newest states; a row never moves to a lower sequence."""
    await _write(
        conn,
        "insert into household_states select * from unnest(%s::text::household_states[])"
        " on conflict (household_id) do update set sequence = excluded.sequence,"
        " province = excluded.province, commune = excluded.commune, members = excluded.members,"
        " status = excluded.status, poverty_class = excluded.poverty_class,"
        " class_since = excluded.class_since, left_list_on = excluded.left_list_on,"
        " holds_from = excluded.holds_from where excluded.sequence > household_states.sequence",
        [_state_row(each) for each in states],
    )


async def save_answers(conn: AsyncConnection, kept: Sequence[Kept]) -> None:
    """Write newest answers over those that `known` gave."""
    await _write(
        conn,
        "insert into eligibility select * from unnest(%s::text::eligibility[])"
        " on conflict (household_id, product) do update set status = excluded.status,"
        " valid_from = excluded.valid_from, valid_to = excluded.valid_to, reason = excluded.reason,"
        " limit_dong = excluded.limit_dong, rate_percent = excluded.rate_percent,"
        " article = excluded.article, rule_version = excluded.rule_version, province = excluded.province,"
        " commune = excluded.commune, poverty_class = excluded.poverty_class,"
        " sequence = excluded.sequence, revision = excluded.revision",
        [_answer_row(each) for each in kept],
    )


async def record_facts(conn: AsyncConnection, facts: Sequence[Fact]) -> None:
    """Record once per event what its state entitles the household to; a fact is never written again."""
    await _write(
        conn,
        "insert into eligibility_history select * from unnest(%s::text::eligibility_history[])"
        " on conflict do nothing",
        facts,
    )


async def answer_no_more_from(conn: AsyncConnection, replaced: Sequence[tuple[str, int]]) -> None:
    """Note facts in whose place others stand, whether or not they came yet."""
    await _write(
        conn,
        "insert into replaced_facts select distinct on (household_id, sequence) *"
        " from unnest(%s::text::replaced_facts[]) order by household_id, sequence on conflict do nothing",
        [f"{household},{sequence}" for household, sequence in replaced],
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


async def standing(conn: AsyncConnection, household_id: str) -> Standing | None:
    """What the answers of a household rest on, if it is known."""
    cursor = await (await db.driver(conn)).execute(
        "select status, poverty_class, class_since, left_list_on, holds_from from household_states"
        " where household_id = %s",
        (household_id,),
    )
    row = await cursor.fetchone()
    return None if row is None else _standing(row)


async def _write(conn: AsyncConnection, statement: str, written: Sequence[str]) -> None:
    if written:
        await (await db.driver(conn)).execute(statement, (rows.array(written),))


def _state_row(state: State) -> str:
    return (
        f"{state.household_id},{state.sequence},{rows.text(state.province)},{rows.text(state.commune)}"
        f",{state.members},{_standing_text(state.standing)}"
    )


def _answer_row(kept: Kept) -> str:
    terms_text = _terms_text(kept.answer, kept.limit_dong, kept.rate_percent, kept.article, kept.rule_version)
    return (
        f"{kept.household_id},{terms_text},{rows.text(kept.province)},{rows.text(kept.commune)}"
        f",{_CLASS_TEXT[kept.poverty_class]},{kept.sequence},{kept.revision}"
    )


# What many households share is written once: whole villages are decided on one day.
@lru_cache(maxsize=10_000)
def _standing_text(standing: Standing) -> str:
    return rows.text(
        (
            standing.status,
            standing.poverty_class,
            standing.class_since,
            standing.left_list_on,
            standing.holds_from,
        )
    )


@lru_cache(maxsize=10_000)
def _terms_text(
    answer: Answer, limit_dong: int | None, percent: Decimal | None, article: str, version: str
) -> str:
    return rows.text(
        (
            answer.product,
            answer.status,
            answer.valid_from,
            answer.valid_to,
            limit_dong,
            percent,
            answer.reason,
            article,
            version,
        )
    )


@lru_cache(maxsize=10_000)
def _opened(standing: Standing) -> tuple[str, str]:
    """From when a standing holds; and the rest of it with the product that is open under it.

    Where none is open, the reason is why the widest of them is not.
    """
    answers = domain.answers(standing)
    opened = next((answer for answer in answers if answer.eligible), None)
    told = opened or answers[-1]
    window = (
        (opened.product, opened.valid_from, opened.valid_to, limit(opened), rate(opened)) if opened else ()
    )
    rest = rows.text(
        (
            standing.status,
            standing.poverty_class,
            standing.class_since,
            standing.left_list_on,
            window or (None,) * 5,
            told.reason,
            domain.catalogue()[told.product].article,
            domain.rule_version(),
        )
    )
    return rows.text(standing.holds_from), rest


@lru_cache(maxsize=10_000)
def terms(answer: Answer) -> tuple[int | None, Decimal | None, str, str]:
    """What an answer is kept with: limit, rate, article and the version of the rules."""
    article = domain.catalogue()[answer.product].article
    return limit(answer), rate(answer), article, domain.rule_version()


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
