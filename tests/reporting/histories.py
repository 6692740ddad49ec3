"""Random histories of households, told by the register's own rules, as events and as the oracle's facts."""

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from benvung.envelope import EventData
from households import domain, events
from households.domain import movements as oracle

COMMUNES = ("23824", "23827", "23830")
STANDARD = domain.get_standard("STD_2022_2025")
CLASSES = tuple(domain.HouseholdClass)
FIRST = dt.date(2022, 1, 1)
END_2022, END_2023 = dt.date(2022, 12, 31), dt.date(2023, 12, 31)


@dataclass(frozen=True)
class Step:
    """One thing that happens to one of a few households, some days after what happened before."""

    household: int
    action: str
    days: int
    household_class: domain.HouseholdClass
    members: int
    commune: int


step = st.builds(
    Step,
    household=st.integers(0, 3),
    action=st.sampled_from(
        ("decide", "decide", "decide", "decide", "guess", "move", "close", "leave", "arrive")
    ),
    days=st.integers(0, 200),
    household_class=st.sampled_from(CLASSES),
    members=st.integers(1, 9),
    commune=st.integers(0, len(COMMUNES) - 1),
)
steps = st.lists(step, max_size=30)


@dataclass
class Register:
    """Plays steps by the rules of the register. What the rules refuse did not happen."""

    told: list[tuple[int, EventData]] = field(default_factory=list)
    facts: list[oracle.Fact] = field(default_factory=list)
    states: dict[int, domain.HouseholdState] = field(default_factory=dict)
    today: dt.date = FIRST

    def play(self, happened: list[Step]) -> "Register":
        for step in happened:
            self.today += dt.timedelta(days=step.days)
            try:
                self._step(step)
            except domain.Refused:
                continue
        return self

    def _step(self, step: Step) -> None:
        state = self.states.get(step.household)
        household_id = uuid.uuid5(uuid.NAMESPACE_OID, f"{step.household}")
        if state is None and step.action == "arrive":
            outcome = domain.arrive(
                household_id,
                place(step.commune),
                step.members,
                household_class=step.household_class,
                standard=STANDARD,
                on=self.today,
                certificate="12/GCN",
            )
            self._change(step, events.HouseholdArrived, outcome, oracle.FactKind.ARRIVED)
            return
        if state is None:
            outcome = domain.register(household_id, place(step.commune), step.members)
            state = outcome.state
            self._tell(step, events.HouseholdRegistered(**public(state)), state)
        if step.action in {"decide", "guess"}:
            self._decide(step, state)
        elif step.action == "move":
            moved = domain.move(state, place(step.commune), self.today)
            self._change(step, events.HouseholdLeft, moved.left, oracle.FactKind.LEFT)
            self._change(step, events.HouseholdArrived, moved.arrived, oracle.FactKind.ARRIVED)
        elif step.action in {"close", "leave"}:
            leaves = step.action == "leave"
            reason = domain.ClosureReason.MOVED_OUT if leaves else domain.ClosureReason.DEATH
            kind = events.HouseholdLeft if leaves else events.HouseholdClosed
            fact = oracle.FactKind.LEFT if leaves else oracle.FactKind.CLOSED
            self._change(step, kind, domain.close(state, reason, self.today), fact)

    def _decide(self, step: Step, state: domain.HouseholdState) -> None:
        stage = domain.Stage.OFFICIAL if step.action == "decide" else domain.Stage.PRELIMINARY
        decision = domain.Decision(
            self.today.year,
            domain.ReviewKind.REGULAR,
            stage,
            step.household_class,
            step.members,
            STANDARD,
            self.today,
            self.today,
        )
        outcome = domain.decide(state, decision)
        self._tell(step, classified(outcome, decision), outcome.state)
        if stage is domain.Stage.OFFICIAL:
            self._fact(outcome, oracle.FactKind.DECISION)

    def _change(self, step: Step, kind: Any, outcome: domain.Outcome, fact: oracle.FactKind) -> None:
        change = events.Change(
            on=self.today,
            previous_class=outcome.previous_class and outcome.previous_class.value,
            previous_standard=outcome.previous_standard,
            previous_members=outcome.previous_members or outcome.state.members,
            movement=outcome.movement,
            reason="MOVE",
            other_commune=None,
            replaces=None,
            after=None,
        )
        self._tell(step, kind(**public(outcome.state), change=change), outcome.state)
        self._fact(outcome, fact)

    def _tell(self, step: Step, event: EventData, state: domain.HouseholdState) -> None:
        self.states[step.household] = state
        self.told.append((len(self.told) + 1, event))

    def _fact(self, outcome: domain.Outcome, kind: oracle.FactKind) -> None:
        gone = kind in {oracle.FactKind.LEFT, oracle.FactKind.CLOSED}
        self.facts.append(
            oracle.Fact(
                outcome.state.household_id,
                outcome.state.commune,
                len(self.told),
                self.today,
                kind,
                None if gone else outcome.state.poverty_class,
                outcome.previous_members or outcome.state.members if gone else outcome.state.members,
                outcome.previous_class,
                outcome.previous_members,
                outcome.movement,
            )
        )


