"""Figures of one day by the communes of another: what each commune became, and of a divided one each household.

What was reorganised is taken from the events that told it, never from a code. A household of a divided commune
counts where it went with its commune; one that was elsewhere by then, or waits for a choice, counts under the
code of those that are not assigned ("chưa phân địa bàn"), so that the sums are the same in both geographies.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.domain import Count

_PARTS = sa.text("""
select holds_from, predecessor, successors, waiting from area_parts
where holds_from > :after and holds_from <= :until order by holds_from, predecessor
""")

_WENT = sa.text("""
select household_id, valid_from, origin, commune from household_facts
where origin is not null and counts and household_id = any(:households)
""")

# Of a commune that is divided later every household has its own answer.
_SPLIT = sa.text("""
select household_id, commune, class, sum(households), sum(persons) from (
  select household_id, commune, class, 1 as households, members as persons from household_facts
  where commune = any(:communes) and valid_from <= :on and stage = 'OFFICIAL' and class is not null and counts
    and (cast(:standard as text) is null or standard = :standard)
  union all
  select household_id, commune, previous_class, -1, -previous_members from household_facts
  where commune = any(:communes) and valid_from <= :on and stage = 'OFFICIAL' and previous_class is not null
    and counts and (cast(:standard as text) is null or previous_standard = :standard)
) as moves group by household_id, commune, class having sum(households) <> 0 or sum(persons) <> 0
""")


class Became(NamedTuple):
    """What one commune became on a day. `waiting` is the code of what is not assigned of a divided one."""

    on: date
    predecessor: str
    successors: tuple[str, ...]
    waiting: str | None


@dataclass(frozen=True, slots=True)
class Drawing:
    """How the communes of one day lead to those of a later one."""

    parts: tuple[Became, ...] = ()
    _by_code: dict[tuple[str, date], Became] = field(default_factory=dict)

    @property
    def days(self) -> list[date]:
        """The days between on which units became others."""
        return sorted({part.on for part in self.parts})

    def later(self, day: date) -> "Drawing":
        """The part of it that came after a day."""
        return drawing(part for part in self.parts if part.on > day)

    def sources(self, communes: Collection[str]) -> set[str]:
        """The communes of the earlier day of which something may be in these now."""
        codes = set(communes)
        for part in reversed(self.parts):
            leads_in = bool(codes & {*part.successors, part.waiting})
            if leads_in:
                codes.add(part.predecessor)
        return codes

    def sources_of(self, commune: str) -> set[str] | None:
        """The communes of the earlier day that are this one now; None when a part of one is."""
        codes = {commune}
        for day in reversed(self.days):
            earlier: set[str] = set()
            for code in codes:
                parts = [part for part in self.parts if part.on == day and code in part.successors]
                if any(part.waiting is not None for part in parts):
                    return None
                earlier |= {part.predecessor for part in parts} or {code}
            codes = earlier
        return codes

    def divided(self, codes: Collection[str]) -> set[str]:
        """Those of the earlier day that were divided since, at once or after they had become others."""
        return {code for code in codes if self.of(code) is None}

    def of(self, code: str) -> str | None:
        """What a commune of the earlier day is now; None when that depends on the household."""
        for day in self.days:
            part = self._by_code.get((code, day))
            if part is not None:
                if part.waiting is not None:
                    return None
                [code] = part.successors
        return code

    def of_household(self, code: str, went: dict[tuple[date, str], str]) -> str:
        """What a household's commune of the earlier day is now; `went` says where it went with its communes."""
        for day in self.days:
            part = self._by_code.get((code, day))
            if part is not None:
                code = went.get((day, code)) or part.waiting or part.successors[0]
        return code


def drawing(parts: Iterable[Became]) -> Drawing:
    """The way that these lead, in the order of their days."""
    ordered = tuple(sorted(parts))
    return Drawing(ordered, {(part.predecessor, part.on): part for part in ordered})


async def between(conn: AsyncConnection, day: date, drawn: date) -> Drawing:
    """How the communes of a day lead to those of `drawn`."""
    if drawn <= day:
        return Drawing()
    rows = await conn.execute(_PARTS, {"after": day, "until": drawn})
    return drawing(Became(row[0], row[1], tuple(row[2]), row[3]) for row in rows)


Went = dict[UUID, dict[tuple[date, str], str]]


async def went(conn: AsyncConnection, households: Collection[UUID]) -> Went:
    """Where each of these households went when its commune became others: by day and old commune."""
    found: Went = {}
    for household, day, origin, commune in await conn.execute(_WENT, {"households": list(households)}):
        found.setdefault(household, {})[day, origin] = commune
    return found


async def split_counts(
    conn: AsyncConnection, drawn: Drawing, communes: Collection[str], on: date, standard: str | None
) -> list[tuple[str, str, Count]]:
    """Commune of the later day, class and count of the households of communes that were divided since."""
    if not communes:
        return []
    asked: dict[str, Any] = {"communes": sorted(communes), "on": on, "standard": standard}
    rows = (await conn.execute(_SPLIT, asked)).all()
    ways = await went(conn, {row[0] for row in rows})
    return [
        (drawn.of_household(row[1], ways.get(row[0], {})), row[2], Count(int(row[3]), int(row[4])))
        for row in rows
    ]
