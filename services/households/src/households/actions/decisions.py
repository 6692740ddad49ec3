"""Deciding on households: one at a time by a person, or a chunk of a file's rows, by the same code."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import areas, audit, outbox
from benvung.auth import OutsideArea, Principal
from benvung.vault import Vault
from households import domain, store
from households.actions import causes, forms, histories, local_standards, reorganisations, tell
from households.actions.book import Book, Taking
from households.actions.histories import Evidence
from households.actions.refusals import HouseholdNotFound, ReviewClosed, ReviewNotFound
from households.domain import (
    Classification,
    Decision,
    HouseholdClass,
    HouseholdState,
    Outcome,
    Place,
    Refused,
    Scores,
)
from households.domain.causes import causes_given, check_class
from households.domain.reorganisation import awaits_choice, check_assigned
from households.store.decisions import Own, RowRef, SealedCauses, Taken
from households.store.reviews import Review


@dataclass(frozen=True, slots=True)
class Result:
    """What a review found for one household. `village` is given for one that is not known yet."""

    household_id: uuid.UUID
    members: int
    scores: Scores
    declared_class: HouseholdClass | None = None
    village: str | None = None
    reviewer: bytes | None = None
    flags: bytes | None = None
    combination_key: bytes | None = None
    causes: SealedCauses | None = None
    row: RowRef | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A result with the class it means and the household's state after it; nothing is written yet.

    `decision` without an outcome comes late: only the household's history says what it means.
    """

    result: Result
    is_new: bool
    decision: Decision
    outcome: Outcome | None
    classification: Classification


@dataclass(frozen=True, slots=True)
class RefusedResult:
    """A result that cannot be decided, and the rule that says so."""

    result: Result
    refused: Refused


def meant(review: Review, result: Result) -> tuple[Classification, Decision]:
    """The class and the decision that a result means by the review's standard. Raises the domain's `Refused`."""
    classification = domain.classify(
        review.standard, review.area_type, result.scores.b1_points, result.scores.b2_points
    )
    if result.causes is not None:
        check_class(classification.household_class)
    decision = Decision(
        year=review.year,
        kind=review.kind,
        stage=review.stage,
        household_class=classification.household_class,
        members=result.members,
        standard=review.standard,
        decided_on=review.decided_on,
        valid_from=review.valid_from,
        village=result.village,
    )
    return classification, decision


def judge(review: Review, state: HouseholdState | None, result: Result) -> Judged:
    """The decision that a result means, by the review's standard. Raises the domain's `Refused`.

    Without `state` the household is new and is entered in the village that the result names; a known one
    lives from now on in the village that a file names.
    """
    classification, decision = meant(review, result)
    is_new = state is None
    if state is None:
        place = Place(review.province, review.commune, result.village or "", review.area_type)
        state = domain.first_met(result.household_id, place, result.members)
    late = domain.comes_late(state, decision.valid_from)
    outcome = None if late else domain.decide(state, decision)
    return Judged(result, is_new, decision, outcome, classification)


async def decide_many(
    conn: AsyncConnection, review: Review, results: Sequence[Result]
) -> tuple[list[Taken], list[RefusedResult]]:
    """Decide on many households of one open review at once; each result is taken or refused by itself.

    The caller holds the review. Rows are locked in the order of their ids before sequences are taken.
    Results without a `village` name known households; one that is not in the commune is refused.
    """
    ordered = sorted(results, key=lambda each: each.household_id)
    states = await store.households.lock(conn, [each.household_id for each in ordered], review.area_type)
    judged: list[Judged] = []
    late: list[Judged] = []
    refused: list[RefusedResult] = []
    for result in ordered:
        try:
            each = judge(review, _known(review, states, result), result)
        except Refused as refusal:
            refused.append(RefusedResult(result, refusal))
        else:
            (late if each.outcome is None else judged).append(each)
    taken = await _announce(conn, review, judged)
    if taken:
        await store.decisions.write(conn, review, taken)
        await local_standards.follow(conn, review, taken)
        if any(each.is_new for each in taken):
            await reorganisations.follow_on(conn, None, [(review.commune, review.valid_from)])
    if late:
        await _decide_late(conn, review, late, taken, refused)
    return taken, refused


