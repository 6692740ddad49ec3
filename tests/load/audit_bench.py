"""What the audit costs: the same requests with it and without it, in turns, in one run on one database.

    uv run python -m tests.load.audit_bench        alone, some three minutes
    measure(stack)                                 as a part of the benchmark

The rival is the same service with the audit's one function doing nothing; no service can be told to run like
that. Both answer from processes of their own, beside one worker that relays events and seals. Before each
turn everything sent and sealed before is waited for, so that no turn pays for the one before it.
"""

import asyncio
import dataclasses
import datetime as dt
import json
import os
import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import typer

from benvung.audit.chain import Keys
from benvung.audit.check import check
from benvung_local import reclassify
from benvung_local.client import Officer, Unexpected, until
from benvung_local.demo import addresses
from benvung_local.processes import LOOPBACK, Process, free_port
from benvung_local.stack import Ports, Stack

ROOT = Path(__file__).resolve().parents[2]
COMMUNE, OFFICER = "23827", "huyen-kong-chro"
HOUSEHOLDS, CLIENTS = 400, 8
TURNS, SECONDS = 7, 5.0
BACKLOG = 100_000
WITH, WITHOUT = "with", "without"
OTHERS = ("funding", "training", "reporting")


@dataclass(frozen=True, slots=True)
class Turn:
    """Requests per second, and milliseconds of processor time for each, by everything that worked on it."""

    rate: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class Compared:
    """The turns with the audit and those without, as they followed each other."""

    mine: tuple[Turn, ...]
    rival: tuple[Turn, ...]

    @property
    def cost(self) -> float:
        """The share of the rate that the audit costs: the median of the turns, each against its neighbour."""
        pairs = zip(self.mine, self.rival, strict=True)
        return 1 - statistics.median(mine.rate / rival.rate for mine, rival in pairs)

    @property
    def cpu_cost(self) -> float:
        """The same of processor time, which other work on the machine disturbs less. Sealing is in it."""
        pairs = zip(self.mine, self.rival, strict=True)
        return 1 - statistics.median(rival.cpu_ms / mine.cpu_ms for mine, rival in pairs)

    def __str__(self) -> str:
        rates, times = (
            [statistics.median(getattr(turn, name) for turn in turns) for turns in (self.mine, self.rival)]
            for name in ("rate", "cpu_ms")
        )
        return (
            f"{rates[0]:.0f} and {rates[1]:.0f} a second: {self.cost:.1%};"
            f" {times[0]:.2f} and {times[1]:.2f} ms of processor time: {self.cpu_cost:.1%}"
        )


@dataclass(frozen=True, slots=True)
class Measured:
    """What the audit costs, and how fast it is sealed and checked, in rows per second."""

    decisions: Compared
    reads: Compared
    sealed_per_second: float
    checked_per_second: float


def measure(stack: Stack, say: Callable[[str], None] = lambda _: None) -> Measured:
    """Measure on a running stack. The other services rest meanwhile."""
    for name in (*OTHERS, "households"):
        stack.kill(name)
    try:
        with _running(stack) as running:
            households, review = _prepare(stack, running.ports[WITH])
            work = _Work(stack, stack.token(OFFICER), running, households, review)
            say("quyết định …")
            decisions = work.compare(work.decide)
            say("đọc một hộ …")
            reads = work.compare(work.read)
            say("niêm phong và kiểm tra …")
            sealed = _sealed_per_second(stack)
        return Measured(decisions, reads, sealed, _checked_per_second(stack))
    finally:
        for name in ("households", *OTHERS):
            stack.start(name)


@dataclass(frozen=True, slots=True)
class _Running:
    """A worker, and the service answering with and without the audit."""

    ports: dict[str, int]
    processes: list[Process]
    servers: list[Process]

    def cpu_seconds(self) -> float:
        """What they and the servers have used of the processors so far, the servers' children included."""
        roots = {process.pid for process in (*self.processes, *self.servers)}
        ticks = 0
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                pid, parent, own, children = _stat(path.read_text())
                ticks += own + children if pid in roots else own if parent in roots else 0
        return ticks / os.sysconf("SC_CLK_TCK")


