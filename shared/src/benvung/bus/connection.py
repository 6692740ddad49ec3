"""One connection to NATS and the few JetStream requests the house needs."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Sequence
from typing import Any

import structlog
from nats import errors as nats_errors
from nats.aio.msg import Msg

from benvung.bus.client import Client
from benvung.bus.messages import (
    Absent,
    Doubt,
    Outgoing,
    Refused,
    Stored,
    StreamState,
    advisory_stream,
    advisory_subject,
    agency_config,
    owner,
    reader_config,
    stream_config,
)
from benvung.bus.pull import Pull
from benvung.envelope import CONTENT_TYPE
from benvung.settings import ServiceSettings

log = structlog.get_logger(__name__)

API_TIMEOUT = 5.0
CONNECT_SECONDS = 3.0
DIRECT_GET_BATCH = 500
STREAM_NOT_FOUND = 10059
NO_RESPONDERS = "503"
OWN_API = "$JS.API"
CONDITION, REFILLING = "benvung-condition", "refilling"


class Bus:
    """One connection to NATS, with the few JetStream requests the house needs."""

    def __init__(
        self, client: Client, inbox: str, closed: asyncio.Event, service: str, *, shared_account: bool
    ) -> None:
        self._client = client
        self._inbox = inbox
        self._service = service
        self._shared_account = shared_account
        self.closed = closed
        self._replies = f"{inbox}.{secrets.token_hex(8)}"
        self._answers: dict[str, asyncio.Future[Msg]] = {}
        self._number = 0
        self._watch = asyncio.create_task(self._fail_requests())

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
            connecting = client.connect(
                settings.nats_url,
                name=f"{service}-{purpose}",
                user=settings.nats_user or service,
                password=settings.nats_password.get_secret_value(),
                allow_reconnect=False,
                connect_timeout=3,
                reconnect_time_wait=1,
                max_reconnect_attempts=1,
                ping_interval=5,
                max_outstanding_pings=2,
                error_cb=on_error,
                closed_cb=on_closed,
                disconnected_cb=on_closed,
                inbox_prefix=inbox,
                pending_size=64 * 1024 * 1024,
            )
            # Left alone, the client tries an absent server again for two minutes before it says so.
            await asyncio.wait_for(connecting, CONNECT_SECONDS)
            bus = cls(client, inbox, closed, service, shared_account=settings.nats_shared_account)
            await client.subscribe(f"{bus._replies}.*", cb=bus._on_answer)
        except (nats_errors.Error, OSError, TimeoutError, ValueError) as error:
            await _end(client)
            raise Absent(f"cannot connect to NATS: {error!r}") from error
        return bus

    async def close(self) -> None:
        """Close now, in bounded time. Never drains: what was not confirmed did not happen."""
        await _end(self._client)
        self.closed.set()
        await self._watch

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
        self._number += 1
        # Several requests may be under way on one connection.
        number = str(self._number)
        answer: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            await self._client.publish(subject, payload, reply=f"{self._replies}.{number}", headers=headers)
            async with asyncio.timeout(timeout):
                message = await answer
        except (nats_errors.Error, OSError, TimeoutError) as error:
            raise Doubt(f"{subject}: {error!r}") from error
        finally:
            self._answers.pop(number, None)
        if (message.headers or {}).get("Status") == NO_RESPONDERS:
            raise Doubt(f"{subject}: nobody answers")
        return message

    async def _on_answer(self, message: Msg) -> None:
        answer = self._answers.get(message.subject.rpartition(".")[2])
        if answer is not None and not answer.done():
            answer.set_result(message)

    async def _fail_requests(self) -> None:
        """End whatever waits for an answer: a closed connection brings none."""
        await self.closed.wait()
        for answer in list(self._answers.values()):
            if not answer.done():
                answer.set_exception(Doubt("connection closed"))

    async def _api(self, endpoint: str, body: dict[str, Any] | None, api: str = OWN_API) -> dict[str, Any]:
        payload = b"" if body is None else json.dumps(body).encode()
        return _answer(await self._request(f"{api}.{endpoint}", payload))

    def _api_of(self, stream: str) -> str:
        """Where a stream's owner is asked: our account imports, under the stream's name, what we may ask."""
        return OWN_API if self._shared_account or owner(stream) == self._service else f"{stream}.API"

    async def ensure_stream(self, name: str) -> None:
        """Declare a stream of ours: create it, or bring a drifted one back to its declared form."""
        wanted = stream_config(name)
        try:
            info = await self._api(f"STREAM.INFO.{name}", None)
        except Refused as refused:
            if refused.code != STREAM_NOT_FOUND:
                raise
            await self._api(f"STREAM.CREATE.{name}", wanted | {"metadata": {CONDITION: REFILLING}})
            log.info("stream_created", stream=name)
            return
        drift = sorted(key for key, value in wanted.items() if info["config"].get(key, 0) != value)
        if drift:
            log.warning("stream_drifted", stream=name, fields=drift)
            await self._api(f"STREAM.UPDATE.{name}", {**info["config"], **wanted})

    async def ensure_reader(self, stream: str, reader: str) -> None:
        """Create the durable `reader` on our `stream`, if it is not there."""
        await self._ensure_durable(stream, reader_config(reader))

    async def ensure_agency(self, stream: str, agency: str, subjects: Sequence[str]) -> None:
        """Create or correct an agency's durables: for these subjects of our `stream`, and for what it gave up."""
        given_up = advisory_stream(stream)
        await self.ensure_stream(given_up)
        await self._ensure_durable(stream, agency_config(agency, subjects))
        await self._ensure_durable(given_up, agency_config(agency, [advisory_subject(stream, agency)]))

    async def _ensure_durable(self, stream: str, config: dict[str, Any]) -> None:
        body = {"stream_name": stream, "config": config, "action": ""}
        await self._api(f"CONSUMER.DURABLE.CREATE.{stream}.{config['name']}", body)

    async def stream_state(self, stream: str) -> StreamState:
        """The stream's creation time and extent. Raises `Refused` when there is no such stream."""
        info = await self._api(f"STREAM.INFO.{stream}", {"deleted_details": True}, self._api_of(stream))
        state = info["state"]
        return StreamState(
            created=info["created"],
            first_seq=state["first_seq"],
            last_seq=state["last_seq"],
            messages=state["messages"],
            deleted=tuple(state.get("deleted") or ()),
            whole=_condition(info) == _whole(info),
        )

    async def mark_stream(self, stream: str, *, whole: bool) -> None:
        """Say on our own stream whether it holds all it should; its readers wait while it does not.

        A whole stream carries when it was made and how many messages it lacks, so that it is no longer whole
        when some vanish, or when somebody makes it anew from its configuration.
        """
        info = await self._api(f"STREAM.INFO.{stream}", None)
        condition = _whole(info) if whole else REFILLING
        metadata = (info["config"].get("metadata") or {}) | {CONDITION: condition}
        await self._api(f"STREAM.UPDATE.{stream}", {**info["config"], "metadata": metadata})

    async def publish(self, stream: str, message: Outgoing, expected_last: int, subject: str = "") -> int:
        """Store one message behind `expected_last` and wait for the word that it is on disk.

        With `subject` the last message must be there and have that subject: a stream that was emptied counts
        on, and its number alone says nothing.
        """
        behind = _behind(stream, expected_last, subject)
        answer = await self._request(message.subject, message.payload, _headers(message) | behind)
        return int(_answer(answer)["seq"])

    async def publish_batch(
        self, stream: str, messages: Sequence[Outgoing], expected_last: int, subject: str = ""
    ) -> int:
        """Store up to 1000 messages, all or none, as `publish` does one; returns the new last one."""
        batch = secrets.token_hex(16)
        last = len(messages)
        try:
            for number, message in enumerate(messages, start=1):
                headers = _headers(message) | {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
                if number == 1:
                    headers |= _behind(stream, expected_last, subject)
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
        first = max(1, first)
        inbox = f"{self._inbox}.{secrets.token_hex(8)}"
        queue: asyncio.Queue[Msg] = asyncio.Queue()
        try:
            subscription = await self._client.subscribe(inbox, cb=queue.put, pending_bytes_limit=0)
        except (nats_errors.Error, OSError) as error:
            raise Doubt(f"reading {stream}: {error!r}") from error
        try:
            while first <= last:
                asked = first
                body = {"seq": asked, "batch": min(DIRECT_GET_BATCH, last - asked + 1)}
                await self._client.publish(
                    f"$JS.API.DIRECT.GET.{stream}", json.dumps(body).encode(), reply=inbox
                )
                while (stored := await self._direct(queue)) is not None:
                    if stored.stream_seq > last:
                        return
                    first = stored.stream_seq + 1
                    yield stored
                if first == asked:
                    return
        except (nats_errors.Error, OSError) as error:
            raise Doubt(f"reading {stream}: {error!r}") from error
        finally:
            with contextlib.suppress(Exception):
                await subscription.unsubscribe()

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
        api = self._api_of(stream)
        await self._api(f"CONSUMER.RESET.{stream}.{reader}", {"seq": after + 1}, api)
        following = f"{api}.CONSUMER.MSG.NEXT.{stream}.{reader}"
        pull = Pull(self._client, f"{self._inbox}.{secrets.token_hex(8)}", following, self.closed)
        await pull.start()
        return pull


async def _end(client: Client) -> None:
    with contextlib.suppress(Exception):
        await asyncio.wait_for(client.close(), 2)
    # A server that stands still takes nothing any more, and the client would keep the connection for it.
    writer = getattr(client._transport, "_io_writer", None)  # noqa: SLF001 -- it offers no other way
    if writer is not None:
        writer.transport.abort()


def _condition(info: dict[str, Any]) -> str:
    return str((info["config"].get("metadata") or {}).get(CONDITION, ""))


def _whole(info: dict[str, Any]) -> str:
    """What a whole stream says of itself: it changes only when a message vanishes, never when one comes."""
    state = info["state"]
    return f"whole since {info['created']}, {state['last_seq'] - state['messages']} missing"


def _headers(message: Outgoing) -> dict[str, str]:
    return {"Nats-Msg-Id": message.event_id, "Content-Type": CONTENT_TYPE}


def _behind(stream: str, last: int, subject: str) -> dict[str, str]:
    headers = {"Nats-Expected-Stream": stream, "Nats-Expected-Last-Sequence": str(last)}
    if subject:
        headers["Nats-Expected-Last-Subject-Sequence"] = str(last)
        headers["Nats-Expected-Last-Subject-Sequence-Subject"] = subject
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
