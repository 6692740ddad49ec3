"""One household's form B as it is filled in: what follows from it, and its way into the review's log.

The flags come from the answers and from who lives there, the class from the points. Answers are sealed in the
log's line, so that the reasons of a result can be shown again.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.auth import Principal
from benvung.etags import Believed
from benvung.vault import Vault
from households import domain, store
from households.actions import causes, cycles, members, outcomes
from households.actions.members import Home
from households.actions.refusals import ReviewNotFound
from households.domain import Classification, HouseholdClass, Member, Refused
from households.domain.b2_form import FormB2, form_b2
from households.domain.causes import Causes, causes_given, check_class
from households.domain.cycle import Act
from households.domain.deprivation import Judgement
from households.domain.deprivation import judge as judge_b2
from households.domain.income import BY_INCOME
from households.domain.procedure_terms import Action, CaseState, Finding
from households.domain.procedures import get_procedure
from households.domain.rosters import by_member, roster
from households.domain.scoring import PointBasis, PointScore, form_refusals, given_total, score_form
from households.domain.terms import LISTED, Basis
from households.store.reviews import Review
from households.store.score_tables import Loaded

UNSURVEYED = frozenset({CaseState.LISTED, CaseState.SENT_BACK})


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it was filled in. Form B2 is answered, or only its flags or total are taken from the paper.

    Without `table` the total of form B1 is the reviewer's own.
    """

    members: Sequence[Member] = ()
    counted: int | None = None
    table: Loaded | None = None
    column: str = ""
    b1: Mapping[str, object] = field(default_factory=dict)
    b1_points: int | None = None
    b2: Mapping[str, object] | None = None
    deprivations: Sequence[str] | None = None
    b2_points: int | None = None
    income_dong: int | None = None
    causes: Sequence[str] = ()
    cause_text: str | None = None
    unseen_causes: Causes | None = None
    """What the last result says of causes, where whoever fills in the form may not see all of it."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What a form comes to, or all that keeps it from coming to anything."""

    faults: tuple[Refused, ...] = ()
    b1: PointScore | None = None
    b2: Judgement | None = None
    scores: domain.Scores | None = None
    found: Classification | None = None
    finding: Finding | None = None
    causes: Causes | None = None


def follow(review: Review, act: Act, filled: Filled) -> Followed:
    """The points, flags and class that a form means. Writes nothing."""
    size = filled.counted if filled.counted is not None else len(filled.members)
    faults: list[Refused] = []
    if review.procedure in BY_INCOME:
        try:
            given = {"members": size, "income_dong": filled.income_dong}
            return Followed(finding=outcomes.finding(review, act.on, given))
        except Refused as no:
            return Followed((no,))
    b1 = _b1(review, filled, faults)
    b2 = _b2(review, act, filled, faults)
    if faults or b1 is None:
        return Followed(tuple(faults), b1, b2)
    flags = b2.deprivations() if b2 is not None else filled.deprivations
    try:
        domain.check_members(size)
        scores = domain.scores(
            review.standard,
            b1.total,
            filled.b2_points if flags is None else None,
            flags,
            b1_from_items=b1.basis is PointBasis.ITEMS and b2 is not None,
        )
        found = domain.classify(review.standard, review.area_type, scores.b1_points, scores.b2_points)
        said = causes_given(act.on, *_causes(filled, found.household_class))
        if said is not None:
            check_class(found.household_class)
    except Refused as no:
        return Followed((no,), b1, b2)
    return Followed((), b1, b2, scores, found, Finding(found.household_class.value), said)


def _causes(filled: Filled, found: HouseholdClass) -> tuple[Sequence[str], str | None]:
    if filled.unseen_causes is None or found not in LISTED:
        return filled.causes, filled.cause_text
    return filled.unseen_causes.kept_beside(filled.causes, filled.cause_text)


def _b1(review: Review, filled: Filled, faults: list[Refused]) -> PointScore | None:
    try:
        if filled.table is None:
            return given_total(_needed(filled.b1_points))
        asked = (filled.table.table, filled.column, review.area_type, filled.b1)
        wrong = form_refusals(*asked)
        faults.extend(_beside(no, f"b1.{no.field}") for no in wrong)
        return None if wrong else score_form(*asked)
    except Refused as no:
        faults.append(no)
        return None


