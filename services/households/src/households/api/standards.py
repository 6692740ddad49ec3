"""Poverty standards: the nation's, and those that provinces load."""

import datetime as dt
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from benvung import problems
from benvung.auth import OutsideArea
from benvung.db import Conn
from benvung.idempotency import OnlyOnce
from households import actions, store
from households.actions.form_refusals import StandardNotFound
from households.api.fields import Day, Given, Keys, Lang, LawLoader, Name, Reader, ShortText, Shown
from households.domain import AreaType, Standard, standards
from households.store.local_standards import Loaded

router = APIRouter(prefix="/v1", tags=["standards"])

Line = Annotated[int, Field(strict=True, ge=1, le=10**9)]
Threshold = Annotated[int, Field(strict=True, ge=0, le=1000)]


class StandardDocument(Given):
    """The paper that sets the standard."""

    number: ShortText = Field(examples=["1/2023/NQ-HĐND"])
    issued_on: Day = Field(examples=["2022-12-09"])
    issuer: Name = Field(examples=["Hội đồng nhân dân tỉnh"])


class LinesGiven(Given):
    """Đồng per person and month."""

    RURAL: Line = Field(examples=[2_000_000])
    URBAN: Line = Field(examples=[2_500_000])


class ThresholdsGiven(Given):
    """Points of form B1 that stand for the lines; they are never worked out from them."""

    RURAL: Threshold = Field(examples=[160])
    URBAN: Threshold = Field(examples=[195])


class IndicatorGiven(Given):
    """One indicator that the province counts."""

    code: ShortText = Field(examples=["WATER_SOURCE"])
    dimension: ShortText = Field(examples=["WATER_SANITATION"])
    dimension_vi: Name = Field(examples=["Nước sinh hoạt và vệ sinh"])
    label_vi: Name = Field(examples=["Nguồn nước sinh hoạt"])
    label_en: Name = Field(examples=["Source of domestic water"])
    restricted: bool


class LocalStandardGiven(Given):
    """A province's own standard. What it leaves out it has from the national one it stands beside."""

    code: Annotated[str, Field(pattern=r"^[A-Z0-9_]{3,40}$", examples=["STD_64_2023"])]
    province: Annotated[str, Field(pattern=r"^[0-9]{2}$", examples=["64"])]
    base: ShortText = Field(examples=["STD_2022_2025"])
    title_vi: Name = Field(examples=["Chuẩn nghèo của tỉnh giai đoạn 2023 - 2025"])
    title_en: Name = Field(examples=["The province's poverty standard 2023-2025"])
    valid_from: Day = Field(examples=["2023-01-01"])
    valid_to: Day = Field(examples=["2025-12-31"])
    document: StandardDocument
    income_lines: LinesGiven
    b1_thresholds: ThresholdsGiven | None = Field(
        default=None, description="empty = not known: the standard is listed and refuses to classify"
    )
    b2_threshold: Threshold | None = None
    points_per_indicator: Annotated[int, Field(strict=True, ge=1, le=1000)] | None = None
    indicators: list[IndicatorGiven] | None = Field(
        default=None, min_length=1, max_length=50, description="empty = those of the national standard"
    )

    def content(self) -> dict[str, Any]:
        """The same as the rules read it."""
        said = self.model_dump(mode="json", exclude_none=True)
        document = said["document"]
        named = f"{document['number']} ({self.document.issued_on:%d/%m/%Y}), {document['issuer']}"
        rules = {name: said[name] for name in ("b2_threshold", "points_per_indicator") if name in said}
        kept = ("code", "base", "title_vi", "title_en", "valid_from", "valid_to", "document")
        optional: dict[str, Any] = {
            name: said[name] for name in ("b1_thresholds", "indicators") if name in said
        }
        return {
            **{name: said[name] for name in kept},
            **optional,
            "scope": self.province,
            "legal": document["number"],
            "sources": [named],
            "income_lines_dong": said["income_lines"],
            "rules": rules,
        }


class IndicatorShown(Shown):
    """One indicator in its official place."""

    number: int = Field(examples=[1])
    code: str = Field(examples=["EMPLOYMENT"])
    dimension: str = Field(examples=["EMPLOYMENT"])
    label: str = Field(examples=["Việc làm"])
    restricted: bool


