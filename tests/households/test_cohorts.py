"""Cohorts of policy: two by law, two only once somebody loaded their definition with its paper."""

from datetime import date
from typing import Any

import pytest
from tests.households.invented import REVIEW, birth, member

from households.domain.cohorts import (
    COHORT_LABELS,
    Cohort,
    Membership,
    cohort_rules,
    membership,
    memberships,
    parse_cohort_rules,
)
from households.domain.identity import Sex
from households.domain.terms import Refused

KNOWN: dict[str, Any] = {"children_under_16": {"below": 16}, "pupils_students": {"marks": ["learner"]}}
# An invented definition: it shows the shape of what an administrator loads, and is no law.
WORKING_AGE: dict[str, Any] = {
    "least": 15,
    "limits": [
        {"valid_from": date(2026, 1, 1), "sex": "MALE", "years": 61, "months": 6},
        {"valid_from": date(2026, 1, 1), "sex": "FEMALE", "years": 57},
        {"valid_from": date(2027, 1, 1), "sex": "MALE", "years": 61, "months": 9},
        {"valid_from": date(2027, 1, 1), "sex": "FEMALE", "years": 57, "months": 4},
    ],
}
PAPER = {
    "valid_from": date(2026, 1, 1),
    "valid_to": date(2027, 12, 31),
    "document": "Văn bản giả định 01/2026",
}
JOBLESS = PAPER | {"working_age": WORKING_AGE, "jobless_marks": ["willing"], "learners_count": False}
UNABLE = PAPER | {
    "working_age": WORKING_AGE,
    "outside_working_age": True,
    "unable_capacity": True,
    "disability": ["SEVERE", "EXTREMELY_SEVERE"],
    "learners": False,
}
RULES = parse_cohort_rules(KNOWN | {"has_labour_no_job": JOBLESS, "no_labour_capacity": UNABLE})


def refused(cohort: Cohort, *args: Any) -> str:
    with pytest.raises(Refused) as found:
        membership(cohort, *args)
    return found.value.rule


@pytest.mark.parametrize("cohort", [Cohort.HAS_LABOUR_NO_JOB, Cohort.NO_LABOUR_CAPACITY])
def test_what_is_not_loaded_refuses_by_name(cohort: Cohort) -> None:
    assert refused(cohort, [member()], REVIEW) == "cohort-definition-missing"
    assert refused(cohort, [member()], date(2025, 12, 31), RULES) == "cohort-definition-missing"
    assert refused(cohort, [member()], date(2028, 1, 1), RULES) == "cohort-definition-missing"


def test_every_cohort_has_words_and_an_answer_or_a_refusal() -> None:
    found = memberships([member()], REVIEW)
    assert set(found) == set(Cohort) == set(COHORT_LABELS)
    assert isinstance(found[Cohort.CHILDREN_UNDER_16], Membership)
    assert isinstance(found[Cohort.NO_LABOUR_CAPACITY], Refused)
    assert cohort_rules().has_labour_no_job is None


@pytest.mark.parametrize(
    ("born", "child"), [("2010-10-15", False), ("2010-10-16", True), ("2026-10-15", True), (2010, False)]
)
def test_a_child_is_below_sixteen_on_the_day(born: str | int, child: bool) -> None:
    found = membership(Cohort.CHILDREN_UNDER_16, [member(), member(2, born)], REVIEW)
    assert found.belongs is child
    assert found.members == ((member(2).id,) if child else ())
    assert found.assumed is (born == 2010)


def test_pupils_and_students_begin_with_primary_school() -> None:
    people = [
        member(),
        member(2, study="PRESCHOOL"),
        member(3, study="PRIMARY"),
        member(4, study="UNIVERSITY"),
    ]
    found = membership(Cohort.PUPILS_STUDENTS, people, REVIEW)
    assert found.members == (people[2].id, people[3].id)
    assert refused(Cohort.PUPILS_STUDENTS, [member(study=None)], REVIEW) == "member-answer-missing"


@pytest.mark.parametrize(
    ("changes", "belongs"),
    [
        ({"work": "JOBLESS_WILLING"}, True),
        ({"work": "NOT_SEEKING"}, False),
        ({"work": "WAGED_NO_CONTRACT"}, False),
        ({"work": "JOBLESS_WILLING", "labour_capacity": "UNABLE"}, False),
        ({"work": "JOBLESS_WILLING", "labour_capacity": "REDUCED"}, True),
        ({"work": "JOBLESS_WILLING", "study": "UNIVERSITY"}, False),
        ({"work": "JOBLESS_WILLING", "born": "2011-10-15"}, True),
        ({"work": "JOBLESS_WILLING", "born": "2011-10-16"}, False),
        ({"work": "JOBLESS_WILLING", "born": "1965-04-16"}, True),
        ({"work": "JOBLESS_WILLING", "born": "1965-04-15"}, False),
        ({"work": "JOBLESS_WILLING", "born": "1969-10-16", "sex": Sex.FEMALE}, True),
        ({"work": "JOBLESS_WILLING", "born": "1969-10-15", "sex": Sex.FEMALE}, False),
    ],
)
def test_labour_without_a_job_once_its_definition_is_loaded(changes: dict[str, Any], belongs: bool) -> None:
    found = membership(Cohort.HAS_LABOUR_NO_JOB, [member(1, **changes)], REVIEW, RULES)
    assert found.belongs is belongs


@pytest.mark.parametrize(
    ("people", "belongs"),
    [
        ([{}], False),
        ([{"born": "1950-01-01"}, {"born": "2020-01-01"}], True),
        ([{"born": "1950-01-01"}, {}], False),
        ([{"disability": "SEVERE"}], True),
        ([{"disability": "LIGHT"}], False),
        ([{"labour_capacity": "UNABLE"}], True),
    ],
)
def test_no_labour_capacity_means_that_nobody_can_work(people: list[dict[str, Any]], belongs: bool) -> None:
    members = [member(n, **changes) for n, changes in enumerate(people, start=1)]
    found = membership(Cohort.NO_LABOUR_CAPACITY, members, REVIEW, RULES)
    assert found.belongs is belongs
    assert len(found.members) == (len(members) if belongs else 0)


def test_the_limit_of_working_age_is_the_one_of_the_day() -> None:
    man = member(work="JOBLESS_WILLING", born="1965-07-01")
    assert membership(Cohort.HAS_LABOUR_NO_JOB, [man], date(2026, 12, 31), RULES).belongs
    assert membership(Cohort.HAS_LABOUR_NO_JOB, [man], date(2027, 1, 1), RULES).belongs
    assert not membership(Cohort.HAS_LABOUR_NO_JOB, [man], date(2027, 4, 1), RULES).belongs
    assert birth("1965-07-01").day == date(1965, 7, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"document": " "},
        {"working_age": None},
        {"valid_to": date(2025, 1, 1)},
        {"working_age": {"least": 15, "limits": WORKING_AGE["limits"][:1]}},
    ],
)
def test_a_definition_without_its_paper_dates_or_limits_is_not_loaded(change: dict[str, Any]) -> None:
    for name, definition in (("has_labour_no_job", JOBLESS), ("no_labour_capacity", UNABLE)):
        with pytest.raises(Refused) as found:
            parse_cohort_rules(KNOWN | {name: definition | change})
        assert found.value.rule == "cohort-definition-invalid"
    with pytest.raises(Refused):
        parse_cohort_rules(KNOWN | {"has_labour_no_job": PAPER})
