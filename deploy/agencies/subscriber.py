"""An agency's subscriber: python subscriber.py STREAM [PLACE IN THE STREAM TO READ AGAIN FROM]. See README.md."""

import asyncio
import contextlib
import json
import os
import sys

import nats


async def main(stream: str, start: str = "") -> None:
    agency, api = os.environ["NATS_USER"], f"{stream}.API"
    known: dict[str, tuple[str, int]] = {}  # better: in your database, with what you make of the events
    withdrawn: set[str] = set()
    client = await nats.connect(os.environ["NATS_URL"], user=agency, password=os.environ["NATS_PASSWORD"])
    durable = await client.jetstream(prefix=api).pull_subscribe_bind(durable=agency, stream=stream)

    async def read_again(place: int) -> None:
        body = json.dumps({"seq": place}).encode()
        await client.request(f"{api}.CONSUMER.RESET.{stream}.{agency}", body)

    if start:
        await read_again(int(start))
    while True:
        with contextlib.suppress(TimeoutError):  # nothing new in these seconds
            for message in await durable.fetch(100, timeout=5):
                event = json.loads(message.data)
                subject, revision = event["subject"], event["data"]["revision"]
                if event["type"].endswith(".withdrawn.v1") and not withdrawn.issuperset(
                    event["data"]["events"]
                ):
                    withdrawn.update(event["data"]["events"])
                    known.clear()
                    await read_again(1)
                    break
                newest, last = known.get(subject, ("", revision - 1))
                if event["sequence"] > newest and event["id"] not in withdrawn:
                    if revision > last + 1:
                        print("GAP", subject, "after", last, flush=True)
                    known[subject] = event["sequence"], revision
                    print(message.metadata.sequence.stream, event["type"], subject, revision, flush=True)
                await message.ack()


asyncio.run(main(*sys.argv[1:]))
