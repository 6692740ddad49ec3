"""Counts for comparing: what the register holds, and what its stream tells."""

import datetime as dt

from fastapi import APIRouter, Request
from pydantic import Field

from benvung import problems
from benvung.bus import Doubt, Refused
from benvung.db import Conn
from benvung.problems import NotReady
from households import actions
from households.actions.verify import Counts
from households.api.fields import Area, Geography, KnownAt, OnDay, Reader, Shown, asked, within
from households.api.notes import Note, notes_of

router = APIRouter(prefix="/v1/verify", tags=["verify"])


class ClassCount(Shown):
    """Households and persons of one class."""

    households: int
    persons: int


class CommuneCounts(Shown):
    """A commune's households and persons by official class."""

    commune: str
    classes: dict[str, ClassCount]


class Verified(Shown):
    """Households and persons by commune and official class. Communes without any are left out."""

    area: str
    communes: list[CommuneCounts]
    total: dict[str, ClassCount]
    notes: list[Note] = Field(description="what is not known of the communes of that day")


def _verified(area: str | None, counts: Counts, on: dt.date | None = None) -> Verified:
    total: dict[str, ClassCount] = {}
    for classes in counts.values():
        for name, (number, persons) in classes.items():
            before = total.get(name, ClassCount(households=0, persons=0))
            total[name] = ClassCount(households=before.households + number, persons=before.persons + persons)
    return Verified(
        area=area or "*",
        communes=[
            CommuneCounts(
                commune=commune,
                classes={
                    name: ClassCount(households=number, persons=persons)
                    for name, (number, persons) in sorted(classes.items())
                },
            )
            for commune, classes in counts.items()
        ],
        total=dict(sorted(total.items())),
        notes=notes_of(on),
    )


@router.get("")
async def verify(
    *,
    principal: Reader,
    conn: Conn,
    area: Area = None,
    on: OnDay = None,
    known_at: KnownAt = None,
    geography: Geography = "then",
) -> Verified:
    """Counted from the register's rows; as of a day or a moment, from all that was told until then."""
    counts = await actions.verify.of_register(conn, asked(principal, area, on, geography), on, known_at)
    return _verified(area, counts, on)


@router.get("/stream", responses=problems.responses(NotReady))
async def verify_stream(*, request: Request, conn: Conn, principal: Reader, area: Area = None) -> Verified:
    """Counted from all events of the stream HOUSEHOLDS that hold: the newest state of each household."""
    settings = request.app.state.settings
    try:
        counts = await actions.verify.of_stream(conn, settings, within(principal, area))
    except (Doubt, Refused) as error:
        raise NotReady("Không đọc được luồng sự kiện.", "The stream cannot be read.") from error
    return _verified(area, counts)
