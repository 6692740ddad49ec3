"""Who asks, what they may do, and where.

A `Principal` comes from a verified access token or from a browser's session and is the same in both
cases. A route declares its permission with `require`, or says `PUBLIC`. Where a person may see and change
things is one rule, `Scope.where`, used by every query.
"""

import datetime as dt
import hmac
from dataclasses import dataclass
from typing import Annotated, Any

import sqlalchemy as sa
import structlog
from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.dialects import postgresql as pg

from benvung import areas, clock, uploads
from benvung.issuer import Issuer
from benvung.problems import Forbidden, Unauthenticated
from benvung.sessions import Session, find_session

CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf"
FORM = "application/x-www-form-urlencoded"
SAFE_METHODS = frozenset({"GET", "HEAD"})


class OutsideArea(Forbidden):
    """The place lies outside the areas of the person who asks."""

    rule = "outside-area"
    title_vi, title_en = "Ngoài địa bàn phụ trách", "Outside your area"


class CsrfMissing(Forbidden):
    """A browser's session may change something only with its own token, in a header or a form's field."""

    rule = "csrf-token-missing"
    title_vi, title_en = "Thiếu mã xác nhận của phiên làm việc", "The session's confirmation token is missing"


@dataclass(frozen=True, slots=True)
class Scope:
    """The communes a person may see and change. `communes` is None for the whole country."""

    communes: frozenset[str] | None

    def covers(self, commune: str) -> bool:
        """Whether this commune is inside."""
        return self.communes is None or commune in self.communes

    def check(self, commune: str) -> None:
        """Raise `OutsideArea` unless this commune is inside."""
        if not self.covers(commune):
            raise OutsideArea

    def check_area(self, area: str) -> None:
        """Raise `OutsideArea` unless the whole area (a code of any level) is inside.

        For figures that are given under the area's name: a part must not pass for the whole.
        """
        if self.communes is None:
            return
        inside = _communes((area,), clock.today())
        if inside is None or not inside or not inside <= self.communes:
            raise OutsideArea

    def narrow(self, area: str, on: dt.date | None = None) -> "Scope":
        """The part of this scope that lies in an area (a code of any level, today or on a day), for lists."""
        inside = _communes((area,), on or clock.today())
        if inside is None or self.communes is None:
            return self if inside is None else Scope(inside)
        return Scope(self.communes & inside)

    def where(self, column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        """The one condition by which a query sees only what this scope holds."""
        if self.communes is None:
            return sa.true()
        # One array parameter, so that every scope shares one prepared statement.
        return column == sa.any_(sa.literal(sorted(self.communes), pg.ARRAY(sa.Text)))


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in person or program. `areas` are codes of administrative units of any level, or VN."""

    subject: str
    name: str
    permissions: frozenset[str]
    areas: tuple[str, ...]

    def may(self, permission: str) -> bool:
        """Whether this permission was given."""
        return permission in self.permissions

    @property
    def area(self) -> str:
        """The names of the areas on the business date, as a page shows them."""
        found = {code: areas.find(code, clock.today()) for code in self.areas}
        return ", ".join(unit.name if unit else code for code, unit in found.items())

    def scope(self) -> Scope:
        """The communes these areas hold on the business date."""
        return Scope(_communes(self.areas, clock.today()))


@areas.remembered(maxsize=512)
def _communes(codes: tuple[str, ...], on: dt.date) -> frozenset[str] | None:
    if areas.COUNTRY in codes:
        return None
    return frozenset(unit.code for code in codes for unit in areas.communes_under(code, on))


def principal_of(claims: dict[str, Any]) -> Principal:
    """The person that a token or a session names. Raises `Unauthenticated` when a claim is malformed."""
    subject, name = claims.get("sub"), claims.get("name", "")
    permissions, places = claims.get("permissions", []), claims.get("areas", [])
    if not isinstance(subject, str) or not subject or not isinstance(name, str):
        raise Unauthenticated
    for listed in (permissions, places):
        if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
            raise Unauthenticated
    return Principal(subject, name, frozenset(permissions), tuple(sorted(places)))


_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    bearerFormat="JWT",
    description="Access token of the OpenID Connect provider, with claims `permissions` and `areas`",
)


class Require:
    """A route's dependency: lets through who has the permission, and says who it is."""

    def __init__(self, permission: str) -> None:
        self.permission = permission

    async def __call__(
        self,
        request: Request,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    ) -> Principal:
        """The principal of this request. Raises `Unauthenticated`, `Forbidden`, `CsrfMissing`."""
        if credentials is not None:
            issuer: Issuer = request.app.state.issuer
            claims = await issuer.verify(credentials.credentials, request.app.state.settings.audience)
            principal = principal_of(claims)
        else:
            principal = await _of_session(request)
        structlog.contextvars.bind_contextvars(principal=principal.subject)
        request.state.principal = principal
        if not principal.may(self.permission):
            raise Forbidden(
                f"Việc này cần quyền {self.permission}.", f"This needs the permission {self.permission}."
            )
        return principal


async def _of_session(request: Request) -> Principal:
    session = await find_session(request)
    if session is None:
        raise Unauthenticated
    if request.method not in SAFE_METHODS:
        check_csrf(session, await _csrf(request))
    request.state.csrf = session.csrf
    return principal_of(session.claims)


async def _csrf(request: Request) -> str:
    """What a script sends in a header, a page's own form in its field."""
    given: object = request.headers.get(CSRF_HEADER, "")
    kind = uploads.media_type(request)
    if not given and kind == FORM:
        given = (await request.form()).get(CSRF_FIELD)
    elif not given and kind == uploads.MULTIPART:
        given = (await uploads.parts(request)).get(CSRF_FIELD)
    return given if isinstance(given, str) else ""


def check_csrf(session: Session, given: str) -> None:
    """Raise `CsrfMissing` unless `given` is the session's own token."""
    if not hmac.compare_digest(given.encode(), session.csrf.encode()):
        raise CsrfMissing


def signed_in(request: Request) -> dict[str, Any]:
    """What a page's frame says of the sign-in: `render(request, "…", **signed_in(request), …)`."""
    principal = getattr(request.state, "principal", None)
    csrf = getattr(request.state, "csrf", None)
    ways = {"sign_out_url": "/sign-out", "csrf": csrf} if csrf else {"sign_in_url": "/sign-in"}
    return {"officer": principal, **ways}


def require(permission: str) -> Require:
    """Declare a route's permission: `principal: Annotated[Principal, Depends(require("things.read"))]`."""
    return Require(permission)


def open_to_all() -> None:
    """Declares that a route asks nobody who they are."""


PUBLIC = Depends(open_to_all)
"""In a route's `dependencies`: anybody may call it."""


def declared(dependant: Dependant) -> str | None:
    """The permission a route declares, "public", or None when it declares nothing."""
    for each in dependant.dependencies:
        if isinstance(each.call, Require):
            return each.call.permission
        if each.call is open_to_all:
            return "public"
        inner = declared(each)
        if inner is not None:
            return inner
    return None
