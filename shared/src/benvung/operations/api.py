"""Operations by HTTP, for who has the permission `operate` and serves the whole deployment."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from benvung import audit, problems
from benvung.auth import OutsideArea, Principal, require
from benvung.db import Conn
from benvung.idempotency import OnlyOnce
from benvung.operations import letters, rebuilds
from benvung.operations.letters import LetterSettled, LetterUnknown, ProjectionGone
from benvung.operations.rebuilds import RebuildOver, RebuildUnknown, StreamNotRead
from benvung.operations.shown import (
    Answered,
    LetterListed,
    LetterShown,
    RebuildShown,
    Round,
    SituationShown,
    StandingShown,
    projection_shown,
    stream_shown,
)
from benvung.operations.situation import situation
from benvung.pages import catalogue
from benvung.paging import After, CursorUnknown, Limit, Page
from benvung.service import Service

LARGEST_ID = 2**63 - 1


def operator(request: Request, principal: Annotated[Principal, Depends(require("operate"))]) -> Principal:
    """Who operates sees messages about any place, so it takes the whole province. Raises `OutsideArea`."""
    principal.scope().check_area(str(request.app.state.settings.province))
    return principal


def words(request: Request) -> catalogue.Translate:
    """The kit's words in the language of the answer."""
    return catalogue.translator(catalogue.KIT, str(request.state.lang))


Operator = Annotated[Principal, Depends(operator)]
Words = Annotated[catalogue.Translate, Depends(words)]
Number = Annotated[int, Path(ge=1, le=LARGEST_ID)]
Reason = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=1,
        max_length=letters.NOTE_LENGTH,
        pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$",
    ),
]
situation_router = APIRouter(prefix="/v1", tags=["operations"], responses=problems.responses(OutsideArea))
router = APIRouter(prefix="/v1", tags=["operations"], responses=problems.responses(OutsideArea))


def routers(service: Service) -> list[APIRouter]:
    """What a service answers: all of it if it keeps projections, else how its streams stand."""
    return [situation_router, router] if service.projectors else [situation_router]


