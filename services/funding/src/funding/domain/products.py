"""The loan products that follow from a household's class, as the data file has them."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from funding.domain import law

WITHHELD = "WITHHELD"
"""What a public event says instead of a restricted reason."""


class Product(StrEnum):
    """Loan products whose conditions this service can answer from a household's public state."""

    POOR = "POOR"
    NEAR_POOR = "NEAR_POOR"
    NEWLY_ESCAPED = "NEWLY_ESCAPED"


@dataclass(frozen=True, slots=True)
class Limit:
    """The most a household may owe under a product, in đồng, from a date on."""

    valid_from: dt.date
    amount_dong: int


@dataclass(frozen=True, slots=True)
class Window:
    """How long a product stays open after the household left the list."""

    months: int
    last_day_counts: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """What the law says about one product. `restricted` products may not be named in public events."""

    product: Product
    vbsp_code: str
    name_vi: str
    name_en: str
    class_served: str
    article: str
    legal: tuple[str, ...]
    sources: tuple[str, ...]
    confidence: str
    max_term_months: int
    limits: tuple[Limit, ...]
    restricted: bool
    window: Window | None

    def limit_on(self, on: dt.date) -> int | None:
        """The limit in đồng in force on a day; None before the first one that is known."""
        known = [limit.amount_dong for limit in self.limits if limit.valid_from <= on]
        return known[-1] if known else None


@dataclass(frozen=True, slots=True)
class Sentence:
    """A reason said to people, in Vietnamese and English. A `restricted` one is not named in public events."""

    vi: str
    en: str
    restricted: bool


def rule_version() -> str:
    """The version of the eligibility rules in the data files; stored with every answer."""
    return str(law.table("products.toml")["rule_version"])


@cache
def catalogue() -> dict[Product, Terms]:
    """All products in the order of the data file."""
    return {Product(row["code"]): _terms(row) for row in law.table("products.toml")["product"]}


@cache
def limit_on(product: Product, on: dt.date) -> int | None:
    """The limit of a product in đồng on a day; None before the first one that is known."""
    return catalogue()[product].limit_on(on)


@cache
def sentences() -> dict[str, Sentence]:
    """The sentence of every reason code."""
    return {code: Sentence(**row) for code, row in law.table("products.toml")["reason"].items()}


@cache
def is_public(product: Product) -> bool:
    """Whether answers about this product may be announced in the public stream."""
    return not catalogue()[product].restricted


def public_reason(code: str) -> str:
    """What the public stream says of a reason: its code, or that it is withheld."""
    return WITHHELD if sentences()[code].restricted else code


def legal_document(code: str) -> dict[str, Any]:
    """Number, date and title of a legal document named in the data files."""
    found: dict[str, Any] = law.table("sources.toml")["legal"][code]
    return found


def _terms(row: dict[str, Any]) -> Terms:
    return Terms(
        product=Product(row["code"]),
        vbsp_code=row["vbsp_code"],
        name_vi=row["name_vi"],
        name_en=row["name_en"],
        class_served=row["class_served"],
        article=row["article"],
        legal=tuple(row["legal"]),
        sources=tuple(row["sources"]),
        confidence=row["confidence"],
        max_term_months=row["max_term_months"],
        limits=tuple(
            sorted(
                (Limit(limit["valid_from"], limit["amount_dong"]) for limit in row["limits"]),
                key=lambda limit: limit.valid_from,
            )
        ),
        restricted=row["restricted"],
        window=Window(**row["window"]) if "window" in row else None,
    )
