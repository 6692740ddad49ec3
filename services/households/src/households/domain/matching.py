"""Which household a row of a commune's file means. An ambiguous row is answered and left out, never guessed."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
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
    BY_HAND = "BY_HAND"
    AMBIGUOUS = "AMBIGUOUS"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Match:
    """The answer for one row. `household_id` is set for BY_*; `rule` and messages for AMBIGUOUS and REFUSED.

    `notes` are HEAD_CHANGED and CODE_CHANGED (code or village), where the row differs from the register and
    is believed all the same.
    """

    number: int
    kind: MatchKind
    household_id: UUID | None = None
    notes: tuple[str, ...] = ()
    rule: str | None = None
    message_vi: str | None = None
    message_en: str | None = None
    candidates: tuple[UUID, ...] = ()

    @property
    def accepted(self) -> bool:
        return self.kind not in {MatchKind.AMBIGUOUS, MatchKind.REFUSED}

    @property
    def note(self) -> str | None:
        """The weightiest note."""
        return self.notes[0] if self.notes else None


@dataclass(frozen=True, slots=True)
class MatchResult:
    """An answer per row in the file's order, and the known households that no row meant."""

    matches: tuple[Match, ...]
    without_row: tuple[UUID, ...]


def normalise_name(name: str) -> str:
    """A name for comparing: NFC, case-folded, single spaces. Diacritics count: Hùng is not Hưng."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def match_rows(rows: Iterable[FileRow], known: Iterable[KnownHousehold]) -> MatchResult:
    """Resolve all rows of one commune's file against the commune's known households.

    A row is resolved by our identifier, else by (village, code) where that is unique in the file and in the
    register, else by (village, code, head). What is left is a new household, unless something known might be
    meant: then the row is answered as ambiguous with the candidates.
    """
    return _Matching(tuple(rows), tuple(known)).result()


class _Matching:
    """One file against one commune. Rows are resolved in three passes, then checked against each other."""

    def __init__(self, rows: Sequence[FileRow], known: Sequence[KnownHousehold]) -> None:
        self._rows = rows
        self._known = known
        self._by_id = {household.id: household for household in known}
        self._known_by_code = _grouped(known, lambda k: (k.village, k.code))
        self._known_by_head = _grouped(known, lambda k: (k.village, k.head_key))
        self._rows_by_code = _grouped(rows, lambda r: (r.village, r.code))
        self._rows_by_identity = _grouped(rows, _identity)
        self._answers: dict[int, Match] = {}

    def result(self) -> MatchResult:
        waiting = []
        for index, row in enumerate(self._rows):
            answer = self._by_identifier(row) if row.household_id else self._by_code(row)
            if answer is None:
                waiting.append(index)
            else:
                self._answers[index] = answer
        claimed = {answer.household_id for answer in self._answers.values() if answer.household_id}
        for index in waiting:
            self._answers[index] = self._unknown(self._rows[index], claimed)
        self._refuse_shared()
        answers = tuple(self._answers[index] for index in range(len(self._rows)))
        meant = {answer.household_id for answer in answers} | {
            candidate for answer in answers for candidate in answer.candidates
        }
        return MatchResult(answers, tuple(k.id for k in self._known if k.id not in meant))

    def _by_identifier(self, row: FileRow) -> Match:
        household = self._by_id.get(row.household_id) if row.household_id else None
        if household is None:
            return _left_out(row, "household-not-in-commune")
        notes = []
        if household.head_key != row.head_key:
            notes.append("HEAD_CHANGED")
        if (household.village, household.code) != (row.village, row.code):
            notes.append("CODE_CHANGED")
        return Match(row.number, MatchKind.BY_ID, household.id, tuple(notes))

    def _by_code(self, row: FileRow) -> Match | None:
        if row.code is None:
            return self._by_head_alone(row)
        here = self._known_by_code.get((row.village, row.code), [])
        if not here:
            return None
        if len(here) == 1 and len(self._rows_by_code[row.village, row.code]) == 1:
            return self._by_unique_code(row, here[0])
        return self._by_code_and_head(row, here)

    def _by_unique_code(self, row: FileRow, household: KnownHousehold) -> Match:
        if household.head_key == row.head_key:
            return Match(row.number, MatchKind.BY_CODE, household.id)
        namesakes = self._known_by_head.get((row.village, row.head_key), [])
        if namesakes:
            return _left_out(row, "code-and-head-disagree", [household, *namesakes])
        return Match(row.number, MatchKind.BY_CODE, household.id, ("HEAD_CHANGED",))

    def _by_code_and_head(self, row: FileRow, here: Sequence[KnownHousehold]) -> Match:
        same_head = [household for household in here if household.head_key == row.head_key]
        if len(same_head) == 1:
            return Match(row.number, MatchKind.BY_CODE_AND_HEAD, same_head[0].id)
        return _left_out(row, "code-not-unique", same_head or here)

    def _by_head_alone(self, row: FileRow) -> Match | None:
        namesakes = self._known_by_head.get((row.village, row.head_key), [])
        if not namesakes:
            return None
        if len(namesakes) == 1 and namesakes[0].code is None:
            return Match(row.number, MatchKind.BY_CODE_AND_HEAD, namesakes[0].id)
        return _left_out(row, "code-missing", namesakes)

    def _unknown(self, row: FileRow, claimed: Collection[UUID]) -> Match:
        twins = self._rows_by_identity[_identity(row)]
        if len(twins) > 1:
            return _left_out(row, "row-duplicated", numbers=_numbers(r.number for r in twins))
        namesakes = self._known_by_head.get((row.village, row.head_key), [])
        free = [household for household in namesakes if household.id not in claimed]
        if free:
            return _left_out(row, "head-known-under-other-code", free)
        return Match(row.number, MatchKind.NEW)

    def _refuse_shared(self) -> None:
        """Two rows that mean one household are both refused: nobody knows which is right."""
        indexes = _grouped(
            (i for i, answer in self._answers.items() if answer.household_id),
            lambda i: self._answers[i].household_id,
        )
        for household_id, shared in indexes.items():
            if len(shared) < 2 or household_id is None:
                continue
            numbers = _numbers([self._rows[i].number for i in shared])
            for index in shared:
                self._answers[index] = _left_out(
                    self._rows[index], "rows-same-household", [self._by_id[household_id]], numbers
                )


_Item = TypeVar("_Item")
_Key = TypeVar("_Key")


def _identity(row: FileRow) -> tuple[str, str | None, str]:
    return row.village, row.code, row.head_key


def _grouped(items: Iterable[_Item], key: Callable[[_Item], _Key]) -> dict[_Key, list[_Item]]:
    groups: dict[_Key, list[_Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def _numbers(numbers: Iterable[int]) -> str:
    listed = sorted(numbers)
    return ", ".join(map(str, listed[:10])) + (" …" if len(listed) > 10 else "")


_REASONS: dict[str, tuple[MatchKind, str, str]] = {
    "household-not-in-commune": (
        MatchKind.REFUSED,
        "Mã hệ thống không phải của hộ nào đang được quản lý tại xã này.",
        "No household of this commune has this identifier.",
    ),
    "rows-same-household": (
        MatchKind.REFUSED,
        "Các dòng {numbers} cùng chỉ một hộ.",
        "Rows {numbers} mean one and the same household.",
    ),
    "row-duplicated": (
        MatchKind.REFUSED,
        "Hộ này được ghi nhiều lần trong tệp: các dòng {numbers}.",
        "This household stands in the file more than once: rows {numbers}.",
    ),
    "code-and-head-disagree": (
        MatchKind.AMBIGUOUS,
        (
            "Mã hộ là của một hộ, họ tên chủ hộ là của hộ khác trong thôn (có thể đã đổi mã cho nhau);"
            " hãy ghi Mã hệ thống."
        ),
        "The code is one household's and the head's name another's; give the identifier.",
    ),
    "code-not-unique": (
        MatchKind.AMBIGUOUS,
        (
            "Mã hộ này có nhiều hơn một lần trong thôn và họ tên chủ hộ không chỉ rõ một hộ;"
            " hãy ghi Mã hệ thống."
        ),
        "The code is not unique in the village and the head's name does not settle it; give the identifier.",
    ),
    "code-missing": (
        MatchKind.AMBIGUOUS,
        "Dòng không có mã hộ và trong thôn đã có hộ cùng họ tên chủ hộ; hãy ghi mã hộ hoặc Mã hệ thống.",
        "The row has no code and the village knows a head of this name; give a code or the identifier.",
    ),
    "head-known-under-other-code": (
        MatchKind.AMBIGUOUS,
        (
            "Mã hộ mới nhưng trong thôn đã có hộ cùng họ tên chủ hộ mà tệp không nhắc đến;"
            " hãy ghi Mã hệ thống nếu là hộ đó."
        ),
        (
            "The code is new, but the village knows a head of this name whom no other row means;"
            " give the identifier if it is that household."
        ),
    ),
}


def _left_out(row: FileRow, rule: str, candidates: Sequence[KnownHousehold] = (), numbers: str = "") -> Match:
    kind, vi, en = _REASONS[rule]
    return Match(
        row.number,
        kind,
        rule=rule,
        message_vi=vi.format(numbers=numbers),
        message_en=en.format(numbers=numbers),
        candidates=tuple(household.id for household in candidates),
    )
