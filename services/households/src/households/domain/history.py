"""A household's history on two clocks: when a fact holds, and when it was recorded.

Facts are recorded once and never edited; one that was wrong is corrected by another one that names it. What
is so on a day follows from the facts in the order of the days from which they hold, whatever the order in
which they were recorded. A fact recorded late therefore may change what later ones meant: `take` says which
of them have to be told again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from households.domain.household import (
    DECISION_24,
    Decision,
    HouseholdState,
    Move,
    Outcome,
    Place,
    arrive,
    close,
    decide,
    move,
    register,
)
from households.domain.lineage import change_members, come_back, split_off
from households.domain.reorganisation import reassign
from households.domain.standards import Standard
from households.domain.terms import ClosureReason, HouseholdClass, Refused, ReviewKind, SizeReason, Stage


@dataclass(frozen=True, slots=True)
class Registered:
    """The household enters the register without a class."""

    place: Place
    members: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """The household comes from outside with the class it was given there; `again` when it was here before."""

    place: Place
    members: int
    household_class: HouseholdClass
    standard: Standard
    certificate: str | None
    again: bool = False


@dataclass(frozen=True, slots=True)
class SplitOff:
    """The household was part of another one, whose state on the day of the split is `parent`."""

    place: Place
    members: int
    parent: HouseholdState


@dataclass(frozen=True, slots=True)
class Resized:
    """The household has another number of members, because of a split, a merger, a birth or a death.

    A merger also tells what the household that ended once was.
    """

    members: int
    reason: SizeReason
    ever_poor: bool = False
    ever_near_poor: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """The household moves to another commune of the register, or its commune becomes another one.

    `out_of` is the commune that was reorganised, in which the household has to be on that day.
    """

    to: Place
    out_of: str | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """The household ends, or leaves the register."""

    reason: ClosureReason


@dataclass(frozen=True, slots=True)
class Annulled:
    """What was recorded was wrong as a whole and nothing stands in its place."""


Fact = Registered | Arrived | SplitOff | Resized | Moved | Closed | Decision | Annulled


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact as it was recorded. `sequence` is the order of recording, `on` the day from which it holds.

    `corrects` is the sequence of the entry in whose place this one stands.
    """

    sequence: int
    on: date
    fact: Fact
    corrects: int | None = None


