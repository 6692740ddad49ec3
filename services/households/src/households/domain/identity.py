"""The personal number of 12 digits (số định danh cá nhân): what it must look like and what it tells.

It is text, since it may begin with zeros. It tells the sex, the year of birth and where the birth was registered
(never where somebody lives). Where it disagrees with what is recorded somebody has to look; the population
register, not the digits, decides, so that disagreement is a warning and never a refusal.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources

from households.domain.lists import code_list
from households.domain.notices import Notice
from households.domain.terms import Refused


class Sex(StrEnum):
    """Sex as the population register keeps it."""

    MALE = "MALE"
    FEMALE = "FEMALE"


SEX_LABELS: Mapping[Sex, tuple[str, str]] = {Sex.MALE: ("Nam", "Male"), Sex.FEMALE: ("Nữ", "Female")}


@dataclass(frozen=True, slots=True)
class NumberRules:
    """The table that a number is read with."""

    digits: int
    legacy_digits: int
    centuries: Mapping[str, tuple[int, Sex]]
    birth_places: Mapping[str, str]
    legal: str
    legacy_legal: str


@dataclass(frozen=True, slots=True)
class PersonalNumber:
    """A number of the right form and what it tells. `birth_place` is None for a code that is not in the list."""

    number: str
    place_code: str
    birth_place: str | None
    sex: Sex
    birth_year: int

    @property
    def masked(self) -> str:
        """The number as it may be shown to those who need only to recognise it."""
        return "•" * (len(self.number) - 4) + self.number[-4:]


@cache
def number_rules() -> NumberRules:
    """The rules of the data file."""
    raw = tomllib.loads((resources.files("households") / "data" / "identity.toml").read_text("utf-8"))
    return NumberRules(
        raw["digits"],
        raw["legacy_digits"],
        {digit: (year, Sex(sex)) for digit, (year, sex) in raw["centuries"].items()},
        raw["birth_places"],
        raw["legal"],
        raw["legacy_legal"],
    )


def parse_number(number: str, rules: NumberRules | None = None) -> PersonalNumber:
    """Read a personal number. Refuses whatever is not 12 digits, and says so apart for an old CMND of nine."""
    rules = rules or number_rules()
    if not isinstance(number, str):
        raise Refused(
            "number-not-text",
            "Số định danh cá nhân phải ghi dạng chữ để giữ các số 0 ở đầu.",
            "A personal number is text, so that its leading zeros are kept.",
            "number",
            rules.legal,
        )
    if re.fullmatch(rf"[0-9]{{{rules.legacy_digits}}}", number):
        raise Refused(
            "number-is-legacy",
            "Đây là số chứng minh nhân dân cũ (9 số), không còn giá trị; chỉ ghi vào mục số giấy tờ cũ.",
            "This is an old identity card number (9 digits), no longer valid; record it as an old paper only.",
            "number",
            rules.legacy_legal,
        )
    if not re.fullmatch(rf"[0-9]{{{rules.digits}}}", number):
        raise Refused(
            "number-malformed",
            f"Số định danh cá nhân gồm đúng {rules.digits} chữ số, viết liền.",
            f"A personal number is exactly {rules.digits} digits, written together.",
            "number",
            rules.legal,
        )
    century, sex = rules.centuries[number[3]]
    place = number[:3]
    return PersonalNumber(number, place, rules.birth_places.get(place), sex, century + int(number[4:6]))


def check_legacy(number: str, rules: NumberRules | None = None) -> None:
    """Refuse an old identity card number that is not nine digits."""
    rules = rules or number_rules()
    if not isinstance(number, str) or not re.fullmatch(rf"[0-9]{{{rules.legacy_digits}}}", number):
        raise Refused(
            "legacy-number-malformed",
            f"Số chứng minh nhân dân cũ gồm đúng {rules.legacy_digits} chữ số.",
            f"An old identity card number is exactly {rules.legacy_digits} digits.",
            "legacy_number",
            rules.legacy_legal,
        )


def number_notices(
    number: PersonalNumber, sex: Sex, birth_year: int, rules: NumberRules | None = None
) -> tuple[Notice, ...]:
    """Where the digits disagree with what is recorded. Nothing is changed: the population register decides."""
    rules = rules or number_rules()
    found = []
    if number.sex is not sex:
        found.append(
            Notice(
                "number-contradicts-sex",
                f"Số định danh cho biết giới tính {SEX_LABELS[number.sex][0]}, phiếu ghi {SEX_LABELS[sex][0]};"
                " hãy đối chiếu với cơ sở dữ liệu dân cư.",
                f"The number says {SEX_LABELS[number.sex][1].lower()}, the form {SEX_LABELS[sex][1].lower()};"
                " compare with the population register.",
                "sex",
                rules.legal,
            )
        )
    if number.birth_year != birth_year:
        found.append(
            Notice(
                "number-contradicts-birth-year",
                f"Số định danh cho biết năm sinh {number.birth_year}, phiếu ghi {birth_year};"
                " hãy đối chiếu với cơ sở dữ liệu dân cư.",
                f"The number says born in {number.birth_year}, the form {birth_year};"
                " compare with the population register.",
                "birth",
                rules.legal,
            )
        )
    if number.birth_place is None:
        found.append(
            Notice(
                "number-place-unknown",
                f"Mã nơi đăng ký khai sinh {number.place_code} chưa có trong danh mục; hãy kiểm tra lại số.",
                f"The code of birth registration {number.place_code} is not in the list; check the number.",
                "number",
                rules.legal,
            )
        )
    return tuple(found)


def check_missing_reason(reason: str | None, text: str | None) -> None:
    """A member without a number needs a reason from the list; the reason OTHER needs its words."""
    if reason is None:
        raise Refused(
            "number-missing-without-reason",
            "Chưa có số định danh cá nhân thì phải ghi lý do.",
            "A missing personal number needs a reason.",
            "number_missing",
        )
    entry = code_list("number_missing").get(reason, "number_missing")
    if "needs_text" in entry.marks and not (text or "").strip():
        raise Refused(
            "number-missing-reason-without-words",
            "Lý do khác phải được ghi rõ.",
            "Another reason must be written out.",
            "number_missing_text",
        )
