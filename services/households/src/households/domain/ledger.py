"""How the lists of an area changed in a period, flow by flow, in households and persons.

Beginning and end are counted from the register as it was on the two days; the flows are what happened between
them. So that they close is a finding, not an assumption, and where they do not, the ledger says so by area.

Booked as forms 7.2 and 7.3 book: a change of size is booked on the list on which the household was, in persons
alone; the movement itself then has the new number of members on both lists.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from households.domain.movements import TOTAL, Form, Measure, Row
from households.domain.terms import LISTED, HouseholdClass, Movement


class Flow(StrEnum):
    """Why a household came onto a list or left it."""

    NEW = "NEW"
    RELAPSE = "RELAPSE"
    FROM_OTHER_LIST = "FROM_OTHER_LIST"
    ARRIVED = "ARRIVED"
    SPLIT = "SPLIT"
    RETURNED = "RETURNED"
    REORGANISED_IN = "REORGANISED_IN"
    GREW = "GREW"
    OTHER_IN = "OTHER_IN"
    TO_OTHER_LIST = "TO_OTHER_LIST"
    ESCAPED = "ESCAPED"
    LEFT = "LEFT"
    CLOSED = "CLOSED"
    MERGED = "MERGED"
    REORGANISED_OUT = "REORGANISED_OUT"
    SHRANK = "SHRANK"
    OTHER_OUT = "OTHER_OUT"


OUT = (
    Flow.TO_OTHER_LIST, Flow.ESCAPED, Flow.LEFT, Flow.CLOSED, Flow.MERGED, Flow.REORGANISED_OUT, Flow.SHRANK,
    Flow.OTHER_OUT,
)  # fmt: skip
IN = tuple(flow for flow in Flow if flow not in OUT)
LISTS = (HouseholdClass.POOR, HouseholdClass.NEAR_POOR)
FLOW_LABELS: Mapping[Flow, tuple[str, str]] = {
    Flow.NEW: ("Phát sinh mới", "New"),
    Flow.RELAPSE: ("Tái nghèo, tái cận nghèo", "Relapsed"),
    Flow.FROM_OTHER_LIST: ("Từ danh sách kia chuyển sang", "From the other list"),
    Flow.ARRIVED: ("Chuyển đến", "Arrived"),
    Flow.SPLIT: ("Tách hộ", "Split off"),
    Flow.RETURNED: ("Trở về", "Came back"),
    Flow.REORGANISED_IN: ("Sắp xếp đơn vị hành chính: nhận về", "Reorganised: received"),
    Flow.GREW: ("Tăng nhân khẩu của hộ trong danh sách", "Households on the list grew"),
    Flow.OTHER_IN: ("Tăng do nguyên nhân khác", "Other increase"),
    Flow.TO_OTHER_LIST: ("Chuyển sang danh sách kia", "To the other list"),
    Flow.ESCAPED: ("Thoát nghèo, thoát cận nghèo", "Escaped"),
    Flow.LEFT: ("Chuyển đi", "Left"),
    Flow.CLOSED: ("Hộ kết thúc (qua đời, giải thể)", "Ended (death, dissolved)"),
    Flow.MERGED: ("Nhập với hộ khác", "Merged with another household"),
    Flow.REORGANISED_OUT: ("Sắp xếp đơn vị hành chính: chuyển giao", "Reorganised: handed over"),
    Flow.SHRANK: ("Giảm nhân khẩu của hộ trong danh sách", "Households on the list shrank"),
    Flow.OTHER_OUT: ("Giảm do nguyên nhân khác", "Other decrease"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """What happened alike to a number of households: where and on which list they were before and after.

    No list: not on one, or not in the register. `grown` and `shrunk` are the persons by which they became more
    or fewer with it; `persons_before` and `persons_after` are all of them.
    """

    kind: str
    movement: Movement | None
    reason: str | None
    area_before: str | None
    list_before: HouseholdClass | None
    area_after: str
    list_after: HouseholdClass | None
    households: int
    persons_before: int
    persons_after: int
    grown: int
    shrunk: int


@dataclass(frozen=True, slots=True)
class Count:
    """Households and their persons."""

    households: int = 0
    persons: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.households + other.households, self.persons + other.persons)

    def __sub__(self, other: Count) -> Count:
        return Count(self.households - other.households, self.persons - other.persons)


Stock = Mapping[tuple[str, HouseholdClass], Count]


@dataclass(frozen=True, slots=True)
class Account:
    """One list of one area: beginning, flows, end. `open_by`: what is missing; zero when it closes."""

    area: str
    list: HouseholdClass
    start: Count
    flows: Mapping[Flow, Count]
    end: Count

    @property
    def open_by(self) -> Count:
        """By how much the end differs from beginning and flows."""
        total = self.start
        for flow, count in self.flows.items():
            total = total - count if flow in OUT else total + count
        return self.end - total


def ledger(start: Stock, steps: Iterable[Step], end: Stock) -> list[Account]:
    """The accounts of all areas and of all of them together, both lists of each."""
    flows: Counter[tuple[str, HouseholdClass, Flow, Measure]] = Counter()
    areas = {area for area, _ in (*start, *end)}
    for step in steps:
        for area, listed, flow, count in booked(step):
            areas.add(area)
            flows[area, listed, flow, Measure.HOUSEHOLDS] += count.households
            flows[area, listed, flow, Measure.PERSONS] += count.persons

    def account(area: str, listed: HouseholdClass) -> Account:
        found = {
            flow: Count(
                flows[area, listed, flow, Measure.HOUSEHOLDS], flows[area, listed, flow, Measure.PERSONS]
            )
            for flow in Flow
        }
        key = (area, listed)
        return Account(area, listed, start.get(key, Count()), found, end.get(key, Count()))

    accounts = [account(area, listed) for area in sorted(areas) for listed in LISTS]
    return [*accounts, *(_sum(listed, [a for a in accounts if a.list is listed]) for listed in LISTS)]


def _sum(listed: HouseholdClass, accounts: Sequence[Account]) -> Account:
    flows = {flow: sum((a.flows[flow] for a in accounts), Count()) for flow in Flow}
    start, end = (sum((getattr(a, name) for a in accounts), Count()) for name in ("start", "end"))
    return Account(TOTAL, listed, start, flows, end)


def booked(step: Step) -> list[tuple[str, HouseholdClass, Flow, Count]]:
    """The flows of a step. One that leaves a household where it is has none but the change of its size."""
    before = step.list_before if step.list_before in LISTED and step.area_before is not None else None
    after = step.list_after if step.list_after in LISTED else None
    found = []
    leaving = step.persons_before
    if before is not None and step.area_before is not None and _resizes(step, after):
        found.append((step.area_before, before, Flow.GREW, Count(0, step.grown)))
        found.append((step.area_before, before, Flow.SHRANK, Count(0, step.shrunk)))
        leaving = step.persons_after
    if (step.area_before, before) != (step.area_after, after):
        if before is not None and step.area_before is not None:
            found.append((step.area_before, before, _way_out(step), Count(step.households, leaving)))
        if after is not None:
            found.append((step.area_after, after, _way_in(step), Count(step.households, step.persons_after)))
    return [each for each in found if each[3] != Count()]


def _resizes(step: Step, after: HouseholdClass | None) -> bool:
    """Whether the household is there after it with its new size; of one that is gone all persons go."""
    return after is not None or step.kind == "CLASSIFIED"


def _moved(step: Step) -> bool:
    return step.area_before is not None and step.area_before != step.area_after


def _changes_list(step: Step) -> bool:
    """Whether the household goes from one list to the other where it is: both forms hold the same of it."""
    stays = step.area_before is not None and step.area_before == step.area_after
    return stays and step.list_before in LISTED and step.list_after in LISTED


def _way_out(step: Step) -> Flow:
    if _changes_list(step):
        return Flow.TO_OTHER_LIST
    if step.reason == "REORGANISED":
        return Flow.REORGANISED_OUT
    if step.kind == "CLOSED":
        return Flow.MERGED if step.reason == "MERGED" else Flow.CLOSED
    if step.kind in {"LEFT", "ARRIVED"} or _moved(step):
        return Flow.LEFT
    return Flow.ESCAPED if step.kind == "CLASSIFIED" else Flow.OTHER_OUT


_ENTRANCES = {"SPLIT": Flow.SPLIT, "RETURNED": Flow.RETURNED, "REORGANISED": Flow.REORGANISED_IN}
_NEW = {Movement.NEW_POOR, Movement.NEW_NEAR_POOR}
_AGAIN = {Movement.RELAPSE_POOR, Movement.RELAPSE_NEAR_POOR}


def _way_in(step: Step) -> Flow:
    if _changes_list(step):
        return Flow.FROM_OTHER_LIST
    if step.kind == "ARRIVED":
        return _ENTRANCES.get(step.reason or "", Flow.ARRIVED)
    if _moved(step) and step.list_before in LISTED:
        return Flow.ARRIVED
    if step.movement in _NEW:
        return Flow.NEW
    return Flow.RELAPSE if step.movement in _AGAIN else Flow.OTHER_IN


_DECREASE = (Flow.LEFT, Flow.CLOSED, Flow.MERGED, Flow.REORGANISED_OUT, Flow.SHRANK, Flow.OTHER_OUT)
_INCREASE = (Flow.ARRIVED, Flow.SPLIT, Flow.RETURNED, Flow.REORGANISED_IN, Flow.GREW, Flow.OTHER_IN)
_COLUMNS: Mapping[HouseholdClass, tuple[Form, tuple[tuple[Flow, ...], ...]]] = {
    HouseholdClass.POOR: (
        Form.F7_2,
        ((Flow.TO_OTHER_LIST,), (Flow.ESCAPED,), _DECREASE, (Flow.FROM_OTHER_LIST,), (Flow.RELAPSE,),
         (Flow.NEW,), _INCREASE),
    ),
    HouseholdClass.NEAR_POOR: (
        Form.F7_3,
        ((Flow.ESCAPED,), (Flow.TO_OTHER_LIST,), _DECREASE, (Flow.FROM_OTHER_LIST,), (Flow.RELAPSE,),
         (Flow.NEW,), _INCREASE),
    ),
}  # fmt: skip


def form_rows(accounts: Iterable[Account]) -> list[Row]:
    """The accounts as rows of forms 7.2 and 7.3: columns 1 to 9, households and persons."""
    rows = []
    for account in accounts:
        form, columns = _COLUMNS[account.list]
        for measure in Measure:
            values = [
                _of(account.start, measure),
                *(sum(_of(account.flows[flow], measure) for flow in flows) for flows in columns),
                _of(account.end, measure),
            ]
            rows.append(Row(form, account.area, measure, tuple(values)))
    return rows


def _of(count: Count, measure: Measure) -> int:
    return count.households if measure is Measure.HOUSEHOLDS else count.persons
