"""The page /operations: how a service's parts stand, its dead letters, its rebuilds, and what to do about them.

Every form works without a script: it changes something and leads back to a page that says what happened.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import RedirectResponse, Response, StreamingResponse

from benvung import audit, auth
from benvung.db import Conn
from benvung.operations import letters, rebuilds
from benvung.operations.api import Number, Operator
from benvung.operations.letters import LetterSettled, ProjectionGone
from benvung.operations.payload import printable, readable
from benvung.operations.rebuilds import StreamNotRead
from benvung.operations.shown import label
from benvung.operations.situation import situation
from benvung.pages import catalogue, render
from benvung.paging import After
from benvung.service import Service

ADDRESS = "/operations"
LETTERS_SHOWN = 50
PAYLOAD_SHOWN = 20_000
TICK_SECONDS = 2.0
TICK = b"data: look\n\n"
PING = b"event: ping\ndata: \n\n"

router = APIRouter(prefix=ADDRESS, include_in_schema=False)
_home = APIRouter(include_in_schema=False)

Shown = Annotated[letters.State | None, Query(alias="state")]
Happened = Annotated[str, Query(max_length=20)]
Count = Annotated[int, Query(ge=0, le=letters.BOUND)]


def routers(service: Service) -> list[APIRouter]:
    """The page of a service that keeps projections; it is the first page of one that has no other."""
    if not service.projectors:
        return []
    return [router] if service.pages else [_home, router]


@_home.get("/", dependencies=[auth.PUBLIC])
async def home() -> RedirectResponse:
    """Where the product's name leads."""
    return RedirectResponse(ADDRESS, status_code=303)


@router.get("")
async def operations_page(
    *,
    request: Request,
    conn: Conn,
    _: Operator,
    state: Shown = letters.State.WAITING,
    every: Annotated[bool, Query(alias="all")] = False,
    after: After = None,
    done: Happened = "",
    retried: Count = 0,
    kept: Count = 0,
) -> Response:
    """Everything at a glance. It follows what happens while one looks."""
    context = await _index(request, conn, None if every else state, after)
    happened = {"happened": done, "retried": retried, "kept": kept}
    return render(request, "kit/operations/index.html", **context | happened)


@router.get("/now")
async def now_fragment(request: Request, conn: Conn, _: Operator) -> Response:
    """How the parts stand now."""
    return render(request, "kit/operations/now.html", **await _now(request, conn))


@router.get("/newest")
async def newest_fragment(request: Request, conn: Conn, _: Operator) -> Response:
    """The last rebuilds, as they are now."""
    return render(request, "kit/operations/rebuilds.html", newest=await rebuilds.newest(conn))


@router.get("/letters")
async def letters_fragment(
    *, request: Request, conn: Conn, _: Operator, state: Shown = None, after: After = None
) -> Response:
    """The list of dead letters now."""
    return render(request, "kit/operations/letters.html", **await _letters(conn, state, after))


