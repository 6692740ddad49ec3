"""Numbers, money and dates as officers write them."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benvung.pages.formats import EN, VI, vi_date, vi_money, vi_number, vi_percent, vi_points


@pytest.mark.parametrize(
    ("value", "vietnamese", "english"),
    [
        (0, "0", "0"),
        (999, "999", "999"),
        (12836, "12.836", "12,836"),
        (1234.56, "1.234,56", "1,234.56"),
        (Decimal("1234567.80"), "1.234.567,80", "1,234,567.80"),
        (-4336, "−4.336", "−4,336"),
    ],
)
def test_a_number_has_the_marks_of_its_language(value: Decimal, vietnamese: str, english: str) -> None:
    assert vi_number(value) == vietnamese
    assert EN.number(value) == english


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.125, "0,13"), (2.675, "2,68"), (-2.675, "−2,68"), (-0.001, "0,00"), (Decimal("1.005"), "1,01")],
)
def test_rounding_is_half_up_of_the_digits_people_see(value: Decimal, written: str) -> None:
    assert vi_number(value, 2) == written


def test_a_percentage_has_two_decimals() -> None:
    assert vi_percent(Decimal(4336) / Decimal(12836) * 100) == "33,78 %"
    assert vi_percent(100) == "100,00 %"
    assert EN.percent(33.779) == "33.78%"


def test_a_difference_of_percentages_is_in_points() -> None:
    assert vi_points(Decimal("39.69") - Decimal("33.78")) == "5,91 điểm phần trăm"
    assert EN.points(5.91) == "5.91 percentage points"


@pytest.mark.parametrize(
    ("dong", "vietnamese", "english"),
    [
        (82_801_000_000, "82.801 triệu đồng", "VND 82,801 million"),
        (54_532_500_000, "54.532,5 triệu đồng", "VND 54,532.5 million"),
        (100_000_000, "100 triệu đồng", "VND 100 million"),
        (1_000_001, "1,000001 triệu đồng", "VND 1.000001 million"),
        (1_000_000, "1 triệu đồng", "VND 1 million"),
        (999_999, "999.999 đồng", "VND 999,999"),
        (0, "0 đồng", "VND 0"),
        (-28_269_000_000, "−28.269 triệu đồng", "VND −28,269 million"),
    ],
)
def test_money_is_written_in_millions_and_never_rounded(dong: int, vietnamese: str, english: str) -> None:
    assert vi_money(dong) == vietnamese
    assert EN.money(dong) == english


def test_a_day_is_written_day_first() -> None:
    assert vi_date(dt.date(2024, 1, 4)) == "04/01/2024"
    assert EN.date(dt.date(2024, 1, 4)) == "4 Jan 2024"


def test_a_moment_is_on_vietnams_clock() -> None:
    late = dt.datetime(2024, 1, 23, 18, 5, tzinfo=dt.UTC)
    assert VI.moment(late) == "01:05 ngày 24/01/2024"
    assert EN.moment(late) == "01:05, 24 Jan 2024"


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_no_digit_of_an_amount_is_lost(dong: int) -> None:
    digits = vi_money(dong).replace("−", "-").replace(".", "").replace(",", ".")
    amount, unit = digits.split(" ", 1)
    assert Decimal(amount) * (1_000_000 if unit == "triệu đồng" else 1) == dong
