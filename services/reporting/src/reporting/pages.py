"""What people see: the situation of an area, and the movement forms of a year. It follows the projections."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response, StreamingResponse

from benvung import areas, clock
from benvung.areas import Level
from benvung.auth import OutsideArea, Principal, require
from benvung.db import Conn
from benvung.pages import catalogue, render
from benvung.problems import NotFound, NotReady
from reporting import charts, domain, views
from reporting.actions import movements as forms
from reporting.actions import places, support
from reporting.actions import situation as situations
from reporting.actions.places import Place
from reporting.api.asked import FIRST_DAY, LAST_DAY, place_of_year
from reporting.domain import Stage, year_end
from reporting.live import Changes
from reporting.words import Words, words

router = APIRouter(include_in_schema=False)

Officer = Annotated[Principal, Depends(require("reports.read"))]
Code = Annotated[str, Query(max_length=5)]
Day = Annotated[str, Query(max_length=10)]
YEARS = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page shows: an area on a day. `fixed` says that the day was chosen, not today."""

    place: Place
    fixed: bool

    def address(self, path: str, **more: str) -> str:
        """An address that keeps the area, and the day if it was chosen."""
        day = {"on": self.place.on.isoformat()} if self.fixed else {}
        return f"{path}?{urlencode({'area': self.place.unit.code, **day, **more})}"


def asked(request: Request, principal: Officer, area: Code = "", on: Day = "") -> Asked:
    """The area and day of a page: what is asked for, else the officer's own area, today."""
    try:
        day = date.fromisoformat(on) if on else clock.today()
    except ValueError:
        day = clock.today()
    day = min(max(day, FIRST_DAY), LAST_DAY)
    code = area or own_area(principal, day, str(request.app.state.settings.province))
    return Asked(places.place(principal, code, day), bool(on))


def own_area(principal: Principal, on: date, province: str) -> str:
    """Where an officer's page begins: the own area, and for the whole country this deployment's province."""
    own = places.own_areas(principal, on)
    if not own:
        raise OutsideArea
    if own[0].level is Level.COUNTRY and areas.find(province, on) is not None:
        return province
    return own[0].code


Shown = Annotated[Asked, Depends(asked)]


@router.get("/")
async def situation_page(request: Request, conn: Conn, principal: Officer, shown: Shown) -> Response:
    """The situation of an area. Everything on it changes by itself while one looks."""
    say = words(catalogue.chosen(request))
    found = await _situation(conn, shown.place, listed=True)
    context = {
        **_frame(request, principal, shown),
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
async def movements_page(
    request: Request,
    conn: Conn,
    principal: Officer,
    shown: Shown,
    year: Annotated[int, Query(ge=FIRST_DAY.year, le=LAST_DAY.year)] = 0,
) -> Response:
    """Forms 7.2 and 7.3 of a year; the last year that has ended unless another is asked for."""
    say = words(catalogue.chosen(request))
    chosen = year or clock.today().year - 1
    place = place_of_year(principal, shown.place.unit.code, chosen)
    found = await forms.movements(conn, place, chosen)
    return render(
        request,
        "movements.html",
        **_frame(request, principal, Asked(place, fixed=False)),
        found=found,
        year=chosen,
        faults=views.faults(found, say),
        lines=lambda filled: list(views.form_lines(filled, say)),
        years=[(each, str(each)) for each in range(clock.today().year, clock.today().year - 6, -1)],
    )


def _frame(request: Request, principal: Principal, shown: Asked) -> dict[str, Any]:
    on = shown.place.on
    own = places.own_areas(principal, on)
    csrf = getattr(request.state, "csrf", None)
    visible = places.choices(principal, on, shown.place.unit)
    above = [unit for unit in areas.path(shown.place.unit.code, on) if unit in visible]
    return {
        "shown": shown,
        "officer": {"name": principal.name, "area": ", ".join(unit.name for unit in own)},
        "csrf": csrf,
        "sign_out_url": "/sign-out" if csrf else None,
        "choices": [(unit.code, unit.name) for unit in visible],
        "way": [(unit.name, f"/?{urlencode({'area': unit.code})}") for unit in above],
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
