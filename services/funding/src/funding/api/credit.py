"""Policy credit as the law has it: products with their terms on a day, the rate of a loan, the bank's programmes."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Self

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from benvung import areas, clock, problems
from benvung.problems import Invalid, NotFound
from funding import domain
from funding.actions.areas import AreaUnknown
from funding.api.given import Day, Given, ProvinceCode, Reader
from funding.domain import (
    Amount,
    BorrowerClass,
    CreditProduct,
    FundSource,
    Lending,
    LendingState,
    StepKind,
    Words,
)

router = APIRouter(prefix="/v1", tags=["credit"])

CONFIDENCE = "how it is known: seen in a source, computed, remembered (high, medium), inferred, low"


class DocumentOut(BaseModel):
    """A legal document that the data files name."""

    number: str = Field(examples=["2553/QĐ-TTg"])
    date: dt.date | None = Field(description="null where it is not known")
    title: str
    confidence: str = Field(description=CONFIDENCE)

    @classmethod
    def of(cls, code: str) -> Self:
        """By the document's code in the data files."""
        row = domain.legal_document(code)
        return cls(
            number=row["number"], date=row.get("date"), title=row["title_vi"], confidence=row["confidence"]
        )


class CodeOut(BaseModel):
    """A code with its meaning in words of the answer's language."""

    code: str = Field(examples=["GROUP"])
    text: str = Field(examples=["Ủy thác qua Tổ tiết kiệm và vay vốn"])


class AmountOut(BaseModel):
    """The most that may be lent by one rule: whole đồng, or percent of something."""

    rule: str = Field(examples=["PER_HOUSEHOLD"])
    text: str = Field(description="the rule in words", examples=["Mức tối đa mỗi hộ"])
    purpose: str | None = Field(
        description="what it is for; null = the whole loan", examples=["sửa chữa nhà ở"]
    )
    amount_dong: int | None
    percent: Decimal | None = Field(examples=["80"])
    as_product: str | None = Field(description="product whose amount it is", examples=["POOR"])
    products: list[str] = Field(description="products that share it; empty = this one", examples=[["POOR"]])
    fund_source: FundSource = Field(examples=["CENTRAL"])
    province: str | None = Field(description="province whose entrusted money it is about")
    since: dt.date | None = Field(description="day from which it is known to hold", examples=["2019-03-01"])
    first_day_known: bool = Field(description="false = it was seen on `since`, and may be older")
    legal: DocumentOut | None
    confidence: str = Field(description=CONFIDENCE)


class SecurityOut(BaseModel):
    """Whether a loan must be secured."""

    kind: str = Field(examples=["NONE"])
    text: str = Field(examples=["Không phải bảo đảm tiền vay"])
    above_dong: int | None = Field(description="amount above which", examples=[200_000_000])
    confidence: str = Field(description=CONFIDENCE)


class GraceOut(BaseModel):
    """Months before repayment begins."""

    months: int = Field(examples=[60])
    text: str = Field(examples=["5 năm đầu chưa phải trả nợ gốc."])


class LendingOut(BaseModel):
    """Whether new loans are made."""

    state: Lending = Field(examples=["OPEN"])
    text: str = Field(examples=["Đang cho vay mới"])
    since: dt.date | None = Field(examples=["2015-06-01"])
    first_day_known: bool = Field(description="false = it was seen on `since`, and may be older")
    confidence: str = Field(description=CONFIDENCE)


class CreditProductOut(BaseModel):
    """A loan product with its terms on a day. What is not known is null or absent from its list."""

    code: str = Field(examples=["POOR"])
    on: dt.date
    vbsp_code: str | None = Field(description="programme in the bank's own system; null where it has none")
    name: str = Field(examples=["Cho vay hộ nghèo"])
    priority_of: str | None = Field(
        description="product whose preferred borrowers it serves", examples=["LABOUR_EXPORT"]
    )
    serves: list[CodeOut]
    excludes: list[CodeOut]
    amounts: list[AmountOut]
    max_term_months: int | None
    term: str | None = Field(description="what the term depends on", examples=["Có thể trên 60 tháng."])
    grace: GraceOut | None
    collateral: list[SecurityOut]
    channels: list[CodeOut]
    conditions: list[str] = Field(examples=[["Cư trú hợp pháp tại địa phương."]])
    lending: LendingOut | None = Field(description="null before the first day of which it is known")
    legal: list[DocumentOut]
    confidence: str = Field(description=CONFIDENCE)
    restricted: bool = Field(description="that one holds such a loan gives away what the law calls sensitive")


