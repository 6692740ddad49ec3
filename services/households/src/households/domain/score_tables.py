"""Score tables of forms A and B1 as an administrator loads them: read, checked whole, and found when in force.

A table is (standard, form version, area column, item, option) → points, with the document it comes from. No table
is part of the program; without an approved one in force the form is not scored, and says so.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any

from households.domain.b2_form import exact
from households.domain.classification import B1_LIMIT
from households.domain.standards import standards
from households.domain.terms import AreaType, Refused


class PointForm(StrEnum):
    """The forms that are scored by a table: quick screening, and the proxy of income."""

    FORM_A = "FORM_A"
    FORM_B1 = "FORM_B1"


class ItemKind(StrEnum):
    """How an item is answered: one option, any number of options (points add up), or a number in a range."""

    ONE = "ONE"
    MANY = "MANY"
    RANGE = "RANGE"


class ReviewWhen(StrEnum):
    """Form A: a household is reviewed when its total is at most, or at least, the cut-off."""

    AT_MOST = "AT_MOST"
    AT_LEAST = "AT_LEAST"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of points and the type of area it is for."""

    code: str
    area_type: AreaType
    vi: str
    en: str


@dataclass(frozen=True, slots=True)
class Option:
    """An option with its points by column; a RANGE option covers `from_` ≤ number < `below` (None: no end)."""

    code: str
    vi: str
    points: Mapping[str, int]
    from_: Decimal | None = None
    below: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the form. `may_skip`: the form's own rule leaves it out for some households."""

    code: str
    vi: str
    kind: ItemKind
    may_skip: bool
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """The paper that a table was taken from: number, day and who issued it."""

    number: str
    issued_on: date
    issuer: str


@dataclass(frozen=True, slots=True)
class Approval:
    """The paper by which the province took the table into use."""

    paper: str
    approved_on: date


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """A whole table. Without `approval` it is a draft and scores nothing."""

    form: PointForm
    standard: str
    form_version: str
    valid_from: date
    valid_to: date
    document: SourceDocument
    columns: tuple[str, ...]
    items: tuple[Item, ...]
    approval: Approval | None
    cut_off: int | None = None
    review_when: ReviewWhen | None = None

    @property
    def version(self) -> str:
        """What a result keeps to be recomputed: standard, form and version."""
        return f"{self.standard}/{self.form}/{self.form_version}"


@dataclass(frozen=True, slots=True)
class TableFault:
    """What is wrong with a table, and where; a table with faults is not loaded."""

    rule: str
    where: str
    message_vi: str
    message_en: str


@dataclass(frozen=True, slots=True)
class TableRow:
    """One cell of a table as the file has it: points of an option of an item in an area column."""

    item: str
    item_vi: str
    kind: str
    option: str
    option_vi: str
    column: str
    points: object
    from_: str | None = None
    below: str | None = None
    may_skip: bool = False


@cache
def area_columns() -> Mapping[str, Column]:
    """The columns that tables may have."""
    raw = _data()["columns"]
    return {
        code: Column(code, AreaType(item["area_type"]), item["vi"], item["en"]) for code, item in raw.items()
    }


@cache
def _data() -> Mapping[str, Any]:
    return tomllib.loads((resources.files("households") / "data" / "scoring.toml").read_text("utf-8"))


def read_table(
    head: Mapping[str, Any], rows: Iterable[TableRow]
) -> tuple[ScoreTable | None, tuple[TableFault, ...]]:
    """The table, or all that is wrong with it. Never half a table, never a guessed number."""
    faults: list[TableFault] = []
    frame = _frame(head, faults)
    items = _Items(tuple(rows), frame.columns if frame else (), faults).read()
    if frame is None or faults:
        return None, tuple(faults)
    return (
        ScoreTable(
            frame.form,
            frame.standard,
            frame.form_version,
            frame.valid_from,
            frame.valid_to,
            frame.document,
            frame.columns,
            items,
            frame.approval,
            frame.cut_off,
            frame.review_when,
        ),
        (),
    )


