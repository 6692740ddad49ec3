"""Messages in: what this service reads of the register's events."""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, WithJsonSchema
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import reorganised
from benvung.clock import VIETNAM
from benvung.outbox import Announcement
from benvung.projector import Projector, Received
from benvung.reorganised import AreaUnit
from funding.actions import following
from funding.domain import HouseholdStatus, PovertyClass, Standing
from funding.store.projection import State
from funding.tables import FROM_HOUSEHOLDS

_as_written = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch


def _plainly(given: str) -> str:
    # An id as it is nearly always written needs no object; another spelling of it means the same household.
    return given if _as_written(given) else str(UUID(given))


HouseholdId = Annotated[str, AfterValidator(_plainly), WithJsonSchema({"type": "string", "format": "uuid"})]


class HouseholdReader(BaseModel):
    """The part of a household's public state that eligibility and its check rest on."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    household_id: HouseholdId
    province: str
    commune: str
    members: int
    status: HouseholdStatus
    poverty_class: PovertyClass | None
    class_since: dt.date | None
    left_list_on: dt.date | None


class After(BaseModel):
    """A household as one fact left it, where later facts are known already."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    province: str
    commune: str
    members: int
    status: HouseholdStatus
    poverty_class: PovertyClass | None
    class_since: dt.date | None
    left_list_on: dt.date | None


class Told(BaseModel):
    """Which telling counts no more, and what the fact left behind if that is not the state of today."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    replaces: int | None = None
    after: After | None = None


class Decision(Told):
    """Of a decision only whether it is official and from when it holds."""

    stage: str
    valid_from: dt.date


class Move(Told):
    """Of an arrival, departure, closure or change of size only its day."""

    on: dt.date


class Annulment(BaseModel):
    """Which telling counts no more, and the day it was about."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    replaces: int
    on: dt.date


class Classified(HouseholdReader):
    """A decision on a household's class, preliminary or official."""

    decision: Decision


class Moved(HouseholdReader):
    """A household that arrived, left, was closed, or has more or fewer members."""

    change: Move


class Annulled(HouseholdReader):
    """A household of which one fact counts no more."""

    annulment: Annulment


class Reorganised(BaseModel):
    """Communes became others: only the units matter here, each household tells of its own way."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    units: list[AreaUnit]


def _prepare(event: Received) -> following.Change | Reorganised:
    return event.data if isinstance(event.data, Reorganised) else _change(event)


def _change(event: Received) -> following.Change:
    data: HouseholdReader = event.data
    told, fact = Told(), True
    if isinstance(data, Classified):
        told, day, fact = data.decision, data.decision.valid_from, data.decision.stage == "OFFICIAL"
    elif isinstance(data, Moved):
        told, day = data.change, data.change.on
    elif isinstance(data, Annulled):
        told, day, fact = Told(replaces=data.annulment.replaces), data.annulment.on, False
    else:
        # A registration without a class opens nothing and ends nothing.
        day, fact = event.time.astimezone(VIETNAM).date(), data.poverty_class is not None
        day = data.class_since or day
    newest = _state(event, data, day)
    then = newest if told.after is None else _state(event, told.after, day)
    return following.change(event.event_id, newest, then if fact else None, told.replaces)


def _state(event: Received, of: HouseholdReader | After, day: dt.date) -> State:
    since = of.class_since
    holds_from = day if since is None else max(day, since)
    standing = Standing(of.status, of.poverty_class, since, of.left_list_on, holds_from)
    household_id = event.data.household_id
    return State(household_id, event.sequence, of.province, of.commune, of.members, standing)


async def project_households(conn: AsyncConnection, events: Sequence[Received]) -> Iterable[Announcement]:
    """Follow a batch of the register's events, in whatever order and however often they come."""
    for event in events:
        if isinstance(event.data, Reorganised):
            units = [unit.model_dump(mode="json") for unit in event.data.units]
            await reorganised.keep(conn, event.sequence, units)
    return await following.follow(
        conn, [each.data for each in events if isinstance(each.data, following.Change)]
    )


PROJECTORS = (
    Projector(
        name="funding",
        stream="HOUSEHOLDS",
        readers={
            "households.household.registered.v1": HouseholdReader,
            "households.household.classified.v1": Classified,
            "households.household.arrived.v1": Moved,
            "households.household.left.v1": Moved,
            "households.household.closed.v1": Moved,
            "households.household.resized.v1": Moved,
            "households.household.annulled.v1": Annulled,
            "households.area.reorganised.v1": Reorganised,
        },
        prepare=_prepare,
        handle=project_households,
        tables=FROM_HOUSEHOLDS,
        reconcile=following.reconcile,
    ),
)
