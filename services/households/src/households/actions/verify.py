"""What the register holds, and what its own stream tells, counted alike so that others can be compared."""

import datetime as dt
import uuid
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import withdrawals
from benvung.auth import Scope
from benvung.bus import read_all
from benvung.envelope import Unreadable, decode
from benvung.settings import ServiceSettings
from households import store
from households.events import PovertyClass
from households.store.geography import Where

Counts = dict[str, dict[str, tuple[int, int]]]
STREAM = "HOUSEHOLDS"
_STATE_EVENTS = frozenset(
    f"households.household.{kind}.v1"
    for kind in ("registered", "classified", "left", "arrived", "closed", "resized", "annulled")
)


class _State(BaseModel):
    """What counts of a household's state, as an event tells it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    household_id: uuid.UUID
    commune: str
    status: str
    poverty_class: PovertyClass | None
    members: PositiveInt


async def of_register(
    conn: AsyncConnection, where: Where, on: dt.date | None = None, known_at: dt.datetime | None = None
) -> Counts:
    """Households and persons by commune and official class, from the register's rows, or as of a day."""
    eras = await store.geography.since(conn, on, known_at)
    register = store.registry.register_at(where.scope, on, known_at, eras)
    return _collect(await store.registry.counts_by_class(conn, register, where))


async def of_stream(conn: AsyncConnection, settings: ServiceSettings, scope: Scope) -> Counts:
    """The same, from all events of the stream that hold: the newest state of each household by its sequence."""
    newest: dict[uuid.UUID, tuple[int, _State]] = {}
    gone = await withdrawals.known(conn, STREAM)
    async for message in read_all(settings, "households", STREAM):
        try:
            envelope = decode(message.payload)
            if envelope.type not in _STATE_EVENTS or envelope.id in gone:
                continue
            state = _State.model_validate(envelope.data)
        except (Unreadable, ValidationError):
            # Not as this service writes it: no projection has read it either.
            continue
        known = newest.get(state.household_id)
        if known is None or known[0] < envelope.sequence:
            newest[state.household_id] = envelope.sequence, state
    return _collect(_classed((state for _, state in newest.values()), scope))


def _classed(states: Iterable[_State], scope: Scope) -> Iterable[tuple[str, str, int, int]]:
    for state in states:
        if state.status == "ACTIVE" and state.poverty_class and scope.covers(state.commune):
            yield state.commune, state.poverty_class, 1, state.members


def _collect(rows: Iterable[tuple[str, str, int, int]]) -> Counts:
    counts: Counts = {}
    for commune, household_class, number, persons in rows:
        classes = counts.setdefault(commune, {})
        before = classes.get(household_class, (0, 0))
        classes[household_class] = (before[0] + number, before[1] + persons)
    return dict(sorted(counts.items()))