@router.get("/live")
async def live(request: Request, _: Operator) -> StreamingResponse:
    """Server-sent events: time to look again."""
    return StreamingResponse(
        _ticks(request), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


async def _ticks(request: Request) -> AsyncGenerator[bytes, None]:
    closing = _closing(request)
    yield PING
    while not closing.is_set():
        try:
            async with asyncio.timeout(TICK_SECONDS):
                await closing.wait()
        except TimeoutError:
            yield PING + TICK


def _closing(request: Request) -> asyncio.Event:
    """Set when the process is told to stop: pages come back to another one by themselves."""
    state = request.app.state
    if not hasattr(state, "operations_closing"):
        state.operations_closing = asyncio.Event()
        state.stopping.then(state.operations_closing.set)
    closing: asyncio.Event = state.operations_closing
    return closing


@router.post("/dead-letters/retry")
async def retry_all(request: Request, principal: Operator) -> RedirectResponse:
    """Retry whatever waits, and say how it went."""
    state = request.app.state
    answers, following = await letters.retry_each(state.engine, state.service.projectors, principal)
    retried = sum(each.state is letters.State.RETRIED for each in answers)
    went = {"done": "more" if following else "round", "retried": retried, "kept": len(answers) - retried}
    return _back("", **went)


@router.get("/dead-letters/{letter_id}")
async def letter_page(
    letter_id: Number, request: Request, conn: Conn, principal: Operator, done: Happened = ""
) -> Response:
    """One dead letter with what is in it. Reading it is recorded."""
    await audit.record(conn, principal, "dead_letter.read", "dead_letter", str(letter_id))
    return await _letter_page(request, conn, letter_id, done=done)


@router.post("/dead-letters/{letter_id}/retry")
async def retry(letter_id: Number, request: Request, conn: Conn, principal: Operator) -> RedirectResponse:
    """Retry one letter, and show it as it is then."""
    try:
        letter = await letters.retry(conn, request.app.state.service.projectors, letter_id, principal)
    except LetterSettled:
        return _back(f"/dead-letters/{letter_id}", done="settled")
    except ProjectionGone:
        return _back(f"/dead-letters/{letter_id}", done="gone")
    went = "retried" if letter.state is letters.State.RETRIED else "again"
    return _back(f"/dead-letters/{letter_id}", done=went)


@router.post("/dead-letters/{letter_id}/discard")
async def discard(
    letter_id: Number,
    request: Request,
    conn: Conn,
    principal: Operator,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Give one letter up, for a reason."""
    given = printable(reason.strip())
    if not 0 < len(given) <= letters.NOTE_LENGTH:
        return await _letter_page(request, conn, letter_id, wrong=True, given=reason)
    try:
        await letters.discard(conn, letter_id, given, principal)
    except LetterSettled:
        return _back(f"/dead-letters/{letter_id}", done="settled")
    return _back(f"/dead-letters/{letter_id}", done="discarded")


@router.post("/rebuilds")
async def rebuild(
    *,
    request: Request,
    conn: Conn,
    principal: Operator,
    stream: Annotated[str, Form(max_length=100)] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Have a projection made anew, and show how far it is."""
    given = printable(reason.strip())
    errors = set() if 0 < len(given) <= letters.NOTE_LENGTH else {"reason"}
    if not errors:
        try:
            projectors = request.app.state.service.projectors
            asked = await rebuilds.request(conn, projectors, stream, given, principal)
            return _back(f"/rebuilds/{asked.id}")
        except StreamNotRead:
            errors = {"stream"}
    context = await _index(request, conn, letters.State.WAITING, None)
    wrong = {"errors": errors, "given": reason, "chosen": stream}
    return render(request, "kit/operations/index.html", status=422, **context | wrong)


@router.get("/rebuilds/{rebuild_id}")
async def rebuild_page(rebuild_id: Number, request: Request, conn: Conn, _: Operator) -> Response:
    """How far a rebuild is. It follows while one looks."""
    found = await rebuilds.find(conn, rebuild_id)
    return render(request, "kit/operations/rebuild.html", **_frame(request), rebuild=found)


@router.get("/rebuilds/{rebuild_id}/now")
async def rebuild_fragment(rebuild_id: Number, request: Request, conn: Conn, _: Operator) -> Response:
    """How far it is now."""
    return render(request, "kit/operations/rebuild_now.html", rebuild=await rebuilds.find(conn, rebuild_id))


async def _index(
    request: Request, conn: AsyncConnection, state: letters.State | None, after: str | None
) -> dict[str, Any]:
    return {
        **_frame(request),
        **await _now(request, conn),
        **await _letters(conn, state, after),
        "happened": "",
        "streams": _rebuildable(request),
        "errors": set(),
        "given": "",
        "chosen": "",
        "longest": letters.NOTE_LENGTH,
    }


async def _now(request: Request, conn: AsyncConnection) -> dict[str, Any]:
    say = catalogue.translator(catalogue.KIT, catalogue.chosen(request))
    return {
        "found": await situation(conn, request.app.state.service),
        "newest": await rebuilds.newest(conn),
        "label": lambda standing: label(say, standing),
    }


async def _letters(conn: AsyncConnection, state: letters.State | None, after: str | None) -> dict[str, Any]:
    shown, following = await letters.page(conn, state, None, after, LETTERS_SHOWN)
    kept = {"all": "true"} if state is None else {"state": state.value}
    asked = {"state": state.value} if state else {}
    return {
        "letters": shown,
        "state": state,
        "letters_url": f"{ADDRESS}/letters?{urlencode(asked | ({'after': after} if after else {}))}",
        "next_url": f"{ADDRESS}?{urlencode(kept | {'after': following})}#letters-heading"
        if following
        else None,
        "first_url": f"{ADDRESS}?{urlencode(kept)}#letters-heading" if after else None,
    }


async def _letter_page(
    request: Request,
    conn: AsyncConnection,
    letter_id: int,
    *,
    done: str = "",
    wrong: bool = False,
    given: str = "",
) -> Response:
    letter = await letters.find(conn, letter_id)
    payload = readable(letter.payload)
    return render(
        request,
        "kit/operations/letter.html",
        status=422 if wrong else 200,
        **_frame(request, live=False),
        letter=letter,
        payload=payload,
        shown=printable(payload.text[:PAYLOAD_SHOWN]),
        cut=len(payload.text) > PAYLOAD_SHOWN,
        happened=done,
        wrong=wrong,
        given=given,
        longest=letters.NOTE_LENGTH,
    )


def _rebuildable(request: Request) -> list[tuple[str, str]]:
    service: Service = request.app.state.service
    return [(each.stream, each.stream) for each in service.projectors if each.tables]


def _frame(request: Request, *, live: bool = True) -> dict[str, Any]:
    return {**auth.signed_in(request), "live_url": f"{ADDRESS}/live" if live else None}


def _back(path: str, **said: Any) -> RedirectResponse:
    query = f"?{urlencode(said)}" if said else ""
    return RedirectResponse(f"{ADDRESS}{path}{query}", status_code=303)
