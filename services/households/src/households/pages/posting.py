"""The posting of a village's results: the notice to print, the days it hangs, and who complained."""

import uuid

from starlette.responses import Response

from benvung import clock
from households import store
from households.api.fields import Reader
from households.domain.procedure_terms import Action, CaseState
from households.pages.frame import Visited, desk_router, page
from households.pages.village import Code, found_village, offered, people

router = desk_router()


@router.get("/reviews/{review_id}/villages/{village}/posting")
async def posting_page(*, principal: Reader, visit: Visited, review_id: uuid.UUID, village: Code) -> Response:
    """What hangs out, until when, and what is to be done with it."""
    place = await found_village(visit, review_id, village)
    cycle = place.told.cycle
    rows = [
        row
        for row in await store.desk.cases(visit.conn, review_id, village)
        if cycle.cases[row.case_id].posted_until is not None
    ]
    at_hand = {each.action: each for each in place.coming() if offered(principal, place, each.action)}
    return page(
        visit.request,
        "posting.html",
        place=place,
        cycle=cycle,
        listed=await people(visit, place, rows),
        notices=await store.notices.of_village(visit.conn, review_id, village, principal.scope()),
        hangs=cycle.posted_until is not None and clock.today() <= cycle.posted_until,
        taking_down=at_hand.get(Action.END_POSTING),
        again=at_hand.get(Action.POST),
        complaining=at_hand.get(Action.COMPLAIN),
        complained=[each.case_id for each in cycle.in_state(CaseState.COMPLAINED)],
    )
