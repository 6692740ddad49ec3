"""Which household a row of a commune's file means. An ambiguous row is answered and left out, never guessed."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


@dataclass(frozen=True, slots=True)
class KnownHousehold:
    """A household of the commune. `head_key` is an opaque key of the normalised name of its head."""

    id: UUID
    village: str
    code: str | None
    head_key: str


@dataclass(frozen=True, slots=True)
class FileRow:
    """The identifying part of one row: `village` is the village's code, `head_key` made as for known ones."""

    number: int
    household_id: UUID | None
    village: str
    code: str | None
    head_key: str


class MatchKind(StrEnum):
    """By what a row was resolved, or that it was not."""

    BY_ID = "BY_ID"
    BY_CODE = "BY_CODE"
    BY_CODE_AND_HEAD = "BY_CODE_AND_HEAD"
    NEW = "NEW"
    AMBIGUOUS = "AMBIGUOUS"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Match:
    """The answer for one row. `household_id` is set for BY_*; `rule` and messages for AMBIGUOUS and REFUSED.

    `note` is HEAD_CHANGED or CODE_CHANGED where the row differs from the register and is believed.
    """

    number: int
    kind: MatchKind
    household_id: UUID | None = None
    note: str | None = None
    rule: str | None = None
    message_vi: str | None = None
    message_en: str | None = None
    candidates: tuple[UUID, ...] = ()

    @property
    def accepted(self) -> bool:
        return self.kind not in {MatchKind.AMBIGUOUS, MatchKind.REFUSED}


@dataclass(frozen=True, slots=True)
class MatchResult:
    """An answer per row in the file's order, and the known households that no row meant."""

    matches: tuple[Match, ...]
    without_row: tuple[UUID, ...]


def normalise_name(name: str) -> str:
    """A name for comparing: NFC, case-folded, single spaces. Diacritics count: Hùng is not Hưng."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def match_rows(rows: Iterable[FileRow], known: Iterable[KnownHousehold]) -> MatchResult:
    """Resolve all rows of one commune's file against the commune's known households."""
    raise NotImplementedError
