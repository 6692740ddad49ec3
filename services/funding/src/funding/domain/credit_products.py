"""All loan products of the bank for social policy, with their terms on a day, and the bank's programmes.

The three products that follow from a household's class are described in `products`; here they are joined with what is
only said of them as credit: security, channel, conditions.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any

from funding.domain import law, products
from funding.domain.products import Product

CLASSES = ("POOR", "NEAR_POOR", "NEWLY_ESCAPED")


class Lending(StrEnum):
    """Whether new loans are made."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"
    NOT_KNOWN = "NOT_KNOWN"


@dataclass(frozen=True, slots=True)
class Words:
    """The same said in Vietnamese and English."""

    vi: str
    en: str


@dataclass(frozen=True, slots=True)
class Span:
    """The days on which a part of the terms is known to hold.

    `first_day_known` is False where `since` is only the earliest day on which the value was seen.
    """

    since: dt.date | None
    before: dt.date | None
    first_day_known: bool

    def holds(self, on: dt.date) -> bool:
        """Whether the part is known to hold on a day."""
        return (self.since is None or self.since <= on) and (self.before is None or on < self.before)


@dataclass(frozen=True, slots=True)
class Amount:
    """The most that may be lent: whole đồng, or percent of something, by a named rule.

    `as_product` takes the amount of another product. `fund` and `province` are set for entrusted money.
    """

    rule: str
    span: Span
    purpose: Words | None
    dong: int | None
    percent: Decimal | None
    as_product: str | None
    products: tuple[str, ...]
    fund: str | None
    province: str | None
    legal: str | None
    confidence: str


@dataclass(frozen=True, slots=True)
class Served:
    """The codes of those whom a product serves in a span."""

    codes: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Security:
    """Whether a loan must be secured; `above_dong` is the amount above which."""

    kind: str
    above_dong: int | None
    span: Span
    confidence: str


@dataclass(frozen=True, slots=True)
class LendingState:
    """Whether new loans are made, from a day on."""

    state: Lending
    span: Span
    confidence: str


@dataclass(frozen=True, slots=True)
class Grace:
    """Months before repayment begins, and of what."""

    months: int
    words: Words


@dataclass(frozen=True, slots=True)
class Beneficiary:
    """Whom a product serves; `needs` are the facts that make somebody one, None where they are not recorded here."""

    code: str
    words: Words
    needs: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class CreditProduct:
    """What the law says about one product. `priority_of` is the product whose preferred borrowers it serves."""

    code: str
    vbsp_code: str | None
    name: Words
    priority_of: str | None
    served: tuple[Served, ...]
    excluded: tuple[str, ...]
    amounts: tuple[Amount, ...]
    max_term_months: int | None
    term: Words | None
    grace: Grace | None
    security: tuple[Security, ...]
    channels: tuple[str, ...]
    conditions: tuple[Words, ...]
    lending: tuple[LendingState, ...]
    legal: tuple[str, ...]
    sources: tuple[str, ...]
    confidence: str
    restricted: bool

    def amounts_on(self, on: dt.date) -> list[Amount]:
        """The amounts known to hold on a day, each as a number: what is taken from another product is looked up."""
        found = [_resolved(amount, on) for amount in self.amounts if amount.span.holds(on)]
        return [amount for amount in found if amount is not None]

    def served_on(self, on: dt.date) -> tuple[str, ...]:
        """The codes of those served on a day."""
        return tuple(code for each in self.served if each.span.holds(on) for code in each.codes)

    def security_on(self, on: dt.date) -> list[Security]:
        """What security is asked on a day."""
        return [each for each in self.security if each.span.holds(on)]

    def lending_on(self, on: dt.date) -> LendingState | None:
        """Whether new loans are made on a day; None before the first day of which that is known."""
        known = [each for each in self.lending if each.span.holds(on)]
        return known[-1] if known else None


@dataclass(frozen=True, slots=True)
class Programme:
    """A credit programme as the bank's own system numbers it."""

    code: str
    short: str | None
    name: Words


@cache
def credit_products() -> dict[str, CreditProduct]:
    """All products in the order of the data file."""
    return {row["code"]: _product(row) for row in law.table("credit_products.toml")["product"]}


@cache
def credit_programmes() -> dict[str, Programme]:
    """The bank's programmes by their code of two digits."""
    return {
        row["code"]: Programme(row["code"], row.get("short"), Words(row["name_vi"], row["name_en"]))
        for row in law.table("credit_programmes.toml")["programme"]
    }


@cache
def beneficiaries() -> dict[str, Beneficiary]:
    """Those whom products serve, by code."""
    return {
        code: Beneficiary(
            code, Words(row["vi"], row["en"]), frozenset(row["needs"]) if "needs" in row else None
        )
        for code, row in law.table("credit_products.toml")["beneficiary"].items()
    }


