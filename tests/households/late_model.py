"""A small model of the register on two clocks: what was recorded, folded anew for every question."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

LISTED = {"POOR": "ever_poor", "NEAR_POOR": "ever_near_poor"}


@dataclass(frozen=True)
class Fact:
    """Something recorded of a household. `turn` is its place among the facts of one day."""

    number: int
    household: str
    on: dt.date
    kind: str
    value: Any = None
    corrects: int | None = None
    turn: int = 0


@dataclass(frozen=True)
class State:
    """A household as it is shown, and what it once was."""

    commune: str
    members: int
    status: str = "ACTIVE"
    poverty_class: str | None = None
    ever_poor: bool = False
    ever_near_poor: bool = False

    @property
    def shown(self) -> tuple[str, int, str, str | None]:
        return self.commune, self.members, self.status, self.poverty_class


@dataclass
class Model:
    """All that was recorded, in the order of recording."""

    facts: list[Fact] = field(default_factory=list)

    def record(
        self, household: str, on: dt.date, kind: str, value: Any = None, corrects: int | None = None
    ) -> int:
        number = len(self.facts)
        turn = number if corrects is None else self.facts[corrects].turn
        self.facts.append(Fact(number, household, on, kind, value, corrects, turn))
        return number

    def standing(self, household: str, known: int) -> list[Fact]:
        """What counts of a household, in the order in which it holds, of the first `known` facts."""
        seen = [each for each in self.facts[:known] if each.household == household]
        gone = {each.corrects for each in seen}
        left = [each for each in seen if each.number not in gone and each.kind != "annul"]
        return sorted(left, key=lambda each: (each.on, each.turn))

    def at(self, household: str, on: dt.date, known: int) -> State | None:
        """The household on a day, as it was known then."""
        state = None
        for fact, _, after in self.story(household, known):
            if fact.on > on:
                break
            state = after
        return state

    def before(self, number: int, known: int) -> State:
        """The state into which a fact came."""
        household = self.facts[number].household
        for fact, state, _ in self.story(household, known):
            if fact.number == number and state is not None:
                return state
        raise LookupError(number)

    def story(self, household: str, known: int) -> Iterator[tuple[Fact, State | None, State]]:
        """Each fact that counts with the states before and after it; no further than it is asked for."""
        state: State | None = None
        for fact in self.standing(household, known):
            after = self._apply(state, fact, known)
            yield fact, state, after
            state = after

    def _apply(self, state: State | None, fact: Fact, known: int) -> State:
        if fact.kind == "register":
            return State(*fact.value)
        if fact.kind == "split off":
            commune, members, cause = fact.value
            return replace(self.before(cause, known), commune=commune, members=members)
        assert state is not None
        if fact.kind == "decide":
            found, members = fact.value
            return replace(
                state,
                poverty_class=found,
                members=members,
                ever_poor=state.ever_poor or found == "POOR",
                ever_near_poor=state.ever_near_poor or found == "NEAR_POOR",
            )
        if fact.kind == "move":
            return replace(state, commune=fact.value)
        ended = replace(state, status="CLOSED", poverty_class=None)
        return ended if fact.kind == "close" else self._sized(state, fact, known)

    def _sized(self, state: State, fact: Fact, known: int) -> State:
        members, cause = fact.value
        grown = replace(state, members=members)
        if cause is None:
            return grown
        other = self.before(cause, known)
        return replace(
            grown,
            ever_poor=state.ever_poor or other.ever_poor,
            ever_near_poor=state.ever_near_poor or other.ever_near_poor,
        )


def movement(before: State | None, found: str) -> str | None:
    """The movement of a decision, from the words of forms 7.2 and 7.3."""
    was = before and before.poverty_class
    if was == found:
        return None
    if was == "POOR":
        return "ESCAPED_TO_NEAR_POOR" if found == "NEAR_POOR" else "ESCAPED_ABOVE_NEAR_POOR"
    if was == "NEAR_POOR":
        return "NEAR_POOR_TO_POOR" if found == "POOR" else "ESCAPED_NEAR_POOR"
    if found not in LISTED:
        return None
    again = before is not None and getattr(before, LISTED[found])
    return f"{'RELAPSE' if again else 'NEW'}_{found}"
