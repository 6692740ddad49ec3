"""A province's own higher line gives a second result beside the national one and never replaces it."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from households.domain import (
    AreaType,
    Basis,
    Classification,
    HouseholdClass,
    Refused,
    Scores,
    get_standard,
    standards,
)
from households.domain.local_standards import check_local, local_in_force, parse_local, results_of
from households.domain.standards import StandardFileInvalid

NATIONAL = get_standard("STD_2022_2025")
RURAL, URBAN = AreaType.RURAL, AreaType.URBAN
POOR, NEAR, NOT = HouseholdClass.POOR, HouseholdClass.NEAR_POOR, HouseholdClass.NOT_POOR
# Invented: the line of no real province.
RAW: dict[str, Any] = {
    "code": "STD_48_2023",
    "scope": "48",
    "base": "STD_2022_2025",
    "title_vi": "Chuẩn nghèo giả định của tỉnh",
    "title_en": "Invented standard of a province",
    "valid_from": date(2023, 1, 1),
    "valid_to": date(2025, 12, 31),
    "legal": "Nghị quyết giả định 1/NQ-HĐND",
    "sources": ["Nghị quyết giả định 1/NQ-HĐND"],
    "income_lines_dong": {"RURAL": 2_000_000, "URBAN": 2_500_000},
    "b1_thresholds": {"RURAL": 160, "URBAN": 195},
}
LOCAL = parse_local(RAW)


def scored(b1: int, b2: int) -> Scores:
    return Scores(b1, b2, None, Basis.TOTALS_GIVEN)


def classes(b1: int, b2: int, area: AreaType = RURAL) -> tuple[HouseholdClass, HouseholdClass]:
    found = results_of(NATIONAL, LOCAL, area, scored(b1, b2))
    assert isinstance(found.national, Classification)
    assert isinstance(found.local, Classification)
    return found.national.household_class, found.local.household_class


@pytest.mark.parametrize(
    ("area", "b1", "b2", "national", "local"),
    [
        (RURAL, 140, 30, POOR, POOR),
        (RURAL, 141, 30, NOT, POOR),
        (RURAL, 141, 20, NOT, NEAR),
        (RURAL, 160, 30, NOT, POOR),
        (RURAL, 161, 30, NOT, NOT),
        (URBAN, 175, 20, NEAR, NEAR),
        (URBAN, 195, 20, NOT, NEAR),
        (URBAN, 196, 120, NOT, NOT),
    ],
)
def test_a_household_holds_both_results(
    area: AreaType, b1: int, b2: int, national: HouseholdClass, local: HouseholdClass
) -> None:
    assert classes(b1, b2, area) == (national, local)


def test_each_result_names_its_own_law() -> None:
    found = results_of(NATIONAL, LOCAL, RURAL, scored(141, 30))
    assert isinstance(found.national, Classification)
    assert isinstance(found.local, Classification)
    assert "07/2021" in found.national.legal
    assert found.local.legal == "Nghị quyết giả định 1/NQ-HĐND"
    assert found.local.rule_version == "STD_48_2023/1"
    assert results_of(NATIONAL, None, RURAL, scored(141, 30)).local is None


def test_what_the_file_leaves_out_comes_from_the_national_standard() -> None:
    assert LOCAL.indicator_codes == NATIONAL.indicator_codes
    assert (LOCAL.b2_threshold, LOCAL.points_per_indicator) == (30, 10)
    assert LOCAL.scope == "48"
    assert LOCAL.code not in standards()


def test_without_its_b1_points_a_local_line_refuses_and_the_national_result_stands() -> None:
    incomplete = parse_local({k: v for k, v in RAW.items() if k != "b1_thresholds"})
    found = results_of(NATIONAL, incomplete, RURAL, scored(140, 30))
    assert isinstance(found.national, Classification)
    assert isinstance(found.local, Refused)
    assert found.local.rule == "standard-incomplete"


def test_beside_an_incomplete_national_standard_the_local_one_is_incomplete_too() -> None:
    base = get_standard("STD_2027_2030")
    dates = {"valid_from": date(2027, 1, 1), "valid_to": date(2027, 12, 31)}
    lines = {"income_lines_dong": {"RURAL": 2_500_000, "URBAN": 2_800_000}, "base": base.code}
    found = results_of(base, parse_local(RAW | dates | lines), RURAL, scored(100, 30))
    assert isinstance(found.national, Refused)
    assert isinstance(found.local, Refused)
    assert found.local.rule == "standard-incomplete"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"income_lines_dong": {"RURAL": 1_499_999, "URBAN": 2_500_000}}, "local-standard-lower"),
        ({"income_lines_dong": {"RURAL": 2_000_000, "URBAN": 1_999_999}}, "local-standard-lower"),
        ({"b1_thresholds": {"RURAL": 139, "URBAN": 195}}, "local-standard-lower"),
        ({"b1_thresholds": {"RURAL": 160, "URBAN": 174}}, "local-standard-lower"),
        ({"rules": {"b2_threshold": 40}}, "local-standard-lower"),
        ({"scope": "NATIONAL"}, "local-standard-scope"),
        ({"scope": "048"}, "local-standard-scope"),
        ({"legal": " "}, "local-standard-without-document"),
        ({"valid_to": date(2027, 1, 1)}, "local-standard-outside-national"),
        ({"valid_from": date(2021, 12, 31)}, "local-standard-outside-national"),
        ({"base": "STD_1999"}, "standard-unknown"),
        ({"base": None}, "standard-unknown"),
    ],
)
def test_a_local_standard_that_is_lower_or_without_its_law_is_refused(
    change: dict[str, Any], rule: str
) -> None:
    with pytest.raises(Refused) as refused:
        parse_local(RAW | change)
    assert refused.value.rule == rule


def test_the_same_line_and_a_wider_threshold_are_allowed() -> None:
    same = {"income_lines_dong": dict(NATIONAL.income_lines), "b1_thresholds": dict(NATIONAL.b1_thresholds)}
    wider = parse_local(RAW | same | {"rules": {"b2_threshold": 20}})
    found = results_of(NATIONAL, wider, RURAL, scored(140, 20))
    assert isinstance(found.local, Classification)
    assert found.local.household_class is POOR


def test_a_file_that_contradicts_itself_is_not_loaded() -> None:
    with pytest.raises(StandardFileInvalid):
        parse_local(RAW | {"income_lines_dong": {"RURAL": 2_000_000}})
    with pytest.raises(StandardFileInvalid):
        check_local(LOCAL, LOCAL)


def test_the_standard_of_a_province_holds_there_and_on_its_days() -> None:
    assert local_in_force([LOCAL], "48", date(2024, 5, 1)) is LOCAL
    assert local_in_force([LOCAL], "48", date(2025, 12, 31)) is LOCAL
    assert local_in_force([LOCAL], "48", date(2026, 1, 1)) is None
    assert local_in_force([LOCAL], "49", date(2024, 5, 1)) is None
    with pytest.raises(Refused) as refused:
        local_in_force([LOCAL, LOCAL], "48", date(2024, 5, 1))
    assert refused.value.rule == "local-standards-overlap"


def test_a_province_that_counts_other_indicators_needs_points_of_its_own() -> None:
    own = {"indicators": [
        {"code": "HOUSING_AREA", "dimension": "H", "dimension_vi": "Nhà ở", "label_vi": "Diện tích",
         "label_en": "Area", "restricted": False}], "rules": {"b2_threshold": 10}}  # fmt: skip
    local = parse_local(RAW | own)
    found = results_of(NATIONAL, local, RURAL, scored(140, 0))
    assert isinstance(found.local, Refused)
    assert found.local.rule == "local-scores-missing"
    found = results_of(NATIONAL, local, RURAL, scored(140, 0), scored(140, 10))
    assert isinstance(found.local, Classification)
    assert found.local.household_class is POOR


ORDER = [NOT, NEAR, POOR]


@given(
    b1=st.integers(0, 1000), b2=st.integers(0, 12), more=st.integers(0, 12), area=st.sampled_from(AreaType)
)
def test_classes_never_get_milder_with_more_deprivation_or_the_higher_line(
    b1: int, b2: int, more: int, area: AreaType
) -> None:
    national, local = (ORDER.index(c) for c in classes(b1, b2 * 10, area))
    assert local >= national
    worse = classes(b1, min(12, b2 + more) * 10, area)
    assert ORDER.index(worse[0]) >= national
    assert ORDER.index(worse[1]) >= local
    poorer = classes(max(0, b1 - more), b2 * 10, area)
    assert ORDER.index(poorer[0]) >= national
    assert ORDER.index(poorer[1]) >= local
