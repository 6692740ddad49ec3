"""Looking somebody up beyond one's own area: whether the register of the province has them, and where to ask.

Outside one's area names and numbers are masked, and nothing that is sealed beside them is told. Every other read ends
at one's area.
"""

import uuid
from dataclasses import replace
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Path
from pydantic import Field, model_validator
from sqlalchemy import Row

from benvung import areas, audit, clock, problems
from benvung.auth import Principal, Scope, require
from benvung.db import Conn
from benvung.vault import Vault
from households import store
from households.actions.refusals import HouseholdNotFound
from households.api.fields import NO_CONTROLS, Given, Keys, Lang, Shown
from households.api.persons import Digits
from households.domain import HouseholdClass, label
from households.domain.identity import parse_number
from households.domain.masking import masked_name, masked_number
from households.domain.name_search import NameAsked
from households.store.geography import Where
from households.tables import households as table

router = APIRouter(prefix="/v1/lookups", tags=["households"])

MOST = 50
Looker = Annotated[Principal, Depends(require("households.lookup"))]


class LookedFor(Given):
    """A name or a personal number. They stand in the body, so that no address or log has them."""

    name: str | None = Field(
        default=None, min_length=1, max_length=100, pattern=NO_CONTROLS, examples=["Đỗ Thị Hường"]
    )
    number: Digits | None = Field(
        default=None, description="Số định danh cá nhân, 12 digits", examples=[None]
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.name is None) == (self.number is None):
            raise ValueError("name | number")
        return self


class PersonSeen(Shown):
    """A member who is there. Outside your area: first letters, year of birth, last three digits."""

    name: str = Field(examples=["Đ* T** H****"])
    birth_year: int = Field(examples=[1985])
    number: str | None = Field(examples=["*********999"])


class HouseholdSeen(Shown):
    """Where a household belongs, its class, and its people as far as you may see them."""

    masked: bool = Field(description="whether it is outside your area", examples=[True])
    household_id: uuid.UUID
    commune: str = Field(examples=["23830"])
    status: str = Field(examples=["ACTIVE"])
    poverty_class: str | None = Field(examples=["POOR"])
    poverty_class_label: str | None = Field(examples=["Hộ nghèo"])
    head_name: str = Field(examples=["Đ* T** H****"])
    persons: list[PersonSeen]


def province_of(principal: Principal) -> Scope:
    """The whole of the provinces in which one's areas lie."""
    found = (areas.province_of(code, clock.today()) for code in principal.areas if code != areas.COUNTRY)
    provinces = tuple(sorted({unit.code for unit in found if unit is not None}))
    return replace(principal, areas=(*principal.areas, *provinces)).scope()


@router.post("")
async def look_up(
    *, given: LookedFor, principal: Looker, conn: Conn, vault: Keys, lang: Lang
) -> list[HouseholdSeen]:
    """Households of your province with this name or number, at most fifty. Looking is recorded."""
    query = store.registry.households_query(table, Where(province_of(principal)))
    asked = None if given.name is None else NameAsked.of(given.name)
    if asked is not None:
        query = store.search.by_name(query, vault, asked, None, MOST)
    else:
        numbered = store.search.by_number(query, vault, parse_number(given.number or "").number)
        query = numbered.order_by(*store.search.ORDER).limit(MOST)
    rows = (await store.registry.rows(conn, query))[:MOST]
    seen = await _seen(conn, vault, principal, rows, lang, asked)
    about = audit.About("household", [each.household_id for each in seen])
    detail = {"households": len(seen), "by": "NUMBER" if asked is None else "NAME"}
    await audit.record(conn, principal, "households.looked_up", "area", "*", detail, about=about)
    return seen


@router.get("/{household_id}", responses=problems.responses(HouseholdNotFound))
async def look_at(
    *,
    household_id: Annotated[uuid.UUID, Path(description="our identifier of the household (Mã hệ thống)")],
    principal: Looker,
    conn: Conn,
    vault: Keys,
    lang: Lang,
) -> HouseholdSeen:
    """One household of your province. Looking is recorded."""
    row = await store.households.find(conn, household_id, province_of(principal))
    if row is None:
        raise HouseholdNotFound
    await audit.record(conn, principal, "households.looked_up", "household", str(household_id))
    [seen] = await _seen(conn, vault, principal, [row], lang, None)
    return seen


async def _seen(  # noqa: PLR0917 -- who sees whom, in which words
    conn: Conn,
    vault: Vault,
    principal: Principal,
    rows: list[Row[Any]],
    lang: Lang,
    asked: NameAsked | None,
) -> list[HouseholdSeen]:
    people = await store.search.present(conn, [row.id for row in rows])
    found = []
    for row in rows:
        members = [
            store.members.opened(each, each.id, vault) for each in people if each.household_id == row.id
        ]
        head = vault.open(row.head_name)
        # A keyed hash of a part may lead astray: the names decide.
        if asked is not None and not any(asked.matches(each) for each in (head, *(m.name for m in members))):
            continue
        masked = not principal.scope().covers(row.commune)
        found.append(
            HouseholdSeen(
                masked=masked,
                household_id=row.id,
                commune=row.commune,
                status=row.status,
                poverty_class=row.poverty_class,
                poverty_class_label=row.poverty_class and label(HouseholdClass(row.poverty_class), lang),
                head_name=masked_name(head) if masked else head,
                persons=[
                    PersonSeen(
                        name=masked_name(each.name) if masked else each.name,
                        birth_year=each.birth.year,
                        number=masked_number(each.number) if masked else each.number,
                    )
                    for each in members
                ],
            )
        )
    return found
