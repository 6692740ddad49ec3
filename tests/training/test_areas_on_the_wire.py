"""A reorganisation that the register records reaches training through NATS, and its projection is made anew."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.training.test_reorganised_areas import AFTER, MOVED, NEW_CODE, OTHER_PROVINCE, told, units

from benvung import areas, clock, outbox, rebuild
from benvung.bus import Bus, Doubt, Refused
from benvung.testing import App, Bearer, Engine, NatsServer, SettingsFor
from benvung.worker import Worker
from households.main import build as build_register
from households.settings import Settings
from training.consumers import PROJECTORS

[AREAS] = PROJECTORS


@pytest.fixture(autouse=True)
def units_as_listed() -> Iterator[None]:
    clock.fix(AFTER)
    areas.learn(())
    yield
    areas.learn(())


@pytest.fixture
async def register(settings: SettingsFor, nats_server: NatsServer) -> AsyncIterator[None]:
    """The register's own relay, which makes training's durables."""
    chosen = settings("households", nats=nats_server)
    assert isinstance(chosen, Settings)
    worker = Worker(build_register(chosen))
    await worker.start()
    yield
    await worker.stop()


async def until(question: Callable[[], Awaitable[Any]], seconds: float = 20) -> Any:
    """Ask until the answer is something, or time is up."""
    async with asyncio.timeout(seconds):
        while not (answer := await question()):  # noqa: ASYNC110 -- the answer is in another process
            await asyncio.sleep(0.02)
    return answer


async def rows(engine: AsyncEngine, query: str) -> list[Any]:
    async with engine.connect() as conn:
        return list((await conn.execute(sa.text(query))).all())


@pytest.mark.usefixtures("register")
async def test_what_the_register_records_is_known_in_training_s_answers(
    app: App, bearer: Bearer, engine: Engine, nats_server: NatsServer
) -> None:
    client = await app(
        "training", nats=nats_server, headers=bearer(["training.read", "training.write", "operate"])
    )
    course = {
        "title": "Lớp tập huấn", "component": "DA7.1", "form": "CLASS", "planned_from": "2026-04-20",
        "topics": [{"number": "90/QĐ-TTg"}],
        "organiser": {"name": "UBND xã", "level": "COMMUNE", "area": NEW_CODE},
    }  # fmt: skip
    assert (await client.post("/v1/classes", json=course)).json()["rule"] == "area-unknown"

    async with engine("households").begin() as conn:
        await outbox.publish(conn, [told(units())])

    async def planned() -> bool:
        return bool((await client.post("/v1/classes", json=course)).status_code == 201)

    await until(planned)
    query = "select code, begins, unit from reorganised_areas order by code, begins"
    before = await rows(engine("training"), query)
    assert len(before) == len(units())

    async with engine("training").begin() as conn:
        number = await rebuild.request(conn, AREAS, reason="a test", by="an officer")
        await conn.execute(sa.text("delete from reorganised_areas where code = :code"), {"code": NEW_CODE})

    async def made_anew() -> bool:
        [(state,)] = await rows(engine("training"), f"select state from rebuilds where id = {number}")
        return bool(state == "DONE")

    await until(made_anew)
    assert await rows(engine("training"), query) == before


@pytest.mark.usefixtures("register")
async def test_a_class_that_was_told_before_its_reorganisation_is_told_again_once(
    app: App, bearer: Bearer, engine: Engine, nats_server: NatsServer
) -> None:
    client = await app("training", nats=nats_server, headers=bearer(["training.read", "training.write"]))
    course = {
        "title": "Lớp tập huấn", "component": "DA7.1", "form": "CLASS", "planned_from": "2026-02-10",
        "topics": [{"number": "90/QĐ-TTg"}],
        "organiser": {"name": "UBND xã", "level": "COMMUNE", "area": MOVED},
    }  # fmt: skip
    made = (await client.post("/v1/classes", json=course)).json()["id"]
    result = {"held_on": "2026-03-12", "participants": 30, "count_qualifier": "EXACT"}
    assert (await client.post(f"/v1/classes/{made}/completion", json=result)).json()["area"] == MOVED

    async with engine("households").begin() as conn:
        await outbox.publish(conn, [told(units())])
    tellings = (
        "select convert_from(payload, 'UTF8')::jsonb -> 'data' from (select id, payload from journal"
        " union all select id, payload from outbox) told order by id"
    )

    async def told_again() -> bool:
        return len(await rows(engine("training"), tellings)) > 1

    await until(told_again)
    async with engine("training").begin() as conn:
        number = await rebuild.request(conn, AREAS, reason="a test", by="an officer")

    async def made_anew() -> bool:
        [(state,)] = await rows(engine("training"), f"select state from rebuilds where id = {number}")
        return bool(state == "DONE")

    await until(made_anew)
    # Each process looks every second.
    await asyncio.sleep(2.5)
    found = [row[0] for row in await rows(engine("training"), tellings)]
    assert [(each["revision"], each["area"], each["commune"], each["province"]) for each in found] == [
        (1, MOVED, MOVED, "52"),
        (2, NEW_CODE, NEW_CODE, OTHER_PROVINCE),
    ]


@pytest.mark.usefixtures("register")
async def test_training_cannot_ask_for_what_is_restricted(
    settings: SettingsFor, nats_server: NatsServer
) -> None:
    if nats_server.shared_account:
        pytest.skip("a given server keeps nobody apart")
    bus = await Bus.connect(settings("training", nats=nats_server), "training", "test")
    try:
        await until(lambda: _reads(bus, "HOUSEHOLDS", "training"))
        for reader in ("training", "training-rebuild", "funding"):
            assert not await _reads(bus, "HOUSEHOLDS_RESTRICTED", reader)
        for another in ("funding", "reporting", "funding-rebuild"):
            assert not await _reads(bus, "HOUSEHOLDS", another)
    finally:
        await bus.close()


async def _reads(bus: Bus, stream: str, reader: str) -> bool:
    """Whether a durable of the stream can be set back, which is how every reading begins."""
    try:
        async with asyncio.timeout(1):
            await bus.pull(stream, reader, 0)
    except (Refused, Doubt, TimeoutError):
        return False
    return True