class StandardShown(Shown):
    """A standard: its lines, thresholds and indicators, or what is missing of it."""

    id: uuid.UUID | None = Field(description="of a province's own; null = it came with the service")
    code: str = Field(examples=["STD_2022_2025"])
    scope: str = Field(description="NATIONAL, or the code of the province", examples=["NATIONAL"])
    base: str | None = Field(description="of a province's own: the national standard beside it")
    title: str
    valid_from: dt.date
    valid_to: dt.date
    rule_version: str
    legal: str
    sources: list[str]
    income_lines: dict[str, int] = Field(examples=[{"RURAL": 1_500_000, "URBAN": 2_000_000}])
    b1_thresholds: dict[str, int] = Field(examples=[{"RURAL": 140, "URBAN": 175}])
    b2_threshold: int | None
    points_per_indicator: int | None
    indicators: list[IndicatorShown]
    complete: bool = Field(description="false = it refuses to classify, and `missing` says why")
    missing: str | None
    loaded_by: str | None
    recorded_at: dt.datetime | None


class StandardsShown(Shown):
    """All standards, the nation's first."""

    items: list[StandardShown]


@router.get("/standards")
async def all_standards(
    *,
    principal: Reader,
    conn: Conn,
    lang: Lang,
    province: Annotated[str | None, Query(pattern=r"^[0-9]{2}$", description="one province alone")] = None,
) -> StandardsShown:
    """The nation's standards and those that provinces have loaded. How many indicators there are is theirs."""
    del principal
    newest = {each.standard.code: each for each in await store.local_standards.loads(conn, province)}
    national = [_standard(each, None, lang) for each in standards().values()]
    return StandardsShown(items=[*national, *(_loaded(each, lang) for each in newest.values())])


@router.post("/standards", status_code=201, responses=problems.responses(OutsideArea))
async def load(
    *,
    given: LocalStandardGiven,
    principal: LawLoader,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    response: Response,
    once: OnlyOnce,
) -> StandardShown:
    """Load a province's own higher standard from its document. What was decided in its time is judged by it too.

    The national result stays what it was. A standard that is loaded again counts from then on.
    """
    if once.first:
        await actions.local_standards.load(conn, principal, vault, given.content())
    response.headers["Location"] = f"/v1/standards/{given.code}"
    return await _found(conn, given.code, lang)


@router.get("/standards/{standard}", responses=problems.responses(StandardNotFound))
async def one(
    *, standard: Annotated[str, Path(max_length=50)], principal: Reader, conn: Conn, lang: Lang
) -> StandardShown:
    """One standard, as it counts now."""
    del principal
    return await _found(conn, standard, lang)


async def _found(conn: Conn, code: str, lang: Lang) -> StandardShown:
    if code in standards():
        return _standard(standards()[code], None, lang)
    loaded = await store.local_standards.of_code(conn, code)
    if not loaded:
        raise StandardNotFound
    return _loaded(loaded[-1], lang)


def _loaded(loaded: Loaded, lang: Lang) -> StandardShown:
    return _standard(loaded.standard, loaded, lang)


def _standard(one: Standard, loaded: Loaded | None, lang: Lang) -> StandardShown:
    return StandardShown(
        id=loaded and loaded.id,
        code=one.code,
        scope=one.scope,
        base=loaded and loaded.base,
        title=one.title_vi if lang == "vi" else one.title_en,
        valid_from=one.valid_from,
        valid_to=one.valid_to,
        rule_version=one.rule_version,
        legal=one.legal,
        sources=list(one.sources),
        income_lines=_by_area(one.income_lines),
        b1_thresholds=_by_area(one.b1_thresholds),
        b2_threshold=one.b2_threshold,
        points_per_indicator=one.points_per_indicator,
        indicators=[
            IndicatorShown(
                number=each.number,
                code=each.code,
                dimension=each.dimension,
                label=each.label_vi if lang == "vi" else each.label_en,
                restricted=each.restricted,
            )
            for each in one.indicators
        ],
        complete=one.complete,
        missing=one.incomplete_vi if lang == "vi" else one.incomplete_en,
        loaded_by=loaded and loaded.loaded_by,
        recorded_at=loaded and loaded.recorded_at,
    )


def _by_area(values: Any) -> dict[str, int]:
    return {area.value: values[area] for area in AreaType if area in values}
