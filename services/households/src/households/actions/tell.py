"""From the domain's outcomes to the events that tell them."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from households.domain import Classification, HouseholdState, Outcome, Scores
from households.events import (
    After,
    Annulment,
    Change,
    Decision,
    HouseholdAnnulled,
    HouseholdArrived,
    HouseholdClassified,
    HouseholdClosed,
    HouseholdLeft,
    HouseholdRegistered,
    HouseholdResized,
)
from households.events import HouseholdState as PublicState
from households.store.decisions import Paper
from households.store.reviews import Review


@dataclass(frozen=True, slots=True)
class Telling:
    """How a fact is told: what it left behind, the state of today beside it, and what it replaces.

    Told in time, a fact left behind the state of today.
    """

    outcome: Outcome
    today: HouseholdState | None = None
    replaces: int | None = None

    @property
    def state(self) -> HouseholdState:
        """The whole state that the event carries."""
        return self.today or self.outcome.state

    @property
    def after(self) -> After | None:
        """What the fact left behind, where that is not the state of today."""
        if self.today is None:
            return None
        state = _public(self.outcome.state)
        return After(**{name: state[name] for name in After.model_fields})


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
    return decided(Telling(outcome), paper_of(decision_id, review, classification, scores))


def paper_of(decision_id: uuid.UUID, review: Review, classification: Classification, scores: Scores) -> Paper:
    """What an event says of a decision beside its outcome."""
    return Paper(
        decision_id=decision_id,
        review_id=review.id,
        year=review.year,
        kind=review.kind.value,
        stage=review.stage.value,
        decided_class=classification.household_class.value,
        decided_on=review.decided_on,
        valid_from=review.valid_from,
        decision_number=review.decision_number,
        standard=review.standard.code,
        basis=scores.basis.value,
        rule_version=classification.rule_version,
    )


# Readers of version 1 know what the points of form B2 rest on; that B1 was scored by items too is not theirs.
_PUBLIC_BASIS: Mapping[str, Literal["TOTALS_GIVEN", "FLAGS"]] = {
    "TOTALS_GIVEN": "TOTALS_GIVEN",
    "FLAGS": "FLAGS",
    "ITEMS": "FLAGS",
}


def decided(telling: Telling, paper: Paper) -> HouseholdClassified:
    """A decision, told in time, late or again."""
    outcome = telling.outcome
    decision = Decision(
        decision_id=paper.decision_id,
        review_id=paper.review_id,
        year=paper.year,
        kind=paper.kind,
        stage=paper.stage,
        decided_class=paper.decided_class,
        previous_class=outcome.previous_class and outcome.previous_class.value,
        previous_standard=outcome.previous_standard,
        previous_members=outcome.previous_members,
        movement=outcome.movement,
        decided_on=paper.decided_on,
        valid_from=paper.valid_from,
        decision_number=paper.decision_number,
        standard=paper.standard,
        basis=_PUBLIC_BASIS[paper.basis],
        rule_version=paper.rule_version,
        replaces=telling.replaces,
        after=telling.after,
    )
    return HouseholdClassified(**_public(telling.state), decision=decision)


_CHANGES: dict[str, type[HouseholdLeft | HouseholdArrived | HouseholdClosed | HouseholdResized]] = {
    "LEFT": HouseholdLeft,
    "ARRIVED": HouseholdArrived,
    "CLOSED": HouseholdClosed,
    "RESIZED": HouseholdResized,
}


def changed(kind: str, telling: Telling, reason: str, other_commune: str | None = None) -> PublicState:
    """A change of place, size or existence, told in time, late or again."""
    outcome = telling.outcome
    state = outcome.state
    if state.last_fact_on is None:
        raise ValueError("a change has a day")
    change = Change(
        on=state.last_fact_on,
        previous_class=outcome.previous_class and outcome.previous_class.value,
        previous_standard=outcome.previous_standard,
        previous_members=outcome.previous_members or state.members,
        movement=outcome.movement,
        reason=reason,
        other_commune=other_commune,
        replaces=telling.replaces,
        after=telling.after,
    )
    return _CHANGES[kind](**_public(telling.state), change=change)


def left(outcome: Outcome, reason: str, other_commune: str | None) -> PublicState:
    """A household left its place."""
    return changed("LEFT", Telling(outcome), reason, other_commune)


def arrived(outcome: Outcome, reason: str, other_commune: str | None) -> PublicState:
    """A household arrived in its new place."""
    return changed("ARRIVED", Telling(outcome), reason, other_commune)


def closed(outcome: Outcome, reason: str) -> PublicState:
    """A household ended."""
    return changed("CLOSED", Telling(outcome), reason)


def annulled(today: HouseholdState, annulment: Annulment) -> HouseholdAnnulled:
    """A fact counts no more and nothing stands in its place."""
    return HouseholdAnnulled(**_public(today), annulment=annulment)
