"""What passes over the bus, what can go wrong with it, and how streams and their readers are declared."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

SECOND = 1_000_000_000
BACKOFF = (5 * SECOND, 30 * SECOND, 120 * SECOND, 600 * SECOND)


class Doubt(Exception):
    """Something about this connection is uncertain. Close it, connect anew, start from the checkpoint."""


class Absent(Doubt):
    """There is no connection: nobody answers at NATS's address, or who answers does not take us in."""


class NotStored(Doubt):
    """The server answers, but does not confirm what it is sent: it may be unable to write."""


class Refused(Exception):
    """The server understood and said no."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"{description} ({code})")
        self.code = code


class Stored(NamedTuple):
    """A message as the stream holds it."""

    stream_seq: int
    subject: str
    payload: bytes
    event_id: str | None = None
    delivery: int = 0
    reply: str = ""


@dataclass(frozen=True, slots=True)
class StreamState:
    """What tells one life of a stream from another, how far it reaches, and whether it holds all it should."""

    created: str
    first_seq: int
    last_seq: int
    messages: int
    deleted: tuple[int, ...] = ()
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be stored: the subject, the event's id, and its bytes."""

    subject: str
    event_id: str
    payload: bytes


def owner(stream: str) -> str:
    """The service that a stream belongs to."""
    return stream.partition("_")[0].lower()


def advisory_stream(stream: str) -> str:
    """Where the server's word is kept that an agency did not manage to take a message of `stream`."""
    return f"{stream}_ADVISORIES"


def advisory_subject(stream: str, reader: str) -> str:
    """The subject of that word."""
    return f"$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.{stream}.{reader}"


def _subject(stream: str) -> str:
    name, _, kind = stream.partition("_")
    if kind == "ADVISORIES":
        return advisory_subject(name, "*")
    return f"restricted.{owner(stream)}.>" if kind == "RESTRICTED" else f"{owner(stream)}.>"


def stream_config(name: str) -> dict[str, Any]:
    """The declared form of a service's stream. Nothing ages out; a full stream refuses rather than drops."""
    return {
        "name": name,
        "subjects": [_subject(name)],
        "retention": "limits",
        "storage": "file",
        "discard": "new",
        "num_replicas": 1,
        "max_age": 0,
        "max_msgs": -1,
        "max_bytes": -1,
        "max_msgs_per_subject": -1,
        "duplicate_window": 120_000_000_000,
        "deny_delete": True,
        "deny_purge": True,
        "allow_direct": True,
        "allow_atomic": True,
    }


def reader_config(reader: str) -> dict[str, Any]:
    """The durable through which one projector reads: reset to the projector's own checkpoint at each start."""
    return {
        "durable_name": reader,
        "name": reader,
        "deliver_policy": "all",
        "ack_policy": "all",
        "ack_wait": 60_000_000_000,
        "max_deliver": -1,
        "max_ack_pending": 20_000,
        "replay_policy": "instant",
    }


def agency_config(agency: str, subjects: Sequence[str]) -> dict[str, Any]:
    """The durable of an agency: what it does not acknowledge comes again, ten times at growing distances."""
    return {
        "durable_name": agency,
        "name": agency,
        "filter_subjects": list(subjects),
        "deliver_policy": "all",
        "ack_policy": "explicit",
        "ack_wait": BACKOFF[0],
        "backoff": list(BACKOFF),
        "max_deliver": 10,
        "max_ack_pending": 1000,
        "replay_policy": "instant",
    }
