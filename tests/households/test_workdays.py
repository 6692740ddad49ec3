"""Working days of public offices: weekends, holidays, days worked instead; what is not loaded is not guessed."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from households.domain.terms import Refused
from households.domain.workdays import HolidayFileInvalid, WorkCalendar, parse_holiday_year, work_calendar

CALENDAR = work_calendar()
BEFORE_THE_OPEN_QUESTION = st.dates(date(2021, 1, 1), date(2026, 9, 30))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2024-01-24", True),
        ("2024-01-27", False),  # a Saturday
        ("2024-02-08", False),  # Tết
        ("2024-02-15", True),
        ("2024-04-29", False),  # swapped
        ("2024-05-04", True),  # a Saturday worked instead
        ("2022-01-03", False),  # New Year fell on a Saturday
        ("2022-05-03", False),  # both 30 April and 1 May fell on a weekend
        ("2023-05-02", False),
        ("2023-09-04", False),
        ("2025-05-02", False),
        ("2025-04-26", True),
        ("2026-01-02", False),
        ("2026-01-10", True),
        ("2026-08-31", False),
        ("2026-08-22", True),
    ],
)
def test_offices_work_as_the_government_told(day: str, works: bool) -> None:
    assert CALENDAR.is_working_day(date.fromisoformat(day)) is works


@pytest.mark.parametrize(
    ("posted", "days", "last"),
    [
        ("2025-10-20", 3, "2025-10-23"),  # Monday: Tuesday, Wednesday, Thursday
        ("2025-10-23", 3, "2025-10-28"),  # over a weekend
        ("2025-08-28", 3, "2025-09-04"),  # Friday 29, then Quốc khánh, then 3 and 4 September
        ("2024-02-07", 5, "2024-02-21"),  # over Tết
        ("2025-04-25", 1, "2025-04-26"),  # a Saturday worked instead counts
    ],
)
def test_a_period_of_working_days_does_not_count_its_first_day(posted: str, days: int, last: str) -> None:
    assert CALENDAR.after_working_days(date.fromisoformat(posted), days) == date.fromisoformat(last)


def test_a_period_of_days_that_would_end_on_a_day_off_ends_on_the_next_working_day() -> None:
    assert CALENDAR.after_calendar_days(date(2025, 8, 15), 15) == date(2025, 9, 3)
    assert CALENDAR.after_calendar_days(date(2025, 10, 15), 15) == date(2025, 10, 30)


def test_a_year_that_is_not_loaded_refuses_by_name() -> None:
    with pytest.raises(Refused) as refused:
        CALENDAR.after_working_days(date(2027, 3, 1), 3)
    assert refused.value.rule == "holidays-not-loaded"
    assert "2027" in refused.value.message_vi


def test_a_day_in_question_refuses_until_its_year_is_loaded_again() -> None:
    with pytest.raises(Refused) as refused:
        CALENDAR.after_working_days(date(2026, 11, 20), 3)
    assert refused.value.rule == "holiday-undecided"
    assert CALENDAR.after_working_days(date(2026, 11, 25), 3) == date(2026, 11, 30)

    year = {"year": 2026, "sources": ["a notice"], "confidence": "high", "days_off": []}
    off = {
        "from": date(2026, 11, 24),
        "to": date(2026, 11, 24),
        "vi": "Ngày Văn hóa Việt Nam",
        "en": "Culture Day",
    }
    decided = CALENDAR.with_years([parse_holiday_year({**year, "days_off": [off]})])
    assert decided.after_working_days(date(2026, 11, 20), 3) == date(2026, 11, 26)
    assert 2025 in decided.years


@pytest.mark.parametrize(
    "wrong",
    [
        {"sources": []},
        {"confidence": "low"},
        {"make_up": [date(2027, 1, 6)]},  # a Wednesday
        {"make_up": [date(2026, 1, 10)]},  # of another year
        {"days_off": [{"from": date(2027, 1, 2), "to": date(2027, 1, 1), "vi": "a", "en": "a"}]},
        {"make_up": [date(2027, 1, 2)], "undecided": [{"day": date(2027, 1, 2), "vi": "a", "en": "a"}]},
        {"days_off": [{"from": date(2027, 1, 2)}]},
    ],
)
def test_a_year_that_contradicts_itself_is_not_loaded(wrong: dict[str, Any]) -> None:
    good: dict[str, Any] = {"year": 2027, "sources": ["a notice"], "confidence": "high", "days_off": []}
    assert parse_holiday_year(good).year == 2027
    with pytest.raises(HolidayFileInvalid):
        parse_holiday_year({**good, **wrong})


def test_every_year_has_eleven_days_off_or_their_replacements() -> None:
    for year in CALENDAR.years.values():
        weekdays_off = [day for day in year.days_off if day.weekday() < 5]
        assert len(weekdays_off) - len(year.make_up) == 11, year.year


@given(BEFORE_THE_OPEN_QUESTION, st.integers(1, 20))
def test_a_period_ends_on_a_working_day_and_holds_exactly_its_working_days(start: date, count: int) -> None:
    last = CALENDAR.after_working_days(start, count)
    assert CALENDAR.is_working_day(last)
    assert CALENDAR.working_days_between(start, last) == count
    assert CALENDAR.after_working_days(start, count + 1) > last
    assert CALENDAR.after_working_days(start + timedelta(days=1), count) >= last


def test_an_empty_calendar_knows_no_day() -> None:
    with pytest.raises(Refused):
        WorkCalendar({}).is_working_day(date(2024, 1, 24))
    with pytest.raises(ValueError, match="at least one day"):
        CALENDAR.after_working_days(date(2024, 1, 24), 0)