class Discard(BaseModel):
    """Why a letter is given up."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason = Field(examples=["Thử nghiệm của nhà cung cấp"])


class RebuildAsked(BaseModel):
    """Which projection is to be made anew, and why."""

    model_config = ConfigDict(extra="forbid")

    stream: str = Field(max_length=100, description="the stream it reads")
    reason: Reason = Field(examples=["Sau khi sửa lỗi"])


@situation_router.get("/operations")
async def read_situation(request: Request, conn: Conn, _: Operator, say: Words) -> SituationShown:
    """How the streams told, the streams read, dead letters and rebuilds stand."""
    service: Service = request.app.state.service
    language = str(request.state.lang)
    found = await situation(conn, service)
    return SituationShown(
        service=service.name,
        well=found.well,
        streams=[
            stream_shown(each, StandingShown.of(each.standing, say, language)) for each in found.streams
        ],
        projections=[
            projection_shown(each, StandingShown.of(each.standing, say, language))
            for each in found.projections
        ],
        rebuilder=StandingShown.of(found.rebuilder, say, language) if found.rebuilder else None,
        dead_letters=found.letters,
        rebuilds=[RebuildShown.of(each, say) for each in found.rebuilds],
    )


@router.get("/dead-letters", responses=problems.responses(CursorUnknown))
async def list_letters(
    *,
    conn: Conn,
    _: Operator,
    say: Words,
    state: letters.State | None = None,
    projector: Annotated[str | None, Query(max_length=100)] = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[LetterListed]:
    """Dead letters in the order they were buried."""
    found, following = await letters.page(conn, state, projector, after, limit)
    return Page(items=[LetterListed.of(each, say) for each in found], next=following)


@router.get("/dead-letters/{letter_id}", responses=problems.responses(LetterUnknown))
async def read_letter(letter_id: Number, conn: Conn, principal: Operator, say: Words) -> LetterShown:
    """One dead letter with what is in it. Reading it is recorded."""
    letter = await letters.find(conn, letter_id)
    await audit.record(conn, principal, "dead_letter.read", "dead_letter", str(letter_id))
    return LetterShown.of(letter, say)


@router.post("/dead-letters/retry", responses=problems.responses(CursorUnknown))
async def retry_letters(
    request: Request,
    principal: Operator,
    after: After = None,
    limit: Annotated[int, Query(ge=1, le=letters.BOUND, description="letters tried at most")] = letters.BOUND,
) -> Round:
    """Retry the letters that wait, oldest first, each on its own; what fails stays waiting."""
    state = request.app.state
    answers, following = await letters.retry_each(
        state.engine, state.service.projectors, principal, after=after, limit=limit
    )
    return Round(
        retried=sum(each.state is letters.State.RETRIED and each.rule is None for each in answers),
        waiting=sum(each.state is letters.State.WAITING for each in answers),
        answers=[Answered.model_validate(each, from_attributes=True) for each in answers],
        next=following,
    )


@router.post(
    "/dead-letters/{letter_id}/retry",
    responses=problems.responses(LetterUnknown, LetterSettled, ProjectionGone),
)
async def retry_letter(
    *,
    letter_id: Number,
    request: Request,
    conn: Conn,
    principal: Operator,
    say: Words,
    response: Response,
    once: OnlyOnce,
) -> LetterShown:
    """Project one letter again. It is RETRIED, or still WAITING with the reason why not."""
    response.headers["Location"] = f"/v1/dead-letters/{letter_id}"
    if not once.first:
        return LetterShown.of(await letters.find(conn, letter_id), say)
    projectors = request.app.state.service.projectors
    return LetterShown.of(await letters.retry(conn, projectors, letter_id, principal), say)


@router.post("/dead-letters/{letter_id}/discard", responses=problems.responses(LetterUnknown, LetterSettled))
async def discard_letter(
    *,
    letter_id: Number,
    given: Discard,
    conn: Conn,
    principal: Operator,
    say: Words,
    response: Response,
    once: OnlyOnce,
) -> LetterShown:
    """Give one letter up. The reason is kept with who gave it and when."""
    response.headers["Location"] = f"/v1/dead-letters/{letter_id}"
    if not once.first:
        return LetterShown.of(await letters.find(conn, letter_id), say)
    return LetterShown.of(await letters.discard(conn, letter_id, given.reason, principal), say)


@router.get("/rebuilds", responses=problems.responses(CursorUnknown))
async def list_rebuilds(
    conn: Conn, _: Operator, say: Words, after: After = None, limit: Limit = 50
) -> Page[RebuildShown]:
    """Rebuilds in the order they were asked for."""
    found, following = await rebuilds.page(conn, after, limit)
    return Page(items=[RebuildShown.of(each, say) for each in found], next=following)


@router.post("/rebuilds", status_code=202, responses=problems.responses(StreamNotRead))
async def request_rebuild(
    *,
    given: RebuildAsked,
    request: Request,
    conn: Conn,
    principal: Operator,
    say: Words,
    response: Response,
    once: OnlyOnce,
) -> RebuildShown:
    """Have a projection made anew, beside the live one. One that is open already is answered instead."""
    if once.location is not None:
        found = await rebuilds.find(conn, int(once.location.rpartition("/")[2]))
    else:
        projectors = request.app.state.service.projectors
        found = await rebuilds.request(conn, projectors, given.stream, given.reason, principal)
    response.headers["Location"] = f"/v1/rebuilds/{found.id}"
    return RebuildShown.of(found, say)


@router.get("/rebuilds/{rebuild_id}", responses=problems.responses(RebuildUnknown))
async def read_rebuild(rebuild_id: Number, conn: Conn, _: Operator, say: Words) -> RebuildShown:
    """How far a rebuild has come, and in the end by what it differed."""
    return RebuildShown.of(await rebuilds.find(conn, rebuild_id), say)


@router.post("/rebuilds/{rebuild_id}/cancel", responses=problems.responses(RebuildUnknown, RebuildOver))
async def cancel_rebuild(rebuild_id: Number, conn: Conn, principal: Operator, say: Words) -> RebuildShown:
    """Let go of a rebuild that waits or reads. The live projection stays as it is."""
    return RebuildShown.of(await rebuilds.cancel(conn, rebuild_id, principal), say)
