"""Members of a household: entered, changed, gone, or given as a whole list."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import audit, clock, etags
from benvung.auth import Principal
from benvung.etags import Believed
from benvung.problems import FieldError
from benvung.vault import Vault
from households import store
from households.actions.refusals import (
    HouseholdNotFound,
    MemberChanged,
    MemberNotFound,
    MembersChanged,
    MembersRefused,
)
from households.domain import Member, Refused, Status
from households.domain.retention import check_not_erased
from households.domain.rosters import (
    MemberFact,
    MemberFactKind,
    NewFact,
    by_member,
    check_open,
    in_force,
    list_faults,
    take,
    version_on,
)
from households.store.members import Newest, Written

Facts = Sequence[MemberFact]


@dataclass(frozen=True, slots=True)
class Home:
    """A household at hand: in which transaction, for whom, with which key."""

    conn: AsyncConnection
    principal: Principal
    vault: Vault
    id: uuid.UUID

    async def facts(self) -> list[MemberFact]:
        """Everything recorded of its members."""
        return [each.fact for each in await store.members.facts_of(self.conn, self.vault, self.id)]


async def enter(
    home: Home,
    member: Member,
    on: dt.date,
) -> None:
    """Enter a member. Raises `HouseholdNotFound`, `OutsideArea`, and the domain's `Refused`."""
    facts = await _held(home, active=True)
    await _record(home, facts, [NewFact(MemberFactKind.ENTERED, on, member)])
    detail = {"member": str(member.id)}
    await audit.record(
        home.conn, home.principal, "household.member_entered", "household", str(home.id), detail
    )


async def change(
    home: Home,
    member: Member,
    on: dt.date,
    corrects: int | None,
    believed: Believed,
) -> None:
    """Record how a member is from a day on; what is so already is recorded once.

    With `corrects` it stands in the place of an earlier fact, and keeps saying that the member entered where
    that one did. Raises `HouseholdNotFound`, `OutsideArea`, `MemberNotFound`, `BeliefMissing`,
    `MemberChanged`, and the domain's `Refused`.
    """
    facts = await _held(home, active=True)
    own = _of_member(facts, member.id)
    believed.demand()
    believed.check(len(own), MemberChanged)
    replaced = next((fact for fact in own if fact.sequence == corrects), None)
    entered = replaced is not None and replaced.kind is MemberFactKind.ENTERED
    before = version_on(own, on)
    if corrects is not None or before is None or before.member != member:
        kind = MemberFactKind.ENTERED if entered else MemberFactKind.CHANGED
        new = [NewFact(kind, on, member, corrects=corrects)]
        await _record(home, facts, new)
    detail = {"member": str(member.id)}
    await audit.record(
        home.conn, home.principal, "household.member_changed", "household", str(home.id), detail
    )


async def leave(
    home: Home,
    member_id: uuid.UUID,
    on: dt.date,
    reason: str,
    *,
    corrects: int | None,
    believed: Believed,
) -> None:
    """Record that somebody is a member no more from a day on, and why.

    Raises `HouseholdNotFound`, `OutsideArea`, `MemberNotFound`, `MemberChanged`, and the domain's `Refused`.
    """
    facts = await _held(home, active=False)
    own = _of_member(facts, member_id)
    believed.check(len(own), MemberChanged)
    known = version_on([fact for fact in own if fact.kind is not MemberFactKind.LEFT], on) or own[-1]
    new = NewFact(MemberFactKind.LEFT, on, known.member, reason, corrects)
    await _record(home, facts, [new])
    detail = {"member": str(member_id), "reason": reason}
    await audit.record(home.conn, home.principal, "household.member_left", "household", str(home.id), detail)


