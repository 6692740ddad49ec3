"""Products, limits and rates as the data files have them, on given days."""

import datetime as dt

import pytest

from funding import domain
from funding.domain import Product, law

D = dt.date


@pytest.mark.parametrize(
    ("product", "on", "percent", "overdue"),
    [
        ("POOR", D(2015, 6, 1), "6.6", "8.58"),
        ("POOR", D(2025, 11, 30), "6.6", "8.58"),
        ("POOR", D(2025, 12, 1), "6.24", "8.112"),
        ("NEAR_POOR", D(2025, 11, 30), "7.92", "10.296"),
        ("NEAR_POOR", D(2025, 12, 1), "7.488", "9.7344"),
        ("NEWLY_ESCAPED", D(2025, 11, 30), "8.25", "10.725"),
        ("NEWLY_ESCAPED", D(2026, 6, 30), "7.8", "10.14"),
    ],
)
def test_a_rate_belongs_to_a_day(product: str, on: dt.date, percent: str, overdue: str) -> None:
    rate = domain.rate_on(Product(product), on)

    assert rate is not None
    assert (str(rate.percent), str(rate.overdue_percent)) == (percent, overdue)


def test_before_the_first_known_rate_there_is_none() -> None:
    assert domain.rate_on(Product.POOR, D(2015, 5, 31)) is None
    assert domain.rate_on(Product.NEWLY_ESCAPED, D(2015, 9, 4)) is None


def test_the_new_rate_names_the_decision_behind_it() -> None:
    rate = domain.rate_on(Product.POOR, D(2025, 12, 1))

    assert rate is not None
    assert "QD-2553-2025" in rate.legal


def test_every_product_has_limit_term_and_article() -> None:
    for terms, months in zip(domain.catalogue().values(), (120, 120, 60), strict=True):
        assert terms.limit_on(D(2024, 1, 24)) == 100_000_000
        assert terms.limit_on(D(2019, 2, 28)) is None
        assert terms.max_term_months == months
        assert terms.article
        assert not terms.restricted


def test_every_number_of_the_law_names_a_source_that_is_listed() -> None:
    sources = law.table("sources.toml")["source"]
    for terms in domain.catalogue().values():
        assert set(terms.sources) <= set(sources)
        assert all(domain.legal_document(code)["title_vi"] for code in terms.legal)
    for row in law.rows("rates.csv"):
        assert row["source"] in sources
        assert domain.legal_document(row["legal"])["number"]
