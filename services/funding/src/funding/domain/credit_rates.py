"""Interest of any loan product on a day, for a contract of a day, with the walk through the table that gives it.

A base rate (the poor household's) belongs to a day and holds for all balances; factors, fixed rates and rates taken from
another product belong to a product, to the days of their row, and to a cohort of contracts by the day of signing.
Over that lie the terms of a province's entrusted money, cuts in listed provinces, and interest that the
budget pays for the borrower. What the table does not know is refused by name.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from funding.domain import rate_words
from funding.domain.credit_products import Words, implied_class, preferred
from funding.domain.rate_book import LocalRate, LocalTerms, RateBook, RateRule, RuleKind, plain, weakest

MONTHS = 12
MONTHLY_PLACES = Decimal("0.000001")


class FundSource(StrEnum):
    """Whose money is lent: the bank's own from the centre, or entrusted by the province."""

    CENTRAL = "CENTRAL"
    LOCAL = "LOCAL"


class BorrowerClass(StrEnum):
    """The class of the borrower's household when the contract was signed."""

    POOR = "POOR"
    NEAR_POOR = "NEAR_POOR"
    NEWLY_ESCAPED = "NEWLY_ESCAPED"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Borrower:
    """Facts of the borrower at signing that choose a rate. A flag that is not set says that it is not so."""

    poverty_class: BorrowerClass | None = None
    ethnic_minority: bool = False
    specially_difficult_area: bool = False
    disabled: bool = False

    def facts(self) -> frozenset[str]:
        """The same as codes of the data files."""
        flags = {
            "ETHNIC_MINORITY": self.ethnic_minority,
            "SPECIALLY_DIFFICULT_AREA": self.specially_difficult_area,
            "DISABLED": self.disabled,
        }
        classes = [] if self.poverty_class is None else [self.poverty_class.value]
        return frozenset([*classes, *(code for code, holds in flags.items() if holds)])


@dataclass(frozen=True, slots=True)
class Question:
    """Which loan's rate is asked for. `province` is a code of two digits, None where it is not said."""

    product: str
    contract_date: dt.date
    on: dt.date
    fund_source: FundSource = FundSource.CENTRAL
    province: str | None = None
    borrower: Borrower = Borrower()


