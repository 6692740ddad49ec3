"""Classification against boundary cases written down from Circular 07/2021, not computed by the program."""

from datetime import date
from typing import Any

import pytest

from households.domain import (
    AreaType,
    Basis,
    HouseholdClass,
    Refused,
    classify,
    deprivation_points,
    get_standard,
    proposed_standard,
    scores,
    standards,
)
from households.domain.standards import StandardFileInvalid, parse_standard

STANDARD = get_standard("STD_2022_2025")
RURAL, URBAN = AreaType.RURAL, AreaType.URBAN
POOR, NEAR, NOT = HouseholdClass.POOR, HouseholdClass.NEAR_POOR, HouseholdClass.NOT_POOR

BOUNDARIES = [
    # area, B1, B2, class
    (RURAL, 0, 0, NEAR),
    (RURAL, 0, 20, NEAR),
    (RURAL, 0, 30, POOR),
    (RURAL, 0, 120, POOR),
    (RURAL, 139, 20, NEAR),
    (RURAL, 139, 30, POOR),
    (RURAL, 140, 0, NEAR),
    (RURAL, 140, 20, NEAR),
    (RURAL, 140, 30, POOR),
    (RURAL, 140, 120, POOR),
    (RURAL, 141, 0, NOT),
    (RURAL, 141, 30, NOT),
    (RURAL, 141, 120, NOT),
    (RURAL, 175, 30, NOT),
    (RURAL, 176, 120, NOT),
    (URBAN, 0, 0, NEAR),
    (URBAN, 0, 30, POOR),
    (URBAN, 140, 30, POOR),
    (URBAN, 141, 20, NEAR),
    (URBAN, 141, 30, POOR),
    (URBAN, 174, 30, POOR),
    (URBAN, 175, 0, NEAR),
    (URBAN, 175, 20, NEAR),
    (URBAN, 175, 30, POOR),
    (URBAN, 175, 120, POOR),
    (URBAN, 176, 0, NOT),
    (URBAN, 176, 30, NOT),
    (URBAN, 176, 120, NOT),
    (URBAN, 1000, 120, NOT),
]


@pytest.mark.parametrize(("area_type", "b1", "b2", "expected"), BOUNDARIES)
def test_a_class_follows_from_points_and_area_type(
    area_type: AreaType, b1: int | None, b2: int | None, expected: HouseholdClass
) -> None:
    assert classify(STANDARD, area_type, b1, b2).household_class is expected


def test_a_class_never_comes_from_deprivations_alone_and_points_never_give_average_living() -> None:
    given = {
        classify(STANDARD, area, b1, b2).household_class
        for area in AreaType
        for b1 in range(301)
        for b2 in range(0, 121, 10)
    }
    assert given == {POOR, NEAR, NOT}


def test_the_answer_tells_reason_law_and_version() -> None:
    found = classify(STANDARD, URBAN, 175, 30)
    assert found.reason_vi == "B1 175 ≤ 175, B2 30 ≥ 30 (khu vực thành thị, STD_2022_2025)"
    assert "07/2021" in found.legal
    assert found.rule_version == "STD_2022_2025/1"


@pytest.mark.parametrize(
    ("b1", "b2", "flags", "rule"),
    [
        (None, 30, None, "b1-missing"),
        (-5, 30, None, "b1-out-of-range"),
        (5000, 30, None, "b1-out-of-range"),
        (100, None, None, "b2-missing"),
        (100, -10, None, "b2-out-of-range"),
        (100, 130, None, "b2-out-of-range"),
        (100, 35, None, "b2-out-of-range"),
        (100, 40, ["HOUSING_AREA"], "b2-contradicts-flags"),
        (100, None, ["HOUSING_AREA", "HOUSING_AREA"], "indicator-twice"),
        (100, None, ["WASTE_TREATMENT"], "indicator-unknown"),
        (100, None, [*STANDARD.indicator_codes, "WASTE_TREATMENT"], "too-many-indicators"),
    ],
)
def test_inputs_that_cannot_be_right_are_refused_by_name(
    b1: int | None, b2: int | None, flags: list[str] | None, rule: str
) -> None:
    with pytest.raises(Refused) as refused:
        scores(STANDARD, b1, b2, flags)
    assert refused.value.rule == rule
    assert refused.value.message_vi != refused.value.message_en


