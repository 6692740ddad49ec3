"""An age is reached on the birthday itself, also by somebody born on 29 February or known by a year alone."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from households.domain.ages import (
    Birth,
    MissingDay,
    YearOnly,
    age_on,
    age_rules,
    check_birth,
    has_reached,
    reached_on,
)
from households.domain.terms import Refused

DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize(
    ("born", "on", "years"),
    [
        ("2010-10-15", "2026-10-14", 15),
        ("2010-10-15", "2026-10-15", 16),
        ("2010-10-15", "2026-10-16", 16),
        ("2010-12-31", "2026-12-30", 15),
        ("2010-01-01", "2026-01-01", 16),
        ("2012-02-29", "2028-02-28", 15),
        ("2012-02-29", "2028-02-29", 16),
        ("2012-02-29", "2027-02-27", 14),
        ("2012-02-29", "2027-02-28", 15),
        ("2012-02-29", "2027-03-01", 15),
        ("2026-10-15", "2026-10-15", 0),
    ],
)
def test_an_age_is_reached_on_the_birthday(born: str, on: str, years: int) -> None:
    assert age_on(Birth.on(date.fromisoformat(born)), date.fromisoformat(on)) == years


def test_years_and_months_end_on_the_last_day_where_the_month_has_no_such_day() -> None:
    assert reached_on(date(1965, 8, 31), 61, 6) == date(2027, 2, 28)
    assert reached_on(date(1965, 7, 31), 61, 6) == date(2027, 1, 31)
    assert reached_on(date(1965, 12, 5), 0, 1) == date(1966, 1, 5)
    other = replace(age_rules(), missing_day=MissingDay.FIRST_OF_NEXT)
    assert reached_on(date(2012, 2, 29), 15, rules=other) == date(2027, 3, 1)


def test_a_year_alone_is_certain_where_its_day_does_not_matter() -> None:
    day = date(2026, 10, 15)
    assert not has_reached(Birth(2011), 16, day).assumed
    assert not has_reached(Birth(2009), 16, day).assumed
    found = has_reached(Birth(2010), 16, day)
    assert (found.yes, found.assumed) == (True, True)
    assert not has_reached(Birth(2010), 16, date(2026, 12, 31)).assumed


def test_what_stands_for_a_year_alone_is_a_decision_in_data() -> None:
    day, rules = date(2026, 10, 15), age_rules()
    late = has_reached(Birth(2010), 16, day, rules=replace(rules, year_only=YearOnly.LAST_OF_DECEMBER))
    assert (late.yes, late.assumed) == (False, True)
    with pytest.raises(Refused) as refused:
        has_reached(Birth(2010), 16, day, rules=replace(rules, year_only=YearOnly.REFUSE))
    assert refused.value.rule == "birth-day-needed"


@given(born=DAYS, after=st.integers(0, 40_000))
def test_counted_years_and_reached_ages_agree(born: date, after: int) -> None:
    on = born + timedelta(days=after)
    years = age_on(Birth.on(born), on)
    assert years >= 0
    assert has_reached(Birth.on(born), years, on).yes
    assert not has_reached(Birth.on(born), years + 1, on).yes


@given(born=DAYS, years=st.integers(0, 110), months=st.integers(0, 11))
def test_nobody_is_of_an_age_the_day_before(born: date, years: int, months: int) -> None:
    day = reached_on(born, years, months)
    assert has_reached(Birth.on(born), years, day, months=months).yes
    assert not has_reached(Birth.on(born), years, day - timedelta(days=1), months=months).yes


@pytest.mark.parametrize(
    ("birth", "rule"),
    [
        (Birth(2026, date(2026, 10, 16)), "birth-in-future"),
        (Birth(2027), "birth-in-future"),
        (Birth(9999), "birth-in-future"),
        (Birth(-5), "birth-implausible"),
        (Birth(1895), "birth-implausible"),
        (Birth(2010, date(2011, 1, 1)), "birth-year-contradicts-date"),
    ],
)
def test_a_birth_that_cannot_be_is_refused_by_name(birth: Birth, rule: str) -> None:
    with pytest.raises(Refused) as refused:
        check_birth(birth, date(2026, 10, 15))
    assert refused.value.rule == rule


def test_somebody_born_on_the_day_itself_may_be_recorded() -> None:
    check_birth(Birth(2026, date(2026, 10, 15)), date(2026, 10, 15))
    check_birth(Birth(2026), date(2026, 10, 15))
