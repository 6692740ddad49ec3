"""The columns of files that are sent in, from data: one definition for the template, the reader and the answers."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from households.domain import HouseholdClass, Standard, label
from households.domain.b2_form import Kind, Question, form_b2, forms_b2
from households.domain.causes import cause_list
from households.domain.lists import code_list
from households.domain.standards import Indicator


class FileKind(StrEnum):
    """What a file brings."""

    RESULTS = "RESULTS"
    FORM_B = "FORM_B"
    HOUSEHOLDS = "HOUSEHOLDS"
    MEMBERS = "MEMBERS"
    RESOLUTIONS = "RESOLUTIONS"


class Read(StrEnum):
    """How a cell is read."""

    TEXT = "text"
    WHOLE = "whole"
    NUMBER = "number"
    DAY = "day"
    BIRTH = "birth"
    DIGITS = "digits"
    CODE = "code"
    OPTIONS = "options"
    YES_NO = "yes_no"
    SEX = "sex"
    CLASS = "class"
    CAUSES = "causes"
    ID = "id"


SEXES = {"MALE": ("Nam", "Male"), "FEMALE": ("Nữ", "Female")}
YES_NO = {"true": ("Có", "Yes"), "false": ("Không", "No")}
NONE_OF_THEM = ("không có", "none")
LACKING = 3
"""So many indicators the example of a file of results lacks."""
QUESTION = "answer."
"""Before the code of a question, in the name of its column's field."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its names, how a cell is read, and what a template offers. `options`: words by code."""

    field: str
    vi: str
    en: str
    read: Read
    width: int
    other: tuple[str, ...] = ()
    required: bool = False
    most: int = 200
    low: int | None = None
    high: int | None = None
    options: Mapping[str, tuple[str, str]] | None = None
    example: str | int = ""
    help_vi: str = ""


@dataclass(frozen=True, slots=True)
class Columns:
    """All columns of a kind of file, in the order of its template."""

    kind: FileKind
    title_vi: str
    title_en: str
    source: str
    help_vi: tuple[str, ...]
    columns: tuple[Column, ...]

    def title(self, field: str) -> str:
        """The title of a field's column; the field itself where the file has no such column."""
        return next((column.vi for column in self.columns if column.field == field), field)


@cache
def columns_of(kind: FileKind) -> Columns:
    """The columns of a kind of file that are the same for every standard."""
    file = resources.files("households") / "data" / "files" / f"{kind.lower()}.toml"
    raw = tomllib.loads(file.read_text("utf-8"))
    return Columns(
        FileKind(raw["kind"]),
        raw["title_vi"],
        raw["title_en"],
        raw["source"],
        tuple(raw["help_vi"]),
        tuple(map(_column, raw["columns"])),
    )


def form_b_columns(standard: Standard) -> Columns:
    """The columns of form B for a standard: one for each question. Refuses a standard without the form."""
    found = columns_of(FileKind.FORM_B)
    first, last = found.columns[:-1], found.columns[-1]
    questions = tuple(_question(question) for question in form_b2(standard).questions.values())
    return Columns(
        found.kind,
        f"{found.title_vi} ({standard.title_vi})",
        found.title_en,
        found.source,
        found.help_vi,
        (*first, *questions, last),
    )


def results_columns(standard: Standard) -> Columns:
    """The columns of results by a standard: one for each indicator. Refuses a standard that is not complete."""
    standard.check_complete()
    found = columns_of(FileKind.RESULTS)
    first, last = found.columns[:-1], found.columns[-1]
    marked = [each.code for each in standard.indicators if not each.restricted][-LACKING:]
    each_is = standard.points_per_indicator or 0
    points, most = each_is * len(marked), each_is * len(standard.indicators)
    return replace(
        found,
        title_vi=f"{found.title_vi} ({standard.title_vi})",
        columns=(
            *(
                replace(each, example=points, high=most) if each.field == "b2_points" else each
                for each in first
            ),
            *(_indicator(each, marked) for each in standard.indicators),
            last,
        ),
    )


def flag_title(number: int, label_vi: str) -> str:
    """The title of an indicator's column: its official number and label."""
    return f"{number}. {label_vi}"


def _indicator(indicator: Indicator, marked: Sequence[str]) -> Column:
    return Column(
        field=indicator.code,
        vi=flag_title(indicator.number, indicator.label_vi),
        en=indicator.label_en,
        read=Read.YES_NO,
        width=12,
        other=(indicator.label_vi, indicator.code),
        example="x" if indicator.code in marked else "",
        help_vi=f"Đánh dấu x nếu hộ thiếu hụt. Chiều {indicator.dimension_vi.lower()}.",
    )


def title_of(kind: FileKind, field: str) -> str:
    """How a file names the column that an answer is about; a question by its words, a member's attribute by its list."""
    found = columns_of(kind).title(field)
    if found != field or kind is not FileKind.FORM_B:
        return found
    code = field.removeprefix(QUESTION)
    for form in forms_b2().values():
        if code in form.questions:
            return form.questions[code].vi
    return columns_of(FileKind.MEMBERS).title(field.rpartition(".")[2])


def _column(raw: Mapping[str, Any]) -> Column:
    read = Read(raw["read"])
    options: Mapping[str, tuple[str, str]] | None = None
    if read is Read.CODE:
        options = {code: (item.vi, item.en) for code, item in code_list(raw["list"]).codes.items()}
    elif read is Read.SEX:
        options = SEXES
    elif read is Read.CLASS:
        options = {code: (label(code), label(code, "en")) for code in HouseholdClass}
    elif read is Read.CAUSES:
        options = {code: (cause.vi, cause.en) for code, cause in cause_list().causes.items()}
    return Column(
        field=raw["field"],
        vi=raw["vi"],
        en=raw["en"],
        read=read,
        width=raw["width"],
        other=tuple(raw.get("other", ())),
        required=raw.get("required", False),
        most=raw.get("most", 200),
        low=raw.get("low"),
        high=raw.get("high"),
        options=options,
        example=raw["example"],
        help_vi=raw.get("help_vi", ""),
    )


_READS = {Kind.ONE: Read.CODE, Kind.MANY: Read.OPTIONS, Kind.NUMBER: Read.NUMBER, Kind.YES_NO: Read.CODE}


def _question(question: Question) -> Column:
    options = YES_NO if question.kind is Kind.YES_NO else question.options or None
    words = [vi for vi, _ in (options or {}).values()]
    if question.kind is Kind.MANY:
        example, help_vi = (
            "; ".join(words[:2]),
            f"Các phương án: {'; '.join(words)}. Không có thì ghi “không có”.",
        )
    elif words:
        example, help_vi = words[0], f"Một trong: {'; '.join(words)}."
    else:
        example, help_vi = "36,5", "Số, dấu phẩy là dấu thập phân."
    return Column(
        field=QUESTION + question.code,
        vi=question.vi,
        en=question.en,
        read=_READS[question.kind],
        width=18,
        other=(question.code,),
        most=1000,
        options=options,
        example=example,
        help_vi=help_vi,
    )
