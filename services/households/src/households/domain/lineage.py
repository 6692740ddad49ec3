"""How one household comes from another, and comes back: what it once was goes with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

from households.domain.household import (
    HouseholdState,
    Outcome,
    Place,
    arrive,
    check_active,
    check_change_date,
    check_members,
    other_increase,
)
from households.domain.standards import Standard
from households.domain.terms import AreaType, HouseholdClass, Refused, SizeReason, Status


def come_back(
    state: HouseholdState,
    place: Place,
    members: int,
    *,
    household_class: HouseholdClass,
    standard: Standard,
    on: date,
    certificate: str | None,
) -> Outcome:
    """A household that had left the register, or ended, is in it again; what it once was is not forgotten."""
    if state.status is Status.ACTIVE:
        raise Refused(
            "household-is-here",
            "Hộ vẫn đang có trong sổ; không ghi là trở về.",
            "The household is in the register; it cannot come back.",
            "household_id",
        )
    check_change_date(state, on)
    arrived = arrive(
        state.household_id,
        place,
        members,
        household_class=household_class,
        standard=standard,
        on=on,
        certificate=certificate,
    )
    known = replace(
        arrived.state,
        revision=state.revision + 1,
        ever_poor=state.ever_poor or arrived.state.ever_poor,
        ever_near_poor=state.ever_near_poor or arrived.state.ever_near_poor,
        official_annual_year=state.official_annual_year,
    )
    return replace(arrived, state=known)


def heritage(state: HouseholdState) -> HouseholdState:
    """What goes over to a household that splits off: class and past, and nothing of place, size or count."""
    return replace(
        state,
        revision=0,
        province=None,
        commune="",
        village="",
        area_type=AreaType.RURAL,
        members=1,
        preliminary_class=None,
        last_fact_on=None,
    )


def split_off(household_id: UUID, place: Place, members: int, parent: HouseholdState, on: date) -> Outcome:
    """A household that was part of another one: it keeps the class, and what the whole once was."""
    check_active(parent)
    check_members(members)
    state = replace(
        parent,
        household_id=household_id,
        revision=1,
        province=place.province,
        commune=place.commune,
        village=place.village,
        area_type=place.area_type,
        members=members,
        preliminary_class=None,
        last_fact_on=on,
    )
    return Outcome(state, other_increase(parent), None, None, None)


def check_resize(before: int, after: int, reason: SizeReason) -> None:
    """Refuse a change of size that its reason contradicts."""
    grows = reason in {SizeReason.BIRTH, SizeReason.JOINED}
    if after == before or (after > before) is not grows:
        raise Refused(
            "size-contradicts-reason",
            f"Số nhân khẩu từ {before} thành {after} không khớp với lý do đã ghi.",
            f"From {before} to {after} members contradicts the reason given.",
            "members",
        )


def remaining(before: int, leaving: int) -> int:
    """How many stay when that many members become a household of their own."""
    check_members(leaving)
    if leaving >= before:
        raise Refused(
            "split-leaves-nobody",
            f"Hộ có {before} nhân khẩu; không thể tách ra {leaving} nhân khẩu.",
            f"The household has {before} members; {leaving} of them cannot split off.",
            "members",
        )
    return before - leaving


def joined(into: HouseholdState, ending: HouseholdState) -> int:
    """How many members a household has with those of one that merges into it."""
    if into.household_id == ending.household_id:
        raise Refused(
            "merger-with-itself",
            "Không thể nhập một hộ vào chính nó.",
            "A household cannot merge into itself.",
            "merged_id",
        )
    if into.commune != ending.commune:
        raise Refused(
            "merger-across-communes",
            "Hai hộ không cùng xã vào ngày nhập; hãy ghi việc chuyển đến trước.",
            "The two households were not in one commune on that day; record the move first.",
            "merged_id",
        )
    check_active(ending)
    return into.members + ending.members


def change_members(
    state: HouseholdState, members: int, on: date, *, ever_poor: bool = False, ever_near_poor: bool = False
) -> Outcome:
    """Another number of members without a decision: a split, a merger, a birth or a death.

    A merger brings along what the household that ended once was.
    """
    check_active(state)
    check_members(members)
    check_change_date(state, on)
    after = replace(state, revision=state.revision + 1, members=members, last_fact_on=on)
    after = replace(
        after,
        ever_poor=state.ever_poor or ever_poor,
        ever_near_poor=state.ever_near_poor or ever_near_poor,
    )
    return Outcome(after, None, state.poverty_class, state.members, state.standard)
