"""What the NATS client does to those who trust it, row by row, and that none of it reaches us.

Each test puts the bus into the situation of one known hazard of nats-py 2.16 and asks for what we promise.
"""

import asyncio
import contextlib
import gc
import os
import signal
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop
from tests.shared.pipeline import OWNER, READER, STREAM, Pipeline, noted, running, true, until

from benvung.bus import Bus, Doubt, Outgoing, Pull, Refused
from benvung.bus.messages import Absent
from benvung.testing import NatsServer
from benvung.worker import Worker

SUBJECT = "training.test.noted.v1._._"


def message(size: int = 10) -> Outgoing:
    return Outgoing(SUBJECT, str(uuid.uuid4()), b"x" * size)


@asynccontextmanager
async def connected(pipeline: Pipeline) -> AsyncIterator[Bus]:
    """The owner's connection, with the stream and its reader there."""
    bus = await pipeline.bus()
    try:
        await bus.ensure_stream(STREAM)
        await bus.ensure_reader(STREAM, READER)
        yield bus
    finally:
        await bus.close()


@asynccontextmanager
async def reading(pipeline: Pipeline) -> AsyncIterator[Pull]:
    """The reader's endless read from the beginning of the stream."""
    bus = await Bus.connect(pipeline.reader, READER, "test")
    try:
        yield await bus.pull(STREAM, READER, 0)
    finally:
        await bus.close()


@contextmanager
def stalled(server: NatsServer) -> Iterator[None]:
    """The server's process stands still: connections stay open, nothing answers."""
    process = getattr(server, "process", None)
    if process is None:
        pytest.skip("the process of this NATS server is out of reach")
    pid = process.pid
    os.kill(pid, signal.SIGSTOP)
    # It may finish what it is at.
    time.sleep(0.2)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


async def fill(bus: Bus, number: int) -> None:
    last = (await bus.stream_state(STREAM)).last_seq
    for _ in range(0, number, 500):
        last = await bus.publish_batch(STREAM, [message() for _ in range(min(number, 500))], last)


async def test_1_what_waits_for_an_answer_fails_when_the_server_dies(
    pipeline: Pipeline, nats_server: NatsServer
) -> None:
    """Futures of `publish_async` stay pending for ever after a restart of the server."""
    async with connected(pipeline) as bus:
        with stalled(nats_server):
            waiting = [asyncio.create_task(bus.publish(STREAM, message(), 0)) for _ in range(10)]
            await asyncio.sleep(0.1)
            nats_server.kill()
            begun = time.monotonic()
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [Doubt] * 10
        assert time.monotonic() - begun < 2
        nats_server.start()


async def test_2_and_3_a_cancelled_publisher_ends(pipeline: Pipeline, nats_server: NatsServer) -> None:
    """The client turns a cancellation into another error, or swallows it while it flushes."""
    async with connected(pipeline) as bus:
        with stalled(nats_server):
            messages = [message(1000) for _ in range(1000)]
            task = asyncio.create_task(bus.publish_batch(STREAM, messages, 0))
            await asyncio.sleep(0.3)
            task.cancel()
            done, _ = await asyncio.wait({task}, timeout=3)
            assert done
            assert task.cancelled()


async def test_3_a_worker_stops_in_bounded_time_beside_a_stalled_server(
    pipeline: Pipeline, nats_server: NatsServer
) -> None:
    worker = Worker(pipeline.service())
    await worker.start()
    await until(lambda: true(all(each["state"] == "working" for each in worker.status().values())))
    with stalled(nats_server):
        await pipeline.publish([noted("n" * 3000, number) for number in range(2000)])
        await asyncio.sleep(0.5)
        begun = time.monotonic()
        await worker.stop()
        assert time.monotonic() - begun < 11


async def test_4_what_was_not_confirmed_is_not_sent_behind_our_back(
    pipeline: Pipeline, nats_server: NatsServer
) -> None:
    """A publish that failed while the connection was away is sent all the same after the reconnect."""
    async with connected(pipeline) as bus:
        nats_server.kill()
        with pytest.raises(Doubt):
            await bus.publish(STREAM, message(), 0)
        nats_server.start()
        await asyncio.sleep(2.5)
    assert await pipeline.stream() == []


async def test_5_a_batch_is_never_larger_than_asked_and_closing_takes_no_time(pipeline: Pipeline) -> None:
    """`fetch(5)` may return everything buffered; what was taken so makes `drain` wait half a minute."""
    async with connected(pipeline) as bus:
        await fill(bus, 31)
        async with reading(pipeline) as pull:
            await until(lambda: true(len(pull._arrived) == 31))
            sizes = [len(await pull.batch(5, 1)) for _ in range(7)]
            begun = time.monotonic()
    assert sizes == [5, 5, 5, 5, 5, 5, 1]
    assert time.monotonic() - begun < 2


