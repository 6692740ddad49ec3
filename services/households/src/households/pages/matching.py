"""The rows of a file that wait for somebody to say whom they mean."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Request
from starlette.responses import RedirectResponse, Response

from benvung import paging
from benvung.auth import Principal
from benvung.db import Conn
from benvung.forms import Refusal, Sent, once, refusal
from benvung.paging import After
from benvung.vault import Vault
from households import actions, store
from households.actions.matched_results import Choice, Resolved
from households.actions.matching import Unmatched
from households.api.fields import Keys, Reader, Writer
from households.api.imports import ImportId, import_row
from households.api.matching import FILE_LIMIT, on_record, resolved_by
from households.api.uploads import FileMissing, on_disk
from households.domain import HouseholdClass, label
from households.domain.candidates import HINT_LABELS
from households.pages.frame import desk_router, language, page
from households.tables import import_rows

router = desk_router()

SHOWN, REASONS = 25, 100
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
) -> Response:
    """The rows that wait, each with who may be meant. Nothing is chosen beforehand."""
    return await _matching(Asked(request, conn, principal, vault, import_id), after, taken, ())


@router.post("/imports/{import_id}/matching")
async def match(
    request: Request, import_id: ImportId, conn: Conn, principal: Writer, vault: Keys
) -> Response:
    """Take what was chosen on the page, and show what still waits, with why a choice could not be taken."""
    form = await request.form()
    choices = [
        choice
        for name, value in form.items()
        if name.startswith("row-") and isinstance(value, str) and (choice := _choice(name, value))
    ]
    answered: list[Resolved] = []
    if choices:
        answered = await actions.matching.resolve(conn, principal, vault, import_id, choices[:SHOWN])
    return await _matched(Asked(request, conn, principal, vault, import_id), answered)


@router.post("/imports/{import_id}/matching/file", max_body_size=FILE_LIMIT)
async def match_by_file(
    *, request: Request, import_id: ImportId, conn: Conn, principal: Writer, vault: Keys, typed: Sent
) -> Response:
    """Take what was chosen in the file that is sent back; sent twice, it is taken once."""
    asked = Asked(request, conn, principal, vault, import_id)
    found = await import_row(conn, principal, import_id)
    answered: list[Resolved] = []
    try:
        async with on_disk(request) as given:

            async def act() -> str:
                answered.extend(await resolved_by(conn, principal, vault, found, given))
                return f"/imports/{import_id}/matching"

            whole = typed.beside(file=given.sha256.hex())
            went = await once(request, conn, whole, act, language(request))
    except FileMissing as error:
        went = refusal(error, language(request))
    if isinstance(went, Refusal):
        return await _matching(asked, None, 0, [("file", went.text)], went.status)
    return await _matched(asked, answered)


async def _matched(asked: "Asked", answered: Sequence[Resolved]) -> Response:
    lang = language(asked.request)
    refused = [each for each in answered if any(one["level"] == "ERROR" for one in each.answers)]
    taken = len(answered) - len(refused)
    if refused:
        reasons = [
            (f"row-{each.row_no}", f"{each.row_no}: {one[f'message_{lang}']}")
            for each in refused[:REASONS]
            for one in each.answers
        ]
        return await _matching(asked, None, taken, reasons)
    address = f"/imports/{asked.import_id}/matching"
    return RedirectResponse(f"{address}?{urlencode({'taken': taken})}", status_code=303)


@dataclass(frozen=True, slots=True)
class Asked:
    """Who looks at which import."""

    request: Request
    conn: Conn
    principal: Principal
    vault: Vault
    import_id: uuid.UUID


async def _matching(
    asked: Asked,
    after: str | None,
    taken: int,
    reasons: Sequence[tuple[str, str]],
    status: int = 200,
) -> Response:
    conn, import_id = asked.conn, asked.import_id
    found = await import_row(conn, asked.principal, import_id)
    columns = (import_rows.c.row_no,)
    query = paging.keyset(store.imports.rows_query(import_id, "unmatched"), columns, after, SHOWN)
    items, following = paging.split(await store.registry.rows(conn, query), columns, SHOWN)
    listed = await actions.matching.unmatched(conn, asked.principal, asked.vault, found, items)
    await on_record(conn, asked.principal, import_id, listed)
    lang = language(asked.request)
    address = f"/imports/{import_id}/matching"
    return page(
        asked.request,
        "matching.html",
        status=status,
        found=found,
        address=address,
        rows=[_shown(row, lang) for row in listed],
        waiting=await store.lists.unmatched_count(conn, import_id),
        taken=taken,
        reasons=reasons,
        next_url=f"{address}?{urlencode({'after': following})}" if following else None,
        first_url=address if after else None,
    )


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
