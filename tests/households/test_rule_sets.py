"""Rule sets that are tried out: what they say of one household's facts, and what is refused by its name."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from households.domain import (
    AreaType,
    HouseholdClass,
    ListChange,
    LocalLine,
    Refused,
    RuleSetGiven,
    Undecided,
    classify,
    get_standard,
    list_change,
    rule_set,
)

CODE = "STD_2022_2025"
STANDARD = get_standard(CODE)
LINES = {AreaType.RURAL: 1_800_000, AreaType.URBAN: 2_400_000}
HIGHER = {AreaType.RURAL: 160, AreaType.URBAN: 190}
WITHOUT_WATER = [(code, None) for code in STANDARD.indicator_codes if code != "WATER_SOURCE"]


def local(**changes: Any) -> LocalLine:
    return LocalLine(**{"province": "64", "income_lines": LINES, "document": "Dự thảo nghị quyết"} | changes)


@given(st.sampled_from(AreaType), st.integers(0, 1000), st.integers(0, 12))
def test_the_loaded_standard_says_what_the_classification_says(area: AreaType, b1: int, number: int) -> None:
    found = rule_set(RuleSetGiven(CODE)).judge(CODE, area, b1, number * 10, None)
    assert found is classify(STANDARD, area, b1, number * 10).household_class


@given(st.sets(st.sampled_from(STANDARD.indicator_codes)), st.integers(1, 50))
def test_a_total_and_its_indicators_mean_the_same_where_all_weigh_alike(flags: set[str], each: int) -> None:
    rules = rule_set(RuleSetGiven(CODE, points_per_indicator=each, b2_threshold=3 * each))
    assert not rules.needs_flags
    assert rules.points_of(flags) == rules.points_of_total(10 * len(flags)) == each * len(flags)


def test_indicators_weigh_what_they_are_given_and_nothing_when_left_out() -> None:
    chosen = [*WITHOUT_WATER[:-1], (WITHOUT_WATER[-1][0], 25)]
    rules = rule_set(RuleSetGiven(CODE, indicators=chosen, b2_threshold=35))
    heavy = WITHOUT_WATER[-1][0]
    assert rules.needs_flags
    judge = [
        rules.judge(CODE, AreaType.RURAL, 140, 20, flags)
        for flags in (("EMPLOYMENT", heavy), ("WATER_SOURCE", heavy), ("EMPLOYMENT", "WATER_SOURCE"))
    ]
    assert judge == [HouseholdClass.POOR, HouseholdClass.NEAR_POOR, HouseholdClass.NEAR_POOR]


def test_what_the_facts_do_not_decide_is_not_guessed() -> None:
    rules = rule_set(RuleSetGiven(CODE, indicators=WITHOUT_WATER))
    assert rules.judge(None, None, 0, 0, None) is Undecided.NO_DECISION
    assert rules.judge("STD_2016_2020", AreaType.RURAL, 100, 30, None) is Undecided.OTHER_STANDARD
    assert rules.judge(CODE, AreaType.RURAL, 140, 120, None) is Undecided.TOTALS_GIVEN
    assert rules.judge(CODE, AreaType.RURAL, 141, 120, None) is HouseholdClass.NOT_POOR


@pytest.mark.parametrize(
    "changes, rule",
    [
        ({"standard": "STD_1999"}, "standard-unknown"),
        ({"standard": "STD_2027_2030"}, "standard-incomplete"),
        ({"standard": "STD_2016_2020"}, "standard-incomplete"),
        ({"b1_thresholds": {AreaType.RURAL: 150}}, "b1-threshold-missing"),
        ({"b1_thresholds": {AreaType.RURAL: 150, AreaType.URBAN: 1001}}, "b1-threshold-out-of-range"),
        ({"b1_thresholds": {AreaType.RURAL: -1, AreaType.URBAN: 100}}, "b1-threshold-out-of-range"),
        ({"b2_threshold": 0}, "b2-threshold-out-of-range"),
        ({"b2_threshold": 121}, "b2-threshold-out-of-range"),
        ({"indicators": [("WATER_SOURCE", 20)]}, "b2-threshold-out-of-range"),
        ({"indicators": []}, "indicators-missing"),
        ({"indicators": [("CARS", None)]}, "indicator-unknown"),
        ({"indicators": [("WATER_SOURCE", 20), ("WATER_SOURCE", 20)]}, "indicator-twice"),
        ({"indicators": [("WATER_SOURCE", 0)]}, "indicator-points-out-of-range"),
        ({"points_per_indicator": 1001}, "indicator-points-out-of-range"),
        ({"local": local()}, "standard-incomplete"),
        ({"local": local(province="6"), "b1_thresholds": HIGHER}, "local-standard-scope"),
        ({"local": local(document=" "), "b1_thresholds": HIGHER}, "local-standard-without-document"),
        ({"local": local(income_lines={AreaType.RURAL: 9}), "b1_thresholds": HIGHER}, "local-income-lines-missing"),
        ({"local": local(), "b1_thresholds": HIGHER | {AreaType.RURAL: 139}}, "local-standard-lower"),
        ({"local": local(income_lines=LINES | {AreaType.URBAN: 1_999_999}), "b1_thresholds": HIGHER}, "local-standard-lower"),
        ({"local": local(), "b1_thresholds": HIGHER, "b2_threshold": 31}, "local-standard-lower"),
        ({"local": local(), "b1_thresholds": HIGHER, "indicators": WITHOUT_WATER}, "local-standard-lower"),
    ],
)  # fmt: skip
def test_what_cannot_be_tried_out_is_refused_by_its_name(changes: dict[str, Any], rule: str) -> None:
    with pytest.raises(Refused) as refused:
        rule_set(RuleSetGiven(**{"standard": CODE} | changes))
    assert refused.value.rule == rule
    assert refused.value.message_vi != refused.value.message_en


POINTS = st.lists(st.integers(1, 30), min_size=12, max_size=12)


@given(POINTS, st.integers(1, 100), st.sets(st.sampled_from(STANDARD.indicator_codes)))
def test_a_local_line_that_is_taken_leaves_no_nationally_poor_household_out(
    points: list[int], threshold: int, flags: set[str]
) -> None:
    chosen = list(zip(STANDARD.indicator_codes, points, strict=True))
    try:
        rules = rule_set(RuleSetGiven(CODE, HIGHER, threshold, indicators=chosen, local=local()))
    except Refused as refused:
        assert refused.rule in {"local-standard-lower", "b2-threshold-out-of-range"}
        return
    if len(flags) >= 3:
        assert rules.judge(CODE, AreaType.RURAL, 140, 10 * len(flags), flags) is HouseholdClass.POOR


@pytest.mark.parametrize(
    "before, after, change",
    [
        ("NOT_POOR", "POOR", ListChange.ENTERS),
        ("AVERAGE_LIVING", "NEAR_POOR", ListChange.ENTERS),
        ("POOR", "NOT_POOR", ListChange.LEAVES),
        ("NEAR_POOR", "POOR", ListChange.BETWEEN_LISTS),
        ("POOR", "POOR", None),
        ("AVERAGE_LIVING", "NOT_POOR", None),
    ],
)
def test_a_change_of_class_is_a_change_of_lists_or_none(
    before: str, after: str, change: ListChange | None
) -> None:
    assert list_change(HouseholdClass(before), HouseholdClass(after)) is change
