"""Cohorts that policies ask for: who belongs, or by name what is not loaded to say so."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any
from uuid import UUID

from households.domain.ages import Reached, has_reached
from households.domain.identity import Sex
from households.domain.lists import code_list
from households.domain.persons import Member
from households.domain.terms import Refused


class Cohort(StrEnum):
    """The four groups of policy; the first two mark the household, the others count persons."""

    HAS_LABOUR_NO_JOB = "HAS_LABOUR_NO_JOB"
    NO_LABOUR_CAPACITY = "NO_LABOUR_CAPACITY"
    PUPILS_STUDENTS = "PUPILS_STUDENTS"
    CHILDREN_UNDER_16 = "CHILDREN_UNDER_16"


COHORT_LABELS: Mapping[Cohort, tuple[str, str]] = {
    Cohort.HAS_LABOUR_NO_JOB: ("Hộ có lao động nhưng không có việc làm", "Has labour but no job"),
    Cohort.NO_LABOUR_CAPACITY: ("Hộ không có khả năng lao động", "No labour capacity"),
    Cohort.PUPILS_STUDENTS: ("Học sinh, sinh viên", "Pupils and students"),
    Cohort.CHILDREN_UNDER_16: ("Trẻ em dưới 16 tuổi", "Children under 16"),
}


@dataclass(frozen=True, slots=True)
class AgeLimit:
    """From a day on, working age of one sex ends with this age (years and months)."""

    valid_from: date
    sex: Sex
    years: int
    months: int


@dataclass(frozen=True, slots=True)
class WorkingAge:
    """Working age: from `least` years until the limit of the sex that holds on the day."""

    least: int
    limits: tuple[AgeLimit, ...]

    def contains(self, member: Member, on: date) -> Reached:
        """Whether the member is of working age on the day."""
        rows = [row for row in self.limits if row.sex is member.sex and row.valid_from <= on]
        if not rows:
            raise _not_loaded("working-age-not-loaded", "giới hạn tuổi lao động", "the limits of working age")
        limit = max(rows, key=lambda row: row.valid_from)
        reached = has_reached(member.birth, self.least, on)
        passed = has_reached(member.birth, limit.years, on, months=limit.months)
        return Reached(reached.yes and not passed.yes, reached.assumed or passed.assumed)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A definition an administrator loaded: its values, when it holds, and the paper it comes from."""

    values: Mapping[str, Any]
    working_age: WorkingAge | None
    valid_from: date
    valid_to: date
    document: str


