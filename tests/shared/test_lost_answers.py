"""The answer is lost on the way: the change is committed, and the one who asked does not know.

A real process answers over a real wire. The wire carries what was asked and holds the answer back; or the
process is killed at that moment.
"""

import asyncio
import contextlib
import os
import signal
import sys
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx2
import psycopg
import pytest
import pytest_asyncio
from tests.faults.proxy import Link, Proxies
from tests.shared import payments
from tests.shared.conftest import new_database

from benvung.testing.tokens import ISSUER, Tokens
from benvung_local.processes import LOOPBACK, free_port

ROOT = Path(__file__).parents[2]
PAY = {"amount": 500}


@contextlib.contextmanager
def provider(tokens: Tokens) -> Iterator[str]:
    """Address at which the sign-in provider of the tests answers another process."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = tokens._answer(httpx2.Request("GET", f"{ISSUER}{self.path}"))
            self.send_response(said.status_code)
            self.end_headers()
            self.wfile.write(said.content)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = HTTPServer((LOOPBACK, 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://{LOOPBACK}:{server.server_port}"
    server.shutdown()
    thread.join(5)
    server.server_close()


@dataclass
class Process:
    """The service that pays, in a process of its own behind a wire that can lose answers."""

    environment: dict[str, str]
    wire: Link
    url: str
    client: httpx2.AsyncClient
    running: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Return when it answers."""
        program = [sys.executable, "-m", "tests.shared.payments", "api"]
        self.running = await asyncio.create_subprocess_exec(*program, env=self.environment, cwd=ROOT)
        for _ in range(400):
            with contextlib.suppress(httpx2.TransportError):
                if (await self.client.get(f"{self.url}/health/ready")).is_success:
                    return
            await asyncio.sleep(0.05)
        raise AssertionError("the service does not answer")

    async def kill(self) -> None:
        """End it as a crash would."""
        assert self.running is not None
        self.running.send_signal(signal.SIGKILL)
        await asyncio.wait_for(self.running.wait(), 10)

    async def ask(self, key: str) -> httpx2.Response:
        """Pay, with this key."""
        url = f"http://{LOOPBACK}:{self.wire.port}/v1/payments"
        return await self.client.post(url, json=PAY, headers={"Idempotency-Key": key})


@pytest.fixture(scope="module")
def new_one(postgres_server: str) -> Iterator[str]:
    with new_database(postgres_server, payments.META) as url:
        yield url


@pytest.fixture
def database(new_one: str) -> str:
    """The process's database, with nothing paid yet."""
    with psycopg.connect(new_one) as conn:
        conn.execute("delete from payments")
    return new_one


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def process(new_one: str, tokens: Tokens) -> AsyncIterator[Process]:
    port, proxies = free_port(), Proxies()
    with provider(tokens) as issuer:
        environment = {
            **os.environ,
            "DATABASE_URL": new_one,
            "ISSUER_URL": ISSUER,
            "ISSUER_INTERNAL_URL": issuer,
            "PORT": str(port),
            "LOG_LEVEL": "ERROR",
        }
        signed_in = {"Authorization": f"Bearer {tokens.token(['payments.write'])}"}
        async with httpx2.AsyncClient(headers=signed_in) as client:
            wire = proxies.link("payments", port)
            made = Process(environment, wire, f"http://{LOOPBACK}:{port}", client)
            await made.start()
            yield made
            await made.kill()
        proxies.close()


def paid(database: str) -> list[str]:
    with psycopg.connect(database) as conn:
        return [str(row[0]) for row in conn.execute("select id from payments order by id").fetchall()]


async def until_paid(database: str, number: int) -> None:
    for _ in range(2000):
        if len(paid(database)) >= number:
            return
        await asyncio.sleep(0.005)
    raise AssertionError("nobody paid")


async def lose_an_answer(process: Process, database: str, key: str, *, crash: bool) -> str:
    """A payment is made, and the one who asked for it never hears; returns its id."""
    process.wire.black_hole("down")
    asked = asyncio.create_task(process.ask(key))
    await until_paid(database, 1)
    assert not asked.done()
    if crash:
        await process.kill()
    process.wire.reset()
    with pytest.raises(httpx2.TransportError):
        await asked
    process.wire.heal()
    if crash:
        await process.start()
    [first] = paid(database)
    return first


@pytest.mark.parametrize("crash", [False, True])
async def test_whoever_lost_the_answer_asks_again_and_nothing_happens_twice(
    process: Process, database: str, *, crash: bool
) -> None:
    key = str(uuid.uuid4())
    first = await lose_an_answer(process, database, key, crash=crash)

    again = await process.ask(key)

    assert (again.status_code, again.json()["id"]) == (201, first)
    assert again.headers["idempotency-replayed"] == "true"
    assert paid(database) == [first]


async def test_with_another_key_it_does_happen_twice(process: Process, database: str) -> None:
    """What the test above would see if keys were worth nothing."""
    await lose_an_answer(process, database, str(uuid.uuid4()), crash=False)

    assert (await process.ask(str(uuid.uuid4()))).status_code == 201
    assert len(paid(database)) == 2


async def test_killed_at_any_moment_a_key_pays_once(process: Process, database: str) -> None:
    keys = [str(uuid.uuid4()) for _ in range(30)]
    told: dict[str, str] = {}

    async def pay(key: str) -> None:
        for _ in range(200):
            with contextlib.suppress(httpx2.TransportError):
                answer = await process.ask(key)
                if answer.status_code == 201:
                    told[key] = answer.json()["id"]
                    return
                assert answer.status_code in {409, 503}, answer.text
            await asyncio.sleep(0.2)
        raise AssertionError("no answer")

    paying = asyncio.gather(*(pay(key) for key in keys))
    await until_paid(database, 10)
    await process.kill()
    assert len(told) < len(keys)
    await process.start()
    await paying

    assert len(told) == len(keys)
    assert paid(database) == sorted(told.values())