def _needed(points: int | None) -> int:
    if points is None:
        raise Refused("b1-missing", "Hãy ghi tổng điểm Phiếu B1.", "Give the total of form B1.", "b1_points")
    return points


def _b2(review: Review, act: Act, filled: Filled, faults: list[Refused]) -> Judgement | None:
    if filled.b2 is None:
        return None
    try:
        judged = judge_b2(review.standard, act.on, filled.members, filled.b2)
    except Refused as no:
        faults.append(_beside(no, f"b2.{no.field}"))
        return None
    form = form_b2(review.standard)
    faults.extend(_beside(no, _place(form, no.field)) for no in judged.refusals)
    return None if judged.refusals else judged


def _place(form: FormB2, name: str | None) -> str:
    return f"b2.{name}" if name in form.questions else str(name or "b2")


def _beside(no: Refused, name: str) -> Refused:
    """The same refusal beside the field of a form."""
    return Refused(no.rule, no.message_vi, no.message_en, name, no.legal)


@dataclass(frozen=True, slots=True)
class Change:
    """A member as the form has it now, and how many facts were known of the member when it was shown."""

    member: Member
    version: str


async def enter(
    conn: AsyncConnection,
    principal: Principal,
    vault: Vault,
    believed: Believed,
    *,
    review_id: uuid.UUID,
    village: str,
    case: uuid.UUID,
    household: uuid.UUID,
    state: CaseState,
    action: Action,
    act: Act,
    filled: Filled,
    changes: Sequence[Change] = (),
    reason: str | None = None,
    corrects: str | None = None,
) -> None:
    """Record a form: what it says of the members, that the household was surveyed, and its result.

    Raises as `cycles.record` and `members.change`, and the first refusal of the form.
    """
    home = Home(conn, principal, vault, household)
    for one in changes:
        await members.change(home, one.member, act.on, None, Believed(frozenset({f'"{one.version}"'})))
    review = await store.reviews.hold(conn, review_id)
    if review is None:
        raise ReviewNotFound
    if changes:
        filled = replace(filled, members=roster(await home.facts(), act.on))
    followed = follow(review, act, filled)
    if followed.faults:
        raise followed.faults[0]
    common: dict[str, Any] = {"review_id": review_id, "village": village}
    if action is Action.SCORE and state in UNSURVEYED:
        months = _months(review, act)
        surveyed = {"case": str(case), **({"income_months": months} if months else {})}
        before = replace(act, paper=None)
        await cycles.record(
            conn, principal, vault, believed, **common, action=Action.SURVEY, act=before, given=[surveyed]
        )
        believed = Believed(None)
    said = {"case": str(case), **_said(filled, followed)}
    said |= {name: value for name, value in (("reason", reason), ("corrects", corrects)) if value}
    await cycles.record(conn, principal, vault, believed, **common, action=action, act=act, given=[said])


def _months(review: Review, act: Act) -> int | None:
    """Over how many months income is asked; None where points decide."""
    return get_procedure(review.procedure, act.on).income_months


def _said(filled: Filled, followed: Followed) -> dict[str, Any]:
    size = filled.counted if filled.counted is not None else len(filled.members)
    if followed.scores is None or followed.b1 is None:
        return {"members": size, "income_dong": filled.income_dong}
    scores = followed.scores
    said: dict[str, Any] = {"members": size, "b1_points": scores.b1_points}
    said |= (
        {"b2_points": scores.b2_points}
        if scores.deprivations is None
        else {"deprivations": list(scores.deprivations)}
    )
    if scores.basis is Basis.ITEMS:
        said["basis"] = scores.basis.value
    said |= causes.said(followed.causes)
    said["form_b"] = {
        "b1": {name: _plain(value) for name, value in filled.b1.items()} or None,
        "b1_basis": followed.b1.basis.value,
        "b1_table": followed.b1.table,
        "b1_table_id": filled.table and str(filled.table.id),
        "b1_column": filled.column or None,
        "b2": None if filled.b2 is None else {name: _plain(value) for name, value in filled.b2.items()},
        "b2_form": followed.b2 and followed.b2.form_version,
    }
    return said


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def versions(facts: Sequence[Any]) -> dict[uuid.UUID, str]:
    """How many facts are known of each member."""
    return {one: str(len(own)) for one, own in by_member(facts).items()}
