"""Households: entered, listed, read, exported, moved, ended."""

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import Field
from sqlalchemy import Row

from benvung import audit, etags, paging, problems
from benvung.auth import OutsideArea, Principal, Scope
from benvung.db import Conn
from benvung.etags import IfMatch
from benvung.idempotency import Once, OnlyOnce
from benvung.paging import After, CursorUnknown, Limit, Page
from benvung.vault import Vault
from households import actions, store
from households.actions.filter_refusals import BY_FILTERS
from households.actions.refusals import (
    CommuneUnknown,
    HouseholdChanged,
    HouseholdElsewhere,
    HouseholdNotFound,
    VillageUnknown,
)
from households.api.cause_models import WithCauses, causes_shown
from households.api.fields import (
    Area,
    CommuneCode,
    Day,
    Geography,
    Given,
    Keys,
    KnownAt,
    Lang,
    Members,
    Name,
    OnDay,
    PovertyClass,
    Reader,
    ShortText,
    Shown,
    VillageCode,
    Writer,
    asked,
)
from households.api.filters import Narrowed
from households.api.notes import Note, notes_of
from households.domain import ClosureReason, HouseholdClass, Status, label
from households.domain.labels import Language
from households.store.standing import Clocks
from households.tables import households as table

router = APIRouter(prefix="/v1", tags=["households"])

HouseholdId = Annotated[uuid.UUID, Path(description="our identifier of the household (Mã hệ thống)")]


class HouseholdGiven(Given):
    """A household that is entered."""

    commune: CommuneCode
    village: VillageCode
    code: ShortText | None = Field(default=None, description="Mã hộ in the village's list")
    head_name: Name = Field(examples=["Đinh Văn Ví Dụ"])
    head_sex: Literal["MALE", "FEMALE"] | None = None
    indigenous: bool | None = Field(
        default=None, description="whether the household is of an ethnic group of the place"
    )
    members: Members

    def entered(self) -> actions.households.Household:
        """The same for the action."""
        return actions.households.Household(
            self.commune,
            self.village,
            self.code,
            self.head_name,
            self.head_sex,
            self.indigenous,
            self.members,
        )


class ArrivalGiven(HouseholdGiven):
    """A household that comes from outside the register, with the class it was given there."""

    poverty_class: PovertyClass = Field(alias="class", examples=["POOR"])
    standard: ShortText = Field(examples=["STD_2022_2025"])
    on: Day
    certificate: ShortText | None = Field(
        default=None, description="number of the certificate of the place it comes from"
    )
    from_commune: CommuneCode | None = None


class MoveGiven(Given):
    """Where a household moves, and when."""

    to_commune: CommuneCode
    to_village: VillageCode
    to_code: ShortText | None = Field(
        default=None,
        description="Mã hộ in the new village's list; empty = none yet, the old one stays behind",
    )
    on: Day


class ClosureGiven(Given):
    """Why a household is no longer in the register, and since when."""

    reason: ClosureReason
    on: Day


class HouseholdShown(Shown):
    """A household as the register has it."""

    id: uuid.UUID
    province: str
    commune: str
    commune_now: str = Field(description="of an earlier day: the commune of today that this one is")
    village: str
    code: str | None
    head_name: str
    head_sex: str | None
    members: int
    status: str
    status_label: str
    poverty_class: str | None = Field(description="official class in force")
    poverty_class_label: str | None
    standard: str | None
    class_since: dt.date | None
    left_list_on: dt.date | None
    left_list_from: str | None
    preliminary_class: str | None
    revision: int
    version: int


class HouseholdRead(HouseholdShown, WithCauses):
    """One household, with the causes of poverty that the official decision in force says."""


def shown(row: Row[Any], vault: Vault, lang: Language) -> HouseholdShown:
    """A row of the register, its head's name opened."""
    return HouseholdShown(
        id=row.id,
        province=row.province,
        commune=row.commune,
        commune_now=row.commune_now if "commune_now" in row._fields else row.commune,
        village=row.village,
        code=row.code,
        head_name=vault.open(row.head_name),
        head_sex=row.head_sex,
        members=row.members,
        status=row.status,
        status_label=label(Status(row.status), lang),
        poverty_class=row.poverty_class,
        poverty_class_label=row.poverty_class and label(HouseholdClass(row.poverty_class), lang),
        standard=row.standard,
        class_since=row.class_since,
        left_list_on=row.left_list_on,
        left_list_from=row.left_list_from,
        preliminary_class=row.preliminary_class,
        revision=row.revision,
        version=row.version,
    )


@router.post(
    "/households",
    status_code=201,
    responses=problems.responses(CommuneUnknown, VillageUnknown, OutsideArea, HouseholdElsewhere),
)
async def register(
    *,
    given: HouseholdGiven,
    principal: Writer,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    response: Response,
    once: OnlyOnce,
) -> HouseholdShown:
    """Enter a household that no review has seen yet."""
    household_id = once.made or await actions.households.register(conn, principal, vault, given.entered())
    row = await written(conn, principal, household_id, once)
    return answered(response, row, vault, lang)


@router.post(
    "/arrivals",
    status_code=201,
    responses=problems.responses(CommuneUnknown, VillageUnknown, OutsideArea, HouseholdElsewhere),
)
async def arrive(
    *,
    given: ArrivalGiven,
    principal: Writer,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    response: Response,
    once: OnlyOnce,
) -> HouseholdShown:
    """Enter a household that arrives from outside the register with its class."""
    household_id = once.made or await actions.households.arrive(
        conn,
        principal,
        vault,
        given.entered(),
        household_class=HouseholdClass(given.poverty_class),
        standard=given.standard,
        on=given.on,
        certificate=given.certificate,
        from_commune=given.from_commune,
    )
    row = await written(conn, principal, household_id, once)
    return answered(response, row, vault, lang)


