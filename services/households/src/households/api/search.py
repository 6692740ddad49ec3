"""Finding a household by the name or the personal number of one of its people."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Row, Select

from benvung import audit, paging, problems
from benvung.auth import Principal
from benvung.db import Conn
from benvung.paging import After, CursorUnknown, Limit, Page
from benvung.vault import Vault
from households import store
from households.actions.filter_refusals import BY_FILTERS
from households.api.fields import (
    NO_CONTROLS,
    Area,
    AreaCode,
    Given,
    Keys,
    Lang,
    PovertyClass,
    Reader,
    Shown,
    VillageCode,
    within,
)
from households.api.filters import Narrowed
from households.api.households import HouseholdShown, shown
from households.api.persons import Digits, masked_number
from households.domain.identity import parse_number
from households.domain.name_search import NameAsked
from households.store.filters import Filters
from households.store.geography import Where
from households.tables import households as table

router = APIRouter(prefix="/v1", tags=["households"])

NameWords = Annotated[
    str,
    Query(
        min_length=1,
        max_length=100,
        pattern=NO_CONTROLS,
        description="words next to each other in the name; a word with diacritics must have just these",
        examples=["do thi huong"],
    ),
]


class PersonFound(Shown):
    """Who was found in a household: its head as the register names it, or a member."""

    member_id: uuid.UUID | None = Field(description="null = the head of the household in the register")
    name: str = Field(examples=["Đỗ Thị Hường"])
    birth_date: dt.date | None = Field(examples=["1985-03-02"])
    birth_year: int | None = Field(examples=[1985])
    relation: str = Field(examples=["HEAD"])
    number: str | None = Field(description="its last digits", examples=["••••••••0999"])


class HouseholdFound(Shown):
    """A household, and who of it was meant."""

    household: HouseholdShown
    persons: list[PersonFound]


class NumberGiven(Given):
    """A personal number that is looked for. It stands in the body, so that no address or log has it."""

    number: Digits = Field(description="Số định danh cá nhân, 12 digits", examples=["004185000999"])
    area: AreaCode | None = None
    village: VillageCode | None = None
    poverty_class: PovertyClass | None = Field(default=None, alias="class")


@router.get("/households/search", responses=problems.responses(CursorUnknown, *BY_FILTERS))
async def by_name(
    *,
    name: NameWords,
    principal: Reader,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    narrowed: Narrowed,
    area: Area = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[HouseholdFound]:
    """Households whose head or present member has these words in the name. Searching is recorded."""
    asked = NameAsked.of(name)
    query = store.registry.households_query(table, Where(within(principal, area)), narrowed.at())
    rows = await store.registry.rows(conn, store.search.by_name(query, vault, asked, after, limit))
    items, following = paging.split(rows, store.search.ORDER, limit)
    members = await store.search.members_by_name(conn, vault, [row.id for row in items], asked)
    persons = _persons(members, vault)
    found = []
    for row in items:
        # A fingerprint may lead astray, and the words of a name may stand apart: the names decide.
        known = [each for each in persons[row.id] if asked.matches(each.name)]
        head = vault.open(row.head_name)
        if asked.matches(head) and not any(p.relation == "HEAD" and p.name == head for p in known):
            known.insert(0, _head(head))
        if known:
            found.append(HouseholdFound(household=shown(row, vault, lang), persons=known))
    await _record(conn, principal, area, found, "NAME")
    return Page(items=found, next=following)


@router.post("/households/search")
async def by_number(
    *, given: NumberGiven, principal: Reader, conn: Conn, vault: Keys, lang: Lang
) -> list[HouseholdFound]:
    """Households with a present member of this personal number. Searching is recorded, the number is not."""
    number = parse_number(given.number).number
    where = Where(within(principal, given.area))
    query: Select[Any] = store.registry.households_query(
        table, where, Filters(given.village, given.poverty_class)
    )
    query = store.search.by_number(query, vault, number).order_by(*store.search.ORDER).limit(500)
    rows = await store.registry.rows(conn, query)
    members = await store.search.members_by_number(conn, vault, [row.id for row in rows], number)
    persons = _persons(members, vault)
    found = [HouseholdFound(household=shown(row, vault, lang), persons=persons[row.id]) for row in rows]
    await _record(conn, principal, given.area, found, "NUMBER")
    return found


async def _record(
    conn: Conn, principal: Principal, area: str | None, found: Sequence[HouseholdFound], by: str
) -> None:
    about = audit.About("household", [each.household.id for each in found])
    detail = {"households": len(found), "by": by}
    await audit.record(conn, principal, "households.searched", "area", area or "*", detail, about=about)


def _persons(rows: Sequence[Row[Any]], vault: Vault) -> dict[uuid.UUID, list[PersonFound]]:
    found: dict[uuid.UUID, list[PersonFound]] = defaultdict(list)
    for row in rows:
        member = store.members.opened(row, row.id, vault)
        found[row.household_id].append(
            PersonFound(
                member_id=row.id,
                name=member.name,
                birth_date=member.birth.day,
                birth_year=member.birth.year,
                relation=member.relation,
                number=masked_number(member.number),
            )
        )
    return found


def _head(name: str) -> PersonFound:
    return PersonFound(
        member_id=None, name=name, birth_date=None, birth_year=None, relation="HEAD", number=None
    )
