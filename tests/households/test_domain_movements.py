"""Forms 7.2 and 7.3: any history closes, in households and in persons; a wrong form is named with its fault."""

from collections import defaultdict
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from households.domain import (
    AreaType,
    ClosureReason,
    Decision,
    Fact,
    FactKind,
    Form,
    HouseholdClass,
    HouseholdState,
    Measure,
    Outcome,
    Place,
    ReviewKind,
    Row,
    Stage,
    Status,
    arrive,
    check,
    close,
    decide,
    get_standard,
    move,
    movement_table,
    register,
)
from households.domain.movements import TOTAL

STANDARD = get_standard("STD_2022_2025")
POOR, NEAR, AVERAGE, NOT = HouseholdClass
PLACES = [Place("64", code, f"{code}.01", AreaType.RURAL) for code in ("23827", "23830", "23833")]
HOUSEHOLDS, PERSONS = Measure
unhurried = settings(deadline=None)  # a busy machine makes no rule wrong
F72, F73 = Form


class Register:
    """A register in miniature: applies transitions and keeps their facts."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.states: dict[UUID, HouseholdState] = {}

    def fact(self, kind: FactKind, on: date, outcome: Outcome) -> None:
        state = outcome.state
        self.states[state.household_id] = state
        self.facts.append(
            Fact(
                state.household_id,
                state.commune,
                len(self.facts) + 1,
                on,
                kind,
                None if kind in (FactKind.LEFT, FactKind.CLOSED) else state.poverty_class,
                state.members,
                outcome.previous_class,
                outcome.previous_members,
                outcome.movement,
            )
        )

    def decide(self, state: HouseholdState, household_class: HouseholdClass, members: int, on: date) -> None:
        decision = Decision(
            on.year, ReviewKind.ANNUAL, Stage.OFFICIAL, household_class, members, STANDARD, on, on
        )
        self.fact(FactKind.DECISION, on, decide(state, decision))

    def step(self, state: HouseholdState, step: Any, on: date) -> None:
        action, household_class, members, place, _ = step
        if action == "move" and place.commune != state.commune:
            moved = move(state, place, on)
            self.fact(FactKind.LEFT, on, moved.left)
            self.fact(FactKind.ARRIVED, on, moved.arrived)
        elif action == "close":
            self.fact(FactKind.CLOSED, on, close(state, ClosureReason.DEATH, on))
        else:
            self.decide(state, household_class, members, on)


steps = st.tuples(
    st.sampled_from(["decide", "decide", "decide", "move", "close"]),
    st.sampled_from([POOR, NEAR, AVERAGE, NOT]),
    st.integers(1, 9),
    st.sampled_from(PLACES),
    st.integers(0, 500),
)
lives = st.tuples(st.booleans(), st.sampled_from([POOR, NEAR, NOT]), st.lists(steps, max_size=7))


def lived(all_lives: Any) -> Register:
    found = Register()
    for number, (arrives, first_class, life) in enumerate(all_lives):
        household_id, on, place = UUID(int=number + 1), date(2022, 3, 1), PLACES[number % 3]
        if arrives:
            found.fact(
                FactKind.ARRIVED,
                on,
                arrive(
                    household_id,
                    place,
                    3,
                    household_class=first_class,
                    standard=STANDARD,
                    on=on,
                    certificate="1",
                ),
            )
        else:
            found.states[household_id] = register(household_id, place, 3).state
        for step in life:
            state = found.states[household_id]
            on = min(on + timedelta(days=step[-1]), date(2026, 12, 31))
            if state.status is Status.ACTIVE:
                found.step(state, step, on)
    return found


@unhurried
@given(st.lists(lives, max_size=12), st.integers(2022, 2026))
def test_any_history_closes_in_households_and_persons(all_lives: Any, year: int) -> None:
    table = movement_table(lived(all_lives).facts, year)
    assert table.faults == []
    for area in table.areas:
        for measure in Measure:
            poor, near = table.row(F72, area, measure), table.row(F73, area, measure)
            assert poor.column(2) == near.column(5)
            assert poor.column(5) == near.column(3)


@unhurried
@given(st.lists(lives, max_size=12))
def test_a_year_ends_where_the_next_begins_and_the_last_is_the_register(all_lives: Any) -> None:
    found = lived(all_lives)
    tables = [movement_table(found.facts, year) for year in range(2022, 2027)]
    for earlier, later in pairwise(tables):
        assert check(later.rows.values(), earlier.rows.values()) == []
    now: defaultdict[HouseholdClass, list[int]] = defaultdict(lambda: [0, 0])
    for state in found.states.values():
        if state.status is Status.ACTIVE and state.poverty_class:
            now[state.poverty_class][0] += 1
            now[state.poverty_class][1] += state.members
    for form, household_class in ((F72, POOR), (F73, NEAR)):
        ends = [tables[-1].row(form, TOTAL, measure).column(9) for measure in Measure]
        assert ends == now[household_class]


@unhurried
@given(st.lists(lives, max_size=8), st.integers(2022, 2026))
def test_the_total_is_the_sum_of_the_areas(all_lives: Any, year: int) -> None:
    table = movement_table(lived(all_lives).facts, year)
    for form in Form:
        for measure in Measure:
            rows = [table.row(form, area, measure) for area in table.areas if area != TOTAL]
            sums = tuple(sum(row.column(n) or 0 for row in rows) for n in range(1, 10))
            assert table.row(form, TOTAL, measure).columns == sums


def test_members_are_booked_before_the_movement() -> None:
    found = Register()
    state = register(UUID(int=1), PLACES[0], 4).state
    found.decide(state, POOR, 4, date(2022, 12, 1))
    found.decide(found.states[UUID(int=1)], NEAR, 5, date(2023, 12, 1))
    table = movement_table(found.facts, 2023)
    assert table.row(F72, "23827", HOUSEHOLDS).columns == (1, 1, 0, 0, 0, 0, 0, 0, 0)
    assert table.row(F72, "23827", PERSONS).columns == (4, 5, 0, 0, 0, 0, 0, 1, 0)
    assert table.row(F73, "23827", HOUSEHOLDS).columns == (0, 0, 0, 0, 1, 0, 0, 0, 1)
    assert table.row(F73, "23827", PERSONS).columns == (0, 0, 0, 0, 5, 0, 0, 0, 5)


def test_a_lost_member_of_a_household_that_stays_poor_is_in_column_four_of_persons_only() -> None:
    found = Register()
    state = register(UUID(int=1), PLACES[0], 4).state
    found.decide(state, POOR, 4, date(2022, 12, 1))
    found.decide(found.states[UUID(int=1)], POOR, 3, date(2023, 12, 1))
    table = movement_table(found.facts, 2023)
    assert table.row(F72, "23827", HOUSEHOLDS).columns == (1, 0, 0, 0, 0, 0, 0, 0, 1)
    assert table.row(F72, "23827", PERSONS).columns == (4, 0, 0, 1, 0, 0, 0, 0, 3)


def test_the_published_faults_of_real_forms_are_named_with_their_difference() -> None:
    blank_other = Row(F72, "Xã A", HOUSEHOLDS, (100, 10, 5, None, 3, 0, 2, None, 90))
    open_row = Row(F72, "Xã B", HOUSEHOLDS, (100, 10, 5, 2, 3, 0, 2, 1, 90))
    near = Row(F73, "Xã B", HOUSEHOLDS, (50, 0, 3, 0, 12, 0, 0, 0, 59))
    start = Row(F72, "Xã C", HOUSEHOLDS, (80, 0, 0, 0, 0, 0, 0, 0, 80))
    last_year = Row(F72, "Xã C", HOUSEHOLDS, (80, 0, 0, 1, 0, 0, 0, 0, 79))
    negative = Row(F73, "Xã D", PERSONS, (5, -1, 0, 0, 0, 0, 0, 0, 6))
    faults = check([blank_other, open_row, near, start, negative], [last_year])
    assert [(f.rule, f.area, f.column, f.difference) for f in faults] == [
        ("column-missing", "Xã A", 4, None),
        ("column-missing", "Xã A", 8, None),
        ("row-does-not-close", "Xã B", 9, 1),
        ("forms-differ", "Xã B", 2, -2),
        ("start-differs-from-last-end", "Xã C", 1, 1),
        ("column-negative", "Xã D", 2, -1),
    ]
    assert "chênh +1" in faults[2].message_vi
