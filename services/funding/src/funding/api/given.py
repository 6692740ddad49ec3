"""What routes share: how a day, an area and a text are given, and which communes an answer is about."""

import datetime as dt
from typing import Annotated

from fastapi import Depends
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from benvung import areas, clock
from benvung.auth import Principal, Scope, require
from funding.actions.areas import AreaUnknown

FIRST_DAY = dt.date(2015, 1, 1)
LAST_DAY = dt.date(2100, 12, 31)

Reader = Annotated[Principal, Depends(require("funding.read"))]
BudgetWriter = Annotated[Principal, Depends(require("budget.write"))]

Day = Annotated[dt.date, Field(ge=FIRST_DAY, le=LAST_DAY)]
Year = Annotated[int, Field(ge=FIRST_DAY.year, le=LAST_DAY.year)]
AreaCode = Annotated[str, StringConstraints(pattern=r"^(VN|[0-9]{2,5})$")]
ProvinceCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")]
Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$"),
]


class Given(BaseModel):
    """What a caller sends: unknown fields are refused, so that a misspelt one is not lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def within(principal: Principal, area: str | None) -> Scope:
    """The caller's communes, or those of them that lie in `area`. Raises `AreaUnknown`."""
    if area is None:
        return principal.scope()
    today = clock.today()
    if area != areas.COUNTRY and areas.find(area, today) is None:
        raise AreaUnknown.at(area, today)
    return principal.scope().narrow(area)
