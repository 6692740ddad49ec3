"""The flags of form B2 against boundary cases written down from the decree's annex, not computed by the program."""

from decimal import Decimal
from typing import Any

import pytest
from tests.households.invented import REVIEW, answers, member

from households.domain import deprivation_points, get_standard
from households.domain.b2_form import (
    Rule,
    form_b2,
    known_standards,
)
from households.domain.deprivation import Flag, flag_of, judge
from households.domain.lists import code_lists
from households.domain.persons import Member
from households.domain.terms import Refused

STANDARD = get_standard("STD_2022_2025")
FORM = form_b2(STANDARD)
HEAD = member()
Changes = dict[str, Any]


def flag(indicator: str, members: list[Member] | None = None, **given_answers: Any) -> Flag:
    return flag_of(FORM, indicator, REVIEW, members or [HEAD], answers(**given_answers))


def refusal(indicator: str, members: list[Member] | None = None, **given_answers: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        flag(indicator, members, **given_answers)
    assert indicator in refused.value.message_vi
    assert indicator in refused.value.message_en
    return refused.value


def people(*changes: Changes) -> list[Member]:
    return [member(order, **change) for order, change in enumerate(changes, start=1)]


CHILD: Changes = {"born": "2016-05-05", "study": "PRIMARY", "work": "CHILD", "qualification": "NONE"}
SINGLE_MEMBERS = [
    # indicator, what the one member is like, deprived
    ("EMPLOYMENT", {"work": "WAGED_CONTRACT"}, False),
    ("EMPLOYMENT", {"work": "WAGED_NO_CONTRACT"}, True),
    ("EMPLOYMENT", {"work": "CASUAL"}, False),
    ("EMPLOYMENT", {"work": "SELF_EMPLOYED"}, False),
    ("EMPLOYMENT", {"work": "JOBLESS_WILLING"}, True),
    ("EMPLOYMENT", {"work": "JOBLESS_WILLING", "born": "2011-10-15"}, True),
    ("EMPLOYMENT", {"work": "NOT_SEEKING"}, False),
    ("EMPLOYMENT", {"work": "UNABLE"}, False),
    ("EMPLOYMENT", {"work": None, "born": "2011-10-16"}, False),
    ("NUTRITION", {"born": "2010-10-16", "nutrition": "STUNTED"}, True),
    ("NUTRITION", {"born": "2010-10-16", "nutrition": "UNDERWEIGHT"}, True),
    ("NUTRITION", {"born": "2010-10-16", "nutrition": "NORMAL"}, False),
    ("NUTRITION", {"born": "2010-10-15", "nutrition": "STUNTED"}, False),
    ("NUTRITION", {"born": "2010-10-15", "nutrition": None}, False),
    ("HEALTH_INSURANCE", {"born": "2020-10-15", "insurance": "NONE"}, True),
    ("HEALTH_INSURANCE", {"born": "2020-10-16", "insurance": "NONE"}, False),
    ("HEALTH_INSURANCE", {"born": "2020-10-16", "insurance": None}, False),
    ("HEALTH_INSURANCE", {"insurance": "HOUSEHOLD"}, False),
    # 16 to under 18: studying or finished lower secondary
    ("ADULT_EDUCATION", {"born": "2010-10-15", "qualification": "PRIMARY"}, True),
    ("ADULT_EDUCATION", {"born": "2010-10-16", "qualification": "PRIMARY"}, False),
    ("ADULT_EDUCATION", {"born": "2010-10-15", "qualification": "LOWER_SECONDARY"}, False),
    (
        "ADULT_EDUCATION",
        {"born": "2010-10-15", "qualification": "PRIMARY", "study": "LOWER_SECONDARY"},
        False,
    ),
    ("ADULT_EDUCATION", {"born": "2010-10-15", "qualification": "NONE", "study": "PRIMARY"}, True),
    ("ADULT_EDUCATION", {"born": "2008-10-16", "qualification": "LOWER_SECONDARY"}, False),
    # 18 to 30: studying or finished upper secondary or vocational training
    ("ADULT_EDUCATION", {"born": "2008-10-15", "qualification": "LOWER_SECONDARY"}, True),
    ("ADULT_EDUCATION", {"born": "2008-10-15", "qualification": "UPPER_SECONDARY"}, False),
    ("ADULT_EDUCATION", {"born": "2008-10-15", "qualification": "VOCATIONAL_ELEMENTARY"}, False),
    ("ADULT_EDUCATION", {"born": "2008-10-15", "qualification": "NONE", "study": "UPPER_SECONDARY"}, False),
    ("ADULT_EDUCATION", {"born": "2008-10-15", "qualification": "NONE", "study": "LOWER_SECONDARY"}, True),
    (
        "ADULT_EDUCATION",
        {"born": "2000-01-01", "qualification": "NONE", "works_on_job_training": True},
        False,
    ),
    ("ADULT_EDUCATION", {"born": "1996-10-15", "qualification": "NONE"}, True),
    ("ADULT_EDUCATION", {"born": "1995-10-16", "qualification": "NONE"}, True),
    ("ADULT_EDUCATION", {"born": "1995-10-15", "qualification": "NONE"}, False),
    # children: the level of the age
    ("CHILD_SCHOOLING", {"born": "2023-10-16", "study": "NONE"}, False),
    ("CHILD_SCHOOLING", {"born": "2023-10-15", "study": "NONE"}, True),
    ("CHILD_SCHOOLING", {"born": "2023-10-15", "study": "PRESCHOOL"}, False),
    ("CHILD_SCHOOLING", {"born": "2020-10-16", "study": "PRESCHOOL"}, False),
    ("CHILD_SCHOOLING", {"born": "2020-10-16", "study": "PRIMARY"}, False),
    ("CHILD_SCHOOLING", {"born": "2020-10-15", "study": "PRESCHOOL"}, True),
    ("CHILD_SCHOOLING", {"born": "2020-10-15", "study": "PRIMARY"}, False),
    ("CHILD_SCHOOLING", {"born": "2014-10-16", "study": "PRIMARY"}, False),
    ("CHILD_SCHOOLING", {"born": "2014-10-16", "study": "LOWER_SECONDARY"}, False),
    ("CHILD_SCHOOLING", {"born": "2014-10-15", "study": "PRIMARY"}, True),
    ("CHILD_SCHOOLING", {"born": "2014-10-15", "study": "LOWER_SECONDARY"}, False),
    ("CHILD_SCHOOLING", {"born": "2010-10-16", "study": "NONE"}, True),
    ("CHILD_SCHOOLING", {"born": "2010-10-16", "study": "UPPER_SECONDARY"}, False),
    ("CHILD_SCHOOLING", {"born": "2010-10-15", "study": "NONE"}, False),
]


@pytest.mark.parametrize(("indicator", "changes", "deprived"), SINGLE_MEMBERS)
def test_one_member_makes_the_flag_and_is_named_as_its_reason(
    indicator: str, changes: Changes, deprived: bool
) -> None:
    complete, somebody = member(1), member(2, **changes)
    found = flag(indicator, [complete, somebody])
    assert found.deprived is deprived
    assert [e.member_id for e in found.evidence] == ([somebody.id] if deprived else [])


DEPENDANTS = [
    ([{}], False),
    ([{}, CHILD], False),  # exactly half
    ([{}, CHILD, CHILD], True),
    ([{}, {}, CHILD, CHILD], False),
    ([{}, {}, CHILD, CHILD, CHILD], True),
    ([{}, {"born": "2010-10-15"}, CHILD], False),  # 16 today: no child
    ([{}, {"born": "2010-10-16"}, CHILD], True),
    ([{}, {"allowance": "ELDERLY"}, {"allowance": "DISABLED"}], True),
    ([{}, {"born": "1940-01-01"}, {"born": "1941-01-01"}], False),  # old, without an allowance
    ([{}, {"disability": "SEVERE"}, {"disability": "SEVERE"}], False),
    ([{}, {"allowance": "OTHER"}, {"allowance": "OTHER"}], False),
    ([{}, CHILD | {"allowance": "DISABLED"}], False),  # a child counts once
    ([{}] * 49 + [CHILD] * 50, True),
    ([{}] * 49 + [CHILD] * 49, False),
]


@pytest.mark.parametrize(("household", "deprived"), DEPENDANTS)
def test_more_than_half_of_the_members_are_dependants(household: list[Changes], deprived: bool) -> None:
    assert flag("DEPENDENTS", people(*household)).deprived is deprived


def test_an_allowance_the_law_does_not_name_refuses_only_where_it_decides() -> None:
    old = {"born": "1940-01-01", "allowance": "SOCIAL_PENSION"}
    assert flag("DEPENDENTS", people({}, old)).deprived is False
    assert flag("DEPENDENTS", people(old, CHILD, CHILD)).deprived is True
    assert refusal("DEPENDENTS", people(old)).rule == "allowance-undecided"


HOUSING = [
    ("HOUSING_QUALITY", {}, False),
    ("HOUSING_QUALITY", {"roof": "NOT_DURABLE"}, False),
    ("HOUSING_QUALITY", {"wall": "NOT_DURABLE", "roof": "NOT_DURABLE"}, True),
    ("HOUSING_QUALITY", {"wall": "NOT_DURABLE", "pillar": "NOT_DURABLE", "roof": "NOT_DURABLE"}, True),
    ("HOUSING_AREA", {"floor_area": "24"}, False),
    ("HOUSING_AREA", {"floor_area": "24.0"}, False),
    ("HOUSING_AREA", {"floor_area": 24}, False),
    ("HOUSING_AREA", {"floor_area": Decimal("24.00")}, False),
    ("HOUSING_AREA", {"floor_area": "23.99"}, True),
    ("HOUSING_AREA", {"floor_area": "23.9999999999999999999999"}, True),
    ("HOUSING_AREA", {"floor_area": "24.01"}, False),
    ("HOUSING_AREA", {"floor_area": "0"}, True),
    *(("WATER_SOURCE", {"water": code}, False) for code in (
        "TAP", "DRILLED_WELL", "PROTECTED_WELL", "PROTECTED_SPRING", "RAIN", "BOTTLED")),
    *(("WATER_SOURCE", {"water": code}, True) for code in (
        "UNPROTECTED_WELL", "UNPROTECTED_SPRING", "SURFACE", "OTHER")),
    *(("HYGIENIC_TOILET", {"toilet": code}, False) for code in (
        "SEPTIC", "POUR_FLUSH", "VENTILATED", "PIT_WITH_SEAT", "DOUBLE_VAULT")),
    *(("HYGIENIC_TOILET", {"toilet": code}, True) for code in ("OTHER", "NONE")),
    ("TELECOM_SERVICE", {"internet": True}, False),
    ("TELECOM_SERVICE", {"internet": False}, True),
    ("INFO_DEVICES", {"devices": []}, True),
    *(("INFO_DEVICES", {"devices": [code]}, False) for code in (
        "TELEVISION", "RADIO", "DESKTOP", "TELEPHONE", "LAPTOP", "TABLET", "SMARTPHONE")),
]  # fmt: skip


@pytest.mark.parametrize(("indicator", "changes", "deprived"), HOUSING)
def test_an_answer_about_the_household_makes_the_flag(
    indicator: str, changes: Changes, deprived: bool
) -> None:
    found = flag(indicator, people({}, {}, {}), **changes)
    assert found.deprived is deprived
    assert all(e.question in answers() for e in found.evidence)


def test_reasons_are_sentences_for_the_page_of_the_household() -> None:
    found = flag("HOUSING_AREA", people({}, {}, {}), floor_area="23.99")
    assert found.evidence[0].vi == (
        "Tổng diện tích nhà ở (m²): 23,99, 3 nhân khẩu, bình quân 7,99 m² (ngưỡng dưới 8 m²)"
    )
    assert flag("WATER_SOURCE", water="SURFACE").evidence[0].vi == (
        "Nguồn nước sinh hoạt chính: nước sông, suối, ao, hồ"
    )
    share = flag("DEPENDENTS", people({}, CHILD, CHILD)).evidence
    assert share[0].vi == "2 người phụ thuộc trên 3 nhân khẩu (ngưỡng trên 50%)"
    assert [e.vi for e in share[1:]] == ["Trẻ em 10 tuổi"] * 2


def test_an_age_known_by_its_year_alone_is_marked_where_it_decides() -> None:
    found = flag("NUTRITION", [HEAD, member(2, 2010, nutrition="STUNTED")])
    assert (found.deprived, found.assumed) == (False, True)
    found = flag("HEALTH_INSURANCE", [HEAD, member(2, 2020, insurance="NONE")])
    assert (found.deprived, found.assumed, found.evidence[0].assumed) == (True, True, True)
    assert not flag("NUTRITION", [HEAD, member(2, 2011, nutrition="STUNTED")]).assumed


NEEDED = [
    ("EMPLOYMENT", {"work": None}, "member-answer-missing"),
    ("EMPLOYMENT", {"work": "JOBLESS_WILLING", "born": "2011-10-16"}, "jobless-below-working-age"),
    ("DEPENDENTS", {"allowance": None}, "member-answer-missing"),
    ("NUTRITION", {"born": "2010-10-16", "nutrition": None}, "member-answer-missing"),
    ("HEALTH_INSURANCE", {"insurance": None}, "member-answer-missing"),
    ("ADULT_EDUCATION", {"born": "2008-10-15", "study": None}, "member-answer-missing"),
    ("ADULT_EDUCATION", {"born": "2008-10-15", "qualification": None}, "member-answer-missing"),
    ("CHILD_SCHOOLING", {"born": "2016-10-15", "study": None}, "member-answer-missing"),
]


@pytest.mark.parametrize(("indicator", "changes", "rule"), NEEDED)
def test_what_was_not_asked_of_a_member_refuses_its_indicator(
    indicator: str, changes: Changes, rule: str
) -> None:
    somebody = member(2, **changes)
    found = refusal(indicator, [HEAD, somebody])
    assert found.rule == rule
    assert str(somebody.id) in (found.field or "")


@pytest.mark.parametrize(
    ("indicator", "question"),
    [
        ("HOUSING_QUALITY", "wall"),
        ("HOUSING_QUALITY", "pillar"),
        ("HOUSING_QUALITY", "roof"),
        ("HOUSING_AREA", "floor_area"),
        ("WATER_SOURCE", "water"),
        ("HYGIENIC_TOILET", "toilet"),
        ("TELECOM_SERVICE", "internet"),
        ("INFO_DEVICES", "devices"),
    ],
)
def test_a_missing_answer_refuses_its_indicator_and_no_other(indicator: str, question: str) -> None:
    found = judge(STANDARD, REVIEW, [HEAD], answers(**{question: None}))
    assert [(r.rule, r.field) for r in found.refusals] == [("answer-missing", question)]
    assert len(found.flags) == 11
    assert indicator not in [f.indicator for f in found.flags]
    with pytest.raises(Refused) as refused:
        found.deprivations()
    assert refused.value.field == question


@pytest.mark.parametrize(
    "changes",
    [
        {"wall": "WOOD"},
        {"wall": True},
        {"floor_area": 31.5},
        {"floor_area": "NaN"},
        {"floor_area": "-1"},
        {"floor_area": "10000.01"},
        {"floor_area": "31,5"},
        {"floor_area": True},
        {"internet": "yes"},
        {"internet": 0},
        {"devices": "RADIO"},
        {"devices": ["RADIO", "RADIO"]},
        {"devices": ["DRUM"]},
        {"devices": [["RADIO"]]},
    ],
)
def test_an_answer_that_cannot_be_read_is_refused_by_the_name_of_its_question(changes: Changes) -> None:
    found = judge(STANDARD, REVIEW, [HEAD], answers(**changes))
    assert [(r.rule, r.field) for r in found.refusals] == [("answer-invalid", next(iter(changes)))]


def test_a_question_the_form_does_not_have_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        judge(STANDARD, REVIEW, [HEAD], answers(car=True))
    assert refused.value.rule == "question-unknown"


def test_a_household_that_lacks_nothing_and_one_that_lacks_everything() -> None:
    assert judge(STANDARD, REVIEW, [HEAD], answers()).deprivations() == ()
    poorest = people(
        {"born": "1999-01-01", "work": "JOBLESS_WILLING", "qualification": "NONE", "insurance": "NONE"},
        CHILD | {"study": "NONE", "nutrition": "STUNTED"},
        CHILD,
    )
    found = judge(
        STANDARD, REVIEW, poorest,
        answers(wall="NOT_DURABLE", pillar="NOT_DURABLE", roof="NOT_DURABLE", floor_area="10", water="SURFACE",
                toilet="NONE", internet=False, devices=[]),
    )  # fmt: skip
    assert found.deprivations() == STANDARD.indicator_codes
    assert deprivation_points(STANDARD, found.deprivations()) == 120


def test_the_definitions_of_2027_are_not_known_and_refuse_one_by_one() -> None:
    standard = get_standard("STD_2027_2030")
    found = judge(standard, REVIEW, [HEAD], {})
    assert found.flags == ()
    assert [r.rule for r in found.refusals] == ["indicator-undefined"] * 12
    assert [r.field for r in found.refusals] == list(standard.indicator_codes)


def test_a_standard_without_a_form_refuses_as_a_whole() -> None:
    with pytest.raises(Refused) as refused:
        judge(get_standard("STD_2016_2020"), REVIEW, [HEAD], {})
    assert refused.value.rule == "form-b2-missing"
    assert known_standards() == ("STD_2022_2025", "STD_2027_2030")


def test_lists_of_the_definitions_name_codes_that_exist() -> None:
    lists = code_lists()
    learning = [d.values for d in FORM.definitions.values() if d.rule is Rule.MEMBER_LEARNING]
    for band in [band for values in learning for band in values["bands"]]:
        assert set(band["studying"]) <= set(lists["study"].codes)
        assert set(band["finished"]) <= set(lists["qualification"].codes)
    dependants = FORM.definition("DEPENDENTS").values
    named = {*dependants["allowances"], *dependants["allowances_not_counted"]}
    assert set(lists["allowance"].codes) - named == {"SOCIAL_PENSION"}
