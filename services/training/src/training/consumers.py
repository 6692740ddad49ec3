"""Messages in: what training reads of the register's events. It needs to know of units alone."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import reorganised
from benvung.outbox import Announcement
from benvung.projector import Projector, Received
from benvung.reorganised import AreaUnit
from training.tables import FROM_HOUSEHOLDS


class Reorganised(BaseModel):
    """Communes became others: which units are not as the published list has them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    units: list[AreaUnit]


async def project_areas(conn: AsyncConnection, events: Sequence[Received]) -> list[Announcement]:
    """Keep the units that reorganisations told, in whatever order and however often they come."""
    for event in events:
        units = [unit.model_dump(mode="json") for unit in event.data.units]
        await reorganised.keep(conn, event.sequence, units)
    return []


PROJECTORS = (
    Projector(
        name="training",
        stream="HOUSEHOLDS",
        readers={"households.area.reorganised.v1": Reorganised},
        handle=project_areas,
        tables=FROM_HOUSEHOLDS,
        # Nearly all that the register tells is about households, and passed over.
        patience=0.5,
    ),
)
