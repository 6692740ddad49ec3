"""A review of a commune: opened, its villages begun and followed, closed."""

import uuid
from typing import Any

from fastapi import Request
from pydantic import ValidationError
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from benvung import areas, clock
from benvung.auth import Principal
from benvung.db import Conn
from benvung.forms import Refusal, Sent, Typed, once, wrong
from households import actions, store
from households.actions.refusals import ReviewNotFound
from households.api.cycle_models import OpeningGiven
from households.api.fields import Decider, Reader, Recorder
from households.api.reviews import ReviewGiven
from households.domain import Refused, Stage
from households.domain.procedure_terms import Action, ProcedureKind
from households.domain.procedures import get_procedure
from households.domain.standards import standards
from households.pages.acting import Wanted, wanted
from households.pages.desk import progress
from households.pages.frame import Visit, Visited, Words, desk_router, form, language, page, there

router = desk_router()

MOST_COMMUNES = 400


async def found_review(conn: AsyncConnection, principal: Principal, review_id: uuid.UUID) -> Row[Any]:
    """The review, if it is one of this person's area. Raises `ReviewNotFound`."""
    row = await store.reviews.find(conn, review_id, principal.scope())
    if row is None:
        raise ReviewNotFound
    return row


@router.get("/reviews/new")
async def new_review_page(request: Request, principal: Decider) -> Response:
    """The form of a review to be opened."""
    return _new(request, principal, Typed(), None)


@router.post("/reviews")
async def new_review(request: Request, conn: Conn, principal: Decider, typed: Sent) -> Response:
    """Open a review."""

    async def act() -> str:
        fields = ("commune", "year", "kind", "standard", "decision_number")
        values: dict[str, Any] = {name: text for name in fields if (text := typed.text(name))}
        values |= {name: day for name in ("decided_on", "valid_from") if (day := typed.day(name))}
        given = _checked(ReviewGiven, {**values, "stage": typed.text("stage") or Stage.OFFICIAL})
        made = await actions.reviews.open_review(conn, principal, **given.model_dump())
        return f"/reviews/{made}"

    went = await once(request, conn, typed, act, language(request))
    return _new(request, principal, typed, went) if isinstance(went, Refusal) else there(went)


def _checked(model: Any, values: dict[str, Any]) -> Any:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise wrong(error) from error


def _new(request: Request, principal: Principal, typed: Typed, refused: Refusal | None) -> Response:
    today, words = clock.today(), Words(language(request))
    inside = principal.scope().communes
    codes = sorted(inside)[:MOST_COMMUNES] if inside is not None else []
    if inside is None:
        codes = [unit.code for unit in areas.communes_under(areas.COUNTRY, today)][:MOST_COMMUNES]
    return page(
        request,
        "review_new.html",
        status=refused.status if refused else 200,
        communes=[(code, words.place(code)) for code in codes],
        kinds=[(kind.value, words.of("ProcedureKind", kind.value)) for kind in ProcedureKind],
        standards=[
            (one.code, one.title_vi if words.language == "vi" else one.title_en)
            for one in standards().values()
            if one.complete
        ],
        **form(
            typed,
            refused,
            commune=codes[0] if len(codes) == 1 else "",
            year=str(today.year),
            kind=ProcedureKind.ANNUAL.value,
            decided_on=f"{today.year}-12-14",
        ),
    )


@router.get("/reviews/{review_id}")
async def review_page(request: Request, conn: Conn, principal: Reader, review_id: uuid.UUID) -> Response:
    """The villages of a review: where each stands, what is due, which are not begun."""
    return await _review(request, conn, principal, review_id)


async def _review(
    request: Request,
    conn: AsyncConnection,
    principal: Principal,
    review_id: uuid.UUID,
    refused: Refusal | None = None,
) -> Response:
    review = await found_review(conn, principal, review_id)
    begun = (await store.desk.villages_in(conn, [review_id]))[review_id]
    named = await store.places.villages_of(conn, review.commune)
    known = {each.village for each in begun}
    nearest: dict[str, Row[Any]] = {}
    for each in await store.desk.running(conn, review_id):
        nearest.setdefault(each.village, each)
    return page(
        request,
        "review.html",
        status=refused.status if refused else 200,
        review=review,
        progress=progress(begun),
        states=await store.desk.states_in(conn, review_id),
        nearest=nearest,
        not_begun=[each for each in named if each.code not in known],
        **form(None, refused),
    )


@router.post("/reviews/{review_id}/closure")
async def close(
    request: Request, conn: Conn, principal: Decider, review_id: uuid.UUID, typed: Sent
) -> Response:
    """Close a review whose villages are all done."""

    async def act() -> str:
        await actions.reviews.close_review(conn, principal, review_id)
        return f"/reviews/{review_id}"

    went = await once(request, conn, typed, act, language(request))
    if isinstance(went, Refusal):
        return await _review(request, conn, principal, review_id, went)
    return there(went)


@router.get("/reviews/{review_id}/opening")
async def opening_page(_: Recorder, visit: Visited, review_id: uuid.UUID) -> Response:
    """The form by which the review begins in villages."""
    return await _opening(visit, review_id, Typed(), None)


@router.post("/reviews/{review_id}/opening")
async def opening(principal: Recorder, visit: Visited, review_id: uuid.UUID, typed: Sent) -> Response:
    """Begin the review in the villages that are ticked, all of them or none."""

    async def act() -> str:
        chosen = typed.all("villages")
        if not chosen:
            raise Refused(
                "village-not-chosen", "Hãy chọn ít nhất một thôn.", "Choose at least one village.", "villages"
            )
        for village in chosen:
            given = _checked(OpeningGiven, {**wanted_values(typed), "village": village})
            await actions.cycles.open_village(
                visit.conn,
                principal,
                review_id,
                village=village,
                act=given.act(principal.subject),
                month=given.month,
            )
        return f"/reviews/{review_id}"

    went = await once(visit.request, visit.conn, typed, act, visit.lang)
    if isinstance(went, Refusal):
        return await _opening(visit, review_id, typed, went)
    return there(went)


def wanted_values(typed: Typed) -> dict[str, Any]:
    """What the form says of the opening act."""
    month = {"month": typed.text("month")} if typed.text("month") else {}
    return Wanted.values(typed) | month


async def _opening(visit: Visit, review_id: uuid.UUID, typed: Typed, refused: Refusal | None) -> Response:
    conn, principal = visit.conn, visit.principal
    review = await found_review(conn, principal, review_id)
    begun = (await store.desk.villages_in(conn, [review_id]))[review_id]
    known = {each.village for each in begun}
    villages = [
        each for each in await store.places.villages_of(conn, review.commune) if each.code not in known
    ]
    today = clock.today()
    procedure = get_procedure(ProcedureKind(review.kind), min(today, review.decided_on))
    asks = wanted(principal, procedure, Action.OPEN, (today, today), visit.lang)
    return page(
        visit.request,
        "opening.html",
        status=refused.status if refused else 200,
        review=review,
        villages=villages,
        asks=asks,
        monthly=procedure.begin_month is None,
        **form(typed, refused, **asks.preset, month=str(begun[0].month if begun else today.month)),
    )
