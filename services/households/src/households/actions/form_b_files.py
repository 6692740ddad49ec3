"""Form B of many households from a file: the flags follow from the answers and from who lives there.

A row means a household that the register has. What it comes to is decided like any other result of the review.
"""

import asyncio
import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import clock
from benvung.vault import Vault
from households import domain, store
from households.actions import causes
from households.actions.answers import Answer, answer, refusal_answer, seal_answers
from households.actions.decisions import Result, combination_key, judge, seal_flags
from households.actions.forms import no_members
from households.actions.given import Held, file_row, heads, held, read_rows, refused_row, sealed
from households.domain import FileRow, Match, MatchKind, Place, Refused
from households.domain.deprivation import judge as judge_form
from households.domain.rosters import MemberFact, roster
from households.files.packed import Packed, form_answers
from households.files.tables import TableRow
from households.store.imports import AnsweredRow
from households.store.reviews import Review


@dataclass(frozen=True, slots=True)
class FormB:
    """The forms of one file, against the register and the members of the households that they mean."""

    review: Review
    vault: Vault
    register: Held
    facts: Mapping[uuid.UUID, Sequence[MemberFact]]

    def answer(self, values: Packed, row: FileRow, match: Match) -> AnsweredRow:
        """The answer to one form whose household is known, or is not."""
        kept = self._kept(values, row, match)
        if match.household_id is None:
            return kept
        try:
            return self._judged(kept, values, match.household_id)
        except Refused as no:
            said = seal_answers(self.vault, [refusal_answer(no)])
            return replace(kept, answers=said, household_id=match.household_id)

    def _kept(self, values: Packed, row: FileRow, match: Match) -> AnsweredRow:
        kind = MatchKind.AMBIGUOUS if match.kind is MatchKind.NEW else match.kind
        given = sealed(self.vault, values)
        kept = refused_row(self.vault, row.number, [_unmatched(match)], given=given, matched_by=kind)
        return replace(
            kept,
            raw={"village": row.village, "code": row.code, "b1_points": values["b1_points"]},
            head_name=self.vault.seal(values["head_name"]),
            head_key=self.vault.fingerprint(values["head_name"]),
            reviewer=self.vault.seal(values["reviewer"]) if "reviewer" in values else None,
        )

    def _judged(self, kept: AnsweredRow, values: Packed, household_id: uuid.UUID) -> AnsweredRow:
        review, state = self.review, self.register.states[household_id]
        on = dt.date.fromisoformat(values["surveyed_on"])
        if on > clock.today():
            raise _in_future(on)
        members = roster(self.facts.get(household_id, ()), on)
        if not members:
            raise no_members()
        found = judge_form(review.standard, on, members, form_answers(values))
        flags = found.deprivations()
        scores = domain.scores(review.standard, values["b1_points"], None, flags)
        named = causes.kept(self.vault, causes.named_in(review.decided_on, values.get("causes")))
        result = Result(household_id, len(members), scores, village=state.village, causes=named)
        judged = judge(review, state, result)
        said = _remarks(values, scores.b2_points, len(members), state.members)
        said += [_ASSUMED] if any(flag.assumed for flag in found.flags) else []
        raw: dict[str, Any] = kept.raw | {
            "village": state.village,
            "members": len(members),
            "b1_points": scores.b1_points,
            "b2_points": scores.b2_points,
            "basis": scores.basis,
            "form_version": found.form_version,
            "reviewed_on": on.isoformat(),
        }
        return replace(
            kept,
            raw=raw,
            state="ACCEPTED",
            household_id=household_id,
            computed_class=judged.classification.household_class,
            flags=seal_flags(self.vault, flags),
            combination_key=combination_key(self.vault, review.standard.code, flags),
            **causes.of_row(named),
            answers=seal_answers(self.vault, said) if said else None,
        )


def _remarks(values: Packed, b2_points: int, members: int, counted: int) -> list[Answer]:
    found = []
    if "b2_points" in values and values["b2_points"] != b2_points:
        vi = f"Phiếu ghi {values['b2_points']} điểm B2, theo câu trả lời là {b2_points}. Hệ thống ghi theo câu trả lời."
        en = (
            f"The paper says {values['b2_points']} B2 points, the answers give {b2_points}. The answers hold."
        )
        found.append(answer("WARNING", "b2-points-contradicted", "b2_points", vi, en))
    if members != counted:
        vi = f"Danh sách có {members} thành viên vào ngày rà soát, sổ ghi {counted} nhân khẩu."
        en = f"The list has {members} members on the day of the survey, the register counts {counted}."
        found.append(answer("WARNING", "members-count-differs", "row", vi, en))
    return found


async def answered(
    conn: AsyncConnection, vault: Vault, review: Review, given: Sequence[TableRow]
) -> list[AnsweredRow]:
    """The answers to all rows of a file of form B."""
    place = Place(review.province, review.commune, "", review.area_type)
    register = await held(conn, vault, place)
    (rows, wrong), named = read_rows(given), heads(given)
    located: dict[int, FileRow] = {}
    found = [refused_row(vault, n, answers, head_name=named[n]) for n, answers in wrong.items()]
    for number, values in rows.items():
        try:
            located[number] = file_row(vault, number, values, register.village(values["village"]))
        except Refused as no:
            found.append(refused_row(vault, number, [refusal_answer(no)], head_name=named[number]))
    result = await asyncio.to_thread(domain.match_rows, list(located.values()), register.known)
    homes = [match.household_id for match in result.matches if match.household_id]
    forms = FormB(review, vault, register, await store.members.facts_of_many(conn, vault, homes))

    def answers() -> list[AnsweredRow]:
        return [forms.answer(rows[match.number], located[match.number], match) for match in result.matches]

    return sorted([*found, *await asyncio.to_thread(answers)], key=lambda row: row.row_no)


def _unmatched(match: Match) -> Answer:
    if match.kind is MatchKind.NEW:
        return _UNKNOWN
    rule = match.rule or "row-ambiguous"
    return answer("ERROR", rule, "code", match.message_vi or "", match.message_en or "")


def _in_future(on: dt.date) -> Refused:
    return Refused(
        "survey-in-future",
        f"Ngày rà soát {on:%d/%m/%Y} chưa tới.",
        f"The day of the survey, {on.isoformat()}, is still to come.",
        "surveyed_on",
    )


_UNKNOWN = answer(
    "ERROR",
    "household-unknown",
    "code",
    "Sổ chưa có hộ này ở thôn đó; hãy ghi hộ và thành viên trước, hoặc chọn đúng hộ.",
    "The register has no such household in the village; enter it with its members first, or choose it.",
)
_ASSUMED = answer(
    "NOTE",
    "age-assumed",
    "row",
    "Có thành viên chỉ biết năm sinh; tuổi được tính theo quy ước.",
    "Of a member only the year of birth is known; the age follows a convention.",
)
