"""Public holidays: by them working days of postings and time limits are counted."""

import datetime as dt
import uuid
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import Field

from benvung import problems
from benvung.auth import OutsideArea
from benvung.db import Conn
from benvung.idempotency import OnlyOnce
from households import actions
from households.actions.refusals import HolidaysNotFound
from households.api.fields import Day, Given, LawLoader, Name, Reader, ShortText, Shown, Year
from households.domain.workdays import HolidayYear, work_calendar
from households.store.holidays import Document, Loaded

router = APIRouter(prefix="/v1/holidays", tags=["holidays"])


class DaysOff(Given):
    """Days on which public offices are closed, both ends included."""

    first: Day = Field(alias="from", examples=["2027-02-04"])
    last: Day = Field(alias="to", examples=["2027-02-10"])
    vi: Name = Field(examples=["Tết Âm lịch"])
    en: Name = Field(examples=["Lunar New Year"])


class Undecided(Given):
    """A day of which the document does not say whether it is off: who counts over it is refused."""

    day: Day = Field(examples=["2027-11-24"])
    vi: Name = Field(examples=["Ngày Văn hóa Việt Nam"])
    en: Name = Field(examples=["Vietnam Culture Day"])


class DocumentGiven(Given):
    """The document that says which days are off."""

    number: ShortText = Field(examples=["8726/VPCP-KGVX"])
    dated: Day = Field(examples=["2026-11-20"])
    issuer: Name = Field(examples=["Văn phòng Chính phủ"])


class HolidaysGiven(Given):
    """A whole year, as its document has it."""

    year: Year = Field(examples=[2027])
    document: DocumentGiven
    days_off: list[DaysOff] = Field(min_length=1, max_length=60)
    make_up: list[Day] = Field(
        default=[], max_length=60, description="weekend days worked instead", examples=[["2027-02-13"]]
    )
    undecided: list[Undecided] = Field(default=[], max_length=60, examples=[[]])


class DayOffShown(Shown):
    """A day off, or one in question."""

    day: dt.date
    vi: str = Field(examples=["Tết Âm lịch"])
    en: str = Field(examples=["Lunar New Year"])


class HolidaysShown(Shown):
    """A year as it counts. Without `id` it came with the service."""

    id: uuid.UUID | None
    year: int = Field(examples=[2027])
    sources: list[str] = Field(examples=[["8726/VPCP-KGVX (20/11/2026), Văn phòng Chính phủ"]])
    days_off: list[DayOffShown]
    make_up: list[dt.date]
    undecided: list[DayOffShown]
    loaded_by: str | None = Field(examples=["officer-vn"])
    recorded_at: dt.datetime | None


class HolidayYearsShown(Shown):
    """The years that are known; any other one refuses as `holidays-not-loaded`."""

    items: list[HolidaysShown]


@router.get("")
async def years(*, principal: Reader, conn: Conn) -> HolidayYearsShown:
    """The years that working days are counted by now, each with its source."""
    del principal
    loaded = {each.year.year: each for each in (await actions.holidays.calendars(conn)).loads}
    known = {**work_calendar().years, **{year: each.year for year, each in loaded.items()}}
    return HolidayYearsShown(items=[_shown(known[year], loaded.get(year)) for year in sorted(known)])


@router.post("", status_code=201, responses=problems.responses(OutsideArea))
async def load(
    *, given: HolidaysGiven, principal: LawLoader, conn: Conn, response: Response, once: OnlyOnce
) -> HolidaysShown:
    """Load a year's holidays from their document. A year that is loaded again counts from then on.

    What was posted and which time limits run stays as it was counted.
    """
    said = given.model_dump(mode="json", by_alias=True)
    document = Document(given.document.number, given.document.dated, given.document.issuer)
    days = {name: said[name] for name in ("days_off", "make_up", "undecided")}
    load_id = once.made or await actions.holidays.load(
        conn, principal, year=given.year, days=days, document=document
    )
    response.headers["Location"] = f"/v1/holidays/{load_id}"
    return await _found(conn, load_id)


@router.get("/{load_id}", responses=problems.responses(HolidaysNotFound))
async def one(*, load_id: Annotated[uuid.UUID, Path()], principal: Reader, conn: Conn) -> HolidaysShown:
    """One load, whether it still counts or not."""
    del principal
    return await _found(conn, load_id)


async def _found(conn: Conn, load_id: uuid.UUID) -> HolidaysShown:
    for each in (await actions.holidays.calendars(conn)).loads:
        if each.id == load_id:
            return _shown(each.year, each)
    raise HolidaysNotFound


def _shown(year: HolidayYear, loaded: Loaded | None) -> HolidaysShown:
    return HolidaysShown(
        id=loaded and loaded.id,
        year=year.year,
        sources=list(year.sources),
        days_off=[DayOffShown(day=day, vi=vi, en=en) for day, (vi, en) in sorted(year.days_off.items())],
        make_up=sorted(year.make_up),
        undecided=[DayOffShown(day=day, vi=vi, en=en) for day, (vi, en) in sorted(year.undecided.items())],
        loaded_by=loaded and loaded.loaded_by,
        recorded_at=loaded and loaded.recorded_at,
    )
