"""Rows that follow the register's events: newest states, newest answers, and one fact per event.

Written with arrays over psycopg directly: this is the path every event takes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import db
from funding import domain
from funding.domain import Answer, HouseholdStatus, PovertyClass, Product, Reason, Standing, Status


@dataclass(frozen=True, slots=True)
class State:
    """A household's newest public state, as far as this service needs it."""

    household_id: UUID
    sequence: int
    province: str
    commune: str
    members: int
    standing: Standing


@dataclass(frozen=True, slots=True)
class Kept:
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


Households = dict[UUID, State]
Answers = dict[UUID, dict[Product, Kept]]


async def lock_households(conn: AsyncConnection, ids: Sequence[UUID]) -> tuple[Households, Answers]:
    """Lock what is known of these households, in id order, and read it."""
    pg = await db.driver(conn)
    states = await pg.execute(
        "select household_id, sequence, province, commune, members, status, poverty_class, class_since,"
        " left_list_on, holds_from from household_states where household_id = any(%s)"
        " order by household_id for update",
        (list(ids),),
    )
    known = {
        row[0]: State(row[0], row[1], row[2], row[3], row[4], _standing(row[5:]))
        for row in await states.fetchall()
    }
    rows = await pg.execute(
        "select household_id, product, status, valid_from, valid_to, reason, limit_dong, rate_percent, article,"
        " rule_version, province, commune, poverty_class, sequence, revision"
        " from eligibility where household_id = any(%s) order by household_id, product for update",
        (list(ids),),
    )
    answers: Answers = {}
    for row in await rows.fetchall():
        kept = _kept(row)
        answers.setdefault(kept.household_id, {})[kept.answer.product] = kept
    return known, answers


async def save_states(conn: AsyncConnection, states: Sequence[State]) -> None:
    """Write newest states; a row never moves to a lower sequence."""
    if not states:
        return
    pg = await db.driver(conn)
    await pg.execute(
        "insert into household_states (household_id, sequence, province, commune, members, status,"
        " poverty_class, class_since, left_list_on, holds_from)"
        " select * from unnest(%s::uuid[], %s::bigint[], %s::text[], %s::text[], %s::int[], %s::text[],"
        " %s::text[], %s::date[], %s::date[], %s::date[])"
        " on conflict (household_id) do update set sequence = excluded.sequence,"
        " province = excluded.province, commune = excluded.commune, members = excluded.members,"
        " status = excluded.status, poverty_class = excluded.poverty_class,"
        " class_since = excluded.class_since, left_list_on = excluded.left_list_on,"
        " holds_from = excluded.holds_from where excluded.sequence > household_states.sequence",
        (
            [each.household_id for each in states],
            [each.sequence for each in states],
            [each.province for each in states],
            [each.commune for each in states],
            [each.members for each in states],
            *_columns([each.standing for each in states]),
        ),
    )


async def save_answers(conn: AsyncConnection, kept: Sequence[Kept]) -> None:
    """Write newest answers over those that `lock_households` gave."""
    if not kept:
        return
    pg = await db.driver(conn)
    await pg.execute(
        "insert into eligibility (household_id, product, status, valid_from, valid_to, reason, limit_dong,"
        " rate_percent, article, rule_version, province, commune, poverty_class, sequence, revision)"
        " select * from unnest(%s::uuid[], %s::text[], %s::text[], %s::date[], %s::date[], %s::text[],"
        " %s::bigint[], %s::numeric[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],"
        " %s::bigint[], %s::int[])"
        " on conflict (household_id, product) do update set status = excluded.status,"
        " valid_from = excluded.valid_from, valid_to = excluded.valid_to, reason = excluded.reason,"
        " limit_dong = excluded.limit_dong, rate_percent = excluded.rate_percent,"
        " article = excluded.article, rule_version = excluded.rule_version, province = excluded.province,"
        " commune = excluded.commune, poverty_class = excluded.poverty_class,"
        " sequence = excluded.sequence, revision = excluded.revision",
        (
            [each.household_id for each in kept],
            [str(each.answer.product) for each in kept],
            [str(each.answer.status) for each in kept],
            [each.answer.valid_from for each in kept],
            [each.answer.valid_to for each in kept],
            [str(each.answer.reason) for each in kept],
            [each.limit_dong for each in kept],
            [each.rate_percent for each in kept],
            [each.article for each in kept],
            [each.rule_version for each in kept],
            [each.province for each in kept],
            [each.commune for each in kept],
            [_text(each.poverty_class) for each in kept],
            [each.sequence for each in kept],
            [each.revision for each in kept],
        ),
    )


async def record_facts(conn: AsyncConnection, states: Sequence[State]) -> None:
    """Record once per event what its state entitles the household to; a fact is never written again."""
    if not states:
        return
    opened = [domain.entitled(each.standing) for each in states]
    reasons = [
        answer or domain.answers(each.standing)[-1] for each, answer in zip(states, opened, strict=True)
    ]
    pg = await db.driver(conn)
    await pg.execute(
        "insert into eligibility_history (household_id, sequence, province, commune, status, poverty_class,"
        " class_since, left_list_on, holds_from, product, valid_from, valid_to, limit_dong, rate_percent,"
        " reason, article, rule_version)"
        " select * from unnest(%s::uuid[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[],"
        " %s::date[], %s::date[], %s::date[], %s::text[], %s::date[], %s::date[], %s::bigint[],"
        " %s::numeric[], %s::text[], %s::text[], %s::text[])"
        " on conflict do nothing",
        (
            [each.household_id for each in states],
            [each.sequence for each in states],
            [each.province for each in states],
            [each.commune for each in states],
            *_columns([each.standing for each in states]),
            [answer and str(answer.product) for answer in opened],
            [answer and answer.valid_from for answer in opened],
            [answer and answer.valid_to for answer in opened],
            [answer and limit(answer) for answer in opened],
            [answer and rate(answer) for answer in opened],
            [str(answer.reason) for answer in reasons],
            [domain.catalogue()[answer.product].article for answer in reasons],
            [domain.rule_version()] * len(states),
        ),
    )


def limit(answer: Answer) -> int | None:
    """The most the household may owe, in đồng, on the first day of the answer."""
    return domain.catalogue()[answer.product].limit_on(answer.valid_from)


def rate(answer: Answer) -> Decimal | None:
    """Percent per year on the first day of the answer."""
    found = domain.rate_on(answer.product, answer.valid_from)
    return found.percent if found else None


def _kept(row: tuple[Any, ...]) -> Kept:
    poverty_class = None if row[12] is None else PovertyClass(row[12])
    answer = Answer(Product(row[1]), Status(row[2]), row[3], row[4], Reason(row[5]))
    return Kept(
        household_id=row[0],
        answer=answer,
        limit_dong=row[6],
        rate_percent=row[7],
        article=row[8],
        rule_version=row[9],
        province=row[10],
        commune=row[11],
        poverty_class=poverty_class,
        sequence=row[13],
        revision=row[14],
    )


def _standing(
    row: tuple[Any, ...],
) -> Standing:
    poverty_class = None if row[1] is None else PovertyClass(row[1])
    return Standing(HouseholdStatus(row[0]), poverty_class, row[2], row[3], row[4])


def _columns(standings: Sequence[Standing]) -> tuple[list[object], ...]:
    return (
        [str(each.status) for each in standings],
        [_text(each.poverty_class) for each in standings],
        [each.class_since for each in standings],
        [each.left_list_on for each in standings],
        [each.holds_from for each in standings],
    )


def _text(poverty_class: PovertyClass | None) -> str | None:
    return None if poverty_class is None else str(poverty_class)
