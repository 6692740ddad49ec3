"""Form B2 as data, and what holds for any answers: a flag or a named refusal each, and worse is never better."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.households.invented import REVIEW, member

from households.domain import AreaType, HouseholdClass, classify, get_standard, scores
from households.domain.b2_form import FormFileInvalid, exact, form_b2, parse_form_b2, plain
from households.domain.deprivation import judge
from households.domain.lists import code_lists
from households.domain.persons import LISTS, Member

STANDARD = get_standard("STD_2022_2025")
FORM = form_b2(STANDARD)
HEAD = member()
Changes = dict[str, Any]

RAW: dict[str, Any] = {
    "standard": "STD_2027_2030",
    "form_version": "B2/test",
    "source": "Văn bản giả định",
    "legal": "Văn bản giả định",
    "questions": {
        "waste": {"kind": "ONE", "vi": "Rác", "en": "Waste",
                  "options": {"COLLECTED": ["Thu gom", "Collected"], "DUMPED": ["Đổ bừa", "Dumped"]}},
    },
    "indicators": {"WASTE_TREATMENT": {"rule": "ANSWER_NOT_AMONG", "question": "waste", "among": ["COLLECTED"]}},
}  # fmt: skip


def test_a_definition_loaded_later_works_without_a_change_of_the_program() -> None:
    form = parse_form_b2(RAW)
    found = judge(get_standard("STD_2027_2030"), REVIEW, [HEAD], {"waste": "DUMPED"}, form)
    assert [(f.indicator, f.deprived) for f in found.flags] == [("WASTE_TREATMENT", True)]
    assert len(found.refusals) == 11


@pytest.mark.parametrize(
    "change",
    [
        {"standard": "STD_1999"},
        {"indicators": {"CARS": RAW["indicators"]["WASTE_TREATMENT"]}},
        {"indicators": {"WASTE_TREATMENT": {"rule": "ANSWER_NOT_AMONG", "question": "waste"}}},
        {"indicators": {"WASTE_TREATMENT": {"rule": "ANSWER_IS_NO", "question": "waste"}}},
        {"indicators": {"WASTE_TREATMENT": {"rule": "GUESS", "question": "waste"}}},
        {"indicators": {"WASTE_TREATMENT": {"rule": "ANSWER_NOT_AMONG", "question": "waste", "among": ["X"]}}},
        {"indicators": {"WASTE_TREATMENT": {"rule": "ANSWER_NOT_AMONG", "question": "rain", "among": []}}},
        {"questions": {}},
        {"indicators": {"CHILD_SCHOOLING": {"rule": "MEMBER_LEARNING", "on_job_training_counts": False, "bands": [
            {"from": 3, "below": 6, "studying": [], "finished": []},
            {"from": 5, "below": 9, "studying": [], "finished": []}]}}},
    ],
)  # fmt: skip
def test_a_form_that_contradicts_itself_is_not_loaded(change: dict[str, Any]) -> None:
    with pytest.raises(FormFileInvalid):
        parse_form_b2(RAW | change)


@pytest.mark.parametrize(
    "raw",
    ["7,5", "", "NaN", "Infinity", 1.5, True, None, "1e400000", "1e-400000", "0e99999", 10**40, "9" * 31],
)
def test_a_number_is_exact_and_of_a_size_that_a_form_can_have(raw: object) -> None:
    assert exact(raw) is None
    assert exact(" 7.50 ") == exact("7.5") == Decimal("7.5")


def test_numbers_are_shown_in_the_way_of_the_language() -> None:
    assert (plain(Decimal("1E+2")), plain(Decimal("7.50")), plain(Decimal("7.50"), "en")) == (
        "100",
        "7,5",
        "7.5",
    )


# Any answers: a flag or a named refusal for each indicator, never a crash.

JSON = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.lists(st.text(max_size=8))
)
QUESTIONS = list(FORM.questions)
ANY_ANSWER = {
    code: JSON | st.sampled_from([*question.options, "8.0", ["RADIO"]])
    for code, question in FORM.questions.items()
}
BORN = st.dates(min_value=REVIEW.replace(year=1920), max_value=REVIEW).map(lambda day: day.isoformat())
CODES = {name: list(code_lists()[name].codes) for name in LISTS if name != "relation"}


@st.composite
def households(draw: st.DrawFn, asked: bool = False) -> list[Member]:
    size = draw(st.integers(1, 5))
    codes = {n: st.sampled_from(listed if asked else [*listed, None]) for n, listed in CODES.items()}
    born = BORN if asked else BORN | st.integers(1920, 2026)
    return [member(n, draw(born), **draw(st.fixed_dictionaries(codes))) for n in range(1, size + 1)]


@given(households(), st.fixed_dictionaries({}, optional=ANY_ANSWER))
def test_any_answers_give_flags_or_named_refusals(household: list[Member], given_answers: Changes) -> None:
    found = judge(STANDARD, REVIEW, household, given_answers)
    named = [f.indicator for f in found.flags]
    assert named == [code for code in STANDARD.indicator_codes if code in named]
    assert len(found.flags) + len(found.refusals) == 12
    assert all(r.rule and r.message_vi and r.message_en for r in found.refusals)
    assert all(f.evidence for f in found.flags if f.deprived)


# Worse answers never make a household look better off.

WORSE: dict[str, list[Changes]] = {
    "answers": [{"wall": "NOT_DURABLE"}, {"pillar": "NOT_DURABLE"}, {"roof": "NOT_DURABLE"}, {"floor_area": "0"},
                {"water": "SURFACE"}, {"toilet": "NONE"}, {"internet": False}, {"devices": []}],
    "members": [{"work": "WAGED_NO_CONTRACT"}, {"insurance": "NONE"}, {"nutrition": "STUNTED"},
                {"allowance": "DISABLED"}, {"study": "NONE"}, {"qualification": "NONE"}],
}  # fmt: skip
ANSWERS = st.fixed_dictionaries(
    {
        code: st.booleans()
        if code == "internet"
        else st.lists(st.sampled_from(list(FORM.questions[code].options)), unique=True)
        if code == "devices"
        else st.integers(0, 200)
        if code == "floor_area"
        else st.sampled_from(list(FORM.questions[code].options))
        for code in QUESTIONS
    }
)


@given(households(asked=True), ANSWERS, st.data())
def test_a_worse_answer_takes_no_deprivation_away_and_no_class_up(
    household: list[Member], given_answers: Changes, data: st.DataObject
) -> None:
    before = judge(STANDARD, REVIEW, household, given_answers)
    worse_answers = given_answers | data.draw(st.sampled_from(WORSE["answers"]))
    change = data.draw(st.sampled_from(WORSE["members"]))
    who = data.draw(st.integers(0, len(household) - 1))
    worse = [replace(m, **change) if n == who else m for n, m in enumerate(household)]
    after = judge(STANDARD, REVIEW, worse, worse_answers)
    was = {f.indicator for f in before.flags if f.deprived}
    now = {f.indicator for f in after.flags if f.deprived}
    gone = was - now - {r.message_en.split()[1].rstrip(":") for r in after.refusals}
    assert not gone
    if before.refusals or after.refusals:
        return
    points = [scores(STANDARD, 100, None, sorted(flags)).b2_points for flags in (was, now)]
    assert points[0] <= points[1]
    order = [HouseholdClass.NEAR_POOR, HouseholdClass.POOR]
    classes = [order.index(classify(STANDARD, AreaType.RURAL, 100, p).household_class) for p in points]
    assert classes[0] <= classes[1]
