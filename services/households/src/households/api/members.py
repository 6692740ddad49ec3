"""Members of a household: entered, read, changed, gone; and what was ever recorded of them."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime
from sqlalchemy import Row

from benvung import audit, clock, etags, problems
from benvung.auth import OutsideArea
from benvung.db import Conn
from benvung.etags import BeliefMissing, IfMatch
from benvung.idempotency import OnlyOnce
from benvung.vault import Vault
from households import actions, store
from households.actions.members import Home
from households.actions.refusals import (
    HouseholdElsewhere,
    HouseholdNotFound,
    MemberChanged,
    MemberNotFound,
    MembersChanged,
    MembersRefused,
)
from households.api.fields import Day, Keys, Lang, Reader, Writer
from households.api.persons import (
    FactShown,
    FactsShown,
    LeavingGiven,
    MemberChangeGiven,
    MemberGiven,
    MembersGiven,
    MemberShown,
    MembersShown,
    MembersWritten,
    MemberWritten,
    NoticeShown,
    PairShown,
    homes_of,
    member_shown,
    notice_shown,
    pairs_shown,
)
from households.domain.rosters import (
    MEMBER_FACT_LABELS,
    MemberFact,
    by_member,
    notices_on,
    roster,
    roster_notices,
    version_on,
)
from households.store.members import Recorded

router = APIRouter(prefix="/v1", tags=["members"])

HouseholdId = Annotated[uuid.UUID, Path(description="our identifier of the household (Mã hệ thống)")]
MemberId = Annotated[uuid.UUID, Path(description="our identifier of the member")]
On = Annotated[Day | None, Query(description="the day that is asked about; empty = today")]
KnownAt = Annotated[
    AwareDatetime | None,
    Query(
        description="what was recorded until this moment; empty = everything",
        examples=["2024-01-24T08:00:00+07:00"],
    ),
]


@router.post(
    "/households/{household_id}/members",
    status_code=201,
    responses=problems.responses(HouseholdNotFound, HouseholdElsewhere, OutsideArea),
)
async def enter(
    *,
    household_id: HouseholdId,
    given: MemberGiven,
    principal: Writer,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    response: Response,
    once: OnlyOnce,
) -> MemberWritten:
    """Enter a member. Warnings and those who may be the same person come back; nothing is merged."""
    home = Home(conn, principal, vault, household_id)
    member_id = once.made or uuid.uuid4()
    if once.first:
        await actions.members.enter(home, given.member(member_id), given.on)
    response.headers["Location"] = f"/v1/households/{household_id}/members/{member_id}"
    return await _written(home, member_id, given.on, lang, response)


@router.put(
    "/households/{household_id}/members/{member_id}",
    responses=etags.responses(HouseholdNotFound, MemberNotFound, MemberChanged, BeliefMissing, OutsideArea),
)
async def change(
    *,
    household_id: HouseholdId,
    member_id: MemberId,
    given: MemberChangeGiven,
    principal: Writer,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    response: Response,
    believed: IfMatch,
) -> MemberWritten:
    """Record how a member is from a day on, or with `corrects` what an earlier fact should have said."""
    home = Home(conn, principal, vault, household_id)
    await actions.members.change(home, given.member(member_id), given.on, given.corrects, believed)
    return await _written(home, member_id, given.on, lang, response)


@router.post(
    "/households/{household_id}/members/{member_id}/leaving",
    status_code=201,
    responses=problems.responses(
        HouseholdNotFound, MemberNotFound, MemberChanged, HouseholdElsewhere, OutsideArea
    ),
)
async def leave(
    *,
    household_id: HouseholdId,
    member_id: MemberId,
    given: LeavingGiven,
    principal: Writer,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    response: Response,
    believed: IfMatch,
    once: OnlyOnce,
) -> MemberWritten:
    """Record that somebody is a member no more from a day on, and why."""
    home = Home(conn, principal, vault, household_id)
    if once.first:
        await actions.members.leave(
            home, member_id, given.on, given.reason, corrects=given.corrects, believed=believed
        )
    response.headers["Location"] = f"/v1/households/{household_id}/members/{member_id}"
    return await _written(home, member_id, given.on, lang, response)


@router.put(
    "/households/{household_id}/members",
    responses=etags.responses(HouseholdNotFound, MembersRefused, MembersChanged, BeliefMissing, OutsideArea),
)
async def put_list(
    *,
    household_id: HouseholdId,
    given: MembersGiven,
    principal: Writer,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    response: Response,
    believed: IfMatch,
) -> MembersWritten:
    """Make this the household's whole list: all of it, or nothing with every fault of every row.

    A list that is there already is replaced only with `If-Match`; who is missing from the new one has to leave first.
    """
    home = Home(conn, principal, vault, household_id)
    rows = [(row.id, row.member(row.id or uuid.uuid4())) for row in given.members]
    written = await actions.members.put_list(home, rows, given.on, believed)
    row = await _row(home)
    facts = await home.facts()
    etags.tag(response, actions.members.version_of(facts), lang)
    return MembersWritten(
        household_id=household_id,
        on=given.on,
        members=_members(facts, household_id, given.on, lang),
        warnings=_warnings(row, facts, [member.id for _, member in rows], given.on, vault=vault, lang=lang),
        duplicates=await _duplicates(home, written, lang),
    )


async def _row(home: Home) -> Row[Any]:
    """The household; after a write that was asked for again it may be elsewhere."""
    row = await store.households.find(home.conn, home.id, home.principal.scope())
    if row is None:
        raise HouseholdElsewhere(f"/v1/households/{home.id}")
    return row


async def _written(
    home: Home,
    member_id: uuid.UUID,
    on: dt.date,
    lang: Lang,
    response: Response,
) -> MemberWritten:
    row = await _row(home)
    facts = await home.facts()
    own = by_member(facts)[member_id]
    etags.tag(response, len(own), lang)
    return MemberWritten(
        member=_newest(own, home.id, lang),
        warnings=_warnings(row, facts, [member_id], on, vault=home.vault, lang=lang),
        duplicates=await _duplicates(home, [member_id], lang),
    )


def _newest(own: Sequence[MemberFact], household_id: uuid.UUID, lang: Lang) -> MemberShown:
    """A member as it is now, or as it was on leaving."""
    today = clock.today()
    fact = version_on(own, today) or actions.members.leaving(own) or own[-1]
    return member_shown(fact, own, household_id, today, lang)


def _members(
    facts: Sequence[MemberFact], household_id: uuid.UUID, on: dt.date, lang: Lang
) -> list[MemberShown]:
    found = []
    for own in by_member(facts).values():
        version = version_on(own, on)
        if version is not None:
            found.append(member_shown(version, own, household_id, on, lang))
    return found


def _warnings(
    row: Row[Any],
    facts: Sequence[MemberFact],
    about: Sequence[uuid.UUID],
    on: dt.date,
    *,
    vault: Vault,
    lang: Lang,
) -> list[NoticeShown]:
    members = roster(facts, on)
    known = any(row.head_key in vault.fingerprints(each.name) for each in members if each.is_head)
    whole = roster_notices(members, row.members, head_known=known)
    return [
        *(notice_shown(notice, member_id, lang) for member_id, notice in notices_on(members, about, on)),
        *(notice_shown(notice, None, lang) for notice in whole),
    ]


async def _duplicates(home: Home, ids: Sequence[uuid.UUID], lang: Lang) -> list[PairShown]:
    if not ids:
        return []
    pairs = await store.members.alike_to(home.conn, home.vault, ids)
    shown = await pairs_shown(home.conn, home.vault, home.principal.scope(), pairs, lang)
    if shown:
        others = audit.About("household", sorted(homes_of(shown) - {home.id}, key=str))
        detail = {"pairs": len(shown)}
        await audit.record(
            home.conn,
            home.principal,
            "households.duplicates_read",
            "household",
            str(home.id),
            detail,
            about=others,
        )
    return shown


@router.get("/households/{household_id}/members", responses=etags.responses(HouseholdNotFound))
async def members(
    *,
    household_id: HouseholdId,
    principal: Reader,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    response: Response,
    on: On = None,
    known_at: KnownAt = None,
) -> MembersShown:
    """The members of a household on a day, as known now or at a moment. Reading them is recorded."""
    facts = [each.fact for each in await _facts(Home(conn, principal, vault, household_id), known_at)]
    await audit.record(conn, principal, "household.members_read", "household", str(household_id))
    day = on or clock.today()
    if on is None and known_at is None:
        etags.tag(response, actions.members.version_of(facts), lang)
    return MembersShown(
        household_id=household_id,
        on=day,
        known_at=known_at,
        members=_members(facts, household_id, day, lang),
    )


@router.get(
    "/households/{household_id}/members/{member_id}",
    responses=etags.responses(HouseholdNotFound, MemberNotFound),
)
async def member(
    *,
    household_id: HouseholdId,
    member_id: MemberId,
    principal: Reader,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    response: Response,
) -> MemberShown:
    """One member as it is now, or as it was on leaving. Reading it is recorded."""
    own = await _own_facts(Home(conn, principal, vault, household_id), member_id)
    etags.tag(response, len(own), lang)
    return _newest([each.fact for each in own], household_id, lang)


@router.get(
    "/households/{household_id}/members/{member_id}/facts",
    responses=problems.responses(HouseholdNotFound, MemberNotFound),
)
async def facts(
    *,
    household_id: HouseholdId,
    member_id: MemberId,
    principal: Reader,
    conn: Conn,
    vault: Keys,
    lang: Lang,
) -> FactsShown:
    """Everything that was ever recorded of a member. Reading it is recorded."""
    own = await _own_facts(Home(conn, principal, vault, household_id), member_id)
    return FactsShown(
        member_id=member_id,
        facts=[_fact(household_id, each, own[: at + 1], lang) for at, each in enumerate(own)],
    )


def _fact(household_id: uuid.UUID, told: Recorded, until: Sequence[Recorded], lang: Lang) -> FactShown:
    fact = told.fact
    known = [each.fact for each in until]
    return FactShown(
        fact=fact.sequence,
        kind=fact.kind,
        kind_label=MEMBER_FACT_LABELS[fact.kind][0 if lang == "vi" else 1],
        valid_from=fact.valid_from,
        recorded_at=told.recorded_at,
        recorded_by=told.recorded_by,
        corrects=fact.corrects,
        left_reason=fact.left_reason,
        member=member_shown(fact, known, household_id, fact.valid_from, lang),
    )


async def _facts(home: Home, known_at: dt.datetime | None = None) -> list[Recorded]:
    if await store.households.find(home.conn, home.id, home.principal.scope()) is None:
        raise HouseholdNotFound
    return await store.members.facts_of(home.conn, home.vault, home.id, known_at)


async def _own_facts(home: Home, member_id: uuid.UUID) -> list[Recorded]:
    own = [each for each in await _facts(home) if each.fact.member.id == member_id]
    if not own:
        raise MemberNotFound
    detail = {"member": str(member_id)}
    await audit.record(home.conn, home.principal, "household.member_read", "household", str(home.id), detail)
    return own