class StepKind(StrEnum):
    """What a step of the walk did: applied a row of the table, or what lies over it."""

    BASE_RATE = "BASE_RATE"
    FACTOR = "FACTOR"
    FACTOR_OF = "FACTOR_OF"
    FIXED = "FIXED"
    OVERDUE_FACTOR = "OVERDUE_FACTOR"
    PRIORITY_GROUP = "PRIORITY_GROUP"
    LOCAL_FUND = "LOCAL_FUND"
    CENTRAL_MORE_FAVOURABLE = "CENTRAL_MORE_FAVOURABLE"
    AREA_CUT = "AREA_CUT"
    INTEREST_SUPPORT = "INTEREST_SUPPORT"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what was applied, and the percent per year it gave (None where it only chose the product).

    `first_day_known` is False where the row was seen in force, but not since when.
    """

    kind: StepKind
    product: str
    percent: Decimal | None
    legal: str | None
    source: str | None
    confidence: str
    first_day_known: bool
    said: Words


@dataclass(frozen=True, slots=True)
class CreditRate:
    """The answer, in percent per year except `monthly_percent` (a twelfth, to six decimals).

    `contract_percent` is the rate of the table, `percent` what runs on the day after cuts, `borrower_percent` what
    the borrower pays after the budget's support. Overdue: 1.30 times the contract's rate. `open_cuts` are cuts that may
    lower the rate in some provinces, and were left out because no province was named.
    """

    product: str
    contract_percent: Decimal
    percent: Decimal
    monthly_percent: Decimal
    overdue_percent: Decimal
    support_percent: Decimal | None
    borrower_percent: Decimal
    confidence: str
    open_cuts: tuple[str, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class _Walk:
    """A rate on the way, with the steps behind it."""

    percent: Decimal
    steps: tuple[Step, ...]


def credit_rate(question: Question, book: RateBook) -> CreditRate:
    """The rate asked for. Raises `Refused` with the rule by which there is none."""
    if question.on < question.contract_date:
        raise rate_words.contract_after_day(question.contract_date, question.on)
    product, chosen = _line(question)
    contract = _central(product, question.contract_date, question.on, book)
    if question.fund_source is FundSource.LOCAL:
        contract = _local(product, question, contract, book)
    running, open_cuts = _after_cuts(product, question, contract, book)
    overdue = _times(_general(RuleKind.OVERDUE_FACTOR, question.on, book), contract.percent, product)
    paid = _after_support(product, question.on, running, book)
    steps = (*chosen, *paid.steps, *overdue.steps)
    supported = running.percent - paid.percent
    return CreditRate(
        product=product,
        contract_percent=plain(contract.percent),
        percent=plain(running.percent),
        monthly_percent=plain((running.percent / MONTHS).quantize(MONTHLY_PLACES, ROUND_HALF_UP)),
        overdue_percent=plain(overdue.percent),
        support_percent=plain(supported) if supported else None,
        borrower_percent=plain(paid.percent),
        confidence=weakest([step.confidence for step in steps]),
        open_cuts=open_cuts,
        steps=steps,
    )


def _line(question: Question) -> tuple[str, tuple[Step, ...]]:
    other = preferred(question.product, question.contract_date, question.borrower.facts())
    if other is None:
        return question.product, ()
    step = Step(
        StepKind.PRIORITY_GROUP,
        other,
        percent=None,
        legal=None,
        source=None,
        confidence="seen",
        first_day_known=True,
        said=rate_words.of_priority(other),
    )
    return other, (step,)


def _central(product: str, contract_date: dt.date, on: dt.date, book: RateBook) -> _Walk:
    base = _general(RuleKind.BASE_RATE, on, book)
    rule = _row(book.of_product(product), contract_date, on)
    if rule.kind is RuleKind.FIXED:
        return _Walk(rule.value, (_step(rule, product, rule.value),))
    if rule.kind is RuleKind.FACTOR_OF:
        under = _central(rule.of, contract_date, on, book)
    else:
        under = _Walk(base.value, (_step(base, product, base.value),))
    times = _times(rule, under.percent, product)
    return _Walk(times.percent, (*under.steps, *times.steps))


def _general(kind: RuleKind, on: dt.date, book: RateBook) -> RateRule:
    rules = book.general(kind)
    found = [rule for rule in rules if rule.holds(on)]
    if not found:
        raise rate_words.before_table(rules[0], on)
    return found[0]


def _row(rules: tuple[RateRule, ...], contract_date: dt.date, on: dt.date) -> RateRule:
    cohort = [rule for rule in rules if rule.covers(contract_date)]
    if not cohort:
        if all(rule.signed_from is not None and contract_date < rule.signed_from for rule in rules):
            raise rate_words.before_cohorts(rules[0], contract_date)
        raise rate_words.unknown(rules[-1], contract_date, on)
    found = [rule for rule in cohort if rule.holds(on)]
    if found:
        return found[0]
    if all(rule.valid_from is not None and on < rule.valid_from for rule in cohort):
        raise rate_words.before_table(cohort[0], on)
    raise rate_words.unknown(cohort[-1], contract_date, on)


def _times(rule: RateRule, percent: Decimal, product: str) -> _Walk:
    result = percent * rule.value
    return _Walk(result, (_step(rule, product, result),))


def _local(product: str, question: Question, central: _Walk, book: RateBook) -> _Walk:
    if question.province is None:
        raise rate_words.province_needed()
    terms = next((each for each in book.local if each.province == question.province), None)
    if terms is None or question.on < terms.valid_from:
        raise rate_words.local_unknown(question.province, question.on, terms)
    base = _general(RuleKind.BASE_RATE, question.on, book)
    given = question.borrower.poverty_class
    known = implied_class(product, question.contract_date) or (given.value if given else None)
    rate = _first_that_fits(terms, product, known, below=central.percent <= base.value)
    if rate is None:
        raise rate_words.local_unknown(question.province, question.on, terms)
    if terms.central_wins_if_lower and central.percent < rate.percent:
        kind, percent = StepKind.CENTRAL_MORE_FAVOURABLE, central.percent
        said = rate_words.of_central_wins(terms, plain(percent))
    else:
        kind, percent = StepKind.LOCAL_FUND, rate.percent
        said = rate_words.of_local(terms, percent)
    step = Step(
        kind, product, percent, terms.legal, terms.source, terms.confidence, first_day_known=True, said=said
    )
    return _Walk(percent, (*central.steps, step))


def _first_that_fits(
    terms: LocalTerms, product: str, known_class: str | None, *, below: bool
) -> LocalRate | None:
    for rate in terms.rates:
        if rate.classes and known_class is None:
            raise rate_words.class_needed(terms)
        lies = "AT_OR_BELOW_BASE" if below else "ABOVE_BASE"
        if product in rate.products or known_class in rate.classes or rate.central == lies:
            return rate
    return None


def _after_cuts(
    product: str, question: Question, contract: _Walk, book: RateBook
) -> tuple[_Walk, tuple[str, ...]]:
    if question.fund_source is FundSource.LOCAL:
        return contract, ()
    running, left_open = contract, []
    for cut in book.cuts:
        if not cut.holds(question.on):
            continue
        if question.province is None:
            left_open.append(cut.code)
            continue
        if cut.provinces is None and question.province in cut.concerned:
            raise rate_words.cut_not_loaded(cut, question.province)
        if cut.provinces is not None and question.province in cut.provinces:
            percent = running.percent - cut.points
            step = Step(
                StepKind.AREA_CUT,
                product,
                plain(percent),
                cut.legal,
                cut.source,
                cut.confidence,
                first_day_known=True,
                said=rate_words.of_cut(cut, plain(percent)),
            )
            running = _Walk(percent, (*running.steps, step))
    return running, tuple(left_open)


def _after_support(product: str, on: dt.date, running: _Walk, book: RateBook) -> _Walk:
    paid = running
    for support in book.supports:
        if support.holds(on) and support.above < running.percent:
            percent = paid.percent - support.points
            step = Step(
                StepKind.INTEREST_SUPPORT,
                product,
                plain(percent),
                support.legal,
                support.source,
                support.confidence,
                first_day_known=True,
                said=rate_words.of_support(support, plain(percent)),
            )
            paid = _Walk(percent, (*paid.steps, step))
    return paid


def _step(rule: RateRule, product: str, percent: Decimal) -> Step:
    return Step(
        StepKind(rule.kind),
        rule.product or product,
        plain(percent),
        rule.legal,
        rule.source,
        rule.confidence,
        first_day_known=rule.valid_from is not None,
        said=rate_words.of_rule(rule, plain(percent)),
    )
