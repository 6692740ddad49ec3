"""What the house takes for nats-py's client, connected to the stand-in."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from nats import errors as nats_errors
from nats.aio.msg import Msg
from tests.faults.model.lives import life
from tests.faults.model.stand_in import Error, Server
from tests.faults.model.streams import Headers, Request

from benvung.bus.client import Hear


class Subscription:
    """What a client hears under one subject, one after another."""

    def __init__(self, client: "Client", pattern: str, cb: Callable[[Msg], Awaitable[None]]) -> None:
        self._client = client
        self.pattern = pattern.removesuffix("*")
        self.queue: asyncio.Queue[Msg] = asyncio.Queue()
        self.hear: Hear | None = None
        self.task = asyncio.create_task(self._pass_on(cb))

    async def _pass_on(self, cb: Callable[[Msg], Awaitable[None]]) -> None:
        while True:
            message = await self.queue.get()
            if self.hear is not None and message.reply:
                self.hear(message.subject, message.reply, message.data)
            else:
                await cb(message)

    async def unsubscribe(self) -> None:
        """Hear no more."""
        self.task.cancel()
        self._client.subscriptions.remove(self)


class Client:
    """A connection to the stand-in, with the calls of nats-py's client that the house makes."""

    _transport = None

    def __init__(self, server: Server) -> None:
        self._server = server
        self.subscriptions: list[Subscription] = []
        self.batches: dict[str, list[tuple[str, bytes, Headers]]] = {}
        self._closed_cb: Callable[[], Coroutine[Any, Any, None]] | None = None
        self.closed = False

    async def connect(
        self, _url: str, *, closed_cb: Callable[[], Coroutine[Any, Any, None]], **_: Any
    ) -> None:
        """Be a client of the server until one of the two closes."""
        self._closed_cb, self._loop = closed_cb, asyncio.get_running_loop()
        self._server.clients.append(self)
        owner = life()
        if owner is not None:
            owner.on_death.append(self.cut)

    async def subscribe(self, subject: str, cb: Callable[[Msg], Awaitable[None]], **_: Any) -> Subscription:
        """Hear what comes under a subject."""
        made = Subscription(self, subject, cb)
        self.subscriptions.append(made)
        return made

    def hear(self, subscription: Subscription, hear: Hear) -> None:
        """Give a stream's messages to `hear`, past the callback."""
        subscription.hear = hear

    def tell(
        self, inbox: str, data: bytes, headers: Headers | None, subject: str = "", reply: str = ""
    ) -> None:
        """The server says something to this client."""
        for each in self.subscriptions:
            if inbox.startswith(each.pattern):
                each.queue.put_nowait(Msg(self, subject or inbox, reply, data, headers))  # type: ignore[arg-type]  # its client is never asked

    async def publish(
        self, subject: str, payload: bytes = b"", reply: str = "", headers: Headers | None = None
    ) -> None:
        """Say something to the server; it answers under `reply`."""
        if self.closed:
            raise nats_errors.ConnectionClosedError
        owner, call = life(), _call(subject)
        if owner is not None:
            await owner.reach("before", call)
        self._take(subject, payload, reply, headers or {})
        if owner is not None:
            await owner.reach("after", call)

    def _take(self, subject: str, payload: bytes, reply: str, headers: Headers) -> None:
        if ".CONSUMER.MSG.NEXT." in subject:
            _, _, names = subject.partition(".CONSUMER.MSG.NEXT.")
            stream, _, reader = names.partition(".")
            asked = json.loads(payload)
            if stream in self._server.streams:
                request = Request(self, reply, int(asked["batch"]))
                self._server.ask(stream, reader, request, asked["expires"] / 1e9)
            return
        if ".DIRECT.GET." in subject:
            for kept in self._server.range(subject.rpartition(".")[2], json.loads(payload)):
                place = {"Nats-Sequence": str(kept.seq), "Nats-Subject": kept.subject}
                self.tell(reply, kept.data, {**place, "Nats-Msg-Id": kept.event_id})
            self.tell(reply, b"", {"Status": "204", "Description": "EOB"})
            return
        try:
            answer = self._server.handle(subject, payload, headers, self)
        except Error as error:
            answer = error.answer
        if reply and answer is not None:
            self.tell(reply, json.dumps(answer).encode(), None)

    def cut(self) -> None:
        """The connection is gone, and this side may not know it yet."""
        self.closed = True
        self._server.forget(self)
        if self in self._server.clients:
            self._server.clients.remove(self)

    def drop(self) -> None:
        """The server ends the connection."""
        self.cut()
        if self._closed_cb is not None:
            self._farewell = self._loop.create_task(self._closed_cb())

    async def close(self) -> None:
        """Hear and say no more."""
        self.cut()
        for each in self.subscriptions:
            each.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await each.task
        self.subscriptions.clear()
        if self._closed_cb is not None:
            await self._closed_cb()


def _call(subject: str) -> str:
    if subject.startswith("$JS.ACK."):
        return "ack"
    return "ask" if ".API." in subject else "publish"
