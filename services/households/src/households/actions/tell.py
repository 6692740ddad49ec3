"""From the domain's outcomes to the events that tell them."""

import uuid
from typing import Any

from households.domain import Classification, HouseholdState, Outcome, Scores
from households.events import (
    Change,
    Decision,
    HouseholdArrived,
    HouseholdClassified,
    HouseholdClosed,
    HouseholdLeft,
    HouseholdRegistered,
)
from households.store.reviews import Review


def _public(state: HouseholdState) -> dict[str, Any]:
    return {
        "province": state.province,
        "commune": state.commune,
        "revision": state.revision,
        "household_id": state.household_id,
        "village": state.village,
        "area_type": state.area_type.value,
        "members": state.members,
        "status": state.status.value,
        "poverty_class": state.poverty_class,
        "standard": state.standard,
        "class_since": state.class_since,
        "left_list_on": state.left_list_on,
        "left_list_from": state.left_list_from,
        "preliminary_class": state.preliminary_class,
    }


def registered(state: HouseholdState) -> HouseholdRegistered:
    """A household entered the register."""
    return HouseholdRegistered(**_public(state))


def classified(
    decision_id: uuid.UUID,
    review: Review,
    outcome: Outcome,
    classification: Classification,
    scores: Scores,
) -> HouseholdClassified:
    """A decision of a review, with what it was before."""
    decision = Decision(
        decision_id=decision_id,
        review_id=review.id,
        year=review.year,
        kind=review.kind.value,
        stage=review.stage.value,
        decided_class=classification.household_class.value,
        previous_class=outcome.previous_class and outcome.previous_class.value,
        previous_standard=outcome.previous_standard,
        previous_members=outcome.previous_members,
        movement=outcome.movement,
        decided_on=review.decided_on,
        valid_from=review.valid_from,
        decision_number=review.decision_number,
        standard=review.standard.code,
        basis=scores.basis.value,
        rule_version=classification.rule_version,
    )
    return HouseholdClassified(**_public(outcome.state), decision=decision)


def _change(outcome: Outcome, reason: str, other_commune: str | None) -> Change:
    state = outcome.state
    if state.last_fact_on is None:
        raise ValueError("a change has a day")
    return Change(
        on=state.last_fact_on,
        previous_class=outcome.previous_class and outcome.previous_class.value,
        previous_standard=outcome.previous_standard,
        previous_members=outcome.previous_members or state.members,
        movement=outcome.movement,
        reason=reason,
        other_commune=other_commune,
    )


def left(outcome: Outcome, reason: str, other_commune: str | None) -> HouseholdLeft:
    """A household left its place."""
    return HouseholdLeft(**_public(outcome.state), change=_change(outcome, reason, other_commune))


def arrived(outcome: Outcome, reason: str, other_commune: str | None) -> HouseholdArrived:
    """A household arrived in its new place."""
    return HouseholdArrived(**_public(outcome.state), change=_change(outcome, reason, other_commune))


def closed(outcome: Outcome, reason: str) -> HouseholdClosed:
    """A household ended."""
    return HouseholdClosed(**_public(outcome.state), change=_change(outcome, reason, None))
