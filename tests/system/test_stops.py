"""Told to stop in the middle of work, a service ends at once and in order: no time is lost and no work."""

import json
import random
import re
import secrets
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx2
import psycopg
import pytest

from benvung_local.client import Officer
from benvung_local.processes import Process, free_port
from benvung_local.servers import SERVICES
from households.domain import get_standard
from households.files import write_review_csv

from . import checks
from .clients import Trainer, Work
from .test_crashes import reviews
from .test_stopped_import import rows
from .world import COMMUNE, COMMUNES, DISTRICT, World, eventually, say

CLIENTS = 6
DECISIONS = 240
HOUSEHOLDS = 40
CLASSES = 10
SHARE = 30  # decisions while one part is stopped
# What people and containers wait for; ordinarily all of it takes a fraction of a second.
STOP_SECONDS = 2.0
BOUND_SECONDS = 10.0
TAKEOVER_SECONDS = 3.0
IMPORTED, IMPORTED_ON, CHUNK = "23839", "2024-01-20", 2_000
NATS_LAME_DUCK = signal.SIGUSR2
POSTGRES_FAST = signal.SIGINT


@pytest.fixture
def clients(world: World) -> Iterator[list[Officer]]:
    """Several signed-in clients with connections of their own."""
    officers = [Officer(world.where, "huyen-kong-chro") for _ in range(CLIENTS)]
    yield officers
    for officer in officers:
        officer.close()


def stop(world: World, name: str, *signals: signal.Signals, within: float = STOP_SECONDS) -> None:
    """Tell a service to stop, once or more. It ends by itself, with 0."""
    process = world.stack.processes[name]
    began = time.monotonic()
    for each in signals or (signal.SIGTERM,):
        process.send(each)
    ended(process, began, within)


def ended(process: Process, began: float, within: float = STOP_SECONDS) -> None:
    eventually(lambda: not process.running, 15)
    took = time.monotonic() - began
    say(f"{process.name} ended {took:.2f} s after it was told to")
    assert process.exit_code == 0, process.tail()
    assert took < within
    assert "Traceback" not in process.tail(40)


@contextmanager
def second(world: World, name: str) -> Iterator[tuple[str, Process]]:
    """Another process of a service, standing by: its address, and itself."""
    first = world.stack.processes[name]
    port = free_port()
    command = [*first.command[:-1], "worker", f"--port={port}"]
    process = Process(f"second {name}", command, world.stack.logs / f"second-{name}.log", first.env)
    process.start()
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(partial(is_ready, url))
        assert set(states(url).values()) == {0.0}
        yield url, process
    finally:
        process.stop()