def test_flags_give_ten_points_each_and_are_kept_in_the_official_order() -> None:
    found = scores(STANDARD, 140, None, ["INFO_DEVICES", "EMPLOYMENT", "HOUSING_AREA"])
    assert (found.b2_points, found.basis) == (30, Basis.FLAGS)
    assert found.deprivations == ("EMPLOYMENT", "HOUSING_AREA", "INFO_DEVICES")
    assert deprivation_points(STANDARD, STANDARD.indicator_codes) == 120


def test_a_total_without_flags_is_taken_as_given() -> None:
    found = scores(STANDARD, 140, 20, None)
    assert (found.b2_points, found.basis, found.deprivations) == (20, Basis.TOTALS_GIVEN, None)


def test_no_deprived_indicator_is_an_answer_too() -> None:
    assert scores(STANDARD, 140, 0, []).b2_points == 0


@pytest.mark.parametrize("code", ["STD_2016_2020", "STD_2027_2030"])
def test_an_incomplete_standard_refuses_and_says_what_is_missing(code: str) -> None:
    with pytest.raises(Refused) as refused:
        classify(standards()[code], RURAL, 100, 30)
    assert refused.value.rule == "standard-incomplete"
    assert "chưa" in refused.value.message_vi


@pytest.mark.parametrize(
    ("on", "code"),
    [
        (date(2021, 12, 31), "STD_2016_2020"),
        (date(2022, 1, 1), "STD_2022_2025"),
        (date(2026, 12, 31), "STD_2022_2025"),
        (date(2027, 1, 1), "STD_2027_2030"),
    ],
)
def test_the_date_proposes_a_standard(on: date, code: str) -> None:
    proposed = proposed_standard(on)
    assert proposed is not None
    assert proposed.code == code


def test_no_standard_is_proposed_beyond_the_known_ones() -> None:
    assert proposed_standard(date(2031, 1, 1)) is None


def test_an_unknown_standard_is_refused() -> None:
    with pytest.raises(Refused, match="no poverty standard"):
        get_standard("STD_1999")


def test_the_numbers_of_the_law_and_the_twelve_indicators() -> None:
    assert STANDARD.income_lines == {RURAL: 1_500_000, URBAN: 2_000_000}
    assert STANDARD.b1_thresholds == {RURAL: 140, URBAN: 175}
    assert len(STANDARD.indicators) == 12
    assert [i.code for i in STANDARD.indicators if i.restricted] == ["NUTRITION"]
    assert len({i.dimension for i in STANDARD.indicators}) == 6
    assert "INFO_DEVICES" not in standards()["STD_2027_2030"].indicator_codes


@pytest.mark.parametrize(
    "change",
    [
        {"valid_to": date(2021, 1, 1)},
        {"sources": []},
        {"rules": {}},
        {"income_lines_dong": {"RURAL": 1}},
        {"b1_thresholds": {"SUBURB": 1}},
        {"incomplete": {"reason_vi": "thiếu"}},
    ],
)
def test_a_data_file_that_contradicts_itself_is_not_loaded(change: dict[str, Any]) -> None:
    raw = {
        "code": "X", "scope": "NATIONAL", "title_vi": "x", "title_en": "x", "valid_from": date(2022, 1, 1),
        "valid_to": date(2023, 1, 1), "rule_version": "X/1", "legal": "x", "sources": ["x"],
        "income_lines_dong": {"RURAL": 1, "URBAN": 2}, "b1_thresholds": {"RURAL": 1, "URBAN": 2},
        "rules": {"b2_threshold": 30, "points_per_indicator": 10},
        "indicators": [
            {"code": "A", "dimension": "D", "dimension_vi": "D", "label_vi": "a", "label_en": "a",
             "restricted": False},
        ],
    }  # fmt: skip
    assert parse_standard(raw).complete
    with pytest.raises(StandardFileInvalid):
        parse_standard(raw | change)
