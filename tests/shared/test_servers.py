"""The servers under everything: they start, crash, come back, end with us, and keep services apart."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import nats.errors
import psycopg
import pytest
import pytest_asyncio
from nats.aio.client import Client

from benvung.testing import NatsServer
from benvung_local.processes import DidNotStart, Process
from benvung_local.servers import DATABASES_SQL, SERVICES, PostgresServer

READERS = {
    "HOUSEHOLDS": ("funding", "reporting"),
    "FUNDING": ("reporting",),
    "TRAINING": ("reporting",),
    "REPORTING": (),
}


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    server = PostgresServer(durable=False)
    server.start()
    server.run_sql(DATABASES_SQL, {f"{name.upper()}_DB_PASSWORD": f"of-{name}" for name in SERVICES})
    yield server
    server.stop()


def test_postgres_is_ready_in_a_moment_and_leaves_nothing_behind() -> None:
    began = time.monotonic()
    server = PostgresServer(durable=False)
    server.start()
    took = time.monotonic() - began
    with psycopg.connect(server.url()) as conn:
        row = conn.execute("select lower('ĐĂK PƠ PHO'), current_setting('server_version_num')").fetchone()
    server.stop()
    assert row is not None
    assert (row[0], int(row[1]) // 10_000) == ("đăk pơ pho", 18)
    assert took < 10, took
    assert not server.folder.exists()


def test_postgres_asks_for_its_password(postgres: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.url(password="guess"))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_reaches_its_own_database_only(postgres: PostgresServer, service: str) -> None:
    secret = f"of-{service}"
    with psycopg.connect(postgres.url(service, service, secret)) as conn:
        conn.execute("create table of_its_own (n int)")
        role = conn.execute(
            "select rolsuper, rolcreatedb, rolcreaterole from pg_roles where rolname = current_user"
        ).fetchone()
    assert role == (False, False, False)
    for other in (*SERVICES, "postgres", "template1"):
        if other != service:
            with pytest.raises(psycopg.OperationalError, match="CONNECT"):
                psycopg.connect(postgres.url(other, service, secret))


def test_postgres_recovers_from_a_crash_with_what_was_committed(tmp_path: Path) -> None:
    server = PostgresServer(port=None)
    server.start()
    with psycopg.connect(server.url()) as conn:
        conn.execute("create table kept (n int)")
        conn.execute("insert into kept values (7)")
    server.kill()
    server.start()
    with psycopg.connect(server.url()) as conn:
        assert conn.execute("select n from kept").fetchall() == [(7,)]
    server.stop()


def test_a_program_that_ends_at_once_is_reported_with_its_log(tmp_path: Path) -> None:
    process = Process("thing", [sys.executable, "-c", "raise SystemExit('out of order')"], tmp_path / "log")
    process.start()
    with pytest.raises(DidNotStart, match="out of order"):
        process.wait_until(lambda: False, timeout=10)


def test_servers_end_when_the_process_that_started_them_is_killed() -> None:
    script = (
        "import time\n"
        "from benvung_local.servers import NatsServer, PostgresServer\n"
        "servers = PostgresServer(durable=False), NatsServer()\n"
        "for each in servers: each.start()\n"
        "print(*(each.process.pid for each in servers), flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + 10
    while any(_alive(pid) for pid in pids):
        assert time.monotonic() < end, pids
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


# Each service as its own user of NATS.


class Talker:
    """One service's connection, and what the server refused it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.client = Client()
        self.refused: list[str] = []

    async def open(self, server: NatsServer) -> None:
        user, password = server.user(self.name)

        async def note(error: Exception) -> None:
            self.refused.append(str(error).lower())

        await self.client.connect(
            server.url,
            user=user,
            password=password,
            allow_reconnect=False,
            error_cb=note,
            inbox_prefix=f"_INBOX.{self.name}",
        )

    async def ask(self, subject: str, body: object = None) -> dict[str, Any]:
        payload = b"" if body is None else json.dumps(body).encode()
        return dict(json.loads((await self.client.request(subject, payload, timeout=5)).data))

    async def may_not_publish(self, subject: str, body: object = None) -> None:
        self.refused.clear()
        payload = b"" if body is None else json.dumps(body).encode()
        await self.client.publish(subject, payload, reply=f"_INBOX.{self.name}.answer")
        await self._is_refused("permissions violation for publish", subject)

    async def may_not_subscribe(self, subject: str) -> None:
        self.refused.clear()
        await self.client.subscribe(subject)
        await self._is_refused("permissions violation for subscription", subject)

    async def _is_refused(self, words: str, subject: str) -> None:
        end = time.monotonic() + 2
        await self.client.flush()
        while not any(words in each for each in self.refused):
            assert time.monotonic() < end, subject
            await asyncio.sleep(0.001)


@pytest_asyncio.fixture(loop_scope="session")
async def talkers(nats_server: NatsServer) -> AsyncIterator[dict[str, Talker]]:
    """All four services, each owning its stream with one event in it and durables for its readers."""
    if nats_server.user("funding")[0] != "funding":
        pytest.skip("a given server has users of its own")
    talkers = {name: Talker(name) for name in SERVICES}
    for name, talker in talkers.items():
        await talker.open(nats_server)
        stream = name.upper()
        config = {"name": stream, "subjects": [f"{name}.>"], "storage": "file", "allow_direct": True}
        assert "error" not in await talker.ask(f"$JS.API.STREAM.CREATE.{stream}", config)
        for reader in READERS[stream]:
            body = {
                "stream_name": stream,
                "config": {"durable_name": reader, "ack_policy": "all", "deliver_policy": "all"},
            }
            answer = await talker.ask(f"$JS.API.CONSUMER.DURABLE.CREATE.{stream}.{reader}", body)
            assert "error" not in answer
        assert (await talker.ask(f"{name}.thing.happened.v1.64._", {"n": 1}))["seq"] == 1
    yield talkers
    for talker in talkers.values():
        await talker.client.close()


