"""Rows of a review's file (results, form B) that an officer matched: answered again, as if the file had said so."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.vault import Vault
from households import domain, store
from households.actions import causes
from households.actions.answers import (
    NOTES,
    Answer,
    answer,
    contradicted,
    open_answers,
    refusal_answer,
    seal_answers,
)
from households.actions.decisions import Result, judge
from households.actions.form_b_files import FormB
from households.actions.given import Held, held, opened
from households.domain import FileRow, HouseholdClass, Match, MatchKind, Place, Refused, Scores
from households.domain.terms import Basis
from households.files.columns import FileKind
from households.store.imports import AnsweredRow
from households.store.reviews import Review


@dataclass(frozen=True, slots=True)
class Choice:
    """What an officer says of a row: HOUSEHOLD or MEMBER with whom, NEW, or SKIP."""

    row_no: int
    kind: str
    household_id: uuid.UUID | None = None
    member_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Resolved:
    """What came of it."""

    row_no: int
    state: str
    answers: list[Answer]


@dataclass(frozen=True, slots=True)
class Answered:
    """A row's new answer; `row` is None when nothing changes because the choice cannot be."""

    resolved: Resolved
    row: AnsweredRow | None = None


BY_HAND = answer(
    "NOTE", "matched-by-hand", "row", "Cán bộ đã chọn hộ cho dòng này.", "An officer matched this row."
)
LEFT_OUT = answer(
    "NOTE", "row-left-out", "row", "Cán bộ đã bỏ qua dòng này.", "An officer left this row out."
)


def kept(row: sa.Row[Any]) -> AnsweredRow:
    """A stored row as it was answered."""
    values = row._asdict()
    return AnsweredRow(
        **{
            name: values[name]
            for name in ("row_no", "raw", "head_name", "head_key", "indigenous_ethnicity", "reviewer", "flags",
                         "combination_key", "causes", "cause_key", "cause_text", "state", "matched_by",
                         "household_id", "answers", "given", "member_id")
        },
        computed_class=values["class"],
        group=values["group_no"],
    )  # fmt: skip


def not_possible(number: int, refused: Refused) -> Answered:
    """The choice cannot be; the row waits on."""
    return Answered(Resolved(number, "REFUSED", [refusal_answer(refused)]))


def left_out(vault: Vault, row: sa.Row[Any]) -> Answered:
    """An officer wants nothing of this row."""
    skipped = replace(kept(row), answers=seal_answers(vault, [LEFT_OUT]))
    return Answered(Resolved(row.row_no, "REFUSED", [LEFT_OUT]), skipped)


def taken_already(number: int) -> Refused:
    """Two rows of a file never mean one household."""
    return Refused(
        "rows-same-household",
        f"Dòng {number} của tệp đã chỉ hộ này.",
        f"Row {number} of the file means this household already.",
        "household_id",
    )


def not_in_commune() -> Refused:
    """Who was chosen is not there to be chosen."""
    return Refused(
        "household-not-in-commune",
        "Mã hệ thống không phải của hộ nào đang được quản lý tại xã này.",
        "No household of this commune has this identifier.",
        "household_id",
    )


@dataclass(slots=True)
class Matching:
    """The rows of one file of a review, and the register they are held against."""

    vault: Vault
    review: Review
    kind: str
    rows: Mapping[int, sa.Row[Any]]
    register: Held
    forms: FormB
    claimed: dict[uuid.UUID, int]

    @classmethod
    async def of(
        cls,
        conn: AsyncConnection,
        vault: Vault,
        review: Review,
        found: sa.Row[Any],
        rows: Mapping[int, sa.Row[Any]],
    ) -> Self:
        """Read what is needed to answer."""
        register = await held(conn, vault, Place(review.province, review.commune, "", review.area_type))
        claimed = await store.lists.claimed(conn, found.id, list(register.states))
        members = await store.members.facts_of_many(
            conn, vault, register.states if found.kind == FileKind.FORM_B else ()
        )
        forms = FormB(review, vault, register, members)
        return cls(vault, review, found.kind, rows, register, forms, claimed)

    def answer(self, choices: Mapping[int, Choice]) -> list[Answered]:
        """The answers to all choices, each by itself."""
        return [self._answer(self.rows[number], choice) for number, choice in choices.items()]

    def _answer(self, row: sa.Row[Any], choice: Choice) -> Answered:
        if choice.kind == "SKIP":
            return left_out(self.vault, row)
        try:
            household_id = self._chosen(choice)
            again = (
                self._form(row, household_id)
                if self.kind == FileKind.FORM_B
                else self._result(row, household_id)
            )
        except Refused as no:
            return not_possible(row.row_no, no)
        assert again.household_id is not None  # an accepted row has its household
        self.claimed[again.household_id] = row.row_no
        return Answered(Resolved(row.row_no, "ACCEPTED", []), again)

    def _chosen(self, choice: Choice) -> uuid.UUID | None:
        """The household that was chosen; None for a new one."""
        if choice.kind == "NEW":
            return None
        if choice.kind != "HOUSEHOLD" or choice.household_id not in self.register.states:
            raise not_in_commune()
        if choice.household_id in self.claimed:
            raise taken_already(self.claimed[choice.household_id])
        return choice.household_id

    def _form(self, row: sa.Row[Any], household_id: uuid.UUID | None) -> AnsweredRow:
        if household_id is None:
            raise Refused(
                "household-unknown",
                "Phiếu B chỉ ghi cho hộ đã có trong sổ; hãy ghi hộ và thành viên trước.",
                "Form B is taken for households of the register; enter it with its members first.",
                "household_id",
            )
        values = opened(self.vault, row.given)
        located = FileRow(row.row_no, household_id, row.raw["village"], row.raw.get("code"), "")
        again = self.forms.answer(values, located, Match(row.row_no, MatchKind.BY_HAND, household_id))
        if again.state != "ACCEPTED":
            [why, *_] = open_answers(self.vault, again.answers)
            raise Refused(why["rule"], why["message_vi"], why["message_en"], why["field"])
        return again

    def _result(self, row: sa.Row[Any], household_id: uuid.UUID | None) -> AnsweredRow:
        raw = dict(row.raw)
        scores = Scores(raw["b1_points"], raw["b2_points"], None, Basis(raw["basis"]))
        state = None if household_id is None else self.register.states[household_id]
        result = Result(
            household_id or uuid.uuid4(),
            raw["members"],
            scores,
            village=raw["village"],
            causes=causes.kept_in_row(row),
        )
        judged = judge(self.review, state, result)
        said = [BY_HAND]
        declared = raw.get("declared_class")
        if declared and HouseholdClass(declared) is not judged.classification.household_class:
            said.append(contradicted(HouseholdClass(declared), judged.classification))
        if household_id is not None:
            located = FileRow(row.row_no, household_id, raw["village"], raw["code"], row.head_key.hex())
            [match] = domain.match_rows([located], self.register.known).matches
            if match.notes:
                raw["believed"] = True
                said += [NOTES[note] for note in match.notes]
        return replace(
            kept(row),
            raw=raw,
            state="ACCEPTED",
            matched_by=MatchKind.NEW if household_id is None else MatchKind.BY_HAND,
            household_id=result.household_id,
            computed_class=judged.classification.household_class,
            answers=seal_answers(self.vault, said),
        )