Outcomes = tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What the world has to hear of one entry: what it means now, and which telling that replaces.

    No outcomes: the entry counts no more.
    """

    entry: Entry
    outcomes: Outcomes
    again: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """The state after a new entry, and all that has to be told because of it, the new entry first."""

    state: HouseholdState
    told: tuple[Told, ...]


class History:
    """The history of one household, with the places in which its first decision may have met it."""

    def __init__(self, household_id: UUID, entries: Iterable[Entry], met_in: Place | None = None) -> None:
        """`met_in` is where a household lived that entered the register by its first decision."""
        self.household_id = household_id
        self.entries = tuple(sorted(entries, key=lambda each: each.sequence))
        self.met_in = met_in

    def at(self, on: date, known: int | None = None) -> HouseholdState | None:
        """The state on a day, as the entries up to the sequence `known` tell; `None` before the first one."""
        state = None
        for entry in self.in_force(known):
            if entry.on > on:
                break
            *_, last = self._apply(state, entry)
            state = last.state
        return state

    def in_force(self, known: int | None = None) -> list[Entry]:
        """The entries that nothing has corrected, in the order of the days from which they hold."""
        seen = [each for each in self.entries if known is None or each.sequence <= known]
        corrected = {each.corrects for each in seen}
        standing = [
            each for each in seen if each.sequence not in corrected and not isinstance(each.fact, Annulled)
        ]
        return sorted(standing, key=lambda each: (each.on, self._turn(each)))

    def _turn(self, entry: Entry) -> int:
        """Among the facts of one day the order of recording; a correction has the turn of what it corrects."""
        by_sequence = {each.sequence: each for each in self.entries}
        while entry.corrects is not None and by_sequence[entry.corrects].on == entry.on:
            entry = by_sequence[entry.corrects]
        return entry.sequence

    def standing(self, sequence: int) -> Entry | None:
        """What stands for an entry now: itself, its last correction, or nothing."""
        by_corrected = {each.corrects: each for each in self.entries}
        while sequence in by_corrected:
            sequence = by_corrected[sequence].sequence
        return next((each for each in self.in_force() if each.sequence == sequence), None)

    def before(self, sequence: int) -> HouseholdState | None:
        """The state into which an entry in force came."""
        state = None
        for each, outcomes in self.outcomes().items():
            if each == sequence:
                return state
            state = outcomes[-1].state
        return None

    def outcomes(self) -> Mapping[int, Outcomes]:
        """What each entry in force means, by its sequence, in the order of the days."""
        state: HouseholdState | None = None
        found: dict[int, Outcomes] = {}
        for entry in self.in_force():
            found[entry.sequence] = self._apply(state, entry)
            state = found[entry.sequence][-1].state
        return found

    def take(self, entry: Entry) -> Taken:
        """Record one more entry, late or not, new or in the place of another one.

        Told again is what means something else now, and what holds later on a day of which something is
        told: of the facts of one day those told last hold last.

        Raises the domain's `Refused` when a rule says no to it, or `contradicts-later-fact` when what was
        recorded for a later day could not be any more, `correction-of-nothing` when it corrects an entry
        that is not there or is corrected already, `preliminary-after-official`.
        """
        self._check_correction(entry)
        self._check_preliminary(entry)
        before = self.outcomes()
        longer = History(self.household_id, [*self.entries, entry], self.met_in)
        after = self._replayed(longer, entry)
        told = [Told(entry, after.get(entry.sequence, ()), again=entry.corrects is not None)]
        by_sequence = {each.sequence: each for each in [*self.entries, entry]}
        days: set[date] = set()
        for sequence, outcomes in after.items():
            each = by_sequence[sequence]
            if sequence == entry.sequence:
                days.add(each.on)
            elif each.on in days or _meaning(outcomes) != _meaning(before[sequence]):
                told.append(Told(each, outcomes, again=True))
                days.add(each.on)
        if not after:
            raise _refused(
                "nothing-left",
                "Không thể huỷ bản ghi duy nhất của hộ; hãy kết thúc hộ.",
                "The only entry of a household cannot be annulled; close the household.",
            )
        *_, last = after.values()
        return Taken(last[-1].state, tuple(told))

    def _replayed(self, longer: History, entry: Entry) -> Mapping[int, Outcomes]:
        """What all entries mean with the new one; whose fault it is when they cannot be."""
        state: HouseholdState | None = None
        found: dict[int, Outcomes] = {}
        for each in longer.in_force():
            try:
                found[each.sequence] = self._apply(state, each)
            except Refused as refused:
                if each.sequence == entry.sequence:
                    raise
                raise _refused(
                    "contradicts-later-fact",
                    f"Không ghi được: điều đã ghi cho ngày {each.on:%d/%m/%Y} sẽ không còn đúng"
                    f" ({refused.message_vi}).",
                    f"What is recorded for {each.on.isoformat()} could not be any more ({refused}).",
                ) from refused
            state = found[each.sequence][-1].state
        return found

    def _apply(self, state: HouseholdState | None, entry: Entry) -> Outcomes:
        if state is None:
            return (self._begin(entry),)
        return _go_on(state, entry.fact, entry.on)

    def _begin(self, entry: Entry) -> Outcome:
        fact, household = entry.fact, self.household_id
        if isinstance(fact, Registered):
            return register(household, fact.place, fact.members)
        if isinstance(fact, Arrived):
            return arrive(
                household,
                fact.place,
                fact.members,
                household_class=fact.household_class,
                standard=fact.standard,
                on=entry.on,
                certificate=fact.certificate,
            )
        if isinstance(fact, SplitOff):
            return split_off(household, fact.place, fact.members, fact.parent, entry.on)
        if isinstance(fact, Decision) and self.met_in is not None:
            met = replace(register(household, self.met_in, fact.members).state, revision=0)
            return decide(met, fact)
        raise before_first_entry(entry.on)

    def _check_correction(self, entry: Entry) -> None:
        if entry.corrects is None:
            return
        corrected = {each.corrects for each in self.entries}
        if entry.corrects in corrected or entry.corrects not in {each.sequence for each in self.entries}:
            raise _refused(
                "correction-of-nothing",
                "Bản ghi cần đính chính không có trong sổ của hộ, hoặc đã được đính chính.",
                "The entry to be corrected is not in the household's history, or is corrected already.",
            )

    def _check_preliminary(self, entry: Entry) -> None:
        fact = entry.fact
        if not isinstance(fact, Decision) or fact.stage is not Stage.PRELIMINARY:
            return
        if fact.kind is not ReviewKind.ANNUAL:
            return
        for each in self.in_force():
            other = each.fact
            if isinstance(other, Decision) and other.stage is Stage.OFFICIAL and other.year >= fact.year:
                raise _refused(
                    "preliminary-after-official",
                    f"Kỳ rà soát năm {fact.year} đã có kết quả chính thức; không ghi kết quả sơ bộ nữa.",
                    f"The review of {fact.year} already has its official result.",
                )


def _go_on(state: HouseholdState, fact: Fact, on: date) -> Outcomes:
    if isinstance(fact, Decision):
        return (decide(state, fact),)
    if isinstance(fact, Moved):
        moved = move(state, fact.to, on) if fact.out_of is None else _reassigned(state, fact, on)
        return (moved.left, moved.arrived)
    if isinstance(fact, Closed):
        return (close(state, fact.reason, on),)
    if isinstance(fact, Resized):
        return (
            change_members(
                state, fact.members, on, ever_poor=fact.ever_poor, ever_near_poor=fact.ever_near_poor
            ),
        )
    if isinstance(fact, Arrived) and fact.again:
        return (
            come_back(
                state,
                fact.place,
                fact.members,
                household_class=fact.household_class,
                standard=fact.standard,
                on=on,
                certificate=fact.certificate,
            ),
        )
    raise _refused(
        "entered-twice",
        "Hộ đã có trong sổ; không thể vào sổ lần nữa.",
        "The household is in the register already and cannot enter it again.",
    )


def _reassigned(state: HouseholdState, fact: Moved, on: date) -> Move:
    if state.commune != fact.out_of:
        raise _refused(
            "reorganised-elsewhere",
            f"Ngày {on:%d/%m/%Y} hộ ở xã {state.commune}, không phải xã được sắp xếp {fact.out_of}.",
            f"On {on.isoformat()} the household is in {state.commune}, not in {fact.out_of} that was reorganised.",
        )
    return reassign(state, fact.to, on)


def _meaning(outcomes: Sequence[Outcome]) -> list[tuple[object, ...]]:
    """What the world is told of an entry, without what only numbers the telling."""
    return [
        (
            each.movement,
            each.previous_class,
            each.previous_members,
            each.previous_standard,
            replace(
                each.state,
                revision=0,
                last_fact_on=None,
                official_annual_year=None,
                ever_poor=False,
                ever_near_poor=False,
            ),
        )
        for each in outcomes
    ]


def before_first_entry(on: date) -> Refused:
    """The refusal of anything on a day on which the household was not in the register yet."""
    return _refused(
        "before-first-entry",
        f"Ngày {on:%d/%m/%Y} sớm hơn ngày hộ vào sổ.",
        f"{on.isoformat()} is before the household entered the register.",
    )


def _refused(rule: str, message_vi: str, message_en: str) -> Refused:
    return Refused(rule, message_vi, message_en, None, DECISION_24)
