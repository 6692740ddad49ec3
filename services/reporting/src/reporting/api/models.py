"""The parts that several answers share."""

from datetime import date
from decimal import Decimal
from typing import Self

from pydantic import BaseModel, Field

from benvung.areas import Unit
from reporting.actions.situation import Figure, Row
from reporting.domain import Count, Population, percent
from reporting.store import ApprovedList
from reporting.words import Words


class AreaModel(BaseModel):
    """An administrative unit."""

    code: str = Field(description="its code on that day", examples=["630"])
    name: str = Field(examples=["Huyện Kông Chro"])
    level: str = Field(description="COUNTRY, PROVINCE, DISTRICT or COMMUNE", examples=["DISTRICT"])

    @classmethod
    def of(cls, unit: Unit) -> Self:
        """From the unit."""
        return cls(code=unit.code, name=unit.name, level=unit.level.value)


class CountModel(BaseModel):
    """Households and the persons in them."""

    households: int
    persons: int

    @classmethod
    def of(cls, count: Count) -> "CountModel":
        """From the count."""
        return CountModel(households=count.households, persons=count.persons)


class PopulationModel(BaseModel):
    """All households and persons of the area as recorded: the denominator of every share."""

    households: int = Field(examples=[12836])
    persons: int
    as_of: date = Field(description="the day it was recorded for; of a sum, of its oldest part")
    source: str = Field(description="code or number of the document that says so")
    communes_added: int = Field(
        description="how many communes were added up; 0 = recorded for the area itself"
    )

    @classmethod
    def of(cls, population: Population) -> Self:
        """From the population."""
        return cls(
            households=population.households,
            persons=population.persons,
            as_of=population.as_of,
            source=population.source,
            communes_added=population.parts,
        )


class RateModel(BaseModel):
    """A share in percent; null without a recorded population, and the text says so."""

    percent: Decimal | None = Field(description="two decimals, as a string", examples=["33.78"])
    text: str = Field(examples=["33,78 %", "chưa có mẫu số"])


class ChangeModel(BaseModel):
    """The change since an earlier year-end."""

    since: date = Field(examples=["2022-12-31"])
    households: int = Field(description="how many more households; negative = fewer", examples=[-759])
    points: Decimal | None = Field(
        description="change of the share in percentage points: the unrounded difference, rounded to two decimals",
        examples=["-5.91"],
    )
    text: str = Field(examples=["giảm 5,91 điểm phần trăm so với 31/12/2022"])


class FigureModel(BaseModel):
    """One class: how many, which share, how it changed."""

    label: str = Field(examples=["Hộ nghèo"])
    households: int = Field(examples=[4336])
    persons: int
    household_rate: RateModel
    person_rate: RateModel
    change: ChangeModel | None = Field(description="null when there is nothing to compare with")

    @classmethod
    def of(cls, code: str, figure: Figure, since: date | None, say: Words) -> Self:
        """From a figure compared with the day `since`."""
        return cls(
            label=say.label("class", code),
            households=figure.count.households,
            persons=figure.count.persons,
            household_rate=_rate(percent(figure.household_rate), say),
            person_rate=_rate(percent(figure.person_rate), say),
            change=_change(figure, since, say),
        )


def _rate(value: Decimal | None, say: Words) -> RateModel:
    return RateModel(percent=value, text=say.rate(value))


def _change(figure: Figure, since: date | None, say: Words) -> ChangeModel | None:
    if since is None or figure.more_households is None:
        return None
    text = say.t("rate.none") if figure.change is None else say.change(figure.change, since)
    return ChangeModel(since=since, households=figure.more_households, points=figure.change, text=text)


class AreaFigures(BaseModel):
    """The figures of one area by class."""

    area: AreaModel
    recorded: PopulationModel | None = Field(description="null: no population recorded, chưa có mẫu số")
    classes: dict[str, FigureModel] = Field(description="by class: POOR, NEAR_POOR, AVERAGE_LIVING, NOT_POOR")

    @classmethod
    def of(cls, row: Row, since: date | None, say: Words) -> Self:
        """From a row compared with the day `since`."""
        return cls(
            area=AreaModel.of(row.unit),
            recorded=PopulationModel.of(row.population) if row.population else None,
            classes={code: FigureModel.of(code, figure, since, say) for code, figure in row.figures.items()},
        )


class SourceModel(BaseModel):
    """A decision that figures rest on."""

    year: int
    review_kind: str = Field(description="ANNUAL or REGULAR")
    standard: str = Field(examples=["STD_2022_2025"])
    valid_from: date
    decided_on: date
    decision_number: str = Field(description="empty when the decision has none")

    @classmethod
    def of(cls, one: ApprovedList) -> Self:
        """From the list as decided."""
        return cls(
            year=one.year,
            review_kind=one.review_kind,
            standard=one.standard,
            valid_from=one.valid_from,
            decided_on=one.decided_on,
            decision_number=one.decision_number,
        )
