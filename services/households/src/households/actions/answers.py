"""Answering a file: every row is read against the review, the commune's villages and its known households.

Nothing is written here. A row is accepted or refused by itself; what is only strange is a warning.
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from benvung.vault import Vault
from households import domain
from households.actions import causes
from households.actions.decisions import Result, combination_key, judge, seal_flags
from households.domain import (
    Classification,
    FileRow,
    HouseholdClass,
    HouseholdState,
    KnownHousehold,
    Match,
    Refused,
    Scores,
    label,
    normalise_name,
)
from households.domain.causes import causes_given
from households.files import ReviewRow, RowError
from households.store.decisions import SealedCauses
from households.store.imports import AnsweredRow
from households.store.reviews import Review

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Register:
    """What the register holds of the commune at this moment."""

    villages: Mapping[str, str]
    states: Mapping[uuid.UUID, HouseholdState]
    known: Sequence[KnownHousehold]
    elsewhere: Mapping[uuid.UUID, tuple[str, str]]


@dataclass(slots=True)
class Counts:
    """How a file was answered, counted while its rows are stored."""

    total: int = 0
    refused: int = 0
    warnings: int = 0


@dataclass(frozen=True, slots=True)
class _Checked:
    """A row that can be matched: its village, its scores, the fingerprint of its head."""

    village: str
    scores: Scores
    head_key: bytes
    causes: SealedCauses | None


def villages_by_name(villages: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Village codes by all that a file may write for them: the code itself and the name."""
    found: dict[str, str] = {}
    for code, name in villages:
        found[code] = found[normalise_name(name)] = code
    return found


@dataclass(slots=True)
class FileAnswers:
    """The answers to one file. Build it off the event loop; `rows` gives them piece by piece."""

    review: Review
    vault: Vault
    register: Register
    given: Sequence[ReviewRow | RowError]
    counts: Counts = field(default_factory=Counts)
    missing: Sequence[uuid.UUID] = ()
    _checked: dict[int, _Checked] = field(default_factory=dict)
    _refused: dict[int, Answer] = field(default_factory=dict)
    _matches: dict[int, Match] = field(default_factory=dict)

    def prepare(self) -> None:
        """Check every row by itself, then match all that can be matched, together."""
        for row in self.given:
            if isinstance(row, ReviewRow):
                self._check(row)
        result = domain.match_rows(self._file_rows(), self.register.known)
        self._matches = {match.number: match for match in result.matches}
        self.missing = result.without_row

    def _check(self, row: ReviewRow) -> None:
        try:
            village = self.register.villages.get(row.village) or self.register.villages.get(
                normalise_name(row.village)
            )
            if village is None:
                raise Refused(
                    "village-unknown",
                    f"Danh sách của xã không có thôn “{row.village[:60]}”.",
                    f"The commune's list has no village “{row.village[:60]}”.",
                    "village",
                )
            domain.check_members(row.members)
            found = domain.scores(self.review.standard, row.b1_points, row.b2_points, row.deprivations)
            said = causes_given(self.review.decided_on, row.causes, row.cause_text)
        except Refused as refusal:
            self._refused[row.number] = refusal_answer(refusal)
            return
        self._checked[row.number] = _Checked(
            village, found, self.vault.fingerprint(row.head_name), causes.kept(self.vault, said)
        )

    def _file_rows(self) -> Iterator[FileRow]:
        for row in self.given:
            checked = self._checked.get(_number(row))
            if checked is not None and isinstance(row, ReviewRow):
                yield FileRow(row.number, row.household_id, checked.village, row.code, checked.head_key.hex())

    def rows(self, given: Sequence[ReviewRow | RowError]) -> list[AnsweredRow]:
        """The answered rows of a part of the file, ready to be stored."""
        return [self._answer(row) for row in given]

    def _answer(self, row: ReviewRow | RowError) -> AnsweredRow:
        if isinstance(row, RowError):
            why = answer("ERROR", row.rule, row.field, row.message_vi, row.message_en)
            kept = self._stored(_number(row), {}, None, [why], None)
            return replace(kept, head_name=None if row.head_name is None else self.vault.seal(row.head_name))
        if row.number in self._refused:
            return self._stored(row.number, {}, row, [self._refused[row.number]], None)
        checked, match = self._checked[row.number], self._matches[row.number]
        raw: dict[str, Any] = {
            "village": checked.village,
            "code": row.code,
            "members": row.members,
            "head_sex": row.head_gender,
            "b1_points": checked.scores.b1_points,
            "b2_points": checked.scores.b2_points,
            "basis": checked.scores.basis,
            "declared_class": row.declared_class,
            "quick_result": row.quick_result,
            "reviewed_on": row.reviewed_on and row.reviewed_on.isoformat(),
        }
        if not match.accepted:
            unmatched = self._stored(row.number, raw, row, [self._unmatched(row, match)], match)
            # What is needed once somebody says whom the row means.
            return replace(unmatched, **self._sealed(checked))
        return self._decided(row, raw, checked, match)

    def _unmatched(self, row: ReviewRow, match: Match) -> Answer:
        if row.household_id is not None and row.household_id in self.register.elsewhere:
            commune, _ = self.register.elsewhere[row.household_id]
            if commune == self.review.commune:
                return answer(
                    "ERROR",
                    "household-not-active",
                    "household_id",
                    "Hộ đã kết thúc hoặc đã chuyển đi khỏi địa bàn.",
                    "The household is closed or has left.",
                )
            return answer(
                "ERROR",
                "household-in-another-commune",
                "household_id",
                "Mã hệ thống này là của một hộ thuộc xã khác.",
                "This identifier is of a household in another commune.",
            )
        field_name = "household_id" if row.household_id else "code"
        return answer(
            "ERROR", match.rule or "row-ambiguous", field_name, match.message_vi or "", match.message_en or ""
        )

    def _decided(self, row: ReviewRow, raw: dict[str, Any], checked: _Checked, match: Match) -> AnsweredRow:
        household_id = match.household_id or uuid.uuid4()
        state = self.register.states.get(household_id)
        try:
            result = Result(
                household_id, row.members, checked.scores, village=checked.village, causes=checked.causes
            )
            judged = judge(self.review, state, result)
        except Refused as refusal:
            return self._stored(row.number, raw, row, [refusal_answer(refusal)], match)
        computed = judged.classification.household_class
        answers: list[Answer] = []
        if row.declared_class is not None and row.declared_class is not computed:
            answers.append(contradicted(row.declared_class, judged.classification))
        if match.notes:
            raw["believed"] = True
            answers += [NOTES[note] for note in match.notes]
        answered = self._stored(row.number, raw, row, answers, match)
        return replace(
            answered,
            state="ACCEPTED",
            household_id=household_id,
            computed_class=computed,
            **self._sealed(checked),
        )

    def _sealed(self, checked: _Checked) -> dict[str, Any]:
        flags = checked.scores.deprivations
        return {
            "head_key": checked.head_key,
            "flags": seal_flags(self.vault, flags),
            "combination_key": combination_key(self.vault, self.review.standard.code, flags),
            **causes.of_row(checked.causes),
        }

    def _stored(
        self,
        number: int,
        raw: dict[str, Any],
        row: ReviewRow | None,
        answers: list[Answer],
        match: Match | None,
    ) -> AnsweredRow:
        seal = self.vault.seal
        refused = any(each["level"] == "ERROR" for each in answers)
        self.counts.refused += refused
        self.counts.warnings += any(each["level"] == "WARNING" for each in answers)
        return AnsweredRow(
            row_no=number,
            raw=raw,
            head_name=seal(row.head_name) if row else None,
            head_key=None,
            indigenous_ethnicity=seal(str(row.indigenous)) if row and row.indigenous is not None else None,
            reviewer=seal(row.reviewer) if row and row.reviewer else None,
            flags=None,
            combination_key=None,
            state="REFUSED",
            matched_by=match.kind if match else None,
            household_id=match.household_id if match else None,
            computed_class=None,
            answers=seal_answers(self.vault, answers) if answers else None,
        )