async def test_6_a_cancelled_wait_takes_no_message_with_it(pipeline: Pipeline) -> None:
    """A cancelled `fetch` leaves its request at the server, and the message goes to nobody."""
    async with connected(pipeline) as bus, reading(pipeline) as pull:
        waiting = asyncio.create_task(pull.batch(5, 30))
        await asyncio.sleep(0.2)
        waiting.cancel()
        await asyncio.wait({waiting})
        await fill(bus, 3)
        async with asyncio.timeout(5):
            got = await pull.batch(5, 5)
            while len(got) < 3:
                got += await pull.batch(5, 5)
    assert [each.delivery for each in got] == [1, 2, 3]


async def test_7_a_wait_over_a_restart_of_the_server_ends_at_once(
    pipeline: Pipeline, nats_server: NatsServer
) -> None:
    """`fetch(timeout=15)` stalls for all of its fifteen seconds."""
    async with connected(pipeline), reading(pipeline) as pull:
        waiting = asyncio.create_task(_until_doubt(pull))
        await asyncio.sleep(0.2)
        begun = time.monotonic()
        nats_server.kill()
        nats_server.start()
        await asyncio.wait_for(waiting, 5)
        assert time.monotonic() - begun < 4


async def _until_doubt(pull: Pull) -> None:
    with pytest.raises(Doubt):
        await _endlessly(pull)


async def test_8_an_error_of_the_server_does_not_deafen_us(pipeline: Pipeline) -> None:
    """An exception in the error callback ends the read loop; the connection then looks open and flushes."""
    async with connected(pipeline) as bus:
        await bus._client.publish("households.household.classified.v1", b"not ours")
        await bus._client.publish("$JS.API.STREAM.DELETE.TRAINING", b"")
        await asyncio.sleep(0.2)
        await bus.ping()
        assert await bus.publish(STREAM, message(), 0) == 1


async def test_8_a_deaf_connection_is_found_out_by_asking(pipeline: Pipeline) -> None:
    async with connected(pipeline) as bus:
        task = bus._client._reading_task
        assert task is not None
        task.cancel()
        await asyncio.sleep(0.1)
        assert bus._client.is_connected
        with pytest.raises(Doubt):
            await asyncio.wait_for(bus.ping(), 8)


