"""Interest on a date: the base rate (the poor household's) times the product's factor.

A rate belongs to a day, not to a contract: since 2025-12-01 the new base holds for all balances, old and
new (Quyết định 2553/QĐ-TTg). Therefore a rate is computed when it is asked for and never kept in an event.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from funding.domain import law
from funding.domain.products import Product


@dataclass(frozen=True, slots=True)
class Rate:
    """Percent per year; `overdue` is the rate on an overdue balance. `legal` is behind base and factor."""

    percent: Decimal
    overdue_percent: Decimal
    legal: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Value:
    rule: str
    product: str
    valid_from: dt.date
    valid_before: dt.date | None
    value: Decimal
    legal: str

    def holds(self, on: dt.date) -> bool:
        return self.valid_from <= on and (self.valid_before is None or on < self.valid_before)


@cache
def rate_on(product: Product, on: dt.date) -> Rate | None:
    """The rate of a product on a day; None where the data files know none."""
    base = _value("BASE_RATE", "", on)
    factor = _value("FACTOR", product.value, on)
    overdue = _value("OVERDUE_FACTOR", "", on)
    if base is None or factor is None or overdue is None:
        return None
    percent = _plain(base.value * factor.value)
    legal = tuple(dict.fromkeys((base.legal, factor.legal)))
    return Rate(percent, _plain(percent * overdue.value), legal)


def _value(rule: str, product: str, on: dt.date) -> _Value | None:
    found = [row for row in _values() if (row.rule, row.product) == (rule, product) and row.holds(on)]
    return found[0] if found else None


@cache
def _values() -> tuple[_Value, ...]:
    return tuple(
        _Value(
            row["rule"],
            row["product"],
            dt.date.fromisoformat(row["valid_from"]),
            dt.date.fromisoformat(row["valid_before"]) if row["valid_before"] else None,
            Decimal(row["value"]),
            row["legal"],
        )
        for row in law.rows("rates.csv")
    )


def _plain(value: Decimal) -> Decimal:
    """Without trailing zeros and without an exponent: 7.4880 is 7.488, 10.0 is 10."""
    return Decimal(f"{value.normalize():f}")
