"""Money given to an area by one decision: which component, which capital, which source, and the sums.

All amounts are whole đồng. A decision states a total, its split by kind of capital, and its lines; the
three must agree. What a component may receive is in the programme's data file.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from funding.domain import law
from funding.domain.refused import Refused


@dataclass(frozen=True, slots=True)
class Lead:
    """The ministry that leads a component from a day on."""

    valid_from: dt.date
    name_vi: str


@dataclass(frozen=True, slots=True)
class Component:
    """A project or sub-project of a programme, or the programme itself (`parent` None, not broken down)."""

    code: str
    parent: str | None
    name_vi: str
    name_en: str
    capital: tuple[str, ...]
    leads: tuple[Lead, ...]
    leaf: bool

    def lead_on(self, on: dt.date) -> str | None:
        """The leading ministry on a day, where it is known."""
        known = [lead.name_vi for lead in self.leads if lead.valid_from <= on]
        return known[-1] if known else None


@dataclass(frozen=True, slots=True)
class Programme:
    """A programme, the years its money may come from and be planned in, and its component tree."""

    code: str
    name_vi: str
    name_en: str
    first_origin_year: int
    last_origin_year: int
    last_plan_year: int
    legal: tuple[str, ...]
    components: Mapping[str, Component]


@dataclass(frozen=True, slots=True)
class Term:
    """A code with its names, and the day before which it holds."""

    code: str
    name_vi: str
    name_en: str
    valid_before: dt.date | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an allocation, in đồng."""

    project: str
    capital_type: str
    source: str
    amount_dong: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """What one decision gives an area for a plan year, of the money of `origin_year`."""

    programme: str
    area: str
    year: int
    origin_year: int
    decision_number: str
    decided_on: dt.date
    total_dong: int
    by_capital_type: tuple[tuple[str, int], ...]
    lines: tuple[Line, ...]


@cache
def programmes() -> dict[str, Programme]:
    """All programmes of the data file."""
    return {row["code"]: _programme(row) for row in law.table("programmes.toml")["programme"]}


@cache
def capital_types() -> dict[str, Term]:
    """Kinds of capital: INVESTMENT (đầu tư phát triển), RECURRENT (sự nghiệp)."""
    return _terms("capital_type")


@cache
def sources() -> dict[str, Term]:
    """Where money comes from."""
    return _terms("source")


def check(allocation: Allocation) -> None:
    """Raise `Refused` with the first rule that the allocation breaks, its field and, for sums, the difference."""
    programme = _check_programme(allocation)
    for index, line in enumerate(allocation.lines):
        _check_line(programme, line, f"lines.{index}", allocation.decided_on)
    _check_repeats(allocation)
    for index, (code, amount) in enumerate(allocation.by_capital_type):
        _check_capital_type(code, f"by_capital_type.{index}.capital_type")
        _check_amount(amount, f"by_capital_type.{index}.amount_dong")
    _check_sums(allocation)


def _check_programme(allocation: Allocation) -> Programme:
    programme = programmes().get(allocation.programme)
    if programme is None:
        raise _unknown("programme-unknown", "programme", "chương trình", allocation.programme, programmes())
    origin_ok = programme.first_origin_year <= allocation.origin_year <= programme.last_origin_year
    if not origin_ok or not allocation.origin_year <= allocation.year <= programme.last_plan_year:
        first, last = programme.first_origin_year, programme.last_origin_year
        raise Refused(
            "allocation-year-outside-programme",
            message_vi=(
                f"Vốn của chương trình thuộc các năm {first}-{last} và được giao đến năm "
                f"{programme.last_plan_year}; nguồn năm {allocation.origin_year}, kế hoạch năm "
                f"{allocation.year} nằm ngoài."
            ),
            message_en=(
                f"The programme's money is of the years {first}-{last} and may be planned until "
                f"{programme.last_plan_year}; origin {allocation.origin_year}, plan {allocation.year} is outside."
            ),
            field="origin_year" if not origin_ok else "year",
            legal="Nghị quyết 257/2025/QH15",
        )
    return programme


def _check_line(programme: Programme, line: Line, field: str, on: dt.date) -> None:
    component = programme.components.get(line.project)
    if component is None:
        raise _unknown("project-unknown", f"{field}.project", "dự án", line.project, programme.components)
    _check_capital_type(line.capital_type, f"{field}.capital_type")
    if line.capital_type not in component.capital:
        allowed = ", ".join(component.capital)
        raise Refused(
            "capital-type-not-allowed",
            message_vi=f"{line.project} chỉ được bố trí {allowed}, không được bố trí {line.capital_type}.",
            message_en=f"{line.project} may receive {allowed} only, not {line.capital_type}.",
            field=f"{field}.capital_type",
            legal="Quyết định 90/QĐ-TTg",
        )
    _check_source(line.source, f"{field}.source", on)
    _check_amount(line.amount_dong, f"{field}.amount_dong", least=1)