@dataclass(frozen=True, slots=True)
class CohortRules:
    """What is known of the cohorts. A loaded definition is None until an administrator loads it."""

    children_below: int
    learner_marks: tuple[str, ...]
    has_labour_no_job: Loaded | None = None
    no_labour_capacity: Loaded | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether a household belongs to a cohort, and which members make it so. `assumed`: an age was assumed."""

    cohort: Cohort
    belongs: bool
    members: tuple[UUID, ...]
    assumed: bool = False


@cache
def cohort_rules() -> CohortRules:
    """What the data file knows."""
    return parse_cohort_rules(
        tomllib.loads((resources.files("households") / "data" / "cohorts.toml").read_text("utf-8"))
    )


def parse_cohort_rules(raw: Mapping[str, Any]) -> CohortRules:
    """Rules from the content of a file; a loaded definition without dates or source document is refused."""
    return CohortRules(
        raw["children_under_16"]["below"],
        tuple(raw["pupils_students"]["marks"]),
        _loaded("has_labour_no_job", raw.get("has_labour_no_job"), _JOBLESS_KEYS),
        _loaded("no_labour_capacity", raw.get("no_labour_capacity"), _UNABLE_KEYS),
    )


def membership(
    cohort: Cohort, members: Sequence[Member], on: date, rules: CohortRules | None = None
) -> Membership:
    """One cohort of a household on a day; refuses what is not loaded and what was not asked."""
    return _COHORTS[cohort](members, on, rules or cohort_rules())


def memberships(
    members: Sequence[Member], on: date, rules: CohortRules | None = None
) -> Mapping[Cohort, Membership | Refused]:
    """Every cohort: who belongs, or the refusal."""
    found: dict[Cohort, Membership | Refused] = {}
    for cohort in Cohort:
        try:
            found[cohort] = membership(cohort, members, on, rules)
        except Refused as refused:
            found[cohort] = refused
    return found


_JOBLESS_KEYS = frozenset({"working_age", "jobless_marks", "learners_count"})
_UNABLE_KEYS = frozenset({"outside_working_age", "unable_capacity", "disability", "learners"})


def _loaded(name: str, raw: Mapping[str, Any] | None, keys: frozenset[str]) -> Loaded | None:
    if raw is None:
        return None
    ages = raw.get("working_age")
    try:
        working_age = _working_age(ages) if ages is not None else None
        loaded = Loaded(raw, working_age, raw["valid_from"], raw["valid_to"], str(raw["document"]).strip())
        complete = keys <= set(raw) and loaded.document and loaded.valid_from <= loaded.valid_to
        ages_needed = "working_age" in keys or raw.get("outside_working_age")
        complete = complete and not (ages_needed and working_age is None)
    except (KeyError, TypeError, ValueError):
        complete = False
    if not complete:
        raise Refused(
            "cohort-definition-invalid",
            f"Định nghĩa {name} thiếu nội dung, ngày hiệu lực hoặc văn bản nguồn.",
            f"The definition {name} lacks values, dates or its source document.",
            name,
        )
    return loaded


def _working_age(raw: Mapping[str, Any]) -> WorkingAge:
    limits = tuple(
        AgeLimit(row["valid_from"], Sex(row["sex"]), int(row["years"]), int(row.get("months", 0)))
        for row in raw["limits"]
    )
    if {row.sex for row in limits} != set(Sex) or len({(r.sex, r.valid_from) for r in limits}) != len(limits):
        raise ValueError("a limit for each sex, and one a day")
    return WorkingAge(int(raw["least"]), limits)


def _in_force(loaded: Loaded | None, on: date, cohort: Cohort) -> Loaded:
    vi, en = COHORT_LABELS[cohort]
    if loaded is None or not loaded.valid_from <= on <= loaded.valid_to:
        raise _not_loaded(
            "cohort-definition-missing", f"định nghĩa nhóm “{vi.lower()}”", f"the cohort “{en}”"
        )
    return loaded


def _not_loaded(rule: str, vi: str, en: str) -> Refused:
    return Refused(
        rule,
        f"Chưa nạp {vi} kèm văn bản nguồn có hiệu lực vào ngày này.",
        f"No definition of {en} with its source document is loaded for this day.",
    )


def _attribute(member: Member, name: str) -> str:
    code: str | None = getattr(member, name)
    listed, field = code_list(name), f"members.{member.id}.{name}"
    if code is None:
        raise Refused(
            "member-answer-missing",
            f"Một thành viên chưa có thông tin “{listed.title_vi.lower()}”.",
            f"A member lacks “{listed.title_en.lower()}”.",
            field,
        )
    listed.get(code, field)
    return code


def _is_learner(member: Member, marks: Sequence[str]) -> bool:
    return any(code_list("study").has(_attribute(member, "study"), mark) for mark in marks)


def _children(members: Sequence[Member], on: date, rules: CohortRules) -> Membership:
    ages = [(member, has_reached(member.birth, rules.children_below, on)) for member in members]
    found = tuple(member.id for member, grown in ages if not grown.yes)
    return Membership(Cohort.CHILDREN_UNDER_16, bool(found), found, any(grown.assumed for _, grown in ages))


def _learners(members: Sequence[Member], _on: date, rules: CohortRules) -> Membership:
    found = tuple(member.id for member in members if _is_learner(member, rules.learner_marks))
    return Membership(Cohort.PUPILS_STUDENTS, bool(found), found)


def _has_labour_no_job(members: Sequence[Member], on: date, rules: CohortRules) -> Membership:
    loaded = _in_force(rules.has_labour_no_job, on, Cohort.HAS_LABOUR_NO_JOB)
    assert loaded.working_age is not None  # a key of its definition
    found, assumed = [], False
    for member in members:
        of_age = loaded.working_age.contains(member, on)
        assumed |= of_age.assumed
        if not of_age.yes or not _able(member):
            continue
        if not loaded.values["learners_count"] and _is_learner(member, rules.learner_marks):
            continue
        work = _attribute(member, "work")
        if any(code_list("work").has(work, mark) for mark in loaded.values["jobless_marks"]):
            found.append(member.id)
    return Membership(Cohort.HAS_LABOUR_NO_JOB, bool(found), tuple(found), assumed)


def _no_labour_capacity(members: Sequence[Member], on: date, rules: CohortRules) -> Membership:
    loaded = _in_force(rules.no_labour_capacity, on, Cohort.NO_LABOUR_CAPACITY)
    able, assumed = [], False
    for member in members:
        unable, unsure = _unable(member, on, loaded, rules)
        assumed |= unsure
        if not unable:
            able.append(member.id)
    belongs = bool(members) and not able
    everybody = tuple(member.id for member in members)
    return Membership(Cohort.NO_LABOUR_CAPACITY, belongs, everybody if belongs else (), assumed)


def _unable(member: Member, on: date, loaded: Loaded, rules: CohortRules) -> tuple[bool, bool]:
    values, assumed = loaded.values, False
    if values["outside_working_age"] and loaded.working_age is not None:
        of_age = loaded.working_age.contains(member, on)
        if not of_age.yes:
            return True, of_age.assumed
        assumed = of_age.assumed
    if values["disability"] and _attribute(member, "disability") in values["disability"]:
        return True, assumed
    if values["learners"] and _is_learner(member, rules.learner_marks):
        return True, assumed
    return bool(values["unable_capacity"]) and not _able(member), assumed


def _able(member: Member) -> bool:
    return code_list("labour_capacity").has(_attribute(member, "labour_capacity"), "able")


_COHORTS: Mapping[Cohort, Callable[[Sequence[Member], date, CohortRules], Membership]] = {
    Cohort.HAS_LABOUR_NO_JOB: _has_labour_no_job,
    Cohort.NO_LABOUR_CAPACITY: _no_labour_capacity,
    Cohort.PUPILS_STUDENTS: _learners,
    Cohort.CHILDREN_UNDER_16: _children,
}