class StepOut(BaseModel):
    """A step of the walk through the table of rates."""

    kind: StepKind = Field(examples=["BASE_RATE"])
    product: str
    percent: Decimal | None = Field(description="percent per year after this step", examples=["6.24"])
    text: str = Field(examples=["Lãi suất cho vay hộ nghèo là 6,24 %/năm (từ ngày 01/12/2025)."])
    legal: DocumentOut | None
    first_day_known: bool = Field(description="false = seen in force, but not since when")
    confidence: str = Field(description=CONFIDENCE)


class RateOut(BaseModel):
    """The rate of a loan on a day, in percent per year where not said otherwise, and how it comes about."""

    product: str = Field(description="the product asked for")
    rate_of: str = Field(
        description="the product whose rate it is: that of the priority group, if the borrower is"
    )
    on: dt.date
    contract_date: dt.date
    fund_source: FundSource = Field(examples=["CENTRAL"])
    province: str | None
    contract_percent: Decimal = Field(description="by the table of rates", examples=["7.488"])
    percent: Decimal = Field(description="running on that day, after cuts", examples=["7.488"])
    monthly_percent: Decimal = Field(description="a twelfth, per month", examples=["0.624"])
    overdue_percent: Decimal = Field(description="on an overdue balance", examples=["9.7344"])
    support_percent: Decimal | None = Field(description="paid by the budget", examples=["2"])
    borrower_percent: Decimal = Field(description="paid by the borrower", examples=["7.488"])
    confidence: str = Field(description="of the weakest step; " + CONFIDENCE)
    open_cuts: list[str] = Field(
        description="cuts that may lower the rate in some provinces, left out because none was named",
        examples=[["DISASTER_2025"]],
    )
    steps: list[StepOut]


class ProgrammeOut(BaseModel):
    """A credit programme as the bank's own system numbers it."""

    vbsp_code: str
    short: str | None = Field(description="the bank's abbreviation, where known", examples=["HONGHEO"])
    name: str = Field(examples=["Cho vay ưu đãi hộ nghèo"])
    products: list[str] = Field(description="products of this programme", examples=[["POOR"]])


class Asked(Given):
    """The day a question is about."""

    on: Day | None = Field(default=None, description="the day asked about; empty = today")


class RateAsked(Asked):
    """Which loan a rate is asked for. What is not said of the borrower is taken not to be so."""

    contract_date: Day | None = Field(default=None, description="day of signing; empty = the day asked about")
    fund_source: FundSource = Field(
        default=FundSource.CENTRAL, description="CENTRAL, or LOCAL: entrusted by the province"
    )
    province: ProvinceCode | None = Field(default=None, description="code of the borrower's province")
    borrower_class: BorrowerClass | None = Field(default=None, description="class at signing")
    ethnic_minority: bool = Field(default=False, description="the borrower is of an ethnic minority")
    specially_difficult_area: bool = Field(default=False, description="lives in a specially difficult area")
    disabled: bool = Field(default=False, description="the borrower has a disability")


@router.get("/credit-products")
async def list_credit_products(
    asked: Annotated[Asked, Query()], _: Reader, request: Request
) -> list[CreditProductOut]:
    """All loan products with their terms on a day."""
    on = asked.on or clock.today()
    return [_product(each, on, request.state.lang) for each in domain.credit_products().values()]


@router.get("/credit-products/{code}", responses=problems.responses(NotFound))
async def read_credit_product(
    code: str, asked: Annotated[Asked, Query()], _: Reader, request: Request
) -> CreditProductOut:
    """One loan product with its terms on a day."""
    return _product(_found(code), asked.on or clock.today(), request.state.lang)


@router.get("/credit-products/{code}/rate", responses=problems.responses(Invalid, NotFound, AreaUnknown))
async def read_credit_rate(
    code: str, asked: Annotated[RateAsked, Query()], _: Reader, request: Request
) -> RateOut:
    """The rate of a loan on a day with the walk that led there, or the rule by which there is none."""
    on = asked.on or clock.today()
    question = domain.Question(
        product=_found(code).code,
        contract_date=asked.contract_date or on,
        on=on,
        fund_source=asked.fund_source,
        province=_province(asked.province, on),
        borrower=domain.Borrower(
            poverty_class=asked.borrower_class,
            ethnic_minority=asked.ethnic_minority,
            specially_difficult_area=asked.specially_difficult_area,
            disabled=asked.disabled,
        ),
    )
    return _rate(question, request.state.lang)


