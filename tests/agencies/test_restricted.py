"""A restricted event goes its own way: readers and agencies of the public stream never meet it."""

import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import ClassVar

from pydantic import SecretStr
from tests.agencies.register import STREAM, Register, registered

from benvung.bus import Bus, Stored
from benvung.envelope import EventData
from benvung_local.servers import AGENCIES_TOML

RESTRICTED = "HOUSEHOLDS_RESTRICTED"


class Profiled(EventData):
    """An invented fact that the law calls sensitive."""

    event_type: ClassVar[str] = "households.test.profiled.v1"
    restricted: ClassVar[bool] = True
    household_id: uuid.UUID

    @property
    def subject_id(self) -> str:
        return str(self.household_id)


@asynccontextmanager
async def both_relays(register: Register) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for stream in (STREAM, RESTRICTED):
            await stack.enter_async_context(register.relaying(AGENCIES_TOML, stream))
        yield


async def held(bus: Bus, stream: str) -> list[Stored]:
    last = (await bus.stream_state(stream)).last_seq
    return [stored async for stored in bus.read_range(stream, 1, last)]


async def test_a_restricted_event_lies_in_the_restricted_stream_alone(register: Register) -> None:
    household = uuid.uuid4()
    profiled = Profiled(province="64", commune="23827", revision=2, household_id=household)
    async with both_relays(register):
        await register.tell(registered(household, 1), profiled, registered(household, 3))
        bus = await register.bus()
        public, restricted = await held(bus, STREAM), await held(bus, RESTRICTED)
        await bus.close()
    assert [stored.subject for stored in restricted] == ["restricted.households.test.profiled.v1.64.23827"]
    assert len(public) == 2
    assert not [stored for stored in public if b"profiled" in stored.payload]


async def test_a_reader_of_the_public_stream_gets_the_public_events_alone(register: Register) -> None:
    household = uuid.uuid4()
    user, password = register.server.user("funding")
    reader = register.settings.model_copy(update={"nats_user": user, "nats_password": SecretStr(password)})
    async with both_relays(register):
        await register.tell(
            Profiled(province="64", commune="23827", revision=1, household_id=household),
            registered(household, 2),
        )
        bus = await Bus.connect(reader, "funding", "test")
        pull = await bus.pull(STREAM, "funding", 0)
        got = await pull.batch(10, 5) + await pull.batch(10, 0.5)
        await bus.close()
    assert [stored.subject for stored in got] == ["households.household.registered.v1.64.23827"]
