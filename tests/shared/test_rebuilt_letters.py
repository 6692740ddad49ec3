"""Dead letters and rebuilds: what a projection made anew has digested waits no longer, and nothing else moves."""

import uuid
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from tests.shared.pipeline import LATER, STREAM, Pipeline, noted, running, until

from benvung.bus import Outgoing

DONE = "select from rebuilds where state = 'DONE'"


async def read(pipeline: Pipeline, numbers: Sequence[int], kept: int) -> None:
    """These are told, and read by a projection that digests so many of all."""
    async with running(pipeline.relay(), pipeline.projector()):
        await pipeline.publish([noted("a", number) for number in numbers])
        await until(lambda: pipeline.holds(kept))
        await until(pipeline.at_the_end)


async def put_by_hand(pipeline: Pipeline, payload: bytes) -> None:
    """Something lies in the stream that its owner never told."""
    bus = await pipeline.bus()
    state = await bus.stream_state(STREAM)
    message = Outgoing("training.test.noted.v1._._", str(uuid.uuid4()), payload)
    await bus.publish(STREAM, message, state.last_seq)
    await bus.close()


async def letters(pipeline: Pipeline) -> list[tuple[Any, ...]]:
    rows = await pipeline.rows(
        "select state, reason, note, settled_by, attempts from dead_letters order by id"
    )
    return [tuple(row) for row in rows]


def waiting(reason: str) -> tuple[Any, ...]:
    return ("WAITING", reason, None, None, 1)


def rebuilt(reason: str) -> tuple[Any, ...]:
    return ("RETRIED", reason, "REBUILT", "an officer", 2)


THIRTEEN = "ValueError: thirteen"


async def rebuild(pipeline: Pipeline, *, later: bool = True, rebuilds: int = 1) -> None:
    """An officer has the projection made anew, by the version that digests thirteen or by the one before."""
    await pipeline.ask_rebuild(by="an officer")
    async with running_rebuild(pipeline, later=later):
        await until(lambda: number_of(pipeline, DONE, rebuilds))


def running_rebuild(pipeline: Pipeline, *, later: bool = True) -> AbstractAsyncContextManager[None]:
    return running(pipeline.rebuilder(LATER) if later else pipeline.rebuilder())


async def number_of(pipeline: Pipeline, query: str, number: int) -> bool:
    return len(await pipeline.rows(query)) == number


async def told(pipeline: Pipeline, number: int) -> bool:
    return len(await pipeline.stream()) == number


async def test_a_letter_the_rebuild_digests_is_settled_with_who_and_why(pipeline: Pipeline) -> None:
    await read(pipeline, [12, 13, 14], kept=2)
    await rebuild(pipeline)

    assert [number for _, number in await pipeline.kept()] == [12, 13, 14]
    assert await letters(pipeline) == [rebuilt(THIRTEEN)]
    [audited] = await pipeline.rows("select principal, action, entity, entity_id, detail from audit")
    [letter] = await pipeline.rows("select id, settled_at from dead_letters")
    assert tuple(audited)[:-1] == ("an officer", "dead_letter.retried", "dead_letter", str(letter.id))
    [number] = (await pipeline.rows("select id from rebuilds"))[0]
    assert audited.detail == {
        "state": "RETRIED",
        "projector": "reporting",
        "stream": STREAM,
        "rebuild": number,
    }
    assert letter.settled_at is not None


async def test_what_is_buried_again_waits_once_and_what_was_given_up_stays_so(pipeline: Pipeline) -> None:
    await read(pipeline, [12, 13, 14], kept=2)
    await put_by_hand(pipeline, b"not json")
    await read(pipeline, [13, 15], kept=3)
    [_, _, third] = await pipeline.rows("select id from dead_letters order by id")
    given_up = (
        f"update dead_letters set state = 'DISCARDED', settled_by = 'x', note = 'y' where id = {third.id}"
    )
    await pipeline.change(given_up)
    [_, unreadable, discarded] = before = await letters(pipeline)
    assert (unreadable[0], discarded[0]) == ("WAITING", "DISCARDED")

    await rebuild(pipeline, later=False)
    assert await letters(pipeline) == before

    await rebuild(pipeline, rebuilds=2)
    assert await letters(pipeline) == [rebuilt(THIRTEEN), unreadable, discarded]


