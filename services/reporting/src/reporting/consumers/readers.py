"""What reporting reads of each event, in models of its own."""

from datetime import date
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, model_validator

from benvung.reorganised import AreaUnit

Class = Literal["POOR", "NEAR_POOR", "AVERAGE_LIVING", "NOT_POOR"]
Product = Literal["POOR", "NEAR_POOR", "NEWLY_ESCAPED"]
Status = Literal["ELIGIBLE", "NOT_ELIGIBLE"]


class Reader(BaseModel):
    """What we need of somebody else's event; anything else in it is no concern of ours."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Household(Reader):
    """The public state of a household after the change."""

    household_id: UUID
    revision: int
    commune: str
    village: str
    area_type: Literal["URBAN", "RURAL"]
    members: NonNegativeInt
    status: Literal["ACTIVE", "LEFT", "CLOSED"]
    poverty_class: Class | None
    standard: str | None
    class_since: date | None
    preliminary_class: Class | None


class After(Reader):
    """The household as one fact left it, where its state of today is another."""

    commune: str
    village: str
    members: NonNegativeInt
    poverty_class: Class | None
    standard: str | None


class Told(Reader):
    """The telling that this one replaces, and what the fact left behind if that is not the state of today."""

    replaces: int | None = None
    after: After | None = None


class Before(Told):
    """What the household was before: the class it gave up, and on which standard, with how many members."""

    previous_class: Class | None
    previous_standard: str | None
    previous_members: NonNegativeInt | None
    movement: str | None

    @model_validator(mode="after")
    def _previous_is_whole(self) -> Self:
        if self.previous_class is not None and None in (self.previous_standard, self.previous_members):
            raise ValueError("previous_class without previous_standard and previous_members")
        return self


class Decision(Before):
    """One decision about a household, as the forms of the circular count it."""

    year: int = Field(ge=1990, le=2100)
    kind: Literal["ANNUAL", "REGULAR"]
    stage: Literal["PRELIMINARY", "OFFICIAL"]
    decided_class: Class = Field(validation_alias="class")
    standard: str
    decided_on: date
    valid_from: date
    decision_number: str | None


class Change(Before):
    """A household that left, arrived, ended or changed its size: what its list loses or gains."""

    on: date
    reason: str
    other_commune: str | None


class Classified(Household):
    """households.household.classified"""

    decision: Decision


class Changed(Household):
    """households.household.left, .arrived, .closed and .resized"""

    change: Change


class Annulment(Reader):
    """Which telling counts no more."""

    replaces: int
    on: date


class Annulled(Household):
    """households.household.annulled"""

    annulment: Annulment


class Population(Reader):
    """households.area.population_recorded"""

    area: str
    households: NonNegativeInt
    persons: NonNegativeInt
    as_of: date
    source: str


class HouseholdTotal(Reader):
    """households.area.total_recorded"""

    area: str
    least: NonNegativeInt
    most: NonNegativeInt
    as_of: date
    source: str


class AreaPart(Reader):
    """What became of one commune."""

    predecessor: str
    successors: list[str]
    waiting: str | None


class Reorganised(Reader):
    """households.area.reorganised"""

    on: date
    parts: list[AreaPart]
    units: list[AreaUnit]


class Typed(Reader):
    """households.area.typed"""

    area: str
    area_type: Literal["URBAN", "RURAL"]
    valid_from: date
    valid_to: date | None


class Answer(Reader):
    """Whether a household may borrow under a product, and from when to when (`valid_to` exclusive)."""

    status: Status
    commune: str
    valid_from: date
    valid_to: date | None


class Eligibility(Answer):
    """funding.eligibility.changed: the answer now, and the one it replaces."""

    household_id: UUID
    revision: int
    product: Product
    reason: str
    article: str
    previous: Answer | None


class Allocated(Reader):
    """funding.budget.allocated: one line of an allocation, in whole đồng."""

    allocation_id: UUID
    area: str
    year: int
    origin_year: int
    programme: str
    project: str
    capital_type: str
    source: str
    amount_dong: int
    decision_number: str
    decided_on: date


class ClassHeld(Reader):
    """training.class.completed"""

    class_id: UUID
    area: str
    project: str
    form: str
    held_on: date
    ended_on: date
    participants: NonNegativeInt
    count_qualifier: Literal["EXACT", "GREATER", "ABOUT", "AT_LEAST", "AT_MOST"]
    topics: list[str]
    organiser_level: str
