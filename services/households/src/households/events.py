"""What the register tells the world. Nothing personal is in here.

Every household event carries the household's whole public state after the change, so that a reader who
holds only the newest one is right. What changed stands beside it: the decision, or the change of place.
"""

import datetime as dt
import uuid
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from benvung import envelope
from benvung.envelope import LATER, EventData

PovertyClass = Literal["POOR", "NEAR_POOR", "AVERAGE_LIVING", "NOT_POOR"]
AreaType = Literal["URBAN", "RURAL"]
Kind = Literal["ANNUAL", "REGULAR"]
Stage = Literal["PRELIMINARY", "OFFICIAL"]
Level = Literal["PROVINCE", "DISTRICT", "COMMUNE"]
Members = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
Year = Annotated[int, Field(ge=2015, le=2100)]


class Part(BaseModel):
    """A part of an event's data."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, serialize_by_alias=True)


class HouseholdState(EventData):
    """A household's public state after the change. `revision` counts the household's events."""

    province: str
    commune: str
    household_id: uuid.UUID
    village: str
    area_type: AreaType
    members: Members
    status: Literal["ACTIVE", "LEFT", "CLOSED"]
    poverty_class: PovertyClass | None
    standard: str | None
    class_since: dt.date | None
    left_list_on: dt.date | None
    left_list_from: Literal["POOR", "NEAR_POOR"] | None
    preliminary_class: PovertyClass | None

    @property
    def subject_id(self) -> str:
        return str(self.household_id)


class After(Part):
    """A household as one fact left it, where later facts are known already."""

    province: str
    commune: str
    village: str
    area_type: AreaType
    members: Members
    status: Literal["ACTIVE", "LEFT", "CLOSED"]
    poverty_class: PovertyClass | None
    standard: str | None
    class_since: dt.date | None
    left_list_on: dt.date | None
    left_list_from: Literal["POOR", "NEAR_POOR"] | None
    preliminary_class: PovertyClass | None


class Told(Part):
    """Which earlier telling a fact replaces, and what the household was after it.

    A fact is told late when it was recorded late, and again when an earlier day turned out otherwise. Of the
    facts of one day those told last hold last.
    """

    replaces: Annotated[int | None, LATER] = Field(
        description="sequence of the event that counts no more because this one stands in its place",
    )
    after: Annotated[After | None, LATER] = Field(
        description="the household as this fact left it; null = as the state beside it says."
        " If it is there, the state beside it is that of today, after later facts",
    )


class Before(Told):
    """What a household was before. A class never stands without its standard and the household's size."""

    previous_class: PovertyClass | None = Field(
        description="never without previous_standard and previous_members"
    )
    previous_standard: str | None
    previous_members: Members | None

    @model_validator(mode="after")
    def _previous_is_whole(self) -> Self:
        if self.previous_class is not None and None in (self.previous_standard, self.previous_members):
            raise ValueError("previous_class without previous_standard and previous_members")
        return self


class Decision(Before):
    """One decision on a household: what was decided, by what, and what it was before."""

    decision_id: uuid.UUID
    review_id: uuid.UUID | None
    year: Year
    kind: Kind
    stage: Stage
    decided_class: PovertyClass = Field(alias="class")
    movement: str | None
    decided_on: dt.date
    valid_from: dt.date
    decision_number: str | None
    standard: str
    basis: Literal["TOTALS_GIVEN", "FLAGS"]
    rule_version: str


class Change(Before):
    """A change of place or of size, or the end of a household."""

    on: dt.date
    previous_members: Members
    movement: str | None
    reason: str
    other_commune: str | None


class HouseholdRegistered(HouseholdState):
    """A household entered the register without a decision on its class.

    One that a review meets first is told of by that review's `classified` alone, with revision 1.
    """

    event_type: ClassVar[str] = "households.household.registered.v1"


class HouseholdClassified(HouseholdState):
    """A decision was taken on a household, whether or not its class changed."""

    event_type: ClassVar[str] = "households.household.classified.v1"
    decision: Decision


class HouseholdLeft(HouseholdState):
    """A household left the place named here: to another commune of the register, or out of it."""

    event_type: ClassVar[str] = "households.household.left.v1"
    change: Change


class HouseholdArrived(HouseholdState):
    """A household arrived in the place named here: by a move, from outside, back, or out of another one."""

    event_type: ClassVar[str] = "households.household.arrived.v1"
    change: Change


class HouseholdClosed(HouseholdState):
    """A household ended: death, dissolution, departure, or it became part of another."""

    event_type: ClassVar[str] = "households.household.closed.v1"
    change: Change


class HouseholdResized(HouseholdState):
    """A household has another number of members without a decision: a split, a merger, a birth or a death."""

    event_type: ClassVar[str] = "households.household.resized.v1"
    change: Change


class Annulment(Part):
    """A fact that was wrong as a whole: nothing stands in its place."""

    replaces: int = Field(description="sequence of the event that counts no more")
    on: dt.date


class HouseholdAnnulled(HouseholdState):
    """A fact told of a household counts no more; the state here is the one without it."""

    event_type: ClassVar[str] = "households.household.annulled.v1"
    annulment: Annulment


