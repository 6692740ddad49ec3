"""A register that tells agencies of invented households, and a subscriber that runs as they would run it."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from nats.aio.client import Client
from sqlalchemy.ext.asyncio import AsyncEngine

from benvung import outbox
from benvung.bus import Bus
from benvung.envelope import EventData
from benvung.relay import Relay
from benvung.settings import ServiceSettings
from benvung.testing import NatsServer
from households.events import EventsWithdrawn, HouseholdRegistered

STREAM = "HOUSEHOLDS"
OURS, ELSEWHERE = "64", "52"
PATIENCE = 30.0


def registered(household: uuid.UUID, revision: int, province: str = OURS) -> HouseholdRegistered:
    """A household after so many changes; its members count them too."""
    return HouseholdRegistered(
        province=province,
        commune="23827",
        revision=revision,
        household_id=household,
        village="23827.01",
        area_type="RURAL",
        members=revision,
        status="ACTIVE",
        poverty_class=None,
        standard=None,
        class_since=None,
        left_list_on=None,
        left_list_from=None,
        preliminary_class=None,
    )


def withdrawn(*events: uuid.UUID) -> EventsWithdrawn:
    """The word that these events no longer hold."""
    return EventsWithdrawn(province=None, commune=None, revision=1, withdrawal_id=uuid.uuid4(), events=events)


class Register:
    """The owner of the stream, with its real outbox and relay."""

    def __init__(self, engine: AsyncEngine, settings: ServiceSettings, server: NatsServer) -> None:
        self.engine, self.settings, self.server = engine, settings, server

    @asynccontextmanager
    async def relaying(self, agencies: Path, stream: str = STREAM) -> AsyncIterator[Relay]:
        """The relay at work, with the agencies of a file."""
        given = self.settings.model_copy(update={"agencies_file": agencies})
        relay = Relay(given, "households", stream, ["funding"] if stream == STREAM else [])
        stop = asyncio.Event()
        life = asyncio.create_task(relay.run(stop))
        try:
            async with asyncio.timeout(PATIENCE):
                while relay.state != "working":  # noqa: ASYNC110 -- a runner says its state, it does not call
                    await asyncio.sleep(0.01)
            yield relay
        finally:
            stop.set()
            await life

    async def tell(self, *events: EventData) -> list[tuple[int, uuid.UUID]]:
        """Publish; returns each event's place in the stream and its id once it is there."""
        async with self.engine.begin() as conn:
            sequences = await outbox.publish(conn, events)
        async with asyncio.timeout(PATIENCE):
            while len(told := await self._told(sequences)) < len(events):  # noqa: ASYNC110 -- in a database
                await asyncio.sleep(0.01)
        return told

    async def _told(self, sequences: Sequence[int]) -> list[tuple[int, uuid.UUID]]:
        query = sa.text("select stream_seq, event_id from journal where id = any(:ids) order by id")
        async with self.engine.connect() as conn:
            return [(row[0], row[1]) for row in await conn.execute(query, {"ids": list(sequences)})]

    async def bus(self) -> Bus:
        """A connection of the owner."""
        return await Bus.connect(self.settings, "households", "test")

    @asynccontextmanager
    async def bank(self) -> AsyncIterator[tuple[Client, list[str]]]:
        """A connection of the agency, as its own client makes it, and what the server refused it."""
        refused: list[str] = []

        async def note(error: Exception) -> None:
            refused.append(str(error).lower())

        user, password = self.server.user("bank")
        client = Client()
        await client.connect(
            self.server.url, user=user, password=password, allow_reconnect=False, error_cb=note
        )
        try:
            yield client, refused
        finally:
            await client.close()

    def environment(self) -> dict[str, str]:
        """What an agency sets to run its subscriber."""
        user, password = self.server.user("bank")
        own = {"NATS_URL": self.server.url, "NATS_USER": user, "NATS_PASSWORD": password}
        return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **own}


class Subscriber:
    """A subscriber's process, and the lines it prints."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def lines(self, number: int) -> list[str]:
        """The next lines."""
        assert self._process.stdout is not None
        found: list[str] = []
        try:
            async with asyncio.timeout(PATIENCE):
                while len(found) < number:
                    line = await self._process.stdout.readline()
                    assert line, "the subscriber ended"
                    found.append(line.decode().strip())
        except TimeoutError:
            raise AssertionError(f"the subscriber said no more than {found}") from None
        return found

    async def is_silent(self, seconds: float = 1.0) -> bool:
        """Whether nothing more is printed for a while."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(seconds):
                return not await self._process.stdout.readline()
        except TimeoutError:
            return True


@asynccontextmanager
async def subscriber(register: Register, command: Sequence[str], *more: Any) -> AsyncIterator[Subscriber]:
    """A subscriber of the stream, until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *command, STREAM, *map(str, more), env=register.environment(), stdout=asyncio.subprocess.PIPE
    )
    try:
        yield Subscriber(process)
    finally:
        process.kill()
        await process.communicate()
