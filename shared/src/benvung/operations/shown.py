"""What operations answer with over HTTP, in the reader's language."""

import datetime as dt
from typing import Any, Self

from pydantic import BaseModel, Field

from benvung.operations import letters, rebuilds
from benvung.operations.letters import Listed
from benvung.operations.payload import Kind, readable
from benvung.operations.rebuilds import Rebuild
from benvung.operations.situation import Owned, Projection, Standing
from benvung.pages import catalogue


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
        description="reason of a discard; NOT_READ or WITHDRAWN where a retry had nothing to do;"
        " REBUILT where a rebuild of the projection read it"
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


def stream_shown(owned: Owned, standing: StandingShown) -> StreamShown:
    """A stream told, as it stands."""
    return StreamShown(
        **standing.model_dump(),
        stream=owned.stream,
        waiting=owned.waiting,
        oldest_at=owned.oldest and owned.oldest.at,
        oldest_seconds=owned.oldest_seconds,
        newest_sequence=owned.newest and owned.newest.sequence,
        newest_at=owned.newest and owned.newest.at,
    )


def projection_shown(read: Projection, standing: StandingShown) -> ProjectionShown:
    """A stream read, as it stands."""
    return ProjectionShown(
        **standing.model_dump(),
        projector=read.projector,
        stream=read.stream,
        position=read.position,
        behind=read.behind,
        moved_at=read.moved_at,
        dead_letters=read.letters,
    )
