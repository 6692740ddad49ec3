"""Results by a province's own standard, beside the national ones: of a household, as a list, as a file."""

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from anyio import from_thread
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import Field
from sqlalchemy import Row, Select

from benvung import audit, paging, problems
from benvung.auth import Principal
from benvung.db import Conn
from benvung.paging import After, CursorUnknown, Limit, Page
from benvung.vault import Vault
from households import store
from households.actions.refusals import HouseholdNotFound
from households.api.fields import (
    Area,
    Geography,
    Keys,
    KnownAt,
    Lang,
    OnDay,
    PovertyClass,
    Purpose,
    Reader,
    Shown,
    VillageCode,
    asked,
)
from households.api.households import HouseholdShown
from households.api.households import shown as household_shown
from households.domain import HouseholdClass, label
from households.files.write import csv_pieces
from households.store.filters import Filters

router = APIRouter(prefix="/v1", tags=["standards"])


class LocalResultShown(Shown):
    """What one decision comes to by the province's standard, beside its national class."""

    decision_id: uuid.UUID
    standard: str = Field(examples=["STD_64_2023"])
    local_class: str | None = Field(alias="class", description="null = a rule says that there is none")
    class_label: str | None
    b2_points: int | None
    reason: str
    legal: str | None
    rule: str | None = Field(description="the rule by which there is no class", examples=[None])
    national_standard: str = Field(examples=["STD_2022_2025"])
    national_class: str = Field(examples=["NOT_POOR"])
    stage: str = Field(examples=["OFFICIAL"])
    valid_from: dt.date
    stands: bool = Field(description="false = the decision was corrected or annulled since")
    recorded_at: dt.datetime


class LocalResultsShown(Shown):
    """All local results of a household, the first one first."""

    household_id: uuid.UUID
    items: list[LocalResultShown]


@router.get("/households/{household_id}/local-results", responses=problems.responses(HouseholdNotFound))
async def of_household(
    *, household_id: Annotated[uuid.UUID, Path()], principal: Reader, conn: Conn, lang: Lang
) -> LocalResultsShown:
    """A household's results by its province's standard. Reading them is recorded."""
    if await store.households.find(conn, household_id, principal.scope()) is None:
        raise HouseholdNotFound
    await audit.record(conn, principal, "household.history_read", "household", str(household_id))
    rows = await store.local_standards.of_household(conn, household_id)
    return LocalResultsShown(household_id=household_id, items=[result(row, lang) for row in rows])


def result(row: Row[Any], lang: Lang) -> LocalResultShown:
    """What one decision comes to, in words."""
    values = row._asdict()
    found = values["class"]
    named = {name: values[name] for name in LocalResultShown.model_fields if name in values}
    return LocalResultShown(
        **named,
        local_class=found,
        class_label=found and label(HouseholdClass(found), lang),
        reason=row.why[lang],
        legal=row.why["legal"],
        rule=row.why["rule"],
    )


class LocallyListed(HouseholdShown):
    """A household with its result by the province's standard beside the national one."""

    local_standard: str = Field(examples=["STD_64_2023"])
    local_class: str | None
    local_class_label: str | None
    local_since: dt.date


OfStandard = Annotated[str | None, Query(max_length=50, description="code of one standard alone")]
OfVillage = Annotated[VillageCode | None, Query(description="one village alone")]
NationalClass = Annotated[
    PovertyClass | Literal["NONE"] | None, Query(alias="national_class", description="national class")
]
OfClass = Annotated[PovertyClass | None, Query(alias="class", description="class by the province's standard")]


