"""What moved the lists between two days, as the facts that stand tell it, gathered by kind and place."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import areas, clock
from households.domain import HouseholdClass, Movement
from households.domain.ledger import Account, Count, Step, ledger
from households.store import geography, registry
from households.store.geography import Eras, Where, now
from households.tables import changes, tellings

Level = Literal["PROVINCE", "COMMUNE", "VILLAGE"]
LISTS = ("POOR", "NEAR_POOR")
ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """From one day to another, both included, as it was known at a moment (None = with all known since)."""

    first: dt.date
    last: dt.date
    known_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    commune: str | None
    now: str | None
    village: str | None
    province: str | None


class _Areas:
    """Which area a place is counted in; None for one that was not asked for or may not be seen."""

    def __init__(self, where: Where, level: Level) -> None:
        self._where, self._level = where, level
        self._provinces: dict[str, str] = {}

    def of(self, place: _Place) -> str | None:
        if place.commune is None or place.now is None:
            return None
        if not (self._where.scope.covers(place.now) and self._where.then.covers(place.commune)):
            return None
        if self._level == "VILLAGE":
            return place.village
        if self._level == "COMMUNE":
            return place.now if self._where.by_now else place.commune
        return self._province(place.now) if self._where.by_now else place.province

    def _province(self, commune: str) -> str:
        if commune not in self._provinces:
            unit = areas.province_of(commune, clock.today())
            self._provinces[commune] = unit.code if unit else commune
        return self._provinces[commune]


async def accounts(conn: AsyncConnection, where: Where, period: Period, level: Level) -> list[Account]:
    """The accounts of the lists of each area of the question, and of all of them together."""
    of = _Areas(where, level).of
    before = period.first - ONE_DAY
    start = await _stock(conn, where, before, period.known_at, of)
    end = await _stock(conn, where, period.last, period.known_at, of)
    eras = await geography.since(conn, before, period.known_at)
    steps = [step for row in await conn.execute(_steps(where, period, eras)) if (step := _step(row, of))]
    return ledger(start, steps, end)


async def _stock(
    conn: AsyncConnection,
    where: Where,
    on: dt.date,
    known_at: dt.datetime | None,
    of: Callable[[_Place], str | None],
) -> Mapping[tuple[str, HouseholdClass], Count]:
    register = registry.register_at(where.scope, on, known_at, await geography.since(conn, on, known_at))
    places = (register.c.commune, now(register), register.c.village, register.c.province)
    query = (
        sa.select(*places, register.c.poverty_class, sa.func.count(), sa.func.sum(register.c.members))
        .where(where.condition(register), register.c.status == "ACTIVE", register.c.poverty_class.in_(LISTS))
        .group_by(*places, register.c.poverty_class)
    )
    found: dict[tuple[str, HouseholdClass], Count] = {}
    for row in await conn.execute(query):
        area = of(_Place(*row[:4]))
        if area is not None:
            key = (area, HouseholdClass(row[4]))
            found[key] = found.get(key, Count()) + Count(int(row[5]), int(row[6]))
    return found


_MOVES = ("MOVED", "REORGANISED")


def _told(where: Where, period: Period, eras: Eras) -> sa.Subquery:
    """Every fact that stands up to the end of the period, with the place it left the household in.

    A move is one step: its departure leaves the household nowhere for no time at all.
    """
    later = tellings.alias("later")
    replaced = sa.exists().where(later.c.replaces == tellings.c.sequence)
    ever = sa.select(tellings.c.household_id).where(eras.sources(where.scope).where(tellings.c.commune))
    source, commune_now = eras.commune_now(
        tellings.outerjoin(changes, changes.c.sequence == tellings.c.fact),
        tellings.c.household_id,
        tellings.c.commune,
        told_on=tellings.c.holds_from,
    )
    departed = sa.and_(tellings.c.kind == "LEFT", changes.c.reason.in_(_MOVES))
    query = (
        sa.select(
            tellings.c.household_id,
            tellings.c.holds_from,
            tellings.c.sequence,
            tellings.c.kind,
            tellings.c.movement,
            changes.c.reason,
            tellings.c.commune,
            commune_now.label("commune_now"),
            tellings.c.village,
            tellings.c.province,
            tellings.c.members,
            sa.case(
                (
                    sa.and_(tellings.c.status == "ACTIVE", tellings.c["class"].in_(LISTS)),
                    tellings.c["class"],
                ),
            ).label("list"),
        )
        .select_from(source)
        .where(
            tellings.c.household_id.in_(ever),
            tellings.c.kind != "ANNULLED",
            tellings.c.holds_from <= period.last,
            sa.not_(sa.func.coalesce(departed, sa.false())),
        )
    )
    if period.known_at is not None:
        replaced = replaced.where(later.c.recorded_at <= period.known_at)
        query = query.where(tellings.c.recorded_at <= period.known_at)
    return query.where(~replaced).subquery("told")


_BEFORE = ("commune", "commune_now", "village", "province", "list", "members")
_ALIKE = ("kind", "movement", "reason", "commune", "commune_now", "village", "province", "list")


def _steps(where: Where, period: Period, eras: Eras) -> sa.Select[Any]:
    told = _told(where, period, eras)
    order = (told.c.holds_from, told.c.sequence)
    earlier = [
        sa.func.lag(told.c[name])
        .over(partition_by=told.c.household_id, order_by=order)
        .label(f"{name}_before")
        for name in _BEFORE
    ]
    both = sa.select(told, *earlier).subquery("both")
    more = both.c.members - both.c.members_before
    alike = [both.c[name] for name in _ALIKE] + [both.c[f"{name}_before"] for name in _BEFORE[:-1]]
    return (
        sa.select(
            *alike,
            sa.func.count().label("households"),
            sa.func.sum(sa.func.coalesce(both.c.members_before, 0)).label("persons_before"),
            sa.func.sum(both.c.members).label("persons_after"),
            sa.func.sum(sa.func.greatest(more, 0)).label("grown"),
            sa.func.sum(sa.func.greatest(-more, 0)).label("shrunk"),
        )
        .where(
            both.c.holds_from >= period.first,
            sa.or_(both.c.list.is_not(None), both.c.list_before.is_not(None)),
        )
        .group_by(*alike)
    )


def _step(row: sa.Row[Any], of: Callable[[_Place], str | None]) -> Step | None:
    before = of(_Place(row.commune_before, row.commune_now_before, row.village_before, row.province_before))
    after = of(_Place(row.commune, row.commune_now, row.village, row.province))
    if before is None and after is None:
        return None
    return Step(
        kind=row.kind,
        movement=row.movement and Movement(row.movement),
        reason=row.reason,
        area_before=before,
        list_before=row.list_before and HouseholdClass(row.list_before),
        area_after=after or "",
        # Whoever went to where nobody asks about has left, for this question.
        list_after=None if after is None else row.list and HouseholdClass(row.list),
        households=int(row.households),
        persons_before=int(row.persons_before),
        persons_after=int(row.persons_after),
        grown=int(row.grown or 0),
        shrunk=int(row.shrunk or 0),
    )
