"""A member of a household: what is recorded of a person, what cannot be, and what deserves a second look."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from uuid import UUID

from households.domain.ages import Birth, age_on, check_birth
from households.domain.household import check_members
from households.domain.identity import (
    Sex,
    check_legacy,
    check_missing_reason,
    number_notices,
    parse_number,
)
from households.domain.lists import code_list
from households.domain.matching import normalise_name
from households.domain.notices import Notice
from households.domain.terms import Refused

NAME_LIMIT = 100
"""Characters of a name; a longer one is a sentence in the wrong column."""
ADULT, WORKING_FROM = 18, 15
"""Only for warnings: full age (Civil Code, Article 20) and the least working age (Labour Code, Article 3)."""


@dataclass(frozen=True, slots=True)
class Member:
    """A person as recorded. None means that it was not asked; every other value is a code of its list.

    `number` is the personal number of 12 digits or None with `number_missing`; `legacy_number` an old CMND,
    kept and never searched as if it were the number. `works_on_job_training` is the decree's worker who was
    recruited by an enterprise and is certified as trained while working.
    """

    id: UUID
    name: str
    birth: Birth
    sex: Sex
    relation: str
    residence: str
    number: str | None = None
    number_missing: str | None = None
    number_missing_text: str | None = None
    legacy_number: str | None = None
    ethnicity: str | None = None
    disability: str | None = None
    allowance: str | None = None
    study: str | None = None
    qualification: str | None = None
    works_on_job_training: bool = False
    work: str | None = None
    labour_capacity: str | None = None
    insurance: str | None = None
    nutrition: str | None = None
    merit: str | None = None

    @property
    def is_head(self) -> bool:
        return code_list("relation").has(self.relation, "head")

    def age(self, on: date) -> int:
        """Completed years on the day."""
        return age_on(self.birth, on)


LISTS = (
    "relation",
    "residence",
    "ethnicity",
    "disability",
    "allowance",
    "study",
    "qualification",
    "work",
    "labour_capacity",
    "insurance",
    "nutrition",
    "merit",
)
"""The attributes that are codes, each named like its list."""


def plain_name(name: str) -> str:
    """A name for searching without diacritics: “Đỗ Thị Hường” is found as “do thi huong”.

    The Icelandic letter that old keyboards write for Đ is taken for it.
    """
    marked = unicodedata.normalize("NFD", normalise_name(name).replace("đ", "d").replace("ð", "d"))
    return "".join(c for c in marked if not unicodedata.combining(c))


def member_faults(member: Member, on: date) -> tuple[Refused, ...]:
    """Everything that cannot be in one record, so that a whole form is corrected in one go."""
    checks: list[Callable[[], object]] = [
        lambda: _check_name(member.name),
        lambda: check_birth(member.birth, on),
        lambda: _check_sex(member),
        *(partial(_check_code, member, name) for name in LISTS),
        lambda: _check_legacy(member),
        lambda: _check_number(member),
    ]
    found = []
    for check in checks:
        try:
            check()
        except Refused as refused:
            found.append(refused)
    return tuple(found)


def check_member(member: Member, on: date) -> tuple[Notice, ...]:
    """Refuse what cannot be; answer with what deserves a second look on that day."""
    for fault in member_faults(member, on):
        raise fault
    return member_notices(member, on)


def member_notices(member: Member, on: date) -> tuple[Notice, ...]:
    """What deserves a second look on that day in a record without faults."""
    if member.number is None:
        return _notices(member, on)
    number = parse_number(member.number)
    return number_notices(number, member.sex, member.birth.year) + _notices(member, on)


def _check_sex(member: Member) -> None:
    if not isinstance(member.sex, Sex):
        raise Refused("sex-unknown", "Giới tính phải là nam hoặc nữ.", "Sex is male or female.", "sex")


def _check_code(member: Member, name: str) -> None:
    code = getattr(member, name)
    if code is not None:
        code_list(name).get(code, name)


def _check_legacy(member: Member) -> None:
    if member.legacy_number is not None:
        check_legacy(member.legacy_number)


def _check_number(member: Member) -> None:
    if member.number is None:
        check_missing_reason(member.number_missing, member.number_missing_text)
        return
    parse_number(member.number)
    if member.number_missing is not None:
        raise Refused(
            "number-and-reason",
            "Đã có số định danh cá nhân thì không ghi lý do thiếu.",
            "A member with a personal number has no reason for its absence.",
            "number_missing",
        )


def check_household(members: Sequence[Member], on: date) -> tuple[tuple[UUID, Notice], ...]:
    """Refuse a household without exactly one head or with one number twice; each warning with whom it is about."""
    check_members(len(members))
    notices = tuple((member.id, notice) for member in members for notice in check_member(member, on))
    heads = sum(member.is_head for member in members)
    if heads != 1:
        raise Refused(
            "head-missing" if heads == 0 else "head-twice",
            f"Mỗi hộ có đúng một chủ hộ; hộ này ghi {heads}.",
            f"A household has exactly one head; this one has {heads}.",
            "relation",
        )
    if len({member.id for member in members}) != len(members):
        raise Refused(
            "member-twice",
            "Một thành viên được ghi hai lần trong hộ.",
            "A member is recorded twice in the household.",
            "members",
        )
    numbers = [member.number for member in members if member.number is not None]
    if len(set(numbers)) != len(numbers):
        raise Refused(
            "number-twice-in-household",
            "Hai thành viên trong hộ có cùng số định danh cá nhân.",
            "Two members of the household have the same personal number.",
            "number",
        )
    return notices


def ethnic_minority(members: Sequence[Member]) -> bool | None:
    """Whether the household counts as one of an ethnic minority: by its head, as the seen registers do."""
    codes = [member.ethnicity for member in members if member.is_head]
    return code_list("ethnicity").has(codes[0], "minority") if codes and codes[0] else None


def has_merit(members: Sequence[Member]) -> bool | None:
    """Whether a member is a person of merit; None while somebody was not asked and nobody said yes."""
    merits = code_list("merit")
    if any(merits.has(member.merit, "merit") for member in members):
        return True
    return None if any(member.merit is None for member in members) else False


def _check_name(name: str) -> None:
    if not isinstance(name, str) or not name.strip():
        raise Refused("name-missing", "Thiếu họ và tên.", "The name is missing.", "name")
    if len(name) > NAME_LIMIT:
        raise Refused(
            "name-too-long",
            f"Họ và tên dài quá {NAME_LIMIT} ký tự.",
            f"The name is longer than {NAME_LIMIT} characters.",
            "name",
        )
    if any(unicodedata.category(c) in {"Cc", "Cs", "Nd"} for c in name) or not any(c.isalpha() for c in name):
        raise Refused(
            "name-malformed",
            "Họ và tên chỉ gồm chữ cái và dấu.",
            "A name has letters and marks only.",
            "name",
        )


def _notices(member: Member, on: date) -> tuple[Notice, ...]:
    age = member.age(on)
    relation, work = code_list("relation"), code_list("work")
    found = []
    if member.birth.day is None:
        found.append(
            Notice(
                "birth-day-unknown",
                f"Chỉ biết năm sinh {member.birth.year}; tuổi được tính theo quy ước.",
                f"Only the birth year {member.birth.year} is known; ages follow a convention.",
                "birth",
            )
        )
    if age < ADULT and member.is_head:
        found.append(
            Notice(
                "head-is-a-child",
                f"Chủ hộ mới {age} tuổi; hãy kiểm tra ngày sinh và quan hệ với chủ hộ.",
                f"The head is only {age}; check birth and relation.",
                "relation",
            )
        )
    if age < ADULT and relation.has(member.relation, "adult"):
        found.append(
            Notice(
                "relation-implausible",
                f"Người mới {age} tuổi nhưng ghi là {relation.label(member.relation).lower()}.",
                f"Someone of only {age} is recorded as {relation.label(member.relation, 'en').lower()}.",
                "relation",
            )
        )
    if age < WORKING_FROM and (work.has(member.work, "works") or work.has(member.work, "willing")):
        found.append(
            Notice(
                "work-below-working-age",
                f"Người mới {age} tuổi nhưng ghi là {work.label(member.work or '').lower()}.",
                f"Someone of only {age} is recorded as {work.label(member.work or '', 'en').lower()}.",
                "work",
                "Bộ luật Lao động 2019, Điều 3",
            )
        )
    return tuple(found)
