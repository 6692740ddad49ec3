"""The first page: the reviews of the officer's communes, where their villages stand, and what is due."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from fastapi import Request
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from benvung import clock
from benvung.auth import Principal
from benvung.db import Conn
from households import store
from households.api.fields import Reader
from households.domain.procedure_terms import Step
from households.pages.frame import SOON, desk_router, page

router = desk_router()

REVIEWS, DUE, FILES = 30, 40, 5
ENDED = frozenset({Step.RECOGNISED.value, Step.REPORTED.value})


@router.get("/")
async def desk_page(request: Request, conn: Conn, principal: Reader) -> Response:
    """What is open, where it stands, what to do today."""
    scope = principal.scope()
    reviews = await store.desk.reviews_of(conn, scope, "OPEN", REVIEWS)
    villages = await store.desk.villages_in(conn, [each.id for each in reviews])
    soon = clock.today() + dt.timedelta(days=SOON)
    return page(
        request,
        "desk.html",
        reviews=[(each, progress(villages[each.id])) for each in reviews],
        direct={
            each.id
            for each in reviews
            if not villages[each.id] and await store.reviews.has_decisions(conn, each.id)
        },
        due=await store.desk.due(conn, scope, soon, DUE),
        waiting=await _waiting(conn, principal),
        closed=await store.desk.reviews_of(conn, scope, "CLOSED", FILES),
    )


def progress(villages: Sequence[Row[Any]]) -> dict[str, Any]:
    """How far a review is: villages by step in the order of the law, and how many are decided."""
    steps: dict[str, int] = {}
    for step in Step:
        if found := sum(each.state == step.value for each in villages):
            steps[step.value] = found
    decided = sum(each.state in ENDED for each in villages)
    return {"villages": villages, "steps": steps, "decided": decided, "total": len(villages)}


async def _waiting(conn: AsyncConnection, principal: Principal) -> list[tuple[Row[Any], int]]:
    """The newest files with rows that wait for somebody to say whom they mean."""
    newest = await store.imports.newest(conn, principal.scope(), 20)
    counted = [
        (each, await store.lists.unmatched_count(conn, each.id)) for each in newest if not each.dry_run
    ]
    return [(each, count) for each, count in counted if count][:FILES]
