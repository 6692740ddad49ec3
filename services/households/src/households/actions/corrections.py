"""What was recorded wrongly: a decision is corrected by another one, or a fact is annulled. Nothing is edited."""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import audit
from benvung.auth import Principal, Scope
from benvung.vault import Vault
from households import store
from households.actions import histories
from households.actions.book import Taking
from households.actions.decisions import (
    Corrected,
    Given,
    Judged,
    Result,
    check_without_steps,
    found,
    meant,
    record_decision,
)
from households.actions.histories import Evidence
from households.actions.refusals import ChangeNotFound, DecisionNotFound, ReviewNotFound
from households.domain import Refused
from households.domain.history import Annulled
from households.store.decisions import Own, Taken
from households.store.reviews import Review


@dataclass(frozen=True, slots=True)
class Annulment:
    """Why a fact counts no more, and the paper that says so."""

    reason: str
    decision_number: str | None


async def correct(
    conn: AsyncConnection,
    principal: Principal,
    vault: Vault,
    decision_id: uuid.UUID,
    given: Callable[[uuid.UUID], Given],
    *,
    own: Own,
) -> tuple[uuid.UUID, Taken]:
    """Put another result in the place of a decision, from the same day on, by a paper of its own.

    `given` is the result for the household of that decision. A review that is closed may still have been
    wrong, so it need not be open. Returns the review too. Raises `DecisionNotFound`, and the domain's
    `Refused`.
    """
    row = await store.decisions.find(conn, decision_id, principal.scope())
    if row is None:
        raise DecisionNotFound
    review = await store.reviews.hold(conn, row.review_id)
    if review is None:
        raise ReviewNotFound
    check_without_steps(review)
    result = await found(conn, vault, review, given(row.household_id))
    taken = await _replace(conn, review, row, result, own)
    detail = {
        "review": str(review.id),
        "decision": str(taken.decision_id),
        "corrects": str(decision_id),
        "sequence": taken.sequence,
    }
    household = str(row.household_id)
    await audit.record(conn, principal, "household.decision_corrected", "household", household, detail)
    return review.id, taken


async def put_in_its_place(
    conn: AsyncConnection, review: Review, decision_id: uuid.UUID, result: Result, own: Own
) -> Taken:
    """Put a result in the place of a decision of a review whose steps are recorded. Raises `Refused`."""
    row = await store.decisions.find(conn, decision_id, Scope(frozenset({review.commune})))
    if row is None:
        raise DecisionNotFound
    return await _replace(conn, review, row, result, own)


async def _replace(
    conn: AsyncConnection, review: Review, row: sa.Row[Any], result: Result, own: Own
) -> Taken:
    _check_paper(row.decided_on, own.decided_on)
    # The decision's own days: recognition may have been on another one than the review had planned.
    review = replace(
        review, decided_on=row.decided_on, valid_from=row.valid_from, decision_number=row.decision_number
    )
    book = await histories.hold(conn, [row.household_id])
    result = replace(result, village=row.village)
    classification, decision = meant(review, result)
    judged = Judged(result, is_new=False, decision=decision, outcome=None, classification=classification)
    return await record_decision(conn, book, review, judged, Corrected(row.sequence, own))


def _check_paper(decided_on: dt.date, corrected_on: dt.date) -> None:
    if corrected_on < decided_on:
        raise Refused(
            "correction-before-decision",
            f"Văn bản đính chính ngày {corrected_on:%d/%m/%Y} không thể có trước quyết định ngày"
            f" {decided_on:%d/%m/%Y}.",
            f"A correction of {corrected_on.isoformat()} cannot be older than the decision of"
            f" {decided_on.isoformat()}.",
            "decided_on",
            "Quyết định 24/2021/QĐ-TTg",
        )


async def annul_decision(
    conn: AsyncConnection, principal: Principal, decision_id: uuid.UUID, annulment: Annulment
) -> None:
    """Annul a decision: nothing stands in its place, and what followed from it is told anew.

    Raises `DecisionNotFound`, and the domain's `Refused`.
    """
    row = await store.decisions.find(conn, decision_id, principal.scope())
    if row is None:
        raise DecisionNotFound
    review = await store.reviews.hold(conn, row.review_id)
    if review is not None:
        check_without_steps(review)
    await _annul(conn, row.household_id, row.sequence, row.valid_from, annulment)
    detail = {"decision": str(decision_id)}
    household = str(row.household_id)
    await audit.record(conn, principal, "household.decision_annulled", "household", household, detail)


async def annul_change(
    conn: AsyncConnection, principal: Principal, change_id: uuid.UUID, annulment: Annulment
) -> None:
    """Annul an arrival, a move, a change of size or an end that was recorded wrongly.

    Raises `ChangeNotFound`, and the domain's `Refused`.
    """
    row = await store.decisions.find_change(conn, change_id, principal.scope())
    if row is None:
        raise ChangeNotFound
    if row.reason == "REORGANISED":
        raise Refused(
            "reorganisation-stands",
            "Hộ chuyển theo xã khi sắp xếp đơn vị hành chính; không huỷ riêng cho một hộ được.",
            "The household went with its commune; that cannot be annulled for one household alone.",
            "change_id",
        )
    fact = await store.tellings.fact_of(conn, row.sequence)
    await _annul(conn, row.household_id, fact, row.changed_on, annulment)
    detail = {"change": str(change_id)}
    household = str(row.household_id)
    await audit.record(conn, principal, "household.change_annulled", "household", household, detail)


async def _annul(
    conn: AsyncConnection, household_id: uuid.UUID, sequence: int, on: dt.date, annulment: Annulment
) -> None:
    book = await histories.hold(conn, [household_id])
    book.check_annulled_alone(household_id, sequence)
    await histories.record(
        conn,
        book,
        Taking(household_id, on, Annulled(), sequence),
        Evidence(certificate=annulment.decision_number, reason=annulment.reason),
    )
