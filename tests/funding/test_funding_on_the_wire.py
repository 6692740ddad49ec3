"""One decision of the register travels through real NATS to funding's answer and its announcement."""

import asyncio
import datetime as dt
from typing import Any

from benvung import outbox
from benvung.bus import Bus
from benvung.envelope import decode
from benvung.testing import Engine, NatsServer, SettingsFor
from benvung.worker import Worker


async def until(question: Any, seconds: float = 20) -> Any:
    """Ask until the answer is something, or time is up."""
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        answer = await question()
        if answer:
            return answer
        await asyncio.sleep(0.02)
    raise AssertionError("no answer in time")


async def test_a_decision_reaches_funding_and_is_announced(
    app: Any, engine: Engine, settings: SettingsFor, nats_server: NatsServer, register: Any
) -> None:
    households = settings("households", nats=nats_server)
    owner = Worker(_relay_of(households))
    await owner.start()
    try:
        client = await app("funding", nats=nats_server)
        household, registered = register.register()
        decided = register.classify(household, "POOR", dt.date(2022, 12, 31))
        async with engine("households").begin() as conn:
            await outbox.publish(conn, [registered[1], decided[1]])

        async def eligible() -> Any:
            answer = await client.get("/v1/eligibility", params={"household_id": str(household)})
            return answer.json()["items"]

        answers = await until(eligible)
        assert [each["product"] for each in answers] == ["POOR"]
        bus = await Bus.connect(settings("funding", nats=nats_server), "funding", "reading")

        async def announced() -> Any:
            state = await bus.stream_state("FUNDING")
            return [decode(each.payload).data async for each in bus.read_range("FUNDING", 1, state.last_seq)]

        told = await until(announced)
        await bus.close()
        assert [(each["household_id"], each["product"], each["status"]) for each in told] == [
            (str(household), "POOR", "ELIGIBLE")
        ]
    finally:
        await owner.stop()


def _relay_of(settings: Any) -> Any:
    """The register's own relay, without its pages and projectors."""
    from households.main import build

    return build(settings)
