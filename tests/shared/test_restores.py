"""Streams and databases that were lost, emptied or put back: found out, put right, and nothing told twice."""

import asyncio
import uuid
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.shared.pipeline import STREAM, Pipeline, noted, running, true, until

from benvung import recovery
from benvung.bus import Outgoing
from benvung.bus.messages import stream_config
from benvung.envelope import decode


async def sequences(pipeline: Pipeline) -> list[int]:
    return [decode(message.payload).sequence for message in await pipeline.stream()]


async def told(pipeline: Pipeline, numbers: Sequence[int]) -> None:
    """These events through relay and projector, to the end."""
    before = len(await pipeline.kept())
    async with running(pipeline.relay(), pipeline.projector()):
        await pipeline.publish([noted(f"n{number % 5}", number) for number in numbers])
        await until(lambda: pipeline.holds(before + len(numbers)))


async def settled(pipeline: Pipeline, numbers: Sequence[int], cancelled: int = 0) -> None:
    """Relay, projector and rebuilder run until the projection holds just these events."""
    async with running(pipeline.relay(), pipeline.projector(), pipeline.rebuilder()):

        async def right() -> bool:
            kept = sorted(number for _, number in await pipeline.kept())
            open_rebuilds = await pipeline.rows("select from rebuilds where state <> 'DONE'")
            return kept == sorted(numbers) and len(open_rebuilds) == cancelled and await pipeline.at_the_end()

        await until(right, 30)


async def test_a_told_event_lies_in_the_journal_where_it_lies_in_the_stream(pipeline: Pipeline) -> None:
    await told(pipeline, range(100, 130))
    journal = await pipeline.told("select id, stream_seq, payload from journal order by stream_seq")
    assert [(row.stream_seq, row.payload) for row in journal] == [
        (message.stream_seq, message.payload) for message in await pipeline.stream()
    ]
    assert await pipeline.told("select from outbox") == []


async def test_a_lost_stream_is_made_anew_from_the_journal_by_itself(pipeline: Pipeline) -> None:
    await told(pipeline, range(100, 150))
    before = await pipeline.kept()
    pipeline.lose_stream()
    await settled(pipeline, range(100, 150))
    assert await sequences(pipeline) == list(range(1, 51))
    assert await pipeline.kept() == before
    await told(pipeline, [777])
    assert (await pipeline.kept())[-1] == ("n2", 777)


@pytest.mark.parametrize("left", [30, 1])
async def test_what_was_purged_is_sent_again_behind_the_rest(pipeline: Pipeline, left: int) -> None:
    await told(pipeline, range(100, 150))
    async with running(pipeline.relay()):
        await pipeline.publish([noted("unread", number) for number in range(500, 510)])
        await until(lambda: nothing_waits(pipeline))
    bus = await pipeline.bus()
    # A limit on the stream drops its oldest messages, read or not.
    short = stream_config(STREAM) | {"discard": "old", "max_msgs": left}
    await bus._api(f"STREAM.UPDATE.{STREAM}", short)
    await bus.close()
    assert len(await pipeline.stream()) == left
    await settled(pipeline, [*range(100, 150), *range(500, 510)])
    assert sorted(await sequences(pipeline)) == list(range(1, 61))


async def test_unread_events_of_a_lost_stream_are_read_all_the_same(pipeline: Pipeline) -> None:
    await told(pipeline, range(100, 120))
    async with running(pipeline.relay()):
        await pipeline.publish([noted("late", number) for number in range(500, 520)])
        await until(lambda: nothing_waits(pipeline))
    pipeline.lose_stream()
    await settled(pipeline, [*range(100, 120), *range(500, 520)])


