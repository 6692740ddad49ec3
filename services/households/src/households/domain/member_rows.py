"""Whom the rows of a file of members mean, household by household. Who might be meant is shown, never guessed.

The rows of one household are taken together or not at all: no file leaves a household half written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from households.domain.ages import Birth
from households.domain.matching import normalise_name
from households.domain.persons import LISTS, Member, member_faults, plain_name
from households.domain.rosters import (
    MemberFact,
    MemberFactKind,
    NewFact,
    by_member,
    take,
    version_on,
)
from households.domain.terms import Refused


class RowPlan(StrEnum):
    """What a row comes to."""

    ENTER = "ENTER"
    CHANGE = "CHANGE"
    SAME = "SAME"
    UNMATCHED = "UNMATCHED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One row: `person` as the file describes somebody, under an id that is used if the person is new.

    `chosen` is whom an officer said is meant; `is_new` that nobody known is.
    """

    number: int
    person: Member
    chosen: UUID | None = None
    is_new: bool = False
    known_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """The answer to a row: `member` as it will be recorded, or why not and who may be meant."""

    number: int
    plan: RowPlan
    member: Member | None = None
    refused: Refused | None = None
    candidates: tuple[UUID, ...] = ()

    @property
    def taken(self) -> bool:
        """Whether the row can be applied."""
        return self.plan in (RowPlan.ENTER, RowPlan.CHANGE, RowPlan.SAME)


def plan_rows(
    facts: Sequence[MemberFact], rows: Sequence[PersonRow], on: date, today: date
) -> tuple[tuple[Planned, ...], tuple[NewFact, ...]]:
    """The answers to all rows of one household, and the facts to record: none unless every row is taken."""
    versions = [version_on(own, on) for own in by_member(facts).values()]
    present = {version.member.id: version.member for version in versions if version is not None}
    planned = _refuse_shared([_plan(row, present, on) for row in rows])
    if all(each.taken for each in planned):
        new = tuple(_fact(each, on) for each in planned if each.plan is not RowPlan.SAME)
        try:
            take(facts, new, today)
        except Refused as refused:
            return tuple(_refused(each, refused) for each in planned), ()
        return tuple(planned), new
    waits = not_whole([each.number for each in planned if not each.taken])
    return tuple(_refused(each, waits) if each.taken and waits else each for each in planned), ()


def not_whole(numbers: Sequence[int] | None) -> Refused | None:
    """The refusal of a household of which these rows are not taken."""
    if not numbers:
        return None
    listed = ", ".join(map(str, numbers))
    return Refused(
        "household-not-whole",
        f"Chưa ghi hộ này vì dòng {listed} của cùng hộ chưa được nhận.",
        f"This household is not recorded while row {listed} of it is not taken.",
        "row",
    )


def described(row: Member, known: Member) -> Member:
    """Somebody who is known, as the row describes them: a blank cell was not asked and erases nothing."""
    asked = {
        name: getattr(row, name)
        for name in (*LISTS, "number", "number_missing", "number_missing_text", "legacy_number")
        if getattr(row, name) is not None
    }
    if "number" in asked:
        asked |= {"number_missing": None, "number_missing_text": None}
    elif known.number is not None:
        asked |= {"number_missing": None, "number_missing_text": None, "number": known.number}
    birth = known.birth if row.birth.day is None and row.birth.year == known.birth.year else row.birth
    training = row.works_on_job_training or known.works_on_job_training
    changed: dict[str, Any] = {
        "name": row.name,
        "birth": birth,
        "sex": row.sex,
        "works_on_job_training": training,
    }
    return replace(known, **changed, **asked)


def _plan(row: PersonRow, present: Mapping[UUID, Member], on: date) -> Planned:
    if row.chosen is not None:
        known = present.get(row.chosen)
        if known is None:
            return Planned(row.number, RowPlan.UNMATCHED, refused=_not_here())
        return _checked(row, known, on)
    if row.is_new:
        return _checked(row, None, on)
    for fault in member_faults(row.person, on):
        if not (fault.rule == "number-missing-without-reason" and _may_be_known(row, present)):
            return Planned(row.number, RowPlan.REFUSED, refused=fault)
    return _matched(row, present, on)


