"""Messages in: what reporting reads from each stream, and where it goes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.areas import AreaType, TypeOfArea
from benvung.outbox import Announcement
from benvung.projector import Projector, Received
from reporting import store, tables
from reporting.consumers.readers import (
    Allocated,
    Annulled,
    Changed,
    ClassHeld,
    Classified,
    Eligibility,
    Household,
    HouseholdTotal,
    Population,
    Reorganised,
    Told,
    Typed,
)

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
    await store.add_populations(conn, [row for event in events for row in _population(event)])
    for event in events:
        await _learn(conn, event)
    return []


def _population(event: Received) -> list[dict[str, Any]]:
    data = event.data
    if isinstance(data, Population):
        known: dict[str, Any] = {"households": data.households, "most": None, "persons": data.persons}
    elif isinstance(data, HouseholdTotal):
        known = {"households": data.least, "most": data.most, "persons": None}
    else:
        return []
    return [
        {"sequence": event.sequence, "area": data.area, "as_of": data.as_of, "source": data.source, **known}
    ]


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


# A hundredth of a second is nothing to who reads a report, and half the work while a district decides.
PATIENCE = 0.01

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
            "households.area.total_recorded.v1": HouseholdTotal,
            "households.area.reorganised.v1": Reorganised,
            "households.area.typed.v1": Typed,
        },
        prepare=_prepare,
        patience=PATIENCE,
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
        patience=PATIENCE,
    ),
    Projector(
        name="reporting",
        stream="TRAINING",
        readers={"training.class.completed.v1": ClassHeld},
        handle=project_training,
        tables=tables.FROM_TRAINING,
    ),
]
