"""Random histories in which facts come late, are corrected and annulled, and households split and merge."""

import datetime as dt
import uuid
from dataclasses import dataclass, field

from hypothesis import strategies as st
from tests.reporting.histories import CLASSES, COMMUNES, STANDARD, place

from benvung.envelope import EventData
from households import domain
from households.actions.book import Book, Link, Taking
from households.domain import SizeReason, history, movements
from households.domain.lineage import heritage
from households.store.decisions import Paper

FIRST = dt.date(2022, 1, 1)
ACTIONS = (
    *("decide",) * 6,
    *("guess", "correct", "correct", "annul", "annul", "move", "resize", "split", "merge", "close"),
    *("leave", "come back"),
)


@dataclass(frozen=True)
class Step:
    """One thing that is recorded of a household, whenever it happened."""

    household: int
    action: str
    day: int
    household_class: domain.HouseholdClass
    members: int
    commune: int
    chosen: int


late_steps = st.lists(
    st.builds(
        Step,
        household=st.integers(0, 3),
        action=st.sampled_from(ACTIONS),
        day=st.integers(0, 900),
        household_class=st.sampled_from(CLASSES),
        members=st.integers(1, 9),
        commune=st.integers(0, len(COMMUNES) - 1),
        chosen=st.integers(0, 20),
    ),
    max_size=25,
)


@dataclass
class LateRegister:
    """Plays steps by the register's rules. What they refuse did not happen."""

    told: list[tuple[int, EventData]] = field(default_factory=list)
    book: Book = field(default_factory=Book)
    ids: list[uuid.UUID] = field(default_factory=list)

    def play(self, happened: list[Step]) -> "LateRegister":
        for number in range(2):
            self._enter(number)
        for step in happened:
            if step.household < len(self.ids):
                try:
                    self._step(step, self.ids[step.household], FIRST + dt.timedelta(days=step.day))
                except domain.Refused:
                    continue
        return self

    def facts(self) -> list[movements.Fact]:
        """What holds in the end, in the order of the days, as the forms count it."""
        found: list[movements.Fact] = []
        for household in self.ids:
            told = self.book.histories[household]
            entries = {each.sequence: each for each in told.entries}
            for sequence, outcomes in told.outcomes().items():
                entry = entries[sequence]
                if isinstance(entry.fact, history.Registered) or (
                    isinstance(entry.fact, domain.Decision) and entry.fact.stage is domain.Stage.PRELIMINARY
                ):
                    continue
                kinds = _kinds(entry.fact)
                for kind, outcome in zip(kinds, outcomes, strict=True):
                    found.append(_fact(kind, entry, outcome, len(found)))
        return found

    def _enter(self, number: int) -> None:
        household = uuid.uuid5(uuid.NAMESPACE_OID, f"late {number}")
        self.ids.append(household)
        self._take(Taking(household, dt.date.min, history.Registered(place(number), 4)))

    def _take(self, taking: Taking) -> int:
        told = self.book.take(taking)
        sequences = range(len(self.told) + 1, len(self.told) + len(told) + 1)
        self.told += zip(sequences, (line.event for line in told), strict=True)
        fact = self.book.number(taking, told, sequences)
        for following in self.book.followers(taking.household_id):
            self._take(following)
        return fact

    def _step(self, step: Step, household: uuid.UUID, on: dt.date) -> None:
        if step.action in {"correct", "annul"}:
            self._correct(step, household)
        elif step.action == "split":
            self._split(step, household, on)
        elif step.action == "merge":
            self._merge(step, household, on)
        elif step.action in {"decide", "guess"}:
            stage = domain.Stage.OFFICIAL if step.action == "decide" else domain.Stage.PRELIMINARY
            self._decide(step, household, on, stage)
        else:
            self._take(Taking(household, on, _change(step)))

    def _decide(
        self,
        step: Step,
        household: uuid.UUID,
        on: dt.date,
        stage: domain.Stage,
        corrects: int | None = None,
    ) -> None:
        decision = domain.Decision(
            on.year,
            domain.ReviewKind.REGULAR,
            stage,
            step.household_class,
            step.members,
            STANDARD,
            on,
            on,
        )
        self._take(Taking(household, on, decision, corrects, paper(decision)))

    def _correct(self, step: Step, household: uuid.UUID) -> None:
        standing = self.book.histories[household].in_force()
        entry = standing[step.chosen % len(standing)]
        if step.action == "annul":
            self.book.check_annulled_alone(household, entry.sequence)
            self._take(Taking(household, entry.on, history.Annulled(), entry.sequence))
        elif isinstance(entry.fact, domain.Decision):
            self._decide(step, household, entry.on, entry.fact.stage, entry.sequence)

    def _split(self, step: Step, household: uuid.UUID, on: dt.date) -> None:
        before = self.book.histories[household].at(on)
        if before is None or before.members < 2 or len(self.ids) > 3:
            return
        saved = len(self.told)
        resized = history.Resized(before.members - 1, SizeReason.SPLIT)
        cause = self._take(Taking(household, on, resized))
        assert len(self.told) > saved
        child = uuid.uuid5(uuid.NAMESPACE_OID, f"late {len(self.ids)}")
        self.ids.append(child)
        part = history.SplitOff(place(step.commune), 1, heritage(before))
        fact = self._take(Taking(child, on, part))
        self.book.links.append(Link(child, household, "SPLIT_FROM", fact, cause))

    def _merge(self, step: Step, household: uuid.UUID, on: dt.date) -> None:
        other = self.ids[step.chosen % len(self.ids)]
        into = self.book.histories[household].at(on)
        before = self.book.histories[other].at(on)
        if other == household or into is None or before is None or into.status is not domain.Status.ACTIVE:
            return
        last = self.book.states[household].last_fact_on
        if last is not None and on < last:
            return
        closed = history.Closed(domain.ClosureReason.MERGED)
        cause = self._take(Taking(other, on, closed))
        joined = history.Resized(
            into.members + before.members, SizeReason.MERGED, before.ever_poor, before.ever_near_poor
        )
        fact = self._take(Taking(household, on, joined))
        self.book.links.append(Link(household, other, "MERGED_FROM", fact, cause))


