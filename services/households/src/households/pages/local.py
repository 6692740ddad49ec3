"""What a province's own standard gives: beside a household's national class, and as a list of its own."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from benvung import clock
from benvung.forms import refusal, wrong
from benvung.paging import After, Page
from benvung.problems import Problem
from households import store
from households.api import local_results
from households.api.fields import AreaCode, PovertyClass, Reader, VillageCode
from households.api.households import HouseholdShown
from households.api.local_results import LocallyListed, LocalResultShown
from households.domain.labels import Language
from households.domain.purposes import purposes
from households.pages.frame import Visit, Visited, desk_router, has_own_standard, page, provinces_of
from households.pages.households import village_names
from households.pages.narrowing import address, in_its_commune, offered, typed_in
from households.store.local_standards import Loaded

router = desk_router()

HERE, SHOWN = "/local-results", 25


@dataclass(frozen=True, slots=True)
class Beside:
    """A result by the province's own standard, with the standard and its document."""

    result: LocalResultShown
    standard: str
    document: str


async def beside(
    conn: AsyncConnection, household: HouseholdShown, lang: Language
) -> Mapping[uuid.UUID, Beside]:
    """What a household's decisions come to by its province's own standard, by the decisions' ids."""
    rows = await store.local_standards.of_household(conn, household.id)
    known: dict[str, Loaded] = {}
    for code in {row.standard for row in rows}:
        known[code] = (await store.local_standards.of_code(conn, code))[-1]
    # The newest load stands last. What another province gave, before the household came here, is not this one's.
    return {
        row.decision_id: Beside(
            local_results.result(row, lang), _title(known[row.standard], lang), _document(known[row.standard])
        )
        for row in rows
        if known[row.standard].standard.scope == household.province
    }


def _title(loaded: Loaded, lang: Language) -> str:
    return loaded.standard.title_vi if lang == "vi" else loaded.standard.title_en


def _document(loaded: Loaded) -> str:
    return loaded.standard.sources[0]


class Chosen(BaseModel):
    """What the list is narrowed by, as the API names it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    area: AreaCode | None = None
    village: VillageCode | None = None
    local_class: PovertyClass | None = Field(default=None, alias="class")
    national_class: Literal[PovertyClass, "NONE"] | None = None


NAMES = tuple(field.alias or name for name, field in Chosen.model_fields.items())


@router.get(HERE)
async def local_page(*, principal: Reader, visit: Visited, after: After = None) -> Response:
    """Households of this person's area by their result on the province's own standard."""
    typed = typed_in(visit.request.query_params, NAMES)
    known = await offered(visit.conn, principal, typed, visit.lang)
    typed = in_its_commune(typed, known)
    refused, following = None, None
    items: list[LocallyListed] = []
    try:
        chosen = _chosen({name: typed.text(name) for name in typed.values})
    except Problem as error:
        refused = refusal(error, visit.lang)
    else:
        if has_own_standard(visit.request, principal):
            found = await _listed(visit, chosen, after)
            items, following = found.items, found.next
    return page(
        visit.request,
        "local.html",
        status=refused.status if refused else 200,
        typed=typed,
        refused=refused,
        offered=known,
        standards=[_described(each, visit.lang) for each in await _own(visit)],
        households=items,
        villages=await village_names(visit, (each.commune for each in items)),
        further=following and address(typed.values, here=HERE, after=following),
        first=address(typed.values, here=HERE) if after else None,
        of_file=[(name, typed.text(name)) for name in typed.values],
        purposes=[(code, vi if visit.lang == "vi" else en) for code, (vi, en) in purposes().items()],
    )


def _chosen(given: Mapping[str, str]) -> Chosen:
    try:
        return Chosen.model_validate(given)
    except ValidationError as error:
        raise wrong(error) from error


async def _listed(visit: Visit, chosen: Chosen, after: str | None) -> Page[LocallyListed]:
    return await local_results.listed(
        principal=visit.principal,
        conn=visit.conn,
        vault=visit.vault,
        lang=visit.lang,
        area=chosen.area,
        village=chosen.village,
        local_class=chosen.local_class,
        poverty_class=chosen.national_class,
        after=after,
        limit=SHOWN,
    )


async def _own(visit: Visit) -> list[Loaded]:
    """The standards in force of the provinces that this person sees something of."""
    holding = await store.local_standards.holding(visit.conn, clock.today())
    seen = provinces_of(visit.principal)
    return [each for each in holding if seen is None or each.standard.scope in seen]


def _described(loaded: Loaded, lang: Language) -> dict[str, object]:
    own = loaded.standard
    return {
        "code": own.code,
        "title": _title(loaded, lang),
        "document": _document(loaded),
        "valid_from": own.valid_from,
        "valid_to": own.valid_to,
        "lines": {area.value: line for area, line in own.income_lines.items()},
        "incomplete": own.incomplete_vi if lang == "vi" else own.incomplete_en,
    }
