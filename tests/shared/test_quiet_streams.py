"""When nothing new is told, a projector still notices that something is kept from it or was put back."""

import json

from tests.shared.pipeline import READER, STREAM, Pipeline, noted, running, until

from benvung.bus import Bus

LARGEST = {"batch": 500, "expires": 60_000_000_000}
NOTICED_SECONDS = 10.0


async def test_what_went_to_the_requests_of_another_connection_comes_soon_although_nothing_follows(
    pipeline: Pipeline,
) -> None:
    told = 0
    async with running(pipeline.relay(), pipeline.projector()):
        await pipeline.publish([noted("n", told := told + 1)])
        await until(lambda: pipeline.holds(told))
        thief = await Bus.connect(pipeline.reader, READER, "thief")
        stolen = await thief._client.subscribe(f"_INBOX.{READER}.thief")
        asked = json.dumps(LARGEST).encode()
        subject = f"{thief._api_of(STREAM)}.CONSUMER.MSG.NEXT.{STREAM}.{READER}"
        await thief._client.publish(subject, asked, reply=stolen.subject)
        await thief.ping()
        while not stolen.pending_msgs:
            await pipeline.publish([noted("n", told := told + 1)])
            await until(lambda: pipeline.holds(told) if not stolen.pending_msgs else pipeline.holds(0))
        await thief.close()
        # Left alone, the server would send it again after a minute.
        await until(lambda: pipeline.holds(told), NOTICED_SECONDS)


async def test_a_database_that_is_put_back_is_read_on_from_its_own_place(pipeline: Pipeline) -> None:
    async with running(pipeline.relay(), pipeline.projector()):
        await pipeline.publish([noted("n", number) for number in range(101, 121)])
        await until(lambda: pipeline.holds(20))
        await pipeline.change("delete from kept where number > 105")
        await pipeline.change("update checkpoints set stream_seq = 5, digest = null")
        await until(lambda: pipeline.holds(20), NOTICED_SECONDS)
