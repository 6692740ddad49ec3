"""The CloudEvent that crosses a border, and the register of what may be in it.

An event carries the aggregate's whole public state after the change and never anything personal: no
name, identity number, birth date, address below the village, or free text. What is sensitive is marked
`restricted` and travels in a stream of its own.
"""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import from_json

CONTENT_TYPE = "application/cloudevents+json"
SEQUENCE_DIGITS = 19
SEQUENCE_OFFSET = len('{"sequence": "')
WITHDRAWN = "events.withdrawn.v1"
LATER = Field(json_schema_extra={"x-later": True})
"""Marks a field that joined its event after the first version was told: `Annotated[int, LATER]`.

The producer always says it. Readers may not count on it, because older events in the stream lack it.
"""
REGISTRY: dict[str, type["EventData"]] = {}


class EventData(BaseModel):
    """What one kind of event says. Subclasses name themselves in `event_type` and enter the register.

    Every event has a place: `province` and `commune` are codes of administrative units, or null where
    the fact belongs to a place above them. `revision` counts 1, 2, 3 … per aggregate.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    event_type: ClassVar[str]
    restricted: ClassVar[bool] = False

    province: str | None
    commune: str | None
    revision: int

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "event_type" in cls.__dict__:
            REGISTRY[cls.event_type] = cls

    @property
    def subject_id(self) -> str:
        """The aggregate's id. Events of one subject are ordered among themselves."""
        raise NotImplementedError(type(self).__name__)

    @classmethod
    def service(cls) -> str:
        """The service that owns this event: the first word of its type."""
        return cls.event_type.partition(".")[0]

    @classmethod
    def stream(cls) -> str:
        """The stream this event travels in."""
        return cls.service().upper() + ("_RESTRICTED" if cls.restricted else "")

    def subject(self) -> str:
        """The NATS subject: type, then place, so that a subscriber filters by both."""
        prefix = "restricted." if self.restricted else ""
        return f"{prefix}{self.event_type}.{self.province or '_'}.{self.commune or '_'}"


class EventsWithdrawn(EventData):
    """These events no longer hold: the database that told them was restored to a moment before them.

    Whoever kept anything of them reads the stream again without them. Each service that tells events has its
    own subclass.
    """

    withdrawal_id: UUID
    events: tuple[UUID, ...] = Field(description="ids of the events, a thousand at most")

    @property
    def subject_id(self) -> str:
        return str(self.withdrawal_id)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A CloudEvent as read from a stream. `data` is unread: a consumer's own model reads it."""

    id: str
    source: str
    type: str
    subject: str
    time: dt.datetime
    sequence: int
    data: dict[str, Any]
    traceparent: str | None


class Unreadable(Exception):
    """The bytes are no CloudEvent of ours; the message says what is wrong."""


def encode(
    data: EventData, *, event_id: str, sequence: int, time: dt.datetime, traceparent: str | None
) -> bytes:
    """The event in CloudEvents 1.0 structured JSON mode.

    `sequence` is written as 19 digits with leading zeros, so that it sorts as text too; it stands first, at
    `SEQUENCE_OFFSET`, where the outbox writes it into an event that was encoded before it was known.
    """
    head: dict[str, str] = {
        "sequence": f"{sequence:0{SEQUENCE_DIGITS}d}",
        "specversion": "1.0",
        "id": event_id,
        "source": f"/{data.service()}",
        "type": data.event_type,
        "subject": data.subject_id,
        "time": time.isoformat(),
        "datacontenttype": "application/json",
    }
    if traceparent:
        head["traceparent"] = traceparent
    # The body is rendered once by pydantic; the head is prepended as text to save a second pass.
    return (
        json.dumps(head, ensure_ascii=False)[:-1].encode()
        + b', "data": '
        + data.__pydantic_serializer__.to_json(data)
        + b"}"
    )


def decode(payload: bytes) -> Envelope:
    """Read a CloudEvent in structured JSON mode.

    Raises `Unreadable` when it is not JSON, no CloudEvent 1.0, or lacks an attribute we need.
    """
    try:
        body = from_json(payload)
    except ValueError as error:
        raise Unreadable(f"not JSON: {error}") from error
    if not isinstance(body, dict):
        raise Unreadable("not a JSON object")
    if body.get("specversion") != "1.0":
        raise Unreadable("specversion is not 1.0")
    missing = [
        key for key in ("id", "source", "type", "subject", "time", "sequence", "data") if key not in body
    ]
    if missing:
        raise Unreadable(f"attributes missing: {', '.join(missing)}")
    try:
        return Envelope(
            id=_text(body, "id"),
            source=_text(body, "source"),
            type=_text(body, "type"),
            subject=_text(body, "subject"),
            time=dt.datetime.fromisoformat(_text(body, "time")),
            sequence=_sequence(body["sequence"]),
            data=_object(body["data"]),
            traceparent=body.get("traceparent") if isinstance(body.get("traceparent"), str) else None,
        )
    except ValueError as error:
        raise Unreadable(str(error)) from error


def _text(body: dict[str, Any], key: str) -> str:
    value = body[key]
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key} is not a text")
    return value


def _sequence(value: object) -> int:
    if (
        not isinstance(value, str)
        or len(value) != SEQUENCE_DIGITS
        or not value.isascii()
        or not value.isdigit()
    ):
        raise ValueError("sequence is not 19 digits")
    if int(value) > 2**63 - 1:
        raise ValueError("sequence is out of range")
    return int(value)


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("data is not an object")
    return value