@pytest.mark.parametrize(("stream", "reader"), [(s, r) for s, readers in READERS.items() for r in readers])
async def test_a_reader_pulls_acknowledges_and_goes_back(
    talkers: dict[str, Talker], stream: str, reader: str
) -> None:
    talker = talkers[reader]
    assert (await talker.ask(f"$JS.API.STREAM.INFO.{stream}"))["state"]["last_seq"] == 1
    for _ in range(2):
        inbox = await talker.client.subscribe(f"_INBOX.{reader}.pull")
        await talker.client.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{reader}", b'{"batch":1}', reply=f"_INBOX.{reader}.pull"
        )
        message = await inbox.next_msg(timeout=5)
        await inbox.unsubscribe()
        assert json.loads(message.data) == {"n": 1}
        await talker.client.request(message.reply, b"", timeout=5)
        info = await talker.ask(f"$JS.API.CONSUMER.INFO.{stream}.{reader}")
        assert info["ack_floor"]["stream_seq"] == 1
        assert "error" not in await talker.ask(f"$JS.API.CONSUMER.RESET.{stream}.{reader}", {"seq": 1})
    assert talker.refused == []


@pytest.mark.parametrize("name", SERVICES)
async def test_an_owner_reads_its_own_stream_directly(talkers: dict[str, Talker], name: str) -> None:
    answer = await talkers[name].client.request(f"$JS.API.DIRECT.GET.{name.upper()}", b'{"seq":1}', timeout=5)
    assert json.loads(answer.data) == {"n": 1}


@pytest.mark.parametrize("name", SERVICES)
async def test_nobody_speaks_for_or_looks_into_another_service(talkers: dict[str, Talker], name: str) -> None:
    talker = talkers[name]
    for other in SERVICES:
        if other == name:
            continue
        stream = other.upper()
        await talker.may_not_subscribe(f"{other}.>")
        await talker.may_not_subscribe(f"_INBOX.{other}.>")
        await talker.may_not_publish(f"{other}.thing.happened.v1.64._", {"n": 2})
        await talker.may_not_publish(f"restricted.{other}.thing.happened.v1.64._", {"n": 2})
        for held in (stream, f"{stream}_RESTRICTED"):
            spy = {"stream_name": held, "config": {"name": "spy", "ack_policy": "none"}}
            await talker.may_not_publish(f"$JS.API.CONSUMER.CREATE.{held}", spy)
            await talker.may_not_publish(f"$JS.API.CONSUMER.CREATE.{held}.spy", spy)
            await talker.may_not_publish(f"$JS.API.CONSUMER.DURABLE.CREATE.{held}.spy", spy)
            await talker.may_not_publish(f"$JS.API.DIRECT.GET.{held}", {"seq": 1})
            await talker.may_not_publish(f"$JS.API.DIRECT.GET.{held}.{other}.thing.happened.v1.64._")
            await talker.may_not_publish(f"$JS.API.STREAM.MSG.GET.{held}", {"seq": 1})
            for verb in ("CREATE", "UPDATE", "DELETE", "PURGE", "SNAPSHOT"):
                await talker.may_not_publish(f"$JS.API.STREAM.{verb}.{held}", {"name": held})
        for reader in SERVICES:
            if reader != name:
                await talker.may_not_publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{reader}")
                await talker.may_not_publish(f"$JS.API.CONSUMER.RESET.{stream}.{reader}", {"seq": 1})
                await talker.may_not_publish(f"$JS.ACK.{stream}.{reader}.1.1.1.1.0")


@pytest.mark.parametrize("name", SERVICES)
async def test_nobody_listens_to_everything_or_deletes_a_stream(
    talkers: dict[str, Talker], name: str
) -> None:
    talker = talkers[name]
    for subject in (">", "$JS.>", "$SYS.>", "_INBOX.>", f"{name}.>"):
        await talker.may_not_subscribe(subject)
    for verb in ("DELETE", "PURGE", "MSG.DELETE"):
        await talker.may_not_publish(f"$JS.API.STREAM.{verb}.{name.upper()}")


async def test_a_wrong_or_empty_password_is_refused(nats_server: NatsServer) -> None:
    for password in ("guess", ""):
        client = Client()

        async def quiet(_: Exception) -> None: ...

        with pytest.raises(nats.errors.Error, match=r"(?i)authorization"):
            await client.connect(
                nats_server.url,
                user="funding",
                password=password,
                allow_reconnect=False,
                connect_timeout=2,
                error_cb=quiet,
            )
        await client.close()


async def test_a_killed_server_comes_back_at_its_address_with_what_it_confirmed(
    nats_server: NatsServer, talkers: dict[str, Talker]
) -> None:
    nats_server.kill()
    nats_server.start()
    again = Talker("funding")
    await again.open(nats_server)
    assert (await again.ask("$JS.API.STREAM.INFO.FUNDING"))["state"]["messages"] == 1
    await again.client.close()
