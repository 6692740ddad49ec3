"""What a file of review results says, row by row, and what the register gives out as files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from households.domain import HouseholdClass, ReviewKind, Stage


class Gender(StrEnum):
    """Sex of the household's head as the form has it."""

    MALE = "MALE"
    FEMALE = "FEMALE"


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One household's result as written. `number` is the row's number in the sheet, counted from 1.

    `village` is a name or a code, `deprivations` the deprived indicators (None when the flag columns are
    missing or left blank), `indigenous` whether the household belongs to an ethnic group of the place (DTTC).
    """

    number: int
    village: str
    head_name: str
    code: str | None
    members: int
    b1_points: int | None
    b2_points: int | None
    deprivations: tuple[str, ...] | None = None
    declared_class: HouseholdClass | None = None
    household_id: UUID | None = None
    head_gender: Gender | None = None
    indigenous: bool | None = None
    quick_result: str | None = None
    reviewer: str | None = None
    reviewed_on: date | None = None
    causes: tuple[str, ...] | None = None
    cause_text: str | None = None


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row cannot be used: the field, the broken rule and words for the person who sent the file.

    `head_name` says whom the row is about, as far as that could be read.
    """

    row_number: int
    field: str
    rule: str
    message_vi: str
    message_en: str
    head_name: str | None = None


@dataclass(frozen=True, slots=True)
class ReviewSheet:
    """What stands above the table: place, review and the decision's date."""

    commune_code: str
    commune_name: str
    district_name: str
    province_name: str
    year: int
    kind: ReviewKind
    stage: Stage
    standard: str
    decided_on: date


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """The answer for one row of an import, as people take it away. `result` is a word, not a code."""

    number: int
    result: str
    household_id: UUID | None = None
    household_class: HouseholdClass | None = None
    field: str | None = None
    rule: str | None = None
    message: str | None = None
    message_en: str | None = None
    advice: str | None = None


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """A household in the register's export; with its `household_id` the next review finds it without doubt."""

    household_id: UUID
    commune: str
    village_code: str
    village_name: str
    code: str | None
    head_name: str
    members: int
    household_class: HouseholdClass | None
    class_since: date | None