class Review(EventData):
    """A review of one commune. `revision` is 1 when opened, 2 when closed."""

    province: str
    commune: str
    review_id: uuid.UUID
    year: Year
    kind: Kind
    stage: Stage
    standard: str

    @property
    def subject_id(self) -> str:
        return str(self.review_id)


class ReviewOpened(Review):
    """A commune opened a review."""

    event_type: ClassVar[str] = "households.review.opened.v1"
    opened_on: dt.date


class ClassTotal(Part):
    """Households and persons of one class."""

    households: Count
    persons: Count


class ReviewClosed(Review):
    """A commune closed a review; the last result of each household, counted by class."""

    event_type: ClassVar[str] = "households.review.closed.v1"
    closed_on: dt.date
    totals: dict[str, ClassTotal]


class DeadlineMissed(EventData):
    """A time limit of a review passed in a village without what was due. Each is told once."""

    event_type: ClassVar[str] = "households.review.deadline_missed.v1"

    province: str
    commune: str
    village: str
    deadline_id: uuid.UUID
    review_id: uuid.UUID
    year: Year
    kind: Literal["ANNUAL", "REGULAR", "AVERAGE_LIVING", "LOW_INCOME_WORKER"]
    deadline: str = Field(description="which time limit", examples=["TAKE_DOWN"])
    responsible: str = Field(
        description="in which capacity somebody owed it", examples=["STEERING_COMMITTEE"]
    )
    due_on: dt.date
    legal: str

    @property
    def subject_id(self) -> str:
        return str(self.deadline_id)


class RecognitionDecided(EventData):
    """A result by income: of a household, or of a worker in it, who is not named. It is no class of poverty."""

    event_type: ClassVar[str] = "households.recognition.decided.v1"

    province: str
    commune: str
    village: str
    recognition_id: uuid.UUID
    review_id: uuid.UUID
    household_id: uuid.UUID
    kind: Literal["AVERAGE_LIVING", "LOW_INCOME_WORKER"]
    recognised: bool = Field(description="false: answered in writing that it does not qualify")
    decided_on: dt.date
    decision_number: str = Field(examples=["31/QĐ-UBND"])
    legal: str
    corrects: uuid.UUID | None = Field(description="the recognition in whose place this one stands")

    @property
    def subject_id(self) -> str:
        return str(self.recognition_id)


class PopulationRecorded(EventData):
    """The recorded population of an area of any level, on a day: the denominator of every rate."""

    event_type: ClassVar[str] = "households.area.population_recorded.v1"

    population_id: uuid.UUID
    area: str
    level: Level
    households: Count
    persons: Count
    as_of: dt.date
    source: str

    @property
    def subject_id(self) -> str:
        return str(self.population_id)


class TotalRecorded(EventData):
    """How many households an area of any level has on a day, where persons are not known or the number is a range.

    `least` = `most` is a number known exactly. It stands beside `population_recorded`: of both, what is as of the
    newest day holds, and of one day what was told last.
    """

    event_type: ClassVar[str] = "households.area.total_recorded.v1"

    total_id: uuid.UUID
    area: str
    level: Level
    least: Count
    most: Count
    as_of: dt.date
    source: str

    @property
    def subject_id(self) -> str:
        return str(self.total_id)

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.most < self.least:
            raise ValueError("most is below least")
        return self


class AreaPart(Part):
    """What becomes of one commune on the day of a reorganisation."""

    predecessor: str = Field(description="code of the commune until the day before")
    kind: Literal["MERGED", "DIVIDED", "RENAMED", "MOVED_TO_PROVINCE", "KEPT"]
    successors: tuple[str, ...]
    waiting: str | None = Field(
        description="of a divided commune: the code under which households are counted that nobody has"
        " assigned to a successor yet"
    )


class AreaUnit(Part):
    """An administrative unit as it is known now. A unit is its code and its first day together."""

    code: str
    unit_name: str
    level: Level
    parent: str | None
    area_type: AreaType | None
    valid_from: dt.date | None = Field(description="null = not recorded")
    valid_to: dt.date | None = Field(description="the first day on which it is no more; null = open")
    predecessors: tuple[str, ...]


class AreaReorganised(EventData):
    """Communes became others on a day. Each household's own `left` and `arrived` follow, as of that day.

    `units` are all units that are not as the published list has them: those that begin, and those that end.
    """

    event_type: ClassVar[str] = "households.area.reorganised.v1"

    reorganisation_id: uuid.UUID
    on: dt.date
    document_number: str
    document_date: dt.date
    parts: tuple[AreaPart, ...]
    units: tuple[AreaUnit, ...]

    @property
    def subject_id(self) -> str:
        return str(self.reorganisation_id)


class AreaTyped(EventData):
    """A document states a commune's type (thành thị, nông thôn) from a day on."""

    event_type: ClassVar[str] = "households.area.typed.v1"

    area_type_id: uuid.UUID
    area: str
    area_type: AreaType
    valid_from: dt.date
    valid_to: dt.date | None = Field(description="the first day on which it is so no more; null = open")
    document_number: str
    document_date: dt.date

    @property
    def subject_id(self) -> str:
        return str(self.area_type_id)


class EventsWithdrawn(envelope.EventsWithdrawn):
    """Events told by a database that was then restored to a moment before them: they no longer hold."""

    event_type: ClassVar[str] = "households.events.withdrawn.v1"
