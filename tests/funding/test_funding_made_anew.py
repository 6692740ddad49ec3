"""Answers made anew from the register's stream: right again, and the world hears only of what differs."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from benvung import outbox, rebuild
from benvung.envelope import decode
from benvung.testing import Engine, NatsServer
from benvung.worker import Worker
from funding.consumers import PROJECTORS
from funding.main import build
from households.events import EventsWithdrawn
from households.main import build as build_register

[FOLLOWING] = PROJECTORS


@dataclass
class Following:
    """The register's relay and the whole of funding's background, with what both hold."""

    register: AsyncEngine
    funding: AsyncEngine

    async def tell(self, *events: Any) -> None:
        async with self.register.begin() as conn:
            await outbox.publish(conn, events)

    async def rows(self, query: str, engine: AsyncEngine | None = None) -> list[Any]:
        async with (engine or self.funding).connect() as conn:
            return list((await conn.execute(sa.text(query))).all())

    async def change(self, statement: str) -> None:
        async with self.funding.begin() as conn:
            await conn.execute(sa.text(statement))

    async def made_anew(self, by: str = "an officer") -> Any:
        """Ask, wait until it is done, and return the row that tells of it."""
        async with self.funding.begin() as conn:
            number = await rebuild.request(conn, FOLLOWING, reason="a test", by=by)
        query = f"select state, announced, differences from rebuilds where id = {number}"

        async def done() -> bool:
            return bool((await self.rows(query))[0].state == "DONE")

        await until(done)
        return (await self.rows(query))[0]

    async def told(self) -> list[dict[str, Any]]:
        """What funding has announced, oldest first."""
        query = "select payload, id from journal union all select payload, id from outbox order by id"
        return [decode(row.payload).data for row in await self.rows(query)]


async def until(question: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not await question():  # noqa: ASYNC110 -- the answer is in a database
            await asyncio.sleep(0.02)


@pytest.fixture
async def following(engine: Engine, settings: Any, nats_server: NatsServer) -> AsyncIterator[Following]:
    workers = [
        Worker(build_register(settings("households", nats=nats_server))),
        Worker(build(settings("funding", nats=nats_server))),
    ]
    for worker in workers:
        await worker.start()
    yield Following(engine("households"), engine("funding"))
    for worker in workers:
        await worker.stop()


async def poor(following: Following, register: Any, number: int = 3) -> list[UUID]:
    """Households that became poor, and that funding has answered for."""
    households = []
    before = len(await following.told())
    for _ in range(number):
        household, registered = register.register()
        decided = register.classify(household, "POOR", dt.date(2022, 12, 31))
        await following.tell(registered[1], decided[1])
        households.append(household)

    async def answered() -> bool:
        return len(await following.told()) == before + number

    await until(answered)
    return households


async def test_what_is_right_stays_and_nothing_is_announced(following: Following, register: Any) -> None:
    await poor(following, register)
    tables = [table.name for table in FOLLOWING.tables]
    before = [await following.rows(f"select * from {name} order by 1, 2") for name in tables]
    done = await following.made_anew()
    assert [await following.rows(f"select * from {name} order by 1, 2") for name in tables] == before
    assert done.announced == 0
    assert {each["only_live"] + each["only_new"] for each in done.differences.values()} == {0}
    assert len(await following.told()) == 3


async def test_an_answer_that_was_wrong_is_told_once_with_what_it_replaces(
    following: Following, register: Any
) -> None:
    wrong, *_ = await poor(following, register)
    await following.change(
        f"update eligibility set status = 'NOT_ELIGIBLE', reason = 'NOT_ON_POOR_LIST' where household_id = '{wrong}'"
    )
    assert (await following.made_anew()).announced == 1
    assert (await following.made_anew()).announced == 0
    told = await following.told()
    assert len(told) == 4
    assert (told[3]["household_id"], told[3]["status"], told[3]["revision"]) == (str(wrong), "ELIGIBLE", 2)
    assert told[3]["previous"]["status"] == "NOT_ELIGIBLE"
    [kept] = await following.rows(f"select status, revision from eligibility where household_id = '{wrong}'")
    assert tuple(kept) == ("ELIGIBLE", 2)


async def test_the_next_decision_counts_on_from_what_was_told(following: Following, register: Any) -> None:
    wrong, *_ = await poor(following, register)
    await following.change(f"update eligibility set revision = 7 where household_id = '{wrong}'")
    await following.made_anew()
    await following.tell(register.classify(wrong, "NOT_POOR", dt.date(2023, 12, 31))[1])

    async def heard() -> bool:
        return any(
            each["household_id"] == str(wrong) and each["status"] == "NOT_ELIGIBLE"
            for each in await following.told()
        )

    await until(heard)
    [last] = [each for each in await following.told() if each["status"] == "NOT_ELIGIBLE"]
    assert last["revision"] == 8


async def test_a_decision_that_is_withdrawn_takes_its_answer_with_it(
    following: Following, register: Any
) -> None:
    gone, *stay = await poor(following, register)
    events = await following.rows(
        f"select event_id from journal where convert_from(payload, 'UTF8') like '%{gone}%'",
        following.register,
    )
    await following.tell(
        EventsWithdrawn(
            province=None,
            commune=None,
            revision=1,
            withdrawal_id=gone,
            events=tuple(row.event_id for row in events),
        )
    )

    async def refused() -> bool:
        query = f"select 1 from eligibility where household_id = '{gone}' and status = 'NOT_ELIGIBLE'"
        return bool(await following.rows(query))

    await until(refused)
    last = (await following.told())[-1]
    assert (last["household_id"], last["status"], last["revision"]) == (str(gone), "NOT_ELIGIBLE", 2)
    assert last["reason"] == "HOUSEHOLD_CLOSED"
    assert await following.rows(f"select from eligibility_history where household_id = '{gone}'") == []
    answers = await following.rows("select household_id from eligibility where status = 'ELIGIBLE'")
    assert {row.household_id for row in answers} == set(stay)
