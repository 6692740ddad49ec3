"""Finding a household by a name, with or without diacritics, or by a personal number, which stands in no address."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from benvung.db import Conn
from benvung.forms import Refusal, Sent, refusal
from benvung.paging import After
from benvung.problems import is_domain_refusal
from households import store
from households.api import search
from households.api.fields import Keys, Reader
from households.api.filters import Asked
from households.api.search import HouseholdFound, NumberGiven
from households.pages.frame import language, page

router = APIRouter(include_in_schema=False)

SHOWN = 25
Named = Annotated[str, Query(max_length=100)]


@router.get("/search")
async def search_page(
    *, request: Request, conn: Conn, principal: Reader, vault: Keys, name: Named = "", after: After = None
) -> Response:
    """Households whose head or member has these words in the name."""
    words = " ".join(name.split())
    if not words or not words.isprintable():
        return await _show(request, conn, None, name=words)
    found = await search.by_name(
        name=words,
        principal=principal,
        conn=conn,
        vault=vault,
        lang=language(request),
        narrowed=Asked(),
        after=after,
        limit=SHOWN,
    )
    following = f"/search?{urlencode({'name': words, 'after': found.next})}" if found.next else None
    return await _show(request, conn, found.items, name=words, next_url=following)


@router.post("/search")
async def by_number(request: Request, conn: Conn, principal: Reader, vault: Keys, typed: Sent) -> Response:
    """Households with a member of this number. It changes nothing and is sent in the body for secrecy alone."""
    lang = language(request)
    try:
        given = NumberGiven(number=typed.text("number")[:20])
        found = await search.by_number(given=given, principal=principal, conn=conn, vault=vault, lang=lang)
    except Exception as error:
        if not is_domain_refusal(error):
            raise
        return await _show(request, conn, None, refused=refusal(error, lang))
    return await _show(request, conn, found)


async def _show(
    request: Request,
    conn: Conn,
    found: list[HouseholdFound] | None,
    *,
    name: str = "",
    next_url: str | None = None,
    refused: Refusal | None = None,
) -> Response:
    villages: dict[str, Any] = {}
    for commune in {each.household.commune for each in found or ()}:
        listed = await store.places.villages_of(conn, commune, ended=True)
        villages |= {each.code: each.name for each in listed}
    return page(
        request,
        "search.html",
        status=refused.status if refused else 200,
        found=found,
        name=name,
        villages=villages,
        next_url=next_url,
        refused=refused,
    )