def paper(decision: domain.Decision) -> Paper:
    """A decision as its paper names it."""
    return Paper(
        decision_id=uuid.uuid4(),
        review_id=uuid.uuid4(),
        year=decision.year,
        kind=decision.kind.value,
        stage=decision.stage.value,
        decided_class=decision.household_class.value,
        decided_on=decision.decided_on,
        valid_from=decision.valid_from,
        decision_number="12/QĐ-UBND",
        standard=STANDARD.code,
        basis="FLAGS",
        rule_version="1",
    )


def _change(step: Step) -> history.Fact:
    if step.action == "move":
        return history.Moved(place(step.commune))
    if step.action == "resize":
        return history.Resized(step.members, SizeReason.BIRTH)
    if step.action == "close":
        return history.Closed(domain.ClosureReason.DEATH)
    if step.action == "leave":
        return history.Closed(domain.ClosureReason.MOVED_OUT)
    return history.Arrived(
        place(step.commune), step.members, step.household_class, STANDARD, "12/GCN", again=True
    )


def _kinds(fact: history.Fact) -> tuple[movements.FactKind, ...]:
    if isinstance(fact, history.Moved):
        return (movements.FactKind.LEFT, movements.FactKind.ARRIVED)
    if isinstance(fact, history.Closed):
        return (movements.FactKind.CLOSED,)
    if isinstance(fact, (history.Arrived, history.SplitOff)):
        return (movements.FactKind.ARRIVED,)
    # A change of size is booked as a decision that leaves the class as it is.
    return (movements.FactKind.DECISION,)


def _fact(
    kind: movements.FactKind, entry: history.Entry, outcome: domain.Outcome, order: int
) -> movements.Fact:
    gone = kind in {movements.FactKind.LEFT, movements.FactKind.CLOSED}
    state = outcome.state
    return movements.Fact(
        state.household_id,
        state.commune,
        order,
        entry.on,
        kind,
        None if gone else state.poverty_class,
        outcome.previous_members or state.members if gone else state.members,
        outcome.previous_class,
        outcome.previous_members,
        outcome.movement,
    )
