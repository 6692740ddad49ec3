"""What questions have in common: who asks, about which area, on which day, in which language."""

from datetime import date
from typing import Annotated

from fastapi import Depends, Query, Request

from benvung import clock
from benvung.auth import Principal, require
from reporting.actions.places import Place, place
from reporting.domain import Stage, year_end
from reporting.words import Words, words

FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2100, 12, 31)

Asker = Annotated[Principal, Depends(require("reports.read"))]
Area = Annotated[
    str,
    Query(
        pattern=r"^(VN|[0-9]{2,5})$",
        description="code of a commune, district or province, or VN",
        examples=["630"],
    ),
]
On = Annotated[
    date | None,
    Query(
        ge=FIRST_DAY,
        le=LAST_DAY,
        description="the day the figures are for; empty = today",
        examples=["2023-12-31"],
    ),
]
Year = Annotated[
    int, Query(ge=FIRST_DAY.year, le=LAST_DAY.year, description="calendar year", examples=[2023])
]
StageAsked = Annotated[
    Stage,
    Query(description="OFFICIAL: decisions in force; PRELIMINARY: results of the year not yet official"),
]
Standard = Annotated[
    str | None,
    Query(max_length=40, description="only this poverty standard; empty = whichever was declared"),
]


def language(request: Request) -> Words:
    """The words of the language asked for in Accept-Language; Vietnamese by default."""
    return words(str(request.state.lang))


Language = Annotated[Words, Depends(language)]


def asked_place(principal: Asker, area: Area, on: On = None) -> Place:
    """The area on the day asked about, today by default."""
    return place(principal, area, on or clock.today())


AskedPlace = Annotated[Place, Depends(asked_place)]


def place_of_year(principal: Principal, area: str, year: int) -> Place:
    """The area as it was at the end of a year, or today while the year has not ended."""
    return place(principal, area, min(year_end(year), max(clock.today(), date(year, 1, 1))))
