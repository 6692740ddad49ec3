"""A loan's steps in their order, its instalments, its extension, and what a household may still borrow."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funding.domain import Refused, law
from funding.domain.eligibility import add_months
from funding.domain.loans import (
    LoanState,
    LoanStep,
    actor_words,
    after,
    check_amount,
    room,
    shared_limit,
    shared_limits,
    state_words,
    steps,
)
from funding.domain.repayment import Instalment, last_day, most_extension, schedule

ON = dt.date(2026, 2, 2)
MILLION = 1_000_000
amounts = st.integers(1, 10_000 * MILLION)
days = st.dates(dt.date(2019, 3, 1), dt.date(2035, 12, 31))


def test_a_request_goes_from_the_household_over_group_and_commune_to_the_bank() -> None:
    state = LoanState.DRAFT
    for step in ("REVIEW_IN_GROUP", "LIST", "CERTIFY", "REVIEW_AT_BANK", "APPROVE", "DISBURSE", "DISBURSE"):
        state = after(state, LoanStep(step))
    assert state is LoanState.DISBURSED
    assert after(state, LoanStep.CLOSE) is LoanState.CLOSED


def test_a_step_that_is_not_next_is_refused_with_those_that_are() -> None:
    with pytest.raises(Refused) as refused:
        after(LoanState.LISTED, LoanStep.APPROVE)
    assert refused.value.rule == "loan-step-not-now"
    assert "Ủy ban nhân dân cấp xã xác nhận" in refused.value.message_vi
    assert "certifies it" in refused.value.message_en


@pytest.mark.parametrize("ended", [LoanState.COMMUNE_REJECTED, LoanState.REJECTED, LoanState.CLOSED], ids=str)
@pytest.mark.parametrize("step", LoanStep, ids=str)
def test_nothing_follows_where_a_loan_ended(ended: LoanState, step: LoanStep) -> None:
    with pytest.raises(Refused, match="What may follow: none"):
        after(ended, step)


def test_every_state_is_reached_and_has_its_words() -> None:
    reached = {LoanState.DRAFT} | {rule.after for rule in steps().values()}
    assert reached == set(LoanState)
    assert set(steps()) == set(LoanStep)
    assert all(all(state_words(state)) for state in LoanState)
    assert all(all(actor_words(rule.actor)) for rule in steps().values())


def test_fifty_million_over_five_years_are_paid_back_every_two_years() -> None:
    paid = schedule(50 * MILLION, dt.date(2026, 1, 31), 60, 24)
    assert paid == (
        Instalment(dt.date(2028, 1, 31), 16_600_000),
        Instalment(dt.date(2030, 1, 31), 16_600_000),
        Instalment(dt.date(2031, 1, 31), 16_800_000),
    )


def test_a_loan_of_a_year_is_paid_back_at_once_and_so_is_one_too_small_to_divide() -> None:
    assert schedule(20 * MILLION, ON, 12, 12) == (Instalment(dt.date(2027, 2, 2), 20 * MILLION),)
    assert schedule(250_000, ON, 60, 12) == (Instalment(dt.date(2031, 2, 2), 250_000),)


@given(amounts, days, st.integers(1, 300), st.integers(1, 60))
def test_instalments_make_up_the_loan_and_end_on_its_last_day(
    amount: int, paid_out_on: dt.date, term: int, every: int
) -> None:
    paid = schedule(amount, paid_out_on, term, every)
    assert sum(each.amount_dong for each in paid) == amount
    assert all(each.amount_dong > 0 for each in paid)
    assert all(each.amount_dong % 100_000 == 0 for each in paid[:-1])
    assert [each.due_on for each in paid] == sorted({each.due_on for each in paid})
    assert paid[-1].due_on == last_day(paid_out_on, term) == add_months(paid_out_on, term)


@pytest.mark.parametrize(
    ("amount", "term", "every", "rule", "field"),
    [
        (MILLION, 0, 12, "loan-months-below-one", "term_months"),
        (MILLION, 12, 0, "loan-months-below-one", "every_months"),
        (0, 12, 12, "loan-amount-zero", "amount_dong"),
    ],
)
def test_a_schedule_of_nothing_is_refused(amount: int, term: int, every: int, rule: str, field: str) -> None:
    with pytest.raises(Refused) as refused:
        schedule(amount, ON, term, every)
    assert (refused.value.rule, refused.value.field) == (rule, field)


@pytest.mark.parametrize(("term", "most"), [(6, 12), (12, 12), (13, 6), (60, 30), (120, 60)])
def test_a_loan_is_extended_by_a_year_or_by_half_its_term(term: int, most: int) -> None:
    assert most_extension("POOR", term) == most


def test_a_students_loan_is_extended_by_half_of_the_time_in_which_it_is_paid_back() -> None:
    assert most_extension("STUDENT", 100, 48) == 24
    with pytest.raises(Refused) as refused:
        most_extension("STUDENT", 100)
    assert refused.value.rule == "repayment-term-wanted"


def test_who_owes_sixty_of_a_hundred_million_may_borrow_forty() -> None:
    owed = {"POOR": 60 * MILLION}
    assert room("POOR", 100 * MILLION, owed, ON) == 40 * MILLION
    check_amount("POOR", 40 * MILLION, 100 * MILLION, owed, ON)
    with pytest.raises(Refused) as refused:
        check_amount("POOR", 50 * MILLION, 100 * MILLION, owed, ON)
    assert refused.value.rule == "loan-above-limit"
    assert "chỉ còn được vay 40.000.000 đồng" in refused.value.message_vi
    assert refused.value.legal == "12/QĐ-HĐQT"


def test_the_three_products_of_a_households_class_share_one_limit_and_others_have_their_own() -> None:
    owed = {"POOR": 30 * MILLION, "NEWLY_ESCAPED": 50 * MILLION, "WATER_SANITATION": 25 * MILLION}
    assert room("NEAR_POOR", 100 * MILLION, owed, ON) == 20 * MILLION
    assert room("STUDENT", 100 * MILLION, owed, ON) == 100 * MILLION
    assert shared_limit("STUDENT", ON) is None


@given(
    st.sampled_from(["POOR", "NEAR_POOR", "NEWLY_ESCAPED", "STUDENT"]),
    st.dictionaries(st.sampled_from(["POOR", "NEAR_POOR", "NEWLY_ESCAPED", "STUDENT"]), amounts),
    amounts,
    days,
)
def test_what_may_be_borrowed_keeps_within_every_limit(
    product: str, owed: dict[str, int], limit: int, on: dt.date
) -> None:
    left = room(product, limit, owed, on)
    after_it = {**owed, product: owed.get(product, 0) + left}
    shared = shared_limit(product, on)
    assert left == 0 or after_it[product] <= limit
    if shared is not None and left:
        assert sum(after_it.get(each, 0) for each in shared.products) <= shared.amount_dong


def test_everything_said_of_loans_names_its_source() -> None:
    known = law.table("sources.toml")
    told = law.table("loans.toml")
    rows = [*told["step"], *told["extension"], told["instalment"]]
    assert {source for row in rows for source in row["sources"]} <= set(known["source"])
    assert {each.legal for each in shared_limits()} <= set(known["legal"])
    assert {row["confidence"] for row in [*rows, *told["shared_limit"]]} <= {"seen", "high", "medium"}
