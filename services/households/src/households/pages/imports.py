"""The files of an area, and what was answered to each row of one."""

from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import Query, Request
from starlette.responses import Response

from benvung.db import Conn
from benvung.paging import After
from households import store
from households.api import imports
from households.api.fields import Keys, Reader
from households.api.imports import ImportId
from households.pages.frame import desk_router, language, page
from households.pages.sending import ways

router = desk_router()

FILES, SHOWN = 100, 50
Only = Annotated[Literal["errors", "answers", "unmatched"] | None, Query()]


@router.get("/imports")
async def imports_page(request: Request, conn: Conn, principal: Reader) -> Response:
    """The newest files of the officer's area, with how many rows wait."""
    items = await store.imports.newest(conn, principal.scope(), FILES)
    waiting = {row.id: await store.lists.unmatched_count(conn, row.id) for row in items}
    return page(request, "imports.html", items=items, waiting=waiting, ways=ways(principal))


@router.get("/imports/{import_id}")
async def import_page(
    *,
    request: Request,
    import_id: ImportId,
    conn: Conn,
    principal: Reader,
    vault: Keys,
    only: Only = None,
    after: After = None,
    known: bool = False,
) -> Response:
    """What became of a file's rows, and whom each is about; `known` = it was sent again, and nothing was done."""
    found = await imports.import_row(conn, principal, import_id)
    answered = await imports.rows(
        import_id=import_id,
        principal=principal,
        conn=conn,
        vault=vault,
        lang=language(request),
        only=only,
        after=after,
        limit=SHOWN,
    )
    asked = {"only": only} if only else {}
    address = f"/imports/{import_id}"
    following = {**asked, "after": answered.next} if answered.next else {}
    return page(
        request,
        "import.html",
        found=found,
        known=known,
        waiting=await store.lists.unmatched_count(conn, import_id),
        only=only,
        rows=answered.items,
        next_url=f"{address}?{urlencode(following)}" if following else None,
        first_url=f"{address}?{urlencode(asked)}" if after else None,
    )
