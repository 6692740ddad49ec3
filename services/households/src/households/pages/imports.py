"""The files of an area: how one is sent, and what was answered to each row."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from sqlalchemy import Row
from starlette.responses import Response

from benvung.auth import Principal
from benvung.db import Conn
from benvung.pages.catalogue import translator
from benvung.paging import After
from households import store
from households.api import imports
from households.api.fields import Keys, Reader
from households.api.imports import ImportId
from households.pages.frame import Words, language, page

router = APIRouter(include_in_schema=False)

FILES, SHOWN = 100, 50
Way = Literal["list", "results"]
ADDRESSES: Mapping[Way, str] = {
    "list": "/v1/communes/{commune}/imports?kind={kind}&on={on}&dry_run={dry_run}",
    "results": "/v1/reviews/{review}/{kind}?dry_run={dry_run}",
}
KINDS: Mapping[Way, Mapping[str, str]] = {
    "list": {"HOUSEHOLDS": "HOUSEHOLDS", "MEMBERS": "MEMBERS"},
    "results": {"imports": "RESULTS", "form-b-imports": "FORM_B"},
}
TEMPLATES: Mapping[Way, Sequence[tuple[str, str]]] = {
    "list": [("households", "HOUSEHOLDS"), ("members", "MEMBERS")],
    "results": [("form-b", "FORM_B")],
}
PERMISSIONS: Mapping[Way, str] = {"list": "households.write", "results": "reviews.decide"}
Only = Annotated[Literal["errors", "answers", "unmatched"] | None, Query()]


@router.get("/imports")
async def imports_page(request: Request, conn: Conn, principal: Reader) -> Response:
    """The newest files of the officer's area, with how many rows wait."""
    items = await store.imports.newest(conn, principal.scope(), FILES)
    waiting = {row.id: await store.lists.unmatched_count(conn, row.id) for row in items}
    return page(request, "imports.html", items=items, waiting=waiting, ways=_ways(principal))


@router.get("/imports/new")
async def new_page(*, request: Request, conn: Conn, principal: Reader, of: Way = "list") -> Response:
    """A file of a commune's households or members, or of a review's results, is chosen and sent to the API."""
    lang = language(request)
    say, words = translator("households", lang), Words(lang)
    communes = sorted(principal.scope().communes or ())[:FILES]
    reviews = await store.desk.reviews_of(conn, principal.scope(), "OPEN", FILES)
    only = f"?commune={communes[0]}" if len(communes) == 1 else ""
    return page(
        request,
        "import_new.html",
        way=of,
        address=ADDRESSES[of],
        kinds=[(value, say(f"imports.kind.{kind}")) for value, kind in KINDS[of].items()],
        communes=[(code, words.place(code)) for code in communes],
        reviews=[(str(each.id), _named(each, words)) for each in reviews],
        templates=[
            (f"/v1/templates/{name}.xlsx{only}", say(f"imports.kind.{kind}")) for name, kind in TEMPLATES[of]
        ],
    )


def _named(review: Row[Any], words: Words) -> str:
    kind = words.of("ProcedureKind", review.kind)
    return f"{kind} {review.year} · {words.place(review.commune)} · {review.decided_on:%d/%m/%Y}"


def _ways(principal: Principal) -> list[str]:
    """What this person may send."""
    return [way for way, permission in PERMISSIONS.items() if principal.may(permission)]


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
) -> Response:
    """What became of a file's rows: those with a remark first asked for, all of them when wanted."""
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
        waiting=await store.lists.unmatched_count(conn, import_id),
        only=only,
        rows=answered.items,
        next_url=f"{address}?{urlencode(following)}" if following else None,
        first_url=f"{address}?{urlencode(asked)}" if after else None,
    )
