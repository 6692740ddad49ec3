"""Points of form B1 (and the answer of form A) item by item, each line with its reason.

What the circular calls "điểm A" is the total of form B1 and "điểm B" that of form B2; form A is the quick screening.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from households.domain.b2_form import exact, plain
from households.domain.classification import B1_LIMIT
from households.domain.score_tables import (
    Item,
    ItemKind,
    Option,
    PointForm,
    ReviewWhen,
    ScoreTable,
    area_columns,
)
from households.domain.terms import AreaType, Refused


class PointBasis(StrEnum):
    """What a total rests on: the items of the form by an approved table, or the reviewer's own sum."""

    ITEMS = "ITEMS"
    TOTALS_GIVEN = "TOTALS_GIVEN"


@dataclass(frozen=True, slots=True)
class Line:
    """One item of a filled form: what was chosen, its points, and the reason in words."""

    item: str
    options: tuple[str, ...]
    points: int
    reason_vi: str


@dataclass(frozen=True, slots=True)
class PointScore:
    """A total with all it rests on. `lines` and `table` are None for a total that the reviewer gave."""

    total: int
    basis: PointBasis
    lines: tuple[Line, ...] | None
    table: str | None


@dataclass(frozen=True, slots=True)
class Screening:
    """The answer of form A: whether the household goes on to the review."""

    to_review: bool
    score: PointScore


def given_total(points: int) -> PointScore:
    """The reviewer's own total, where no table is loaded or the paper came already added up."""
    if type(points) is not int or not 0 <= points <= B1_LIMIT:
        raise Refused(
            "b1-out-of-range",
            f"Điểm B1 phải từ 0 đến {B1_LIMIT}, không thể là {points}.",
            f"B1 lies between 0 and {B1_LIMIT}, not {points}.",
            "b1_points",
        )
    return PointScore(points, PointBasis.TOTALS_GIVEN, None, None)


def form_refusals(
    table: ScoreTable,
    column: str,
    area_type: AreaType,
    answers: Mapping[str, object],
    skipped: Mapping[str, str] | None = None,
) -> tuple[Refused, ...]:
    """All that keeps a filled form from being scored, item by item; empty when it can be."""
    return _Filled(table, column, area_type, answers, skipped or {}).read()[1]


def score_form(
    table: ScoreTable,
    column: str,
    area_type: AreaType,
    answers: Mapping[str, object],
    skipped: Mapping[str, str] | None = None,
) -> PointScore:
    """Score a filled form. `skipped`: items the form's own rule leaves out, each with its reason.

    Refuses the first thing that is missing or cannot be. An answer is an option's code (ONE), the codes that
    apply (MANY), or an exact number (RANGE).
    """
    lines, refused = _Filled(table, column, area_type, answers, skipped or {}).read()
    if refused:
        raise refused[0]
    return PointScore(sum(line.points for line in lines), PointBasis.ITEMS, lines, table.version)


def screen(
    table: ScoreTable,
    column: str,
    area_type: AreaType,
    answers: Mapping[str, object],
    skipped: Mapping[str, str] | None = None,
) -> Screening:
    """The answer of form A by the cut-off of its table."""
    if table.form is not PointForm.FORM_A or table.cut_off is None:
        raise _refused(
            "table-of-another-form", "Bảng điểm không phải của Phiếu A.", "Not a table of form A.", "form"
        )
    found = score_form(table, column, area_type, answers, skipped)
    at_most = table.review_when is ReviewWhen.AT_MOST
    return Screening(found.total <= table.cut_off if at_most else found.total >= table.cut_off, found)


class _Filled:
    """One filled form against its table."""

    def __init__(
        self,
        table: ScoreTable,
        column: str,
        area_type: AreaType,
        answers: Mapping[str, object],
        skipped: Mapping[str, str],
    ) -> None:
        self._table, self._column, self._area_type = table, column, area_type
        self._answers, self._skipped = answers, skipped

    def read(self) -> tuple[tuple[Line, ...], tuple[Refused, ...]]:
        refused = list(self._frame())
        lines = []
        for item in self._table.items if not refused else ():
            try:
                lines.append(self._line(item))
            except Refused as no:
                refused.append(no)
        return tuple(lines), tuple(refused)

    def _frame(self) -> list[Refused]:
        found = []
        if self._table.approval is None:
            found.append(
                _refused("score-table-not-approved", "Bảng điểm chưa được phê duyệt.",
                         "The score table is not approved.", "score_table")
            )  # fmt: skip
        column = area_columns().get(self._column)
        if column is None or column.code not in self._table.columns:
            found.append(
                _refused("area-column-unknown", f"Bảng điểm không có cột khu vực {self._column}.",
                         f"The table has no area column {self._column}.", "area_column")
            )  # fmt: skip
        elif column.area_type is not self._area_type:
            found.append(
                _refused("area-column-of-another-type", f"Cột “{column.vi}” không dùng cho khu vực này.",
                         f"The column “{column.en}” is not for this type of area.", "area_column")
            )  # fmt: skip
        known = {item.code for item in self._table.items}
        for code in sorted((set(self._answers) | set(self._skipped)) - known):
            found.append(
                _refused("item-unknown", f"Phiếu không có mục {code}.", f"The form has no item {code}.", code)
            )
        return found

    def _line(self, item: Item) -> Line:
        if item.code in self._skipped:
            return self._skip(item)
        answer = self._answers.get(item.code)
        if answer is None:
            raise _refused("item-missing", f"Chưa trả lời mục “{item.vi}”.",
                           f"Item {item.code} is not answered.", item.code)  # fmt: skip
        chosen, said = _chosen(item, answer)
        points = sum(option.points[self._column] for option in chosen)
        words = ", ".join(option.vi for option in chosen) or "không có"
        shown = f"{said} ({words})" if said else words
        return Line(item.code, tuple(o.code for o in chosen), points, f"{item.vi}: {shown} → {points} điểm")

    def _skip(self, item: Item) -> Line:
        reason = self._skipped[item.code]
        if not item.may_skip or item.code in self._answers or not (reason or "").strip():
            raise _refused("item-not-skippable", f"Mục “{item.vi}” không được bỏ qua, hoặc thiếu lý do.",
                           f"Item {item.code} cannot be left out, or has no reason for it.", item.code)  # fmt: skip
        return Line(item.code, (), 0, f"{item.vi}: không tính điểm ({reason.strip()}) → 0 điểm")


def _chosen(item: Item, answer: object) -> tuple[tuple[Option, ...], str]:
    if item.kind is ItemKind.RANGE:
        number = exact(answer)
        if number is not None and number >= 0:
            return tuple(option for option in item.options if _covers(option, number)), plain(number)
    elif item.kind is ItemKind.ONE:
        found = tuple(option for option in item.options if option.code == answer)
        if found:
            return found, ""
    elif isinstance(answer, list | tuple):
        codes = [code for code in answer if isinstance(code, str)]
        known = tuple(option for option in item.options if option.code in codes)
        if len(known) == len(answer) == len(set(codes)):
            return known, ""
    raise _refused("item-invalid", f"Mục “{item.vi}”: câu trả lời không hợp lệ.",
                   f"Item {item.code}: the answer is not valid.", item.code)  # fmt: skip


def _covers(option: Option, number: Decimal) -> bool:
    return (option.from_ is None or option.from_ <= number) and (
        option.below is None or number < option.below
    )


def _refused(rule: str, vi: str, en: str, field: str) -> Refused:
    return Refused(rule, vi, en, field)
