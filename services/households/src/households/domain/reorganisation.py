"""A reorganisation of communes: what a document says of old and new units, checked before anything follows.

Every commune that ends has its successors, every new one its predecessors, and nobody is left over: neither
what the list of units already knows of the day, nor a commune that the document forgot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from households.domain.household import (
    HouseholdState,
    Move,
    Outcome,
    Place,
    check_active,
    check_change_date,
)
from households.domain.terms import AreaType, Refused

WAITING_LETTERS = "WXYZ"


class AreaChange(StrEnum):
    """What happens to one commune that ends as it was."""

    MERGED = "MERGED"
    DIVIDED = "DIVIDED"
    RENAMED = "RENAMED"
    MOVED_TO_PROVINCE = "MOVED_TO_PROVINCE"
    KEPT = "KEPT"


@dataclass(frozen=True, slots=True)
class Commune:
    """A commune as it is from a day on. `begins` is None when not recorded; `ends` is exclusive, None = open."""

    code: str
    name: str
    province: str
    area_type: AreaType | None
    begins: date | None
    ends: date | None
    predecessors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """What becomes of one commune. `kind` None = as it follows from the list."""

    predecessor: str
    successors: tuple[str, ...]
    kind: AreaChange | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """The resolution or decision a reorganisation rests on."""

    number: str
    issued_on: date


@dataclass(frozen=True, slots=True)
class Plan:
    """A reorganisation as it is given: `new` are communes that no list of units has yet."""

    on: date
    document: Document
    parts: tuple[Part, ...]
    new: tuple[Commune, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of units around the day.

    `before` are the communes of the day before by code, `after` those of the day itself; `starting` are those
    that the list of units has beginning on the day.
    """

    before: Mapping[str, Commune]
    after: Mapping[str, Commune]
    starting: Mapping[str, Commune]


@dataclass(frozen=True, slots=True)
class Checked:
    """A reorganisation that holds together: what ends, what begins, and what each part is."""

    parts: tuple[Part, ...]
    ending: tuple[Commune, ...]
    beginning: tuple[Commune, ...]

    def waiting_of(self, taken: Collection[str]) -> dict[str, str]:
        """For each divided commune the code under which its households wait for a choice."""
        found: dict[str, str] = {}
        for part in self.parts:
            if part.kind is AreaChange.DIVIDED:
                codes = (f"{part.predecessor}{letter}" for letter in WAITING_LETTERS)
                code = next((each for each in codes if each not in taken), None)
                if code is None:
                    raise _no(
                        "divided-too-often",
                        f"Mã {part.predecessor} đã bị chia quá nhiều lần.",
                        f"The code {part.predecessor} was divided too many times.",
                        "parts",
                    )
                found[part.predecessor] = code
        return found


def check(plan: Plan, known: Known, today: date) -> Checked:
    """The reorganisation with the kind of each part. Raises `Refused` by the name of what is wrong with it."""
    _check_days(plan, today)
    _check_once(plan)
    given = {each.code: each for each in plan.new}
    ending = [_ending(part, known, plan.on) for part in plan.parts]
    ended = {each.code for each in ending}
    named = [code for part in plan.parts for code in part.successors]
    beginning = [_beginning(code, plan, known, given, ended) for code in dict.fromkeys(named)]
    for code in given:
        if code not in named:
            raise _no(
                "successor-without-predecessor",
                f"Xã mới {code} không có xã cũ nào.",
                f"The new commune {code} has no predecessor.",
                "successors",
            )
    _check_nothing_left(plan, known)
    sources = Counter(named)
    parts = tuple(_kind_of(part, known, sources, beginning) for part in plan.parts)
    return Checked(parts, tuple(ending), tuple(beginning))


def _check_days(plan: Plan, today: date) -> None:
    if plan.on > today:
        raise _no(
            "reorganisation-in-future",
            f"Ngày {plan.on:%d/%m/%Y} chưa đến; việc sắp xếp chỉ được ghi từ ngày có hiệu lực.",
            f"{plan.on.isoformat()} has not come yet; a reorganisation is recorded from the day it takes effect.",
            "on",
        )
    if plan.document.issued_on > plan.on:
        raise _no(
            "document-after-effect",
            f"Văn bản ban hành ngày {plan.document.issued_on:%d/%m/%Y}, sau ngày có hiệu lực"
            f" {plan.on:%d/%m/%Y}.",
            f"The document of {plan.document.issued_on.isoformat()} is later than the day of effect"
            f" {plan.on.isoformat()}.",
            "document_date",
        )


def _check_once(plan: Plan) -> None:
    for code, times in Counter(part.predecessor for part in plan.parts).items():
        if times > 1:
            raise _no(
                "predecessor-twice",
                f"Xã cũ {code} được nêu {times} lần.",
                f"The old commune {code} is named {times} times.",
                "parts",
            )
    for part in plan.parts:
        if not part.successors or len(set(part.successors)) < len(part.successors):
            raise _no(
                "successors-contradict",
                f"Các xã mới của xã cũ {part.predecessor} bị thiếu hoặc bị trùng.",
                f"The successors of {part.predecessor} are missing or named twice.",
                "parts",
            )


def _ending(part: Part, known: Known, on: date) -> Commune:
    found = known.before.get(part.predecessor)
    if found is None:
        raise _no(
            "predecessor-unknown",
            f"Ngày {on - timedelta(days=1):%d/%m/%Y} không có xã mã {part.predecessor}.",
            f"There was no commune {part.predecessor} on {(on - timedelta(days=1)).isoformat()}.",
            "parts",
        )
    if found.ends is not None and found.ends != on:
        raise _no(
            "predecessor-ends-another-day",
            f"{found.name} ({found.code}) kết thúc ngày {found.ends:%d/%m/%Y} chứ không phải {on:%d/%m/%Y}.",
            f"{found.name} ({found.code}) ends on {found.ends.isoformat()}, not on {on.isoformat()}.",
            "parts",
        )
    return found


