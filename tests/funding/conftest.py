"""An invented register of households, whose events the funding service follows."""

import datetime as dt
import itertools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pytest

from households.events import (
    Change,
    Decision,
    HouseholdArrived,
    HouseholdClassified,
    HouseholdClosed,
    HouseholdLeft,
    HouseholdRegistered,
    HouseholdState,
)

PovertyClass = Literal["POOR", "NEAR_POOR", "AVERAGE_LIVING", "NOT_POOR"]
Event = tuple[int, HouseholdState]
LISTS = {"POOR", "NEAR_POOR"}


@dataclass(frozen=True)
class Household:
    """What the register holds of one household."""

    id: uuid.UUID
    commune: str
    members: int = 4
    status: Literal["ACTIVE", "LEFT", "CLOSED"] = "ACTIVE"
    poverty_class: PovertyClass | None = None
    class_since: dt.date | None = None
    left_list_on: dt.date | None = None
    revision: int = 0


@dataclass
class Register:
    """Works out each household's state the way the real register promises to, and numbers the events."""

    households: dict[uuid.UUID, Household] = field(default_factory=dict)
    sequences: Any = field(default_factory=lambda: itertools.count(1))

    def register(self, commune: str = "23827", members: int = 4) -> tuple[uuid.UUID, Event]:
        household = Household(uuid.uuid4(), commune, members)
        return household.id, self._event(HouseholdRegistered, household)

    def classify(
        self,
        household_id: uuid.UUID,
        poverty_class: PovertyClass,
        valid_from: dt.date,
        stage: Literal["OFFICIAL", "PRELIMINARY"] = "OFFICIAL",
    ) -> Event:
        before = self.households[household_id]
        after = before
        if stage == "OFFICIAL":
            after = replace(
                before,
                poverty_class=poverty_class,
                class_since=before.class_since if before.poverty_class == poverty_class else valid_from,
                left_list_on=_left(before, poverty_class, valid_from),
            )
        return self._event(
            HouseholdClassified, after, decision=_decision(before, poverty_class, valid_from, stage)
        )

    def move(self, household_id: uuid.UUID, commune: str, on: dt.date) -> list[Event]:
        before = self.households[household_id]
        left = self._event(HouseholdLeft, before, change=_change(before, on, "MOVED", commune))
        arrived = replace(self.households[household_id], commune=commune)
        return [
            left,
            self._event(HouseholdArrived, arrived, change=_change(before, on, "MOVED", before.commune)),
        ]

    def leave(self, household_id: uuid.UUID, on: dt.date) -> Event:
        before = self.households[household_id]
        gone = replace(before, status="LEFT", poverty_class=None, class_since=on)
        return self._event(HouseholdLeft, gone, change=_change(before, on, "MOVED_OUT", None))

    def close(self, household_id: uuid.UUID, on: dt.date) -> Event:
        before = self.households[household_id]
        gone = replace(before, status="CLOSED", poverty_class=None, class_since=on)
        return self._event(HouseholdClosed, gone, change=_change(before, on, "DISSOLVED", None))

    def _event(self, kind: Any, household: Household, **more: Any) -> Event:
        numbered = replace(household, revision=household.revision + 1)
        self.households[household.id] = numbered
        event: HouseholdState = kind(
            province="64",
            commune=numbered.commune,
            revision=numbered.revision,
            household_id=numbered.id,
            village=f"{numbered.commune}.01",
            area_type="RURAL",
            members=numbered.members,
            status=numbered.status,
            poverty_class=numbered.poverty_class,
            standard="STD_2022_2025" if numbered.poverty_class else None,
            class_since=numbered.class_since,
            left_list_on=numbered.left_list_on,
            left_list_from=None,
            preliminary_class=None,
            **more,
        )
        return next(self.sequences), event


def _left(before: Household, poverty_class: PovertyClass, on: dt.date) -> dt.date | None:
    if poverty_class in LISTS:
        return None
    return on if before.poverty_class in LISTS else before.left_list_on


def _decision(before: Household, poverty_class: PovertyClass, valid_from: dt.date, stage: Any) -> Decision:
    return Decision(
        decision_id=uuid.uuid4(),
        review_id=None,
        year=valid_from.year,
        kind="ANNUAL",
        stage=stage,
        decided_class=poverty_class,
        previous_class=before.poverty_class,
        previous_standard="STD_2022_2025" if before.poverty_class else None,
        previous_members=before.members,
        movement=None,
        decided_on=valid_from,
        valid_from=valid_from,
        decision_number=None,
        standard="STD_2022_2025",
        basis="TOTALS_GIVEN",
        rule_version="1",
        replaces=None,
        after=None,
    )


def _change(before: Household, on: dt.date, reason: str, other: str | None) -> Change:
    return Change(
        on=on,
        previous_class=before.poverty_class,
        previous_standard="STD_2022_2025" if before.poverty_class else None,
        previous_members=before.members,
        movement=None,
        reason=reason,
        other_commune=other,
        replaces=None,
        after=None,
    )


@pytest.fixture
def register() -> Register:
    """An empty register."""
    return Register()


@pytest.fixture
def new_register() -> type[Register]:
    """Makes registers, for tests that need many."""
    return Register


Events = Sequence[Event]
