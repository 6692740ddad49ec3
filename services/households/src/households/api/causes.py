"""Causes of poverty: which there are, how many households have each by area (form 7.10), and the form as a file."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from fastapi.responses import FileResponse, StreamingResponse
from pydantic import Field
from starlette.requests import Request

from benvung import areas, audit, clock
from benvung.auth import Principal
from benvung.db import Conn
from benvung.vault import Vault
from households import store
from households.api.cause_models import withheld_from
from households.api.downloads import XLSX, binary, workbook
from households.api.fields import (
    Area,
    Geography,
    Keys,
    KnownAt,
    Lang,
    OnDay,
    Purpose,
    Reader,
    Shown,
    asked,
)
from households.api.notes import Note, notes_of
from households.domain import label
from households.domain.causes import CauseCount, cause_list, counted
from households.files.causes import CauseLine, causes_csv, write_causes_xlsx
from households.store.causes import Level
from households.store.standing import Clocks

router = APIRouter(prefix="/v1", tags=["causes"])

TOTAL = "TOTAL"
BOTH: Literal[""] = ""


class CauseListed(Shown):
    """One cause, a column of form 7.10."""

    code: str = Field(examples=["NO_LAND"])
    column: int = Field(examples=[1])
    label: str = Field(examples=["Không có đất sản xuất"])
    needs_text: bool = Field(description="which cause it is has to be said in words", examples=[False])
    restricted: bool = Field(description="needs the permission `indicators.read`", examples=[False])


class CausesListed(Shown):
    """The causes of form 7.10 with their source."""

    legal: str = Field(examples=["Thông tư 02/2022/TT-BLĐTBXH, mẫu 7.10"])
    source: str
    confidence: str = Field(examples=["high"])
    valid_from: dt.date = Field(examples=["2022-03-30"])
    valid_to: dt.date | None
    items: list[CauseListed]


class CauseCounted(Shown):
    """How many households have a cause."""

    cause: str = Field(examples=["NO_LAND"])
    households: int | None = Field(description="empty = you may not see it", examples=[12])


class ClassCounted(Shown):
    """Households of both lists, or of one of them."""

    poverty_class: str | None = Field(alias="class", description="empty = both lists", examples=["POOR"])
    class_label: str = Field(examples=["Hộ nghèo"])
    households: int = Field(examples=[20])
    with_causes: int | None = Field(
        description="of how many causes are recorded; empty while some are left out for you", examples=[18]
    )
    causes: list[CauseCounted] = Field(
        description="one household counts with each of its causes: the sum exceeds the households"
    )


class AreaCounted(Shown):
    """The rows of an area in form 7.10."""

    area: str = Field(description="code, or TOTAL", examples=["23827"])
    name: str = Field(examples=["Xã Kông Yang"])
    rows: list[ClassCounted]


class CausesCounted(Shown):
    """Form 7.10: households by area, class and cause."""

    level: str = Field(examples=["COMMUNE"])
    on: dt.date | None
    withheld: list[str] = Field(description="causes left out for you", examples=[["ILLNESS"]])
    areas: list[AreaCounted] = Field(description="the areas with such households, then TOTAL")
    notes: list[Note] = Field(description="what is not known of the communes of that day")


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, about which area, as of when and in which geography."""

    principal: Principal
    area: str | None
    clocks: Clocks
    geography: Literal["then", "now"]

    @property
    def named_on(self) -> dt.date:
        """The day whose communes are counted."""
        return clock.today() if self.geography == "now" else self.clocks.on or clock.today()

    @property
    def level(self) -> Level:
        """The level below what is asked about; without an area, below all that somebody may see."""
        if self.area is None:
            return "PROVINCE" if self.principal.scope().communes is None else "COMMUNE"
        unit = areas.last(self.area, self.named_on)
        below: dict[str, Level] = {"COUNTRY": "PROVINCE", "COMMUNE": "VILLAGE"}
        return below.get(unit.level.value, "COMMUNE") if unit else "VILLAGE"


async def asked_about(
    *,
    principal: Reader,
    area: Area = None,
    on: OnDay = None,
    known_at: KnownAt = None,
    geography: Geography = "then",
) -> Asking:
    """About which area the form is asked for, as of when."""
    return Asking(principal, area, Clocks(on, known_at), geography)


Asked = Annotated[Asking, Depends(asked_about)]


@router.get("/causes/list")
async def listed(*, _: Reader, lang: Lang) -> CausesListed:
    """The causes that are recorded, as the form names them."""
    known = cause_list()
    return CausesListed(
        legal=known.legal,
        source=known.source,
        confidence=known.confidence,
        valid_from=known.valid_from,
        valid_to=known.valid_to,
        items=[
            CauseListed(
                code=code,
                column=one.column,
                label=one.label(lang),
                needs_text=one.needs_text,
                restricted=one.restricted,
            )
            for code, one in known.causes.items()
        ],
    )


