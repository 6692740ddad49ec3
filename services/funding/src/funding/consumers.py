"""Messages in: what this service reads of the register's events."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.clock import VIETNAM
from benvung.outbox import Announcement
from benvung.projector import Projector, Received
from funding import actions
from funding.domain import HouseholdStatus, PovertyClass, Standing
from funding.store.projection import State
from funding.tables import FROM_HOUSEHOLDS

# An id as it is nearly always written needs no object; another spelling of it means the same household.
HouseholdId = Annotated[
    Annotated[str, Field(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    | Annotated[str, AfterValidator(lambda given: str(UUID(given)))],
    Field(union_mode="left_to_right"),
    WithJsonSchema({"type": "string", "format": "uuid"}),
]


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


class Decision(BaseModel):
    """Of a decision only whether it is official and from when it holds."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    stage: str
    valid_from: dt.date


class Move(BaseModel):
    """Of an arrival, departure or closure only its day."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    on: dt.date


class Classified(HouseholdReader):
    """A decision on a household's class, preliminary or official."""

    decision: Decision


class Moved(HouseholdReader):
    """A household that arrived, left, or was closed."""

    change: Move


def _change(event: Received) -> actions.Change:
    data: HouseholdReader = event.data
    if isinstance(data, Classified):
        day, official = data.decision.valid_from, data.decision.stage == "OFFICIAL"
    elif isinstance(data, Moved):
        day, official = data.change.on, True
    else:
        # A registration without a class opens nothing and ends nothing.
        day, official = event.time.astimezone(VIETNAM).date(), data.poverty_class is not None
        day = data.class_since or day
    standing = Standing(
        status=data.status,
        poverty_class=data.poverty_class,
        class_since=data.class_since,
        left_list_on=data.left_list_on,
        holds_from=max(day, data.class_since or day),
    )
    state = State(data.household_id, event.sequence, data.province, data.commune, data.members, standing)
    return actions.change(event.event_id, state, official)


async def project_households(conn: AsyncConnection, events: Sequence[Received]) -> Iterable[Announcement]:
    """Follow a batch of the register's events, in whatever order and however often they come."""
    return await actions.follow(conn, [event.data for event in events])


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
        },
        prepare=_change,
        handle=project_households,
        tables=FROM_HOUSEHOLDS,
        reconcile=actions.reconcile,
    ),
)