@router.get("/local-results", responses=problems.responses(CursorUnknown))
async def listed(
    *,
    principal: Reader,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    area: Area = None,
    standard: OfStandard = None,
    local_class: OfClass = None,
    poverty_class: NationalClass = None,
    village: OfVillage = None,
    on: OnDay = None,
    known_at: KnownAt = None,
    geography: Geography = "then",
    after: After = None,
    limit: Limit = 50,
) -> Page[LocallyListed]:
    """The province's own lists: households by their result on its standard. Reading names is recorded."""
    where = asked(principal, area, on, geography)
    register = store.registry.register_at(
        where.scope, on, known_at, await store.geography.since(conn, on, known_at)
    )
    local = store.local_standards.in_force(on, known_at)
    narrowed = Filters(village=village, household_class=poverty_class)
    base = store.registry.households_query(register, where, narrowed)
    query = store.local_standards.listed(
        register, local, base, standard=standard, household_class=local_class
    )
    columns = (register.c.commune, register.c.id)
    rows = await store.registry.rows(conn, paging.keyset(query, columns, after, limit))
    items, following = paging.split(rows, columns, limit)
    on_page = audit.About("household", (row.id for row in items))
    detail = {"households": len(items), "standard": standard or "*"}
    await audit.record(conn, principal, "households.listed", "area", area or "*", detail, about=on_page)
    return Page(items=[_listed(row, vault, lang) for row in items], next=following)


def _listed(row: Row[Any], vault: Vault, lang: Lang) -> LocallyListed:
    known = household_shown(row, vault, lang).model_dump(by_alias=False)
    return LocallyListed(
        **known,
        local_standard=row.local_standard,
        local_class=row.local_class,
        local_class_label=row.local_class and label(HouseholdClass(row.local_class), lang),
        local_since=row.local_since,
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose file it is and what for, of which area, by which standard and classes."""

    principal: Principal
    purpose: str
    area: str | None
    standard: str | None
    local_class: str | None
    narrowed: Filters


HEAD = (
    "Mã hệ thống", "Mã xã", "Mã thôn", "Mã hộ", "Họ và tên chủ hộ", "Số nhân khẩu", "Phân loại quốc gia",
    "Chuẩn của tỉnh", "Phân loại theo chuẩn của tỉnh", "Từ ngày",
)  # fmt: skip


@router.get(
    "/local-results.csv",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def export(
    *,
    request: Request,
    principal: Reader,
    vault: Keys,
    purpose: Purpose,
    area: Area = None,
    standard: OfStandard = None,
    local_class: OfClass = None,
    poverty_class: NationalClass = None,
    village: OfVillage = None,
) -> StreamingResponse:
    """The province's own list as a file. Whose data leave in it is recorded."""
    narrowed = Filters(village=village, household_class=poverty_class)
    lines = _lines(request, vault, Asked(principal, purpose, area, standard, local_class, narrowed))
    return StreamingResponse(
        csv_pieces(HEAD, lines),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="local-{area or "all"}.csv"'},
    )


def _lines(request: Request, vault: Vault, asked_for: Asked) -> Iterator[tuple[object, ...]]:
    """Runs in a thread of the answer; each batch has a short transaction of its own."""
    after: str | None = None
    first = True
    while first or after:
        rows, after = from_thread.run(_batch, request, asked_for, after)
        first = False
        for row in rows:
            national = row.poverty_class and label(HouseholdClass(row.poverty_class), "vi")
            local = row.local_class and label(HouseholdClass(row.local_class), "vi")
            yield (
                row.id, row.commune, row.village, row.code or "", vault.open(row.head_name), row.members,
                national or "", row.local_standard, local or "", f"{row.local_since:%d/%m/%Y}",
            )  # fmt: skip


async def _batch(request: Request, of: Asked, after: str | None) -> tuple[Sequence[Row[Any]], str | None]:
    """The next households, on record before the first of them leaves. An empty file is on record too."""
    async with request.app.state.engine.begin() as conn:
        where = asked(of.principal, of.area, None, "then")
        register = store.registry.register_at(where.scope, None, None)
        query: Select[Any] = store.local_standards.listed(
            register,
            store.local_standards.in_force(None, None),
            store.registry.households_query(register, where, of.narrowed),
            standard=of.standard,
            household_class=of.local_class,
        )
        columns, limit = (register.c.commune, register.c.id), store.registry.EXPORT_BATCH
        found = await store.registry.rows(conn, paging.keyset(query, columns, after, limit))
        rows, following = paging.split(found, columns, limit)
        taken = audit.About("household", (row.id for row in rows))
        detail = {"households": len(rows), "standard": of.standard or "*", "purpose": of.purpose}
        await audit.record(
            conn, of.principal, "households.exported", "area", of.area or "*", detail, about=taken
        )
        return rows, following
