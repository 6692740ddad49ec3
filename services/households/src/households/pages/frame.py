"""What all pages of the officer's desk share: the frame, the words for codes, how far a day is."""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import RedirectResponse, Response

from benvung import areas, auth, clock
from benvung.db import Conn
from benvung.forms import ONCE, Refusal, Typed, new_key
from benvung.pages import catalogue, render
from benvung.vault import Vault
from households import store
from households.api.fields import Keys
from households.domain import HouseholdClass, label
from households.domain.labels import Language
from households.domain.procedure_terms import (
    Action,
    CaseState,
    DeadlineCode,
    Finding,
    PaperKind,
    ProcedureKind,
    Role,
    Signatory,
    Step,
    procedure_label,
)  # fmt: skip
from households.domain.standards import standards

_CODED = {
    each.__name__: each
    for each in (Action, CaseState, DeadlineCode, Finding, PaperKind, ProcedureKind, Role, Signatory, Step)
}


def language(request: Request) -> Language:
    """The language that the person chose for pages."""
    return cast("Language", catalogue.chosen(request))


async def _own_standards(request: Request, conn: Conn) -> None:
    request.state.own_standards = await store.local_standards.provinces_with_own(conn, clock.today())


def desk_router() -> APIRouter:
    """A router of pages. Each knows where a province's own standard is in force, and shows the way to its results."""
    return APIRouter(include_in_schema=False, dependencies=[Depends(_own_standards)])


def has_own_standard(request: Request, principal: auth.Principal) -> bool:
    """Whether a province of this person has a standard of its own in force."""
    provinces: frozenset[str] = request.state.own_standards
    seen = provinces_of(principal) if provinces else None
    return bool(provinces if seen is None else provinces & seen)


def provinces_of(principal: auth.Principal) -> frozenset[str] | None:
    """The provinces that a person sees something of; None = all."""
    communes = principal.scope().communes
    if communes is None:
        return None
    found = {areas.province_of(code, clock.today()) for code in communes}
    return frozenset(each.code for each in found if each is not None)


@dataclass(frozen=True, slots=True)
class Words:
    """The words for the register's codes in one language."""

    language: Language

    def of(self, kind: str, code: str) -> str:
        """A code of the review: `of("Step", "MEETING")`."""
        return procedure_label(_CODED[kind](code), self.language)

    def klass(self, code: str) -> str:
        """A household's class."""
        return label(HouseholdClass(code), self.language)

    def place(self, commune: str) -> str:
        """A commune's name today."""
        unit = areas.find(commune, clock.today())
        return unit.name if unit else commune

    def indicator(self, standard: str, code: str) -> str:
        """An indicator of a standard."""
        found = next((one for one in standards()[standard].indicators if one.code == code), None)
        if found is None:
            return code
        return found.label_vi if self.language == "vi" else found.label_en

    def left(self, due: dt.date) -> tuple[str, int]:
        """How a time limit stands today: its state (missed, today, soon, later) and the days between."""
        days = (due - clock.today()).days
        state = "missed" if days < 0 else "today" if days == 0 else "soon" if days <= SOON else "later"
        return state, abs(days)


SOON = 7
"""So many days before its end a time limit asks for attention."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a page: from whom, in which transaction, with which key."""

    request: Request
    conn: AsyncConnection
    principal: auth.Principal
    vault: Vault

    @property
    def lang(self) -> Language:
        """The language of the page."""
        return language(self.request)


async def _visit(request: Request, conn: Conn, vault: Keys) -> Visit:
    return Visit(request, conn, request.state.principal, vault)


Visited = Annotated[Visit, Depends(_visit)]
"""What a route takes behind its principal."""


def page(request: Request, template: str, /, *, status: int = 200, **context: Any) -> Response:
    """A page of the desk for whoever is signed in."""
    principal: auth.Principal = request.state.principal
    return render(
        request,
        template,
        status=status,
        **auth.signed_in(request),
        words=Words(language(request)),
        today=clock.today(),
        may=principal.may,
        here=request.url.path,
        own_standard=has_own_standard(request, principal),
        once_name=ONCE,
        once_key=new_key(),
        **context,
    )


def form(typed: Typed | None = None, refused: Refusal | None = None, **preset: str) -> dict[str, Any]:
    """What a template needs of a form: what stands in it, and why it was refused."""
    return {"typed": (typed or Typed()).beginning_with(**preset), "refused": refused}


def there(location: str) -> RedirectResponse:
    """On to the page that shows what was done."""
    return RedirectResponse(location, status_code=303)
