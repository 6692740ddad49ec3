"""Who may be recorded twice in an area."""

from fastapi import APIRouter

from benvung import audit, paging, problems
from benvung.db import Conn
from benvung.paging import After, CursorUnknown, Limit, Page
from households import store
from households.api.fields import Area, Keys, Lang, Reader, within
from households.api.persons import PairShown, homes_of, pairs_shown

router = APIRouter(prefix="/v1", tags=["members"])


@router.get("/duplicates", responses=problems.responses(CursorUnknown))
async def duplicates(
    *,
    principal: Reader,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    area: Area = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[PairShown]:
    """Who may be recorded twice, at least once in this part of your area. Reading it is recorded."""
    query = store.members.alike_in(vault, within(principal, area))
    columns = (query.selected_columns.one, query.selected_columns.other)
    rows = await store.registry.rows(conn, paging.keyset(query, columns, after, limit))
    items, following = paging.split(rows, columns, limit)
    shown = await pairs_shown(conn, vault, principal.scope(), items, lang)
    about = audit.About("household", sorted(homes_of(shown), key=str))
    detail = {"pairs": len(shown)}
    await audit.record(
        conn, principal, "households.duplicates_read", "area", area or "*", detail, about=about
    )
    return Page(items=shown, next=following)
