"""The table of interest rates as the data files have it: rules with dates and cohorts, and what lies over them.

Percentages are percent per year unless a name says otherwise; the day of a `valid_before` is the first on which
a rule no longer holds.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any

from funding.domain import law

CONFIDENCES = ("seen", "computed", "high", "medium", "inferred", "low")
"""How a value is known, the best first: seen in a source, computed from what was seen, remembered, guessed at."""


class RuleKind(StrEnum):
    """What the value of a rule is."""

    BASE_RATE = "BASE_RATE"
    FACTOR = "FACTOR"
    FACTOR_OF = "FACTOR_OF"
    FIXED = "FIXED"
    OVERDUE_FACTOR = "OVERDUE_FACTOR"


@dataclass(frozen=True, slots=True)
class RateRule:
    """One row: a value for a product, for contracts signed in a span, on the days of a span.

    `valid_from` is None where the first day is not known: the value was seen in force later on. `of` is the product
    whose rate a FACTOR_OF multiplies.
    """

    kind: RuleKind
    product: str
    of: str
    signed_from: dt.date | None
    signed_before: dt.date | None
    valid_from: dt.date | None
    valid_before: dt.date | None
    value: Decimal
    legal: str
    source: str
    confidence: str

    def holds(self, on: dt.date) -> bool:
        """Whether the value holds on a day."""
        return _within(on, self.valid_from, self.valid_before)

    def covers(self, contract_date: dt.date) -> bool:
        """Whether contracts signed on a day are of this rule's cohort."""
        return _within(contract_date, self.signed_from, self.signed_before)


@dataclass(frozen=True, slots=True)
class AreaCut:
    """Percentage points taken off the running rate in listed provinces, for a time.

    `concerned` are the provinces that may be listed. `provinces` is the list, or None while it is not loaded.
    """

    code: str
    name_vi: str
    name_en: str
    points: Decimal
    valid_from: dt.date
    valid_before: dt.date
    concerned: frozenset[str]
    provinces: frozenset[str] | None
    legal: str
    source: str
    confidence: str

    def holds(self, on: dt.date) -> bool:
        """Whether the cut is in force on a day."""
        return _within(on, self.valid_from, self.valid_before)


@dataclass(frozen=True, slots=True)
class LocalRate:
    """A province's rate for some products, for borrowers of some classes, or by where the central rate lies."""

    percent: Decimal
    products: tuple[str, ...]
    classes: tuple[str, ...]
    central: str | None


@dataclass(frozen=True, slots=True)
class LocalTerms:
    """The rates of money that a province entrusts to the bank; the first that fits holds."""

    province: str
    name_vi: str
    name_en: str
    valid_from: dt.date
    central_wins_if_lower: bool
    rates: tuple[LocalRate, ...]
    legal: str
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Support:
    """Percentage points of interest that the budget pays for the borrower, on loans above a rate, for a time."""

    code: str
    name_vi: str
    name_en: str
    points: Decimal
    above: Decimal
    valid_from: dt.date
    valid_before: dt.date
    legal: str
    source: str
    confidence: str

    def holds(self, on: dt.date) -> bool:
        """Whether the support is paid on a day."""
        return _within(on, self.valid_from, self.valid_before)


@dataclass(frozen=True, slots=True)
class RateBook:
    """All that decides a rate."""

    rules: tuple[RateRule, ...]
    cuts: tuple[AreaCut, ...]
    local: tuple[LocalTerms, ...]
    supports: tuple[Support, ...]

    def general(self, kind: RuleKind) -> tuple[RateRule, ...]:
        """The rows of a rule that is not of one product: base rates, factors of overdue balances."""
        return tuple(rule for rule in self.rules if rule.kind is kind)

    def of_product(self, product: str) -> tuple[RateRule, ...]:
        """The rows of a product, of all cohorts."""
        return tuple(rule for rule in self.rules if rule.product == product)


@cache
def book() -> RateBook:
    """The table of the data files."""
    over = law.table("rate_conditions.toml")
    return RateBook(
        rules=tuple(_rule(row) for row in law.rows("rates.csv")),
        cuts=tuple(_cut(row) for row in over["cut"]),
        local=tuple(_local(row) for row in over["local"]),
        supports=tuple(_support(row) for row in over["support"]),
    )


def weakest(confidences: Sequence[str]) -> str:
    """How well that is known which rests on all of these."""
    return max(confidences, key=CONFIDENCES.index)


def plain(value: Decimal) -> Decimal:
    """Without trailing zeros and without an exponent: 7.4880 is 7.488, 10.0 is 10."""
    return Decimal(f"{value.normalize():f}")


def _within(day: dt.date, first: dt.date | None, before: dt.date | None) -> bool:
    return (first is None or first <= day) and (before is None or day < before)


def _rule(row: dict[str, str]) -> RateRule:
    return RateRule(
        kind=RuleKind(row["rule"]),
        product=row["product"],
        of=row["of"],
        signed_from=_day(row["signed_from"]),
        signed_before=_day(row["signed_before"]),
        valid_from=_day(row["valid_from"]),
        valid_before=_day(row["valid_before"]),
        value=Decimal(row["value"]),
        legal=row["legal"],
        source=row["source"],
        confidence=row["confidence"],
    )


def _day(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def _cut(row: dict[str, Any]) -> AreaCut:
    listed = row.get("provinces")
    return AreaCut(
        code=row["code"],
        name_vi=row["name_vi"],
        name_en=row["name_en"],
        points=Decimal(row["points"]),
        valid_from=row["valid_from"],
        valid_before=row["valid_before"],
        concerned=frozenset(row["concerned"]),
        provinces=None if listed is None else frozenset(listed),
        legal=row["legal"],
        source=row["source"],
        confidence=row["confidence"],
    )


def _local(row: dict[str, Any]) -> LocalTerms:
    return LocalTerms(
        province=row["province"],
        name_vi=row["name_vi"],
        name_en=row["name_en"],
        valid_from=row["valid_from"],
        central_wins_if_lower=row["central_wins_if_lower"],
        rates=tuple(
            LocalRate(
                percent=Decimal(each["percent"]),
                products=tuple(each.get("products", ())),
                classes=tuple(each.get("classes", ())),
                central=each.get("central"),
            )
            for each in row["rates"]
        ),
        legal=row["legal"],
        source=row["source"],
        confidence=row["confidence"],
    )


def _support(row: dict[str, Any]) -> Support:
    return Support(
        code=row["code"],
        name_vi=row["name_vi"],
        name_en=row["name_en"],
        points=Decimal(row["points"]),
        above=Decimal(row["above"]),
        valid_from=row["valid_from"],
        valid_before=row["valid_before"],
        legal=row["legal"],
        source=row["source"],
        confidence=row["confidence"],
    )
