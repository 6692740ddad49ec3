"""Working days of public offices: Monday to Friday, less public holidays, plus the weekend days worked instead.

Only years that were told by the Government and loaded are counted; any other year refuses.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Any

from households.domain.terms import Refused

LABOUR_CODE = "Bộ luật Lao động 45/2019/QH14, Điều 111, 112"
CIVIL_CODE_START = "Bộ luật Dân sự 91/2015/QH13, Điều 147"
CIVIL_CODE_END = "Bộ luật Dân sự 91/2015/QH13, Điều 148 khoản 5"
CONFIDENCES = frozenset({"high", "medium"})
"""What may be loaded at all: a fact of low confidence stays out and refuses."""

_DAY = timedelta(days=1)
_SATURDAY = 5


class HolidayFileInvalid(ValueError):
    """A year of holidays contradicts itself or lacks its source."""


@dataclass(frozen=True, slots=True)
class HolidayYear:
    """The holidays of one year. `undecided` days have words for what is in question."""

    year: int
    days_off: Mapping[date, tuple[str, str]]
    make_up: frozenset[date]
    undecided: Mapping[date, tuple[str, str]]
    sources: tuple[str, ...]
    confidence: str


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Counts working days over the years that are loaded."""

    years: Mapping[int, HolidayYear]

    def with_years(self, extra: Iterable[HolidayYear]) -> WorkCalendar:
        """This calendar with years loaded by an administrator; a year loaded again replaces the one here."""
        return WorkCalendar({**self.years, **{year.year: year for year in extra}})

    def is_working_day(self, day: date) -> bool:
        """Whether public offices work that day. Refuses a year that is not loaded and a day in question."""
        year = self.years.get(day.year)
        if year is None:
            raise Refused(
                "holidays-not-loaded",
                f"Chưa nạp ngày nghỉ lễ, tết năm {day.year} nên không tính được ngày làm việc.",
                f"The public holidays of {day.year} are not loaded, so working days cannot be counted.",
                "year",
                LABOUR_CODE,
            )
        if day in year.undecided:
            vi, en = year.undecided[day]
            raise Refused(
                "holiday-undecided",
                f"Chưa rõ ngày {day:%d/%m/%Y} ({vi}) có phải ngày nghỉ hay không; cần nạp lại ngày nghỉ lễ, tết"
                f" năm {day.year}.",
                f"It is not settled whether {day.isoformat()} ({en}) is a day off; load the public holidays of"
                f" {day.year} again.",
                "year",
                LABOUR_CODE,
            )
        if day in year.make_up:
            return True
        return day.weekday() < _SATURDAY and day not in year.days_off

    def next_working_day(self, day: date) -> date:
        """The day itself if it is a working day, otherwise the next one."""
        while not self.is_working_day(day):
            day += _DAY
        return day

    def after_working_days(self, day: date, count: int) -> date:
        """The last day of a period of `count` working days; the day of the event itself does not count."""
        _check_count(count)
        while count:
            day += _DAY
            if self.is_working_day(day):
                count -= 1
        return day

    def after_calendar_days(self, day: date, count: int) -> date:
        """The last day of a period of `count` days; one that would end on a day off ends on a working day."""
        _check_count(count)
        return self.next_working_day(day + timedelta(days=count))

    def working_days_between(self, first: date, last: date) -> int:
        """Working days after `first` up to and including `last`."""
        return sum(self.is_working_day(first + timedelta(days=n)) for n in range(1, (last - first).days + 1))


def parse_holiday_year(raw: Mapping[str, Any]) -> HolidayYear:
    """One year from the content of a data file; raises HolidayFileInvalid."""
    try:
        year = _build(raw)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise HolidayFileInvalid(f"{raw.get('year', '?')}: {error!r}") from error
    _validate(year)
    return year


@cache
def work_calendar() -> WorkCalendar:
    """The years that come with the package."""
    raw = tomllib.loads((resources.files("households") / "data" / "holidays.toml").read_text("utf-8"))
    return WorkCalendar({}).with_years(parse_holiday_year(year) for year in raw["years"])


def _build(raw: Mapping[str, Any]) -> HolidayYear:
    days_off: dict[date, tuple[str, str]] = {}
    for entry in raw["days_off"]:
        day, last = entry["from"], entry["to"]
        if last < day:
            raise HolidayFileInvalid(f"{raw['year']}: a holiday ends on {last}, before it begins on {day}")
        while day <= last:
            days_off[day] = (entry["vi"], entry["en"])
            day += _DAY
    return HolidayYear(
        year=int(raw["year"]),
        days_off=days_off,
        make_up=frozenset(raw.get("make_up", ())),
        undecided={entry["day"]: (entry["vi"], entry["en"]) for entry in raw.get("undecided", ())},
        sources=tuple(raw["sources"]),
        confidence=raw["confidence"],
    )


def _validate(year: HolidayYear) -> None:
    named = [*year.days_off, *year.make_up, *year.undecided]
    faults = [
        ("no source", not year.sources),
        ("confidence is neither high nor medium", year.confidence not in CONFIDENCES),
        ("a day lies in another year", any(day.year != year.year for day in named)),
        ("a day is given twice with two meanings", len(set(named)) != len(named)),
        ("a day worked instead is no weekend day", any(day.weekday() < _SATURDAY for day in year.make_up)),
    ]
    wrong = [text for text, is_wrong in faults if is_wrong]
    if wrong:
        raise HolidayFileInvalid(f"{year.year}: {'; '.join(wrong)}")


def _check_count(count: int) -> None:
    if count < 1:
        raise ValueError(f"a period has at least one day, not {count}")
