"""What becomes of an event that an agency does not manage to take, and of agencies wrongly described."""

import json
import uuid
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy
from tests.agencies.register import ELSEWHERE, STREAM, Register, registered

from benvung import agencies
from benvung.bus import Refused
from benvung_local.servers import AGENCIES_TOML

DELIVERIES = 10
BANK = """
[bank]
name_vi = "Ngân hàng"
name_en = "Bank"
streams = {streams}
"""


async def durable(client: Client, stream: str) -> JetStreamContext.PullSubscription:
    """The agency's durable on a stream, as its own client reads it."""
    return await client.jetstream(prefix=f"{stream}.API").pull_subscribe_bind(durable="bank", stream=stream)


async def pull(reading: JetStreamContext.PullSubscription) -> Msg:
    """The next message."""
    [message] = await reading.fetch(1, timeout=5)
    return message


async def test_what_is_refused_ten_times_is_written_down_for_the_agency_and_can_be_read_again(
    register: Register,
) -> None:
    async with register.relaying(AGENCIES_TOML), register.bank() as (client, _):
        [(place, _)] = await register.tell(registered(uuid.uuid4(), 1))
        reading = await durable(client, STREAM)
        promised = (await reading.consumer_info()).config
        assert (promised.ack_policy, promised.max_deliver) == (AckPolicy.EXPLICIT, DELIVERIES)
        assert promised.backoff == [5, 30, 120, 600]
        for _ in range(DELIVERIES):
            message = await pull(reading)
            assert message.metadata.sequence.stream == place
            await message.nak()
        [(following, _)] = await register.tell(registered(uuid.uuid4(), 1))
        message = await pull(reading)
        assert message.metadata.sequence.stream == following
        given_up = await durable(client, f"{STREAM}_ADVISORIES")
        advisory = json.loads((await pull(given_up)).data)
        assert (advisory["consumer"], advisory["stream_seq"]) == ("bank", place)
        assert advisory["deliveries"] == DELIVERIES
        again = json.dumps({"seq": place}).encode()
        await client.request(f"{STREAM}.API.CONSUMER.RESET.{STREAM}.bank", again, timeout=5)
        for expected in (place, following):
            message = await pull(reading)
            await message.ack()
            assert message.metadata.sequence.stream == expected


def written(folder: Path, streams: str) -> Path:
    path = folder / "agencies.toml"
    path.write_text(BANK.replace("{streams}", streams))
    return path


async def test_a_changed_description_changes_what_the_agency_is_given(
    register: Register, tmp_path: Path
) -> None:
    elsewhere = written(tmp_path, '{HOUSEHOLDS = ["households.household.*.v1.52.>"]}')
    async with register.bank() as (client, _):
        async with register.relaying(AGENCIES_TOML):
            await register.tell(registered(uuid.uuid4(), 1))
            message = await pull(await durable(client, STREAM))
            await message.ack_sync()
        async with register.relaying(elsewhere):
            [_, (place, _)] = await register.tell(
                registered(uuid.uuid4(), 1), registered(uuid.uuid4(), 1, ELSEWHERE)
            )
            message = await pull(await durable(client, STREAM))
            assert message.metadata.sequence.stream == place


async def test_what_is_wrong_with_one_agency_holds_up_nobody_else(register: Register, tmp_path: Path) -> None:
    overlapping = '{HOUSEHOLDS = ["households.household.>", "households.household.*.v1.64.>"]}'
    named_as_a_reader = written(tmp_path, overlapping).read_text().replace("[bank]", "[funding]")
    both = tmp_path / "both.toml"
    both.write_text(written(tmp_path, overlapping).read_text() + named_as_a_reader)
    async with register.relaying(both) as relay:
        assert await register.tell(registered(uuid.uuid4(), 1))
        assert relay.state == "working"
        bus = await register.bus()
        reader = await bus._api(f"CONSUMER.INFO.{STREAM}.funding", None)
        assert reader["config"]["ack_policy"] == "all"
        with pytest.raises(Refused, match="consumer not found"):
            await bus._api(f"CONSUMER.INFO.{STREAM}.bank", None)
        await bus.close()


@pytest.mark.parametrize(
    "streams",
    [
        '{HOUSEHOLDS_RESTRICTED = ["restricted.households.>"]}',
        '{HOUSEHOLDS = ["restricted.households.>"]}',
        '{HOUSEHOLDS = ["*.household.>"]}',
        '{HOUSEHOLDS = [">"]}',
        '{HOUSEHOLDS = ["funding.eligibility.changed.v1.64.>"]}',
        "{HOUSEHOLDS = []}",
        '{HOUSEHOLDS = "households.>"}',
        "[",
    ],
)
def test_an_agency_is_given_public_events_of_the_streams_owner_and_nothing_else(
    tmp_path: Path, streams: str
) -> None:
    with pytest.raises(agencies.BadAgencies, match=r"agencies\.toml"):
        agencies.read(written(tmp_path, streams))


def test_a_service_does_not_start_with_agencies_it_cannot_read(register: Register, tmp_path: Path) -> None:
    bad = written(tmp_path, '{HOUSEHOLDS = [">"]}')
    kind = type(register.settings)
    with pytest.raises(ValueError, match="agencies_file"):
        kind(**{**register.settings.model_dump(), "agencies_file": bad})


def test_the_agencies_of_this_deployment_are_given_what_their_description_says() -> None:
    assert set(agencies.read(AGENCIES_TOML)) == {"bank"}
    assert agencies.of(AGENCIES_TOML, "TRAINING") == {}
    assert agencies.of(None, STREAM) == {}
    assert "households.household.*.v1.64.>" in agencies.of(AGENCIES_TOML, STREAM)["bank"]
