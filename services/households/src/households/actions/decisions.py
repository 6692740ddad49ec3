"""Deciding on households: one at a time by a person, or a chunk of a file's rows, by the same code."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import audit, outbox
from benvung.auth import Principal
from benvung.vault import Vault
from households import domain, store
from households.actions import tell
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
from households.store.decisions import RowRef, Taken
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
    row: RowRef | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A result with the class it means and the household's state after it; nothing is written yet."""

    result: Result
    is_new: bool
    outcome: Outcome
    classification: Classification


@dataclass(frozen=True, slots=True)
class RefusedResult:
    """A result that cannot be decided, and the rule that says so."""

    result: Result
    refused: Refused


def judge(review: Review, state: HouseholdState | None, result: Result) -> Judged:
    """The decision that a result means, by the review's standard. Raises the domain's `Refused`.

    Without `state` the household is new and is entered in the village that the result names; a known one
    lives from now on in the village that a file names.
    """
    classification = domain.classify(
        review.standard, review.area_type, result.scores.b1_points, result.scores.b2_points
    )
    is_new = state is None
    if state is None:
        place = Place(review.province, review.commune, result.village or "", review.area_type)
        state = domain.first_met(result.household_id, place, result.members)
    elif result.village not in {None, state.village}:
        state = replace(state, village=result.village)
    decision = Decision(
        year=review.year,
        kind=review.kind,
        stage=review.stage,
        household_class=classification.household_class,
        members=result.members,
        standard=review.standard,
        decided_on=review.decided_on,
        valid_from=review.valid_from,
    )
    return Judged(result, is_new, domain.decide(state, decision), classification)


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
    refused: list[RefusedResult] = []
    for result in ordered:
        try:
            judged.append(judge(review, _known(review, states, result), result))
        except Refused as refusal:
            refused.append(RefusedResult(result, refusal))
    taken = await _announce(conn, review, judged)
    if taken:
        await store.decisions.write(conn, review, taken)
    return taken, refused


def _known(review: Review, states: dict[uuid.UUID, HouseholdState], result: Result) -> HouseholdState | None:
    state = states.get(result.household_id)
    if state is None and result.village is None:
        raise Refused(
            "household-unknown",
            "Sổ không có hộ mang Mã hệ thống này.",
            "The register has no household with this identifier.",
            "household_id",
        )
    if state is not None and state.commune != review.commune:
        raise Refused(
            "household-in-another-commune",
            "Hộ này thuộc sổ của một xã khác.",
            "This household is in the register of another commune.",
            "household_id",
        )
    return state


async def _announce(conn: AsyncConnection, review: Review, judged: Sequence[Judged]) -> list[Taken]:
    ids = [uuid.uuid4() for _ in judged]
    events = [
        tell.classified(decision_id, review, each.outcome, each.classification, each.result.scores)
        for decision_id, each in zip(ids, judged, strict=True)
    ]
    sequences = await outbox.publish(conn, events)
    return [
        Taken(
            decision_id=decision_id,
            sequence=sequence,
            outcome=each.outcome,
            classification=each.classification,
            scores=each.result.scores,
            members=each.result.members,
            stage=review.stage,
            declared_class=each.result.declared_class,
            reviewer=each.result.reviewer,
            flags=each.result.flags,
            combination_key=each.result.combination_key,
            row=each.result.row,
            is_new=each.is_new,
        )
        for decision_id, sequence, each in zip(ids, sequences, judged, strict=True)
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


async def decide(
    conn: AsyncConnection, principal: Principal, vault: Vault, review_id: uuid.UUID, given: Given
) -> Taken:
    """Record one household's result in an open review: the household is reclassified and everybody told.

    Raises `ReviewNotFound`, `OutsideArea`, `ReviewClosed`, `HouseholdNotFound`, and the domain's `Refused`.
    """
    review = await hold_review(conn, principal, review_id)
    scores = domain.scores(review.standard, given.b1_points, given.b2_points, given.deprivations)
    result = Result(
        household_id=given.household_id,
        members=given.members,
        scores=scores,
        declared_class=given.declared_class,
        reviewer=vault.seal(given.reviewer) if given.reviewer else None,
        flags=seal_flags(vault, scores.deprivations),
        combination_key=combination_key(vault, review.standard.code, scores.deprivations),
    )
    taken, refused = await decide_many(conn, review, [result])
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
    principal.scope().check(review.commune)
    if not review.is_open:
        raise ReviewClosed
    return review


def seal_flags(vault: Vault, deprivations: Sequence[str] | None) -> bytes | None:
    """The deprived indicators as they are kept: sealed, because they tell of health."""
    return None if deprivations is None else vault.seal(json.dumps(list(deprivations)))


def combination_key(vault: Vault, standard: str, deprivations: Sequence[str] | None) -> bytes | None:
    """The fingerprint of a combination of flags, which come in the standard's order."""
    return None if deprivations is None else vault.fingerprint(" ".join((standard, *deprivations)))
