"""The one wrapper around nats-py.

A `Bus` is one connection and lives as long as that connection does. It never reconnects by itself: on any
doubt its owner closes it, connects anew and starts again from what its database says. Nothing here
relies on the server's window of known message ids, and no message is published twice "to be sure".
"""

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from nats import errors as nats_errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from benvung.envelope import CONTENT_TYPE
from benvung.settings import ServiceSettings

log = structlog.get_logger(__name__)

BATCH_LIMIT = 1000
API_TIMEOUT = 5.0
PULL_SIZE = 500
PULL_EXPIRES = 2.0
DIRECT_GET_BATCH = 500

WRONG_LAST_SEQUENCE = frozenset({10070, 10071, 10164})
STREAM_NOT_FOUND = 10059
CONSUMER_NOT_FOUND = 10014


class Doubt(Exception):
    """Something about this connection is uncertain. Close it, connect anew, start from the checkpoint."""


class Refused(Exception):
    """The server understood and said no."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"{description} ({code})")
        self.code = code


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as the stream holds it."""

    stream_seq: int
    subject: str
    payload: bytes
    event_id: str | None = None
    delivery: int = 0
    reply: str = ""


@dataclass(frozen=True, slots=True)
class StreamState:
    """What tells one life of a stream from another, and how far it reaches."""

    created: str
    first_seq: int
    last_seq: int
    messages: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be stored: the subject, the event's id, and its bytes."""

    subject: str
    event_id: str
    payload: bytes


