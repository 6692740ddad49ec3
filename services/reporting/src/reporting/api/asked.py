"""What questions have in common: who asks, about which area, on which day, in which language."""

from datetime import date
from typing import Annotated, Literal

from fastapi import Depends, Query, Request
from pydantic import BaseModel, Field, WithJsonSchema

from benvung import areas, clock
from benvung.auth import Principal, require
from reporting.actions.places import Place, place
from reporting.domain import Stage, year_end
from reporting.words import Words, words

FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2100, 12, 31)

Asker = Annotated[Principal, Depends(require("reports.read"))]
AreaForms = WithJsonSchema(
    {
        "anyOf": [
            {"type": "string", "pattern": r"^(VN|[0-9]{2,5})$"},
            {"type": "string", "pattern": r"^[0-9]{5}[W-Z]$"},
        ]
    }
)
Area = Annotated[
    str,
    AreaForms,
    Query(
        pattern=r"^(VN|[0-9]{2,5}|[0-9]{5}[W-Z])$",
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


Geography = Annotated[
    Literal["then", "now"],
    Query(
        description="`then` = by the units of the day asked about, and `area` is a code of that day;"
        " `now` = by the units of today, and `area` is a code of today: what lay elsewhere then is counted"
        " where its commune went"
    ),
]


def asked_place(principal: Asker, area: Area, on: On = None, geography: Geography = "then") -> Place:
    """The area on the day asked about, today by default."""
    today = clock.today()
    return place(principal, area, on or today, _drawn(geography, on or today))


def _drawn(geography: Literal["then", "now"], on: date) -> date | None:
    today = clock.today()
    return today if geography == "now" and on < today else None


AskedPlace = Annotated[Place, Depends(asked_place)]


def place_of_year(
    principal: Principal, area: str, year: int, geography: Literal["then", "now"] = "then"
) -> Place:
    """The area as it was at the end of a year, or today while the year has not ended."""
    on = min(year_end(year), max(clock.today(), date(year, 1, 1)))
    return place(principal, area, on, _drawn(geography, on))


class NoteModel(BaseModel):
    """Something an answer rests on that is not known."""

    rule: str = Field(examples=["earlier-area-changes-unknown"])
    text: str


def notes(on: date, say: Words) -> list[NoteModel]:
    """What is not known of the units of a day: their changes before the reform have no source."""
    if on >= areas.FIRST_KNOWN:
        return []
    rule = "earlier-area-changes-unknown"
    return [NoteModel(rule=rule, text=say.t(f"note.{rule}"))]
