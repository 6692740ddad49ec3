"""Who belonged to a household on a day, as known at a time: facts about members and the rules for a new one.

A fact is never edited. One that was wrong is replaced by a later one that names it; what somebody knew before is
still answered from the facts recorded until then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from households.domain.household import check_members
from households.domain.notices import Notice
from households.domain.persons import Member, check_household, member_faults, member_notices
from households.domain.terms import Refused


class MemberFactKind(StrEnum):
    """What a fact says of a member."""

    ENTERED = "ENTERED"
    CHANGED = "CHANGED"
    LEFT = "LEFT"


MEMBER_FACT_LABELS: dict[MemberFactKind, tuple[str, str]] = {
    MemberFactKind.ENTERED: ("Vào hộ", "Became a member"),
    MemberFactKind.CHANGED: ("Thay đổi thông tin", "Changed"),
    MemberFactKind.LEFT: ("Thôi là thành viên", "Is no longer a member"),
}


@dataclass(frozen=True, slots=True)
class MemberFact:
    """One fact: from that day the member is as described, or is a member no more.

    Sequences grow in the order of recording. `corrects` is the sequence of the fact in whose place this stands.
    """

    sequence: int
    kind: MemberFactKind
    valid_from: date
    member: Member
    left_reason: str | None = None
    corrects: int | None = None


@dataclass(frozen=True, slots=True)
class NewFact:
    """A fact that is about to be recorded."""

    kind: MemberFactKind
    valid_from: date
    member: Member
    left_reason: str | None = None
    corrects: int | None = None


def in_force(facts: Iterable[MemberFact]) -> tuple[MemberFact, ...]:
    """The facts in whose place no other stands, by the day from which they hold."""
    facts = tuple(facts)
    corrected = {fact.corrects for fact in facts}
    return tuple(sorted((f for f in facts if f.sequence not in corrected), key=_turn))


def version_on(facts: Iterable[MemberFact], on: date) -> MemberFact | None:
    """The fact that says how one member was on the day; None when the person was no member then.

    On the day of leaving somebody is a member no more. What is recorded of later days than the leaving, or of
    earlier ones than an entering that was corrected since, has no effect.
    """
    past = [fact for fact in in_force(facts) if fact.valid_from <= on]
    bounds = [fact for fact in past if fact.kind is not MemberFactKind.CHANGED]
    if not bounds or bounds[-1].kind is MemberFactKind.LEFT:
        return None
    return [fact for fact in past if _turn(fact) >= _turn(bounds[-1])][-1]


def roster(facts: Iterable[MemberFact], on: date) -> tuple[Member, ...]:
    """The members of a household on the day, in the order in which they were entered."""
    versions = [version_on(of_one, on) for of_one in by_member(facts).values()]
    return tuple(version.member for version in versions if version is not None)


def by_member(facts: Iterable[MemberFact]) -> dict[UUID, list[MemberFact]]:
    """The facts of each member, members in the order in which they were entered."""
    found: dict[UUID, list[MemberFact]] = {}
    for fact in sorted(facts, key=lambda fact: fact.sequence):
        found.setdefault(fact.member.id, []).append(fact)
    return found


def take(facts: Sequence[MemberFact], new: Sequence[NewFact], today: date) -> tuple[MemberFact, ...]:
    """The facts with new ones, or the refusal: whatever is said must fit what is known of every day since.

    A household may be without a head for a while (the head died); two heads or one number twice it never has.
    """
    taken = list(facts)
    last = max((fact.sequence for fact in facts), default=0)
    for sequence, fact in enumerate(new, start=last + 1):
        _check_new(taken, fact, today)
        taken.append(
            MemberFact(sequence, fact.kind, fact.valid_from, fact.member, fact.left_reason, fact.corrects)
        )
    replaced = {fact.corrects for fact in new}
    start = min(
        [fact.valid_from for fact in new] + [fact.valid_from for fact in facts if fact.sequence in replaced],
        default=today,
    )
    for day in sorted({fact.valid_from for fact in taken if fact.valid_from >= start}):
        _check_together(roster(taken, day))
    return tuple(taken)


def list_faults(rows: Sequence[Member], on: date) -> tuple[tuple[int | None, Refused], ...]:
    """Every fault of every row of a household's whole list; None where the list as a whole has it."""
    found: list[tuple[int | None, Refused]] = [
        (index, fault) for index, row in enumerate(rows) for fault in member_faults(row, on)
    ]
    seen: dict[str, int] = {}
    for index, row in enumerate(rows):
        if row.number is not None and seen.setdefault(row.number, index) != index:
            found.append((index, _number_twice()))
    heads = [index for index, row in enumerate(rows) if row.is_head]
    found += [(index, _head_twice()) for index in heads[1:]]
    if not found:
        try:
            check_household(rows, on)
        except Refused as refused:
            found.append((None, refused))
    return tuple(found)


