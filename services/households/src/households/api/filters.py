"""What lists of households and searches are narrowed by, as it is asked for."""

import datetime as dt
import uuid
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from fastapi import Depends, Query, Request

from benvung import clock
from benvung.auth import Principal
from benvung.db import Conn
from benvung.problems import NotReady
from households.actions.filter_refusals import CauseRestricted, IndicatorRestricted
from households.actions.simulations import RESTRICTED
from households.api.fields import Day, Keys, PovertyClass, Reader, VillageCode, Year
from households.domain import Refused
from households.domain.causes import cause_list
from households.domain.groups import Group, people_of
from households.domain.standards import standards
from households.domain.terms import Movement
from households.store.dictionaries import Dictionaries
from households.store.filters import EVERY_ONE, Filters, Grounds, Moved
from households.store.standing import Clocks

Class = Annotated[
    PovertyClass | Literal["NONE"] | None, Query(alias="class", description="NONE = no official class")
]
Standing = Literal["ACTIVE", "LEFT", "CLOSED"] | None
Indicator = Annotated[
    str | None,
    Query(
        pattern=r"^[A-Z0-9_]{1,40}$",
        description="deprived of this indicator by the official decision in force; what the standard restricts"
        " needs the permission `indicators.read`",
        examples=["WATER_SOURCE"],
    ),
]
Kinds = Annotated[
    list[Movement] | None,
    Query(
        max_length=len(Movement),
        description="made a movement of this kind, or of one of these, as it is told now",
        examples=[["RELAPSE_POOR", "RELAPSE_NEAR_POOR"]],
    ),
]
InYear = Annotated[Year | None, Query(description="the movement holds from a day of this year")]
Since = Annotated[Day | None, Query(description="the movement holds from this day or a later one")]
ByReview = Annotated[uuid.UUID | None, Query(description="the movement was decided in this review")]
OfGroup = Annotated[
    Group | None,
    Query(
        description="has a member of this group on the day; what rests on facts that stand sealed is refused"
        " (`group-is-sealed`)"
    ),
]
Cause = Annotated[
    str | None,
    Query(
        pattern=r"^[A-Z_]{1,40}$",
        description="the official decision in force says this cause of poverty (`GET /v1/causes/list`); what tells"
        " of health needs the permission `indicators.read`",
        examples=["NO_LAND"],
    ),
]


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, before it is known of which day."""

    filters: Filters = EVERY_ONE
    group: Group | None = None

    def at(self, on: dt.date | None = None, known_at: dt.datetime | None = None) -> Filters:
        """The filters of a register of that day, as it was known then."""
        people = None if self.group is None else people_of(self.group, on or clock.today())
        return replace(self.filters, people=people, clocks=Clocks(on, known_at))


async def asked_for(
    *,
    request: Request,
    principal: Reader,
    conn: Conn,
    vault: Keys,
    village: VillageCode | None = None,
    poverty_class: Class = None,
    status: Standing = None,
    indicator: Indicator = None,
    movement: Kinds = None,
    movement_year: InYear = None,
    movement_since: Since = None,
    movement_review: ByReview = None,
    group: OfGroup = None,
    cause: Cause = None,
) -> Asked:
    """What a list is to be narrowed by. Raises the domain's `Refused`, `IndicatorRestricted`, `CauseRestricted`."""
    known, grounds = _dictionaries(request), Grounds()
    if indicator is not None:
        _check_indicator(principal, indicator)
        having = await known.deprived_of(conn, vault, indicator)
        if having is None:
            raise NotReady(
                "Chỉ số của các quyết định trước đây đang được lập chỉ mục; hãy thử lại sau giây lát.",
                "Indicators of earlier decisions are being indexed; try again in a moment.",
            )
        grounds = replace(grounds, combinations=having)
    if cause is not None:
        _check_cause(principal, cause)
        grounds = replace(grounds, cause_sets=await known.caused_by(conn, vault, cause))
    moved = None
    if movement or movement_year or movement_since or movement_review:
        whole = (
            (dt.date(movement_year, 1, 1), dt.date(movement_year, 12, 31)) if movement_year else (None,) * 2
        )
        days = [day for day in (whole[0], movement_since) if day]
        moved = Moved(movement or (), max(days, default=None), whole[1], movement_review)
    rests = None if grounds == Grounds() else grounds
    return Asked(Filters(village, poverty_class, status, rests, moved), group)


Narrowed = Annotated[Asked, Depends(asked_for)]


def _dictionaries(request: Request) -> Dictionaries:
    state = request.app.state
    if not hasattr(state, "dictionaries"):
        state.dictionaries = Dictionaries()
    found: Dictionaries = state.dictionaries
    return found


def _check_indicator(principal: Principal, indicator: str) -> None:
    known = [
        each for standard in standards().values() for each in standard.indicators if each.code == indicator
    ]
    if not known:
        raise Refused(
            "indicator-unknown",
            f"Không có chỉ số mang mã {indicator} trong các chuẩn nghèo đã nạp.",
            f"None of the standards that are loaded has an indicator {indicator}.",
            "query.indicator",
        )
    if any(each.restricted for each in known) and not principal.may(RESTRICTED):
        raise IndicatorRestricted


def _check_cause(principal: Principal, cause: str) -> None:
    known = cause_list()
    if cause not in known.causes:
        raise Refused(
            "cause-unknown",
            f"Mẫu 7.10 không có nguyên nhân mang mã {cause}.",
            f"Form 7.10 has no cause {cause}.",
            "query.cause",
            known.legal,
        )
    if known.causes[cause].restricted and not principal.may(RESTRICTED):
        raise CauseRestricted