def stream_config(name: str, replicas: int = 1) -> dict[str, Any]:
    """The declared form of a service's stream. Nothing ages out; a full stream refuses rather than drops."""
    service = name.lower().removesuffix("_restricted")
    subjects = [f"restricted.{service}.>" if name.endswith("_RESTRICTED") else f"{service}.>"]
    return {
        "name": name,
        "subjects": subjects,
        "retention": "limits",
        "storage": "file",
        "discard": "new",
        "num_replicas": replicas,
        "max_age": 0,
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


class Bus:
    """One connection to NATS, with the few JetStream requests the house needs."""

    def __init__(self, client: Client, inbox: str, closed: asyncio.Event) -> None:
        self._client = client
        self._inbox = inbox
        self.closed = closed

    @classmethod
    async def connect(cls, settings: ServiceSettings, service: str, purpose: str) -> "Bus":
        """Connect once. Raises `Doubt` when the server cannot be reached or refuses the user."""
        closed = asyncio.Event()
        client = Client()
        inbox = f"_INBOX.{service}"

        async def on_error(error: Exception) -> None:
            # An exception in here would end the client's read loop while it still looks connected.
            log.warning("nats_error", purpose=purpose, error=repr(error))

        async def on_closed() -> None:
            closed.set()

        try:
            await client.connect(
                settings.nats_url,
                name=f"{service}-{purpose}",
                user=settings.nats_user or service,
                password=settings.nats_password.get_secret_value(),
                allow_reconnect=False,
                connect_timeout=3,
                ping_interval=5,
                max_outstanding_pings=2,
                error_cb=on_error,
                closed_cb=on_closed,
                disconnected_cb=on_closed,
                inbox_prefix=inbox,
                pending_size=64 * 1024 * 1024,
            )
        except (nats_errors.Error, OSError, TimeoutError, ValueError) as error:
            with contextlib.suppress(Exception):
                await client.close()
            raise Doubt(f"cannot connect to NATS: {error!r}") from error
        return cls(client, inbox, closed)

    async def close(self) -> None:
        """Close now, in bounded time. Never drains: what was not confirmed did not happen."""
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._client.close(), 2)
        self.closed.set()

    async def ping(self) -> None:
        """Prove life by a request with an answer; connection flags and a local flush prove nothing."""
        await self._api("INFO", None)

    async def _request(
        self,
        subject: str,
        payload: bytes,
        headers: dict[str, str] | None = None,
        timeout: float = API_TIMEOUT,
    ) -> Msg:
        if self.closed.is_set():
            raise Doubt("connection closed")
        request = asyncio.ensure_future(
            self._client.request(subject, payload, timeout=timeout, headers=headers)
        )
        gone = asyncio.ensure_future(self.closed.wait())
        try:
            await asyncio.wait({request, gone}, timeout=timeout + 1, return_when=asyncio.FIRST_COMPLETED)
            if not request.done():
                raise Doubt(f"no answer to {subject}")
            return request.result()
        except (nats_errors.Error, OSError, TimeoutError) as error:
            raise Doubt(f"{subject}: {error!r}") from error
        finally:
            gone.cancel()
            request.cancel()

    async def _api(self, endpoint: str, body: dict[str, Any] | None) -> dict[str, Any]:
        payload = b"" if body is None else json.dumps(body).encode()
        return _answer(await self._request(f"$JS.API.{endpoint}", payload))

    async def ensure_stream(self, name: str, replicas: int = 1) -> None:
        """Declare a stream of ours: create it, or bring a drifted one back to its declared form."""
        wanted = stream_config(name, replicas)
        try:
            info = await self._api(f"STREAM.INFO.{name}", None)
        except Refused as refused:
            if refused.code != STREAM_NOT_FOUND:
                raise
            await self._api(f"STREAM.CREATE.{name}", wanted)
            log.info("stream_created", stream=name)
            return
        drift = sorted(key for key, value in wanted.items() if info["config"].get(key, 0) != value)
        if drift:
            log.warning("stream_drifted", stream=name, fields=drift)
            await self._api(f"STREAM.UPDATE.{name}", {**info["config"], **wanted})

    async def ensure_reader(self, stream: str, reader: str) -> None:
        """Create the durable `reader` on our `stream`, if it is not there."""
        body = {"stream_name": stream, "config": reader_config(reader), "action": ""}
        await self._api(f"CONSUMER.DURABLE.CREATE.{stream}.{reader}", body)

    async def stream_state(self, stream: str) -> StreamState:
        """The stream's creation time and extent. Raises `Refused` when there is no such stream."""
        info = await self._api(f"STREAM.INFO.{stream}", None)
        state = info["state"]
        return StreamState(info["created"], state["first_seq"], state["last_seq"], state["messages"])

    async def publish(self, stream: str, message: Outgoing, expected_last: int) -> int:
        """Store one message behind `expected_last` and wait for the word that it is on disk."""
        answer = await self._request(
            message.subject, message.payload, _headers(stream, message, expected_last)
        )
        return int(_answer(answer)["seq"])

    async def publish_batch(self, stream: str, messages: Sequence[Outgoing], expected_last: int) -> int:
        """Store up to `BATCH_LIMIT` messages, all or none, behind `expected_last`; returns the new last one."""
        batch = secrets.token_hex(16)
        last = len(messages)
        try:
            for number, message in enumerate(messages, start=1):
                headers = _headers(stream, message, expected_last if number == 1 else None)
                headers |= {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
                if number < last:
                    await self._client.publish(message.subject, message.payload, headers=headers)
                else:
                    headers["Nats-Batch-Commit"] = "1"
                    answer = await self._request(message.subject, message.payload, headers, timeout=15)
        except (nats_errors.Error, OSError) as error:
            raise Doubt(f"batch: {error!r}") from error
        return int(_answer(answer)["seq"])

    async def read_range(self, stream: str, first: int, last: int) -> AsyncIterator[Stored]:
        """Messages `first` … `last` straight from our own stream, in order."""
        inbox = f"{self._inbox}.{secrets.token_hex(8)}"
        queue: asyncio.Queue[Msg] = asyncio.Queue()
        subscription = await self._client.subscribe(inbox, cb=queue.put, pending_bytes_limit=0)
        try:
            while first <= last:
                body = {"seq": first, "batch": min(DIRECT_GET_BATCH, last - first + 1)}
                await self._client.publish(
                    f"$JS.API.DIRECT.GET.{stream}", json.dumps(body).encode(), reply=inbox
                )
                while (stored := await self._direct(queue)) is not None:
                    if stored.stream_seq > last:
                        return
                    first = stored.stream_seq + 1
                    yield stored
                if first <= last and not self._progress(body, first):
                    return
        except (nats_errors.Error, OSError) as error:
            raise Doubt(f"reading {stream}: {error!r}") from error
        finally:
            with contextlib.suppress(Exception):
                await subscription.unsubscribe()

    @staticmethod
    def _progress(body: dict[str, Any], first: int) -> bool:
        return bool(first > body["seq"])

    async def _direct(self, queue: "asyncio.Queue[Msg]") -> Stored | None:
        """The next message of a direct read, or `None` at the end of its batch."""
        try:
            message = await asyncio.wait_for(queue.get(), API_TIMEOUT)
        except TimeoutError as error:
            raise Doubt("a direct read got no answer") from error
        headers = message.headers or {}
        status = headers.get("Status")
        if status in {"204", "404"}:
            return None
        if status is not None:
            raise Doubt(f"direct read: {status} {headers.get('Description', '')}")
        return Stored(
            int(headers["Nats-Sequence"]), headers["Nats-Subject"], message.data, headers.get("Nats-Msg-Id")
        )

    async def pull(self, stream: str, reader: str, after: int) -> "Pull":
        """Read on from the message behind stream sequence `after`, through the durable `reader`."""
        await self._api(f"CONSUMER.RESET.{stream}.{reader}", {"seq": after + 1})
        pull = Pull(self._client, f"{self._inbox}.{secrets.token_hex(8)}", stream, reader, self.closed)
        await pull.start()
        return pull


class Pull:
    """An endless read of one durable with more than one request under way, checked for gaps.

    nats-py's own `fetch` returns stray messages, stalls over a restart and costs a task per message;
    one plain callback on one inbox does none of that and keeps the order.
    """

    def __init__(self, client: Client, inbox: str, stream: str, reader: str, closed: asyncio.Event) -> None:
        self._client = client
        self._inbox = inbox
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{reader}"
        self._closed = closed
        self._queue: asyncio.Queue[Stored | Doubt] = asyncio.Queue()
        self._asked = 0
        self._delivered = 0
        self._heard_at = asyncio.get_running_loop().time()

    async def start(self) -> None:
        """Subscribe and put the first requests under way."""
        await self._client.subscribe(
            f"{self._inbox}.*", cb=self._on_message, pending_msgs_limit=0, pending_bytes_limit=0
        )
        await self._ask()

    async def _ask(self) -> None:
        """Keep between one and two requests' worth of messages asked for."""
        while self._asked <= PULL_SIZE:
            self._asked += PULL_SIZE
            body = json.dumps({"batch": PULL_SIZE, "expires": int(PULL_EXPIRES * 1e9)}).encode()
            await self._client.publish(self._next, body, reply=f"{self._inbox}.pull")

    async def _on_message(self, message: Msg) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        try:
            await self._sort(message)
        except Doubt as doubt:
            self._queue.put_nowait(doubt)
        except Exception as error:  # noqa: BLE001 -- an exception in here would deafen the connection
            self._queue.put_nowait(Doubt(f"pull: {error!r}"))

    async def _sort(self, message: Msg) -> None:
        if message.reply.startswith("$JS.ACK."):
            stored = _delivered(message)
            if stored.delivery != self._delivered + 1:
                raise Doubt(f"delivery {stored.delivery} follows {self._delivered}")
            self._delivered = stored.delivery
            self._queue.put_nowait(stored)
            self._asked -= 1
        else:
            headers = message.headers or {}
            if headers.get("Status") not in {"404", "408"}:
                raise Doubt(f"pull ended: {headers.get('Status')} {headers.get('Description', '')}")
            self._asked -= int(headers.get("Nats-Pending-Messages", PULL_SIZE))
        await self._ask()

    async def batch(self, limit: int, wait: float) -> list[Stored]:
        """What has arrived: at least one message, at most `limit`; nothing if `wait` seconds pass.

        Raises `Doubt` on a gap, a lost connection, or a request the server forgot.
        """
        if self._closed.is_set():
            raise Doubt("connection closed")
        try:
            messages = [_certain(await asyncio.wait_for(self._queue.get(), wait))]
        except TimeoutError:
            self._check_requests()
            return []
        while len(messages) < limit and not self._queue.empty():
            messages.append(_certain(self._queue.get_nowait()))
        return messages

    def _check_requests(self) -> None:
        silence = asyncio.get_running_loop().time() - self._heard_at
        if self._closed.is_set() or silence > PULL_EXPIRES + 3:
            raise Doubt("the server forgot our pull requests")

    async def acknowledge(self, last: Stored) -> None:
        """Tell the server how far the projection is. Only its lag figures depend on it."""
        with contextlib.suppress(nats_errors.Error, OSError):
            await self._client.publish(last.reply, b"")


def _certain(item: Stored | Doubt) -> Stored:
    if isinstance(item, Doubt):
        raise item
    return item


def _delivered(message: Msg) -> Stored:
    """Read stream and delivery sequence from the ack subject; both known layouts end alike."""
    tokens = message.reply.split(".")
    if len(tokens) == 9:
        stream_seq, delivery = tokens[5], tokens[6]
    elif len(tokens) >= 11:
        stream_seq, delivery = tokens[7], tokens[8]
    else:
        raise Doubt(f"unknown ack subject {message.reply}")
    return Stored(int(stream_seq), message.subject, message.data, None, int(delivery), message.reply)


def _headers(stream: str, message: Outgoing, expected_last: int | None) -> dict[str, str]:
    headers = {"Nats-Msg-Id": message.event_id, "Content-Type": CONTENT_TYPE, "Nats-Expected-Stream": stream}
    if expected_last is not None:
        headers["Nats-Expected-Last-Sequence"] = str(expected_last)
    return headers


def _answer(message: Msg) -> dict[str, Any]:
    try:
        body = json.loads(message.data)
    except ValueError as error:
        raise Doubt("an answer that is not JSON") from error
    if not isinstance(body, dict):
        raise Doubt("an answer that is not an object")
    if "error" in body:
        raise Refused(int(body["error"].get("err_code", 0)), str(body["error"].get("description", "")))
    return body


async def read_all(settings: ServiceSettings, service: str, stream: str) -> AsyncIterator[Stored]:
    """Every message of our own stream, oldest first, up to the one that was last when reading began."""
    bus = await Bus.connect(settings, service, "read")
    try:
        state = await bus.stream_state(stream)
        async for stored in bus.read_range(stream, state.first_seq, state.last_seq):
            yield stored
    finally:
        await bus.close()


__all__ = [
    "BATCH_LIMIT",
    "WRONG_LAST_SEQUENCE",
    "Bus",
    "Doubt",
    "Outgoing",
    "Pull",
    "Refused",
    "Stored",
    "StreamState",
    "read_all",
]
