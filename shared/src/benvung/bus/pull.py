"""Reading a stream without an end, through a durable that is set back to the projection's checkpoint."""

import asyncio
import contextlib
import json
import time
from collections import deque

from nats import errors as nats_errors
from nats.aio.msg import Msg

from benvung.bus.client import Client
from benvung.bus.messages import Doubt, Stored

PULL_SIZE = 2000
PULL_EXPIRES = 2.0


class Pull:
    """An endless read of one durable with more than one request under way, checked for gaps.

    nats-py's own `fetch` returns stray messages, stalls over a restart and costs a task per message;
    one plain callback on one inbox does none of that and keeps the order.
    """

    def __init__(self, client: Client, inbox: str, following: str, closed: asyncio.Event) -> None:
        """Ask for messages at the subject `following`, and hear them under `inbox`."""
        self._client = client
        self._inbox = inbox
        self._next = following
        self._closed = closed
        self._arrived: deque[Stored] = deque()
        self._doubt: Doubt | None = None
        self._something = asyncio.Event()
        self._asked = 0
        self._delivered = 0
        self._heard_at = time.monotonic()

    async def start(self) -> None:
        """Subscribe and put the first requests under way."""
        try:
            heard = await self._client.subscribe(
                f"{self._inbox}.*", cb=self._on_word, pending_msgs_limit=0, pending_bytes_limit=0
            )
            self._client.hear(heard, self._on_message)
            await self._ask()
        except (nats_errors.Error, OSError) as error:
            raise Doubt(f"pull: {error!r}") from error

    async def _ask(self) -> None:
        """Keep between one and two requests' worth of messages asked for or waiting here.

        What the server has ready comes in a fraction of the time that it takes to project it: whoever asked
        for more as it comes would have the whole stream in memory.
        """
        while self._asked + len(self._arrived) <= PULL_SIZE:
            self._asked += PULL_SIZE
            body = json.dumps({"batch": PULL_SIZE, "expires": int(PULL_EXPIRES * 1e9)}).encode()
            await self._client.publish(self._next, body, reply=f"{self._inbox}.pull")

    def _on_message(self, subject: str, reply: str, payload: bytes) -> None:
        self._heard_at = time.monotonic()
        if self._doubt is None:
            try:
                self._add(subject, reply, payload)
            except Exception as error:  # noqa: BLE001 -- it would end the connection's reading
                self._give_up(error)
        self._something.set()

    async def _on_word(self, message: Msg) -> None:
        self._heard_at = time.monotonic()
        if self._doubt is None:
            try:
                self._end_request(message.headers or {})
                await self._ask()
            except Exception as error:  # noqa: BLE001 -- it would deafen the subscription
                self._give_up(error)
        self._something.set()

    def _give_up(self, error: Exception) -> None:
        self._doubt = error if isinstance(error, Doubt) else Doubt(f"pull: {error!r}")

    def _add(self, subject: str, reply: str, payload: bytes) -> None:
        stream_seq, delivery = _numbers(reply)
        if delivery != self._delivered + 1:
            raise Doubt(f"delivery {delivery} follows {self._delivered}")
        self._delivered = delivery
        self._arrived.append(Stored(stream_seq, subject, payload, None, delivery, reply))
        self._asked -= 1

    def _end_request(self, headers: dict[str, str]) -> None:
        if headers.get("Status") not in {"404", "408"}:
            raise Doubt(f"pull ended: {headers.get('Status')} {headers.get('Description', '')}")
        self._asked -= int(headers.get("Nats-Pending-Messages", PULL_SIZE))

    async def batch(self, limit: int, wait: float) -> list[Stored]:
        """What has arrived: at least one message, at most `limit`; nothing if `wait` seconds pass.

        Raises `Doubt` on a gap, a lost connection, or a request the server forgot.
        """
        if self._closed.is_set():
            raise Doubt("connection closed")
        if not self._arrived:
            await self._wait(wait)
        taken = [self._arrived.popleft() for _ in range(min(limit, len(self._arrived)))]
        try:
            await self._ask()
        except (nats_errors.Error, OSError) as error:
            self._give_up(error)
        return taken

    async def _wait(self, seconds: float) -> None:
        """Until something has arrived, or the time is over. What came before a doubt is read first."""
        if self._doubt is not None:
            raise self._doubt
        self._something.clear()
        try:
            async with asyncio.timeout(seconds):
                while not self._arrived:
                    if self._doubt is not None:
                        raise self._doubt
                    await self._something.wait()
                    self._something.clear()
        except TimeoutError:
            self._check_requests()

    def _check_requests(self) -> None:
        silence = time.monotonic() - self._heard_at
        if self._closed.is_set() or silence > PULL_EXPIRES + 3:
            raise Doubt("the server forgot our pull requests")

    async def acknowledge(self, last: Stored) -> None:
        """Tell the server how far the projection is. Only its lag figures depend on it."""
        with contextlib.suppress(nats_errors.Error, OSError):
            await self._client.publish(last.reply, b"")


def _numbers(reply: str) -> tuple[int, int]:
    """Stream and delivery sequence from an ack subject; both known layouts end alike."""
    tokens = reply.split(".")
    if len(tokens) == 9:
        return int(tokens[5]), int(tokens[6])
    if len(tokens) >= 11:
        return int(tokens[7]), int(tokens[8])
    raise Doubt(f"unknown ack subject {reply}")
