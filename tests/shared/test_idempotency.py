"""A change that is asked for twice happens once: whatever becomes of the first answer."""

import asyncio
import datetime as dt
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any, TypeVar

import httpx2
import pytest
import pytest_asyncio
import sqlalchemy as sa
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.shared import payments
from tests.shared.conftest import kit_settings, new_database

from benvung import idempotency
from benvung.issuer import Issuer
from benvung.testing.tokens import Tokens
from benvung.web import create_app

PAY = {"amount": 500}
T = TypeVar("T")


@pytest.fixture(scope="session")
def payments_database(postgres_server: str) -> Iterator[str]:
    with new_database(postgres_server, payments.META) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def app(payments_database: str, tokens: Tokens) -> AsyncIterator[FastAPI]:
    """The service that pays, with nothing paid yet."""
    made = create_app(payments.service(kit_settings(payments_database)), worker=False)
    made.state.issuer = Issuer(made.state.settings, tokens.transport)
    async with made.router.lifespan_context(made):
        async with made.state.engine.begin() as conn:
            await conn.execute(sa.delete(payments.PAYMENTS))
            await conn.execute(sa.text("delete from idempotency_keys"))
        yield made


class Payer:
    """Somebody who pays, and counts."""

    def __init__(self, app: FastAPI, tokens: Tokens, subject: str = "payer") -> None:
        self._engine = app.state.engine
        token = tokens.token(["payments.write"], subject=subject)
        self.client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app, raise_app_exceptions=False),
            base_url="http://kit.test",
            headers={"Authorization": f"Bearer {token}"},
        )

    async def pay(
        self, key: str | None, body: Any = PAY, path: str = "/v1/payments", **headers: str
    ) -> httpx2.Response:
        given = headers if key is None else headers | {"Idempotency-Key": key}
        return await self.client.post(path, json=body, headers=given)

    async def rows(self, table: str = "payments") -> int:
        async with self._engine.connect() as conn:
            return int((await conn.execute(sa.text(f"select count(*) from {table}"))).scalar_one())


@pytest.fixture
def payer(app: FastAPI, tokens: Tokens) -> Payer:
    return Payer(app, tokens)


def new_key() -> str:
    return str(uuid.uuid4())


def soon(waited: Awaitable[T]) -> Awaitable[T]:
    """What is waited for, but not for ever."""
    return asyncio.wait_for(waited, 20)


def replayed(answer: httpx2.Response) -> bool:
    return answer.headers.get("idempotency-replayed") == "true"


async def test_the_same_request_with_the_same_key_is_one_payment_and_one_answer(payer: Payer) -> None:
    key = new_key()

    first, again = await payer.pay(key), await payer.pay(key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.headers["location"] == again.headers["location"] == f"/v1/payments/{first.json()['id']}"
    assert first.json() == again.json()
    assert (replayed(first), replayed(again)) == (False, True)
    assert await payer.rows() == 1


async def test_without_a_key_nobody_looks(payer: Payer) -> None:
    first, again = await payer.pay(None), await payer.pay(None)

    assert first.json()["id"] != again.json()["id"]
    assert (await payer.rows(), await payer.rows("idempotency_keys")) == (2, 0)


async def test_a_repeated_answer_shows_the_thing_as_it_is_now(payer: Payer) -> None:
    key = new_key()
    first = await payer.pay(key)
    await payer.client.put(
        first.headers["location"], json={"amount": 7}, headers={"If-Match": first.headers["etag"]}
    )

    again = await payer.pay(key)

    assert (again.status_code, again.json()["amount"], again.json()["id"]) == (201, 7, first.json()["id"])


async def test_a_key_is_the_same_with_and_without_quotes(payer: Payer) -> None:
    key = new_key()
    await payer.pay(key)

    assert replayed(await payer.pay(f'"{key}"'))


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/payments", {"amount": 501}), ("/v1/payments?note=x", PAY), ("/v1/lists", PAY)],
)
async def test_a_key_belongs_to_one_request(payer: Payer, path: str, body: Any) -> None:
    key = new_key()
    await payer.pay(key)

    refused = await payer.pay(key, body, path, **{"Accept-Language": "en"})

    assert (refused.status_code, refused.json()["rule"]) == (422, "idempotency-key-reused")
    assert "new key" in refused.json()["detail"]
    assert await payer.rows() == 1


