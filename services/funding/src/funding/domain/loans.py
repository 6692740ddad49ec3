"""A loan's way from the household's request to its end, and what a household may still borrow.

The household's class decides whether it may ask (see `eligibility`); what is signed stays as it was signed,
whatever becomes of the class.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from funding.domain import law
from funding.domain.budget import dong
from funding.domain.products import legal_document
from funding.domain.refused import Refused


class LoanState(StrEnum):
    """Where a request or a loan stands."""

    DRAFT = "DRAFT"
    GROUP_REVIEWED = "GROUP_REVIEWED"
    LISTED = "LISTED"
    COMMUNE_CERTIFIED = "COMMUNE_CERTIFIED"
    COMMUNE_REJECTED = "COMMUNE_REJECTED"
    BANK_REVIEWED = "BANK_REVIEWED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    DISBURSED = "DISBURSED"
    CLOSED = "CLOSED"


class LoanStep(StrEnum):
    """What is done with a request or a loan."""

    REVIEW_IN_GROUP = "REVIEW_IN_GROUP"
    LIST = "LIST"
    CERTIFY = "CERTIFY"
    REFUSE_TO_CERTIFY = "REFUSE_TO_CERTIFY"
    REVIEW_AT_BANK = "REVIEW_AT_BANK"
    APPROVE = "APPROVE"
    REJECT = "REJECT"
    DISBURSE = "DISBURSE"
    CLOSE = "CLOSE"


class LoanActor(StrEnum):
    """Who takes a step."""

    GROUP = "GROUP"
    COMMUNE = "COMMUNE"
    BANK = "BANK"


@dataclass(frozen=True, slots=True)
class StepRule:
    """From where a step may be taken, where it leads, who takes it and on which of the bank's forms."""

    step: LoanStep
    before: frozenset[LoanState]
    after: LoanState
    actor: LoanActor
    papers: tuple[str, ...]
    vi: str
    en: str


@dataclass(frozen=True, slots=True)
class SharedLimit:
    """The most a household may owe in several products together, in đồng, from a day on."""

    products: frozenset[str]
    valid_from: dt.date
    amount_dong: int
    legal: str
    confidence: str


@cache
def steps() -> dict[LoanStep, StepRule]:
    """The steps in the order of the data file."""
    return {
        LoanStep(row["code"]): StepRule(
            step=LoanStep(row["code"]),
            before=frozenset(map(LoanState, row["from"])),
            after=LoanState(row["to"]),
            actor=LoanActor(row["actor"]),
            papers=tuple(row["papers"]),
            vi=row["vi"],
            en=row["en"],
        )
        for row in law.table("loans.toml")["step"]
    }


def state_words(state: LoanState) -> tuple[str, str]:
    """A state in Vietnamese and in English."""
    row = law.table("loans.toml")["state"][state.value]
    return row["vi"], row["en"]


def actor_words(actor: LoanActor) -> tuple[str, str]:
    """Who takes a step, in Vietnamese and in English."""
    row = law.table("loans.toml")["actor"][actor.value]
    return row["vi"], row["en"]


def after(state: LoanState, step: LoanStep) -> LoanState:
    """The state that a step leads to. Raises `Refused` when it cannot be taken from `state`."""
    rule = steps()[step]
    if state in rule.before:
        return rule.after
    next_ones = [each for each in steps().values() if state in each.before]
    vi, en = state_words(state)
    may_vi = "; ".join(each.vi for each in next_ones) or "không còn bước nào"
    may_en = "; ".join(each.en for each in next_ones) or "none"
    raise Refused(
        "loan-step-not-now",
        message_vi=f"Khoản vay đang ở trạng thái “{vi}”, chưa thể ghi “{rule.vi}”. Bước tiếp theo: {may_vi}.",
        message_en=f"The loan is “{en}”, so “{rule.en}” cannot be recorded. What may follow: {may_en}.",
        field="step",
    )


@cache
def shared_limits() -> tuple[SharedLimit, ...]:
    """The limits over several products, the newest last."""
    found = [
        SharedLimit(
            frozenset(row["products"]), row["valid_from"], row["amount_dong"], row["legal"], row["confidence"]
        )
        for row in law.table("loans.toml")["shared_limit"]
    ]
    return tuple(sorted(found, key=lambda each: each.valid_from))


def shared_limit(product: str, on: dt.date) -> SharedLimit | None:
    """The limit that a product shares with others on a day; None where it shares none."""
    held = [each for each in shared_limits() if product in each.products and each.valid_from <= on]
    return held[-1] if held else None


def room(product: str, limit_dong: int, owed: Mapping[str, int], on: dt.date) -> int:
    """What a household may still borrow under a product on a day, in đồng; never below zero.

    `limit_dong` is the product's own limit, `owed` what the household owes by product, requests that are
    approved but not paid out included.
    """
    found = limit_dong - owed.get(product, 0)
    shared = shared_limit(product, on)
    if shared is not None:
        found = min(found, shared.amount_dong - sum(owed.get(each, 0) for each in shared.products))
    return max(found, 0)


def check_amount(
    product: str, asked_dong: int, limit_dong: int, owed: Mapping[str, int], on: dt.date
) -> None:
    """Raise `Refused` when a household asks for more than it may still borrow, naming how much that is."""
    left = room(product, limit_dong, owed, on)
    if asked_dong <= left:
        return
    shared = shared_limit(product, on)
    document = None if shared is None else legal_document(shared.legal)["number"]
    most = limit_dong if shared is None else min(limit_dong, shared.amount_dong)
    used = sum(owed.get(each, 0) for each in (shared.products if shared else {product}))
    raise Refused(
        "loan-above-limit",
        message_vi=(
            f"Đề nghị vay {dong(asked_dong)}, nhưng hộ chỉ còn được vay {dong(left)}:"
            f" mức cao nhất {dong(most)}, đang dư nợ {dong(used)}."
        ),
        message_en=(
            f"{asked_dong} đồng are asked for, but the household may borrow {left} more:"
            f" at most {most}, {used} owed."
        ),
        field="amount_dong",
        legal=document,
    )
