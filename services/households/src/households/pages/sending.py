"""Sending a file from a page: without a script by the page's own form, and answered just as over the API."""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Query
from pydantic import ValidationError
from sqlalchemy import Row
from starlette.responses import Response

from benvung import clock
from benvung.auth import Principal
from benvung.forms import Refusal, Sent, Typed, once, refusal, wrong
from benvung.pages.catalogue import translator
from households import actions, store
from households.actions.lists import ListAsked
from households.actions.refusals import SameFileTwice, SameListTwice
from households.api.fields import CommuneCode, Day, Decider, Given, Reader, Writer
from households.api.lists import ListKind
from households.api.uploads import UPLOAD_LIMIT, FileMissing, Upload, on_disk
from households.files.columns import FileKind
from households.pages.frame import Visit, Visited, Words, desk_router, form, page, there

router = desk_router()

MOST_REVIEWS, MOST_COMMUNES = 100, 400
Way = Literal["list", "results"]
ADDRESSES: Mapping[Way, str] = {
    "list": "/v1/communes/{commune}/imports?kind={kind}&on={on}&dry_run={dry_run}",
    "results": "/v1/reviews/{review}/{kind}?dry_run={dry_run}",
}
"""Where a script sends what the form without one gives to this page."""
KINDS: Mapping[Way, Mapping[str, FileKind]] = {
    "list": {"HOUSEHOLDS": FileKind.HOUSEHOLDS, "MEMBERS": FileKind.MEMBERS},
    "results": {"imports": FileKind.RESULTS, "form-b-imports": FileKind.FORM_B},
}
TEMPLATES: Mapping[Way, Sequence[tuple[str, FileKind]]] = {
    "list": [("households", FileKind.HOUSEHOLDS), ("members", FileKind.MEMBERS)],
    "results": [("results", FileKind.RESULTS), ("form-b", FileKind.FORM_B)],
}
PERMISSIONS: Mapping[Way, str] = {"list": "households.write", "results": "reviews.decide"}
FIELDS = frozenset({"kind", "commune", "on", "review", "dry_run", "file"})
Act = Callable[[Upload], Awaitable[uuid.UUID]]


class ListSent(Given):
    """A list as the page's form gives it."""

    kind: ListKind
    commune: CommuneCode
    on: Day
    dry_run: bool = False


class ResultsSent(Given):
    """Results as the page's form gives them; `kind` is the last word of their address."""

    kind: Literal["imports", "form-b-imports"]
    review: uuid.UUID
    dry_run: bool = False


def ways(principal: Principal) -> list[str]:
    """What this person may send."""
    return [way for way, permission in PERMISSIONS.items() if principal.may(permission)]


@router.get("/imports/new")
async def new_page(_: Reader, visit: Visited, of: Annotated[Way, Query()] = "list") -> Response:
    """A file of a commune's households or members, or of a review's results, is chosen."""
    return await _page(visit, of, Typed(), None)


@router.post("/imports/new/list", max_body_size=UPLOAD_LIMIT)
async def send_list(principal: Writer, visit: Visited, typed: Sent) -> Response:
    """Take in a list of households or of members."""

    async def act(given: Upload) -> uuid.UUID:
        said = _checked(ListSent, typed, on=typed.day("on"))
        asked = ListAsked(FileKind(said.kind), said.commune, said.on, given)
        return await actions.lists.receive(visit.conn, principal, visit.vault, asked, dry_run=said.dry_run)

    return await _sent(visit, "list", typed, act)


@router.post("/imports/new/results", max_body_size=UPLOAD_LIMIT)
async def send_results(principal: Decider, visit: Visited, typed: Sent) -> Response:
    """Take in a review's results, or answers of form B."""

    async def act(given: Upload) -> uuid.UUID:
        said = _checked(ResultsSent, typed)
        return await actions.imports.receive(
            visit.conn,
            principal,
            visit.vault,
            said.review,
            given,
            dry_run=said.dry_run,
            kind=KINDS["results"][said.kind],
        )

    return await _sent(visit, "results", typed, act)


def _checked(model: Any, typed: Typed, **read: Any) -> Any:
    values: dict[str, Any] = {name: text for name in model.model_fields if (text := typed.text(name))}
    try:
        return model.model_validate(values | {name: value for name, value in read.items() if value})
    except ValidationError as error:
        raise wrong(error) from error


async def _sent(visit: Visit, way: Way, typed: Typed, act: Act) -> Response:
    went: str | Refusal
    try:
        async with on_disk(visit.request) as given:

            async def record() -> str:
                try:
                    return f"/imports/{await act(given)}"
                except (SameFileTwice, SameListTwice) as known:
                    first = known.headers["Location"].rpartition("/")[2]
                    return f"/imports/{first}?known=true"

            whole = typed.beside(file=given.sha256.hex())
            went = await once(visit.request, visit.conn, whole, record, visit.lang)
    except FileMissing as error:
        went = refusal(error, visit.lang)
    return there(went) if isinstance(went, str) else await _page(visit, way, typed, went)


async def _page(visit: Visit, way: Way, typed: Typed, refused: Refusal | None) -> Response:
    say, words, scope = translator("households", visit.lang), Words(visit.lang), visit.principal.scope()
    communes = sorted(scope.communes or ())[:MOST_COMMUNES]
    reviews = await store.desk.reviews_of(visit.conn, scope, "OPEN", MOST_REVIEWS)
    only = {"commune": communes[0]} if len(communes) == 1 else {}
    asked = {each.standard for each in reviews}
    if way == "results" and len(asked) == 1:
        only["standard"] = asked.pop()
    kinds = [(value, say(f"imports.kind.{kind}")) for value, kind in KINDS[way].items()]
    return page(
        visit.request,
        "import_new.html",
        status=refused.status if refused else 200,
        way=way,
        address=ADDRESSES[way],
        kinds=kinds,
        communes=[(code, words.place(code)) for code in communes],
        reviews=[(str(each.id), _named(each, words)) for each in reviews],
        templates=[
            (f"/v1/templates/{name}", f"?{urlencode(only)}" if only else "", say(f"imports.kind.{kind}"))
            for name, kind in TEMPLATES[way]
        ],
        **form(
            typed,
            refused and _of_file(refused),
            kind=kinds[0][0],
            commune=communes[0] if len(communes) == 1 else "",
            on=clock.today().isoformat(),
            review=str(reviews[0].id) if len(reviews) == 1 else "",
        ),
    )


def _of_file(refused: Refusal) -> Refusal:
    """What a rule says of a part of the file stands beside the field of the file."""
    fields = {name if name in FIELDS else "file": message for name, message in refused.fields.items()}
    return replace(refused, fields=fields)


def _named(review: Row[Any], words: Words) -> str:
    kind = words.of("ProcedureKind", review.kind)
    return f"{kind} {review.year} · {words.place(review.commune)} · {review.decided_on:%d/%m/%Y}"