def is_ready(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/health/ready", trust_env=False).is_success
    except httpx2.TransportError:
        return False


def states(url: str) -> dict[str, float]:
    """Of each relay and projector of a process, whether it does the work."""
    text = httpx2.get(f"{url}/metrics", trust_env=False).text
    found = re.findall(r'^runner_working\{runner="((?:relay|projector) [^"]+)"\} (\S+)$', text, re.MULTILINE)
    return {name: float(value) for name, value in found}


def poor(world: World) -> list[Any]:
    listed = world.households(DISTRICT, **{"class": "POOR"})
    return [each for each in listed if each["commune"] in COMMUNES]


# Requests.


@pytest.mark.parametrize("signals", [(signal.SIGTERM,), (signal.SIGTERM,) * 2, (signal.SIGINT,) * 2])
def test_every_request_is_answered_or_has_done_nothing(
    world: World, clients: list[Officer], signals: tuple[signal.Signals, ...]
) -> None:
    households = poor(world)[:CLIENTS]
    review = world.open_review(COMMUNE)
    households = [each for each in households if each["commune"] == COMMUNE]
    after = world.stream_state("HOUSEHOLDS").last_seq
    run = secrets.token_hex(4)

    def decide(client: int) -> tuple[set[str], set[str]]:
        answered: set[str] = set()
        unanswered: set[str] = set()
        number = 0
        while not unanswered:
            number += 1
            mark = f"{run} {client} {number}"
            body = {
                "household_id": households[client]["id"],
                "b1_points": 120,
                "b2_points": 50,
                "reviewer": mark,
            }
            try:
                answer = clients[client].ask(
                    "POST", "households", f"/v1/reviews/{review}/results", json=body | {"members": 4}
                )
                assert answer.status_code == 201, answer.text
                answered.add(mark)
            except httpx2.TransportError:
                unanswered.add(mark)
        return answered, unanswered

    try:
        with ThreadPoolExecutor(CLIENTS) as pool:
            working = [pool.submit(decide, client) for client in range(len(households))]
            time.sleep(0.7)
            stop(world, "households", *signals)
            outcomes = [each.result(10) for each in working]
    finally:
        world.stack.start("households")

    answered = set().union(*(each[0] for each in outcomes))
    recorded = {
        each["reviewer"]
        for household in households
        for each in world.officer().get("households", f"/v1/households/{household['id']}/decisions")[
            "decisions"
        ]
        if (each["reviewer"] or "").startswith(run)
    }
    say(f"{len(answered)} answered, {sum(len(each[1]) for each in outcomes)} found nobody")
    assert len(answered) > CLIENTS
    assert recorded == answered
    world.settle()
    told = [json.loads(stored.payload) for stored in world.stream("HOUSEHOLDS", after)]
    told = [each["data"]["decision"]["decision_id"] for each in told if "decision" in each["data"]]
    assert len(set(told)) == len(told) == len(answered)


def test_a_request_that_waits_when_the_word_comes_is_answered_and_no_other_is_taken(world: World) -> None:
    household = next(each for each in poor(world) if each["commune"] == COMMUNE)
    path = f"/v1/reviews/{world.open_review(COMMUNE)}/results"
    body = {"household_id": household["id"], "members": 4, "b1_points": 120, "b2_points": 50}
    process = world.stack.processes["households"]
    try:
        with psycopg.connect(world.stack.database_url("households")) as conn, ThreadPoolExecutor(1) as pool:
            conn.execute("select from households where id = %s for update", (household["id"],))
            asked = pool.submit(world.officer().ask, "POST", "households", path, json=body)
            eventually(lambda: waits_for_a_lock(world))
            began = time.monotonic()
            process.send(signal.SIGTERM)
            eventually(lambda: not listens(world, "households"))
            assert not asked.done()
            conn.rollback()
            assert asked.result(5).status_code == 201
        ended(process, began)
    finally:
        world.stack.start("households")


def waits_for_a_lock(world: World) -> bool:
    query = "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    return bool(world.rows("households", query))


def listens(world: World, service: str) -> bool:
    try:
        httpx2.get(f"{world.stack.url(service)}/health/live", trust_env=False)
    except httpx2.TransportError:
        # A connection that the listening socket had taken when it was closed is reset.
        return False
    return True


def test_open_pages_are_let_go_at_once(world: World) -> None:
    try:
        with (
            httpx2.Client(trust_env=False, timeout=20) as browser,
            browser.stream(
                "GET",
                f"{world.stack.url('reporting')}/live",
                headers={"Authorization": f"Bearer {world.officer().token}"},
            ) as page,
        ):
            lines = page.iter_lines()
            assert next(lines) == "event: ping"
            stop(world, "reporting")
            # The end of the stream, not a broken connection.
            assert [line for line in lines if line.startswith("data: c")] == []
    finally:
        world.stack.start("reporting")


# Work in the background.


@pytest.mark.parametrize(("server", "part"), [("nats", "relay FUNDING"), ("postgres", "database")])
def test_who_waits_for_a_server_ends_at_once(world: World, server: str, part: str) -> None:
    world.stack.kill(server)
    try:
        eventually(lambda: waiting(world, "funding", part))
        stop(world, "funding")
    finally:
        world.stack.start(server)
        world.stack.start("funding")
    world.wait_ready()


def test_the_chunk_under_way_of_an_import_is_not_done_again(world: World) -> None:
    officer = world.officer()
    review = world.open_review(IMPORTED, on=IMPORTED_ON)
    file = world.folder / "stopped.csv"
    write_review_csv(file, rows(world, IMPORTED), get_standard("STD_2022_2025"))
    given = officer.upload(f"/v1/reviews/{review}/imports", file)
    path = f"/v1/imports/{given['import_id']}"
    try:
        eventually(lambda: applied(world, given["import_id"]) == CHUNK)
        time.sleep(0.1)  # the second chunk has begun
        stop(world, "households", within=BOUND_SECONDS)
        assert applied(world, given["import_id"]) == 2 * CHUNK
    finally:
        world.stack.start("households")
    done = eventually(lambda: (found := officer.get("households", path))["state"] == "DONE" and found, 60)
    assert done["applied"] == done["total"]
    world.settle()
    assert world.compared().equal


def applied(world: World, import_id: str) -> int:
    [(number,)] = world.rows("households", "select applied from imports where id = %s", import_id)
    return int(number)


@pytest.mark.parametrize("service", ["households", "funding"])
def test_who_stands_by_takes_over_at_once(world: World, clients: list[Officer], service: str) -> None:
    work = Work(secrets.randbelow(10**9), poor(world)[:HOUSEHOLDS], reviews(world))
    trainer = Trainer(world.officer("tap-huan"), work.seed)
    world.settle()
    before = checks.reach(world)
    took: list[float] = []

    with second(world, service) as (url, process):

        def strike() -> None:
            work.wait_for(DECISIONS // 4)
            began = time.monotonic()
            world.stack.processes[service].send(signal.SIGTERM)
            eventually(lambda: set(states(url).values()) == {1.0})
            took.append(time.monotonic() - began)
            ended(world.stack.processes[service], began)
            world.stack.start(service)

        work.run(clients, DECISIONS, strike)
        began = time.monotonic()
        process.send(signal.SIGTERM)
        ended(process, began)
        eventually(lambda: set(states(world.stack.url(service)).values()) == {1.0})
    world.settle()

    say(f"the second {service} worked {took[0]:.2f} s after the first was told to stop")
    assert took[0] < TAKEOVER_SECONDS
    assert checks.everything(world, work, trainer, before) == []


def test_everything_is_stopped_in_turn_while_everybody_works(world: World, clients: list[Officer]) -> None:
    seed = secrets.randbelow(10**9)
    chosen = random.Random(seed).sample(poor(world), HOUSEHOLDS)
    parts = [partial(restart, world, service) for service in SERVICES]
    parts += [partial(restart_nats, world), partial(restart_postgres, world)]
    allowed = 0
    work = Work(seed, chosen, reviews(world), may_send=lambda: work.sent < allowed)
    trainer = Trainer(world.officer("tap-huan"), seed)
    world.settle()
    before = checks.reach(world)

    def strike() -> None:
        nonlocal allowed
        training = trainer.start(CLASSES)
        for part in parts:
            done, allowed = allowed, allowed + SHARE
            work.wait_for(done + SHARE // 4)
            part()
        training.join()

    work.run(clients, SHARE * len(parts), strike)
    world.settle()

    say(f"TEST_SEED={seed}: {work.unknown} times the answer was not known")
    assert world.stack.ended() == []
    assert checks.everything(world, work, trainer, before) == []


def restart(world: World, service: str) -> None:
    stop(world, service)
    world.stack.start(service)


def restart_nats(world: World) -> None:
    """As an operator who takes a NATS server out of service: it sends its clients away first."""
    process = world.stack.nats.process
    process.send(NATS_LAME_DUCK)
    eventually(lambda: waiting(world, "funding", "relay FUNDING"))
    process.stop()
    world.stack.start("nats")
    world.wait_ready()


def restart_postgres(world: World) -> None:
    """A fast shutdown: sessions are ended, what is committed stays."""
    process = world.stack.postgres.process
    assert process is not None
    process.send(POSTGRES_FAST)
    eventually(lambda: not process.running)
    assert process.exit_code == 0
    eventually(lambda: waiting(world, "funding", "database"))
    world.stack.start("postgres")
    world.wait_ready()


def waiting(world: World, service: str, what: str) -> bool:
    """Whether a service says that it is not ready, and names this."""
    answer = httpx2.get(f"{world.stack.url(service)}/health/ready", trust_env=False, timeout=10)
    return answer.status_code == 503 and what in {each["field"] for each in answer.json()["errors"]}
