"""Who may ask for which loan product, on a day."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from benvung import clock, problems
from benvung.db import Conn
from benvung.paging import After, CursorUnknown, Limit, Page
from benvung.problems import NotFound
from funding import domain
from funding.actions.areas import AreaUnknown
from funding.api.given import AreaCode, Day, Given, Reader, within
from funding.domain import Answer, HouseholdStatus, PovertyClass, Product, Reason, Standing, Status
from funding.store import reading
from funding.store.reading import Count, Fact

router = APIRouter(prefix="/v1", tags=["eligibility"])


class AnswerOut(BaseModel):
    """May the household ask for this product on the day asked about, why, and on what terms."""

    household_id: UUID
    commune: str = Field(description="commune of the household on that day")
    poverty_class: PovertyClass | None = Field(description="official class in force on that day")
    product: Product
    status: Status
    valid_from: dt.date = Field(description="first day of this answer")
    valid_to: dt.date | None = Field(description="first day on which it no longer holds; null = open")
    limit_dong: int | None = Field(description="most that the household may owe, on that day")
    rate_percent: Decimal | None = Field(description="percent per year on that day", examples=["6.6"])
    overdue_rate_percent: Decimal | None = Field(description="percent per year on an overdue balance")
    first_rate_percent: Decimal | None = Field(description="percent per year on the first day, as stored")
    max_term_months: int
    reason: Reason
    reason_text: str = Field(description="the reason in words of the answer's language")
    article: str = Field(description="legal article behind the answer")
    rule_version: str = Field(description="version of the rules that gave the answer")
    source_sequence: int | None = Field(description="sequence of the household event it rests on")

    @classmethod
    def of(cls, fact: Fact, answer: Answer, on: dt.date, lang: str) -> Self:
        """The answer of a fact as people and programs read it."""
        terms = domain.catalogue()[answer.product]
        rate = domain.rate_on(answer.product, on) if answer.eligible else None
        opened = fact.opened if fact.opened and fact.opened.product is answer.product else None
        sentence = domain.sentences()[answer.reason]
        return cls(
            household_id=fact.household_id,
            commune=fact.commune,
            poverty_class=fact.standing.poverty_class,
            product=answer.product,
            status=answer.status,
            valid_from=answer.valid_from,
            valid_to=answer.valid_to,
            limit_dong=terms.limit_on(on) if answer.eligible else None,
            rate_percent=rate.percent if rate else None,
            overdue_rate_percent=rate.overdue_percent if rate else None,
            first_rate_percent=_plain(fact.rate_percent) if opened else None,
            max_term_months=terms.max_term_months,
            reason=answer.reason,
            reason_text=sentence.en if lang == "en" else sentence.vi,
            article=fact.article if opened else terms.article,
            rule_version=fact.rule_version,
            source_sequence=fact.sequence or None,
        )


class HouseholdAnswers(BaseModel):
    """The answers to all products for one household on a day."""

    household_id: UUID
    on: dt.date
    answers: list[AnswerOut]


class ProductCount(BaseModel):
    """Households that may ask for a product, and how that changed."""

    product: Product
    name: str = Field(description="the product in words of the answer's language")
    households: int = Field(description="entitled on `on`")
    households_before: int | None = Field(description="entitled on `since`")
    entries: int | None = Field(description="entitled on `on` and not on `since`")
    exits: int | None = Field(description="entitled on `since` and not on `on`")


class Summary(BaseModel):
    """Counts by product. households = households_before + entries - exits."""

    area: str | None
    on: dt.date
    since: dt.date | None
    products: list[ProductCount]


class Narrowed(Given):
    """What a list of entitled households is narrowed to."""

    area: AreaCode | None = Field(default=None, description="code of an area: households in it")
    product: Product | None = None
    on: Day | None = Field(default=None, description="the day asked about; empty = today")
    household_id: UUID | None = None
    after: After = None
    limit: Limit = 100


class Compared(Given):
    """Which area and days a summary is about."""

    area: AreaCode | None = None
    on: Day | None = Field(default=None, description="the day asked about; empty = today")
    since: Day | None = Field(default=None, description="an earlier day, for entries and exits")


class Asked(Given):
    """The day a question is about."""

    on: Day | None = Field(default=None, description="the day asked about; empty = today")


@router.get("/eligibility", responses=problems.responses(CursorUnknown, AreaUnknown))
async def list_eligible(
    narrowed: Annotated[Narrowed, Query()], conn: Conn, principal: Reader, request: Request
) -> Page[AnswerOut]:
    """Households that may ask for a product on a day, in the caller's areas, by household id."""
    on = narrowed.on or clock.today()
    wanted = reading.Wanted(on, narrowed.product, narrowed.household_id)
    facts, following = await reading.eligible_page(
        conn, within(principal, narrowed.area), wanted, narrowed.after, narrowed.limit
    )
    items = [
        AnswerOut.of(fact, answer, on, request.state.lang)
        for fact in facts
        for answer in fact.answers_on(on)
        if answer.eligible
    ]
    return Page(items=items, next=following)


@router.get("/eligibility/summary", responses=problems.responses(AreaUnknown))
async def summarise(
    compared: Annotated[Compared, Query()], conn: Conn, principal: Reader, request: Request
) -> Summary:
    """Households entitled to each product on a day, with entries and exits since an earlier one."""
    on = compared.on or clock.today()
    found = await reading.counts(conn, within(principal, compared.area), on, compared.since or on)
    return Summary(
        area=compared.area,
        on=on,
        since=compared.since,
        products=[_count(each, request.state.lang, compared=compared.since is not None) for each in found],
    )


@router.get("/households/{household_id}/eligibility", responses=problems.responses(NotFound))
async def read_household(
    household_id: UUID, asked: Annotated[Asked, Query()], conn: Conn, principal: Reader, request: Request
) -> HouseholdAnswers:
    """The answers to all products for one household on a day, each with its reason."""
    on = asked.on or clock.today()
    scope = principal.scope()
    fact = await reading.fact_on(conn, scope, household_id, on)
    if fact is None:
        commune = await reading.commune_before_facts(conn, scope, household_id, on)
        if commune is None:
            raise NotFound
        fact = _undecided(household_id, commune, on)
    answers = [AnswerOut.of(fact, answer, on, request.state.lang) for answer in fact.answers_on(on)]
    return HouseholdAnswers(household_id=household_id, on=on, answers=answers)


def _undecided(household_id: UUID, commune: str, on: dt.date) -> Fact:
    """A household that had no official decision on that day."""
    standing = Standing(HouseholdStatus.ACTIVE, None, None, None, on)
    return Fact(
        household_id=household_id,
        sequence=0,
        commune=commune,
        standing=standing,
        opened=None,
        limit_dong=None,
        rate_percent=None,
        article="",
        rule_version=domain.rule_version(),
    )


def _count(count: Count, lang: str, *, compared: bool) -> ProductCount:
    terms = domain.catalogue()[count.product]
    return ProductCount(
        product=count.product,
        name=terms.name_en if lang == "en" else terms.name_vi,
        households=count.households,
        households_before=count.households_before if compared else None,
        entries=count.entries if compared else None,
        exits=count.exits if compared else None,
    )


def _plain(percent: Decimal | None) -> Decimal | None:
    """Without the zeros that the column's scale adds."""
    return None if percent is None else Decimal(f"{percent.normalize():f}")