async def test_9_acknowledgement_subjects_of_both_layouts_are_read(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ordered consumer of the client stops reading when the server names acknowledgements the new way."""
    servers = pytest.importorskip("benvung_local.servers")
    conf = tmp_path / "nats.conf"
    text = servers.NATS_CONF.read_text("utf-8")
    conf.write_text(text.replace("js_ack_fc_v2: false", "js_ack_fc_v2: true"), "utf-8")
    assert conf.read_text("utf-8") != text
    monkeypatch.setattr(servers, "NATS_CONF", conf)
    server = servers.NatsServer()
    server.start()
    try:
        user, password = server.user(OWNER)
        settings = pipeline.owner.model_copy(
            update={"nats_url": server.url, "nats_user": user, "nats_password": _secret(password)}
        )
        bus = await Bus.connect(settings, OWNER, "test")
        await bus.ensure_stream(STREAM)
        await bus.ensure_reader(STREAM, READER)
        await fill(bus, 1000)
        pull = await bus.pull(STREAM, READER, 0)
        got: list[Any] = []
        async with asyncio.timeout(10):
            while len(got) < 1000:
                got += await pull.batch(500, 1)
        await bus.close()
    finally:
        server.stop()
    assert [each.stream_seq for each in got] == [each.delivery for each in got] == list(range(1, 1001))


def _secret(value: str) -> Any:
    from pydantic import SecretStr

    return SecretStr(value)


async def test_10_a_connection_that_the_server_ends_is_known_to_be_over(pipeline: Pipeline) -> None:
    """Most errors of the server close the client for good, and nobody is told."""
    async with running(pipeline.relay()):
        await pipeline.publish([noted("n", 1)])
        await until(lambda: _stored(pipeline, 1))
    relay = pipeline.relay()
    async with running(relay):
        await until(lambda: true(relay.state == "working" and relay.bus is not None))
        first = relay.bus
        assert first is not None
        transport = first._client._transport
        assert transport is not None
        transport.write(b"NO SUCH PROTOCOL\r\n")
        await asyncio.wait_for(first.closed.wait(), 3)
        with pytest.raises(Doubt):
            await first.ping()
        await pipeline.publish([noted("n", 2)])
        await until(lambda: _stored(pipeline, 2), 5)


async def test_11_a_half_open_connection_is_known_within_seconds(
    pipeline: Pipeline, nats_server: NatsServer
) -> None:
    """Left alone the client notices a peer that is silently gone after four to six minutes."""
    async with connected(pipeline) as bus, reading(pipeline) as pull:
        with stalled(nats_server):
            begun = time.monotonic()
            with pytest.raises(Doubt):
                await bus.ping()
            await _until_doubt(pull)
            assert time.monotonic() - begun < 12
            await asyncio.wait_for(bus.closed.wait(), 20)


async def test_12_a_message_that_the_client_drops_is_missed(pipeline: Pipeline) -> None:
    """A slow consumer's messages are dropped with a callback as the only trace."""
    async with connected(pipeline) as bus, reading(pipeline) as pull:
        subscription = next(
            each for each in pull._client._subs.values() if each.subject == f"{pull._inbox}.*"
        )
        assert (subscription._pending_msgs_limit, subscription._pending_bytes_limit) == (0, 0)
        await fill(bus, 5)
        hear, heard = pull._on_message, 0

        def drop_the_third(*message: Any) -> None:
            nonlocal heard
            heard += 1
            if heard != 3:
                hear(*message)

        pull._client.hear(subscription, drop_the_third)
        await fill(bus, 10)
        with pytest.raises(Doubt, match="delivery"):
            await asyncio.wait_for(_endlessly(pull), 10)


async def _endlessly(pull: Pull) -> None:
    while True:
        await pull.batch(10, 0.25)


async def test_13_reading_takes_no_task_for_each_message(pipeline: Pipeline) -> None:
    """`next_msg` makes a task, an id and a timer for each message."""
    async with connected(pipeline) as bus:
        await fill(bus, 5000)
        tasks = 0

        def counted(loop: asyncio.AbstractEventLoop, coroutine: Any, **more: Any) -> "asyncio.Task[Any]":
            nonlocal tasks
            tasks += 1
            return asyncio.Task(coroutine, loop=loop, **more)

        async with reading(pipeline) as pull:
            asyncio.get_running_loop().set_task_factory(counted)
            try:
                got = 0
                async with asyncio.timeout(20):
                    while got < 5000:
                        got += len(await pull.batch(500, 1))
            finally:
                asyncio.get_running_loop().set_task_factory(None)
    assert tasks < 500


async def test_14_a_server_that_is_only_starting_is_waited_for(
    pipeline: Pipeline, nats_server: NatsServer
) -> None:
    """Right after its start the server says that no stream answers."""
    async with running(pipeline.relay(), pipeline.projector()):
        await pipeline.publish([noted("a", 1)])
        await until(lambda: pipeline.holds(1))
        nats_server.kill()
        with pytest.raises(Absent):
            await pipeline.bus()
        await pipeline.publish([noted("a", 2)])
        nats_server.start()
        await until(lambda: pipeline.holds(2), 10)
    assert await pipeline.kept() == [("a", 1), ("a", 2)]


async def test_15_a_connection_that_is_reset_with_something_unsent_is_known_to_be_over(
    pipeline: Pipeline, nats_server: NatsServer
) -> None:
    """The client writes the rest to the closed connection, fails at that, and tells nobody that it is closed."""
    failed: list[dict[str, Any]] = []

    async def be_reset() -> bool:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: failed.append(context))
        bus = await pipeline.bus()
        with stalled(nats_server):
            while bus._client.pending_data_size < 1_000_000:
                await bus._client.publish(SUBJECT, b"x" * 100_000)
                await asyncio.sleep(0)
            # With what it has not read yet its end of the connection is a reset.
            nats_server.kill()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(bus.closed.wait(), 3)
        known = bus.closed.is_set()
        await bus.close()
        return known

    # On the loop of the services: the other one does not mind writing to a closed connection.
    known = await asyncio.to_thread(uvloop.run, be_reset())
    gc.collect()
    assert known
    assert failed == []


async def test_16_who_writes_to_a_connection_before_its_end_is_known_hears_of_a_lost_connection(
    pipeline: Pipeline,
) -> None:
    """The client's flusher has seen the end and gone; nobody else has, and uvloop calls it a RuntimeError."""

    async def write_after_the_end() -> None:
        bus = await pipeline.bus()
        try:
            client: Any = bus._client
            await client.flush()
            # It is theirs to tell everybody; we come first.
            for task in (client._flusher_task, client._reading_task):
                task.cancel()
            client._transport.close()
            await asyncio.sleep(0.05)
            with pytest.raises(OSError, match="closed"):
                await bus._client.publish(SUBJECT, b"x")
        finally:
            await bus.close()

    await asyncio.to_thread(uvloop.run, write_after_the_end())


async def _stored(pipeline: Pipeline, number: int) -> bool:
    try:
        return len(await pipeline.stream()) == number
    except Refused:
        # The relay has not made the stream yet.
        return False
