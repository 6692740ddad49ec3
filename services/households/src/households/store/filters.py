"""What a list of households is narrowed by."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from households.domain.groups import PeopleAsked
from households.store.standing import Clocks, Condition, gives_class, is_newest, stands
from households.tables import decisions, household_combinations, member_facts, members, tellings


@dataclass(frozen=True, slots=True)
class Moved:
    """A movement that a household made: of one of these kinds (none = of any), when, by which review."""

    kinds: Sequence[str] = ()
    first: dt.date | None = None
    last: dt.date | None = None
    review: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the official decision in force says: one of these combinations of indicators, one of these sets of causes.

    Both by their ids; None asks for nothing.
    """

    combinations: Sequence[int] | None = None
    cause_sets: Sequence[int] | None = None

    def are_of(self, said: sa.FromClause) -> Condition:
        """Whether this is what a decision says, or what is known to be in force."""
        found: list[Condition] = []
        for column, ids in (
            (said.c.combination_id, self.combinations),
            (said.c.cause_set_id, self.cause_sets),
        ):
            if ids is not None:
                # None of no ids: said so, the list is empty at once instead of after a look at every household.
                found.append(
                    column == sa.any_(sa.literal(list(ids), pg.ARRAY(sa.BigInteger))) if ids else sa.false()
                )
        return sa.and_(*found)


@dataclass(frozen=True, slots=True)
class Filters:
    """Each narrows the list further; None asks for nothing. `household_class` NONE means without an official class."""

    village: str | None = None
    household_class: str | None = None
    status: str | None = None
    grounds: Grounds | None = None
    moved: Moved | None = None
    people: PeopleAsked | None = None
    clocks: Clocks = field(default_factory=Clocks)

    def conditions(self, register: sa.FromClause) -> list[Condition]:
        """All of them, of a register of that day."""
        found: list[Condition] = []
        if self.village is not None:
            # A village's code begins with that of its commune, by which every index of places begins.
            found += [
                register.c.village == self.village,
                register.c.commune == self.village.partition(".")[0],
            ]
        if self.household_class == "NONE":
            found.append(register.c.poverty_class.is_(None))
        elif self.household_class is not None:
            found.append(register.c.poverty_class == self.household_class)
        if self.status is not None:
            found.append(register.c.status == self.status)
        if self.grounds is not None and GROUNDED not in register.c:
            found += [register.c.status == "ACTIVE", register.c.id.in_(self._decided(self.grounds))]
        if self.moved is not None:
            found.append(register.c.id.in_(self._moved(self.moved)))
        if self.people is not None:
            found.append(register.c.id.in_(self._people(self.people)))
        return found

    def _decided(self, grounds: Grounds) -> sa.Select[Any]:
        if not self.clocks.earlier:
            known = household_combinations
            return sa.select(known.c.household_id).where(grounds.are_of(known))
        told = tellings.alias()
        return (
            sa.select(told.c.household_id)
            .join(decisions, decisions.c.sequence == told.c.fact)
            .where(
                grounds.are_of(decisions),
                gives_class(told),
                stands(told, self.clocks),
                is_newest(told, self.clocks, gives_class),
            )
        )

    def _moved(self, moved: Moved) -> sa.Select[Any]:
        told = tellings.alias()
        query = sa.select(told.c.household_id).where(stands(told, self.clocks))
        if moved.kinds:
            kinds = sa.literal(list(moved.kinds), pg.ARRAY(sa.Text))
            query = query.where(told.c.movement == sa.any_(kinds))
        else:
            query = query.where(told.c.movement.is_not(None))
        if moved.first is not None:
            query = query.where(told.c.holds_from >= moved.first)
        if moved.last is not None:
            query = query.where(told.c.holds_from <= moved.last)
        if moved.review is not None:
            decided = sa.select(decisions.c.sequence).where(decisions.c.review_id == moved.review)
            query = query.where(told.c.fact.in_(decided))
        return query

    def _people(self, people: PeopleAsked) -> sa.Select[Any]:
        if not self.clocks.earlier:
            return sa.select(members.c.household_id).where(members.c.left_on.is_(None), _is(members, people))
        fact = member_facts.alias()
        return sa.select(fact.c.household_id).where(_describes(fact, self.clocks), _is(fact, people))


EVERY_ONE = Filters()
GROUNDED = "combination_id"
"""A register with this column has only households whose decisions in force say what was asked for."""


def _is(person: sa.FromClause, asked: PeopleAsked) -> Condition:
    found: list[Condition] = []
    if asked.born_after is not None:
        year = sa.func.make_date(person.c.birth_year, *asked.day_of_year)
        found.append(sa.func.coalesce(person.c.birth_date, year) > asked.born_after)
    for column, codes in asked.answers.items():
        found.append(person.c[column] == sa.any_(sa.literal(sorted(codes), pg.ARRAY(sa.Text))))
    return sa.and_(*found)


def _describes(fact: sa.FromClause, clocks: Clocks) -> Condition:
    """Whether this is what is known of a member on the day, who has not left."""
    later, leaving, again = (member_facts.alias() for _ in range(3))

    def after(one: sa.FromClause, other: sa.FromClause) -> Condition:
        turn = sa.tuple_(one.c.valid_from, one.c.sequence) > sa.tuple_(other.c.valid_from, other.c.sequence)
        return sa.and_(one.c.member_id == other.c.member_id, turn, _counts(one, clocks))

    left = sa.exists().where(
        leaving.c.member_id == fact.c.member_id,
        leaving.c.kind == "LEFT",
        _counts(leaving, clocks),
        ~sa.exists().where(again.c.kind == "ENTERED", after(again, leaving)),
    )
    return sa.and_(_counts(fact, clocks), ~sa.exists().where(after(later, fact)), ~left)


def _counts(fact: sa.FromClause, clocks: Clocks) -> Condition:
    instead = member_facts.alias()
    corrected = sa.exists().where(instead.c.corrects == fact.c.sequence, clocks.recorded(instead))
    holds = sa.true() if clocks.on is None else fact.c.valid_from <= clocks.on
    return sa.and_(holds, clocks.recorded(fact), ~corrected)
