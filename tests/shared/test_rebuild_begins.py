"""A rebuild begins beside a projection that works: what that one reads meanwhile is in the new tables too."""

import sqlalchemy as sa
from tests.shared.pipeline import PROJECTOR, Pipeline, noted, running, until

from benvung.projector import fingerprint, project, sort
from benvung.rebuild import BATCH

# More than a rebuild takes at once.
MORE = range(100, 100 + BATCH + 10)
DONE = "select from rebuilds where state = 'DONE'"
WAITS = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
IN_THE_STREAM = "select from journal where stream_seq > 0"


async def test_a_live_projection_that_reads_on_is_not_taken_for_one_of_a_stream_that_was_put_back(
    pipeline: Pipeline,
) -> None:
    async with running(pipeline.relay()):
        async with running(pipeline.projector()):
            await pipeline.publish([noted("a", number) for number in (1, 2, 3)])
            await until(lambda: pipeline.holds(3))
            await until(pipeline.at_the_end)
        await pipeline.ask_rebuild()
        async with pipeline.reading.connect() as live:
            # Whoever holds the checkpoint is the live projection.
            await live.execute(sa.text("select from checkpoints for update"))
            async with running(pipeline.rebuilder()):
                await until(lambda: there_are(pipeline, WAITS, 1))
                await pipeline.publish([noted("a", number) for number in MORE])
                await until(lambda: told(pipeline, 3 + len(MORE)))
                messages = (await pipeline.stream())[3:]
                await project(live, PROJECTOR, sort(PROJECTOR, messages, (), None).received)
                last = messages[-1]
                moved = sa.text("update checkpoints set stream_seq = :seq, digest = :digest")
                await live.execute(moved, {"seq": last.stream_seq, "digest": fingerprint(last)})
                await live.commit()
                await until(lambda: there_are(pipeline, DONE, 1))
    assert await pipeline.kept() == [("a", number) for number in (1, 2, 3, *MORE)]


async def there_are(pipeline: Pipeline, query: str, number: int) -> bool:
    return len(await pipeline.rows(query)) == number


async def told(pipeline: Pipeline, number: int) -> bool:
    return len(await pipeline.told(IN_THE_STREAM)) == number
