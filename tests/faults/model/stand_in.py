"""A stand-in for the NATS server: streams, durables and their wire calls, in memory.

It answers what the house asks and nothing else, as nats-server does; `test_model_server` compares the two.
Messages for a durable wait until the test lets them go.
"""

import asyncio
import json
from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import Any

from tests.faults.model.streams import Connection, Durable, Headers, Kept, Request, Stream

NOT_FOUND, WRONG_LAST, DUPLICATE = 10059, 10071, 10201
Sent = tuple[Request, Kept, str]


class Error(Exception):
    """The server understood and says no."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.answer = {"error": {"code": 400, "err_code": code, "description": description}}


class Server:
    """The whole server. `now` is its clock; `remembers` turns its window of known message ids on.

    `happened` counts what was delivered, what went wrong with it, and who went on from where.
    """

    def __init__(self, now: Callable[[], float], happened: Counter[str], *, remembers: bool = False) -> None:
        self._now, self._happened = now, happened
        self.streams: dict[str, Stream] = {}
        self.clients: list[Connection] = []
        self.remembers = remembers
        self._births = 0

    def create(self, name: str, config: dict[str, Any]) -> Stream:
        """A stream of this name with nothing in it, in place of any other."""
        self.lose(name)
        self._births += 1
        self.streams[name] = Stream(config, f"2024-01-24T00:00:{self._births:02d}Z")
        return self.streams[name]

    def lose(self, name: str) -> None:
        """The stream is gone, and its durables with it."""
        stream = self.streams.pop(name, None)
        for durable in stream.durables.values() if stream else ():
            for request in durable.waiting:
                request.client.hear(request.inbox, b"", {"Status": "409", "Description": "Consumer Deleted"})

    def rewind(self, name: str, number: int) -> None:
        """The server comes back with a copy of the stream from before its last messages."""
        stream = self.streams[name]
        for _ in range(min(number, len(stream.messages))):
            del stream.messages[stream.last]
            stream.last -= 1
        stream.durables = {reader: Durable() for reader in stream.durables}
        for client in list(self.clients):
            client.drop()

    def durable(self, stream: str, reader: str) -> Durable:
        """The place of a reader; its owner's relay has made it."""
        return self.streams[stream].durables.setdefault(reader, Durable())

    def handle(self, subject: str, data: bytes, headers: Headers, client: Connection) -> Any:
        """The answer to a request; `None` when there is none."""
        if subject.startswith("$JS.ACK."):
            return self._acknowledge(subject)
        for prefix in ("$JS.API.", *(f"{name}.API." for name in self.streams)):
            if subject.startswith(prefix):
                body = json.loads(data) if data.startswith((b"{", b"[")) else {}
                return self._api(subject.removeprefix(prefix), body)
        if ".API." in subject:
            raise Error(NOT_FOUND, "stream not found")
        return self._store(subject, data, headers, client)

    def _acknowledge(self, subject: str) -> None:
        tokens = subject.split(".")
        if tokens[2] in self.streams:
            self.durable(tokens[2], tokens[3]).acknowledge(int(tokens[5]))

    def _api(self, endpoint: str, body: dict[str, Any]) -> dict[str, Any]:
        kind, _, rest = endpoint.partition(".")
        if kind == "INFO":
            return {}
        verb, _, names = rest.partition(".")
        if verb == "DURABLE":
            verb, _, names = names.partition(".")
        name, _, reader = names.partition(".")
        if verb == "CREATE" and kind == "STREAM":
            return self.create(name, body).info()
        if name not in self.streams:
            raise Error(NOT_FOUND, "stream not found")
        stream = self.streams[name]
        if kind == "STREAM":
            if verb == "UPDATE":
                stream.config = body
            return stream.info()
        if verb == "CREATE":
            self.durable(name, reader)
        elif verb == "RESET":
            seq = max(int(body["seq"]), 1)
            stream.durables[reader].reset(seq)
            self._happened[f"{reader} goes on from its checkpoint"] += seq > 1
        return {}

    def _store(self, subject: str, data: bytes, headers: Headers, client: Connection) -> Any:
        named = [each for each in self.streams.items() if _takes(each[1].config["subjects"][0], subject)]
        if not named:
            return None
        [(name, stream)] = named
        batch = headers.get("Nats-Batch-Id")
        if batch is None:
            self._check(stream, headers)
            known = stream.find(headers["Nats-Msg-Id"]) if self.remembers else None
            if known is not None:
                return {"stream": name, "seq": known.seq, "duplicate": True}
            return {"stream": name, "seq": stream.add(subject, data, headers["Nats-Msg-Id"])}
        staged = client.batches.setdefault(batch, [])
        staged.append((subject, data, headers))
        if "Nats-Batch-Commit" not in headers:
            return None
        del client.batches[batch]
        self._check(stream, staged[0][2])
        if self.remembers and any(stream.find(each[2]["Nats-Msg-Id"]) for each in staged):
            raise Error(DUPLICATE, "batch publish contains duplicate message id")
        for each in staged:
            stream.add(each[0], each[1], each[2]["Nats-Msg-Id"])
        return {"stream": name, "seq": stream.last, "batch": batch, "count": len(staged)}

    def _check(self, stream: Stream, headers: Headers) -> None:
        expected = headers.get("Nats-Expected-Last-Sequence")
        if expected is not None and int(expected) != stream.last:
            raise Error(WRONG_LAST, f"wrong last sequence: {stream.last}")
        expected = headers.get("Nats-Expected-Last-Subject-Sequence")
        last = stream.last_under(headers.get("Nats-Expected-Last-Subject-Sequence-Subject", ""))
        if expected is not None and int(expected) != last:
            raise Error(WRONG_LAST, f"wrong last sequence: {last}")

    def range(self, name: str, body: dict[str, Any]) -> Iterator[Kept]:
        """What a direct read answers."""
        stream = self.streams[name]
        wanted = [each for each in stream.in_order() if each.seq >= body["seq"]]
        yield from wanted[: body["batch"]]

    def deliver(self, stream: str, reader: str, number: int, disturb: str = "") -> int:
        """Send the next messages of a durable to whoever asked for them; how many were sent.

        `disturb` is what the network does to them: "drop" the first, "duplicate" it, "reorder" the first two.
        """
        durable = self.durable(stream, reader)
        sent: list[Sent] = []
        while len(sent) < number and durable.waiting:
            kept = self._next(stream, durable)
            if kept is None:
                break
            durable.delivered += 1
            durable.sent[kept.seq] = self._now()
            request = durable.waiting[0]
            request.left -= 1
            if request.left == 0:
                self._end(durable, request)
            place = f"{kept.seq}.{durable.delivered}"
            sent.append((request, kept, f"$JS.ACK.{stream}.{reader}.1.{place}.0.0"))
        self._happened["deliver"] += len(sent)
        if disturb and len(sent) > (disturb == "reorder"):
            self._happened[disturb] += 1
        for request, kept, reply in _disturbed(sent, disturb):
            request.client.hear(request.inbox, kept.data, None, kept.subject, reply)
        return len(sent)

    def ask(self, stream: str, reader: str, request: Request, seconds: float) -> None:
        """A client asks for the next messages of a durable, and gives up after a while."""
        durable = self.durable(stream, reader)
        durable.waiting.append(request)

        def end() -> None:
            if request in durable.waiting:
                left = {"Nats-Pending-Messages": str(request.left), "Nats-Pending-Bytes": "0"}
                self._end(durable, request)
                request.client.hear(request.inbox, b"", {"Status": "408", **left})

        request.end = asyncio.get_running_loop().call_later(seconds, end)

    def _end(self, durable: Durable, request: Request) -> None:
        durable.waiting.remove(request)
        if request.end is not None:
            request.end.cancel()

    def _next(self, stream: str, durable: Durable) -> Kept | None:
        held = self.streams[stream]
        overdue = durable.overdue(self._now())
        if overdue in held.messages:
            return held.messages[overdue]
        following = max(durable.following, held.first)
        while following <= held.last and following not in held.messages:
            following += 1
        durable.following = following
        if following > held.last:
            return None
        durable.following += 1
        return held.messages[following]

    def deliver_all(self) -> int:
        """Everything to everybody who asked."""
        return sum(
            self.deliver(name, reader, 10_000)
            for name, stream in self.streams.items()
            for reader in stream.durables
        )

    def forget(self, client: Connection) -> None:
        """A client that is gone waits for nothing."""
        for stream in self.streams.values():
            for durable in stream.durables.values():
                durable.waiting = deque(each for each in durable.waiting if each.client is not client)


def _takes(pattern: str, subject: str) -> bool:
    return subject.startswith(pattern.removesuffix(">"))


def _disturbed(sent: list[Sent], disturb: str) -> list[Sent]:
    if disturb == "drop":
        return sent[1:]
    if disturb == "duplicate":
        return [*sent[:1], *sent]
    if disturb == "reorder" and len(sent) > 1:
        return [sent[1], sent[0], *sent[2:]]
    return sent