def contradicted(declared: HouseholdClass, found: Classification) -> Answer:
    """The class in a file is another one than the points give."""
    computed = found.household_class
    return answer(
        "WARNING",
        "declared-class-contradicted",
        "declared_class",
        f"Tệp ghi “{label(declared)}”, theo điểm là “{label(computed)}” ({found.reason_vi}). Hệ thống ghi theo điểm.",
        f"The file says {declared}, the points say {computed} ({found.reason}). The points hold.",
    )


def seal_answers(vault: Vault, answers: Sequence[Answer]) -> bytes:
    """A row's answers as they are kept."""
    return vault.seal(json.dumps(answers, ensure_ascii=False))


def open_answers(vault: Vault, sealed: bytes | None) -> list[Answer]:
    """A row's answers as they are shown."""
    return [] if sealed is None else list(json.loads(vault.open(sealed)))


def refusal_answer(refusal: Refused) -> Answer:
    """A broken rule as a row's answer."""
    return answer("ERROR", refusal.rule, refusal.field or "row", refusal.message_vi, refusal.message_en)


def answer(level: str, rule: str, field_name: str, message_vi: str, message_en: str) -> Answer:
    """One thing said of a row: ERROR, WARNING or NOTE."""
    return {
        "level": level,
        "rule": rule,
        "field": field_name,
        "message_vi": message_vi,
        "message_en": message_en,
    }


def _number(row: ReviewRow | RowError) -> int:
    return row.number if isinstance(row, ReviewRow) else row.row_number


NOTES = {
    "HEAD_CHANGED": answer(
        "NOTE",
        "head-changed",
        "head_name",
        "Chủ hộ khác với sổ; sổ được sửa theo tệp.",
        "The head differs from the register, which is corrected from the file.",
    ),
    "CODE_CHANGED": answer(
        "NOTE",
        "code-changed",
        "code",
        "Mã hộ khác với sổ; sổ được sửa theo tệp.",
        "The code differs from the register, which is corrected from the file.",
    ),
}

__all__ = [
    "NOTES",
    "Counts",
    "FileAnswers",
    "Register",
    "answer",
    "contradicted",
    "open_answers",
    "refusal_answer",
    "seal_answers",
    "villages_by_name",
]
