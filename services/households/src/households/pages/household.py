"""A household's page: who it is, why it has its class, what was decided and what happened, as of any day."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Path, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from benvung import clock
from benvung.auth import Principal, Scope
from benvung.db import Conn
from benvung.forms import Typed
from households import store
from households.api import cycle_log, results
from households.api import households as of_register
from households.api import members as of_members
from households.api.cycle_log import EntryShown
from households.api.fields import FIRST_DAY, Keys, Reader
from households.api.results import ChangeShown, DecisionShown
from households.domain import AreaType
from households.domain.lists import code_list
from households.domain.standards import standards
from households.pages.frame import Words, desk_router, language, page
from households.pages.local import beside

router = desk_router()

SHOWN_OF_MEMBERS = ("study", "qualification", "work", "insurance", "allowance", "disability", "merit")
CERTIFIED = frozenset({"POOR", "NEAR_POOR"})
On = Annotated[str, Query(max_length=10)]


@router.get("/households/{household_id}")
async def household_page(
    *,
    request: Request,
    conn: Conn,
    principal: Reader,
    vault: Keys,
    household_id: Annotated[uuid.UUID, Path()],
    on: On = "",
) -> Response:
    """The household now, or as it was on a day. Reading it is recorded, as over the API."""
    day, lang = _day(on), language(request)
    asked: dict[str, Any] = {
        "household_id": household_id, "principal": principal, "conn": conn, "vault": vault, "lang": lang,
    }  # fmt: skip
    shown = await of_register.household(**asked, response=Response(), on=day)
    members = await of_members.members(**asked, response=Response(), on=day)
    history = await results.history(**asked)
    steps = (await cycle_log.of_household(**asked, limit=500)).items
    decisions = [each for each in history.decisions if day is None or each.valid_from <= day]
    why = _standing(decisions)
    own = await beside(conn, shown, lang)
    return page(
        request,
        "household.html",
        shown=shown,
        members=members.members,
        as_of=day,
        why=why and await _reason(conn, why, Words(lang)),
        decision=why,
        own=own,
        events=_events(decisions, history.changes, steps, day),
        villages={
            each.code: each.name for each in await store.places.villages_of(conn, shown.commune, ended=True)
        },
        lineage=await _lineage(conn, principal, household_id),
        reviews=await store.desk.reviewed(conn, household_id),
        certificate=shown.poverty_class in CERTIFIED and shown.status == "ACTIVE" and day is None,
        titles=[(name, getattr(code_list(name), f"title_{lang}")) for name in SHOWN_OF_MEMBERS],
    )


def _day(text: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(Typed(preset={"on": text}).day("on") or "")
    except ValueError:
        return None
    return day if FIRST_DAY <= day < clock.today() else None


def _standing(decisions: Sequence[DecisionShown]) -> DecisionShown | None:
    """The official decision that the class rests on."""
    found = [each for each in decisions if each.stands and each.stage == "OFFICIAL"]
    return max(found, key=lambda each: (each.valid_from, each.sequence), default=None)


async def _reason(conn: AsyncConnection, decision: DecisionShown, words: Words) -> dict[str, Any]:
    """What the class rests on: points beside their thresholds, and the indicators in words."""
    standard = standards()[decision.standard]
    review = await store.reviews.find(conn, decision.review_id, Scope(None))
    area = AreaType(review.area_type) if review is not None else AreaType.RURAL
    return {
        "standard": standard.title_vi if words.language == "vi" else standard.title_en,
        "area": area.value,
        "line": standard.b1_thresholds.get(area),
        "threshold": standard.b2_threshold,
        "flags": [words.indicator(decision.standard, code) for code in decision.deprivations or ()],
        "below": decision.b1_points <= standard.b1_thresholds.get(area, -1),
        "deprived": decision.b2_points >= (standard.b2_threshold or 0),
    }


def _events(
    decisions: Sequence[DecisionShown],
    changes: Sequence[ChangeShown],
    steps: Sequence[EntryShown],
    day: dt.date | None,
) -> list[dict[str, Any]]:
    """All that happened, the newest first: by the day on which it was so, then as it was recorded."""
    found: list[dict[str, Any]] = [
        {"kind": "decision", "on": each.valid_from, "at": each.recorded_at, "it": each} for each in decisions
    ]
    found += [{"kind": "change", "on": each.on, "at": each.recorded_at, "it": each} for each in changes]
    found += [{"kind": "step", "on": each.on, "at": each.recorded_at, "it": each} for each in steps]
    known = [each for each in found if day is None or each["on"] <= day]
    return sorted(known, key=lambda each: (each["on"], each["at"]), reverse=True)


async def _lineage(
    conn: AsyncConnection, principal: Principal, household_id: uuid.UUID
) -> list[dict[str, Any]]:
    """From which households this one comes and which come from it; those outside the area are not named."""
    found = []
    for household, predecessor, kind, _, _ in await store.tellings.links(conn, [household_id]):
        comes_from = household == household_id
        other = predecessor if comes_from else household
        if other != household_id or kind == "RETURN_OF":
            seen = await store.households.find(conn, other, principal.scope())
            found.append({"kind": kind, "comes_from": comes_from, "other": other, "seen": seen is not None})
    return found
