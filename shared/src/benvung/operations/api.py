"""Operations by HTTP, for who has the permission `operate` and serves the whole deployment."""

import datetime as dt
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from benvung import audit, problems
from benvung.auth import OutsideArea, Principal, require
from benvung.db import Conn
from benvung.operations import letters, rebuilds
from benvung.operations.letters import LetterSettled, LetterUnknown, Listed, ProjectionGone
from benvung.operations.payload import Kind, readable
from benvung.operations.rebuilds import Rebuild, RebuildUnknown, StreamNotRead
from benvung.operations.situation import Owned, Projection, Standing, situation
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


class LetterListed(BaseModel):
    """A message that could not be read or digested."""

    id: int
    projector: str
    stream: str
    stream_seq: int = Field(description="place in the stream")
    subject: str
    reason: str = Field(description="why not, at the last attempt")
    attempts: int
    buried_at: dt.datetime
    state: letters.State
    state_label: str
    settled_at: dt.datetime | None
    settled_by: str | None
    note: str | None = Field(
        description="reason of a discard; NOT_READ or WITHDRAWN where a retry had nothing to do"
    )

    @classmethod
    def of(cls, letter: Listed, say: catalogue.Translate) -> Self:
        """From a row."""
        return cls(**_listed(letter, say))


class Payload(BaseModel):
    """What is in a message, as far as people can read it."""

    kind: Kind
    text: str = Field(description="JSON indented, other text as it is, else the first bytes in hexadecimal")
    size: int = Field(description="bytes")
    event_type: str | None = Field(description="what it says of itself")
    event_id: str | None


class LetterShown(LetterListed):
    """A dead letter with what is in it."""

    payload: Payload

    @classmethod
    def of(cls, letter: Listed, say: catalogue.Translate) -> Self:
        """From a whole letter."""
        assert isinstance(letter, letters.Letter)
        found = readable(letter.payload)
        return cls(**_listed(letter, say), payload=Payload.model_validate(found, from_attributes=True))


def _listed(letter: Listed, say: catalogue.Translate) -> dict[str, Any]:
    named = {name: getattr(letter, name) for name in LetterListed.model_fields if name != "state_label"}
    return {**named, "state_label": say(f"operations.letter.{letter.state}")}


class Answered(BaseModel):
    """What came of one letter."""

    id: int
    state: letters.State
    reason: str
    rule: str | None = Field(description="name of the refusal, where the retry was refused")


class Round(BaseModel):
    """What came of a round of retries."""

    retried: int
    waiting: int
    answers: list[Answered]
    next: str | None = Field(description="cursor for `after`: letters not reached; null = all were")


class Discard(BaseModel):
    """Why a letter is given up."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason = Field(examples=["Thử nghiệm của nhà cung cấp"])


class RebuildAsked(BaseModel):
    """Which projection is to be made anew, and why."""

    model_config = ConfigDict(extra="forbid")

    stream: str = Field(max_length=100, description="the stream it reads")
    reason: Reason = Field(examples=["Sau khi sửa lỗi"])


class Differences(BaseModel):
    """By what the new table differed from the one it replaced."""

    live: int = Field(description="rows before")
    only_live: int = Field(description="rows that only the replaced table had")
    only_new: int = Field(description="rows that only the new one has")


class RebuildShown(BaseModel):
    """A projection made anew from its stream, beside the live one."""

    id: int
    projector: str
    stream: str
    state: rebuilds.State
    state_label: str
    reason: str
    requested_by: str
    requested_at: dt.datetime
    stream_seq: int = Field(description="how far it has read")
    stream_end: int | None = Field(description="how far there is to read; null = not known")
    finished_at: dt.datetime | None
    differences: dict[str, Differences] | None = Field(description="by table, once it is done")
    announced: int | None = Field(description="events announced for what differed, once it is done")

    @classmethod
    def of(cls, rebuild: Rebuild, say: catalogue.Translate) -> Self:
        """From a row."""
        named = {name: getattr(rebuild, name) for name in cls.model_fields if name != "state_label"}
        return cls(**named, state_label=say(f"operations.rebuild.{rebuild.state}"))


class StandingShown(BaseModel):
    """How a part stands."""

    state: str = Field(
        description="working, waiting, stopped, failing; silent: no process runs it; unknown: none ever did"
    )
    state_label: str
    detail: str = Field(description="what it waits for, or what must be done")
    since: dt.datetime | None

    @classmethod
    def of(cls, standing: Standing, say: catalogue.Translate, language: str) -> Self:
        """With its state in words."""
        return cls(
            state=standing.state,
            state_label=label(say, standing),
            detail=standing.why(language),
            since=standing.since,
        )


class StreamShown(StandingShown):
    """A stream this service tells its events in."""

    stream: str
    waiting: int = Field(description="events not sent yet")
    oldest_at: dt.datetime | None
    oldest_seconds: int = Field(description="age of the oldest event not sent yet")
    newest_sequence: int | None = Field(description="the event told last")
    newest_at: dt.datetime | None


class ProjectionShown(StandingShown):
    """A stream this service reads."""

    projector: str
    stream: str
    position: int | None = Field(description="place in the stream up to which it has read")
    behind: int | None = Field(description="messages still to be read; null = not known")
    moved_at: dt.datetime | None
    dead_letters: int = Field(description="messages that wait for a person")


class SituationShown(BaseModel):
    """How this service's relays and projections stand."""

    service: str
    well: bool = Field(description="every part works and nothing waits for a person")
    streams: list[StreamShown]
    projections: list[ProjectionShown]
    rebuilder: StandingShown | None = Field(description="null = nothing can be rebuilt here")
    dead_letters: int
    rebuilds: list[RebuildShown] = Field(description="asked for or under way")