def table_in_force(tables: Iterable[ScoreTable], form: PointForm, standard: str, on: date) -> ScoreTable:
    """The one approved table of the form for reviews on that standard and day; refuses when there is none."""
    fitting = [
        t for t in tables if t.form is form and t.standard == standard and t.valid_from <= on <= t.valid_to
    ]
    approved = [t for t in fitting if t.approval is not None and t.approval.approved_on <= on]
    name = "Phiếu A" if form is PointForm.FORM_A else "Phiếu B1"
    if not approved:
        rule = "score-table-not-approved" if fitting else "score-table-missing"
        raise Refused(
            rule,
            f"{name}: chưa có bảng điểm được phê duyệt cho chuẩn {standard} vào ngày {on:%d/%m/%Y};"
            " quản trị viên phải nạp bảng điểm kèm văn bản nguồn.",
            f"{form}: no approved score table of {standard} is in force on {on.isoformat()};"
            " an administrator has to load it with its source document.",
            "score_table",
        )
    if len(approved) > 1:
        raise Refused(
            "score-tables-overlap",
            f"{name}: có {len(approved)} bảng điểm cùng hiệu lực vào ngày {on:%d/%m/%Y}.",
            f"{form}: {len(approved)} score tables are in force on {on.isoformat()}.",
            "score_table",
        )
    return approved[0]


@dataclass(frozen=True, slots=True)
class _Frame:
    form: PointForm
    standard: str
    form_version: str
    valid_from: date
    valid_to: date
    document: SourceDocument
    columns: tuple[str, ...]
    approval: Approval | None
    cut_off: int | None
    review_when: ReviewWhen | None