def _stat(text: str) -> tuple[int, int, int, int]:
    """Id, parent, own ticks and those of ended children, from a line of /proc/<id>/stat."""
    pid, _, rest = text.partition(" (")
    fields = rest.rpartition(") ")[2].split()
    user, system, children_user, children_system = map(int, fields[11:15])
    return int(pid), int(fields[1]), user + system, children_user + children_system


@contextmanager
def _running(stack: Stack) -> Iterator[_Running]:
    environment = dict(stack.processes["households"].env)
    ports = {kind: free_port() for kind in (WITH, WITHOUT)}
    commands = {kind: [sys.executable, "-m", "tests.load.audit_bench", kind] for kind in (WITH, WITHOUT)} | {
        "worker": [sys.executable, "-m", "households", "worker", f"--port={free_port()}"]
    }
    processes = [
        Process(
            f"audit-{kind}",
            command,
            stack.logs / f"audit-{kind}.log",
            environment | ({"PORT": str(ports[kind])} if kind in ports else {}),
            folder=ROOT,
        )
        for kind, command in commands.items()
    ]
    servers = [each for each in (stack.postgres.process, stack.nats.process) if each]
    try:
        for process in processes:
            process.start()
        for kind, process in zip(ports, processes, strict=False):
            process.wait_until(partial(_listens, ports[kind]), 60)
        yield _Running(ports, processes, servers)
    finally:
        for process in processes:
            process.stop()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


def _prepare(stack: Stack, port: int) -> tuple[list[Any], str]:
    """Households of one commune to decide on, and a review to do it in."""
    where = dataclasses.replace(addresses(stack), households=f"http://{LOOPBACK}:{port}")
    officer = Officer(where, OFFICER)
    path = f"/v1/communes/{COMMUNE}/villages"
    village = f"{COMMUNE}.01"
    if not officer.get("households", path)["villages"]:
        given = {"json": {"villages": [{"name": "Làng Một"}]}, "headers": {"If-Match": "*"}}
        officer.ask("PUT", "households", path, **given).raise_for_status()
    households = [
        officer.send(
            "POST",
            "households",
            "/v1/households",
            {"commune": COMMUNE, "village": village, "head_name": f"Đinh Văn Thử {number}", "members": 4},
        )
        for number in range(HOUSEHOLDS)
    ]
    return households, reclassify.review_of(officer, COMMUNE)


