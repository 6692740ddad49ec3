"""The list of households with what officers narrow it by, and finding one by a name or by a personal number.

A name is found with or without diacritics. A number stands in no address.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from starlette.responses import Response

from benvung.db import Conn
from benvung.forms import Refusal, Sent, Typed, refusal
from benvung.paging import After
from benvung.problems import Problem, is_domain_refusal
from households import store
from households.api import households as of_register
from households.api import search
from households.api.fields import Keys, Reader
from households.api.filters import asked_for
from households.api.households import HouseholdShown
from households.api.notes import Note
from households.api.search import HouseholdFound, NumberGiven, PersonFound
from households.domain.purposes import purposes
from households.pages.frame import Visit, Visited, desk_router, language, page
from households.pages.narrowing import Chosen, Offered, address, chosen_in, in_its_commune, offered, typed_in

router = desk_router()

SHOWN = 25
UNREADABLE = 422


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what was found: the households with who of them was meant, and how many there are if that is known."""

    items: list[tuple[HouseholdShown, list[PersonFound]]]
    following: str | None = None
    count: int | None = None
    notes: list[Note] = field(default_factory=list)


@router.get("/households")
async def households_page(*, principal: Reader, visit: Visited, after: After = None) -> Response:
    """The households of this person's area, narrowed as asked."""
    typed = typed_in(visit.request.query_params)
    known = await offered(visit.conn, principal, typed, visit.lang)
    typed = in_its_commune(typed, known)
    try:
        chosen = chosen_in(typed)
        found = await _found(visit, chosen, after)
    except Exception as error:
        if not is_domain_refusal(error) and not (isinstance(error, Problem) and error.status == UNREADABLE):
            raise
        return await _show(visit, typed, known, None, refused=refusal(error, visit.lang))
    return await _show(visit, typed, known, found, chosen, after=after)


async def _found(visit: Visit, chosen: Chosen, after: str | None) -> Found:
    seen: dict[str, Any] = {"principal": visit.principal, "conn": visit.conn}
    narrowed = await asked_for(request=visit.request, vault=visit.vault, **seen, **chosen.filters())
    shown = {**seen, "vault": visit.vault, "lang": visit.lang, "narrowed": narrowed, "area": chosen.area}
    if chosen.name:
        named = await search.by_name(name=chosen.name, after=after, limit=SHOWN, **shown)
        whole = after is None and named.next is None
        return Found(_together(named.items), named.next, len(named.items) if whole else None)
    day: dict[str, Any] = {"on": chosen.earlier, "geography": "now"}
    listed = await of_register.households(after=after, limit=SHOWN, **shown, **day)
    counted = await of_register.count(narrowed=narrowed, area=chosen.area, **seen, **day)
    items: list[tuple[HouseholdShown, list[PersonFound]]] = [(each, []) for each in listed.items]
    return Found(items, listed.next, counted.households, listed.notes)


def _together(found: list[HouseholdFound]) -> list[tuple[HouseholdShown, list[PersonFound]]]:
    return [(each.household, each.persons) for each in found]


@router.post("/households")
async def by_number(request: Request, conn: Conn, principal: Reader, vault: Keys, typed: Sent) -> Response:
    """Households with a member of this number. It changes nothing and is sent in the body for secrecy alone."""
    visit = Visit(request, conn, principal, vault)
    lang = language(request)
    nothing = Typed()
    known = await offered(conn, principal, nothing, lang)
    try:
        given = NumberGiven(number=typed.text("number")[:20])
        found = await search.by_number(given=given, principal=principal, conn=conn, vault=vault, lang=lang)
    except Exception as error:
        if not is_domain_refusal(error):
            raise
        return await _show(visit, nothing, known, None, refused=refusal(error, lang))
    return await _show(visit, nothing, known, Found(_together(found), count=len(found)), by_number=True)


async def _show(
    visit: Visit,
    typed: Typed,
    known: Offered,
    found: Found | None,
    chosen: Chosen | None = None,
    *,
    after: str | None = None,
    refused: Refusal | None = None,
    by_number: bool = False,
) -> Response:
    values = typed.values
    named = bool(typed.text("name"))
    return page(
        visit.request,
        "households.html",
        status=refused.status if refused else 200,
        typed=typed,
        offered=known,
        found=found,
        by_number=by_number,
        named=named,
        narrowed=[name for name in values if name != "name"],
        removable={name: address(values, without=name) for name in values},
        villages=await village_names(visit, (one.commune for one, _ in found.items) if found else ()),
        as_of=chosen.earlier if chosen else None,
        further=found and found.following and address(values, after=found.following),
        first=address(values) if after else None,
        of_file=chosen.of_file() if chosen and found and found.items and not named else None,
        purposes=[(code, vi if visit.lang == "vi" else en) for code, (vi, en) in purposes().items()],
        refused=refused,
    )


async def village_names(visit: Visit, communes: Iterable[str]) -> dict[str, str]:
    """The names of the villages of these communes, by their codes."""
    known: dict[str, str] = {}
    for commune in set(communes):
        listed = await store.places.villages_of(visit.conn, commune, ended=True)
        known |= {each.code: each.name for each in listed}
    return known
