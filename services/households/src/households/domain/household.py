"""A household's public state and the pure transitions between states."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from households.domain.standards import Standard
from households.domain.terms import (
    LISTED,
    AreaType,
    ClosureReason,
    HouseholdClass,
    Movement,
    Refused,
    ReviewKind,
    Stage,
    Status,
)

MEMBERS_LIMIT = 99
"""More members than this in one household is a slip of the pen, whatever the form says."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a household lives: its village, the commune above it and that commune's type on the day."""

    province: str | None
    commune: str
    village: str
    area_type: AreaType


@dataclass(frozen=True, slots=True)
class HouseholdState:
    """All that events tell about a household, and the little history the rules need.

    `class_since` is the first day of the present unbroken run of `poverty_class`; `left_list_on` the day of
    the last official decision that took the household off both lists (None while it is on one, or if it
    never left); `preliminary_class` the newest preliminary result that no official one has followed.
    `ever_poor` and `ever_near_poor` tell a relapse from a new case. `last_fact_on` is the day of the last
    decision, arrival or move: what is dated earlier comes late. `official_annual_year` is the year of
    the last official annual review.
    """

    household_id: UUID
    revision: int
    province: str | None
    commune: str
    village: str
    area_type: AreaType
    members: int
    status: Status = Status.ACTIVE
    poverty_class: HouseholdClass | None = None
    standard: str | None = None
    class_since: date | None = None
    left_list_on: date | None = None
    left_list_from: HouseholdClass | None = None
    preliminary_class: HouseholdClass | None = None
    ever_poor: bool = False
    ever_near_poor: bool = False
    last_fact_on: date | None = None
    official_annual_year: int | None = None

    @property
    def place(self) -> Place:
        return Place(self.province, self.commune, self.village, self.area_type)


