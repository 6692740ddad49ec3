"""The rules: who may ask for which loan product, at what rate, and how an allocation must add up.

Pure functions on frozen values; numbers come from the data files beside this package.
"""

from funding.domain.budget import (
    Allocation,
    Component,
    Line,
    Programme,
    capital_types,
    check,
    programmes,
    sources,
)
from funding.domain.eligibility import (
    Answer,
    HouseholdStatus,
    PovertyClass,
    Reason,
    Standing,
    Status,
    answers,
    entitled,
    on_day,
)
from funding.domain.products import (
    Product,
    Terms,
    catalogue,
    is_public,
    legal_document,
    limit_on,
    public_reason,
    rule_version,
    sentences,
)
from funding.domain.rates import Rate, rate_on
from funding.domain.refused import Refused

__all__ = [
    "Allocation",
    "Answer",
    "Component",
    "HouseholdStatus",
    "Line",
    "PovertyClass",
    "Product",
    "Programme",
    "Rate",
    "Reason",
    "Refused",
    "Standing",
    "Status",
    "Terms",
    "answers",
    "capital_types",
    "catalogue",
    "check",
    "entitled",
    "is_public",
    "legal_document",
    "limit_on",
    "on_day",
    "programmes",
    "public_reason",
    "rate_on",
    "rule_version",
    "sentences",
    "sources",
]
