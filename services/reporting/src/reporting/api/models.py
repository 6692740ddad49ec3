"""The parts that several answers share."""

from datetime import date
from decimal import Decimal
from typing import Self

from pydantic import BaseModel, Field

from benvung.areas import Unit
from reporting.actions.situation import Figure, Row
from reporting.domain import Count, Percent, Population, percent, percents
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
    def of(cls, population: Population | None) -> Self | None:
        """From the population; null where persons or the exact number of households are not known."""
        if population is None or population.persons is None or population.households.exact is None:
            return None
        return cls(
            households=population.households.exact,
            persons=population.persons,
            as_of=population.as_of,
            source=population.source,
            communes_added=population.parts,
        )


class HouseholdTotalModel(BaseModel):
    """How many households the area has, where that is known: exactly, or as a range."""

    least: int = Field(examples=[387_943])
    most: int = Field(description="the same number where it is known exactly", examples=[388_366])
    as_of: date = Field(description="the day it was recorded for; of a sum, of its oldest part")
    source: str = Field(description="code or number of the document that says so", examples=["12/BC-UBND"])
    communes_added: int = Field(
        description="how many communes were added up; 0 = recorded for the area itself"
    )

    @classmethod
    def of(cls, population: Population) -> Self:
        """From the population."""
        return cls(
            least=population.households.least,
            most=population.households.most,
            as_of=population.as_of,
            source=population.source,
            communes_added=population.parts,
        )


class RateModel(BaseModel):
    """A share in percent; null without a denominator, and the text says so.

    Of a range of households it is a range: `percent` is null then, unless both ends are rounded to it.
    """

    percent: Decimal | None = Field(description="two decimals, as a string", examples=["33.78"])
    text: str = Field(examples=["33,78 %", "8,11–8,12 %", "chưa có mẫu số"])
    least: Decimal | None = Field(description="at least so much", examples=["33.78"])
    most: Decimal | None = Field(description="at most so much", examples=["33.78"])

    @classmethod
    def of(cls, found: Percent | None, say: Words) -> Self:
        """From the share."""
        if found is None:
            return cls(percent=None, text=say.rate(None), least=None, most=None)
        return cls(percent=found.one, text=say.rate(found), least=found.least, most=found.most)


class ChangeModel(BaseModel):
    """The change since an earlier year-end."""

    since: date = Field(examples=["2022-12-31"])
    households: int = Field(description="how many more households; negative = fewer", examples=[-759])
    points: Decimal | None = Field(
        description="change of the share in percentage points: the unrounded difference, rounded to two decimals",
        examples=["-5.91"],
    )
    text: str = Field(examples=["giảm 5,91 điểm phần trăm so với 31/12/2022"])
    least: Decimal | None = Field(description="where a share is a range: at least", examples=["-5.91"])
    most: Decimal | None = Field(description="where a share is a range: at most", examples=["-5.91"])


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
            household_rate=RateModel.of(percents(figure.household_rate), say),
            person_rate=RateModel.of(_exactly(percent(figure.person_rate)), say),
            change=_change(figure, since, say),
        )


def _exactly(value: Decimal | None) -> Percent | None:
    return None if value is None else Percent(value, value)


def _change(figure: Figure, since: date | None, say: Words) -> ChangeModel | None:
    if since is None or figure.more_households is None:
        return None
    change = figure.change
    return ChangeModel(
        since=since,
        households=figure.more_households,
        points=change and change.one,
        text=say.t("rate.none") if change is None else say.change(change, since),
        least=change and change.least,
        most=change and change.most,
    )


class AreaFigures(BaseModel):
    """The figures of one area by class."""

    area: AreaModel
    recorded: PopulationModel | None = Field(
        description="null: no population recorded, chưa có mẫu số; or only `total` is known"
    )
    total: HouseholdTotalModel | None = Field(description="null: nobody said how many households there are")
    classes: dict[str, FigureModel] = Field(description="by class: POOR, NEAR_POOR, AVERAGE_LIVING, NOT_POOR")

    @classmethod
    def of(cls, row: Row, since: date | None, say: Words) -> Self:
        """From a row compared with the day `since`."""
        return cls(
            area=AreaModel.of(row.unit),
            recorded=PopulationModel.of(row.population),
            total=HouseholdTotalModel.of(row.population) if row.population else None,
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
