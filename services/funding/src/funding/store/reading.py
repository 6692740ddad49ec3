"""What people ask: a household's answers on a day, lists and counts of an area, and the check of sums.

An answer on a day rests on the last fact up to that day that no other one replaces; of the facts of one day
on the one told last. So a later correction of the past is in every answer given after it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import paging
from benvung.auth import Scope
from funding import domain
from funding.domain import Answer, HouseholdStatus, PovertyClass, Product, Reason, Standing, Status
from funding.tables import eligibility_history as facts
from funding.tables import household_states as states
from funding.tables import replaced_facts as replaced


@dataclass(frozen=True, slots=True)
class Fact:
    """What a household's state on a day opened, with what was stored beside it."""

    household_id: UUID
    sequence: int
    commune: str
    standing: Standing
    opened: Answer | None
    limit_dong: int | None
    rate_percent: Decimal | None
    article: str
    rule_version: str

    def answers_on(self, on: dt.date) -> list[Answer]:
        """The answers to all products on a day: what was stored, and the reasons for the others."""
        computed = domain.answers(self.standing)
        opened = self.opened
        return [
            domain.on_day(opened if opened and opened.product is answer.product else answer, on)
            for answer in computed
        ]


@dataclass(frozen=True, slots=True)
class Count:
    """Households entitled to a product on a day and on an earlier one, with who came and who went."""

    product: Product
    households: int
    households_before: int
    entries: int
    exits: int


async def fact_on(conn: AsyncConnection, scope: Scope, household_id: UUID, on: dt.date) -> Fact | None:
    """What the household's state on a day opened, if it was in `scope` then."""
    newest = _newest(sa.literal(household_id), on)
    row = (await conn.execute(sa.select(newest).where(scope.where(newest.c.commune)))).first()
    return None if row is None else _fact(row)


async def commune_before_facts(
    conn: AsyncConnection, scope: Scope, household_id: UUID, on: dt.date
) -> str | None:
    """The commune of a household of `scope` that had no official decision on that day."""
    earlier = sa.exists().where(facts.c.household_id == household_id, facts.c.holds_from <= on, _counts())
    query = sa.select(states.c.commune).where(
        states.c.household_id == household_id, scope.where(states.c.commune), ~earlier
    )
    return (await conn.execute(query)).scalar_one_or_none()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entitled households a list is about; None = all."""

    on: dt.date
    product: Product | None
    household_id: UUID | None


async def eligible_page(
    conn: AsyncConnection, scope: Scope, wanted: Wanted, after: str | None, limit: int
) -> tuple[list[Fact], str | None]:
    """Facts of households that may ask for a product on a day, by household id."""
    entitled = _entitled(scope, wanted.on)
    query = sa.select(entitled)
    if wanted.product is not None:
        query = query.where(entitled.c.product == wanted.product.value)
    if wanted.household_id is not None:
        query = query.where(entitled.c.household_id == wanted.household_id)
    keys = [entitled.c.household_id]
    rows, following = paging.split(
        (await conn.execute(paging.keyset(query, keys, after, limit))).all(), keys, limit
    )
    return [_fact(row) for row in rows], following


async def counts(conn: AsyncConnection, scope: Scope, on: dt.date, since: dt.date) -> list[Count]:
    """Households entitled on a day, by product, and how that differs from an earlier day.

    A household that came into the scope's communes is an entry, one that moved away an exit, so that
    households = households_before + entries - exits.
    """
    now, before = _entitled(scope, on), _entitled(scope, since)
    same = sa.and_(now.c.household_id == before.c.household_id, now.c.product == before.c.product)
    product = sa.func.coalesce(now.c.product, before.c.product)
    query = (
        sa.select(
            product.label("product"),
            sa.func.count(now.c.product).label("households"),
            sa.func.count(before.c.product).label("before"),
            sa.func.count().filter(before.c.product.is_(None)).label("entries"),
            sa.func.count().filter(now.c.product.is_(None)).label("exits"),
        )
        .select_from(now.join(before, same, full=True))
        .group_by(product)
    )
    found = {row.product: row for row in (await conn.execute(query)).all()}
    return [_count(product, found.get(product.value)) for product in Product]


async def households_by_class(conn: AsyncConnection, scope: Scope) -> Sequence[sa.Row[Any]]:
    """(commune, class, households, persons) of the classified households that the register follows."""
    query = (
        sa.select(
            states.c.commune,
            states.c.poverty_class,
            sa.func.count().label("households"),
            sa.func.sum(states.c.members).label("persons"),
        )
        .where(
            states.c.status == HouseholdStatus.ACTIVE.value,
            states.c.poverty_class.is_not(None),
            scope.where(states.c.commune),
        )
        .group_by(states.c.commune, states.c.poverty_class)
        .order_by(states.c.commune, states.c.poverty_class)
    )
    return (await conn.execute(query)).all()


def _entitled(scope: Scope, on: dt.date) -> sa.CTE:
    """Newest facts on a day that open a product on it, for households that were in `scope` that day."""
    ever = sa.select(facts.c.household_id).where(scope.where(facts.c.commune)).distinct().subquery()
    newest = _newest(ever.c.household_id, on)
    return (
        sa.select(newest)
        .select_from(ever.join(newest, sa.true()))
        .where(
            scope.where(newest.c.commune),
            newest.c.product.is_not(None),
            sa.or_(newest.c.valid_to.is_(None), newest.c.valid_to > on),
        )
        .cte()
    )


def _newest(household_id: sa.ColumnElement[UUID], on: dt.date) -> sa.FromClause:
    return (
        sa.select(facts)
        .where(facts.c.household_id == household_id, facts.c.holds_from <= on, _counts())
        .order_by(facts.c.holds_from.desc(), facts.c.sequence.desc())
        .limit(1)
        .lateral()
    )


def _counts() -> sa.ColumnElement[bool]:
    same = sa.and_(replaced.c.household_id == facts.c.household_id, replaced.c.sequence == facts.c.sequence)
    return ~sa.exists().where(same)


def _fact(row: sa.Row[Any]) -> Fact:
    opened = None
    if row.product is not None:
        opened = Answer(
            Product(row.product), Status.ELIGIBLE, row.valid_from, row.valid_to, Reason(row.reason)
        )
    poverty_class = None if row.poverty_class is None else PovertyClass(row.poverty_class)
    return Fact(
        household_id=row.household_id,
        sequence=row.sequence,
        commune=row.commune,
        standing=Standing(
            HouseholdStatus(row.status), poverty_class, row.class_since, row.left_list_on, row.holds_from
        ),
        opened=opened,
        limit_dong=row.limit_dong,
        rate_percent=row.rate_percent,
        article=row.article,
        rule_version=row.rule_version,
    )


def _count(product: Product, row: sa.Row[Any] | None) -> Count:
    if row is None:
        return Count(product, 0, 0, 0, 0)
    return Count(product, row.households, row.before, row.entries, row.exits)
