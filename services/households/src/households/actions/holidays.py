"""Loading a year's public holidays, and the calendars that working days are counted by."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import areas, audit
from benvung.auth import Principal
from households import store
from households.domain import Refused
from households.domain.workdays import LABOUR_CODE, HolidayFileInvalid, WorkCalendar, work_calendar
from households.store.holidays import Document, Loaded, year_of


@dataclass(frozen=True, slots=True)
class Calendars:
    """The years that come with the service, and all that was loaded since, in its order."""

    loads: Sequence[Loaded]

    @property
    def newest(self) -> int:
        """The newest load; 0 when there is none."""
        return self.loads[-1].sequence if self.loads else 0

    def known_at(self, sequence: int) -> WorkCalendar:
        """The calendar by which an act was counted: what is loaded later moves nothing that was set."""
        return work_calendar().with_years(each.year for each in self.loads if each.sequence <= sequence)

    @property
    def now(self) -> WorkCalendar:
        """The calendar of all that is loaded."""
        return self.known_at(self.newest)


async def calendars(conn: AsyncConnection) -> Calendars:
    """All calendars there were and are."""
    return Calendars(await store.holidays.loads(conn))


async def load(
    conn: AsyncConnection,
    principal: Principal,
    *,
    year: int,
    days: Mapping[str, Any],
    document: Document,
) -> uuid.UUID:
    """Load a year's holidays from their document. They hold in the whole country, so do who loads them.

    Raises `OutsideArea`, and the domain's `Refused`.
    """
    principal.scope().check_area(areas.COUNTRY)
    try:
        year_of(year, days, document)
    except HolidayFileInvalid as error:
        raise Refused(
            "holidays-contradictory",
            f"Ngày nghỉ lễ, tết năm {year} mâu thuẫn: mỗi ngày thuộc đúng năm đó và chỉ có một nghĩa; ngày làm"
            " bù là thứ Bảy hoặc Chủ nhật; ngày kết thúc không trước ngày bắt đầu.",
            f"The holidays contradict themselves: {error}.",
            "body.days_off",
            LABOUR_CODE,
        ) from error
    await store.holidays.lock(conn)
    load_id = uuid.uuid4()
    await store.holidays.add(
        conn, load_id=load_id, year=year, days=days, document=document, loaded_by=principal.subject
    )
    detail = {"year": year, "document": document.number}
    await audit.record(conn, principal, "holidays.loaded", "holidays", str(load_id), detail)
    return load_id
