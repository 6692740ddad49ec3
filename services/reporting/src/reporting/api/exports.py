"""The tables as files to take away."""

from fastapi import APIRouter
from starlette.responses import Response

from benvung.auth import OutsideArea
from benvung.db import Conn
from benvung.problems import responses
from reporting import files
from reporting.actions.geographies import ReorganisationNotRecorded
from reporting.actions.movements import movements
from reporting.actions.places import AreaUnknown, Place
from reporting.actions.situation import situation
from reporting.api import sheets
from reporting.api.asked import (
    Area,
    AskedPlace,
    Asker,
    Geography,
    Language,
    StageAsked,
    Standard,
    Year,
    place_of_year,
)
from reporting.domain import Stage

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class CsvFile(Response):
    """A CSV file."""

    media_type = CSV


class XlsxFile(Response):
    """An XLSX workbook."""

    media_type = XLSX


router = APIRouter(tags=["files"], responses=responses(AreaUnknown, OutsideArea, ReorganisationNotRecorded))


def _named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _of(place: Place) -> str:
    """The area in a file's name; the same code may be another place by the units of another day."""
    return place.unit.code if place.drawn is None else f"{place.unit.code}-by-{place.drawn}"


@router.get("/situation.csv", response_class=CsvFile)
async def situation_csv(
    conn: Conn,
    place: AskedPlace,
    say: Language,
    stage: StageAsked = Stage.OFFICIAL,
    standard: Standard = None,
) -> CsvFile:
    """The situation of the area's communes as CSV."""
    sheet = sheets.situation_sheet(await situation(conn, place, stage, standard), say)
    return CsvFile(files.as_csv([sheet]), headers=_named(f"{_of(place)}-{place.on}.csv"))


@router.get("/situation.xlsx", response_class=XlsxFile)
async def situation_xlsx(
    conn: Conn,
    place: AskedPlace,
    say: Language,
    stage: StageAsked = Stage.OFFICIAL,
    standard: Standard = None,
) -> XlsxFile:
    """The situation of the area's communes as a workbook."""
    sheet = sheets.situation_sheet(await situation(conn, place, stage, standard), say)
    return XlsxFile(await files.as_xlsx([sheet]), headers=_named(f"{_of(place)}-{place.on}.xlsx"))


@router.get("/movements.csv", response_class=CsvFile)
async def movements_csv(
    *, conn: Conn, principal: Asker, area: Area, year: Year, say: Language, geography: Geography = "then"
) -> CsvFile:
    """Forms 7.2 and 7.3 as CSV."""
    found = await movements(conn, place_of_year(principal, area, year, geography), year)
    content = files.as_csv(sheets.movement_sheets(found, say))
    return CsvFile(content, headers=_named(f"{_of(found.place)}-7.2-7.3-{year}.csv"))


@router.get("/movements.xlsx", response_class=XlsxFile)
async def movements_xlsx(
    *, conn: Conn, principal: Asker, area: Area, year: Year, say: Language, geography: Geography = "then"
) -> XlsxFile:
    """Forms 7.2 and 7.3 as a workbook with a sheet each."""
    found = await movements(conn, place_of_year(principal, area, year, geography), year)
    content = await files.as_xlsx(sheets.movement_sheets(found, say))
    return XlsxFile(content, headers=_named(f"{_of(found.place)}-7.2-7.3-{year}.xlsx"))
