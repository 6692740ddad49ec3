"""Groups that lists of households are asked for: what is asked of their people, or why it cannot be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from households.domain.ages import AgeRules, YearOnly, age_rules, reached_on
from households.domain.cohorts import COHORT_LABELS, Cohort, CohortRules, cohort_rules
from households.domain.lists import code_list
from households.domain.terms import Refused


class Group(StrEnum):
    """A group of households by their people. Not each of them can be asked for."""

    CHILDREN_UNDER_16 = "CHILDREN_UNDER_16"
    PUPILS_STUDENTS = "PUPILS_STUDENTS"
    MERIT = "MERIT"
    ETHNIC_MINORITY = "ETHNIC_MINORITY"
    HAS_LABOUR_NO_JOB = "HAS_LABOUR_NO_JOB"
    NO_LABOUR_CAPACITY = "NO_LABOUR_CAPACITY"


_TITLES = {
    Group.MERIT: ("Hộ có người có công với cách mạng", "With a person of merit"),
    Group.ETHNIC_MINORITY: ("Hộ dân tộc thiểu số", "Of an ethnic minority"),
    **{Group(cohort): words for cohort, words in COHORT_LABELS.items()},
}


@dataclass(frozen=True, slots=True)
class PeopleAsked:
    """What one member at least must be: born after a day, with one of these answers, each in the open.

    `day_of_year` (month, day) stands for a birth of which only the year is known.
    """

    born_after: date | None = None
    day_of_year: tuple[int, int] = (1, 1)
    answers: Mapping[str, frozenset[str]] = field(default_factory=dict)


def people_of(
    group: Group, on: date, rules: CohortRules | None = None, ages: AgeRules | None = None
) -> PeopleAsked:
    """What is asked of the people of a group on a day; refuses what is not loaded and what stands sealed."""
    rules, ages = rules or cohort_rules(), ages or age_rules()
    if group is Group.CHILDREN_UNDER_16:
        if ages.year_only is YearOnly.REFUSE:
            raise Refused(
                "birth-day-needed",
                "Người chỉ biết năm sinh thì cần ngày sinh mới xác định được tuổi; không lọc theo tuổi được.",
                "Whoever is known by a year of birth alone needs a day for an age; ages cannot be asked for.",
                "query.group",
            )
        of_year = (1, 1) if ages.year_only is YearOnly.FIRST_OF_JANUARY else (12, 31)
        return PeopleAsked(_reached_by(rules.children_below, on, ages), of_year)
    if group is Group.PUPILS_STUDENTS:
        return PeopleAsked(answers={"study": _marked("study", *rules.learner_marks)})
    if group is Group.MERIT:
        return PeopleAsked(answers={"merit": _marked("merit", "merit")})
    _check_loaded(group, on, rules)
    raise _sealed(group)


def _reached_by(years: int, on: date, ages: AgeRules) -> date:
    """The last day of birth with which somebody is that old on the day."""
    born = date(on.year - years, on.month, 1) + timedelta(days=31)
    while reached_on(born, years, rules=ages) > on:
        born -= timedelta(days=1)
    return born


def _marked(name: str, *marks: str) -> frozenset[str]:
    listed = code_list(name)
    return frozenset(code for code in listed.codes if any(listed.has(code, mark) for mark in marks))


def _check_loaded(group: Group, on: date, rules: CohortRules) -> None:
    loaded = {
        Group.HAS_LABOUR_NO_JOB: rules.has_labour_no_job,
        Group.NO_LABOUR_CAPACITY: rules.no_labour_capacity,
    }
    if group not in loaded:
        return
    found, (vi, en) = loaded[group], COHORT_LABELS[Cohort(group)]
    if found is None or not found.valid_from <= on <= found.valid_to:
        raise Refused(
            "cohort-definition-missing",
            f"Chưa nạp định nghĩa nhóm “{vi.lower()}” kèm văn bản nguồn có hiệu lực vào ngày này.",
            f"No definition of the cohort “{en}” with its source document is loaded for this day.",
            "query.group",
        )


def _sealed(group: Group) -> Refused:
    vi, en = _TITLES[group]
    return Refused(
        "group-is-sealed",
        f"Nhóm “{vi.lower()}” dựa trên dữ liệu nhạy cảm của từng người, được niêm phong nên không lọc danh sách"
        " được; xem ở từng hộ.",
        f"The group “{en}” rests on sensitive facts of each person, which stand sealed: no list is filtered by"
        " them. See it at each household.",
        "query.group",
        "Nghị định 356/2025/NĐ-CP, Điều 4",
    )


def group_label(group: Group, language: str = "vi") -> str:
    """What people read for a group."""
    vi, en = _TITLES[group]
    return vi if language == "vi" else en


def groups_asked(on: date) -> list[Group]:
    """The groups that lists can be narrowed by on a day; `people_of` refuses the others by name."""
    found = []
    for group in Group:
        try:
            people_of(group, on)
        except Refused:
            continue
        found.append(group)
    return found
