"""What areas were given: eligibility by product, money by project, training."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from benvung.auth import OutsideArea
from benvung.db import Conn
from benvung.problems import responses
from reporting.actions import support
from reporting.actions.geographies import ReorganisationNotRecorded
from reporting.actions.places import AreaUnknown
from reporting.api.asked import (
    FIRST_DAY,
    LAST_DAY,
    Area,
    AskedPlace,
    Asker,
    Geography,
    Language,
    Year,
    place_of_year,
)
from reporting.api.models import AreaModel
from reporting.domain import Total, year_end
from reporting.store import Eligible
from reporting.words import Words

router = APIRouter(responses=responses(AreaUnknown, OutsideArea))
PLACED = responses(AreaUnknown, OutsideArea, ReorganisationNotRecorded)


class EligibleModel(BaseModel):
    """Households that may borrow under one product."""

    label: str
    households: int = Field(description="eligible on the day")
    entries: int = Field(description="became eligible after `since`, up to the day")
    exits: int = Field(description="ceased to be eligible after `since`, up to the day")


class CommuneEligibility(BaseModel):
    """One commune's products."""

    area: AreaModel
    products: dict[str, EligibleModel]


class EligibilityAnswer(BaseModel):
    """Eligible households by product."""

    area: AreaModel
    on: date
    since: date
    products: dict[str, EligibleModel] = Field(description="by product: POOR, NEAR_POOR, NEWLY_ESCAPED")
    communes: list[CommuneEligibility]


@router.get("/eligibility", tags=["eligibility"], responses=PLACED)
async def read_eligibility(
    conn: Conn,
    place: AskedPlace,
    say: Language,
    since: Annotated[
        date | None,
        Query(
            ge=FIRST_DAY, le=LAST_DAY, description="entries and exits after this day; empty = last year-end"
        ),
    ] = None,
) -> EligibilityAnswer:
    """How many households may borrow under each product on a day, and who came and went since another."""
    found = await support.eligibility(conn, place, since or year_end(place.on.year - 1))
    return EligibilityAnswer(
        area=AreaModel.of(place.unit),
        on=place.on,
        since=found.since,
        products=_products(found.total, say),
        communes=[
            CommuneEligibility(area=AreaModel.of(unit), products=_products(products, say))
            for unit, products in found.communes
        ],
    )


def _products(found: Mapping[str, Eligible], say: Words) -> dict[str, EligibleModel]:
    return {
        product: EligibleModel(
            label=say.label("product", product),
            households=one.households,
            entries=one.entries,
            exits=one.exits,
        )
        for product, one in found.items()
    }


class CapitalModel(BaseModel):
    """Money of one capital type."""

    label: str
    amount_dong: int
    text: str = Field(examples=["54.532 triệu đồng"])


class MoneyLine(BaseModel):
    """Money of one project, capital type, source and year of origin."""

    area: str = Field(description="code of the unit it was given to")
    project: str
    capital_type: str
    source: str
    source_label: str
    origin_year: int = Field(description="earlier than the year when carried over")
    amount_dong: int
    decisions: list[str] = Field(description="numbers of the decisions")
    last_decided_on: date


class MoneyAnswer(BaseModel):
    """Money allocated for a year."""

    area: AreaModel
    year: int
    basis: str = Field(
        description="OWN: given to the area itself; BELOW: to units inside it, where the area has none"
    )
    basis_label: str
    total_dong: int = Field(examples=[82_801_000_000])
    total_text: str = Field(examples=["82.801 triệu đồng"])
    by_capital_type: dict[str, CapitalModel]
    lines: list[MoneyLine]


@router.get("/money", tags=["money"])
async def read_money(
    *, conn: Conn, principal: Asker, area: Area, year: Year, say: Language, geography: Geography = "then"
) -> MoneyAnswer:
    """The money allocated to an area for a year, in đồng."""
    found = await support.budget(conn, place_of_year(principal, area, year, geography), year)
    return MoneyAnswer(
        area=AreaModel.of(found.place.unit),
        year=year,
        basis=found.basis,
        basis_label=say.basis(found.basis, by_now=found.place.drawn is not None),
        total_dong=found.total_dong,
        total_text=say.formats.money(found.total_dong),
        by_capital_type={
            kind: CapitalModel(
                label=say.label("capital", kind), amount_dong=amount, text=say.formats.money(amount)
            )
            for kind, amount in found.by_capital_type.items()
        },
        lines=[
            MoneyLine(
                area=line.area,
                project=line.project,
                capital_type=line.capital_type,
                source=line.source,
                source_label=say.label("source", line.source),
                origin_year=line.origin_year,
                amount_dong=line.amount_dong,
                decisions=list(line.decisions),
                last_decided_on=line.last_decided_on,
            )
            for line in found.lines
        ],
    )


class TotalModel(BaseModel):
    """Participants added up, no more exact than the least exact of them."""

    classes: int
    participants: int
    qualifier: str = Field(description="EXACT, AT_LEAST, AT_MOST or ABOUT")
    exact: int = Field(description="the part that was counted exactly")
    text: str = Field(examples=["ít nhất 250"])


class TrainingAnswer(BaseModel):
    """Training that ended in a year, in the area and below."""

    area: AreaModel
    year: int
    total: TotalModel
    projects: dict[str, TotalModel]


@router.get("/training", tags=["training"])
async def read_training(
    *, conn: Conn, principal: Asker, area: Area, year: Year, say: Language, geography: Geography = "then"
) -> TrainingAnswer:
    """Classes held in a year and who took part, by project."""
    found = await support.trainings(conn, place_of_year(principal, area, year, geography), year)
    return TrainingAnswer(
        area=AreaModel.of(found.place.unit),
        year=year,
        total=_total(found.classes, found.total, say),
        projects={code: _total(classes, total, say) for code, (classes, total) in found.by_project.items()},
    )


def _total(classes: int, total: Total, say: Words) -> TotalModel:
    return TotalModel(
        classes=classes,
        participants=total.participants,
        qualifier=total.qualifier.value,
        exact=total.exact,
        text=say.people(total),
    )
