"""The situation of an area, its communes, and the years before."""

from datetime import date
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from benvung.auth import OutsideArea
from benvung.db import Conn
from benvung.problems import responses
from reporting import domain
from reporting.actions import situation as situations
from reporting.actions.geographies import ReorganisationNotRecorded
from reporting.actions.places import AreaUnknown
from reporting.api.asked import AskedPlace, Language, NoteModel, StageAsked, Standard, notes
from reporting.api.models import (
    AreaFigures,
    AreaModel,
    CountModel,
    HouseholdTotalModel,
    PopulationModel,
    RateModel,
    SourceModel,
)
from reporting.domain import Stage
from reporting.words import Words

SOURCES = 20

router = APIRouter(
    tags=["situation"], responses=responses(AreaUnknown, OutsideArea, ReorganisationNotRecorded)
)


class SituationAnswer(AreaFigures):
    """Households by class in an area on a day."""

    on: date
    stage: str = Field(description="OFFICIAL or PRELIMINARY; the two are never mixed")
    stage_label: str = Field(examples=["chính thức", "sơ bộ"])
    standard: str | None = Field(description="the only standard counted; null = all")
    compared_with: date | None = Field(description="the year-end that changes refer to")
    sources: list[SourceModel] = Field(description="the newest decisions behind the figures, at most 20")
    notes: list[NoteModel] = Field(description="what is not known of the units of that day")

    @classmethod
    def made(cls, found: situations.Situation, say: Words) -> Self:
        """From the situation."""
        figures = AreaFigures.of(found.total, found.compared_with, say)
        return cls(
            area=figures.area,
            recorded=figures.recorded,
            total=figures.total,
            classes=figures.classes,
            on=found.place.on,
            stage=found.stage.value,
            stage_label=say.label("stage", found.stage.value),
            standard=found.standard,
            compared_with=found.compared_with,
            sources=[SourceModel.of(one) for one in found.lists[:SOURCES]],
            notes=notes(found.place.on, say),
        )


class CommunesAnswer(BaseModel):
    """The same for each commune of the area, and their total."""

    total: SituationAnswer
    communes: list[AreaFigures] = Field(
        description="in the order of their codes; of the whole country those with any figure"
    )


class TrendPoint(BaseModel):
    """The area on one day: a year-end, or the day asked about."""

    on: date
    classes: dict[str, CountModel]
    recorded: PopulationModel | None
    total: HouseholdTotalModel | None
    rates: dict[str, RateModel] = Field(description="share of households by class")


class TrendAnswer(BaseModel):
    """The area over years, by official decisions."""

    area: AreaModel
    standard: str | None
    points: list[TrendPoint] = Field(
        description="oldest first; days before the first official list are absent"
    )


@router.get("/situation")
async def read_situation(
    conn: Conn,
    place: AskedPlace,
    say: Language,
    stage: StageAsked = Stage.OFFICIAL,
    standard: Standard = None,
) -> SituationAnswer:
    """Households and persons by class in the area on a day, with shares and the change."""
    return SituationAnswer.made(await situations.situation(conn, place, stage, standard, []), say)


@router.get("/situation/communes")
async def read_communes(
    conn: Conn,
    place: AskedPlace,
    say: Language,
    stage: StageAsked = Stage.OFFICIAL,
    standard: Standard = None,
) -> CommunesAnswer:
    """The situation of each commune of the area, and the total."""
    found = await situations.situation(conn, place, stage, standard)
    return CommunesAnswer(
        total=SituationAnswer.made(found, say),
        communes=[AreaFigures.of(row, found.compared_with, say) for row in found.parts],
    )


@router.get("/trend")
async def read_trend(
    conn: Conn,
    place: AskedPlace,
    say: Language,
    years: Annotated[int, Query(ge=1, le=20, description="how many year-ends back")] = 5,
    standard: Standard = None,
) -> TrendAnswer:
    """Households by class at the last year-ends and on the day asked about."""
    points = await situations.trend(conn, place, years, standard)
    return TrendAnswer(
        area=AreaModel.of(place.unit), standard=standard, points=[_point(point, say) for point in points]
    )


def _point(point: situations.Point, say: Words) -> TrendPoint:
    whole = point.population.households if point.population else None
    shares = {
        code: domain.percents(domain.rate(count.households, whole)) for code, count in point.counts.items()
    }
    return TrendPoint(
        on=point.on,
        classes={code: CountModel.of(count) for code, count in point.counts.items()},
        recorded=PopulationModel.of(point.population),
        total=HouseholdTotalModel.of(point.population) if point.population else None,
        rates={code: RateModel.of(share, say) for code, share in shares.items()},
    )