def _frame(head: Mapping[str, Any], faults: list[TableFault]) -> _Frame | None:
    try:
        document = head.get("document") or {}
        approval = head.get("approval")
        frame = _Frame(
            PointForm(head["form"]),
            str(head["standard"]),
            str(head["form_version"]).strip(),
            _day(head["valid_from"]),
            _day(head["valid_to"]),
            SourceDocument(
                str(document["number"]).strip(), _day(document["issued_on"]), str(document["issuer"]).strip()
            ),
            tuple(head["columns"]),
            Approval(str(approval["paper"]).strip(), _day(approval["approved_on"])) if approval else None,
            head.get("cut_off"),
            ReviewWhen(head["review_when"]) if head.get("review_when") is not None else None,
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        _fault(faults, "table-head-incomplete", "head", f"Thiếu hoặc sai phần đầu bảng: {error}.",
               f"The head of the table is missing or wrong: {error}.")  # fmt: skip
        return None
    _check_frame(frame, faults)
    return frame


def _check_frame(frame: _Frame, faults: list[TableFault]) -> None:
    standard, bounds = standards().get(frame.standard), _data()["standards"].get(frame.standard)
    if standard is None or bounds is None:
        _fault(faults, "table-standard-unknown", "standard", f"Không có chuẩn {frame.standard}.",
               f"There is no standard {frame.standard}.")  # fmt: skip
    else:
        if not standard.valid_from <= frame.valid_from <= frame.valid_to <= standard.valid_to:
            _fault(faults, "table-outside-standard", "valid_from",
                   f"Thời gian hiệu lực phải nằm trong thời gian của chuẩn {standard.code}.",
                   f"Its validity must lie within that of {standard.code}.")  # fmt: skip
        if frame.document.issued_on < bounds["document_not_before"]:
            _fault(faults, "table-older-than-standard", "document.issued_on",
                   f"Văn bản nguồn có trước chuẩn {standard.code}: bảng điểm cũ không dùng được.",
                   f"Its document is older than {standard.code}: an old table does not score it.")  # fmt: skip
    if not (frame.document.number and frame.document.issuer and frame.form_version):
        _fault(faults, "table-without-document", "document",
               "Phải ghi số, ngày, cơ quan ban hành của văn bản nguồn và phiên bản phiếu.",
               "Number, day and issuer of the source document and the version of the form are needed.")  # fmt: skip
    if frame.approval is not None and not frame.approval.paper:
        _fault(faults, "table-approval-without-paper", "approval", "Việc phê duyệt phải có văn bản.",
               "An approval needs its paper.")  # fmt: skip
    if not frame.columns or sorted(set(frame.columns) & set(area_columns())) != sorted(frame.columns):
        _fault(faults, "table-columns-unknown", "columns", "Cột khu vực để trống hoặc không có trong danh mục.",
               "No area columns, or one that is not in the list.")  # fmt: skip
    screening = frame.form is PointForm.FORM_A
    if (type(frame.cut_off) is int) != screening or (frame.review_when is not None) != screening:
        _fault(faults, "table-cut-off", "cut_off", "Phiếu A (và chỉ Phiếu A) phải có điểm cắt và chiều so sánh.",
               "Form A, and only form A, has a cut-off and the way it is compared.")  # fmt: skip


class _Items:
    """Gathers the rows into items and checks that nothing is missing, double, or not an integer."""

    def __init__(
        self, rows: tuple[TableRow, ...], columns: tuple[str, ...], faults: list[TableFault]
    ) -> None:
        self._rows, self._columns, self._faults = rows, columns, faults

    def read(self) -> tuple[Item, ...]:
        if not self._rows:
            self._say("table-empty", "rows", "bảng không có dòng nào", "the table has no rows")
        codes = dict.fromkeys(row.item for row in self._rows)
        return tuple(self._item(code, [r for r in self._rows if r.item == code]) for code in codes)

    def _item(self, code: str, rows: list[TableRow]) -> Item:
        first = rows[0]
        if any((r.item_vi, r.kind, r.may_skip) != (first.item_vi, first.kind, first.may_skip) for r in rows):
            self._say(
                "table-item-contradicts", code, "các dòng mâu thuẫn nhau", "its rows contradict each other"
            )
        kind = ItemKind(first.kind) if first.kind in set(ItemKind) else None
        if kind is None or not code or not first.item_vi:
            self._say("table-item-invalid", code, "thiếu mã, tên hoặc kiểu", "code, name or kind is missing")
        names = dict.fromkeys(row.option for row in rows)
        options = tuple(self._option(code, name, [r for r in rows if r.option == name]) for name in names)
        if kind is ItemKind.RANGE:
            self._check_ranges(code, options)
        return Item(code, first.item_vi, kind or ItemKind.ONE, first.may_skip, options)

    def _option(self, item: str, code: str, rows: list[TableRow]) -> Option:
        where, first, points = f"{item}/{code}", rows[0], {}
        for row in rows:
            if row.column in points:
                self._say("table-points-twice", where, f"cột {row.column} ghi hai lần", f"{row.column} twice")
            if type(row.points) is not int or abs(row.points) > B1_LIMIT:
                self._say("table-points-not-integer", where, f"điểm cột {row.column} phải là số nguyên",
                          f"points of {row.column} must be an integer")  # fmt: skip
            else:
                points[row.column] = row.points
            if (row.option_vi, row.from_, row.below) != (first.option_vi, first.from_, first.below):
                self._say("table-item-contradicts", where, "các dòng mâu thuẫn nhau", "its rows contradict")
        if set(points) != set(self._columns):
            self._say("table-points-missing", where, "thiếu hoặc thừa điểm của một cột khu vực",
                      "points of an area column are missing or not asked for")  # fmt: skip
        return Option(
            code, first.option_vi, points, self._bound(where, first.from_), self._bound(where, first.below)
        )

    def _bound(self, where: str, raw: str | None) -> Decimal | None:
        number = exact(raw) if raw is not None else None
        if raw is not None and number is None:
            self._say("table-range-invalid", where, "giới hạn không phải là số", "a bound is not a number")
        return number

    def _check_ranges(self, code: str, options: tuple[Option, ...]) -> None:
        low = Decimal("-Infinity")
        ordered = sorted(options, key=lambda o: low if o.from_ is None else o.from_)
        if ordered[0].from_ not in (None, Decimal(0)) or ordered[-1].below is not None:
            self._say("table-range-open", code, "các khoảng phải bắt đầu từ 0 và không có giới hạn trên",
                      "ranges must start at 0 and have no upper end")  # fmt: skip
        for before, after in pairwise(ordered):
            if before.below is None or after.from_ is None or before.below > after.from_:
                self._say("table-range-overlap", code, "hai khoảng chồng lên nhau", "two ranges overlap")
            elif before.below < after.from_:
                self._say(
                    "table-range-gap", code, "giữa hai khoảng có chỗ trống", "there is a gap between ranges"
                )
        if any(o.from_ is not None and o.below is not None and o.from_ >= o.below for o in options):
            self._say("table-range-invalid", code, "một khoảng rỗng", "a range is empty")

    def _say(self, rule: str, where: str, vi: str, en: str) -> None:
        _fault(self._faults, rule, where, f"{where}: {vi}.", f"{where}: {en}.")


def _fault(faults: list[TableFault], rule: str, where: str, vi: str, en: str) -> None:
    faults.append(TableFault(rule, where, vi, en))


def _day(raw: object) -> date:
    if isinstance(raw, str):
        return date.fromisoformat(raw)
    if type(raw) is not date:
        raise ValueError(f"{raw!r} is no day")
    return raw
