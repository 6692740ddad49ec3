"""The law behind the answers: products with their terms on a day, components of programmes; and the check."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from benvung import clock, problems
from benvung.db import Conn
from funding import domain
from funding.actions.areas import AreaUnknown
from funding.api.given import AreaCode, Day, Given, Reader, within
from funding.domain import Component, PovertyClass, Product, Terms
from funding.store import reading

router = APIRouter(prefix="/v1", tags=["reference"])


class LegalDocument(BaseModel):
    """A legal document that the data files name."""

    number: str
    date: dt.date
    title: str


class ProductOut(BaseModel):
    """A loan product with its terms on a day."""

    product: Product
    vbsp_code: str = Field(description="code in the bank's own system")
    name: str
    class_served: str
    limit_dong: int | None
    max_term_months: int
    rate_percent: Decimal | None = Field(description="percent per year", examples=["7.488"])
    overdue_rate_percent: Decimal | None
    window_months: int | None = Field(description="months after leaving the list; null = no window")
    article: str
    legal: list[LegalDocument]
    confidence: str = Field(description="seen in a source, or remembered: high, medium")
    restricted: bool
    rule_version: str


class ComponentOut(BaseModel):
    """A project or sub-project of a programme, or the programme itself."""

    programme: str
    code: str
    parent: str | None
    name: str
    capital_types: list[str] = Field(description="kinds of capital it may receive")
    lead: str | None = Field(description="leading ministry on that day, where known")
    leaf: bool


class ClassCount(BaseModel):
    """Households and their members."""

    households: int
    persons: int


class CommuneClasses(BaseModel):
    """Households by class in one commune."""

    commune: str
    classes: dict[PovertyClass, ClassCount]


class Check(BaseModel):
    """Households by class as this service knows them, to be compared with the register's."""

    area: str
    communes: list[CommuneClasses]
    total: dict[PovertyClass, ClassCount]


class Asked(Given):
    """The day a question is about."""

    on: Day | None = Field(default=None, description="the day asked about; empty = today")


class Checked(Given):
    """The area to be compared."""

    area: AreaCode


@router.get("/products")
async def list_products(asked: Annotated[Asked, Query()], _: Reader, request: Request) -> list[ProductOut]:
    """Loan products with limit, term and rate on a day."""
    on = asked.on or clock.today()
    return [_product(terms, on, request.state.lang) for terms in domain.catalogue().values()]


@router.get("/projects")
async def list_components(
    asked: Annotated[Asked, Query()], _: Reader, request: Request
) -> list[ComponentOut]:
    """Components of the programmes, which the lines of an allocation name."""
    on = asked.on or clock.today()
    return [
        _component(programme.code, component, on, request.state.lang)
        for programme in domain.programmes().values()
        for component in programme.components.values()
    ]


@router.get("/verify", responses=problems.responses(AreaUnknown))
async def verify(asked: Annotated[Checked, Query()], conn: Conn, principal: Reader) -> Check:
    """Households and persons by commune and class, as events have told this service."""
    rows = await reading.households_by_class(conn, within(principal, asked.area))
    communes: dict[str, dict[PovertyClass, ClassCount]] = {}
    for row in rows:
        communes.setdefault(row.commune, {})[PovertyClass(row.poverty_class)] = ClassCount(
            households=row.households, persons=row.persons
        )
    return Check(
        area=asked.area,
        communes=[CommuneClasses(commune=code, classes=classes) for code, classes in communes.items()],
        total=_total(communes.values()),
    )


def _total(communes: Any) -> dict[PovertyClass, ClassCount]:
    total: dict[PovertyClass, ClassCount] = {}
    for classes in communes:
        for poverty_class, count in classes.items():
            known = total.get(poverty_class, ClassCount(households=0, persons=0))
            total[poverty_class] = ClassCount(
                households=known.households + count.households, persons=known.persons + count.persons
            )
    return total


def _product(terms: Terms, on: dt.date, lang: str) -> ProductOut:
    rate = domain.rate_on(terms.product, on)
    codes = dict.fromkeys((*terms.legal, *(rate.legal if rate else ())))
    documents = [domain.legal_document(code) for code in codes]
    return ProductOut(
        product=terms.product,
        vbsp_code=terms.vbsp_code,
        name=terms.name_en if lang == "en" else terms.name_vi,
        class_served=terms.class_served,
        limit_dong=terms.limit_on(on),
        max_term_months=terms.max_term_months,
        rate_percent=rate.percent if rate else None,
        overdue_rate_percent=rate.overdue_percent if rate else None,
        window_months=terms.window.months if terms.window else None,
        article=terms.article,
        legal=[LegalDocument(number=d["number"], date=d["date"], title=d["title_vi"]) for d in documents],
        confidence=terms.confidence,
        restricted=terms.restricted,
        rule_version=domain.rule_version(),
    )


def _component(programme: str, component: Component, on: dt.date, lang: str) -> ComponentOut:
    return ComponentOut(
        programme=programme,
        code=component.code,
        parent=component.parent,
        name=component.name_en if lang == "en" else component.name_vi,
        capital_types=list(component.capital),
        lead=component.lead_on(on),
        leaf=component.leaf,
    )