def _check_capital_type(code: str, field: str) -> None:
    if code not in capital_types():
        raise _unknown("capital-type-unknown", field, "loại vốn", code, capital_types())


def _check_source(code: str, field: str, on: dt.date) -> None:
    source = sources().get(code)
    if source is None:
        raise _unknown("source-unknown", field, "nguồn vốn", code, sources())
    if source.valid_before is not None and on >= source.valid_before:
        raise Refused(
            "source-ended",
            message_vi=f"Nguồn {code} không còn từ ngày {source.valid_before:%d/%m/%Y}.",
            message_en=f"Source {code} no longer exists from {source.valid_before} on.",
            field=field,
        )


def _check_amount(amount: int, field: str, least: int = 0) -> None:
    if amount < least:
        raise Refused(
            "amount-negative" if amount < 0 else "amount-zero",
            message_vi=f"Số tiền phải từ {least} đồng trở lên, đã nhận {dong(amount)}.",
            message_en=f"The amount must be at least {least} đồng, not {amount}.",
            field=field,
        )


def _check_repeats(allocation: Allocation) -> None:
    keys = Counter((line.project, line.capital_type, line.source) for line in allocation.lines)
    for index, line in enumerate(allocation.lines):
        if keys[(line.project, line.capital_type, line.source)] > 1:
            raise _repeated(f"lines.{index}", f"{line.project}, {line.capital_type}, {line.source}")
    types = Counter(code for code, _ in allocation.by_capital_type)
    for index, (code, _) in enumerate(allocation.by_capital_type):
        if types[code] > 1:
            raise _repeated(f"by_capital_type.{index}", code)


def _check_sums(allocation: Allocation) -> None:
    _check_amount(allocation.total_dong, "total_dong", least=1)
    stated = dict(allocation.by_capital_type)
    given: Counter[str] = Counter()
    for line in allocation.lines:
        given[line.capital_type] += line.amount_dong
    for code in sorted({*stated, *given}):
        if stated.get(code, 0) != given[code]:
            raise _off("lines", f"các dòng {code}", f"the lines of {code}", given[code], stated.get(code, 0))
    total = sum(stated.values())
    if total != allocation.total_dong:
        raise _off("by_capital_type", "các loại vốn", "the kinds of capital", total, allocation.total_dong)


def _off(field: str, what_vi: str, what_en: str, found: int, stated: int) -> Refused:
    return Refused(
        "allocation-sum-off",
        message_vi=(
            f"Tổng {what_vi} là {dong(found)}, công bố {dong(stated)}: chênh lệch {dong(found - stated)}."
        ),
        message_en=f"The sum of {what_en} is {found} đồng, stated {stated}: difference {found - stated}.",
        field=field,
    )


def _repeated(field: str, what: str) -> Refused:
    return Refused(
        "allocation-line-repeated",
        message_vi=f"Dòng {what} xuất hiện nhiều lần.",
        message_en=f"The line {what} appears more than once.",
        field=field,
    )


def _unknown(rule: str, field: str, what_vi: str, given: str, known: Iterable[str]) -> Refused:
    names = ", ".join(known)
    return Refused(
        rule,
        message_vi=f"Không có {what_vi} {given!r}; có: {names}.",
        message_en=f"{given!r} is not known; known: {names}.",
        field=field,
    )


def dong(amount: int) -> str:
    """An amount as Vietnamese text writes it: 54.532.000.000 đồng."""
    return f"{amount:,}".replace(",", ".") + " đồng"


def _programme(row: dict[str, Any]) -> Programme:
    parents = {each.get("parent") for each in row["component"]}
    whole = Component(
        row["code"], None, row["name_vi"], row["name_en"], tuple(row["capital"]), (), leaf=False
    )
    parts = [
        Component(
            code=each["code"],
            parent=each.get("parent", row["code"]),
            name_vi=each["name_vi"],
            name_en=each["name_en"],
            capital=tuple(each["capital"]),
            leads=tuple(Lead(lead["valid_from"], lead["name_vi"]) for lead in each.get("leads", ())),
            leaf=each["code"] not in parents,
        )
        for each in row["component"]
    ]
    return Programme(
        code=row["code"],
        name_vi=row["name_vi"],
        name_en=row["name_en"],
        first_origin_year=row["first_origin_year"],
        last_origin_year=row["last_origin_year"],
        last_plan_year=row["last_plan_year"],
        legal=tuple(row["legal"]),
        components={part.code: part for part in (whole, *parts)},
    )


def _terms(name: str) -> dict[str, Term]:
    return {
        row["code"]: Term(row["code"], row["name_vi"], row["name_en"], row.get("valid_before"))
        for row in law.table("capital.toml")[name]
    }
