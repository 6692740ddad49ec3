"""Causes of poverty of a household (form 7.10): which there are, and what may be said with a result.

They are given with a decision on a poor or near-poor household, several at once; they explain the result and
never make it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

from households.domain.terms import LISTED, HouseholdClass, Refused

TEXT_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause, a column of form 7.10. A `restricted` one tells of somebody's health."""

    code: str
    column: int
    vi: str
    en: str
    restricted: bool
    needs_text: bool

    def label(self, language: str = "vi") -> str:
        """Its words."""
        return self.vi if language == "vi" else self.en


@dataclass(frozen=True, slots=True)
class CauseList:
    """The causes of a form, in the order of its columns, with the days on which it holds."""

    legal: str
    source: str
    confidence: str
    valid_from: date
    valid_to: date | None
    causes: Mapping[str, Cause]

    @property
    def restricted(self) -> tuple[str, ...]:
        """The causes that only those see who may see restricted indicators."""
        return tuple(code for code, cause in self.causes.items() if cause.restricted)


@dataclass(frozen=True, slots=True)
class Causes:
    """What is said of one household: codes in the order of the form, and which other cause there is."""

    codes: tuple[str, ...]
    text: str | None = None

    def seen(self, *, restricted: bool) -> Causes | None:
        """What somebody may see of it; None where that is nothing, as if nothing had been said.

        Words are anybody's own and may name an illness: that there is another cause is seen, which one is not.
        """
        if restricted:
            return self
        known = cause_list().causes
        codes = tuple(code for code in self.codes if code not in known or not known[code].restricted)
        return Causes(codes) if codes else None

    def kept_beside(self, codes: Sequence[str], text: str | None) -> tuple[tuple[str, ...], str | None]:
        """What is said anew by somebody who could not see all of this: what was unseen stays as it was."""
        known = cause_list().causes
        unseen = (code for code in cause_list().restricted if code in self.codes and code not in codes)
        put_in_words = any(code in known and known[code].needs_text for code in codes)
        return (*codes, *unseen), text or (self.text if put_in_words else None)


@cache
def cause_list() -> CauseList:
    """The form's causes, from the data file."""
    raw = tomllib.loads((resources.files("households") / "data" / "causes.toml").read_text("utf-8"))
    found = sorted(
        (
            Cause(
                one["code"],
                one["column"],
                one["vi"],
                one["en"],
                one.get("restricted", False),
                one.get("needs_text", False),
            )
            for one in raw["causes"]
        ),
        key=lambda one: one.column,
    )
    return CauseList(
        raw["legal"],
        raw["source"],
        raw["confidence"],
        raw["valid_from"],
        raw.get("valid_to"),
        {one.code: one for one in found},
    )


def causes_given(on: date, codes: Sequence[str] | None, text: str | None = None) -> Causes | None:
    """What a result says of causes; None where it says nothing. Raises `Refused`.

    `on` is the day of the decision that they belong to.
    """
    known = cause_list()
    words = (text or "").strip() or None
    if not codes and words is None:
        return None
    _check_day(known, on)
    _check_codes(known, codes or ())
    needed = next((code for code in codes or () if known.causes[code].needs_text), None)
    if needed is not None and words is None:
        raise Refused(
            "cause-text-missing",
            f"Chọn “{known.causes[needed].vi}” thì phải ghi rõ nguyên nhân.",
            "Say which other cause of poverty there is.",
            "cause_text",
            known.legal,
        )
    if needed is None and words is not None:
        raise Refused(
            "cause-text-without-other",
            "Chỉ ghi nguyên nhân bằng lời khi đã chọn “Nguyên nhân khác”.",
            "A cause is put in words only where “another cause” was chosen.",
            "cause_text",
            known.legal,
        )
    _check_length(known, words)
    return Causes(ordered(codes or ()), words)


def ordered(codes: Iterable[str]) -> tuple[str, ...]:
    """Codes in the order of the form, so that one combination is written in one way."""
    columns = {code: cause.column for code, cause in cause_list().causes.items()}
    return tuple(sorted(set(codes), key=lambda code: (columns.get(code, len(columns) + 1), code)))


def _check_day(known: CauseList, on: date) -> None:
    if known.valid_from <= on and (known.valid_to is None or on < known.valid_to):
        return
    raise Refused(
        "causes-not-of-that-day",
        f"Danh mục nguyên nhân nghèo không áp dụng cho quyết định ngày {on:%d/%m/%Y} (áp dụng từ"
        f" {known.valid_from:%d/%m/%Y}).",
        f"The causes of form 7.10 do not hold for a decision of {on.isoformat()}, but from"
        f" {known.valid_from.isoformat()}.",
        "causes",
        known.legal,
    )


def _check_codes(known: CauseList, codes: Sequence[str]) -> None:
    for code in codes:
        if code not in known.causes:
            raise Refused(
                "cause-unknown",
                f"Mẫu 7.10 không có nguyên nhân “{code[:60]}”.",
                f"Form 7.10 has no cause “{code[:60]}”.",
                "causes",
                known.legal,
            )
    twice = next((code for code in codes if codes.count(code) > 1), None)
    if twice is not None:
        raise Refused(
            "cause-twice",
            f"Nguyên nhân “{known.causes[twice].vi}” được ghi hai lần.",
            f"The cause “{known.causes[twice].en}” is given twice.",
            "causes",
            known.legal,
        )


def _check_length(known: CauseList, words: str | None) -> None:
    if words is not None and len(words) > TEXT_LIMIT:
        raise Refused(
            "cause-text-too-long",
            f"Nguyên nhân khác ghi dài quá {TEXT_LIMIT} ký tự.",
            f"The other cause is longer than {TEXT_LIMIT} characters.",
            "cause_text",
            known.legal,
        )


def check_class(found: HouseholdClass) -> None:
    """Refuse causes of poverty of a household that is neither poor nor near-poor: form 7.10 has no row for it."""
    if found not in LISTED:
        raise Refused(
            "causes-of-unlisted-class",
            "Chỉ ghi nguyên nhân nghèo cho hộ nghèo, hộ cận nghèo.",
            "Causes of poverty are recorded of poor and near-poor households alone.",
            "causes",
            cause_list().legal,
        )


@dataclass(frozen=True, slots=True)
class CauseCount:
    """A row of form 7.10: of one list, or of both, the households and how many of them have each cause."""

    household_class: HouseholdClass | None
    households: int
    with_causes: int
    causes: Mapping[str, int]


def counted(found: Iterable[tuple[str, Sequence[str] | None, int]]) -> list[CauseCount]:
    """The rows of one area, both lists first, from households by class and combination of causes.

    A household counts with each of its causes, and once among the households.
    """
    groups = list(found)
    rows = []
    for household_class in (None, HouseholdClass.POOR, HouseholdClass.NEAR_POOR):
        own = [(causes, n) for each, causes, n in groups if household_class in {None, each}]
        rows.append(
            CauseCount(
                household_class,
                sum(n for _, n in own),
                sum(n for causes, n in own if causes),
                {code: sum(n for causes, n in own if code in (causes or ())) for code in cause_list().causes},
            )
        )
    return rows
