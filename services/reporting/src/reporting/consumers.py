"""Messages in: what reporting reads from each stream, in models of its own, and where it goes."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal, NamedTuple, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, model_validator
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.areas import AreaType, TypeOfArea
from benvung.outbox import Announcement
from benvung.projector import Projector, Received
from reporting import store, tables

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


class AreaPart(Reader):
    """What became of one commune."""

    predecessor: str
    successors: list[str]
    waiting: str | None


class AreaUnit(Reader):
    """An administrative unit as it is known since."""

    code: str
    name: str
    level: Literal["PROVINCE", "DISTRICT", "COMMUNE"]
    parent: str | None
    area_type: Literal["URBAN", "RURAL"] | None
    valid_from: date | None
    valid_to: date | None
    predecessors: list[str]


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


KINDS = {
    "classified": "CLASSIFIED",
    "left": "LEFT",
    "arrived": "ARRIVED",
    "closed": "CLOSED",
    "resized": "RESIZED",
    "annulled": "ANNULLED",
}


def _kind(event: Received) -> str:
    return event.type.split(".")[2]


def _rows(events: Sequence[Received], reader: type[BaseModel]) -> list[dict[str, Any]]:
    return [
        {"sequence": event.sequence, **event.data.model_dump(mode="json")}
        for event in events
        if isinstance(event.data, reader)
    ]


def _told(household: Household) -> Told:
    if isinstance(household, Classified):
        return household.decision
    return household.change if isinstance(household, Changed) else Told()


def _state(event: Received) -> dict[str, Any]:
    kind, household = _kind(event), event.data
    # A departure told late or again comes with the state of today, in which it may be long over.
    between = kind in {"left", "closed"} and _told(household).after is None
    return {
        "sequence": event.sequence,
        "present": household.status == "ACTIVE" and not between,
        "household_id": household.household_id,
        "revision": household.revision,
        "commune": household.commune,
        "village": household.village,
        "area_type": household.area_type,
        "members": household.members,
        "status": household.status,
        "poverty_class": household.poverty_class,
        "standard": household.standard,
        "class_since": household.class_since,
        "preliminary_class": household.preliminary_class,
    }


def _fact(event: Received) -> dict[str, Any]:
    household = event.data
    told = _told(household)
    then = told.after or household
    row = {
        "sequence": event.sequence,
        "kind": KINDS[_kind(event)],
        "household_id": household.household_id,
        "commune": then.commune,
        "village": then.village,
        "members": then.members,
        "replaces": told.replaces,
    }
    if isinstance(household, Classified):
        decision = household.decision
        return row | {
            "stage": decision.stage,
            "review_kind": decision.kind,
            "decided_class": decision.decided_class,
            "standard": decision.standard,
            "previous_class": decision.previous_class,
            "previous_standard": decision.previous_standard,
            "previous_members": decision.previous_members,
            "movement": decision.movement,
            "valid_from": decision.valid_from,
            "decided_on": decision.decided_on,
            "decision_number": decision.decision_number,
            "year": decision.year,
        }
    if isinstance(household, Annulled):
        annulment = household.annulment
        return row | {
            "stage": "OFFICIAL",
            "valid_from": annulment.on,
            "decided_on": annulment.on,
            "year": annulment.on.year,
            "replaces": annulment.replaces,
        }
    change = household.change
    gone = row["kind"] in {"LEFT", "CLOSED"}
    # What a mover had before is taken off the list by its `left`, never by its `arrived`.
    came = row["kind"] == "ARRIVED"
    return row | {
        "stage": "OFFICIAL",
        "review_kind": None,
        "decided_class": None if gone else then.poverty_class,
        "standard": None if gone else then.standard,
        "previous_class": None if came else change.previous_class,
        "previous_standard": None if came else change.previous_standard,
        "previous_members": change.previous_members,
        "movement": change.movement,
        "valid_from": change.on,
        "decided_on": change.on,
        "decision_number": None,
        "year": change.on.year,
        "origin": change.other_commune if came and change.reason == "REORGANISED" else None,
    }


class Prepared(NamedTuple):
    """What an event of a household adds to our tables."""

    state: dict[str, Any]
    fact: dict[str, Any] | None


def _prepare(event: Received) -> Any:
    data = event.data
    if not isinstance(data, Household):
        return data
    return Prepared(
        _state(event), _fact(event) if isinstance(data, (Classified, Changed, Annulled)) else None
    )


async def project_households(conn: AsyncConnection, events: Sequence[Received]) -> list[Announcement]:
    """Facts, states and counts of households, and the recorded populations. Announces nothing."""
    told: list[Prepared] = [event.data for event in events if isinstance(event.data, Prepared)]
    await store.add_facts(conn, [each.fact for each in told if each.fact is not None])
    await store.move_states(conn, [each.state for each in told])
    await store.add_populations(conn, _rows(events, Population))
    for event in events:
        await _learn(conn, event)
    return []


async def _learn(conn: AsyncConnection, event: Received) -> None:
    data = event.data
    if isinstance(data, Reorganised):
        parts = [
            {"sequence": event.sequence, "holds_from": data.on, **part.model_dump()} for part in data.parts
        ]
        units = [unit.model_dump(mode="json") for unit in data.units]
        await store.add_reorganisation(conn, event.sequence, parts, units)
    elif isinstance(data, Typed):
        stated = TypeOfArea(data.area, AreaType(data.area_type), data.valid_from, data.valid_to)
        await store.add_area_type(conn, event.sequence, stated)


async def project_funding(conn: AsyncConnection, events: Sequence[Received]) -> list[Announcement]:
    """Facts, states and counts of eligibility, and the budget lines. Announces nothing."""
    await store.add_eligibility(conn, _rows(events, Eligibility))
    await store.add_budget_lines(conn, _rows(events, Allocated))
    return []


async def project_training(conn: AsyncConnection, events: Sequence[Received]) -> list[Announcement]:
    """The classes held. Announces nothing."""
    await store.add_classes(conn, _rows(events, ClassHeld))
    return []


PROJECTORS = [
    Projector(
        name="reporting",
        stream="HOUSEHOLDS",
        readers={
            "households.household.registered.v1": Household,
            "households.household.classified.v1": Classified,
            "households.household.left.v1": Changed,
            "households.household.arrived.v1": Changed,
            "households.household.closed.v1": Changed,
            "households.household.resized.v1": Changed,
            "households.household.annulled.v1": Annulled,
            "households.area.population_recorded.v1": Population,
            "households.area.reorganised.v1": Reorganised,
            "households.area.typed.v1": Typed,
        },
        prepare=_prepare,
        handle=project_households,
        tables=tables.FROM_HOUSEHOLDS,
    ),
    Projector(
        name="reporting",
        stream="FUNDING",
        readers={
            "funding.eligibility.changed.v1": Eligibility,
            "funding.budget.allocated.v1": Allocated,
        },
        handle=project_funding,
        tables=tables.FROM_FUNDING,
    ),
    Projector(
        name="reporting",
        stream="TRAINING",
        readers={"training.class.completed.v1": ClassHeld},
        handle=project_training,
        tables=tables.FROM_TRAINING,
    ),
]
