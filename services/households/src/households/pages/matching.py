"""The rows of a file that wait for somebody to say whom they mean."""

import uuid
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from benvung import paging
from benvung.db import Conn
from benvung.paging import After
from households import actions, store
from households.actions.matched_results import Choice
from households.actions.matching import Unmatched
from households.api.fields import Keys, Reader, Writer
from households.api.imports import ImportId, import_row
from households.api.matching import on_record
from households.domain import HouseholdClass, label
from households.domain.candidates import HINT_LABELS
from households.pages.frame import language, page
from households.tables import import_rows

router = APIRouter(include_in_schema=False)

SHOWN = 25
Count = Annotated[int, Query(ge=0, le=100_000)]


@router.get("/imports/{import_id}/matching")
async def matching_page(
    *,
    request: Request,
    import_id: ImportId,
    conn: Conn,
    principal: Reader,
    vault: Keys,
    after: After = None,
    taken: Count = 0,
    refused: Count = 0,
) -> Response:
    """The rows that wait, each with who may be meant. Nothing is chosen beforehand."""
    found = await import_row(conn, principal, import_id)
    columns = (import_rows.c.row_no,)
    query = paging.keyset(store.imports.rows_query(import_id, "unmatched"), columns, after, SHOWN)
    items, following = paging.split(await store.registry.rows(conn, query), columns, SHOWN)
    listed = await actions.matching.unmatched(conn, principal, vault, found, items)
    await on_record(conn, principal, import_id, listed)
    lang = language(request)
    address = f"/imports/{import_id}/matching"
    return page(
        request,
        "matching.html",
        found=found,
        address=address,
        rows=[_shown(row, lang) for row in listed],
        waiting=await store.lists.unmatched_count(conn, import_id),
        taken=taken,
        refused=refused,
        next_url=f"{address}?{urlencode({'after': following})}" if following else None,
        first_url=address if after else None,
    )


@router.post("/imports/{import_id}/matching")
async def match(
    request: Request, import_id: ImportId, conn: Conn, principal: Writer, vault: Keys
) -> RedirectResponse:
    """Take what was chosen on the page, and show what still waits."""
    form = await request.form()
    choices = [
        choice
        for name, value in form.items()
        if name.startswith("row-") and isinstance(value, str) and (choice := _choice(name, value))
    ]
    answered = []
    if choices:
        answered = await actions.matching.resolve(conn, principal, vault, import_id, choices[:SHOWN])
    refused = sum(1 for each in answered if any(a["level"] == "ERROR" for a in each.answers))
    went = {"taken": len(answered) - refused, "refused": refused}
    return RedirectResponse(f"/imports/{import_id}/matching?{urlencode(went)}", status_code=303)


def _choice(name: str, value: str) -> Choice | None:
    """A choice as the page's form writes it: `row-12` = `household:<id>`, `member:<id>`, `new` or `skip`."""
    number = name.removeprefix("row-")
    kind, _, given = value.partition(":")
    if not (number.isascii() and number.isdigit() and len(number) < 8):
        return None
    if kind in {"new", "skip"}:
        return Choice(int(number), kind.upper())
    try:
        meant = uuid.UUID(given)
    except ValueError:
        return None
    if kind == "member":
        return Choice(int(number), "MEMBER", member_id=meant)
    return Choice(int(number), "HOUSEHOLD", meant) if kind == "household" else None


def _shown(row: Unmatched, language: str) -> dict[str, Any]:
    english = language == "en"
    return {
        "row": row,
        "why": [each[f"message_{language}"] for each in row.answers],
        "candidates": [
            {
                "it": each,
                "value": f"member:{each.found.member_id}"
                if row.of_person
                else f"household:{each.found.household_id}",
                "why": [HINT_LABELS[hint][english] for hint in each.found.hints],
                "of_class": each.household_class
                and label(HouseholdClass(each.household_class), "en" if english else "vi"),
            }
            for each in row.candidates
        ],
    }