@router.get("/causes")
async def causes(*, asking: Asked, conn: Conn, vault: Keys, lang: Lang) -> CausesCounted:
    """Poor and near-poor households by cause of poverty, for each area of the next level.

    What counts is the official decision in force on that day, as it was known then.
    """
    found = await _found(conn, vault, asking, lang)
    return CausesCounted(
        level=asking.level,
        on=asking.clocks.on,
        withheld=withheld_from(asking.principal),
        areas=[
            AreaCounted(area=code, name=name, rows=[_row(count, asking.principal, lang) for count in counts])
            for code, name, counts in found
        ],
        notes=notes_of(asking.clocks.on),
    )


@router.get(
    "/causes.csv",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def as_csv(*, asking: Asked, conn: Conn, vault: Keys, purpose: Purpose) -> StreamingResponse:
    """The rows of form 7.10 as CSV. Who took them and what for is recorded."""
    lines = await _taken(conn, vault, asking, purpose)
    return StreamingResponse(
        causes_csv(lines),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="causes-{asking.area or "all"}.csv"'},
    )


@router.get("/causes.xlsx", response_class=FileResponse, responses=binary(XLSX))
async def as_xlsx(
    *, request: Request, asking: Asked, conn: Conn, vault: Keys, purpose: Purpose
) -> FileResponse:
    """The rows of form 7.10 as a workbook. Who took them and what for is recorded."""
    lines = await _taken(conn, vault, asking, purpose)
    return await workbook(
        request, lambda path: write_causes_xlsx(path, lines), f"causes-{asking.area or 'all'}.xlsx"
    )


Found = tuple[str, str, list[CauseCount]]


async def _found(conn: Conn, vault: Vault, asking: Asking, lang: Lang) -> list[Found]:
    on, known_at = asking.clocks.on, asking.clocks.known_at
    where = asked(asking.principal, asking.area, on, asking.geography)
    eras = await store.geography.since(conn, on, known_at)
    register = store.registry.register_at(where.scope, on, known_at, eras)
    rows = await store.causes.counts(conn, vault, register, where, asking.level, clocks=asking.clocks)
    names = await _names(conn, {row.area for row in rows}, asking.level, asking.named_on)
    by_area = [
        (code, names.get(code, code), counted((r.household_class, r.causes, r.households) for r in own))
        for code, own in _grouped(rows)
    ]
    total = counted((row.household_class, row.causes, row.households) for row in rows)
    return [*by_area, (TOTAL, "Tổng cộng" if lang == "vi" else "Total", total)]


def _grouped(rows: Iterable[store.causes.Counted]) -> list[tuple[str, list[store.causes.Counted]]]:
    found: dict[str, list[store.causes.Counted]] = {}
    for row in rows:
        found.setdefault(row.area, []).append(row)
    return sorted(found.items())


async def _names(conn: Conn, codes: set[str], level: Level, on: dt.date) -> dict[str, str]:
    if level != "VILLAGE":
        return {code: unit.name for code in codes if (unit := areas.last(code, on))}
    found: dict[str, str] = {}
    for commune in sorted({code.partition(".")[0] for code in codes}):
        villages = await store.places.villages_of(conn, commune, ended=True)
        found |= {each.code: each.name for each in villages}
    return found


def _row(count: CauseCount, principal: Principal, lang: Lang) -> ClassCounted:
    words = label(count.household_class, lang) if count.household_class else _both(lang)
    hidden = withheld_from(principal)
    return ClassCounted(
        poverty_class=count.household_class,
        class_label=words,
        households=count.households,
        with_causes=None if hidden else count.with_causes,
        causes=[
            CauseCounted(cause=code, households=None if code in hidden else households)
            for code, households in count.causes.items()
        ],
    )


def _both(lang: Lang) -> str:
    return "Hộ nghèo và hộ cận nghèo" if lang == "vi" else "Poor and near-poor households"


async def _taken(conn: Conn, vault: Vault, asking: Asking, purpose: str) -> list[CauseLine]:
    # The form is a Vietnamese one, whoever takes it.
    found = await _found(conn, vault, asking, "vi")
    detail: dict[str, Any] = {"areas": len(found) - 1, "purpose": purpose}
    await audit.record(conn, asking.principal, "causes.exported", "area", asking.area or "*", detail)
    hidden = withheld_from(asking.principal)
    return [
        CauseLine(
            name,
            {count.household_class or BOTH: count.households for count in counts},
            {
                count.household_class or BOTH: {
                    code: None if code in hidden else number for code, number in count.causes.items()
                }
                for count in counts
            },
        )
        for _, name, counts in found
    ]
