"""From outbox to projection over real servers: nothing lost, nothing twice, and what cannot be is said."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import replace

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.shared import pipeline as parts
from tests.shared.pipeline import READER, STREAM, Pipeline, noted, running, true, until

from benvung import clock, outbox
from benvung.bus import BATCH_LIMIT, Bus, Doubt, Outgoing
from benvung.envelope import encode
from benvung.projector import Announcements, Received
from benvung.testing import NatsServer


async def test_what_is_committed_arrives_once_and_in_order(pipeline: Pipeline) -> None:
    events = [noted(f"n{number % 7}", number) for number in range(100, 100 + BATCH_LIMIT + 50)]
    async with running(pipeline.relay(), pipeline.projector()):
        await pipeline.publish(events)
        await until(lambda: pipeline.holds(len(events)))
    assert await pipeline.kept() == [(event.note_id, event.number) for event in events]
    assert await pipeline.told("select from outbox") == []


async def test_what_is_rolled_back_is_never_heard_of(pipeline: Pipeline) -> None:
    async with running(pipeline.relay(), pipeline.projector()):
        with pytest.raises(ZeroDivisionError):
            async with pipeline.engine.begin() as conn:
                await outbox.publish(conn, [noted("gone", 1)])
                _ = 1 // 0
        await pipeline.publish([noted("stays", 2)])
        await until(lambda: pipeline.holds(1))
    assert await pipeline.kept() == [("stays", 2)]


async def test_a_crash_of_nats_in_the_middle_loses_and_doubles_nothing(
    pipeline: Pipeline, nats_server: NatsServer
) -> None:
    events = [noted(f"n{number % 11}", number) for number in range(100, 3100)]
    async with running(pipeline.relay(), pipeline.projector()):
        for start in range(0, len(events), 300):
            await pipeline.publish(events[start : start + 300])
            if start == 1200:
                nats_server.kill()
                await asyncio.sleep(0.3)
                nats_server.start()
        await until(lambda: pipeline.holds(len(events)), 40)
    assert await pipeline.kept() == [(event.note_id, event.number) for event in events]
    assert await _stream_ids_are_unique(pipeline)


async def test_a_relay_that_died_before_its_delete_is_continued_without_a_second_message(
    pipeline: Pipeline,
) -> None:
    await pipeline.publish([noted("n", number) for number in range(20, 40)])
    bus = await pipeline.bus()
    await bus.ensure_stream(STREAM)
    rows = await pipeline.told("select subject, event_id, payload from outbox order by id")
    await bus.publish_batch(STREAM, [Outgoing(row[0], str(row[1]), row[2]) for row in rows], 0)
    async with running(pipeline.relay(), pipeline.projector()):
        await pipeline.publish([noted("n", 40)])
        await until(lambda: pipeline.holds(21))
    assert (await bus.stream_state(STREAM)).messages == 21
    await bus.close()


async def test_the_second_relay_stands_by_and_takes_over(pipeline: Pipeline) -> None:
    first, second = pipeline.relay(), pipeline.relay()
    stop_first = asyncio.Event()
    life = asyncio.create_task(first.run(stop_first))
    await until(lambda: true(first.state == "working"))
    async with running(second, pipeline.projector()):
        await until(lambda: true(second.state == "standby"))
        await pipeline.publish([noted("a", 1)])
        await until(lambda: pipeline.holds(1))
        stop_first.set()
        await life
        await pipeline.publish([noted("a", 2)])
        await until(lambda: pipeline.holds(2))
        assert second.state == "working"


async def test_a_projector_whose_database_session_is_cut_starts_again_from_its_checkpoint(
    pipeline: Pipeline, postgres_server: str
) -> None:
    async with running(pipeline.relay(), pipeline.projector()):
        await pipeline.publish([noted("a", number) for number in range(100, 400)])
        await until(lambda: pipeline.holds(300))
        async with pipeline.reading.begin() as conn:
            await conn.execute(
                sa.text(
                    "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'"
                    " and pid <> pg_backend_pid()"
                    " and database = (select oid from pg_database where datname = current_database())"
                )
            )
        await pipeline.publish([noted("a", number) for number in range(400, 700)])
        await until(lambda: pipeline.holds(600))
    assert [number for _, number in await pipeline.kept()] == list(range(100, 700))


async def test_what_cannot_be_read_is_buried_and_the_rest_goes_on(pipeline: Pipeline) -> None:
    good = encode(noted("x", 1), event_id=str(uuid.uuid4()), sequence=7, time=clock.now(), traceparent=None)
    poison = [
        b"not json",
        b"\xff\xfe",
        b"[1, 2]",
        b"{}",
        good.replace(b"noted.v1", b"noted.v9"),
        good.replace(b'"number":1', b'"other":1'),
        good.replace(b'"/training"', b'"/funding"'),
    ]
    bus = await pipeline.bus()
    await bus.ensure_stream(STREAM)
    last = 0
    for payload in poison:
        last = await bus.publish(
            STREAM, Outgoing("training.test.noted.v1._._", str(uuid.uuid4()), payload), last
        )
    await bus.close()
    async with running(pipeline.relay(), pipeline.projector()):
        await pipeline.publish([noted("x", 1)])
        await until(lambda: pipeline.holds(1))
    dead = await pipeline.rows("select stream_seq, reason from dead_letters order by stream_seq")
    assert [row.stream_seq for row in dead] == [1, 2, 3, 4, 5, 6, 7]
    assert "unknown version" in dead[4].reason
    assert "number" in dead[5].reason
    assert await pipeline.kept() == [("x", 1)]


async def test_one_event_the_handler_cannot_digest_is_found_and_buried_alone(pipeline: Pipeline) -> None:
    async with running(pipeline.relay(), pipeline.projector()):
        await pipeline.publish([noted("a", number) for number in (11, 12, 13, 14, 15, 16, 17, 18, 19)])
        await until(lambda: pipeline.holds(8))
        await pipeline.publish([noted("a", 20)])
        await until(lambda: pipeline.holds(9))
    assert 13 not in [number for _, number in await pipeline.kept()]
    assert [row.reason for row in await pipeline.rows("select reason from dead_letters")] == [
        "ValueError: thirteen"
    ]


async def test_an_event_delivered_again_changes_nothing(pipeline: Pipeline) -> None:
    async with running(pipeline.relay(), pipeline.projector()):
        await pipeline.publish([noted("a", 1), noted("b", 2)])
        await until(lambda: pipeline.holds(2))
    bus = await pipeline.bus()
    state = await bus.stream_state(STREAM)
    copies = [message async for message in bus.read_range(STREAM, 1, state.last_seq)]
    last = state.last_seq
    for copy in reversed(copies):
        last = await bus.publish(STREAM, Outgoing(copy.subject, str(uuid.uuid4()), copy.payload), last)
    await bus.close()
    async with running(pipeline.relay(), pipeline.projector()):
        await pipeline.publish([noted("c", 3)])
        await until(lambda: pipeline.holds(3))
    assert await pipeline.kept() == [("a", 1), ("b", 2), ("c", 3)]


async def test_a_delivery_taken_by_somebody_else_is_noticed_as_a_gap(pipeline: Pipeline) -> None:
    bus = await pipeline.bus()
    await bus.ensure_stream(STREAM)
    await bus.ensure_reader(STREAM, READER)
    reader = await Bus.connect(pipeline.reader, READER, "test")
    pull = await reader.pull(STREAM, READER, 0)
    await bus.publish(STREAM, Outgoing("training.a", str(uuid.uuid4()), b"1"), 0)
    assert [message.payload for message in await pull.batch(10, 5)] == [b"1"]
    thief = await Bus.connect(pipeline.reader, READER, "thief")
    stolen = await thief._client.subscribe(f"_INBOX.{READER}.thief")
    await thief._client.publish(
        f"{thief._api_of(STREAM)}.CONSUMER.MSG.NEXT.{STREAM}.{READER}", b"1", reply=stolen.subject
    )
    await thief.ping()
    await bus.publish_batch(
        STREAM, [Outgoing("training.a", str(uuid.uuid4()), b"%d" % number) for number in range(2, 30)], 1
    )
    with pytest.raises(Doubt, match="delivery"):
        async with asyncio.timeout(10):
            while True:
                await pull.batch(10, 1)
    assert (await stolen.next_msg(5)).data
    for each in (bus, reader, thief):
        await each.close()


async def test_what_is_numbered_early_and_committed_late_still_goes(pipeline: Pipeline) -> None:
    async with running(pipeline.relay(), pipeline.projector()):
        async with pipeline.engine.begin() as slow:
            await outbox.publish(slow, [noted("slow", 1)])
            await pipeline.publish([noted("quick", 2)])
            await until(lambda: pipeline.holds(1))
        await until(lambda: pipeline.holds(2))
    assert await pipeline.kept() == [("slow", 1), ("quick", 2)]


async def test_a_batch_whose_transaction_fails_is_done_again(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, tries = parts.keep, 0

    async def fails_once(conn: AsyncConnection, events: Sequence[Received]) -> Announcements:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise psycopg.OperationalError("the server went away")
        return await kept(conn, events)

    monkeypatch.setattr(parts, "PROJECTOR", replace(parts.PROJECTOR, handle=fails_once))
    async with running(pipeline.relay(), pipeline.projector()):
        await pipeline.publish([noted("a", number) for number in range(100, 120)])
        await until(lambda: pipeline.holds(20))
    assert tries > 1
    assert await pipeline.rows("select from dead_letters") == []


async def test_who_has_lost_the_checkpoint_to_another_writes_nothing(pipeline: Pipeline) -> None:
    projector = pipeline.projector()
    async with running(pipeline.relay(), projector):
        await pipeline.publish([noted("a", 1)])
        await until(lambda: pipeline.holds(1))
        # Another process is further; this one does not know it yet.
        await pipeline.change("update checkpoints set stream_seq = 40")
        await pipeline.publish([noted("a", 2)])
        await until(lambda: true(projector.state == "waiting"))
    assert await pipeline.kept() == [("a", 1)]
    [checkpoint] = await pipeline.rows("select stream_seq from checkpoints")
    assert checkpoint.stream_seq == 40


async def _stream_ids_are_unique(pipeline: Pipeline) -> bool:
    stored = await pipeline.stream()
    return len({message.event_id for message in stored}) == len(stored)
