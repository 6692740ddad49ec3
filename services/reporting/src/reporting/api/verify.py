"""The same counts by different ways, to compare with the other services."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from benvung.auth import OutsideArea
from benvung.db import Conn
from benvung.problems import responses
from reporting import domain
from reporting.actions import verify as checks
from reporting.actions.places import AreaUnknown
from reporting.api.asked import AskedPlace, Language
from reporting.api.models import CountModel
from reporting.domain import Count, Product
from reporting.words import Words

router = APIRouter(tags=["verify"], responses=responses(AreaUnknown, OutsideArea))


class CommuneClasses(BaseModel):
    """Households by class in one commune."""

    commune: str
    classes: dict[str, CountModel]


class DifferenceModel(BaseModel):
    """Two ways of counting that disagree about one commune."""

    commune: str
    subject: str = Field(description="class, or loan product")
    ways: tuple[str, str] = Field(description="the two ways compared")
    households: int = Field(description="by how many households the second way counts more")
    persons: int | None = Field(description="null for loan products")
    message: str


class VerifyAnswer(BaseModel):
    """Households by class in force, from newest states, with the same from facts and from counts."""

    area: str
    communes: list[CommuneClasses]
    total: dict[str, CountModel]
    facts: list[CommuneClasses] = Field(description="the same, from every decision and change")
    facts_total: dict[str, CountModel]
    counts_total: dict[str, CountModel] = Field(description="the same, from the counts that reports read")
    products: dict[str, int] = Field(description="eligible households by product on the day")
    agree: bool
    differences: list[DifferenceModel]


@router.get("/verify")
async def read_verify(conn: Conn, place: AskedPlace, say: Language) -> VerifyAnswer:
    """Count the area in every way there is; `agree` says that all give the same."""
    found = await checks.verify(conn, place)
    names = {unit.code: unit.name for unit in place.communes}
    return VerifyAnswer(
        area=place.unit.code,
        communes=_communes(found.states),
        total=_total(found.states),
        facts=_communes(found.facts),
        facts_total=_total(found.facts),
        counts_total=_total(found.counts),
        products={str(one): sum(row[str(one)] for row in found.products.values()) for one in Product},
        agree=not found.differences,
        differences=[_difference(one, names, say) for one in found.differences],
    )


def _communes(found: checks.Classes) -> list[CommuneClasses]:
    return [
        CommuneClasses(commune=code, classes={cls: CountModel.of(count) for cls, count in classes.items()})
        for code, classes in found.items()
    ]


def _total(found: checks.Classes) -> dict[str, CountModel]:
    total: dict[str, Count] = domain.added(found.values())
    return {cls: CountModel.of(count) for cls, count in total.items()}


def _difference(one: checks.Difference, names: dict[str, str], say: Words) -> DifferenceModel:
    product = one.persons is None
    return DifferenceModel(
        commune=one.commune,
        subject=one.subject,
        ways=one.ways,
        households=one.households,
        persons=one.persons,
        message=say.t(
            "difference.product" if product else "difference",
            area=names[one.commune],
            subject=say.label("product" if product else "class", one.subject),
            one=say.label("way", one.ways[0]),
            other=say.label("way", one.ways[1]),
            households=say.formats.number(one.households),
            persons=one.persons,
        ),
    )
