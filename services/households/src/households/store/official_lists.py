"""Who stands in a named list of an area on a day, and how each household came there."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.auth import Scope
from households.domain.official_lists import ListLayout
from households.store.registry import register_at
from households.tables import households, tellings, villages

BATCH = 500
Place = tuple[str, str, uuid.UUID]


def query(layout: ListLayout, scope: Scope, on: dt.date) -> sa.Select[Any]:
    """The households of a list with their villages, as of the day."""
    return _by_movement(layout, scope, on) if layout.movements else _by_class(layout, scope, on)


def _by_class(layout: ListLayout, scope: Scope, on: dt.date) -> sa.Select[Any]:
    register = register_at(scope, on, None)
    came = _standing(on).where(
        tellings.c.household_id == register.c.id,
        tellings.c["class"] == register.c.poverty_class,
        tellings.c.movement.is_not(None),
    )
    newest = came.with_only_columns(tellings.c.movement).order_by(
        tellings.c.holds_from.desc(), tellings.c.sequence.desc()
    )
    return _named(
        register,
        register.c.class_since.label("since"),
        newest.limit(1).scalar_subquery().label("movement"),
    ).where(
        scope.where(register.c.commune),
        register.c.status == "ACTIVE",
        register.c.poverty_class.in_(layout.classes),
    )


def _by_movement(layout: ListLayout, scope: Scope, on: dt.date) -> sa.Select[Any]:
    """Who escaped in the year of the day, once each, by the newest decision."""
    told = (
        _standing(on)
        .where(
            scope.where(tellings.c.commune),
            tellings.c.movement.in_(layout.movements),
            tellings.c.holds_from >= dt.date(on.year, 1, 1),
        )
        .with_only_columns(
            tellings.c.household_id,
            tellings.c.commune,
            tellings.c.village,
            tellings.c.movement,
            tellings.c.holds_from,
        )
        .ext(distinct_on(tellings.c.household_id))
        .order_by(tellings.c.household_id, tellings.c.holds_from.desc(), tellings.c.sequence.desc())
        .subquery("told")
    )
    register = (
        sa.select(
            households.c.id,
            told.c.commune,
            told.c.village,
            households.c.head_name,
            told.c.movement,
            told.c.holds_from,
        )
        .join(told, told.c.household_id == households.c.id)
        .subquery("escaped")
    )
    return _named(register, register.c.holds_from.label("since"), register.c.movement)


def _standing(on: dt.date) -> sa.Select[Any]:
    """Official decisions up to the day that no later telling replaces."""
    later = tellings.alias("later")
    replaced = sa.exists().where(later.c.replaces == tellings.c.sequence)
    return sa.select(tellings).where(
        tellings.c.kind == "CLASSIFIED",
        tellings.c.stage == "OFFICIAL",
        tellings.c.holds_from <= on,
        ~replaced,
    )


def _named(register: sa.FromClause, *more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    now = households.alias("now")
    home = sa.and_(villages.c.commune == register.c.commune, villages.c.code == register.c.village)
    return sa.select(
        register.c.id,
        register.c.commune,
        register.c.village,
        register.c.head_name,
        now.c.indigenous_ethnicity,
        villages.c.name.label("village_name"),
        *more,
    ).select_from(register.join(villages, home).join(now, now.c.id == register.c.id))


async def count(conn: AsyncConnection, listed: sa.Select[Any]) -> int:
    """How many households stand in it."""
    return int((await conn.execute(sa.select(sa.func.count()).select_from(listed.subquery()))).scalar_one())


async def batch(conn: AsyncConnection, listed: sa.Select[Any], after: Place | None) -> Sequence[sa.Row[Any]]:
    """The next households by commune, village and id, behind `after`."""
    rows = listed.subquery("listed")
    place = sa.tuple_(rows.c.commune, rows.c.village, rows.c.id)
    ordered = sa.select(rows).order_by(rows.c.commune, rows.c.village, rows.c.id).limit(BATCH)
    if after is not None:
        bound = [sa.literal(after[0]), sa.literal(after[1]), sa.literal(after[2], rows.c.id.type)]
        ordered = ordered.where(place > sa.tuple_(*bound))
    return (await conn.execute(ordered)).all()