async def _decide_late(
    conn: AsyncConnection,
    review: Review,
    late: Sequence[Judged],
    taken: list[Taken],
    refused: list[RefusedResult],
) -> None:
    concerned = [each.result.household_id for each in late]
    book = await histories.hold(conn, concerned)
    for each in late:
        household = each.result.household_id
        try:
            _check_lived_there(review, book, household)
            async with conn.begin_nested():
                taken.append(await record_decision(conn, book, review, each))
        except Refused as refusal:
            refused.append(RefusedResult(each.result, refusal))
            # What came from it may be half taken.
            book = await histories.hold(conn, concerned)


def _check_lived_there(review: Review, book: Book, household_id: uuid.UUID) -> None:
    then = book.histories[household_id].at(review.valid_from) or book.states[household_id]
    if then.commune != review.commune:
        raise _elsewhere()


@dataclass(frozen=True, slots=True)
class Corrected:
    """The fact in whose place a decision stands, and that decision's own paper."""

    sequence: int
    own: Own


async def record_decision(
    conn: AsyncConnection, book: Book, review: Review, judged: Judged, corrects: Corrected | None = None
) -> Taken:
    """Take a decision into a household's history: a late one, or one that corrects another."""
    result, classification = judged.result, judged.classification
    decision_id = uuid.uuid4()
    paper = tell.paper_of(decision_id, review, classification, result.scores)
    if corrects is not None:
        own = corrects.own
        paper = replace(paper, decided_on=own.decided_on, decision_number=own.decision_number)
    decision = Taken(
        decision_id=decision_id,
        sequence=0,
        outcome=domain.Outcome(book.states[result.household_id], None, None, None, None),
        classification=classification,
        scores=result.scores,
        members=result.members,
        stage=review.stage,
        declared_class=result.declared_class,
        reviewer=result.reviewer,
        flags=result.flags,
        combination_key=result.combination_key,
        causes=result.causes,
        row=result.row,
        own=None if corrects is None else corrects.own,
    )
    taking = Taking(
        result.household_id,
        review.valid_from,
        replace(judged.decision, decided_on=paper.decided_on),
        None if corrects is None else corrects.sequence,
        paper,
    )
    sequence, outcome = await histories.record(conn, book, taking, Evidence(review, decision))
    return replace(decision, sequence=sequence, outcome=outcome)


def _elsewhere() -> Refused:
    return Refused(
        "household-in-another-commune",
        "Hộ này thuộc sổ của một xã khác.",
        "This household is in the register of another commune.",
        "household_id",
    )


def _known(review: Review, states: dict[uuid.UUID, HouseholdState], result: Result) -> HouseholdState | None:
    state = states.get(result.household_id)
    if state is None and result.village is None:
        raise Refused(
            "household-unknown",
            "Sổ không có hộ mang Mã hệ thống này.",
            "The register has no household with this identifier.",
            "household_id",
        )
    if state is not None:
        _check_assigned(review, state)
    if state is None or state.commune == review.commune or domain.comes_late(state, review.valid_from):
        return state
    raise _elsewhere()


def _check_assigned(review: Review, state: HouseholdState) -> None:
    """A household that waits is none of a review's yet; one of an earlier day is decided where it was then."""
    if awaits_choice(state.commune) and not domain.comes_late(state, review.valid_from):
        unit, of_review = (areas.find(code, review.valid_from) for code in (state.commune, review.commune))
        if unit is not None and of_review is not None and {*unit.predecessors} & {*of_review.predecessors}:
            check_assigned(state.commune)