def place(number: int) -> domain.Place:
    """A village of one of the communes."""
    commune = COMMUNES[number]
    return domain.Place("64", commune, f"{commune}.01", domain.AreaType.RURAL)


def public(state: domain.HouseholdState) -> dict[str, Any]:
    """A state as events carry it."""
    names = set(events.HouseholdState.model_fields)
    return {name: getattr(state, name) for name in names}


def classified(outcome: domain.Outcome, decision: domain.Decision) -> events.HouseholdClassified:
    """A decision as its event tells it."""
    return events.HouseholdClassified(
        **public(outcome.state),
        decision=events.Decision(
            decision_id=uuid.uuid4(),
            review_id=None,
            year=decision.year,
            kind=decision.kind.value,
            stage=decision.stage.value,
            decided_class=decision.household_class.value,
            previous_class=outcome.previous_class and outcome.previous_class.value,
            previous_standard=outcome.previous_standard,
            previous_members=outcome.previous_members,
            movement=outcome.movement,
            decided_on=decision.decided_on,
            valid_from=decision.valid_from,
            decision_number="12/QĐ-UBND",
            standard=STANDARD.code,
            basis="FLAGS",
            rule_version="1",
            replaces=None,
            after=None,
        ),
    )


def living_in(commune: str, members: int = 4) -> domain.HouseholdState:
    """A household newly registered in a commune."""
    home = domain.Place("64", commune, f"{commune}.01", domain.AreaType.RURAL)
    return domain.register(uuid.uuid4(), home, members).state


def decided(
    state: domain.HouseholdState,
    household_class: str,
    on: dt.date,
    *,
    members: int | None = None,
    stage: str = "OFFICIAL",
    year: int | None = None,
) -> tuple[domain.HouseholdState, events.HouseholdClassified]:
    """The household after the result of an annual review, and the event that tells it."""
    decision = domain.Decision(
        year or on.year,
        domain.ReviewKind.ANNUAL,
        domain.Stage(stage),
        domain.HouseholdClass(household_class),
        members or state.members,
        STANDARD,
        on,
        on,
    )
    outcome = domain.decide(state, decision)
    event = classified(outcome, decision)
    if stage == "PRELIMINARY":
        told = event.decision.model_copy(update={"decided_class": household_class})
        event = event.model_copy(update={"decision": told})
    return outcome.state, event


def population(area: str, households: int, persons: int, as_of: dt.date) -> events.PopulationRecorded:
    """The recorded population of an area."""
    return events.PopulationRecorded(
        province="64",
        commune=area if len(area) == 5 else None,
        revision=1,
        population_id=uuid.uuid4(),
        area=area,
        level="COMMUNE" if len(area) == 5 else "DISTRICT",
        households=households,
        persons=persons,
        as_of=as_of,
        source="Niên giám thống kê",
    )


def total(area: str, least: int, most: int, as_of: dt.date) -> events.TotalRecorded:
    """How many households an area has, as a range."""
    return events.TotalRecorded(
        province="64",
        commune=area if len(area) == 5 else None,
        revision=1,
        total_id=uuid.uuid4(),
        area=area,
        level="COMMUNE" if len(area) == 5 else "DISTRICT",
        least=least,
        most=most,
        as_of=as_of,
        source="Báo cáo 12/BC-UBND",
    )