def roster_notices(members: Sequence[Member], counted: int, *, head_known: bool) -> tuple[Notice, ...]:
    """What deserves a second look in a household as a whole. `counted` is the number that decisions rest on."""
    found = []
    if not any(member.is_head for member in members):
        found.append(
            Notice(
                "head-missing",
                "Hộ chưa có chủ hộ trong danh sách thành viên; hãy ghi ai là chủ hộ.",
                "The list of members has no head; record who it is.",
                "relation",
            )
        )
    elif not head_known:
        found.append(
            Notice(
                "head-differs",
                "Họ tên chủ hộ trong danh sách thành viên khác với sổ; hãy đối chiếu.",
                "The head in the list of members has another name than in the register; compare them.",
                "name",
            )
        )
    if len(members) != counted:
        found.append(
            Notice(
                "members-count-differs",
                f"Danh sách có {len(members)} thành viên, sổ ghi {counted} nhân khẩu.",
                f"The list has {len(members)} members, the register counts {counted}.",
                "members",
            )
        )
    return tuple(found)


def notices_on(
    members: Sequence[Member], only: Collection[UUID], on: date
) -> tuple[tuple[UUID, Notice], ...]:
    """Warnings about these members on the day, each with whom it is about."""
    chosen = [member for member in members if member.id in only]
    return tuple((member.id, notice) for member in chosen for notice in member_notices(member, on))


def check_open(*, active: bool) -> None:
    """Refuse to enter or change members of a household that is not in the register."""
    if not active:
        raise Refused(
            "household-not-active",
            "Hộ đã kết thúc hoặc đã chuyển đi khỏi địa bàn; chỉ ghi được việc thành viên thôi thuộc hộ.",
            "The household is closed or has left; only that members leave can be recorded.",
            "household_id",
        )


def _turn(fact: MemberFact) -> tuple[date, int]:
    return fact.valid_from, fact.sequence


def _check_new(facts: Sequence[MemberFact], new: NewFact, today: date) -> None:
    if new.valid_from > today:
        raise Refused(
            "member-day-in-future",
            f"Ngày {new.valid_from:%d/%m/%Y} chưa tới; chỉ ghi việc đã xảy ra.",
            f"{new.valid_from.isoformat()} is still to come; only what has happened is recorded.",
            "on",
        )
    if new.kind is not MemberFactKind.LEFT:
        for fault in member_faults(new.member, new.valid_from):
            raise fault
    known = in_force(fact for fact in facts if fact.member.id == new.member.id)
    if new.corrects is not None:
        replaced = next((fact for fact in known if fact.sequence == new.corrects), None)
        if replaced is None or (new.kind is MemberFactKind.LEFT and replaced.kind is not MemberFactKind.LEFT):
            raise Refused(
                "fact-not-to-correct",
                "Thành viên này không có bản ghi như vậy đang có hiệu lực để sửa.",
                "This member has no such fact in force that could be corrected by this.",
                "corrects",
            )
        known = tuple(fact for fact in known if fact.sequence != new.corrects)
    leaving = [fact.valid_from for fact in known if fact.kind is MemberFactKind.LEFT]
    if new.kind is MemberFactKind.ENTERED:
        if leaving and leaving[0] <= new.valid_from:
            raise Refused(
                "entered-after-leaving",
                f"Người này đã thôi là thành viên từ ngày {leaving[0]:%d/%m/%Y}, không thể vào hộ sau đó.",
                f"This person left on {leaving[0].isoformat()}, and cannot have become a member after that.",
                "on",
            )
        return
    if new.kind is MemberFactKind.LEFT and leaving:
        raise Refused(
            "member-left-already",
            "Người này đã thôi là thành viên; muốn sửa thì nêu bản ghi được sửa.",
            "This person has left already; a correction names the fact it corrects.",
            "on",
        )
    if version_on(known, new.valid_from) is None:
        raise Refused(
            "not-a-member-then",
            f"Vào ngày {new.valid_from:%d/%m/%Y} người này không là thành viên của hộ.",
            f"On {new.valid_from.isoformat()} this person was no member of the household.",
            "on",
        )


def _check_together(members: Sequence[Member]) -> None:
    if members:
        check_members(len(members))
    if sum(member.is_head for member in members) > 1:
        raise _head_twice()
    numbers = [member.number for member in members if member.number is not None]
    if len(set(numbers)) != len(numbers):
        raise _number_twice()


def _head_twice() -> Refused:
    return Refused(
        "head-twice",
        "Mỗi hộ có đúng một chủ hộ; hộ này đã có chủ hộ khác.",
        "A household has exactly one head; this one has another already.",
        "relation",
    )


def _number_twice() -> Refused:
    return Refused(
        "number-twice-in-household",
        "Hai thành viên trong hộ có cùng số định danh cá nhân.",
        "Two members of the household have the same personal number.",
        "number",
    )
