"""All streams with an event in each, and everybody who signs in to NATS: services and an agency."""

import asyncio
import importlib
import json
import time
import uuid
from collections.abc import Sequence
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import SecretStr

from benvung import agencies
from benvung.bus import Bus, Outgoing
from benvung.bus import owner as owner_of
from benvung.settings import ServiceSettings
from benvung.testing import NatsServer
from benvung_local.servers import AGENCIES_TOML

SERVICES = ("households", "funding", "training", "reporting")
USERS = (*SERVICES, *agencies.read(AGENCIES_TOML))


def _declared() -> dict[str, tuple[str, ...]]:
    """The streams of all services and who reads them, as the services say."""
    streams: dict[str, tuple[str, ...]] = {}
    for name in SERVICES:
        settings = importlib.import_module(f"{name}.settings").Settings(
            database_url="postgresql://nobody@127.0.0.1:1/none"
        )
        streams |= importlib.import_module(f"{name}.main").build(settings).streams
    return streams


# Two that are not declared yet are tried as well.
READERS = _declared() | {"FUNDING_RESTRICTED": (), "REPORTING": ()}
AGENCIES = {stream: agencies.of(AGENCIES_TOML, stream) for stream in READERS}
SECRET = b'{"secret": "%s"}'
SILENT_AFTER = 1.0


def subject_in(stream: str) -> str:
    kind = {"HOUSEHOLDS": "household.told", "FUNDING": "eligibility.changed"}.get(stream, "thing.told")
    prefix = "restricted." if stream.endswith("_RESTRICTED") else ""
    return f"{prefix}{owner_of(stream)}.{kind}.v1.64.23827"


def readers_of(stream: str) -> list[str]:
    """Every durable on a stream."""
    names = [name for reader in READERS[stream] for name in (reader, f"{reader}-rebuild")]
    return [*names, *AGENCIES[stream]]


def status(message: Msg) -> str:
    return str((message.headers or {}).get("Status", ""))


class User:
    """One connection, signed in as a service or an agency, and what became of what it asked."""

    def __init__(self, server: NatsServer, name: str) -> None:
        self.name, self.client = name, Client()
        self._server = server
        self.refused: list[str] = []

    async def open(self) -> "User":
        async def note(error: Exception) -> None:
            self.refused.append(str(error))

        user, password = self._server.user(self.name)
        await self.client.connect(
            self._server.url,
            user=user,
            password=password,
            allow_reconnect=False,
            error_cb=note,
            inbox_prefix=f"_INBOX.{self.name}",
        )
        return self

    async def ask(self, subject: str, body: object = None, *, at: str | None = None) -> dict[str, Any] | None:
        """The answer, or None when the server refuses the question or nobody answers it."""
        message = await self.request(subject, body, at=at)
        return None if message is None else dict(json.loads(message.data))

    async def request(self, subject: str, body: object = None, *, at: str | None = None) -> Msg | None:
        """The message that answers; `at` is where it is to be sent."""
        return (await self.request_all([(subject, body)], at=at))[0]

    async def request_all(
        self, questions: Sequence[tuple[str, object]], *, at: str | None = None
    ) -> list[Msg | None]:
        """The answers to questions asked all at once; what is still silent after a while has none."""
        self.refused.clear()
        asked = [
            (subject, body, at or f"_INBOX.{self.name}.{uuid.uuid4().hex}") for subject, body in questions
        ]
        heard = [await self.client.subscribe(inbox) for _, _, inbox in asked]
        for subject, body, inbox in asked:
            await self.say(subject, body, reply=inbox)
        end = time.monotonic() + SILENT_AFTER
        while time.monotonic() < end and not all(  # noqa: ASYNC110 -- refusals come by another way
            box.pending_msgs or self._was_refused(subject, inbox)
            for (subject, _, inbox), box in zip(asked, heard, strict=True)
        ):
            await asyncio.sleep(0.001)
        found = [await box.next_msg() if box.pending_msgs else None for box in heard]
        for box in heard:
            await box.unsubscribe()
        return [None if each is None or status(each) == "503" else each for each in found]

    async def say(self, subject: str, body: object = None, *, reply: str = "") -> None:
        """Publish, whatever becomes of it."""
        payload = b"" if body is None else json.dumps(body).encode()
        await self.client.publish(subject, payload, reply=reply)

    async def listen(self, *subjects: str) -> list[Msg]:
        """What is heard at these subjects from now on; those that are refused bring nothing."""
        heard: list[Msg] = []

        async def keep(message: Msg) -> None:
            heard.append(message)

        for subject in subjects:
            await self.client.subscribe(subject, cb=keep)
        await self.client.flush()
        return heard

    def _was_refused(self, *subjects: str) -> bool:
        return any(f'"{word.lower()}"' in each.lower() for each in self.refused for word in subjects)


class House:
    """All streams with one event in each, their durables, and a connection of every user."""

    def __init__(self, server: NatsServer) -> None:
        self.server = server
        self.users = {name: User(server, name) for name in USERS}

    async def open(self) -> None:
        for user in self.users.values():
            await user.open()
        for stream, readers in READERS.items():
            bus = await self.bus(owner_of(stream))
            await bus.ensure_stream(stream)
            for reader in readers:
                await bus.ensure_reader(stream, reader)
                await bus.ensure_reader(stream, f"{reader}-rebuild")
            for agency, subjects in AGENCIES[stream].items():
                await bus.ensure_agency(stream, agency, subjects)
            secret = Outgoing(subject_in(stream), str(uuid.uuid4()), SECRET % stream.encode())
            assert await bus.publish(stream, secret, 0) == 1
            await bus.close()

    async def bus(self, service: str) -> Bus:
        user, password = self.server.user(service)
        settings = ServiceSettings(
            database_url=SecretStr("postgresql://"),
            nats_url=self.server.url,
            nats_user=user,
            nats_password=SecretStr(password),
        )
        return await Bus.connect(settings, service, "test")

    async def tell(self) -> None:
        """Every owner stores one more event."""
        for stream in READERS:
            answer = await self.users[owner_of(stream)].ask(subject_in(stream), {"secret": stream})
            assert answer is not None
            assert answer["stream"] == stream

    async def stand(self) -> dict[str, Any]:
        """How every stream and durable stands, as their owners see it."""
        found: dict[str, Any] = {}
        for stream in READERS:
            owner = self.users[owner_of(stream)]
            info = await owner.ask(f"$JS.API.STREAM.INFO.{stream}")
            assert info is not None
            found[stream] = (info["config"], info["state"]["last_seq"], info["state"]["messages"])
            listed = await owner.ask(f"$JS.API.CONSUMER.LIST.{stream}")
            assert listed is not None
            for each in listed["consumers"]:
                found[f"{stream} {each['name']}"] = (each["config"], each["ack_floor"], each["delivered"])
        return found
