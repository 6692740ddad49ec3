"""Who may ask for which loan product: the rules of the law on hand-made states."""

import calendar
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funding import domain
from funding.domain import Answer, HouseholdStatus, PovertyClass, Product, Reason, Standing, Status
from funding.domain.eligibility import add_months, on_day, window_end
from funding.domain.products import Window

D = dt.date
END_2023 = D(2023, 12, 31)
POOR, NEAR_POOR, ESCAPED = Product.POOR, Product.NEAR_POOR, Product.NEWLY_ESCAPED
DAYS = st.dates(D(2015, 1, 1), D(2060, 12, 31))


def standing(
    poverty_class: str | None,
    since: dt.date | None = END_2023,
    left: dt.date | None = None,
    status: str = "ACTIVE",
) -> Standing:
    known = None if poverty_class is None else PovertyClass(poverty_class)
    return Standing(HouseholdStatus(status), known, since, left, since or END_2023)


def answer(product: Product, state: Standing) -> Answer:
    return {each.product: each for each in domain.answers(state)}[product]


def asks(product: Product, state: Standing, on: dt.date) -> tuple[Status, Reason]:
    told = on_day(answer(product, state), on)
    return told.status, told.reason


@pytest.mark.parametrize(
    ("state", "eligible"),
    [
        (standing("POOR"), {POOR}),
        (standing("NEAR_POOR"), {NEAR_POOR}),
        (standing("NOT_POOR"), set()),
        (standing("AVERAGE_LIVING"), set()),
        (standing("NOT_POOR", left=D(2023, 12, 31)), {ESCAPED}),
        (standing("AVERAGE_LIVING", left=D(2023, 12, 31)), {ESCAPED}),
        (standing(None, since=None), set()),
        (standing(None, status="LEFT"), set()),
        (standing(None, status="CLOSED", left=D(2022, 12, 31)), set()),
        (standing("POOR", status="LEFT"), set()),
    ],
)
def test_each_class_opens_its_own_product_and_no_other(state: Standing, eligible: set[Product]) -> None:
    assert {each.product for each in domain.answers(state) if each.eligible} == eligible
    opened = domain.entitled(state)
    assert ({opened.product} if opened else set()) == eligible


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (D(2023, 12, 30), (Status.NOT_ELIGIBLE, Reason.NOT_YET_IN_FORCE)),
        (D(2023, 12, 31), (Status.ELIGIBLE, Reason.LEFT_LIST_WITHIN_WINDOW)),
        (D(2026, 12, 15), (Status.ELIGIBLE, Reason.LEFT_LIST_WITHIN_WINDOW)),
        (D(2026, 12, 30), (Status.ELIGIBLE, Reason.LEFT_LIST_WITHIN_WINDOW)),
        (D(2026, 12, 31), (Status.NOT_ELIGIBLE, Reason.WINDOW_ENDED)),
        (D(2027, 1, 15), (Status.NOT_ELIGIBLE, Reason.WINDOW_ENDED)),
    ],
)
def test_a_household_that_left_the_list_may_ask_for_thirty_six_months(
    on: dt.date, expected: tuple[Status, Reason]
) -> None:
    assert asks(ESCAPED, standing("NOT_POOR", left=D(2023, 12, 31)), on) == expected


def test_a_later_change_above_the_lists_does_not_move_the_window() -> None:
    moved_up = standing("AVERAGE_LIVING", since=D(2024, 12, 31), left=D(2023, 12, 31))

    told = answer(ESCAPED, moved_up)

    assert (told.valid_from, told.valid_to) == (D(2023, 12, 31), D(2026, 12, 31))
    assert answer(POOR, moved_up).valid_from == D(2023, 12, 31)


def test_from_poor_to_near_poor_is_not_newly_escaped() -> None:
    state = standing("NEAR_POOR")

    assert answer(ESCAPED, state).reason is Reason.STILL_ON_LIST
    assert answer(POOR, state) == Answer(
        POOR, Status.NOT_ELIGIBLE, D(2023, 12, 31), None, Reason.NOT_ON_POOR_LIST
    )
    assert answer(NEAR_POOR, state).valid_to is None


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (standing(None, status="LEFT"), Reason.HOUSEHOLD_LEFT),
        (standing(None, status="CLOSED"), Reason.HOUSEHOLD_CLOSED),
        (standing(None, since=None), Reason.NO_OFFICIAL_DECISION),
    ],
)
def test_a_household_that_is_gone_or_undecided_is_told_why(state: Standing, reason: Reason) -> None:
    assert {each.reason for each in domain.answers(state)} == {reason}


def test_every_reason_has_its_sentences() -> None:
    assert set(domain.sentences()) == {reason.value for reason in Reason}
    assert all(sentence.vi and sentence.en for sentence in domain.sentences().values())


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (D(2024, 2, 29), 36, D(2027, 2, 28)),
        (D(2024, 2, 29), 48, D(2028, 2, 29)),
        (D(2023, 12, 31), 36, D(2026, 12, 31)),
        (D(2023, 8, 31), 6, D(2024, 2, 29)),
        (D(2023, 12, 1), 1, D(2024, 1, 1)),
        (D(2023, 5, 31), 1, D(2023, 6, 30)),
    ],
)
def test_months_are_calendar_months(day: dt.date, months: int, expected: dt.date) -> None:
    assert add_months(day, months) == expected


@given(DAYS, st.integers(0, 600))
def test_months_added_keep_the_day_or_end_the_month(day: dt.date, months: int) -> None:
    later = add_months(day, months)

    assert (later.year - day.year) * 12 + later.month - day.month == months
    last = calendar.monthrange(later.year, later.month)[1]
    assert later.day == day.day or (later.day == last and day.day > last)


@given(DAYS)
def test_the_law_decides_whether_the_last_day_counts(day: dt.date) -> None:
    without, with_it = Window(36, last_day_counts=False), Window(36, last_day_counts=True)

    assert window_end(day, with_it) - window_end(day, without) == dt.timedelta(days=1)


@given(
    st.sampled_from([None, *PovertyClass]),
    st.sampled_from(list(HouseholdStatus)),
    DAYS,
    st.none() | DAYS,
    DAYS,
)
def test_no_state_opens_two_products_at_once(
    poverty_class: PovertyClass | None,
    status: HouseholdStatus,
    since: dt.date,
    left: dt.date | None,
    on: dt.date,
) -> None:
    answers = domain.answers(Standing(status, poverty_class, since, left, since))

    assert sum(each.eligible for each in answers) <= 1
    assert sum(on_day(each, on).eligible for each in answers) <= 1
    assert [each.product for each in answers] == list(Product)