def _beginning(
    code: str, plan: Plan, known: Known, given: Mapping[str, Commune], ended: Collection[str]
) -> Commune:
    listed, described = known.starting.get(code), given.get(code)
    if listed is not None:
        if described is not None and (described.name, described.province) != (listed.name, listed.province):
            raise _no(
                "successor-contradicts-list",
                f"Danh mục ghi mã {code} là {listed.name}, tỉnh {listed.province}.",
                f"The list of units has {code} as {listed.name} in province {listed.province}.",
                "successors",
            )
        found = listed
    elif described is None:
        raise _no(
            "successor-unknown",
            f"Không có xã mã {code} bắt đầu từ ngày {plan.on:%d/%m/%Y}; hãy nêu tên, tỉnh và loại của xã mới.",
            f"No commune {code} begins on {plan.on.isoformat()}; give the name, province and type of the new one.",
            "successors",
        )
    else:
        still = known.after.get(code)
        if still is not None and code not in ended:
            raise _no(
                "successor-overlaps",
                f"Mã {code} vẫn là {still.name}; xã nhận sáp nhập cũng phải có trong danh sách xã cũ.",
                f"{code} is still {still.name}; a commune that others join is one of the old ones too.",
                "successors",
            )
        found = described
    if found.area_type is None:
        raise _no(
            "area-type-unknown",
            f"Chưa ghi {found.name} ({code}) là thành thị hay nông thôn từ ngày {plan.on:%d/%m/%Y}.",
            f"It is not recorded whether {found.name} ({code}) is urban or rural from {plan.on.isoformat()}.",
            "successors",
        )
    return found


def _check_nothing_left(plan: Plan, known: Known) -> None:
    by_predecessor = {part.predecessor: set(part.successors) for part in plan.parts}
    sources: dict[str, set[str]] = {}
    for part in plan.parts:
        for code in part.successors:
            sources.setdefault(code, set()).add(part.predecessor)
    for code, given in sources.items():
        listed = known.starting.get(code)
        if listed is None:
            continue
        communes = {each for each in listed.predecessors if each in known.before}
        if forgotten := sorted(communes - given):
            raise _no(
                "predecessor-left-over",
                f"{listed.name} ({code}) còn được lập từ xã cũ {', '.join(forgotten)}.",
                f"{listed.name} ({code}) was also made from {', '.join(forgotten)}.",
                "parts",
            )
        if foreign := sorted(given - communes):
            raise _no(
                "predecessor-contradicts-list",
                f"Theo danh mục, {listed.name} ({code}) không được lập từ xã cũ {', '.join(foreign)}.",
                f"By the list of units, {listed.name} ({code}) was not made from {', '.join(foreign)}.",
                "parts",
            )
    for unit in known.starting.values():
        for code in unit.predecessors:
            if code in by_predecessor and unit.code not in by_predecessor[code]:
                raise _no(
                    "successor-left-over",
                    f"Một phần xã cũ {code} thuộc {unit.name} ({unit.code}); hãy nêu đủ các xã mới.",
                    f"Part of {code} belongs to {unit.name} ({unit.code}); name all successors.",
                    "parts",
                )


def _kind_of(part: Part, known: Known, sources: Counter[str], beginning: Iterable[Commune]) -> Part:
    old = known.before[part.predecessor]
    new = {each.code: each for each in beginning}
    [*successors] = (new[code] for code in part.successors)
    if len(successors) > 1:
        kind = AreaChange.DIVIDED
    elif sources[successors[0].code] > 1:
        kind = AreaChange.MERGED
    elif successors[0].province != old.province:
        kind = AreaChange.MOVED_TO_PROVINCE
    elif (successors[0].name, successors[0].code) != (old.name, old.code):
        kind = AreaChange.RENAMED
    else:
        kind = AreaChange.KEPT
    if part.kind is not None and part.kind is not kind:
        raise _no(
            "kind-contradicted",
            f"Theo danh sách, xã cũ {part.predecessor} là {kind.value} chứ không phải {part.kind.value}.",
            f"By the list, {part.predecessor} is {kind.value}, not {part.kind.value}.",
            "parts",
        )
    return Part(part.predecessor, part.successors, kind)


def reassign(state: HouseholdState, to: Place, on: date) -> Move:
    """A household that stays where it is while its commune becomes another one, under whatever code.

    It is no movement of any list: what one unit gives up the other has on the same day.
    """
    check_active(state)
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
        Outcome(leaving, None, state.poverty_class, state.members, state.standard),
        Outcome(arriving, None, None, state.members, state.standard),
    )


def awaits_choice(commune: str) -> bool:
    """Whether a household's commune is one that was divided, and nobody has said yet where it belongs now."""
    return not commune.isdigit()


def check_assigned(commune: str) -> None:
    """Refuse anything new for a household that is not assigned to a commune."""
    if awaits_choice(commune):
        raise _no(
            "area-choice-wanted",
            "Hộ chưa phân địa bàn: xã cũ đã được chia, hãy chọn xã mới của hộ trước.",
            "The household is not assigned: its commune was divided, choose its new commune first.",
            "household_id",
        )


def _no(rule: str, message_vi: str, message_en: str, field: str) -> Refused:
    return Refused(rule, message_vi, message_en, field)
