"""How a service stands, told by its worker to every process; and rebuilds asked for by HTTP, done beside it."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from tests.shared.operations.tallying import META, OWNER, READER, STREAM, Site, counted, payload, tallying

from benvung import metrics, outbox
from benvung.bus import Bus, Outgoing
from benvung.issuer import Issuer
from benvung.operations import situation
from benvung.relay import Relay
from benvung.testing import Bearer, Engine, NatsServer, SettingsFor, Tokens
from benvung.web import create_app


@asynccontextmanager
async def relaying(relay: Relay) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(relay.run(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait({task}, timeout=10)


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110 -- the truth is in a database
            await asyncio.sleep(0.05)


class Live(Site):
    """The small service with its worker, beside the owner of the stream it reads."""

    async def tell(self, *numbers: int) -> None:
        async with self.engine.begin() as conn:
            await outbox.publish(conn, [counted(number) for number in numbers])

    async def holds(self, number: int) -> bool:
        return len(await self.numbers()) >= number

    async def stands(self) -> Any:
        return (await self.client.get("/v1/operations")).json()

    async def reader(self) -> Any:
        return (await self.stands())["projections"][0]


@pytest_asyncio.fixture(loop_scope="session")
async def live(
    engine: Engine, settings: SettingsFor, nats_server: NatsServer, tokens: Tokens, bearer: Bearer
) -> AsyncIterator[Live]:
    made = engine(READER)
    async with made.begin() as conn:
        await conn.run_sync(META.create_all)
    given = settings(READER, nats=nats_server)
    user, password = nats_server.user(OWNER)
    owner = given.model_copy(update={"nats_user": user, "nats_password": type(given.nats_password)(password)})
    app = create_app(tallying(given, streams={}))
    app.state.issuer = Issuer(app.state.settings, tokens.transport)
    async with (
        relaying(Relay(owner, OWNER, STREAM, [READER])),
        app.router.lifespan_context(app),
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app), base_url="http://reporting.test", headers=bearer()
        ) as client,
    ):
        yield Live(app, client, made)


async def test_an_unread_message_is_retried_beside_the_live_projection(live: Live) -> None:
    await live.tell(11, 12, 13, 14)
    await until(lambda: live.holds(3))
    [(number,)] = await live.run("select id from dead_letters")
    await live.open_gate()

    async def more() -> None:
        for start in range(100, 400, 20):
            await live.tell(*range(start, start + 20))

    flow = asyncio.create_task(more())
    answers = await asyncio.gather(*(live.client.post(f"/v1/dead-letters/{number}/retry") for _ in range(4)))
    await flow
    await until(lambda: live.holds(304))

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert await live.numbers() == [11, 12, 13, 14, *range(100, 400)]
    assert await live.announced() == 304
    assert await live.run("select from dead_letters where state = 'WAITING'") == []


async def test_a_service_says_how_its_parts_stand_and_what_waits(live: Live) -> None:
    await live.tell(1, 2, 13)
    await until(lambda: live.holds(2))
    await until(lambda: _stands(live, "working", 0))

    found = await live.stands()

    [read] = found["projections"]
    assert (read["projector"], read["stream"], read["state"]) == (READER, STREAM, "working")
    assert (read["position"], read["behind"], read["dead_letters"]) == (3, 0, 1)
    assert read["state_label"] == "đang làm việc"
    assert read["moved_at"]
    assert found["rebuilder"]["state"] == "working"
    assert (found["dead_letters"], found["well"]) == (1, False)
    figures = metrics.render()[0].decode()
    assert f'dead_letters_waiting{{projector="{READER}",stream="{STREAM}"}} 1.0' in figures
    assert f'projection_behind{{projector="{READER}",stream="{STREAM}"}} 0.0' in figures


async def test_a_part_that_waits_says_for_what(live: Live, nats_server: NatsServer) -> None:
    await live.tell(1)
    await until(lambda: _stands(live, "working", 0))

    nats_server.kill()
    await until(lambda: _stands(live, "waiting"))

    found = await live.reader()
    english = (await live.client.get("/v1/operations", headers={"Accept-Language": "en"})).json()
    assert "NATS không trả lời" in found["detail"]
    assert "cannot connect to NATS" in english["projections"][0]["detail"]
    assert found["since"]
    assert not (await live.stands())["well"]
    nats_server.start()
    await until(lambda: _stands(live, "working"))


async def test_a_part_that_no_process_runs_is_silent(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    await live.tell(1)
    await until(lambda: _stands(live, "working"))
    await live.app.state.worker.stop()
    monkeypatch.setattr(situation, "SILENT_SECONDS", 0)

    found = await live.reader()

    assert (found["state"], found["state_label"]) == ("silent", "không có tiến trình nào đang chạy phần này")


async def _stands(live: Live, state: str, behind: int | None = None) -> bool:
    found = await live.reader()
    return bool(found["state"] == state and behind in {None, found["behind"]})


async def test_what_never_ran_is_said_to_have_never_run(site: Site) -> None:
    found = (await site.client.get("/v1/operations", headers={"Accept-Language": "en"})).json()

    assert (found["projections"][0]["state"], found["rebuilder"]["state"]) == ("unknown", "unknown")
    assert found["projections"][0]["state_label"] == "has never run"
    assert found["projections"][0]["behind"] is None
    assert found["streams"][0]["state"] == "unknown"


async def test_what_waits_to_be_sent_is_counted_with_its_age(site: Site) -> None:
    await site.bury(payload(1))
    await site.client.post("/v1/dead-letters/retry")
    await site.run(
        "insert into journal select 1, 'REPORTING', 5, subject, event_id, event_type, payload from outbox"
    )

    [stream] = (await site.client.get("/v1/operations")).json()["streams"]

    assert (stream["stream"], stream["waiting"], stream["newest_sequence"]) == ("REPORTING", 1, 1)
    assert 0 <= stream["oldest_seconds"] < 60
    assert stream["oldest_at"] == stream["newest_at"]


async def test_a_rebuild_is_asked_for_followed_and_tells_what_differed(live: Live) -> None:
    await live.tell(1, 2, 3)
    await until(lambda: live.holds(3))
    await live.run("delete from tallied where number = 2")
    await live.run("insert into tallied values (99, 99)")

    asked = await live.client.post("/v1/rebuilds", json={"stream": STREAM, "reason": " Sau khi sửa lỗi "})

    assert asked.status_code == 202
    assert asked.json()["state"] == "REQUESTED"
    where = asked.headers["location"]

    async def done() -> bool:
        return bool((await live.client.get(where)).json()["state"] == "DONE")

    await until(done)
    found = (await live.client.get(where)).json()
    assert (found["reason"], found["requested_by"]) == ("Sau khi sửa lỗi", "officer")
    assert found["differences"] == {"tallied": {"live": 3, "only_live": 1, "only_new": 1}}
    assert (found["stream_seq"], found["announced"]) == (3, 0)
    assert found["finished_at"]
    assert await live.numbers() == [1, 2, 3]
    assert await live.audited("rebuild.requested") == [("officer", str(found["id"]))]
    listed = (await live.client.get("/v1/rebuilds")).json()["items"]
    assert [each["id"] for each in listed] == [found["id"]]


async def test_a_rebuild_that_is_open_already_is_answered_instead_of_a_second(site: Site) -> None:
    asked = {"stream": STREAM, "reason": "x"}
    answers = [await site.client.post("/v1/rebuilds", json=asked) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].headers["location"] == answers[1].headers["location"]
    assert [each["state"] for each in (await site.client.get("/v1/operations")).json()["rebuilds"]] == [
        "REQUESTED"
    ]


async def test_a_request_for_a_rebuild_sent_twice_is_one_rebuild(site: Site) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    asked = {"stream": STREAM, "reason": "x"}
    first = await site.client.post("/v1/rebuilds", json=asked, headers=key)
    await site.run("update rebuilds set state = 'DONE', finished_at = now(), announced = 0")

    second = await site.client.post("/v1/rebuilds", json=asked, headers=key)

    assert (second.status_code, second.headers["location"]) == (202, first.headers["location"])
    assert second.json()["state"] == "DONE"
    assert len(await site.run("select from rebuilds")) == 1


async def test_only_a_stream_that_is_read_can_be_read_again(site: Site) -> None:
    answer = await site.client.post("/v1/rebuilds", json={"stream": "ELSEWHERE", "reason": "x"})

    assert (answer.status_code, answer.json()["rule"]) == (422, "stream-not-read")
    assert STREAM in answer.json()["detail"]
    for wrong in (
        {"stream": STREAM},
        {"stream": STREAM, "reason": " "},
        {"stream": STREAM, "reason": "x", "y": 1},
    ):
        assert (await site.client.post("/v1/rebuilds", json=wrong)).status_code == 422
    assert await site.run("select from rebuilds") == []


async def test_poison_in_the_stream_waits_with_its_place(
    live: Live, settings: SettingsFor, nats_server: NatsServer
) -> None:
    await live.tell(1)
    await until(lambda: live.holds(1))
    given = live.app.state.settings
    user, password = nats_server.user(OWNER)
    owner = given.model_copy(update={"nats_user": user, "nats_password": type(given.nats_password)(password)})
    bus = await Bus.connect(owner, OWNER, "test")
    await bus.publish(STREAM, Outgoing("training.test.counted.v1._._", str(uuid.uuid4()), b"\xff"), 1)
    await bus.close()

    async def waits() -> bool:
        return bool((await live.client.get("/v1/dead-letters")).json()["items"])

    await until(waits)
    [letter] = (await live.client.get("/v1/dead-letters")).json()["items"]
    assert (letter["stream_seq"], letter["subject"]) == (2, "training.test.counted.v1._._")
    assert "not JSON" in letter["reason"]
