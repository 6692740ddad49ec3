"""The same counts reached by different ways: newest states, facts, and the deltas the facts moved."""

from collections.abc import Collection
from datetime import date

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.domain import Count
from reporting.store.situation import ByCommune

_STATES = sa.text("""
select commune, class, count(*), sum(members) from household_states
where commune = any(:communes) and present and class is not null
group by commune, class
""")

_FACTS = sa.text("""
select commune, class, sum(households), sum(persons) from (
  select commune, class, 1 as households, members as persons from household_facts
  where commune = any(:communes) and stage = 'OFFICIAL' and class is not null and counts
  union all
  select commune, previous_class, -1, -previous_members from household_facts
  where commune = any(:communes) and stage = 'OFFICIAL' and previous_class is not null and counts
) as moves group by commune, class
""")

_COUNTS = sa.text("""
select commune, class, sum(households), sum(persons) from official_deltas
where commune = any(:communes) group by commune, class
""")

_PRODUCT_STATES = sa.text("""
select commune, product, count(*) from eligibility_states
where commune = any(:communes) and status = 'ELIGIBLE' and valid_from <= :on
  and (valid_to is null or valid_to > :on)
group by commune, product
""")

_PRODUCT_COUNTS = sa.text("""
select commune, product, sum(entries - exits) from eligibility_deltas
where commune = any(:communes) and on_date <= :on group by commune, product
""")


async def classes_from_states(conn: AsyncConnection, communes: Collection[str]) -> ByCommune:
    """Households by commune and class in force, from the newest public state of each household."""
    return await _classes(conn, _STATES, communes)


async def classes_from_facts(conn: AsyncConnection, communes: Collection[str]) -> ByCommune:
    """The same, from all official facts."""
    return await _classes(conn, _FACTS, communes)


async def classes_from_counts(conn: AsyncConnection, communes: Collection[str]) -> ByCommune:
    """The same, from the counts that reports read."""
    return await _classes(conn, _COUNTS, communes)


async def _classes(conn: AsyncConnection, statement: sa.TextClause, communes: Collection[str]) -> ByCommune:
    found: ByCommune = {}
    for commune, cls, households, persons in await conn.execute(statement, {"communes": sorted(communes)}):
        found.setdefault(commune, {})[cls] = Count(int(households), int(persons))
    return found


async def products_from_states(
    conn: AsyncConnection, communes: Collection[str], on: date
) -> dict[str, dict[str, int]]:
    """Eligible households by commune and product on `on`, from the newest answer of each household."""
    return await _products(conn, _PRODUCT_STATES, communes, on)


async def products_from_counts(
    conn: AsyncConnection, communes: Collection[str], on: date
) -> dict[str, dict[str, int]]:
    """The same, from the counts that reports read."""
    return await _products(conn, _PRODUCT_COUNTS, communes, on)


async def _products(
    conn: AsyncConnection, statement: sa.TextClause, communes: Collection[str], on: date
) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    asked = {"communes": sorted(communes), "on": on}
    for commune, product, households in await conn.execute(statement, asked):
        found.setdefault(commune, {})[product] = int(households)
    return found