async def test_the_keys_of_two_persons_have_nothing_to_do_with_each_other(
    payer: Payer, app: FastAPI, tokens: Tokens
) -> None:
    key = new_key()
    first = await payer.pay(key)

    other = await Payer(app, tokens, "somebody else").pay(key)

    assert (other.status_code, replayed(other)) == (201, False)
    assert other.json()["id"] != first.json()["id"]


async def test_a_refused_request_leaves_its_key_free(payer: Payer) -> None:
    key = new_key()
    for body in ({"amount": payments.MOST + 1}, {"amount": "x"}, {"amount": 10**30}):
        assert (await payer.pay(key, body)).status_code == 422
    assert await payer.rows("idempotency_keys") == 0

    assert (await payer.pay(key)).status_code == 201


async def test_a_failed_request_leaves_its_key_free(
    payer: Payer, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = new_key()
    # The answer cannot be written: everything before it is taken back.
    monkeypatch.setattr(payments, "answered", None)
    assert (await payer.pay(key)).status_code == 500
    monkeypatch.undo()
    assert (await payer.rows(), await payer.rows("idempotency_keys")) == (0, 0)

    assert (await payer.pay(key)).status_code == 201
    assert await payer.rows() == 1


async def test_two_at_once_are_one_payment_and_the_second_waits_for_the_answer(
    payer: Payer, app: FastAPI
) -> None:
    app.state.pause = pause = payments.Pause()
    key = new_key()
    first = asyncio.create_task(payer.pay(key))
    await soon(pause.reached.wait())
    others = [asyncio.create_task(payer.pay(key)) for _ in range(5)]
    await asyncio.sleep(0.2)
    assert not any(each.done() for each in others)

    pause.go.set()
    answers = await soon(asyncio.gather(first, *others))

    assert {each.status_code for each in answers} == {201}
    assert len({each.json()["id"] for each in answers}) == 1
    assert [replayed(each) for each in answers] == [False, True, True, True, True, True]
    assert await payer.rows() == 1


async def test_many_at_once_are_one_payment(payer: Payer) -> None:
    for _ in range(20):
        key = new_key()
        answers = await asyncio.gather(*(payer.pay(key) for _ in range(6)))
        assert {each.status_code for each in answers} == {201}
        assert sorted(map(replayed, answers)) == [False, True, True, True, True, True]
    assert await payer.rows() == 20


async def test_when_the_first_is_taken_back_the_second_acts(payer: Payer, app: FastAPI) -> None:
    app.state.pause = pause = payments.Pause()
    key = new_key()
    first = asyncio.create_task(payer.pay(key))
    await soon(pause.reached.wait())
    second = asyncio.create_task(payer.pay(key))
    await asyncio.sleep(0.1)
    async with app.state.engine.connect() as conn:
        await conn.execute(
            sa.text(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
                " and state = 'idle in transaction' and pid <> pg_backend_pid()"
            )
        )
    pause.go.set()

    assert (await first).status_code == 503
    answer = await second
    assert (answer.status_code, replayed(answer)) == (201, False)
    assert await payer.rows() == 1


async def test_who_would_wait_too_long_is_told_to_come_again(payer: Payer, app: FastAPI) -> None:
    @sa.event.listens_for(app.state.engine.sync_engine, "begin")
    def impatient(conn: sa.Connection) -> None:
        conn.exec_driver_sql("set local lock_timeout = '200ms'")

    app.state.pause = pause = payments.Pause()
    key = new_key()
    first = asyncio.create_task(payer.pay(key))
    await soon(pause.reached.wait())

    refused = await soon(payer.pay(key))

    assert (refused.status_code, refused.json()["rule"]) == (409, "idempotency-key-in-use")
    assert refused.headers["retry-after"] == "5"
    pause.go.set()
    assert (await first).status_code == 201
    assert replayed(await payer.pay(key))
    assert await payer.rows() == 1


@pytest.mark.parametrize(
    "key", ["", "short", "x" * 129, "khóa chống lặp thứ nhất", 'a "quoted" key here', "a" * 15]
)
async def test_a_key_that_is_none_is_refused_by_name(payer: Payer, key: str) -> None:
    answer = await payer.client.post("/v1/payments", json=PAY, headers={b"Idempotency-Key": key.encode()})

    assert (answer.status_code, answer.json()["rule"]) == (422, "input-invalid")
    assert answer.json()["errors"][0]["field"] == "header.Idempotency-Key"
    assert await payer.rows() == 0


async def test_a_file_is_known_by_its_digest(payer: Payer) -> None:
    key = new_key()

    async def send(content: bytes, pieces: int) -> httpx2.Response:
        size = len(content) // pieces

        async def streamed() -> AsyncIterator[bytes]:
            for at in range(0, len(content), size):
                yield content[at : at + size]

        return await payer.client.post("/v1/lists", content=streamed(), headers={"Idempotency-Key": key})

    first = await send(b"a" * 2_000_000, 1)
    again = await send(b"a" * 2_000_000, 100)
    other = await send(b"a" * 2_000_001, 1)

    assert (first.status_code, again.status_code, replayed(again)) == (202, 202, True)
    assert first.headers["location"] == again.headers["location"]
    assert (other.status_code, other.json()["rule"]) == (422, "idempotency-key-reused")
    assert await payer.rows() == 1


async def test_neither_the_key_nor_what_was_sent_can_be_read_back(payer: Payer, app: FastAPI) -> None:
    key = new_key()
    await payer.pay(key)

    async with app.state.engine.connect() as conn:
        [row] = (await conn.execute(sa.text("select * from idempotency_keys"))).all()
    assert (row.principal, row.operation, row.status) == ("payer", "POST /v1/payments", 201)
    assert key.encode() not in b"".join(each for each in row if isinstance(each, bytes))
    # Who guesses the whole request right cannot find out that they did.
    sent = b"POST /v1/payments\n\n" + json.dumps(PAY).encode()
    assert row.request_digest not in {idempotency._hash(each) for each in (sent, sent.replace(b" ", b""))}


async def test_old_keys_are_forgotten_and_young_ones_kept(payer: Payer, app: FastAPI) -> None:
    old, young = new_key(), new_key()
    first = await payer.pay(old)
    async with app.state.engine.begin() as conn:
        await conn.execute(
            sa.text("update idempotency_keys set recorded_at = recorded_at - :age"),
            {"age": dt.timedelta(days=7, minutes=1)},
        )
    await payer.pay(young)

    beside = create_app(payments.service(app.state.settings), api=False, worker=True)
    async with beside.router.lifespan_context(beside):
        for _ in range(200):
            if await payer.rows("idempotency_keys") < 2:
                break
            await asyncio.sleep(0.05)

    assert await payer.rows("idempotency_keys") == 1
    assert replayed(await payer.pay(young))
    anew = await payer.pay(old)
    assert (anew.status_code, replayed(anew)) == (201, False)
    assert anew.json()["id"] != first.json()["id"]


STEP = st.tuples(
    st.integers(0, 2), st.sampled_from([1, 2, payments.MOST + 1]), st.sampled_from(["payer", "other"])
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, min_size=1, max_size=12))
async def test_any_history_of_requests_pays_each_key_once(
    app: FastAPI, tokens: Tokens, steps: list[tuple[int, int, str]]
) -> None:
    payers = {subject: Payer(app, tokens, subject) for subject in ("payer", "other")}
    keys = [new_key() for _ in range(3)]
    before = await payers["payer"].rows()
    told: dict[tuple[str, int], tuple[int, str]] = {}
    for number, amount, subject in steps:
        answer = await payers[subject].pay(keys[number], {"amount": amount})
        known = told.get((subject, number))
        if known is None and amount > payments.MOST:
            assert (answer.status_code, answer.json()["rule"]) == (422, "too-much")
        elif known is None:
            assert (answer.status_code, replayed(answer)) == (201, False)
            told[subject, number] = (amount, answer.headers["location"])
        elif known[0] == amount:
            assert (answer.status_code, replayed(answer)) == (201, True)
            assert answer.headers["location"] == known[1]
        else:
            assert (answer.status_code, answer.json()["rule"]) == (422, "idempotency-key-reused")
    assert await payers["payer"].rows() == before + len(told)


async def test_the_document_says_what_a_key_does(app: FastAPI) -> None:
    document = app.openapi()
    assert app.openapi() == document
    operation = document["paths"]["/v1/payments"]["post"]

    [header] = [each for each in operation["parameters"] if each["name"] == "Idempotency-Key"]
    assert (header["in"], header["required"]) == ("header", False)
    assert "idempotency-key-in-use" in operation["responses"]["409"]["description"]
    assert operation["responses"]["422"]["description"].count("idempotency-key-reused") == 1
    assert "Idempotency-Replayed" in operation["responses"]["201"]["headers"]
    assert "409" not in document["paths"]["/v1/payments/{payment_id}"]["get"]["responses"]
