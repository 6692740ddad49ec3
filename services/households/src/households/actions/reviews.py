"""Opening and closing a commune's reviews."""

import datetime as dt
import uuid

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import audit, clock, outbox
from benvung.auth import Principal
from households import store
from households.actions.areas import place_on
from households.actions.decisions import check_scope
from households.actions.refusals import (
    CyclesUnfinished,
    ImportsUnfinished,
    ReviewClosed,
    ReviewExists,
    ReviewNotFound,
)
from households.domain import (
    Refused,
    ReviewKind,
    Stage,
    Standard,
    check_standard,
    get_standard,
    proposed_standard,
)
from households.domain.income import BY_INCOME, income_limit
from households.domain.procedure_terms import ProcedureKind, procedure_label
from households.domain.procedures import procedure_of
from households.events import ClassTotal, ReviewOpened
from households.events import ReviewClosed as ReviewClosedEvent


async def open_review(
    conn: AsyncConnection,
    principal: Principal,
    *,
    commune: str,
    year: int,
    kind: ProcedureKind,
    stage: Stage,
    standard: str | None,
    decided_on: dt.date,
    valid_from: dt.date | None,
    decision_number: str | None,
) -> uuid.UUID:
    """Open a review of a commune by the standard it declares; a date only proposes one.

    Raises `CommuneUnknown`, `OutsideArea`, `ReviewExists`, and the domain's `Refused`.
    """
    holds_from = valid_from or decided_on
    place = place_on(commune, "", holds_from)
    principal.scope().check(commune)
    if standard is None:
        raise _standard_missing(holds_from)
    declared = check_standard(get_standard(standard), holds_from)
    if kind in BY_INCOME:
        _check_by_income(kind, stage, declared, holds_from)
    if kind is ProcedureKind.ANNUAL and not year <= holds_from.year <= year + 1:
        raise Refused(
            "review-year-contradicted",
            f"Kết quả rà soát năm {year} không thể có hiệu lực từ {holds_from:%d/%m/%Y}.",
            f"Results of the review of {year} cannot hold from {holds_from.isoformat()}.",
            "valid_from",
        )
    review_id = uuid.uuid4()
    values = {
        "id": review_id,
        "province": place.province,
        "commune": commune,
        "area_type": place.area_type,
        "year": year,
        "kind": kind,
        "stage": stage,
        "standard": declared.code,
        "decided_on": decided_on,
        "valid_from": holds_from,
        "decision_number": decision_number,
        "opened_on": clock.today(),
        # Nothing but the steps leads to a result by income.
        "by_cycle": kind in BY_INCOME,
    }
    if not await store.reviews.add(conn, values):
        first = await store.reviews.annual(conn, commune, year, stage, declared.code)
        raise ReviewExists(first or review_id)
    if kind not in BY_INCOME:
        event = ReviewOpened(
            province=place.province,
            commune=commune,
            revision=1,
            review_id=review_id,
            year=year,
            kind=ReviewKind(kind.value).value,
            stage=stage.value,
            standard=declared.code,
            opened_on=clock.today(),
        )
        await outbox.publish(conn, [event])
    await audit.record(conn, principal, "review.opened", "review", str(review_id), {"commune": commune})
    return review_id


def _check_by_income(kind: ProcedureKind, stage: Stage, standard: Standard, on: dt.date) -> None:
    if stage is not Stage.OFFICIAL:
        raise Refused(
            "review-without-preliminary",
            f"{procedure_label(kind)} không có kết quả sơ bộ.",
            f"{procedure_label(kind, 'en')} has no preliminary result.",
            "body.stage",
            "Quyết định 24/2021/QĐ-TTg, Điều 6, 7",
        )
    income_limit(kind, standard, on)


def _standard_missing(on: dt.date) -> Refused:
    proposed = proposed_standard(on)
    hint_vi = f" Theo ngày có hiệu lực, có thể là {proposed.code}." if proposed else ""
    hint_en = f" By the date it may be {proposed.code}." if proposed else ""
    return Refused(
        "review-standard-missing",
        f"Kỳ rà soát phải nêu rõ chuẩn nghèo áp dụng.{hint_vi}",
        f"A review must declare the poverty standard it applies.{hint_en}",
        "body.standard",
        "Quyết định 24/2021/QĐ-TTg",
    )


async def close_review(conn: AsyncConnection, principal: Principal, review_id: uuid.UUID) -> None:
    """Close a review; it takes no more results. Its totals by class are told.

    Raises `ReviewNotFound`, `OutsideArea`, `ReviewClosed`, `ImportsUnfinished`, `CyclesUnfinished`.
    """
    review = await store.reviews.lock(conn, review_id)
    if review is None:
        raise ReviewNotFound
    await check_scope(conn, principal, review)
    if not review.is_open:
        raise ReviewClosed
    if await store.imports.unfinished(conn, review_id):
        raise ImportsUnfinished
    if any(
        state != procedure_of(version).steps[-1]
        for version, state in await store.cycles.states(conn, review_id)
    ):
        raise CyclesUnfinished
    totals = await store.reviews.totals(conn, review_id)
    await store.reviews.close(conn, review_id, clock.today())
    if review.procedure not in BY_INCOME:
        event = ReviewClosedEvent(
            province=review.province,
            commune=review.commune,
            revision=review.revision + 1,
            review_id=review_id,
            year=review.year,
            kind=review.kind.value,
            stage=review.stage.value,
            standard=review.standard.code,
            closed_on=clock.today(),
            totals={
                name: ClassTotal(households=households, persons=persons)
                for name, (households, persons) in totals.items()
            },
        )
        await outbox.publish(conn, [event])
    await audit.record(conn, principal, "review.closed", "review", str(review_id), None)
