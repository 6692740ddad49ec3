"""What the register holds, and what its own stream tells, counted alike so that others can be compared."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.auth import Scope
from benvung.bus import read_all
from benvung.envelope import Unreadable, decode
from benvung.settings import ServiceSettings
from households import store

Counts = dict[str, dict[str, tuple[int, int]]]
STREAM = "HOUSEHOLDS"
_STATE_EVENTS = frozenset(
    f"households.household.{kind}.v1" for kind in ("registered", "classified", "left", "arrived", "closed")
)


@dataclass(frozen=True, slots=True)
class _Newest:
    """The newest state of a household in the stream."""

    sequence: int
    commune: str
    status: str
    household_class: str | None
    members: int


async def of_register(conn: AsyncConnection, scope: Scope) -> Counts:
    """Households and persons by commune and official class, from the register's rows."""
    return _collect(await store.registry.counts_by_class(conn, scope))


async def of_stream(settings: ServiceSettings, scope: Scope) -> Counts:
    """The same, from all events of the stream: the newest state of each household by its sequence."""
    newest: dict[uuid.UUID, _Newest] = {}
    async for message in read_all(settings, "households", STREAM):
        try:
            envelope = decode(message.payload)
        except Unreadable:
            continue
        if envelope.type not in _STATE_EVENTS:
            continue
        data = envelope.data
        household_id = uuid.UUID(data["household_id"])
        known = newest.get(household_id)
        if known is None or known.sequence < envelope.sequence:
            newest[household_id] = _Newest(
                envelope.sequence, data["commune"], data["status"], data["poverty_class"], data["members"]
            )
    return _collect(_classed(newest, scope))


def _classed(newest: Mapping[uuid.UUID, _Newest], scope: Scope) -> Iterable[tuple[str, str, int, int]]:
    for state in newest.values():
        if state.status == "ACTIVE" and state.household_class and scope.covers(state.commune):
            yield state.commune, state.household_class, 1, state.members


def _collect(rows: Iterable[tuple[str, str, int, int]]) -> Counts:
    counts: Counts = {}
    for commune, household_class, number, persons in rows:
        classes = counts.setdefault(commune, {})
        before = classes.get(household_class, (0, 0))
        classes[household_class] = (before[0] + number, before[1] + persons)
    return dict(sorted(counts.items()))
