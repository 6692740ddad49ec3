"""What the stand-in for NATS keeps: streams, their messages, and the place of each reader."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Protocol

Headers = dict[str, str]
ACK_WAIT = 60.0


class Connection(Protocol):
    """A client, as the server sees it. `batches` holds what it sent of batches that are not whole yet."""

    batches: dict[str, list[tuple[str, bytes, Headers]]]

    def hear(
        self, inbox: str, data: bytes, headers: Headers | None, subject: str = "", reply: str = ""
    ) -> None:
        """The server says something to it."""

    def drop(self) -> None:
        """The server ends the connection."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A message in a stream."""

    seq: int
    subject: str
    data: bytes
    event_id: str


@dataclass(eq=False)
class Request:
    """A client's request for messages: how many more it takes, and where to."""

    client: Connection
    inbox: str
    left: int
    end: asyncio.TimerHandle | None = None


@dataclass(eq=False)
class Durable:
    """A reader's place. What is not acknowledged in time is delivered again; an acknowledgement is for all before."""

    following: int = 1
    delivered: int = 0
    acknowledged: int = 0
    waiting: deque[Request] = field(default_factory=deque)
    sent: dict[int, float] = field(default_factory=dict)

    def acknowledge(self, seq: int) -> None:
        """Everything up to this message has been read."""
        self.acknowledged = max(self.acknowledged, seq)
        self.sent = {each: at for each, at in self.sent.items() if each > self.acknowledged}

    def reset(self, seq: int) -> None:
        """Begin anew at this message. Who waits goes on waiting."""
        self.following, self.delivered, self.acknowledged = seq, 0, seq - 1
        self.sent.clear()

    def overdue(self, now: float) -> int | None:
        """A message that was delivered so long ago that it is delivered again."""
        return min((seq for seq, at in self.sent.items() if at + ACK_WAIT <= now), default=None)


@dataclass(eq=False)
class Stream:
    """A stream as the server keeps it."""

    config: dict[str, Any]
    created: str
    messages: dict[int, Kept] = field(default_factory=dict)
    last: int = 0
    durables: dict[str, Durable] = field(default_factory=dict)

    @property
    def first(self) -> int:
        """The oldest message's number, or the next one's."""
        return min(self.messages, default=self.last + 1)

    def info(self) -> dict[str, Any]:
        """What STREAM.INFO answers."""
        gone = [at for at in range(self.first, self.last + 1) if at not in self.messages]
        state = {"first_seq": self.first, "last_seq": self.last, "messages": len(self.messages)}
        if self.last == 0:
            # As the server says it of a stream that has never held anything.
            state["first_seq"], gone = 0, [0]
        return {"config": self.config, "created": self.created, "state": {**state, "deleted": gone}}

    def add(self, subject: str, data: bytes, event_id: str) -> int:
        """Store a message behind the last one."""
        self.last += 1
        self.messages[self.last] = Kept(self.last, subject, data, event_id)
        return self.last

    def find(self, event_id: str) -> Kept | None:
        """The message that was stored under this id."""
        return next((each for each in self.messages.values() if each.event_id == event_id), None)

    def last_under(self, subject: str) -> int:
        """Where the last message with this subject lies."""
        return max((each.seq for each in self.messages.values() if each.subject == subject), default=0)

    def in_order(self) -> list[Kept]:
        """What it holds."""
        return [self.messages[at] for at in sorted(self.messages)]