@router.get("/credit-programmes")
async def list_credit_programmes(_: Reader, request: Request) -> list[ProgrammeOut]:
    """The bank's credit programmes, with the products of each."""
    return [
        ProgrammeOut(
            vbsp_code=programme.code,
            short=programme.short,
            name=_said(programme.name, request.state.lang),
            products=[
                product.code
                for product in domain.credit_products().values()
                if product.vbsp_code == programme.code
            ],
        )
        for programme in domain.credit_programmes().values()
    ]


def _found(code: str) -> CreditProduct:
    found = domain.credit_products().get(code)
    if found is None:
        raise NotFound
    return found


def _province(code: str | None, on: dt.date) -> str | None:
    if code is None:
        return None
    unit = areas.find(code, on)
    if unit is None or unit.level is not areas.Level.PROVINCE:
        raise AreaUnknown.at(code, on, "query.province")
    return code


def _rate(question: domain.Question, lang: str) -> RateOut:
    rate = domain.credit_rate(question, domain.book())
    return RateOut(
        product=question.product,
        rate_of=rate.product,
        on=question.on,
        contract_date=question.contract_date,
        fund_source=question.fund_source,
        province=question.province,
        contract_percent=rate.contract_percent,
        percent=rate.percent,
        monthly_percent=rate.monthly_percent,
        overdue_percent=rate.overdue_percent,
        support_percent=rate.support_percent,
        borrower_percent=rate.borrower_percent,
        confidence=rate.confidence,
        open_cuts=list(rate.open_cuts),
        steps=[
            StepOut(
                kind=step.kind,
                product=step.product,
                percent=step.percent,
                text=_said(step.said, lang),
                legal=DocumentOut.of(step.legal) if step.legal else None,
                first_day_known=step.first_day_known,
                confidence=step.confidence,
            )
            for step in rate.steps
        ],
    )


def _product(product: CreditProduct, on: dt.date, lang: str) -> CreditProductOut:
    lending = product.lending_on(on)
    return CreditProductOut(
        code=product.code,
        on=on,
        vbsp_code=product.vbsp_code,
        name=_said(product.name, lang),
        priority_of=product.priority_of,
        serves=_beneficiaries(product.served_on(on), lang),
        excludes=_beneficiaries(product.excluded, lang),
        amounts=[_amount(each, lang) for each in product.amounts_on(on)],
        max_term_months=product.max_term_months,
        term=_said(product.term, lang) if product.term else None,
        grace=GraceOut(months=product.grace.months, text=_said(product.grace.words, lang))
        if product.grace
        else None,
        collateral=[
            SecurityOut(
                kind=each.kind,
                text=_of("collateral", each.kind, lang),
                above_dong=each.above_dong,
                confidence=each.confidence,
            )
            for each in product.security_on(on)
        ],
        channels=[CodeOut(code=code, text=_of("channel", code, lang)) for code in product.channels],
        conditions=[_said(each, lang) for each in product.conditions],
        lending=_lending(lending, lang) if lending else None,
        legal=[DocumentOut.of(code) for code in product.legal],
        confidence=product.confidence,
        restricted=product.restricted,
    )


def _amount(amount: Amount, lang: str) -> AmountOut:
    return AmountOut(
        rule=amount.rule,
        text=_of("amount_rule", amount.rule, lang),
        purpose=_said(amount.purpose, lang) if amount.purpose else None,
        amount_dong=amount.dong,
        percent=amount.percent,
        as_product=amount.as_product,
        products=list(amount.products),
        fund_source=FundSource(amount.fund) if amount.fund else FundSource.CENTRAL,
        province=amount.province,
        since=amount.span.since,
        first_day_known=amount.span.first_day_known,
        legal=DocumentOut.of(amount.legal) if amount.legal else None,
        confidence=amount.confidence,
    )


def _lending(lending: LendingState, lang: str) -> LendingOut:
    return LendingOut(
        state=lending.state,
        text=_of("lending_state", lending.state.value, lang),
        since=lending.span.since,
        first_day_known=lending.span.first_day_known,
        confidence=lending.confidence,
    )


def _beneficiaries(codes: tuple[str, ...], lang: str) -> list[CodeOut]:
    known = domain.beneficiaries()
    return [CodeOut(code=code, text=_said(known[code].words, lang)) for code in codes]


def _of(kind: str, code: str, lang: str) -> str:
    return _said(domain.words(kind, code), lang)


def _said(words: Words, lang: str) -> str:
    return words.en if lang == "en" else words.vi