async def test_what_was_retried_and_is_buried_by_a_rebuild_waits_again(pipeline: Pipeline) -> None:
    await read(pipeline, [12, 13, 14], kept=2)
    await rebuild(pipeline)
    await rebuild(pipeline, later=False, rebuilds=2)

    assert [number for _, number in await pipeline.kept()] == [12, 14]
    assert await letters(pipeline) == [("WAITING", THIRTEEN, None, None, 3)]
    audited = await pipeline.rows("select principal, action, detail ->> 'state' from audit order by id")
    assert [tuple(row) for row in audited] == [
        ("an officer", "dead_letter.retried", "RETRIED"),
        ("an officer", "dead_letter.buried_again", "WAITING"),
    ]


async def test_what_is_retried_while_a_rebuild_that_buried_it_goes_on_stays_retried(
    pipeline: Pipeline,
) -> None:
    await read(pipeline, [12, 13, 14], kept=2)
    await pipeline.change("update checkpoints set stream_seq = 1")
    await pipeline.ask_rebuild(by="an officer")
    async with running_rebuild(pipeline, later=False):
        await until(lambda: number_of(pipeline, "select from rebuilds where stream_seq = 3", 1))
    await pipeline.change("update checkpoints set stream_seq = 3")
    retried = "update dead_letters set state = 'RETRIED', settled_by = 'x', settled_at = clock_timestamp()"
    await pipeline.change(retried)
    async with running_rebuild(pipeline):
        await until(lambda: number_of(pipeline, DONE, 1))

    assert await letters(pipeline) == [("RETRIED", THIRTEEN, None, "x", 1)]
    assert [number for _, number in await pipeline.kept()] == [12, 13, 14]


async def test_a_letter_of_an_earlier_life_is_settled_if_what_is_in_it_was_sent_again(
    pipeline: Pipeline,
) -> None:
    await read(pipeline, [12], kept=1)
    await put_by_hand(pipeline, b"never told")
    await read(pipeline, [13, 14], kept=2)
    pipeline.lose_stream()
    async with running(pipeline.relay(), pipeline.projector(), pipeline.rebuilder()):
        await until(lambda: number_of(pipeline, DONE, 1))
        await until(pipeline.at_the_end)
    [never_told, thirteen] = before = await letters(pipeline)
    assert [each[0] for each in before] == ["WAITING", "WAITING"]
    assert thirteen[1] == THIRTEEN

    await rebuild(pipeline, rebuilds=2)

    assert await letters(pipeline) == [never_told, rebuilt(THIRTEEN)]


async def test_a_letter_buried_where_the_rebuild_had_passed_already_is_settled_too(
    pipeline: Pipeline,
) -> None:
    await read(pipeline, [12], kept=1)
    async with running(pipeline.relay()):
        await pipeline.publish([noted("a", number) for number in (13, 14)])
        await until(lambda: told(pipeline, 3))
        await pipeline.ask_rebuild(by="an officer")
        async with running_rebuild(pipeline):
            await until(lambda: number_of(pipeline, "select from rebuilds where stream_seq = 3", 1))
            assert await letters(pipeline) == []
            async with running(pipeline.projector()):
                await until(lambda: number_of(pipeline, DONE, 1))
    assert await letters(pipeline) == [rebuilt(THIRTEEN)]
    assert [number for _, number in await pipeline.kept()] == [12, 13, 14]


async def passed(pipeline: Pipeline) -> None:
    """A rebuild that has read all is stopped while it waits for the live projection."""
    await read(pipeline, [12, 13, 14], kept=2)
    await pipeline.change("update checkpoints set stream_seq = 1")
    await pipeline.ask_rebuild(by="an officer")
    async with running_rebuild(pipeline):
        await until(lambda: number_of(pipeline, "select from rebuilds where stream_seq = 3", 1))
    await pipeline.change("update checkpoints set stream_seq = 3")
    assert await letters(pipeline) == [waiting(THIRTEEN)]


async def test_a_rebuild_that_is_cancelled_settles_nothing(pipeline: Pipeline) -> None:
    await passed(pipeline)
    await pipeline.change("update rebuilds set state = 'CANCELLED'")
    await rebuild(pipeline, later=False)
    assert await letters(pipeline) == [waiting(THIRTEEN)]


@pytest.mark.parametrize("older", [False, True], ids=["by this version", "by one that knew of no letters"])
async def test_a_rebuild_that_goes_on_in_another_process_settles_what_the_first_one_read(
    pipeline: Pipeline, older: bool
) -> None:
    await passed(pipeline)
    if older:
        await pipeline.change("drop table rebuild_reporting_training.letters_met")
    async with running_rebuild(pipeline):
        await until(lambda: number_of(pipeline, DONE, 1))
    assert await letters(pipeline) == [rebuilt(THIRTEEN)]
