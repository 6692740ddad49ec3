"""Interest on a date of the three products of a class: the base rate (the poor household's) times the product's factor.

A rate belongs to a day, not to a contract: since 2025-12-01 the new base holds for all balances, old and
new (Quyết định 2553/QĐ-TTg). Therefore a rate is computed when it is asked for and never kept in an event.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from funding.domain.products import Product
from funding.domain.rate_book import RateRule, RuleKind, book, plain


@dataclass(frozen=True, slots=True)
class Rate:
    """Percent per year; `overdue` is the rate on an overdue balance. `legal` is behind base and factor."""

    percent: Decimal
    overdue_percent: Decimal
    legal: tuple[str, ...]


@cache
def rate_on(product: Product, on: dt.date) -> Rate | None:
    """The rate of a product on a day; None where the data files know none."""
    base = _value(RuleKind.BASE_RATE, "", on)
    factor = _value(RuleKind.FACTOR, product.value, on)
    overdue = _value(RuleKind.OVERDUE_FACTOR, "", on)
    if base is None or factor is None or overdue is None:
        return None
    percent = plain(base.value * factor.value)
    legal = tuple(dict.fromkeys((base.legal, factor.legal)))
    return Rate(percent, plain(percent * overdue.value), legal)


def _value(kind: RuleKind, product: str, on: dt.date) -> RateRule | None:
    found = [rule for rule in book().rules if (rule.kind, rule.product) == (kind, product) and rule.holds(on)]
    return found[0] if found else None
