"""What stands of all that was told: on a day, as it was known at a moment."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from households.tables import tellings

Condition = sa.ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Clocks:
    """The day that is asked about, and the moment at which it was known; None = today, and all known since."""

    on: dt.date | None = None
    known_at: dt.datetime | None = None

    @property
    def earlier(self) -> bool:
        """Whether another day or another moment than this one is meant."""
        return self.on is not None or self.known_at is not None

    def recorded(self, table: sa.FromClause) -> Condition:
        """Whether a row was recorded by then."""
        return sa.true() if self.known_at is None else table.c.recorded_at <= self.known_at


def stands(told: sa.FromClause, clocks: Clocks) -> Condition:
    """Whether a telling counts: it holds by that day, and no other one was told in its place."""
    instead = tellings.alias()
    replaced = sa.exists().where(instead.c.replaces == told.c.sequence, clocks.recorded(instead))
    holds = sa.true() if clocks.on is None else told.c.holds_from <= clocks.on
    return sa.and_(told.c.kind != "ANNULLED", holds, clocks.recorded(told), ~replaced)


def gives_class(told: sa.FromClause) -> Condition:
    """Whether a telling says where the class comes from: an official decision, or an arrival from outside."""
    return sa.or_(told.c.stage == "OFFICIAL", sa.and_(told.c.kind == "ARRIVED", told.c.leg == 0))


def _any(_told: sa.FromClause) -> Condition:
    return sa.true()


def is_newest(
    told: sa.FromClause, clocks: Clocks, among: Callable[[sa.FromClause], Condition] = _any
) -> Condition:
    """Whether no later telling of its household stands, of those that count for the question."""
    later = tellings.alias()
    turn = sa.tuple_(later.c.holds_from, later.c.sequence) > sa.tuple_(told.c.holds_from, told.c.sequence)
    return ~sa.exists().where(
        later.c.household_id == told.c.household_id, turn, stands(later, clocks), among(later)
    )