@router.post(
    "/households/{household_id}/moves",
    status_code=201,
    responses=problems.responses(
        HouseholdNotFound, HouseholdChanged, HouseholdElsewhere, CommuneUnknown, VillageUnknown, OutsideArea
    ),
)
async def move(
    *,
    household_id: HouseholdId,
    given: MoveGiven,
    principal: Writer,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    response: Response,
    believed: IfMatch,
    once: OnlyOnce,
) -> HouseholdShown:
    """Move a household to another commune of the register. Its class goes with it."""
    if once.first:
        await actions.households.move(
            conn,
            principal,
            household_id,
            to_commune=given.to_commune,
            to_village=given.to_village,
            to_code=given.to_code,
            on=given.on,
            believed=believed,
        )
    row = await written(conn, principal, household_id, once)
    return answered(response, row, vault, lang)


@router.post(
    "/households/{household_id}/closure",
    status_code=201,
    responses=problems.responses(HouseholdNotFound, HouseholdChanged, HouseholdElsewhere, OutsideArea),
)
async def close(
    *,
    household_id: HouseholdId,
    given: ClosureGiven,
    principal: Writer,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    response: Response,
    believed: IfMatch,
    once: OnlyOnce,
) -> HouseholdShown:
    """End a household, or note that it left the register."""
    if once.first:
        await actions.households.close(
            conn, principal, household_id, reason=given.reason, on=given.on, believed=believed
        )
    row = await written(conn, principal, household_id, once)
    return answered(response, row, vault, lang)


async def written(conn: Conn, principal: Principal, household_id: uuid.UUID, once: Once) -> Row[Any]:
    """The household after a write; one that moved out of the writer's area is shown to them once more.

    To whoever asks again it is shown as to any reader: where they may see it, and on record.
    """
    scope = Scope(None) if once.first else principal.scope()
    row = await store.households.find(conn, household_id, scope)
    if row is None:
        raise HouseholdElsewhere(f"/v1/households/{household_id}")
    if not once.first:
        await audit.record(conn, principal, "household.read", "household", str(household_id))
    return row


def answered(response: Response, row: Row[Any], vault: Vault, lang: Language) -> HouseholdShown:
    """The answer to a write: the household with its place and version."""
    response.headers["Location"] = f"/v1/households/{row.id}"
    etags.tag(response, row.version, lang)
    return shown(row, vault, lang)


class HouseholdsPage(Page[HouseholdShown]):
    """A page of households."""

    notes: list[Note] = Field(description="what is not known of the communes of that day")


@router.get("/households", responses=problems.responses(CursorUnknown, *BY_FILTERS))
async def households(
    *,
    principal: Reader,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    narrowed: Narrowed,
    area: Area = None,
    on: OnDay = None,
    known_at: KnownAt = None,
    geography: Geography = "then",
    after: After = None,
    limit: Limit = 50,
) -> HouseholdsPage:
    """The households you may see. Reading names is recorded."""
    where = asked(principal, area, on, geography)
    eras = await store.geography.since(conn, on, known_at)
    filters = narrowed.at(on, known_at)
    register = store.registry.register_at(where.scope, on, known_at, eras, filters.grounds)
    query = store.registry.households_query(register, where, filters)
    columns = (register.c.commune, register.c.id)
    rows = await store.registry.rows(conn, paging.keyset(query, columns, after, limit))
    items, following = paging.split(rows, columns, limit)
    on_page = audit.About("household", (row.id for row in items))
    detail = {"households": len(items)}
    await audit.record(conn, principal, "households.listed", "area", area or "*", detail, about=on_page)
    return HouseholdsPage(
        items=[shown(row, vault, lang) for row in items], next=following, notes=notes_of(on)
    )


class CountShown(Shown):
    """How many households a list has."""

    households: int
    notes: list[Note] = Field(description="what is not known of the communes of that day")


@router.get("/households/count", responses=problems.responses(*BY_FILTERS))
async def count(
    *,
    principal: Reader,
    conn: Conn,
    narrowed: Narrowed,
    area: Area = None,
    on: OnDay = None,
    known_at: KnownAt = None,
    geography: Geography = "then",
) -> CountShown:
    """How many households the list with these filters has."""
    where = asked(principal, area, on, geography)
    eras = await store.geography.since(conn, on, known_at)
    filters = narrowed.at(on, known_at)
    register = store.registry.register_at(where.scope, on, known_at, eras, filters.grounds)
    query = store.registry.households_query(register, where, filters)
    return CountShown(households=await store.registry.count(conn, query), notes=notes_of(on))


@router.get("/households/{household_id}", responses=etags.responses(HouseholdNotFound))
async def household(
    *,
    household_id: HouseholdId,
    principal: Reader,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    response: Response,
    on: OnDay = None,
    known_at: KnownAt = None,
) -> HouseholdRead:
    """One household, now or as it was on a day or known at a moment. Reading its head's name is recorded."""
    scope = principal.scope()
    eras = await store.geography.since(conn, on, known_at)
    register = store.registry.register_at(scope, on, known_at, eras)
    row = await store.registry.one(conn, register, household_id, scope)
    if row is None:
        raise HouseholdNotFound
    await audit.record(conn, principal, "household.read", "household", str(household_id))
    if register is table:
        etags.tag(response, row.version, lang)
    causes = None
    if row.status == Status.ACTIVE:
        causes = await store.causes.in_force(conn, vault, household_id, Clocks(on, known_at))
    return HouseholdRead(**dict(shown(row, vault, lang)), **causes_shown(principal, causes, lang))