async def put_list(
    home: Home,
    rows: Sequence[tuple[uuid.UUID | None, Member]],
    on: dt.date,
    believed: Believed,
) -> list[uuid.UUID]:
    """Make this the household's list of members from a day on: all of it or, with every fault named, nothing.

    A row names the member it means, or enters one. Who is a member and not in the list has to leave first,
    since that has a reason. Returns who was entered or changed. Raises as `change`, and `MembersRefused`.
    """
    facts = await _held(home, active=True)
    if facts:
        believed.demand()
    believed.check(version_of(facts), MembersChanged)
    present = {
        member_id: version.member
        for member_id, own in by_member(facts).items()
        if (version := version_on(own, on)) is not None
    }
    errors = _row_errors(rows, present, on)
    if errors:
        raise MembersRefused(errors)
    new = [
        NewFact(MemberFactKind.ENTERED if given is None else MemberFactKind.CHANGED, on, member)
        for given, member in rows
        if present.get(member.id) != member
    ]
    await _record(home, facts, new)
    detail = {"rows": len(rows), "facts": len(new)}
    await audit.record(
        home.conn, home.principal, "household.members_listed", "household", str(home.id), detail
    )
    return [fact.member.id for fact in new]


def version_of(facts: Facts) -> str:
    """The version of a household's list: another one as soon as one more fact is known."""
    return etags.digest([fact.sequence for fact in facts])


async def _held(home: Home, *, active: bool) -> list[MemberFact]:
    """All facts about the members of the household, which is locked."""
    held = (await store.households.hold(home.conn, [home.id])).get(home.id)
    if held is None:
        raise HouseholdNotFound
    home.principal.scope().check(held.commune)
    if active:
        check_open(active=held.status is Status.ACTIVE)
    return await home.facts()


def _of_member(facts: Facts, member_id: uuid.UUID) -> list[MemberFact]:
    own = by_member(facts).get(member_id)
    if own is None:
        raise MemberNotFound
    return own


async def _record(
    home: Home,
    facts: Facts,
    new: Sequence[NewFact],
) -> None:
    if new:
        meant = [each.member.id for each in new]
        check_not_erased(erased=await store.erasing.some_erased(home.conn, meant))
        await store.members.write(
            home.conn, home.vault, [written(home.id, facts, new)], by=home.principal.subject
        )
    else:
        take(facts, new, clock.today())


def written(household_id: uuid.UUID, facts: Facts, new: Sequence[NewFact]) -> Written:
    """New facts beside those that are known of a household's members, and the states they lead to.

    Raises the domain's `Refused`.
    """
    taken = by_member(take(facts, new, clock.today()))
    touched = {fact.member.id for fact in new}
    newest = [_newest(own) for member_id, own in taken.items() if member_id in touched]
    return Written(household_id, newest, new)


def _newest(own: Facts) -> Newest:
    version = version_on(own, dt.date.max)
    if version is not None:
        return Newest(version.member, None, None, len(own))
    left = leaving(own)
    assert left is not None  # whoever is no member at the end of time has left
    return Newest(left.member, left.valid_from, left.left_reason, len(own))


def leaving(own: Facts) -> MemberFact | None:
    """The fact by which somebody left, if it is in force."""
    found = [fact for fact in in_force(own) if fact.kind is MemberFactKind.LEFT]
    return found[-1] if found else None


def _row_errors(
    rows: Sequence[tuple[uuid.UUID | None, Member]], present: dict[uuid.UUID, Member], on: dt.date
) -> list[FieldError]:
    errors = [
        _error(None if index is None else f"{index}.{fault.field}", fault)
        for index, fault in list_faults([member for _, member in rows], on)
    ]
    unknown = Refused(
        "member-unknown",
        "Vào ngày này hộ không có thành viên mang mã này.",
        "On this day the household has no member with this id.",
    )
    errors += [
        _error(f"{index}.id", unknown)
        for index, (given, _) in enumerate(rows)
        if given is not None and given not in present
    ]
    listed = {given for given, _ in rows}
    errors += [
        _error(
            None,
            Refused(
                "member-missing-from-list",
                f"Danh sách thiếu thành viên {missing}; nếu người này không còn trong hộ, hãy ghi lý do trước.",
                f"Member {missing} is not in the list; if the person has left, record that with its reason first.",
            ),
        )
        for missing in present
        if missing not in listed
    ]
    return errors


def _error(place: str | None, fault: Refused) -> FieldError:
    field = "body.members" if place is None else f"body.members.{place}"
    return FieldError(field, fault.rule, fault.message_vi, fault.message_en)
