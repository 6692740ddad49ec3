"""All time limits of an area: what is still to be done, what was missed, what was done in time."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.responses import Response

from benvung.forms import refusal, wrong
from benvung.paging import After, Page
from benvung.problems import Problem
from households.api import deadlines
from households.api.deadlines import DeadlineShown
from households.api.fields import AreaCode, Reader, VillageCode
from households.pages.frame import Visit, Visited, desk_router, page
from households.pages.households import village_names
from households.pages.narrowing import address, in_its_commune, offered, typed_in

router = desk_router()

HERE, SHOWN = "/deadlines", 50


class Chosen(BaseModel):
    """What the list is narrowed by, as the API names it. Without a state it has what is still to be done."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    area: AreaCode | None = None
    village: VillageCode | None = None
    state: Literal["MISSED", "MET"] | None = None


@router.get(HERE)
async def deadlines_page(*, principal: Reader, visit: Visited, after: After = None) -> Response:
    """Time limits of this person's area, the earliest first."""
    typed = typed_in(visit.request.query_params, Chosen.model_fields)
    known = await offered(visit.conn, principal, typed, visit.lang)
    typed = in_its_commune(typed, known)
    refused, found = None, Page[DeadlineShown](items=[], next=None)
    try:
        chosen = Chosen.model_validate({name: typed.text(name) for name in typed.values})
        found = await _listed(visit, chosen, after)
    except ValidationError as error:
        refused = refusal(wrong(error), visit.lang)
    except Problem as error:
        refused = refusal(error, visit.lang)
    return page(
        visit.request,
        "deadlines.html",
        status=refused.status if refused else 200,
        typed=typed,
        refused=refused,
        offered=known,
        limits=found.items,
        villages=await village_names(visit, {each.commune for each in found.items}),
        further=found.next and address(typed.values, here=HERE, after=found.next),
        first=address(typed.values, here=HERE) if after else None,
    )


async def _listed(visit: Visit, chosen: Chosen, after: str | None) -> Page[DeadlineShown]:
    return await deadlines.deadlines(
        principal=visit.principal,
        conn=visit.conn,
        lang=visit.lang,
        area=chosen.area,
        village=chosen.village,
        state=chosen.state,
        done=None if chosen.state else False,
        review=None,
        after=after,
        limit=SHOWN,
    )