def label(say: catalogue.Translate, standing: Standing) -> str:
    """A standing's state in words; a state without words stands for itself."""
    try:
        return say(f"operations.state.{standing.state}")
    except catalogue.UnknownText:
        return standing.state


@situation_router.get("/operations")
async def read_situation(request: Request, conn: Conn, _: Operator, say: Words) -> SituationShown:
    """How the streams told, the streams read, dead letters and rebuilds stand."""
    service: Service = request.app.state.service
    language = str(request.state.lang)
    found = await situation(conn, service)
    return SituationShown(
        service=service.name,
        well=found.well,
        streams=[_stream(each, StandingShown.of(each.standing, say, language)) for each in found.streams],
        projections=[
            _projection(each, StandingShown.of(each.standing, say, language)) for each in found.projections
        ],
        rebuilder=StandingShown.of(found.rebuilder, say, language) if found.rebuilder else None,
        dead_letters=found.letters,
        rebuilds=[RebuildShown.of(each, say) for each in found.rebuilds],
    )


def _stream(owned: Owned, standing: StandingShown) -> StreamShown:
    return StreamShown(
        **standing.model_dump(),
        stream=owned.stream,
        waiting=owned.waiting,
        oldest_at=owned.oldest and owned.oldest.at,
        oldest_seconds=owned.oldest_seconds,
        newest_sequence=owned.newest and owned.newest.sequence,
        newest_at=owned.newest and owned.newest.at,
    )


def _projection(read: Projection, standing: StandingShown) -> ProjectionShown:
    return ProjectionShown(
        **standing.model_dump(),
        projector=read.projector,
        stream=read.stream,
        position=read.position,
        behind=read.behind,
        moved_at=read.moved_at,
        dead_letters=read.letters,
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
    letter_id: Number, request: Request, conn: Conn, principal: Operator, say: Words
) -> LetterShown:
    """Project one letter again. It is RETRIED, or still WAITING with the reason why not."""
    projectors = request.app.state.service.projectors
    return LetterShown.of(await letters.retry(conn, projectors, letter_id, principal), say)


@router.post("/dead-letters/{letter_id}/discard", responses=problems.responses(LetterUnknown, LetterSettled))
async def discard_letter(
    letter_id: Number, given: Discard, conn: Conn, principal: Operator, say: Words
) -> LetterShown:
    """Give one letter up. The reason is kept with who gave it and when."""
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
    *, given: RebuildAsked, request: Request, conn: Conn, principal: Operator, say: Words, response: Response
) -> RebuildShown:
    """Have a projection made anew, beside the live one. One that is open already is answered instead."""
    projectors = request.app.state.service.projectors
    found = await rebuilds.request(conn, projectors, given.stream, given.reason, principal)
    response.headers["Location"] = f"/v1/rebuilds/{found.id}"
    return RebuildShown.of(found, say)


@router.get("/rebuilds/{rebuild_id}", responses=problems.responses(RebuildUnknown))
async def read_rebuild(rebuild_id: Number, conn: Conn, _: Operator, say: Words) -> RebuildShown:
    """How far a rebuild has come, and in the end by what it differed."""
    return RebuildShown.of(await rebuilds.find(conn, rebuild_id), say)