def _matched(row: PersonRow, present: Mapping[UUID, Member], on: date) -> Planned:
    given = row.person
    if given.number is not None:
        same = [known for known in present.values() if known.number == given.number]
        if same:
            return _checked(row, same[0], on)
    alike = [k for k in present.values() if _same_name(given, k) and _births_agree(given.birth, k.birth)]
    differs = [k for k in alike if k.number and given.number and k.number != given.number]
    if len(alike) == 1 and not differs and normalise_name(alike[0].name) == normalise_name(given.name):
        return _checked(row, alike[0], on)
    if alike:
        return Planned(
            row.number, RowPlan.UNMATCHED, refused=_alike(), candidates=tuple(known.id for known in alike)
        )
    if row.known_elsewhere:
        return Planned(row.number, RowPlan.UNMATCHED, refused=_elsewhere())
    return _checked(row, None, on)


def _checked(row: PersonRow, known: Member | None, on: date) -> Planned:
    member = row.person if known is None else described(row.person, known)
    for fault in member_faults(member, on):
        return Planned(row.number, RowPlan.REFUSED, refused=fault)
    if known is None:
        return Planned(row.number, RowPlan.ENTER, member)
    return Planned(row.number, RowPlan.SAME if member == known else RowPlan.CHANGE, member)


def _refuse_shared(planned: Sequence[Planned]) -> list[Planned]:
    """Two rows that mean one person are both left out: nobody knows which is right."""
    numbers: dict[UUID, list[int]] = {}
    for each in planned:
        if each.member is not None:
            numbers.setdefault(each.member.id, []).append(each.number)
    people: dict[tuple[str, Birth], list[int]] = {}
    for each in planned:
        if each.plan is RowPlan.ENTER and each.member is not None and each.member.number is None:
            people.setdefault((plain_name(each.member.name), each.member.birth), []).append(each.number)
    shared = {
        n: listed for listed in (*numbers.values(), *people.values()) if len(listed) > 1 for n in listed
    }
    return [
        _refused(each, _twice(shared[each.number])) if each.number in shared else each for each in planned
    ]


def _fact(planned: Planned, on: date) -> NewFact:
    assert planned.member is not None  # a row that is taken says whom it means
    kind = MemberFactKind.ENTERED if planned.plan is RowPlan.ENTER else MemberFactKind.CHANGED
    return NewFact(kind, on, planned.member)


def _refused(planned: Planned, refused: Refused) -> Planned:
    return Planned(planned.number, RowPlan.REFUSED, refused=refused)


def _may_be_known(row: PersonRow, present: Mapping[UUID, Member]) -> bool:
    """Whose number, or the reason for having none, is recorded already need not give it again."""
    return any(_same_name(row.person, known) for known in present.values())


def _same_name(one: Member, other: Member) -> bool:
    return plain_name(one.name) == plain_name(other.name)


def _births_agree(one: Birth, other: Birth) -> bool:
    if one.day is not None and other.day is not None:
        return one.day == other.day
    return one.year == other.year


def _twice(numbers: Sequence[int]) -> Refused:
    listed = ", ".join(map(str, sorted(numbers)))
    return Refused(
        "row-duplicated",
        f"Một người được ghi nhiều lần trong tệp: các dòng {listed}.",
        f"One person stands in the file more than once: rows {listed}.",
        "name",
    )


def _alike() -> Refused:
    return Refused(
        "member-alike",
        "Hộ đã có người gần giống (tên, ngày sinh) nhưng chưa chắc là một; hãy chọn người này hoặc ghi là người mới.",
        "The household has somebody much alike, but it is not certain who is meant; choose, or say it is somebody new.",
        "name",
    )


def _elsewhere() -> Refused:
    return Refused(
        "person-known-elsewhere",
        "Người này có thể đã được ghi ở hộ khác (trùng số định danh, hoặc trùng họ tên, ngày sinh trong xã);"
        " hãy xem lại rồi ghi là người mới, hoặc bỏ qua dòng này.",
        "This person may be recorded in another household; look, then say it is somebody new or leave the row out.",
        "name",
    )


def _not_here() -> Refused:
    return Refused(
        "not-a-member-then",
        "Người được chọn không là thành viên của hộ vào ngày này.",
        "Who was chosen is no member of the household on that day.",
        "member_id",
    )
