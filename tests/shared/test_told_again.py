"""What was told before, and what takes its place: nothing new comes before it, nothing of it counts twice."""

import asyncio
import uuid
from collections.abc import Sequence

import pytest
import sqlalchemy as sa
from tests.shared.pipeline import STREAM, Noted, Pipeline, noted, running, true, until

from benvung import outbox, recovery
from benvung.bus.messages import stream_config
from benvung.envelope import Envelope, decode
from benvung.outbox import Announcement

CAUSES = [uuid.uuid5(uuid.NAMESPACE_OID, f"cause {number}") for number in range(20)]


@pytest.mark.parametrize("number", [1, 30])
async def test_nothing_new_is_told_to_a_stream_that_was_emptied_before_the_old_is_in_it_again(
    pipeline: Pipeline, number: int
) -> None:
    async with running(pipeline.relay(), pipeline.projector(), pipeline.rebuilder()):
        await pipeline.publish([noted("a", each) for each in range(100, 120)])
        await until(lambda: nothing_waits(pipeline))
        await empty_stream(pipeline)
        await pipeline.publish([noted("a", each) for each in range(200, 200 + number)])
        await until(lambda: pipeline.holds(20 + number))
        await until(pipeline.at_the_end)
    stored = [decode(message.payload) for message in await pipeline.stream()]
    assert [each.sequence for each in stored] == list(range(1, 21 + number))
    assert len(await pipeline.kept()) == 20 + number


async def test_a_stream_made_anew_with_its_old_configuration_does_not_call_itself_whole(
    pipeline: Pipeline,
) -> None:
    async with running(pipeline.relay(), pipeline.projector()):
        await pipeline.publish([noted("a", each) for each in range(100, 120)])
        await until(lambda: pipeline.holds(20))
    bus = await pipeline.bus()
    info = await bus._api(f"STREAM.INFO.{STREAM}", None)
    await bus.close()
    pipeline.lose_stream()
    bus = await pipeline.bus()
    await bus._api(f"STREAM.CREATE.{STREAM}", info["config"])
    assert not (await bus.stream_state(STREAM)).whole
    await bus.close()


@pytest.mark.parametrize(
    "again",
    [range(20), range(12), range(19, -1, -1), range(0)],
    ids=["all", "some", "in another order", "none"],
)
async def test_what_a_restored_database_announces_again_counts_once_and_behind_what_was_taken_back(
    pipeline: Pipeline, again: Sequence[int]
) -> None:
    await pipeline.remember_database()
    async with running(pipeline.relay(), pipeline.projector()):
        await announce(pipeline, range(20))
        await until(lambda: pipeline.holds(20))
    await pipeline.restore_database()
    # What it follows comes in other batches this time, some of it before anybody has seen to it.
    await announce(pipeline, again)

    relay = pipeline.relay()
    async with running(relay):
        await until(lambda: true(relay.state == "stopped"))
    assert "20 events" in relay.detail
    assert (await recovery.recover(pipeline.service())).withdrawn == {STREAM: 20}
    rest = [number for number in range(20) if number not in again]
    await announce(pipeline, rest)
    await ends_with(pipeline, [*again, *rest])

    again_stopped = pipeline.relay()
    async with running(again_stopped):
        await until(lambda: true(again_stopped.state == "working"))


async def test_an_announcement_under_way_while_the_database_is_recovered_is_believed(
    pipeline: Pipeline,
) -> None:
    await pipeline.remember_database()
    async with running(pipeline.relay(), pipeline.projector()):
        await announce(pipeline, range(20))
        await until(lambda: pipeline.holds(20))
    await pipeline.restore_database()
    async with pipeline.engine.begin() as conn:
        await outbox.announce(conn, announcements(range(10)))
        recovering = asyncio.create_task(recovery.recover(pipeline.service()))
        await until(lambda: waits_for_a_lock(pipeline))
        await outbox.announce(conn, announcements(range(10, 20)))
    await recovering
    await ends_with(pipeline, range(20))


async def ends_with(pipeline: Pipeline, numbers: Sequence[int]) -> None:
    """Stream and projection hold just these, in this order, without what was taken back."""
    async with running(pipeline.relay(), pipeline.projector(), pipeline.rebuilder()):

        async def right() -> bool:
            kept = [number for _, number in await pipeline.kept()]
            rebuilds = await pipeline.rows("select from rebuilds where state <> 'DONE'")
            return (
                kept == [100 + number for number in numbers] and not rebuilds and await pipeline.at_the_end()
            )

        await until(right, 30)
    gone = {str(row[0]) for row in await pipeline.told("select event_id from withdrawn")}
    told = [decode(message.payload) for message in await pipeline.stream()]
    true_ones = [each for each in told if each.id not in gone and each.type == Noted.event_type]
    assert [each.data["number"] - 100 for each in true_ones] == list(numbers)
    assert_rising(true_ones)
    journal = await pipeline.told("select id, event_id, payload from journal")
    assert all(decode(row.payload).id == str(row.event_id) for row in journal)
    assert all(decode(row.payload).sequence == row.id for row in journal)


def assert_rising(events: Sequence[Envelope]) -> None:
    sequences = [each.sequence for each in events]
    assert sequences == sorted(set(sequences))


def announcements(numbers: Sequence[int]) -> list[Announcement]:
    return [Announcement(str(CAUSES[number]), noted("a", 100 + number)) for number in numbers]


async def announce(pipeline: Pipeline, numbers: Sequence[int]) -> None:
    async with pipeline.engine.begin() as conn:
        await outbox.announce(conn, announcements(numbers))


async def empty_stream(pipeline: Pipeline) -> None:
    """Leave the stream as a purge does: nothing in it, and counting on."""
    bus = await pipeline.bus()
    moment = {"max_age": 100_000_000, "duplicate_window": 100_000_000}
    await bus._api(f"STREAM.UPDATE.{STREAM}", stream_config(STREAM) | moment)

    async def is_empty() -> bool:
        return (await bus.stream_state(STREAM)).messages == 0

    await until(is_empty)
    await bus._api(f"STREAM.UPDATE.{STREAM}", stream_config(STREAM))
    await bus.close()


async def nothing_waits(pipeline: Pipeline) -> bool:
    return not await pipeline.told("select from outbox")


async def waits_for_a_lock(pipeline: Pipeline) -> bool:
    async with pipeline.engine.connect() as conn:
        query = "select count(*) from pg_locks where not granted and relation = 'outbox'::regclass"
        return bool(await conn.scalar(sa.text(query)))