async def _announce(conn: AsyncConnection, review: Review, judged: Sequence[Judged]) -> list[Taken]:
    ids = [uuid.uuid4() for _ in judged]
    outcomes = [each.outcome for each in judged if each.outcome is not None]
    events = [
        tell.classified(decision_id, review, outcome, each.classification, each.result.scores)
        for decision_id, each, outcome in zip(ids, judged, outcomes, strict=True)
    ]
    sequences = await outbox.publish(conn, events)
    return [
        Taken(
            decision_id=decision_id,
            sequence=sequence,
            outcome=outcome,
            classification=each.classification,
            scores=each.result.scores,
            members=each.result.members,
            stage=review.stage,
            declared_class=each.result.declared_class,
            reviewer=each.result.reviewer,
            flags=each.result.flags,
            combination_key=each.result.combination_key,
            causes=each.result.causes,
            row=each.result.row,
            is_new=each.is_new,
        )
        for decision_id, sequence, each, outcome in zip(ids, sequences, judged, outcomes, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Given:
    """A result as a person sends it."""

    household_id: uuid.UUID
    members: int
    b1_points: int | None
    b2_points: int | None
    deprivations: Sequence[str] | None
    reviewer: str | None
    declared_class: HouseholdClass | None
    form_id: uuid.UUID | None = None
    causes: Sequence[str] | None = None
    cause_text: str | None = None


async def found(conn: AsyncConnection, vault: Vault, review: Review, given: Given) -> Result:
    """A result as it is kept. Raises `FormNotFound`, and the domain's `Refused`."""
    said = causes_given(review.decided_on, given.causes, given.cause_text)
    if given.form_id is None:
        scores = domain.scores(review.standard, given.b1_points, given.b2_points, given.deprivations)
    else:
        form = await forms.scored(conn, vault, review, given.household_id, given.form_id)
        points = (given.b1_points, given.b2_points, given.deprivations)
        forms.check_form_alone(given.form_id, given.members, form, *points)
        scores = form.scores
        said = causes.beside_form(given.form_id, said, form.causes)
    return Result(
        household_id=given.household_id,
        members=given.members,
        scores=scores,
        declared_class=given.declared_class,
        reviewer=vault.seal(given.reviewer) if given.reviewer else None,
        flags=seal_flags(vault, scores.deprivations),
        combination_key=combination_key(vault, review.standard.code, scores.deprivations),
        causes=causes.kept(vault, said),
    )


async def decide(
    conn: AsyncConnection, principal: Principal, vault: Vault, review_id: uuid.UUID, given: Given
) -> Taken:
    """Record one household's result in an open review: the household is reclassified and everybody told.

    Raises `ReviewNotFound`, `OutsideArea`, `ReviewClosed`, `HouseholdNotFound`, `FormNotFound`, and the
    domain's `Refused`.
    """
    review = await hold_review(conn, principal, review_id)
    taken, refused = await decide_many(conn, review, [await found(conn, vault, review, given)])
    if refused:
        raise _refusal(refused[0].refused)
    [decision] = taken
    detail = {
        "review": str(review_id),
        "decision": str(decision.decision_id),
        "sequence": decision.sequence,
    }
    household = str(given.household_id)
    await audit.record(conn, principal, "household.classified", "household", household, detail)
    return decision


def _refusal(refused: Refused) -> Exception:
    """Where another commune's household lives is not for this one to learn."""
    if refused.rule in {"household-unknown", "household-in-another-commune"}:
        return HouseholdNotFound()
    return refused


async def hold_review(conn: AsyncConnection, principal: Principal, review_id: uuid.UUID) -> Review:
    """An open review of the principal's area, kept open until this transaction ends."""
    review = await store.reviews.hold(conn, review_id)
    if review is None:
        raise ReviewNotFound
    await check_scope(conn, principal, review)
    if not review.is_open:
        raise ReviewClosed
    check_without_steps(review)
    return review


def check_without_steps(review: Review) -> None:
    """Refuse to decide, correct or annul past the steps of a review that runs by them."""
    if review.by_cycle:
        raise Refused(
            "review-runs-by-steps",
            "Kỳ rà soát này ghi từng bước theo quy trình; kết quả chỉ được công nhận, điều chỉnh qua các bước"
            " đó.",
            "The steps of this review are recorded; results come from recognition and correction among them.",
            "review_id",
            "Quyết định 24/2021/QĐ-TTg, Điều 4",
        )


async def check_scope(conn: AsyncConnection, principal: Principal, review: Review) -> None:
    """Raise `OutsideArea` unless the review's commune, or all that it became, is the principal's."""
    eras = await store.geography.of_commune(conn, review.commune)
    if not eras.covers(principal.scope(), review.commune, review.valid_from):
        raise OutsideArea


def seal_flags(vault: Vault, deprivations: Sequence[str] | None) -> bytes | None:
    """The deprived indicators as they are kept: sealed, because they tell of health."""
    return None if deprivations is None else vault.seal(json.dumps(list(deprivations)))


def combination_key(vault: Vault, standard: str, deprivations: Sequence[str] | None) -> bytes | None:
    """The fingerprint of a combination of flags, which come in the standard's order."""
    return None if deprivations is None else vault.fingerprint(" ".join((standard, *deprivations)))
