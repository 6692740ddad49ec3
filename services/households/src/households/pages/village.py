"""A village in a review: its step, what can be done now and what stands in the way, its households, its log."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Path, Query
from sqlalchemy import Row
from starlette.responses import Response

from benvung import audit, clock
from benvung.auth import Principal
from households import actions, store
from households.actions.cycles import Told
from households.actions.holidays import Calendars
from households.actions.refusals import CycleNotFound
from households.api import cycle_log
from households.api.cycle_log import EntryShown
from households.api.fields import Reader, VillageCode
from households.domain.cycle.coming import Coming, coming
from households.domain.procedure_terms import Action, CaseState, Subject
from households.pages.acting import roles_of
from households.pages.frame import Visit, Visited, desk_router, page
from households.pages.review import found_review

router = desk_router()

Code = Annotated[VillageCode, Path()]
LOGGED = 500


@dataclass(frozen=True, slots=True)
class Village:
    """A village in a review, as its log tells it."""

    review: Row[Any]
    row: Row[Any]
    name: str
    told: Told
    known: Calendars

    @property
    def address(self) -> str:
        """The address of its page."""
        return f"/reviews/{self.review.id}/villages/{self.row.village}"

    @property
    def of_persons(self) -> bool:
        """Whether the review is about workers."""
        return self.told.cycle.procedure.subject is Subject.PERSON

    def coming(self) -> tuple[Coming, ...]:
        """What is at hand today; nothing once the review is closed."""
        if self.review.state != "OPEN":
            return ()
        return coming(self.told.cycle, clock.today(), self.known.now)


async def found_village(visit: Visit, review_id: uuid.UUID, village: str) -> Village:
    """The village, if it is one of this person's area. Raises `ReviewNotFound`, `CycleNotFound`."""
    conn, principal = visit.conn, visit.principal
    review = await found_review(conn, principal, review_id)
    row = await store.cycles.find(conn, review_id, village, principal.scope())
    if row is None:
        raise CycleNotFound
    known = await actions.holidays.calendars(conn)
    told = await actions.cycles.read(conn, visit.vault, review_id, village, known)
    named = await store.places.villages_of(conn, review.commune, ended=True)
    name = next((each.name for each in named if each.code == village), village)
    return Village(review, row, name, told, known)


@dataclass(frozen=True, slots=True)
class Listed:
    """Somebody in the review, or who may be listed: by the name of the head, and of a worker the own."""

    case_id: uuid.UUID
    household_id: uuid.UUID
    name: str
    head: str
    code: str | None
    poverty_class: str | None
    row: Row[Any]


async def people(visit: Visit, place: Village, rows: Sequence[Row[Any]]) -> list[Listed]:
    """Cases with their names. Reading them is recorded."""
    conn, vault = visit.conn, visit.vault
    workers: Mapping[uuid.UUID, Any] = {}
    if place.of_persons:
        workers = await store.members.persons(conn, vault, [row.case_id for row in rows])
    found = []
    for row in rows:
        head = vault.open(row.head_name)
        name = workers[row.case_id][0].name if row.case_id in workers else head
        found.append(Listed(row.case_id, row.household_id, name, head, row.code, row.poverty_class, row))
    detail = {"village": place.row.village, "households": len(found)}
    about = audit.About("household", (each.household_id for each in found))
    await audit.record(
        conn, visit.principal, "cycle.cases_read", "review", str(place.review.id), detail, about=about
    )
    return found


@router.get("/reviews/{review_id}/villages/{village}")
async def village_page(
    *,
    principal: Reader,
    visit: Visited,
    review_id: uuid.UUID,
    village: Code,
    done: Annotated[Action | None, Query()] = None,
) -> Response:
    """Everything about the village in this review."""
    place = await found_village(visit, review_id, village)
    rows = await store.desk.cases(visit.conn, review_id, village)
    listed = await people(visit, place, rows)
    at_hand = [each for each in place.coming() if offered(principal, place, each.action)]
    return page(
        visit.request,
        "village.html",
        place=place,
        cycle=place.told.cycle,
        listed=listed,
        names={each.case_id: each.name for each in listed},
        at_hand=at_hand,
        next_for=_next_for(at_hand),
        running=await store.desk.running(visit.conn, review_id, village),
        log=await _log(visit, place),
        done=done,
    )


def offered(principal: Principal, place: Village, action: Action) -> bool:
    """Whether this person may record such an act."""
    rule = place.told.cycle.procedure.actions[action]
    if action is Action.GIVE_OPINION:
        return principal.may("reviews.opine")
    return principal.may("reviews.record") and bool(
        roles_of(principal, rule.roles, clock.today(), place.told.cycle.last_on)
    )


_FORMS = frozenset({Action.SCORE, Action.RECHECK, Action.CORRECT})


def _next_for(at_hand: Sequence[Coming]) -> dict[uuid.UUID, list[Action]]:
    """What is to be done for each case, besides what can be done at any time."""
    found: dict[uuid.UUID, list[Action]] = {}
    for each in at_hand:
        for case in each.cases:
            wanted = each.action in _FORMS or each.action in {Action.COMPLAIN, Action.ISSUE_CERTIFICATE}
            if wanted or (each.action is Action.REVOKE_CERTIFICATE and case.state is not CaseState.WITHDRAWN):
                found.setdefault(case.case_id, []).append(each.action)
    return found


async def _log(visit: Visit, place: Village) -> list[EntryShown]:
    found = await cycle_log.of_village(
        review_id=place.review.id,
        village=place.row.village,
        principal=visit.principal,
        conn=visit.conn,
        vault=visit.vault,
        lang=visit.lang,
        limit=LOGGED,
    )
    return _together(list(reversed(found.items)))


def _together(log: Sequence[EntryShown]) -> list[EntryShown]:
    """Lines that were recorded at once, one for each case, as the one act that they were."""
    found: list[EntryShown] = []
    for one in log:
        last = found[-1] if found else None
        same = ("action", "on", "recorded_at", "actor", "role", "paper_number")
        if last and one.cases and all(getattr(last, name) == getattr(one, name) for name in same):
            found[-1] = last.model_copy(update={"cases": [*one.cases, *last.cases]})
        else:
            found.append(one)
    return found
