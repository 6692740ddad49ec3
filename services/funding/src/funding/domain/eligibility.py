"""Which loan products a household may ask for: a pure function of its newest public state.

The register works out the state after every decision; nothing is inferred here from the order in which
events come. A preliminary review result leaves the official class as it was, and so every answer too.
"""

import calendar
import datetime as dt
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from funding.domain.products import Product, Window, catalogue


class HouseholdStatus(StrEnum):
    """Whether the register still follows the household."""

    ACTIVE = "ACTIVE"
    LEFT = "LEFT"
    CLOSED = "CLOSED"


class PovertyClass(StrEnum):
    """The official class in force."""

    POOR = "POOR"
    NEAR_POOR = "NEAR_POOR"
    AVERAGE_LIVING = "AVERAGE_LIVING"
    NOT_POOR = "NOT_POOR"


class Status(StrEnum):
    """Whether the household may ask for the product."""

    ELIGIBLE = "ELIGIBLE"
    NOT_ELIGIBLE = "NOT_ELIGIBLE"


class Reason(StrEnum):
    """Why; the sentences are in the data file."""

    ON_POOR_LIST = "ON_POOR_LIST"
    ON_NEAR_POOR_LIST = "ON_NEAR_POOR_LIST"
    LEFT_LIST_WITHIN_WINDOW = "LEFT_LIST_WITHIN_WINDOW"
    NOT_ON_POOR_LIST = "NOT_ON_POOR_LIST"
    NOT_ON_NEAR_POOR_LIST = "NOT_ON_NEAR_POOR_LIST"
    STILL_ON_LIST = "STILL_ON_LIST"
    NEVER_LEFT_LIST = "NEVER_LEFT_LIST"
    WINDOW_ENDED = "WINDOW_ENDED"
    NOT_YET_IN_FORCE = "NOT_YET_IN_FORCE"
    NO_OFFICIAL_DECISION = "NO_OFFICIAL_DECISION"
    HOUSEHOLD_LEFT = "HOUSEHOLD_LEFT"
    HOUSEHOLD_CLOSED = "HOUSEHOLD_CLOSED"


ON_A_LIST = frozenset({PovertyClass.POOR, PovertyClass.NEAR_POOR})


class Standing(NamedTuple):
    """The part of a household's public state that decides its eligibility.

    `holds_from` is the day from which this state holds: of the decision, move or closure that made it,
    and never before the present unbroken run of the class began. `class_since` begins that run,
    `left_list_on` is the day the household last left the poor and near-poor lists altogether.
    """

    status: HouseholdStatus
    poverty_class: PovertyClass | None
    class_since: dt.date | None
    left_list_on: dt.date | None
    holds_from: dt.date


class Answer(NamedTuple):
    """May the household ask for `product`? Holds from `valid_from` to the day before `valid_to`."""

    product: Product
    status: Status
    valid_from: dt.date
    valid_to: dt.date | None
    reason: Reason

    @property
    def eligible(self) -> bool:
        """True when the household may ask, within the dates."""
        return self.status is Status.ELIGIBLE


@lru_cache(maxsize=10_000)
def answers(standing: Standing) -> tuple[Answer, Answer, Answer]:
    """The answers for POOR, NEAR_POOR and NEWLY_ESCAPED. At most one of them is ELIGIBLE."""
    gone = _gone(standing)
    if gone is not None:
        since = standing.class_since or standing.holds_from
        return (
            _no(Product.POOR, since, gone),
            _no(Product.NEAR_POOR, since, gone),
            _no(Product.NEWLY_ESCAPED, since, gone),
        )
    return (
        _on_list(standing, Product.POOR, PovertyClass.POOR),
        _on_list(standing, Product.NEAR_POOR, PovertyClass.NEAR_POOR),
        _newly_escaped(standing),
    )


def entitled(standing: Standing) -> Answer | None:
    """The one product the household may ask for under this state, if any."""
    return next((answer for answer in answers(standing) if answer.eligible), None)


def on_day(answer: Answer, on: dt.date) -> Answer:
    """The answer as it stands on a day: a window may not have begun, or may have ended."""
    if not answer.eligible:
        return answer
    if on < answer.valid_from:
        return Answer(answer.product, Status.NOT_ELIGIBLE, on, answer.valid_from, Reason.NOT_YET_IN_FORCE)
    if answer.valid_to is not None and answer.valid_to <= on:
        return _no(answer.product, answer.valid_to, Reason.WINDOW_ENDED)
    return answer


def window_end(left_list_on: dt.date, window: Window) -> dt.date:
    """The first day on which the window of a household that left the list is closed.

    Whole calendar months: a 31st or a 29 February that the last month lacks becomes that month's last
    day. Left on 2023-12-31 with 36 months: 2026-12-31, so 2026-12-30 is the last day to ask.
    """
    end = add_months(left_list_on, window.months)
    return end + dt.timedelta(days=1) if window.last_day_counts else end


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day of the month some months later, or that month's last day where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _gone(standing: Standing) -> Reason | None:
    if standing.status is HouseholdStatus.LEFT:
        return Reason.HOUSEHOLD_LEFT
    if standing.status is HouseholdStatus.CLOSED:
        return Reason.HOUSEHOLD_CLOSED
    return Reason.NO_OFFICIAL_DECISION if standing.poverty_class is None else None


def _on_list(standing: Standing, product: Product, served: PovertyClass) -> Answer:
    since = standing.class_since or standing.holds_from
    if standing.poverty_class is served:
        reason = Reason.ON_POOR_LIST if served is PovertyClass.POOR else Reason.ON_NEAR_POOR_LIST
        return Answer(product, Status.ELIGIBLE, since, None, reason)
    # Above both lists the class may change again without the list mattering any more.
    left = standing.left_list_on if standing.poverty_class not in ON_A_LIST else None
    reason = Reason.NOT_ON_POOR_LIST if served is PovertyClass.POOR else Reason.NOT_ON_NEAR_POOR_LIST
    return _no(product, left or since, reason)


def _newly_escaped(standing: Standing) -> Answer:
    product = Product.NEWLY_ESCAPED
    since = standing.class_since or standing.holds_from
    if standing.poverty_class in ON_A_LIST:
        return _no(product, since, Reason.STILL_ON_LIST)
    if standing.left_list_on is None:
        return _no(product, since, Reason.NEVER_LEFT_LIST)
    window = catalogue()[product].window
    end = None if window is None else window_end(standing.left_list_on, window)
    return Answer(product, Status.ELIGIBLE, standing.left_list_on, end, Reason.LEFT_LIST_WITHIN_WINDOW)


def _no(product: Product, since: dt.date, reason: Reason) -> Answer:
    return Answer(product, Status.NOT_ELIGIBLE, since, None, reason)
