"""The servers under everything: they start, crash, come back, end with us, and keep databases apart."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from benvung.bus import Bus, Doubt, Outgoing
from benvung.settings import ServiceSettings
from benvung.testing import NatsServer
from benvung_local.processes import DidNotStart, Process
from benvung_local.servers import DATABASES_SQL, SERVICES, PostgresServer


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


async def test_a_killed_server_comes_back_at_its_address_with_what_it_confirmed(
    nats_server: NatsServer,
) -> None:
    before = await _connect(nats_server)
    await before.ensure_stream("FUNDING")
    assert await before.publish("FUNDING", Outgoing("funding.thing.told.v1._._", "id", b"{}"), 0) == 1
    nats_server.kill()
    nats_server.start()
    after = await _connect(nats_server)
    assert (await after.stream_state("FUNDING")).messages == 1
    await before.close()
    await after.close()


async def test_several_requests_on_one_connection_get_each_its_own_answer(nats_server: NatsServer) -> None:
    bus = await _connect(nats_server)
    await bus.ensure_stream("FUNDING")
    async with asyncio.timeout(4):
        asked = [bus.ping(), bus.stream_state("FUNDING"), *(bus.ping() for _ in range(8))]
        answers = await asyncio.gather(*asked)
    assert answers[1] == await bus.stream_state("FUNDING")
    assert bus._answers == {}
    await bus.close()


async def test_a_request_that_nobody_answers_says_so_at_once(nats_server: NatsServer) -> None:
    if nats_server.shared_account:
        pytest.skip("in one account somebody always answers")
    bus = await _connect(nats_server)
    async with asyncio.timeout(2):
        with pytest.raises(Doubt, match=r"TRAINING.*: nobody answers"):
            await bus.stream_state("TRAINING")
    await bus.close()


async def _connect(server: NatsServer) -> Bus:
    user, password = server.user("funding")
    settings = ServiceSettings(
        database_url=SecretStr("postgresql://"),
        nats_url=server.url,
        nats_user=user,
        nats_password=SecretStr(password),
        nats_shared_account=server.shared_account,
    )
    return await Bus.connect(settings, "funding", "test")
