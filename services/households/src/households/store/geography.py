"""The register's places on two days: where a household was, and which unit of today that place is.

What became of a commune is taken from the reorganisations that were recorded, never from a code: of a divided
one each household has its own answer, and one that was elsewhere by then is counted as not assigned.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.auth import Scope
from households.store import reorganisations
from households.tables import placements

EVERYWHERE = Scope(None)
EVER = dt.date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class Eras:
    """All that was reorganised after a day, in the order of the days."""

    parts: Sequence[sa.Row[Any]]

    @property
    def days(self) -> list[dt.date]:
        """The days on which units became others."""
        return sorted({part.holds_from for part in self.parts})

    def sources(self, scope: Scope) -> Scope:
        """The communes that may have had households then which are in this scope now."""
        if scope.communes is None:
            return scope
        codes = set(scope.communes)
        for part in reversed(self.parts):
            if codes & {*part.successors, part.waiting}:
                codes.add(part.predecessor)
        return Scope(frozenset(codes))

    def covers(self, scope: Scope, commune: str, on: dt.date) -> bool:
        """Whether all that this code's commune of that day became is in the scope."""
        for code, first, last, became in self._eras():
            if code == commune and first <= on < last:
                return scope.communes is None or became <= scope.communes
        return scope.covers(commune)

    def where(
        self,
        scope: Scope,
        commune: sa.ColumnElement[str],
        on: sa.ColumnElement[dt.date],
        *,
        whole: bool = True,
    ) -> sa.ColumnElement[bool]:
        """The condition by which a query sees what was in a commune on a day that is in this scope now.

        Of a commune that was divided since, all of it has to be; or a part, if not `whole`.
        """
        eras = list(self._eras())
        if scope.communes is None or not eras:
            return scope.where(commune)
        seen = [became <= scope.communes if whole else bool(became & scope.communes) for *_, became in eras]
        known = (
            sa.func.unnest(
                sa.literal([era[0] for era in eras], pg.ARRAY(sa.Text)),
                sa.literal([era[1] for era in eras], pg.ARRAY(sa.Date)),
                sa.literal([era[2] for era in eras], pg.ARRAY(sa.Date)),
                sa.literal(seen, pg.ARRAY(sa.Boolean)),
            )
            .table_valued(
                sa.column("code", sa.Text),
                sa.column("first", sa.Date),
                sa.column("last", sa.Date),
                sa.column("seen", sa.Boolean),
            )
            .render_derived(name="eras")
        )
        then = sa.select(known.c.seen).where(known.c.code == commune, known.c.first <= on, known.c.last > on)
        return sa.func.coalesce(then.limit(1).scalar_subquery(), scope.where(commune))

    def _eras(self) -> Iterator[tuple[str, dt.date, dt.date, frozenset[str]]]:
        """Each commune that ended: its code, the days it had it, and the communes of now that it became."""
        begun: dict[str, dt.date] = {}
        for number, part in enumerate(self.parts):
            codes = {*part.successors}
            for later in self.parts[number + 1 :]:
                if later.holds_from > part.holds_from and later.predecessor in codes:
                    codes = codes - {later.predecessor} | {*later.successors}
            yield part.predecessor, begun.get(part.predecessor, EVER), part.holds_from, frozenset(codes)
            begun[part.predecessor] = part.holds_from

    def commune_now(
        self,
        source: sa.FromClause,
        household: sa.ColumnElement[Any],
        commune: sa.ColumnElement[str],
        *,
        told_on: sa.ColumnElement[dt.date] | None = None,
    ) -> tuple[sa.FromClause, sa.ColumnElement[str]]:
        """`source` joined with what became of each household's commune, and the commune that it is now.

        `told_on`: the day on which the household was there, where it is not the same for all of them.
        """
        for day in self.days:
            later = sa.true() if told_on is None else told_on < sa.literal(day)
            parts = [part for part in self.parts if part.holds_from == day]
            became = (
                sa.func.unnest(
                    sa.literal([part.predecessor for part in parts], pg.ARRAY(sa.Text)),
                    sa.literal([part.waiting or part.successors[0] for part in parts], pg.ARRAY(sa.Text)),
                )
                .table_valued(sa.column("predecessor", sa.Text), sa.column("successor", sa.Text))
                .render_derived(name=f"became_{day:%Y%m%d}")
            )
            placed = placements.alias(f"placed_{day:%Y%m%d}")
            source = source.outerjoin(became, sa.and_(became.c.predecessor == commune, later)).outerjoin(
                placed,
                sa.and_(
                    placed.c.household_id == household,
                    placed.c.holds_from == day,
                    placed.c.predecessor == commune,
                    later,
                ),
            )
            commune = sa.func.coalesce(placed.c.successor, became.c.successor, commune)
        return source, commune


async def since(conn: AsyncConnection, on: dt.date | None, known_at: dt.datetime | None = None) -> Eras:
    """What was reorganised after a day, or recorded after a moment; nothing when neither is asked for."""
    if on is None and known_at is None:
        return Eras([])
    return Eras(await reorganisations.parts(conn, on, known_at))


async def every(conn: AsyncConnection) -> Eras:
    """All that was ever reorganised."""
    return Eras(await reorganisations.parts(conn))


async def of_commune(conn: AsyncConnection, commune: str) -> Eras:
    """All that was ever reorganised if this commune was; nothing otherwise, which is quickly known."""
    return Eras(await reorganisations.parts_if_it_was(conn, commune))


@dataclass(frozen=True, slots=True)
class Where:
    """Which households a question is about: whose now is in `scope`, and whose place then is in `then`.

    `by_now` groups and shows them by the communes of today.
    """

    scope: Scope
    then: Scope = EVERYWHERE
    by_now: bool = False

    def condition(self, register: sa.FromClause) -> sa.ColumnElement[bool]:
        """The one condition by which a query of the register sees only these."""
        return sa.and_(self.scope.where(now(register)), self.then.where(register.c.commune))

    def commune(self, register: sa.FromClause) -> sa.ColumnElement[str]:
        """The commune under which a household is counted."""
        return now(register) if self.by_now else register.c.commune


def now(register: sa.FromClause) -> sa.ColumnElement[str]:
    """A household's place of that day as the commune that it is today."""
    return register.c.commune_now if "commune_now" in register.c else register.c.commune
