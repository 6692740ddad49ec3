"""Households that split, merge, come back, or have more or fewer members. All may be recorded late."""

import uuid
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import Field

from benvung import problems
from benvung.auth import OutsideArea
from benvung.db import Conn
from benvung.etags import IfMatch
from benvung.idempotency import OnlyOnce
from households import actions
from households.actions.refusals import (
    CommuneUnknown,
    HouseholdChanged,
    HouseholdElsewhere,
    HouseholdNotFound,
    VillageUnknown,
)
from households.api.fields import (
    CommuneCode,
    Day,
    Given,
    Keys,
    Lang,
    Members,
    Name,
    PovertyClass,
    ShortText,
    VillageCode,
    Writer,
)
from households.api.households import HouseholdId, HouseholdShown, answered, written
from households.domain import HouseholdClass, SizeReason

router = APIRouter(prefix="/v1/households", tags=["households"])

REFUSALS = problems.responses(HouseholdNotFound, HouseholdChanged, HouseholdElsewhere, OutsideArea)
IN_A_VILLAGE = problems.responses(
    HouseholdNotFound, HouseholdChanged, HouseholdElsewhere, CommuneUnknown, VillageUnknown, OutsideArea
)


class SizeGiven(Given):
    """How many members a household has from a day on, and why."""

    members: Members
    reason: Literal["BIRTH", "DEATH", "JOINED", "WENT_AWAY"]
    on: Day


class SplitGiven(Given):
    """The part of a household that is one of its own from a day on."""

    village: VillageCode
    code: ShortText | None = Field(default=None, description="Mã hộ in the village's list")
    head_name: Name = Field(examples=["Đinh Thị Ví Dụ"])
    head_sex: Literal["MALE", "FEMALE"] | None = None
    indigenous: bool | None = None
    members: Members = Field(description="how many members leave; the others stay")
    on: Day


class MergerGiven(Given):
    """The household that becomes a part of this one, and since when."""

    merged_id: uuid.UUID
    on: Day


class ReturnGiven(Given):
    """A household that had left or ended is in the register again, with the class it was given elsewhere."""

    commune: CommuneCode
    village: VillageCode
    code: ShortText | None = Field(default=None, description="Mã hộ in the village's list")
    members: Members
    poverty_class: PovertyClass = Field(alias="class", examples=["NOT_POOR"])
    standard: ShortText = Field(examples=["STD_2022_2025"])
    on: Day
    certificate: ShortText | None = Field(
        default=None, description="number of the certificate of the place it comes from"
    )
    from_commune: CommuneCode | None = None


@router.post("/{household_id}/sizes", status_code=201, responses=REFUSALS)
async def change_members(
    *,
    household_id: HouseholdId,
    given: SizeGiven,
    principal: Writer,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    response: Response,
    believed: IfMatch,
    once: OnlyOnce,
) -> HouseholdShown:
    """Note that a household has more or fewer members without a decision."""
    if once.first:
        await actions.families.change_members(
            conn,
            principal,
            household_id,
            members=given.members,
            reason=SizeReason(given.reason),
            on=given.on,
            believed=believed,
        )
    return answered(response, await written(conn, principal, household_id, once), vault, lang)


@router.post("/{household_id}/splits", status_code=201, responses=IN_A_VILLAGE)
async def split(
    *,
    household_id: HouseholdId,
    given: SplitGiven,
    principal: Writer,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    response: Response,
    believed: IfMatch,
    once: OnlyOnce,
) -> HouseholdShown:
    """Make a part of a household one of its own; it keeps the class and what the whole once was."""
    part = actions.households.Household(
        given.village.partition(".")[0],
        given.village,
        given.code,
        given.head_name,
        given.head_sex,
        given.indigenous,
        given.members,
    )
    new = once.made or await actions.families.split(
        conn, principal, vault, household_id, part, on=given.on, believed=believed
    )
    return answered(response, await written(conn, principal, new, once), vault, lang)


@router.post("/{household_id}/mergers", status_code=201, responses=REFUSALS)
async def merge(
    *,
    household_id: HouseholdId,
    given: MergerGiven,
    principal: Writer,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    response: Response,
    believed: IfMatch,
    once: OnlyOnce,
) -> HouseholdShown:
    """Make another household of the commune a part of this one; the other ends."""
    if once.first:
        await actions.families.merge(
            conn, principal, household_id, given.merged_id, on=given.on, believed=believed
        )
    return answered(response, await written(conn, principal, household_id, once), vault, lang)


@router.post("/{household_id}/returns", status_code=201, responses=IN_A_VILLAGE)
async def come_back(
    *,
    household_id: HouseholdId,
    given: ReturnGiven,
    principal: Writer,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    response: Response,
    believed: IfMatch,
    once: OnlyOnce,
) -> HouseholdShown:
    """Take a household that had left or ended into the register again, with all it once was."""
    if once.first:
        await actions.families.come_back(
            conn,
            principal,
            household_id,
            commune=given.commune,
            village=given.village,
            code=given.code,
            members=given.members,
            household_class=HouseholdClass(given.poverty_class),
            standard=given.standard,
            certificate=given.certificate,
            from_commune=given.from_commune,
            on=given.on,
            believed=believed,
        )
    return answered(response, await written(conn, principal, household_id, once), vault, lang)
