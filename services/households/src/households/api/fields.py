"""What requests are made of: bounded fields, who asks, in which language, with which key."""

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from benvung.auth import Principal, Scope, require
from benvung.problems import NotReady
from benvung.vault import Vault
from households.domain.labels import Language
from households.domain.purposes import check_purpose
from households.store.geography import Where

FIRST_DAY, LAST_DAY = dt.date(2015, 1, 1), dt.date(2100, 12, 31)
NO_CONTROLS = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"


def _possible(day: dt.date) -> dt.date:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"{FIRST_DAY:%d/%m/%Y} – {LAST_DAY:%d/%m/%Y}")
    return day


def _known(moment: dt.datetime) -> dt.datetime:
    if moment.tzinfo is None:
        raise ValueError("+07:00")
    _possible(moment.date())
    return moment


def either(*patterns: str) -> WithJsonSchema:
    """How the contract describes a text that has one of these forms, the first of which is the usual one."""
    return WithJsonSchema({"anyOf": [{"type": "string", "pattern": each} for each in patterns]})


Day = Annotated[dt.date, AfterValidator(_possible), Field(examples=["2023-12-10"])]
CommuneCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{5}$"), Field(examples=["23827"])]
AreaCode = Annotated[
    str,
    StringConstraints(pattern=r"^(VN|[0-9]{2}|[0-9]{3}|[0-9]{5}[W-Z]?)$"),
    either(r"^(VN|[0-9]{2}|[0-9]{3}|[0-9]{5})$", r"^[0-9]{5}[W-Z]$"),
]
VillageCode = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{5}[W-Z]?[.][0-9]{2,3}$"),
    either(r"^[0-9]{5}[.][0-9]{2}$", r"^[0-9]{5}[W-Z]?[.][0-9]{2,3}$"),
    Field(examples=["23827.03"]),
]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=NO_CONTROLS),
]
ShortText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50, pattern=NO_CONTROLS)
]
Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=300, pattern=NO_CONTROLS),
    Field(
        description="why, in words; kept in the register and told to nobody", examples=["Ghi nhầm điểm B1"]
    ),
]
Moment = Annotated[
    dt.datetime,
    AfterValidator(_known),
    Field(examples=["2023-12-31T23:59:59+07:00"]),
]
CauseCodes = Annotated[
    list[ShortText],
    Field(
        max_length=20,
        description="causes of poverty of a poor or near-poor household, by the codes of form 7.10"
        " (`GET /v1/causes/list`); empty = not said",
        examples=[["NO_LAND", "NO_CAPITAL"]],
    ),
]
CauseText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=NO_CONTROLS),
    Field(description="which other cause, with the code OTHER; kept sealed", examples=[None]),
]
Year = Annotated[int, Field(ge=2015, le=2100, examples=[2023])]
Members = Annotated[int, Field(ge=-(2**31), le=2**31 - 1, examples=[4])]
Points = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
Total = Annotated[int, Field(ge=0, le=200_000_000)]
Area = Annotated[
    AreaCode | None,
    Query(description="code of a province, district or commune; empty = the whole area you may see"),
]
OnDay = Annotated[Day | None, Query(description="as it was on this day; empty = as the register has it now")]
KnownAt = Annotated[
    Moment | None,
    Query(description="as the register knew it at this moment; empty = with all that was recorded since"),
]
PovertyClass = Literal["POOR", "NEAR_POOR", "AVERAGE_LIVING", "NOT_POOR"]


class Given(BaseModel):
    """What a caller sends: unknown fields are refused, so that a misspelt one is not lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Shown(BaseModel):
    """What is answered. Every field is always there."""

    model_config = ConfigDict(frozen=True, validate_by_name=True, serialize_by_alias=True)


Reader = Annotated[Principal, Depends(require("households.read"))]
Writer = Annotated[Principal, Depends(require("households.write"))]
Decider = Annotated[Principal, Depends(require("reviews.decide"))]
Recorder = Annotated[Principal, Depends(require("reviews.record"))]
Consulted = Annotated[Principal, Depends(require("reviews.opine"))]
LawLoader = Annotated[Principal, Depends(require("law.write"))]
AreaWriter = Annotated[Principal, Depends(require("areas.write"))]


async def _language(request: Request) -> Language:
    return "en" if getattr(request.state, "lang", "vi") == "en" else "vi"


Lang = Annotated[Language, Depends(_language)]


async def _vault(request: Request) -> Vault:
    vault: Vault | None = request.app.state.vault
    if vault is None:
        raise NotReady("Chưa cấu hình khóa dữ liệu.", "No data key is configured.")
    return vault


Keys = Annotated[Vault, Depends(_vault)]


_PURPOSE = Query(
    pattern=r"^[A-Z_]{1,40}$",
    description="what the file is taken away for, from the list of purposes; recorded",
    examples=["POLICY"],
)


async def _purpose(purpose: Annotated[str, _PURPOSE]) -> str:
    check_purpose(purpose)
    return purpose


Purpose = Annotated[str, Depends(_purpose)]


def purpose_or(usual: str) -> Any:
    """The purpose of a file that could be taken before purposes were asked for: unless given, its usual one."""

    async def given(purpose: Annotated[str, _PURPOSE] = usual) -> str:
        return await _purpose(purpose)

    return Depends(given)


Geography = Annotated[
    Literal["then", "now"],
    Query(
        description="of a question about an earlier day: `then` = by the communes of that day, and `area` is a"
        " code of that day; `now` = by the communes that these are today, and `area` is a code of today"
    ),
]


def asked(
    principal: Principal, area: str | None, on: dt.date | None, geography: Literal["then", "now"]
) -> Where:
    """What the principal may see of an area, in the geography asked for.

    Who may see a household's place of an earlier day is who is responsible for what that place is today.
    """
    if on is None or geography == "now":
        return Where(within(principal, area), by_now=on is not None)
    then = Scope(None) if area is None else Scope(None).narrow(area, on)
    return Where(principal.scope(), then)


def within(principal: Principal, area: str | None) -> Scope:
    """What the principal may see, narrowed to the area asked for."""
    scope = principal.scope()
    return scope if area is None else scope.narrow(area)
