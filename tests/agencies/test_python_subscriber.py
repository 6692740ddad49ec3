"""The subscriber that agencies are given in Python, as they would run it, against the real server."""

import json
import sys
import uuid
from typing import Any

import nats.errors
import pytest
from nats.js.api import ConsumerConfig, StreamConfig
from nats.js.errors import Error as JetStreamError
from tests.agencies import promises
from tests.agencies.register import STREAM, Register, registered
from tests.shared.pipeline import until

from benvung_local.servers import AGENCIES_TOML

COMMAND = (sys.executable, str(AGENCIES_TOML.with_name("subscriber.py")))


async def test_it_hears_of_its_province_only(register: Register) -> None:
    await promises.hears_of_its_province_only(register, COMMAND)


async def test_it_goes_on_where_it_was_and_back_where_it_wants(register: Register) -> None:
    await promises.goes_on_where_it_was_and_back_where_it_wants(register, COMMAND)


async def test_it_notices_a_gap(register: Register) -> None:
    await promises.notices_a_gap(register, COMMAND)


async def test_it_takes_back_what_was_withdrawn(register: Register) -> None:
    await promises.takes_back_what_was_withdrawn(register, COMMAND)


async def said_no(refused: list[str], times: int) -> bool:
    return sum("permissions violation for subscription" in each for each in refused) == times


async def test_its_client_is_denied_the_rest(register: Register) -> None:
    async with register.relaying(AGENCIES_TOML), register.bank() as (client, refused):
        [(place, _)] = await register.tell(registered(uuid.uuid4(), 1))
        for api in ("$JS.API", f"{STREAM}.API"):
            stream = client.jetstream(prefix=api, timeout=1)
            forbidden: list[Any] = [
                stream.stream_info(STREAM),
                stream.get_msg(STREAM, place),
                stream.get_msg(STREAM, place, direct=True),
                stream.add_consumer(STREAM, ConsumerConfig(durable_name="spy")),
                stream.add_consumer(STREAM, ConsumerConfig(name="spy", deliver_subject="_INBOX.spy")),
                stream.consumer_info(STREAM, "funding"),
                stream.delete_consumer(STREAM, "bank"),
                stream.add_stream(StreamConfig(name="COPY", subjects=["copy"])),
                stream.delete_stream(STREAM),
                stream.publish("households.household.registered.v1.64.23827", b"{}"),
            ]
            for each in forbidden:
                with pytest.raises((JetStreamError, nats.errors.Error, TimeoutError)):
                    await each
        for subject in (">", "households.>", "restricted.>", "$JS.>"):
            await client.subscribe(subject)
        await until(lambda: said_no(refused, times=4))
        own = await client.request(f"{STREAM}.API.CONSUMER.INFO.{STREAM}.bank", timeout=5)
        assert json.loads(own.data)["num_pending"] == 1