@cache
def words(kind: str, code: str) -> Words:
    """What a code of the terms means: kind is amount_rule, collateral, channel or lending_state."""
    return Words(**law.table("credit_products.toml")[kind][code])


def preferred(product: str, contract_date: dt.date, facts: Collection[str]) -> str | None:
    """The product of the priority group that the borrower's facts open instead of `product`, for a contract of a day."""
    for other in credit_products().values():
        if other.priority_of == product and any(_is(code, facts) for code in other.served_on(contract_date)):
            return other.code
    return None


def implied_class(product: str, on: dt.date) -> str | None:
    """The class that all borrowers of a product have, if there is one: a poor household's loan tells its class."""
    needs = [beneficiaries()[code].needs or frozenset() for code in credit_products()[product].served_on(on)]
    shared = frozenset.intersection(*needs) if needs else frozenset()
    return next((name for name in CLASSES if name in shared), None)


def _is(code: str, facts: Collection[str]) -> bool:
    needs = beneficiaries()[code].needs
    return needs is not None and needs <= set(facts)


def _resolved(amount: Amount, on: dt.date) -> Amount | None:
    if amount.as_product is None:
        return amount
    dong = _taken(amount, on)
    if dong is None:
        return None
    return replace(amount, dong=dong)


def _taken(amount: Amount, on: dt.date) -> int | None:
    other = credit_products()[amount.as_product or ""]
    rule = "PER_HOUSEHOLD" if amount.rule == "TOTAL" else amount.rule
    found = [
        each.dong for each in other.amounts if each.rule == rule and each.fund is None and each.span.holds(on)
    ]
    return found[0] if found else None


def _product(row: dict[str, Any]) -> CreditProduct:
    if "terms_in" in row:
        row = row | _of_class(Product(row["code"]), row["amounts"])
    confidence = row["confidence"]
    grace = row.get("grace")
    return CreditProduct(
        code=row["code"],
        vbsp_code=row.get("vbsp_code"),
        name=Words(row["name_vi"], row["name_en"]),
        priority_of=row.get("priority_of"),
        served=tuple(Served(tuple(each["codes"]), _span(each)) for each in row["serves"]),
        excluded=tuple(row.get("excludes", ())),
        amounts=tuple(_amount(each, confidence) for each in row.get("amounts", ())),
        max_term_months=row.get("max_term_months"),
        term=Words(**row["term"]) if "term" in row else None,
        grace=Grace(grace["months"], Words(grace["vi"], grace["en"])) if grace else None,
        security=tuple(
            Security(each["kind"], each.get("dong"), _span(each), each.get("confidence", confidence))
            for each in row.get("collateral", ())
        ),
        channels=tuple(row.get("channel", ())),
        conditions=tuple(Words(**each) for each in row.get("conditions", ())),
        lending=tuple(
            LendingState(Lending(each["state"]), _span(each), each.get("confidence", confidence))
            for each in row["lending"]
        ),
        legal=tuple(row["legal"]),
        sources=tuple(row["sources"]),
        confidence=confidence,
        restricted=row["restricted"],
    )


def _of_class(product: Product, amounts: list[dict[str, Any]]) -> dict[str, Any]:
    terms = products.catalogue()[product]
    return {
        "vbsp_code": terms.vbsp_code,
        "name_vi": terms.name_vi,
        "name_en": terms.name_en,
        "legal": terms.legal,
        "sources": terms.sources,
        "confidence": terms.confidence,
        "max_term_months": terms.max_term_months,
        "restricted": terms.restricted,
        "amounts": [*_limits(product), *amounts],
    }


def _limits(product: Product) -> list[dict[str, Any]]:
    rows = law.table("products.toml")["product"]
    limits = next(row["limits"] for row in rows if row["code"] == product.value)
    later = [*(limit["valid_from"] for limit in limits[1:]), None]
    return [
        {"rule": "PER_HOUSEHOLD", "dong": limit["amount_dong"], "valid_before": before} | limit
        for limit, before in zip(limits, later, strict=True)
    ]


def _amount(row: dict[str, Any], confidence: str) -> Amount:
    return Amount(
        rule=row["rule"],
        span=_span(row),
        purpose=Words(row["for_vi"], row["for_en"]) if "for_vi" in row else None,
        dong=row.get("dong"),
        percent=Decimal(row["percent"]) if "percent" in row else None,
        as_product=row.get("as"),
        products=tuple(row.get("products", ())),
        fund=row.get("fund"),
        province=row.get("province"),
        legal=row.get("legal"),
        confidence=row.get("confidence", confidence),
    )


def _span(row: dict[str, Any]) -> Span:
    return Span(row.get("valid_from", row.get("seen_from")), row.get("valid_before"), "seen_from" not in row)
