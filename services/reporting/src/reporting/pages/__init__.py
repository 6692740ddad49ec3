"""What people see: the situation of an area, and the movement forms of a year. It follows the projections."""

from typing import Any, Literal

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response, StreamingResponse

from benvung import areas, clock
from benvung.areas import FIRST_KNOWN, Level
from benvung.auth import Principal
from benvung.db import Conn
from benvung.pages import catalogue, render
from benvung.problems import NotFound, NotReady, Problem
from reporting import charts, domain, views
from reporting.actions import movements as forms
from reporting.actions import places, support
from reporting.actions import situation as situations
from reporting.actions.geographies import ReorganisationNotRecorded
from reporting.actions.places import Place
from reporting.domain import Stage, year_end
from reporting.live import Changes
from reporting.pages.shown import Asked, Officer, Shown, ShownYear, switch
from reporting.words import Words, words

router = APIRouter(include_in_schema=False)

YEARS = 5


@router.get("/")
async def situation_page(request: Request, conn: Conn, principal: Officer, shown: Shown) -> Response:
    """The situation of an area. Everything on it changes by itself while one looks."""
    say = words(catalogue.chosen(request))
    try:
        found = await _situation(conn, shown.place, listed=True)
    except ReorganisationNotRecorded as refusal:
        return _refused(request, principal, shown, "situation.html", refusal)
    context = {
        **_frame(request, principal, shown, "/"),
        "refusal": None,
        **await _figures(conn, shown, found, say),
        **_areas(shown, found, say),
        **await _years(conn, shown, say),
        **await _given(conn, shown, found, say),
        "live_url": "/live",
        "data_date": shown.place.on,
        "data_source": say.decisions(found.lists) or None,
    }
    return render(request, "situation.html", **context)


Part = Literal["figures", "areas", "years", "given"]


@router.get("/fragments/{part}")
async def fragment(request: Request, conn: Conn, shown: Shown, part: Part) -> Response:
    """One part of the page, as it is now."""
    say = words(catalogue.chosen(request))
    if part == "years":
        return render(request, "parts/years.html", shown=shown, **await _years(conn, shown, say))
    found = await _situation(conn, shown.place, listed=part == "areas")
    if part == "areas":
        return render(request, "parts/areas.html", shown=shown, **_areas(shown, found, say))
    if part == "figures":
        return render(request, "parts/figures.html", shown=shown, **await _figures(conn, shown, found, say))
    return render(request, "parts/given.html", shown=shown, **await _given(conn, shown, found, say))


async def _situation(conn: AsyncConnection, place: Place, *, listed: bool) -> situations.Situation:
    """With the parts that the table lists: the units directly below, for a district its communes."""
    return await situations.situation(conn, place, Stage.OFFICIAL, None, place.children() if listed else [])


async def _figures(
    conn: AsyncConnection, shown: Asked, found: situations.Situation, say: Words
) -> dict[str, Any]:
    year = shown.place.on.year
    official = any(one.year == year and one.review_kind == "ANNUAL" for one in found.lists)
    guessed = {} if official else await situations.preliminary(conn, shown.place)
    return {
        "found": found,
        "row": found.total,
        "source": say.decisions(found.lists),
        "preliminary": guessed,
        "percents": domain.percents,
        "say": say,
    }


def _areas(shown: Asked, found: situations.Situation, say: Words) -> dict[str, Any]:
    alone = shown.place.unit.level is Level.COMMUNE
    rows = () if alone else found.parts
    return {"rows": rows, "total": found.total, "percents": domain.percents, "say": say}


async def _years(conn: AsyncConnection, shown: Asked, say: Words) -> dict[str, Any]:
    points = await situations.trend(conn, shown.place, YEARS)
    return {
        "charts": views.charts(points, say),
        "years": views.years(points, say),
        "library": f"/drawing/{charts.bundle_name()}",
        "say": say,
    }


async def _given(
    conn: AsyncConnection, shown: Asked, found: situations.Situation, say: Words
) -> dict[str, Any]:
    since = found.compared_with or year_end(shown.place.on.year - 1)
    return {
        "eligible": await support.eligibility(conn, shown.place, since),
        "budget": views.budget(await support.newest_budget(conn, shown.place), say),
        "trained": views.trained(await support.newest_trainings(conn, shown.place), say),
        "label": say.label,
        "millions": say.millions,
    }


@router.get("/movements")
async def movements_page(request: Request, conn: Conn, principal: Officer, shown: ShownYear) -> Response:
    """Forms 7.2 and 7.3 of a year; the last year that has ended unless another is asked for."""
    say = words(catalogue.chosen(request))
    try:
        found = await forms.movements(conn, shown.place, shown.year)
    except ReorganisationNotRecorded as refusal:
        return _refused(request, principal, shown, "movements.html", refusal)
    return render(
        request,
        "movements.html",
        **_frame(request, principal, shown, "/movements"),
        refusal=None,
        found=found,
        faults=views.faults(found, say),
        lines=lambda filled: list(views.form_lines(filled, say)),
    )


def _refused(
    request: Request, principal: Principal, shown: Asked, template: str, refusal: Problem
) -> Response:
    """The page without its figures, and with why there are none."""
    path = "/movements" if shown.year else "/"
    return render(
        request,
        template,
        status=refusal.status,
        **_frame(request, principal, shown, path),
        refusal=refusal,
        refusal_text=refusal.detail_vi if catalogue.chosen(request) == "vi" else refusal.detail_en,
        refusal_title=refusal.title_vi if catalogue.chosen(request) == "vi" else refusal.title_en,
    )


def _frame(request: Request, principal: Principal, shown: Asked, path: str) -> dict[str, Any]:
    on = shown.place.geography
    csrf = getattr(request.state, "csrf", None)
    visible = places.choices(principal, on, shown.place.unit)
    above = [unit for unit in areas.path(shown.place.unit.code, on) if unit in visible]
    today = clock.today()
    first = shown.year or shown.place.on.year
    return {
        "shown": shown,
        "officer": {"name": principal.name, "area": principal.area},
        "csrf": csrf,
        "sign_out_url": "/sign-out" if csrf else None,
        "choices": [(unit.code, unit.name) for unit in visible],
        "years": [(each, str(each)) for each in range(today.year, min(today.year - 5, first) - 1, -1)],
        "way": [(unit.name, shown.address(path, unit)) for unit in above],
        "ways": switch(principal, shown, path),
        "earlier_unknown": shown.place.on < FIRST_KNOWN
        or bool(shown.year and shown.year <= FIRST_KNOWN.year),
    }


@router.get("/live")
async def live(request: Request, _: Officer) -> StreamingResponse:
    """Server-sent events: a message whenever a projection has moved."""
    state = request.app.state
    if not hasattr(state, "changes"):
        state.changes = Changes(state.settings.psycopg_url())
        state.stopping.then(state.changes.close)
    return StreamingResponse(
        state.changes.stream(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


@router.get("/drawing/{name}")
async def drawing(request: Request, _: Officer, name: str) -> Response:
    """The library that draws the charts."""
    if name != charts.bundle_name():
        raise NotFound
    state = request.app.state
    if not hasattr(state, "drawing"):
        state.drawing = charts.Drawing(state.settings.cache_dir)
    try:
        content = await state.drawing.compressed()
    except (OSError, TimeoutError) as error:
        raise NotReady from error
    return Response(
        content,
        media_type="text/javascript",
        headers={"Content-Encoding": "gzip", "Cache-Control": "private, max-age=31536000, immutable"},
    )
