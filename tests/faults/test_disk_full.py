"""A disk is full: what cannot be written is refused clearly, and nothing that was acknowledged is lost."""

import contextlib
import time
from functools import partial

import psycopg
from tests.faults.conftest import OnDisks
from tests.faults.on_disks import work_through
from tests.faults.site import Site
from tests.system.clients import Work
from tests.system.world import eventually, say

from benvung_local.servers import SERVICES

DECISIONS = 60
SAID_SECONDS = 40.0


def test_with_natss_disk_full_decisions_go_on_and_their_events_wait(on_disks: OnDisks) -> None:
    running = on_disks.site

    def fill(work: Work) -> None:
        work.wait_for(DECISIONS // 3)
        filler = on_disks.disks["nats"].fill()
        # PostgreSQL keeps them, so that every decision is acknowledged all the same.
        work.wait_for(DECISIONS)
        eventually(partial(says, running, "households", "NATS"), SAID_SECONDS)
        filler.unlink()
        eventually(
            lambda: nothing_waits(running) or says(running, "households", "khởi động lại NATS"), SAID_SECONDS
        )
        healed = nothing_waits(running)
        say(f"with room on the disk again NATS {'stores' if healed else 'must be started again'}")
        if not healed:
            running.stack.nats.stop()
            running.start("nats")

    assert work_through(running, 3, DECISIONS, fill).unknown == 0


def test_with_postgresqls_disk_full_writes_are_refused_until_there_is_room(on_disks: OnDisks) -> None:
    running = on_disks.site

    def fill(work: Work) -> None:
        work.wait_for(DECISIONS // 3)
        filler = on_disks.disks["postgres"].fill()
        use_up_the_log(running)
        # Officers go on only after a refusal in words: any other answer than 503 ends their work.
        eventually(lambda: work.unknown, SAID_SECONDS)
        eventually(partial(says, running, "households", "database"), SAID_SECONDS)
        filler.unlink()
        started = keep_running(running)
        say(f"with room on the disk again PostgreSQL {'was started again' if started else 'went on'}")

    work_through(running, 4, DECISIONS, fill)


def use_up_the_log(running: Site) -> None:
    """Make PostgreSQL need new files for its log, for which there is no room."""
    with contextlib.suppress(psycopg.Error), psycopg.connect(running.stack.postgres.url()) as conn:
        for _ in range(8):
            conn.execute("select pg_switch_wal()")
            conn.execute("create table filler as select generate_series(1, 1000)")
            conn.execute("drop table filler")


def keep_running(running: Site, seconds: float = 5.0) -> bool:
    """Start PostgreSQL when it ends, as whatever supervises it would; whether that was needed."""
    started = False
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not running.process("postgres").running:
            running.start("postgres")
            started = True
        time.sleep(0.1)
    return started


def says(running: Site, service: str, words: str) -> bool:
    """Whether a service says in these words that it is not ready."""
    return words in running.lacks(service)


def nothing_waits(running: Site) -> bool:
    """Whether no event waits to be sent."""
    return all(running.world.rows(name, "select count(*) from outbox") == [(0,)] for name in SERVICES)