@dataclass(frozen=True, slots=True)
class Decision:
    """One result of a review for one household. `standard` None is refused, never guessed.

    `village` is where the household lives from now on, when the paper names it.
    """

    year: int
    kind: ReviewKind
    stage: Stage
    household_class: HouseholdClass
    members: int
    standard: Standard | None
    decided_on: date
    valid_from: date
    village: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The state after a transition and what it was before, as events and forms tell it."""

    state: HouseholdState
    movement: Movement | None
    previous_class: HouseholdClass | None
    previous_members: int | None
    previous_standard: str | None


@dataclass(frozen=True, slots=True)
class Move:
    """A move inside the register: `left` keeps the old place, `arrived` has the new one."""

    left: Outcome
    arrived: Outcome


def register(household_id: UUID, place: Place, members: int) -> Outcome:
    """A household known for the first time, without any class yet. Revision 1."""
    check_members(members)
    state = HouseholdState(
        household_id, 1, place.province, place.commune, place.village, place.area_type, members
    )
    return Outcome(state, None, None, None, None)


def first_met(household_id: UUID, place: Place, members: int) -> HouseholdState:
    """A household that its first decision enters: told of by that decision alone, which is revision 1."""
    return replace(register(household_id, place, members).state, revision=0)


def arrive(
    household_id: UUID,
    place: Place,
    members: int,
    *,
    household_class: HouseholdClass,
    standard: Standard,
    on: date,
    certificate: str | None,
) -> Outcome:
    """A household from outside the register, with the class it was given there. Revision 1.

    A poor or near-poor household shows the certificate of the place it comes from.
    """
    check_members(members)
    check_standard(standard, on)
    if household_class in LISTED and not (certificate or "").strip():
        raise Refused(
            "arrival-without-certificate",
            "Hộ nghèo, hộ cận nghèo chuyển đến phải có giấy chứng nhận của nơi đi.",
            "A poor or near-poor household that arrives needs the certificate of the place it left.",
            "certificate",
            DECISION_24,
        )
    state = HouseholdState(
        household_id,
        1,
        place.province,
        place.commune,
        place.village,
        place.area_type,
        members,
        poverty_class=household_class,
        standard=standard.code,
        class_since=on,
        ever_poor=household_class is HouseholdClass.POOR,
        ever_near_poor=household_class is HouseholdClass.NEAR_POOR,
        last_fact_on=on,
    )
    return Outcome(state, _OTHER_INCREASE.get(household_class), None, None, None)


def decide(state: HouseholdState, decision: Decision) -> Outcome:
    """Apply a decision. An official one sets class and members; a preliminary one only `preliminary_class`."""
    check_active(state)
    check_members(decision.members)
    standard = check_standard(decision.standard, decision.valid_from)
    _check_order(state, decision)
    if decision.village is not None and decision.village.startswith(state.commune):
        state = replace(state, village=decision.village)
    if decision.stage is Stage.PRELIMINARY:
        after = replace(
            state,
            revision=state.revision + 1,
            preliminary_class=decision.household_class,
            last_fact_on=decision.valid_from,
        )
        movement = None
    else:
        after = _officially(state, decision, standard)
        movement = movement_of(
            state.poverty_class, decision.household_class, state.ever_poor, state.ever_near_poor
        )
    return Outcome(after, movement, state.poverty_class, state.members, state.standard)


def move(state: HouseholdState, to: Place, on: date) -> Move:
    """A move to another commune of the register. The class goes with the household until its next review."""
    check_active(state)
    if to.commune == state.commune:
        raise Refused(
            "move-to-same-commune",
            "Hộ đã ở xã này; chuyển hộ phải đến một xã khác.",
            "The household already lives in this commune; a move goes to another one.",
            "to_commune",
        )
    check_change_date(state, on)
    leaving = replace(state, revision=state.revision + 1, last_fact_on=on)
    arriving = replace(
        leaving,
        revision=state.revision + 2,
        province=to.province,
        commune=to.commune,
        village=to.village,
        area_type=to.area_type,
    )
    return Move(
        Outcome(leaving, _other_decrease(state), state.poverty_class, state.members, state.standard),
        Outcome(arriving, other_increase(state), None, state.members, state.standard),
    )


def close(state: HouseholdState, reason: ClosureReason, on: date) -> Outcome:
    """End a household: LEFT when it moved out of the register, CLOSED otherwise. It gives up its class."""
    check_active(state)
    check_change_date(state, on)
    after = replace(
        state,
        revision=state.revision + 1,
        status=Status.LEFT if reason is ClosureReason.MOVED_OUT else Status.CLOSED,
        poverty_class=None,
        class_since=on,
        preliminary_class=None,
        last_fact_on=on,
    )
    return Outcome(after, _other_decrease(state), state.poverty_class, state.members, state.standard)


def movement_of(
    before: HouseholdClass | None,
    after: HouseholdClass,
    ever_poor: bool,
    ever_near_poor: bool,
) -> Movement | None:
    """The movement that a decision means; None when the household stays where it was.

    RELAPSE when an earlier official decision had the household on that list, NEW otherwise.
    """
    poor, near = HouseholdClass.POOR, HouseholdClass.NEAR_POOR
    if before is after:
        return None
    if before is poor:
        return Movement.ESCAPED_TO_NEAR_POOR if after is near else Movement.ESCAPED_ABOVE_NEAR_POOR
    if before is near:
        return Movement.NEAR_POOR_TO_POOR if after is poor else Movement.ESCAPED_NEAR_POOR
    if after is poor:
        return Movement.RELAPSE_POOR if ever_poor else Movement.NEW_POOR
    if after is near:
        return Movement.RELAPSE_NEAR_POOR if ever_near_poor else Movement.NEW_NEAR_POOR
    return None


def check_members(members: int) -> None:
    """Refuse a household of no or of implausibly many members."""
    if members < 1:
        raise Refused(
            "members-not-positive",
            f"Số nhân khẩu phải từ 1 trở lên, không thể là {members}.",
            f"A household has at least one member, not {members}.",
            "members",
        )
    if members > MEMBERS_LIMIT:
        raise Refused(
            "members-implausible",
            f"Số nhân khẩu {members} vượt quá {MEMBERS_LIMIT}; hãy kiểm tra lại phiếu.",
            f"{members} members is more than {MEMBERS_LIMIT}; check the form.",
            "members",
        )


def check_standard(standard: Standard | None, on: date) -> Standard:
    """The standard a review declares, if it may be used for results that hold from `on`."""
    if standard is None:
        raise Refused(
            "review-standard-missing",
            "Kỳ rà soát phải nêu rõ chuẩn nghèo áp dụng.",
            "A review must declare the poverty standard it applies.",
            "standard",
            DECISION_24,
        )
    standard.check_complete()
    if not standard.valid_on(on):
        raise Refused(
            "standard-not-valid",
            f"Chuẩn {standard.code} không có hiệu lực vào ngày {on:%d/%m/%Y}.",
            f"Standard {standard.code} does not hold on {on.isoformat()}.",
            "standard",
            standard.legal,
        )
    return standard


DECISION_24 = "Quyết định 24/2021/QĐ-TTg"

_OTHER_DECREASE = {
    HouseholdClass.POOR: Movement.OTHER_DECREASE_POOR,
    HouseholdClass.NEAR_POOR: Movement.OTHER_DECREASE_NEAR_POOR,
}
_OTHER_INCREASE = {
    HouseholdClass.POOR: Movement.OTHER_INCREASE_POOR,
    HouseholdClass.NEAR_POOR: Movement.OTHER_INCREASE_NEAR_POOR,
}


def _other_decrease(state: HouseholdState) -> Movement | None:
    return _OTHER_DECREASE.get(state.poverty_class) if state.poverty_class else None


def other_increase(state: HouseholdState) -> Movement | None:
    """How a household with this class adds to a list without a decision of its own."""
    return _OTHER_INCREASE.get(state.poverty_class) if state.poverty_class else None


def _officially(state: HouseholdState, decision: Decision, standard: Standard) -> HouseholdState:
    before, after = state.poverty_class, decision.household_class
    left_on, left_from = state.left_list_on, state.left_list_from
    if after in LISTED:
        left_on = left_from = None
    elif before in LISTED:
        left_on, left_from = decision.valid_from, before
    annual_year = decision.year if decision.kind is ReviewKind.ANNUAL else state.official_annual_year
    return replace(
        state,
        revision=state.revision + 1,
        members=decision.members,
        poverty_class=after,
        standard=standard.code,
        class_since=state.class_since if before is after else decision.valid_from,
        left_list_on=left_on,
        left_list_from=left_from,
        preliminary_class=None,
        ever_poor=state.ever_poor or after is HouseholdClass.POOR,
        ever_near_poor=state.ever_near_poor or after is HouseholdClass.NEAR_POOR,
        last_fact_on=decision.valid_from,
        official_annual_year=annual_year,
    )


def check_active(state: HouseholdState) -> None:
    """Refuse to change a household that is not in the register."""
    if state.status is not Status.ACTIVE:
        raise Refused(
            "household-not-active",
            "Hộ đã kết thúc hoặc đã chuyển đi khỏi địa bàn; không thể ghi thêm quyết định.",
            "The household is closed or has left; nothing more can be decided for it.",
            "household_id",
        )


def _check_order(state: HouseholdState, decision: Decision) -> None:
    if (
        decision.stage is Stage.PRELIMINARY
        and decision.kind is ReviewKind.ANNUAL
        and state.official_annual_year is not None
        and decision.year <= state.official_annual_year
    ):
        raise Refused(
            "preliminary-after-official",
            f"Kỳ rà soát năm {decision.year} đã có kết quả chính thức; không ghi kết quả sơ bộ nữa.",
            f"The review of {decision.year} already has its official result.",
            "stage",
            DECISION_24,
        )
    if state.last_fact_on is not None and decision.valid_from < state.last_fact_on:
        raise Refused(
            "decision-before-last-one",
            f"Quyết định có hiệu lực ngày {decision.valid_from:%d/%m/%Y}, trước lần thay đổi gần nhất của hộ"
            f" ({state.last_fact_on:%d/%m/%Y}).",
            f"The decision holds from {decision.valid_from.isoformat()}, before the household's last"
            f" change on {state.last_fact_on.isoformat()}.",
            "valid_from",
            DECISION_24,
        )


def comes_late(state: HouseholdState, on: date) -> bool:
    """Whether something is known of a later day already, so that only the whole history says what this means."""
    return state.last_fact_on is not None and on < state.last_fact_on


def check_change_date(state: HouseholdState, on: date) -> None:
    """Refuse a change on a day before the household's last one."""
    if state.last_fact_on is not None and on < state.last_fact_on:
        raise Refused(
            "change-before-last-one",
            f"Ngày {on:%d/%m/%Y} sớm hơn lần thay đổi gần nhất của hộ ({state.last_fact_on:%d/%m/%Y}).",
            f"{on.isoformat()} is before the household's last change on {state.last_fact_on.isoformat()}.",
            "on",
        )
