"""The committed examples of all services' events, and how a projection takes them."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection
from tests.contracts.services import SERVICES, built

from benvung import contracts
from benvung.bus import Stored
from benvung.envelope import EventData
from benvung.projector import Projector, project, sort


@dataclass(frozen=True)
class Example:
    """One committed event: where it is, and what it says."""

    path: Path
    body: dict[str, Any]

    @property
    def type(self) -> str:
        """Type of the event."""
        return str(self.body["type"])

    @property
    def name(self) -> str:
        """Type and number."""
        return f"{self.type}/{self.path.stem}"

    def stored(self, at: int = 1) -> Stored:
        """The event as a stream delivers it."""
        return Stored(at, self.type, json.dumps(self.body, ensure_ascii=False).encode(), self.body["id"])

    def event(self) -> EventData:
        """The event in its producer's class, which asks for every field there is today."""
        return published()[self.type].model_validate(self.body["data"])


def published() -> dict[str, type[EventData]]:
    """The events of all services by type."""
    return {event.event_type: event for service in SERVICES for event in built(service).events}


def committed() -> list[Example]:
    """Every example ever committed, each service's in the order in which it told them."""
    found = [
        Example(path, json.loads(path.read_text("utf-8")))
        for service in SERVICES
        for path in contracts.folder(service).glob("examples/*/*.json")
    ]
    return sorted(found, key=lambda each: (each.body["source"], each.body["sequence"], each.name))


def newest() -> dict[str, Example]:
    """The newest example of each event, which shows its present shape."""
    found: dict[str, Example] = {}
    for each in sorted(committed(), key=lambda each: int(each.path.stem)):
        found[each.type] = each
    return found


def projectors() -> list[tuple[str, Projector]]:
    """(service, projector) for everything that listens."""
    return [(service, each) for service in SERVICES for each in built(service).projectors]


def heard(projector: Projector, examples: Sequence[Example] | None = None) -> list[Example]:
    """The committed examples that this projector reads."""
    readable = {*projector.readers, projector.withdrawn_type}
    return [each for each in (committed() if examples is None else examples) if each.type in readable]


async def tell(
    conn: AsyncConnection,
    projector: Projector,
    examples: Sequence[Example],
    withdrawn: Collection[str] = (),
) -> None:
    """Deliver events to a projection as its stream does, in `conn`'s transaction; none may be unreadable."""
    batch = sort(projector, [each.stored(at) for at, each in enumerate(examples, 1)], withdrawn, None)
    assert batch.dead == [], [reason for _, reason in batch.dead]
    await project(conn, projector, batch.received)