async def test_a_change_of_the_stream_by_somebody_else_is_seen_within_a_look(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benvung.relay.LOOK_SECONDS", 0.2)
    await told(pipeline, range(100, 110))
    async with running(pipeline.relay()):
        bus = await pipeline.bus()
        await until(lambda: nothing_waits(pipeline))
        await bus._api(f"STREAM.UPDATE.{STREAM}", stream_config(STREAM) | {"discard": "old", "max_msgs": 4})
        await bus.close()
        await until(lambda: holds_all(pipeline, 10))


async def test_a_stream_put_back_to_an_older_copy_is_filled_up_and_read_on(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    await told(pipeline, range(100, 120))
    pipeline.copy_streams(tmp_path / "copy")
    await told(pipeline, range(120, 150))
    pipeline.put_back_streams(tmp_path / "copy")
    await settled(pipeline, range(100, 150))
    assert await sequences(pipeline) == list(range(1, 51))


async def test_a_stream_that_was_rewritten_below_the_checkpoint_is_read_anew(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benvung.rebuild.PATIENCE_SECONDS", 1)
    await told(pipeline, range(100, 120))
    pipeline.copy_streams(tmp_path / "copy")
    await told(pipeline, range(120, 150))
    pipeline.put_back_streams(tmp_path / "copy")
    # Unseen by the reader, what lies at its checkpoint is now another event.
    await pipeline.execute("update journal set stream_seq = 80 - stream_seq where stream_seq > 20")
    async with running(pipeline.relay()):
        await pipeline.publish([noted("after", 900)])
        await until(lambda: holds_all(pipeline, 51))
    await settled(pipeline, [*range(100, 150), 900])
    assert await pipeline.rows("select from rebuilds where reason like 'stream TRAINING is not the one%'")


async def test_a_reader_waits_while_its_stream_is_being_filled_again(pipeline: Pipeline) -> None:
    await told(pipeline, range(100, 110))
    bus = await pipeline.bus()
    await bus.mark_stream(STREAM, whole=False)
    projector = pipeline.projector()
    async with running(projector):
        await until(lambda: true("filled again" in projector.detail))
        assert not projector.ready
    await bus.close()


async def test_a_restored_database_is_not_ready_names_the_command_and_is_right_after_it(
    pipeline: Pipeline,
) -> None:
    await told(pipeline, range(100, 120))
    await pipeline.remember_database()
    await told(pipeline, range(120, 140))
    await pipeline.restore_database()
    # Written before anybody noticed: with sequences that the stream knows already.
    reused = await pipeline.publish([noted("new", number) for number in range(900, 905)])
    assert min(reused) == 21

    relay = pipeline.relay()
    async with running(relay, pipeline.projector()):
        await until(lambda: true(relay.state == "stopped"))
    assert not relay.ready
    assert "20 events" in relay.detail
    assert "'training recover'" in relay.detail

    done = await recovery.recover(pipeline.service())
    assert (done.withdrawn, done.renumbered) == ({STREAM: 20}, 5)
    await settled(pipeline, [*range(100, 120), *range(900, 905)])

    stored = [decode(message.payload) for message in await pipeline.stream()]
    [withdrawn] = [each for each in stored if each.type.endswith("events.withdrawn.v1")]
    assert len(withdrawn.data["events"]) == 20
    assert [each.sequence for each in stored if each.data.get("note_id") == "new"] == list(range(41, 46))
    assert (await recovery.recover(pipeline.service())).withdrawn == {STREAM: 0}


async def test_a_restored_database_that_has_overtaken_its_stream_is_still_found_out(
    pipeline: Pipeline,
) -> None:
    await told(pipeline, range(100, 110))
    await pipeline.remember_database()
    await told(pipeline, range(110, 113))
    await pipeline.restore_database()
    await pipeline.publish([noted("new", number) for number in range(900, 950)])
    relay = pipeline.relay()
    async with running(relay):
        await until(lambda: true(relay.state == "stopped"))
    assert "3 events" in relay.detail


async def test_a_hand_that_writes_into_the_stream_does_not_stop_the_relay(pipeline: Pipeline) -> None:
    await told(pipeline, range(100, 110))
    copy = (await pipeline.stream())[3]
    bus = await pipeline.bus()
    last = 10
    for payload in (b"poison", copy.payload, copy.payload.replace(b'"number":', b'"numbre":')):
        last = await bus.publish(STREAM, Outgoing(copy.subject, str(uuid.uuid4()), payload), last)
    await bus.close()
    await told(pipeline, [200])
    assert len(await pipeline.kept()) == 11


async def test_a_rebuild_makes_wrong_rows_right_and_says_how_many_were_wrong(pipeline: Pipeline) -> None:
    await told(pipeline, range(100, 200))
    await pipeline.change("update kept set number = 0 where sequence <= 7")
    await pipeline.change("delete from kept where sequence = 50")
    await pipeline.ask_rebuild()
    await settled(pipeline, range(100, 200))
    [row] = await pipeline.rows("select state, differences, announced from rebuilds")
    assert row.state == "DONE"
    assert row.differences == {"kept": {"live": 99, "only_live": 7, "only_new": 8}}


async def test_a_rebuild_leaves_tables_as_the_migrations_made_them(pipeline: Pipeline) -> None:
    await told(pipeline, [1])
    shape = (
        "select conname, pg_get_constraintdef(oid) as made from pg_constraint where conrelid = 'kept'::regclass"
        " union all select indexname, indexdef from pg_indexes where tablename = 'kept' order by 1"
    )
    before = await pipeline.rows(shape)
    await pipeline.ask_rebuild()
    await settled(pipeline, [1])
    assert await pipeline.rows(shape) == before
    assert await pipeline.rows("select nspname from pg_namespace where nspname ~ 'rebuild|replaced'") == []


async def test_a_rebuild_runs_beside_events_that_go_on_coming(pipeline: Pipeline) -> None:
    await told(pipeline, range(1000, 3000))
    await pipeline.ask_rebuild()
    async with running(pipeline.relay(), pipeline.projector(), pipeline.rebuilder()):
        for number in range(5000, 5400, 20):
            await pipeline.publish([noted("b", each) for each in range(number, number + 20)])
            await asyncio.sleep(0.02)
        await until(lambda: pipeline.holds(2400))
        await until(lambda: empty(pipeline, "select from rebuilds where state <> 'DONE'"))
    assert len(await pipeline.kept()) == 2400
    [row] = await pipeline.rows("select differences from rebuilds")
    assert row.differences["kept"]["only_live"] == row.differences["kept"]["only_new"] == 0


async def test_a_cancelled_rebuild_changes_nothing_and_the_next_one_begins_anew(pipeline: Pipeline) -> None:
    await told(pipeline, range(1000, 1300))
    await pipeline.change("update kept set number = 0 where sequence <= 7")
    await pipeline.ask_rebuild()
    rebuilder = pipeline.rebuilder()
    async with running(rebuilder):
        # The live projection is not there to be compared with, so that the rebuild waits for it.
        await pipeline.change("update checkpoints set stream_seq = 250")
        await until(lambda: holds_rows(pipeline, "select from rebuilds where stream_seq = 300"))
        await pipeline.change("update rebuilds set state = 'CANCELLED'")
        await until(lambda: true(rebuilder.state == "working"))
    assert len([number for _, number in await pipeline.kept() if number == 0]) == 7
    await pipeline.change("update checkpoints set stream_seq = 300")
    await pipeline.ask_rebuild()
    await settled(pipeline, range(1000, 1300), cancelled=1)


async def test_what_would_make_much_vanish_waits_for_a_person(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benvung.rebuild.VANISHING_ROWS", 10)
    await told(pipeline, range(100, 150))
    await pipeline.change("insert into kept select 1000000 + n, 'ghost', n from generate_series(1, 20) n")
    await pipeline.ask_rebuild(by="system")
    rebuilder = pipeline.rebuilder()
    async with running(pipeline.relay(), pipeline.projector(), rebuilder):
        await until(lambda: true(rebuilder.state == "stopped"))
        assert "would lose or change 20 of 70 rows" in rebuilder.detail
        assert len(await pipeline.kept()) == 70
        await pipeline.ask_rebuild(by="an officer")
        await until(lambda: empty(pipeline, "select from rebuilds where state <> 'DONE'"))
    assert len(await pipeline.kept()) == 50


async def holds_all(pipeline: Pipeline, number: int) -> bool:
    return sorted(await sequences(pipeline)) == list(range(1, number + 1))


async def nothing_waits(pipeline: Pipeline) -> bool:
    return not await pipeline.told("select from outbox")


async def holds_rows(pipeline: Pipeline, query: str) -> bool:
    return bool(await pipeline.rows(query))


async def empty(pipeline: Pipeline, query: str) -> bool:
    return not await pipeline.rows(query)
