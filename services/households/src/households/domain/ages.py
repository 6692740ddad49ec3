"""When somebody reaches an age: exact on the birthday, and honest about a birth known only by its year."""

from __future__ import annotations

import tomllib
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from importlib import resources

from households.domain.terms import Refused

EARLIEST_YEAR = 1850
"""A year of birth before this is a slip of the pen; it also keeps dates inside the calendar."""
LATEST_YEAR = 2400


class YearOnly(StrEnum):
    """What stands for a birth of which only the year is known."""

    FIRST_OF_JANUARY = "FIRST_OF_JANUARY"
    LAST_OF_DECEMBER = "LAST_OF_DECEMBER"
    REFUSE = "REFUSE"


class MissingDay(StrEnum):
    """When an age is reached if the month has no such day (29 February)."""

    LAST_OF_MONTH = "LAST_OF_MONTH"
    FIRST_OF_NEXT = "FIRST_OF_NEXT"


@dataclass(frozen=True, slots=True)
class AgeRules:
    """The two decisions on ages, and the age above which a birth cannot be right."""

    missing_day: MissingDay
    year_only: YearOnly
    oldest: int


@dataclass(frozen=True, slots=True)
class Birth:
    """A birth by its day, or by its year alone."""

    year: int
    day: date | None = None

    @classmethod
    def on(cls, day: date) -> Birth:
        """A birth of which the day is known."""
        return cls(day.year, day)

    def __str__(self) -> str:
        return self.day.isoformat() if self.day else str(self.year)


@dataclass(frozen=True, slots=True)
class Reached:
    """Whether an age is reached. `assumed`: only the year of birth is known, and its day would matter."""

    yes: bool
    assumed: bool = False


@cache
def age_rules() -> AgeRules:
    """The decisions of the data file."""
    raw = tomllib.loads((resources.files("households") / "data" / "ages.toml").read_text("utf-8"))
    return AgeRules(MissingDay(raw["missing_day"]), YearOnly(raw["year_only"]), int(raw["oldest"]))


def reached_on(born: date, years: int, months: int = 0, rules: AgeRules | None = None) -> date:
    """The day on which somebody born on `born` is exactly that old: the birthday itself."""
    rules = rules or age_rules()
    carried, month = divmod(born.month - 1 + months, 12)
    year, month = born.year + years + carried, month + 1
    last = monthrange(year, month)[1]
    if born.day <= last:
        return date(year, month, born.day)
    end = date(year, month, last)
    return end if rules.missing_day is MissingDay.LAST_OF_MONTH else end + timedelta(days=1)


def has_reached(
    birth: Birth, years: int, on: date, *, months: int = 0, rules: AgeRules | None = None
) -> Reached:
    """Whether the person is at least that old on the day. Refuses only where the rule for years says so."""
    rules = rules or age_rules()
    if birth.day is not None:
        return Reached(on >= reached_on(birth.day, years, months, rules))
    early = on >= reached_on(date(birth.year, 1, 1), years, months, rules)
    late = on >= reached_on(date(birth.year, 12, 31), years, months, rules)
    if early == late:
        return Reached(early)
    if rules.year_only is YearOnly.REFUSE:
        raise Refused(
            "birth-day-needed",
            f"Chỉ biết năm sinh {birth.year}; cần ngày sinh vì người này có thể vừa tròn {years} tuổi.",
            f"Only the year of birth {birth.year} is known; the day decides whether the age {years} is reached.",
            "birth",
        )
    return Reached(early if rules.year_only is YearOnly.FIRST_OF_JANUARY else late, assumed=True)


def age_on(birth: Birth, on: date, rules: AgeRules | None = None) -> int:
    """Completed years on the day; a birth known by its year counts by the rule (1 January where it refuses)."""
    rules = rules or age_rules()
    if birth.day is not None:
        born = birth.day
    elif rules.year_only is YearOnly.LAST_OF_DECEMBER:
        born = date(birth.year, 12, 31)
    else:
        born = date(birth.year, 1, 1)
    years = on.year - born.year
    return years if on >= reached_on(born, years, 0, rules) else years - 1


def check_birth(birth: Birth, on: date, rules: AgeRules | None = None) -> None:
    """Refuse a birth after the day, too long ago, or one whose year contradicts its day."""
    rules = rules or age_rules()
    if birth.day is not None and birth.day.year != birth.year:
        raise Refused(
            "birth-year-contradicts-date",
            f"Năm sinh {birth.year} không khớp ngày sinh {birth.day:%d/%m/%Y}.",
            f"Birth year {birth.year} contradicts the birth date {birth.day.isoformat()}.",
            "birth",
        )
    if (birth.day or date(min(max(birth.year, EARLIEST_YEAR), LATEST_YEAR), 1, 1)) > on:
        raise Refused(
            "birth-in-future",
            f"Ngày sinh ({birth}) sau ngày {on:%d/%m/%Y}.",
            f"The birth ({birth}) lies after {on.isoformat()}.",
            "birth",
        )
    if birth.year < EARLIEST_YEAR or on.year - birth.year > rules.oldest:
        raise Refused(
            "birth-implausible",
            f"Năm sinh {birth.year} không hợp lý; hãy kiểm tra lại giấy tờ.",
            f"Birth year {birth.year} is not plausible; check the papers.",
            "birth",
        )