@dataclass(slots=True)
class _Work:
    stack: Stack
    token: str
    running: _Running
    households: Sequence[Any]
    review: str

    def compare(self, ask: "Callable[[_Line, Any, int], Any]") -> Compared:
        """Both kinds in turns; which of them is first changes from turn to turn."""
        turns: dict[str, list[Turn]] = {WITH: [], WITHOUT: []}
        for turn in range(-1, TURNS):
            for kind in (WITH, WITHOUT) if turn % 2 else (WITHOUT, WITH):
                measured = self._measure(self.running.ports[kind], ask)
                if turn >= 0:  # the first warms up
                    turns[kind].append(measured)
        return Compared(tuple(turns[WITH]), tuple(turns[WITHOUT]))

    def _measure(self, port: int, ask: "Callable[[_Line, Any, int], Any]") -> Turn:
        with psycopg.connect(self.stack.postgres.url("households"), autocommit=True) as conn:
            self._settle(conn)
            conn.execute("checkpoint")
            before = self.running.cpu_seconds()
            done, seconds = asyncio.run(self._turn(port, ask))
            self._settle(conn)
            return Turn(done / seconds, (self.running.cpu_seconds() - before) / done * 1000)

    @staticmethod
    def _settle(conn: "psycopg.Connection[Any]") -> None:
        """Wait until everything written is told and sealed."""
        query = "select not exists (select from outbox) and not exists (select from audit_pending)"
        until(60, lambda: (conn.execute(query).fetchone() or (False,))[0])

    async def _turn(self, port: int, ask: "Callable[[_Line, Any, int], Any]") -> tuple[int, float]:
        started = time.monotonic()
        end = started + SECONDS

        async def client(part: Sequence[Any]) -> int:
            line = await _Line.open(port, self.token)
            done = 0
            while time.monotonic() < end:
                await ask(line, part[done % len(part)], done // len(part))
                done += 1
            line.close()
            return done

        counts = await asyncio.gather(*(client(self.households[at::CLIENTS]) for at in range(CLIENTS)))
        return sum(counts), time.monotonic() - started

    async def decide(self, line: "_Line", household: Any, round_: int) -> None:
        """One decision; each household is taken off the list and put back."""
        points = reclassify.BELOW if round_ % 2 else reclassify.ABOVE
        body = {"household_id": household["id"], "members": 4, **points}
        await line.ask("POST", f"/v1/reviews/{self.review}/results", body)

    async def read(self, line: "_Line", household: Any, _round: int) -> None:
        """One household with its head's name."""
        await line.ask("GET", f"/v1/households/{household['id']}", None)


@dataclass(frozen=True, slots=True)
class _Line:
    """One connection kept open. A full client would take a fifth of a core away from what is measured."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: str

    @classmethod
    async def open(cls, port: int, token: str) -> "_Line":
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        return cls(reader, writer, f"Host: {LOOPBACK}:{port}\r\nAuthorization: Bearer {token}\r\n")

    async def ask(self, method: str, path: str, body: dict[str, Any] | None) -> None:
        """One request; the answer must be a 2xx."""
        content = b"" if body is None else json.dumps(body).encode()
        kind = "" if body is None else f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        self.writer.write(f"{method} {path} HTTP/1.1\r\n{self.head}{kind}\r\n".encode() + content)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        answer = await self.reader.readexactly(length)
        if not head.startswith("http/1.1 2"):
            raise Unexpected(f"{method} {path}: {answer.decode()[:500]}")

    def close(self) -> None:
        """Hang up."""
        self.writer.close()


def _sealed_per_second(stack: Stack) -> float:
    """How fast the worker seals a backlog, such as a night without a worker leaves behind."""
    with psycopg.connect(stack.postgres.url("households"), autocommit=True) as conn:
        conn.execute(
            "insert into audit (principal, action, entity, entity_id, request_id, detail)"
            " select 'bench', 'household.read', 'household', gen_random_uuid()::text, n::text, '{\"n\": 1}'"
            " from generate_series(1, %s) n",
            (BACKLOG,),
        )
        before = _waiting(conn)
        started = time.monotonic()
        until(300, lambda: not _waiting(conn), 0.05)
        return before / (time.monotonic() - started)


def _waiting(conn: "psycopg.Connection[Any]") -> int:
    row = conn.execute("select count(*) from audit_pending").fetchone()
    return int(row[0]) if row else 0


def _checked_per_second(stack: Stack) -> float:
    """How fast the command walks the chain."""
    with psycopg.connect(stack.postgres.url("households"), autocommit=True) as conn:
        started = time.monotonic()
        report = check(conn, Keys(), (), lambda _done, _total: None)
        if report.findings:
            raise Unexpected(f"the audit does not hold: {report.findings}")
        return report.checked / (time.monotonic() - started)


def _answer(kind: str) -> None:
    """Be the service that answers, with the audit or, for the rival, without."""
    from benvung import audit
    from households.main import cli

    if kind == WITHOUT:

        async def nothing(*_args: Any, **_more: Any) -> None:
            """The rival keeps no record."""

        audit.record = audit.record_each = nothing
    cli(["api"])


def _alone() -> None:
    stack = Stack(ports=Ports.free(), business_date=dt.date(2024, 1, 24))
    try:
        stack.start()
        measured = measure(stack, typer.echo)
    finally:
        stack.stop()
    typer.echo(f"decisions with and without the audit: {measured.decisions}")
    typer.echo(f"reads of one household with and without: {measured.reads}")
    typer.echo(f"sealed: {measured.sealed_per_second:.0f} rows a second")
    typer.echo(f"checked: {measured.checked_per_second:.0f} rows a second")


if __name__ == "__main__":
    _answer(sys.argv[1]) if len(sys.argv) > 1 else _alone()
