"""The life of a household in the register: what each decision and change does, and what is refused."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest

from households.domain import (
    AreaType,
    Basis,
    ClosureReason,
    Decision,
    HouseholdClass,
    HouseholdState,
    Movement,
    Place,
    Refused,
    ReviewKind,
    SizeReason,
    Stage,
    Status,
    arrive,
    close,
    decide,
    get_standard,
    label,
    move,
    register,
)
from households.domain.labels import LABELS
from households.domain.rule_sets import Undecided

STANDARD = get_standard("STD_2022_2025")
ID = UUID("018f0000-0000-7000-8000-000000000001")
HERE = Place("64", "23827", "23827.01", AreaType.RURAL)
TOWN = Place("64", "23824", "23824.01", AreaType.URBAN)
POOR, NEAR, AVERAGE, NOT = HouseholdClass
NEW = register(ID, HERE, 4).state


def decision(household_class: HouseholdClass, on: date = date(2022, 12, 12), **changes: Any) -> Decision:
    plain = Decision(
        year=on.year,
        kind=ReviewKind.ANNUAL,
        stage=Stage.OFFICIAL,
        household_class=household_class,
        members=4,
        standard=STANDARD,
        decided_on=on,
        valid_from=on,
    )
    return replace(plain, **changes)


def history(*classes: Any, start: int = 2022) -> HouseholdState:
    """The state after an official annual decision each year."""
    state = NEW
    for year, household_class in enumerate(classes, start):
        state = decide(state, decision(household_class, date(year, 12, 12))).state
    return state


@pytest.mark.parametrize(
    ("classes", "movement"),
    [
        ([POOR], Movement.NEW_POOR),
        ([NEAR], Movement.NEW_NEAR_POOR),
        ([NOT], None),
        ([POOR, POOR], None),
        ([POOR, NEAR], Movement.ESCAPED_TO_NEAR_POOR),
        ([POOR, NOT], Movement.ESCAPED_ABOVE_NEAR_POOR),
        ([POOR, AVERAGE], Movement.ESCAPED_ABOVE_NEAR_POOR),
        ([NEAR, POOR], Movement.NEAR_POOR_TO_POOR),
        ([NEAR, NOT], Movement.ESCAPED_NEAR_POOR),
        ([NEAR, AVERAGE], Movement.ESCAPED_NEAR_POOR),
        ([NOT, POOR], Movement.NEW_POOR),
        ([AVERAGE, NEAR], Movement.NEW_NEAR_POOR),
        ([NOT, AVERAGE], None),
        ([POOR, NOT, POOR], Movement.RELAPSE_POOR),
        ([POOR, NOT, NEAR], Movement.NEW_NEAR_POOR),
        ([NEAR, NOT, POOR], Movement.NEW_POOR),
        ([NEAR, NOT, NEAR], Movement.RELAPSE_NEAR_POOR),
        ([POOR, NOT, NOT, POOR], Movement.RELAPSE_POOR),
    ],
)
def test_the_movement_of_the_last_decision(classes: Any, movement: Movement | None) -> None:
    before = history(*classes[:-1])
    outcome = decide(before, decision(classes[-1], date(2025, 12, 12)))
    assert outcome.movement is movement
    assert outcome.previous_class is before.poverty_class


def test_a_class_holds_since_the_first_decision_of_its_unbroken_run() -> None:
    assert history(POOR, POOR, POOR).class_since == date(2022, 12, 12)
    assert history(POOR, NEAR, POOR).class_since == date(2024, 12, 12)


def test_leaving_the_lists_is_dated_and_forgotten_on_return() -> None:
    gone = history(POOR, NOT, NOT)
    assert (gone.left_list_on, gone.left_list_from) == (date(2023, 12, 12), POOR)
    assert history(POOR, NOT, NEAR).left_list_on is None
    assert history(POOR, NEAR).left_list_on is None
    through_near = history(POOR, NEAR, NOT)
    assert (through_near.left_list_on, through_near.left_list_from) == (date(2024, 12, 12), NEAR)
    assert history(NOT).left_list_on is None


def test_a_preliminary_result_changes_nothing_but_what_is_marked_preliminary() -> None:
    before = history(POOR)
    outcome = decide(before, decision(NOT, date(2023, 11, 10), stage=Stage.PRELIMINARY, members=9))
    assert outcome.movement is None
    assert outcome.state == replace(
        before, revision=before.revision + 1, preliminary_class=NOT, last_fact_on=date(2023, 11, 10)
    )
    official = decide(outcome.state, decision(NEAR, date(2023, 12, 12))).state
    assert official.preliminary_class is None


def test_an_official_decision_sets_members_and_tells_what_was_before() -> None:
    outcome = decide(history(POOR), decision(NEAR, date(2023, 12, 12), members=6))
    assert outcome.state.members == 6
    assert (outcome.previous_members, outcome.previous_standard) == (4, "STD_2022_2025")


def test_revisions_count_every_change() -> None:
    state = history(POOR, NEAR)
    assert state.revision == 3
    moved = move(state, TOWN, date(2024, 3, 1))
    assert (moved.left.state.revision, moved.arrived.state.revision) == (4, 5)


@pytest.mark.parametrize(
    ("state", "given", "rule"),
    [
        (history(POOR), decision(NOT, date(2022, 12, 11)), "decision-before-last-one"),
        (NEW, decision(POOR, standard=None), "review-standard-missing"),
        (NEW, decision(POOR, date(2021, 12, 31)), "standard-not-valid"),
        (NEW, decision(POOR, date(2027, 1, 1)), "standard-not-valid"),
        (NEW, decision(POOR, standard=get_standard("STD_2016_2020")), "standard-incomplete"),
        (NEW, decision(POOR, members=0), "members-not-positive"),
        (NEW, decision(POOR, members=-3), "members-not-positive"),
        (NEW, decision(POOR, members=100), "members-implausible"),
        (
            close(history(POOR), ClosureReason.DEATH, date(2023, 3, 1)).state,
            decision(POOR, date(2023, 12, 12)),
            "household-not-active",
        ),
        (
            history(POOR),
            decision(NOT, date(2022, 12, 30), stage=Stage.PRELIMINARY),
            "preliminary-after-official",
        ),
    ],
)
def test_decisions_that_cannot_be_are_refused_by_name(
    state: HouseholdState, given: Decision, rule: str
) -> None:
    with pytest.raises(Refused) as refused:
        decide(state, given)
    assert refused.value.rule == rule


def test_a_correction_on_the_same_day_is_a_new_decision() -> None:
    assert decide(history(POOR), decision(NEAR)).state.poverty_class is NEAR


def test_a_move_takes_the_class_along_and_counts_on_both_sides() -> None:
    moved = move(history(POOR), TOWN, date(2023, 5, 1))
    assert moved.left.movement is Movement.OTHER_DECREASE_POOR
    assert moved.left.state.place == HERE
    assert moved.arrived.movement is Movement.OTHER_INCREASE_POOR
    assert moved.arrived.state.place == TOWN
    assert moved.arrived.state.poverty_class is POOR
    assert moved.arrived.previous_class is None
    assert moved.arrived.state.class_since == date(2022, 12, 12)


def test_a_household_that_is_not_listed_moves_without_a_movement() -> None:
    moved = move(history(NOT), TOWN, date(2023, 5, 1))
    assert (moved.left.movement, moved.arrived.movement) == (None, None)


@pytest.mark.parametrize(
    ("act", "rule"),
    [
        (lambda s: move(s, replace(HERE, village="23827.02"), date(2023, 1, 1)), "move-to-same-commune"),
        (lambda s: move(s, TOWN, date(2022, 1, 1)), "change-before-last-one"),
        (lambda s: close(s, ClosureReason.MERGED, date(2022, 1, 1)), "change-before-last-one"),
    ],
)
def test_changes_that_cannot_be_are_refused_by_name(
    act: Callable[[HouseholdState], object], rule: str
) -> None:
    with pytest.raises(Refused) as refused:
        act(history(POOR))
    assert refused.value.rule == rule


@pytest.mark.parametrize("reason", ClosureReason)
def test_a_closed_household_gives_up_its_class(reason: ClosureReason) -> None:
    outcome = close(history(NEAR), reason, date(2023, 4, 1))
    left = reason is ClosureReason.MOVED_OUT
    assert outcome.state.status is (Status.LEFT if left else Status.CLOSED)
    assert (outcome.state.poverty_class, outcome.state.class_since) == (None, date(2023, 4, 1))
    assert (outcome.previous_class, outcome.movement) == (NEAR, Movement.OTHER_DECREASE_NEAR_POOR)
    with pytest.raises(Refused):
        close(outcome.state, reason, date(2023, 5, 1))


def test_an_arrival_from_outside_brings_its_class_and_needs_its_certificate() -> None:
    on = date(2023, 6, 1)
    outcome = arrive(ID, HERE, 3, household_class=POOR, standard=STANDARD, on=on, certificate="12")
    assert outcome.movement is Movement.OTHER_INCREASE_POOR
    assert (outcome.state.class_since, outcome.previous_class) == (on, None)
    with pytest.raises(Refused, match="certificate"):
        arrive(ID, HERE, 3, household_class=NEAR, standard=STANDARD, on=on, certificate=" ")
    plain = arrive(ID, HERE, 3, household_class=NOT, standard=STANDARD, on=on, certificate=None)
    assert plain.movement is None


def test_an_arrival_that_was_poor_elsewhere_relapses_here() -> None:
    on = date(2022, 6, 1)
    state = arrive(ID, HERE, 3, household_class=POOR, standard=STANDARD, on=on, certificate="12").state
    state = decide(state, decision(NOT)).state
    assert decide(state, decision(POOR, date(2023, 12, 12))).movement is Movement.RELAPSE_POOR


def test_a_new_household_has_no_class_and_at_least_one_member() -> None:
    assert HouseholdState(ID, 1, "64", "23827", "23827.01", AreaType.RURAL, 4) == NEW
    with pytest.raises(Refused):
        register(ID, HERE, 0)


def test_every_code_has_words_in_both_languages() -> None:
    for kind, words in LABELS.items():
        assert set(words) == set(kind), kind
        for code, (vi, en) in words.items():
            assert type(code) is kind
            assert (label(code), label(code, "en")) == (vi, en)
            assert vi != en
    assert set(LABELS) >= {HouseholdClass, Movement, Stage, ReviewKind, Status, ClosureReason}


@pytest.mark.parametrize(
    ("code", "vi"),
    [
        (ClosureReason.DEATH, "Hộ đơn thân qua đời"),
        (SizeReason.DEATH, "Thành viên qua đời"),
        (ClosureReason.MERGED, "Nhập với hộ khác"),
        (SizeReason.MERGED, "Nhập hộ"),
        (Basis.TOTALS_GIVEN, "Theo tổng điểm"),
        (Undecided.TOTALS_GIVEN, "Chỉ có tổng điểm B2, không có từng chỉ số"),
    ],
)
def test_codes_of_the_same_letters_have_the_words_of_their_own_kind(code: StrEnum, vi: str) -> None:
    assert label(code) == vi
