"""The table of rates: whole in itself, and read the same way by the engine and by a reader of its plain form.

`interest_table.csv` holds the percentages as the bank and the decrees print them, one line for a product, a span of signing
and a span of days. The engine has base rates and factors instead; both must say the same of every loan on every day.
An empty first day means that it is not known; the whole table begins with the base rate on 01/06/2015.
"""

import csv
import datetime as dt
import itertools
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from benvung import areas
from funding import domain
from funding.domain import Question, Refused, law
from funding.domain.rate_book import CONFIDENCES, AreaCut, LocalTerms, RateRule, RuleKind, Support

D = dt.date
TABLE = Path(__file__).parent / "interest_table.csv"
PRINTED = list(csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines()))
CHANGES = sorted(
    {
        dt.date.fromisoformat(row[key])
        for row in PRINTED
        for key in row
        if key.endswith(("day", "from")) and row[key]
    }
)
NEAR_A_CHANGE = st.builds(
    lambda day, off: day + dt.timedelta(days=off), st.sampled_from(CHANGES), st.integers(-2, 2)
)
DAYS = NEAR_A_CHANGE | st.dates(D(2015, 1, 1), D(2040, 12, 31))


def printed(product: str, contract: dt.date, on: dt.date) -> Decimal | None:
    """The percentage as it is printed, None where the table has none."""
    if on < D(2015, 6, 1) or contract > on:
        return None
    signed, day = contract.isoformat(), on.isoformat()
    for row in PRINTED:
        if row["product"] != product:
            continue
        if row["signed_from"] > signed or (row["signed_before"] and row["signed_before"] <= signed):
            continue
        if row["first_day"] <= day and (not row["last_day"] or day <= row["last_day"]):
            return Decimal(row["percent"])
    return None


def engine(product: str, contract: dt.date, on: dt.date) -> Decimal | None:
    try:
        return domain.credit_rate(Question(product, contract, on), domain.book()).contract_percent
    except Refused as refused:
        assert refused.rule in {"rate-before-table", "rate-unknown", "contract-after-day"}
        return None


@given(st.sampled_from(sorted(domain.credit_products())), DAYS, DAYS)
def test_the_engine_says_what_is_printed(product: str, contract: dt.date, on: dt.date) -> None:
    assert engine(product, contract, on) == printed(product, contract, on)


def test_at_every_change_the_engine_says_what_is_printed() -> None:
    days = [day + dt.timedelta(days=off) for day in CHANGES for off in (-1, 0)]
    for product, contract, on in itertools.product(domain.credit_products(), days, days):
        assert engine(product, contract, on) == printed(product, contract, on), (product, contract, on)


@given(DAYS, DAYS, st.sampled_from(sorted(domain.credit_products())))
def test_what_is_answered_adds_up(contract: dt.date, on: dt.date, product: str) -> None:
    try:
        found = domain.credit_rate(Question(product, contract, on), domain.book())
    except Refused:
        return
    assert found.borrower_percent + (found.support_percent or 0) == found.percent == found.contract_percent
    assert found.overdue_percent == found.contract_percent * Decimal("1.30")
    assert abs(found.monthly_percent * 12 - found.percent) <= Decimal("0.000006")
    assert found.steps[-1].kind == "OVERDUE_FACTOR"
    assert all(domain.legal_document(step.legal)["cite"] for step in found.steps if step.legal)


def test_no_line_of_rates_has_a_gap_or_an_overlap() -> None:
    lines = defaultdict(list)
    for rule in domain.book().rules:
        lines[
            (rule.kind if not rule.product else "", rule.product, rule.signed_from, rule.signed_before)
        ].append(rule)
    for rules in lines.values():
        for earlier, later in itertools.pairwise(rules):
            assert earlier.valid_before is not None
            assert earlier.valid_before == later.valid_from, later
        assert rules[-1].valid_before is None


def test_no_two_cohorts_of_a_product_overlap_and_none_is_left_out_between() -> None:
    cohorts: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in law.rows("rates.csv"):
        if row["product"]:
            cohorts[row["product"]].add((row["signed_from"], row["signed_before"]))
    for spans in cohorts.values():
        for earlier, later in itertools.pairwise(sorted(spans)):
            assert earlier[1] == later[0] != ""


def test_every_product_has_rates_and_every_rate_a_product() -> None:
    products = set(domain.credit_products())
    rules = domain.book().rules

    assert {rule.product for rule in rules if rule.product} == products
    assert {rule.of for rule in rules if rule.of} <= products
    assert all(bool(rule.of) == (rule.kind is RuleKind.FACTOR_OF) for rule in rules)
    assert all(rule.value > 0 for rule in rules)


def test_every_rate_names_its_source_and_how_it_is_known() -> None:
    book, sources = domain.book(), law.table("sources.toml")["source"]
    every: list[RateRule | AreaCut | LocalTerms | Support] = [
        *book.rules,
        *book.cuts,
        *book.local,
        *book.supports,
    ]
    for each in every:
        assert each.source in sources
        assert each.confidence in CONFIDENCES
        assert domain.legal_document(each.legal)["cite"]


def test_the_provinces_that_conditions_name_exist() -> None:
    book = domain.book()
    named = {code for cut in book.cuts for code in cut.concerned} | {terms.province for terms in book.local}

    found = [areas.find(code, D(2025, 12, 8)) for code in named]
    assert all(unit is not None and unit.level is areas.Level.PROVINCE for unit in found)
    assert all(
        set(rate.products) <= set(domain.credit_products()) for terms in book.local for rate in terms.rates
    )
