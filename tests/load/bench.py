"""How fast on this machine: everything on it, every figure beside its bound or its rival from the same run.

    make bench        all of it, some ten minutes
    uv run python -m tests.load.bench --only latency

Real processes, real servers with every write forced to disk. Latency runs from the client's 2xx to the
commit of the projection, whose time the database itself records.
"""

import asyncio
import datetime as dt
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table
from tests.load import audit_bench

from benvung import db
from benvung.bus import Bus, Outgoing
from benvung.settings import ServiceSettings
from benvung_local import district, reclassify
from benvung_local.client import Officer, Unexpected, until
from benvung_local.demo import addresses
from benvung_local.processes import LOOPBACK
from benvung_local.servers import SERVICES
from benvung_local.stack import Ports, Stack
from funding.consumers import PROJECTORS
from funding.settings import Settings
from households.domain import get_standard
from households.files import ReviewRow, write_review_csv

DAY = dt.date(2024, 1, 24)
STANDARD = "STD_2022_2025"
SMALL, LARGE = 1_000, 100_000
PER_SECOND, SECONDS, CLIENTS = 100, 30, 16
SHARES = (0.50, 0.95, 0.99)
RIVAL_EVENTS = 3_000
CHAIN = 20_000
console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure and what it is held against."""

    name: str
    value: str
    bound: str
    kept: bool


def bench(
    only: Annotated[str, typer.Option(help="one part; empty = all")] = "",
) -> None:
    """Measure and print; exit 1 when a bound is not kept."""
    figures: list[Figure] = []
    stack = Stack(ports=Ports.free(), business_date=DAY, postgres_settings={"track_commit_timestamp": "on"})
    with tempfile.TemporaryDirectory(prefix="benvung-bench-") as folder:
        try:
            stack.start(progress=lambda step: console.print(f"  {step} …"))
            for name, part in PARTS.items():
                if only in {"", name}:
                    console.print(f"  {name} …")
                    figures.extend(part(stack, Path(folder)))
        finally:
            stack.stop()
    _show(figures)
    if not all(figure.kept for figure in figures):
        raise typer.Exit(1)


def memory(stack: Stack, _folder: Path) -> Iterator[Figure]:
    """Resident memory of the four services at rest."""
    time.sleep(5)
    megabytes = sum(_resident(stack, name) for name in SERVICES) / 2**20
    yield Figure("bốn dịch vụ khi nghỉ", f"{megabytes:.0f} MB", "≤ 500 MB", megabytes <= 500)


def imports(stack: Stack, folder: Path) -> Iterator[Figure]:
    """From the first byte of the upload to visible eligibility and report, for a small and a large load."""
    officer = Officer(addresses(stack), "huyen-kong-chro")
    district.generate(folder, 2022)
    district.enter_villages(officer, folder)
    communes = district.communes_of(folder)
    small = _upload(stack, officer, folder, communes[:1], rows=SMALL, year="2023")
    yield Figure(f"{SMALL} hộ, từ tệp đến khi thấy", f"{small:.2f} s", "≤ 2 s", small <= 2)
    large = _upload(stack, officer, folder, communes[1:], rows=LARGE, year="2022")
    rate = LARGE / large
    yield Figure(f"{LARGE} dòng đến khi thấy", f"{rate:.0f} dòng/s", "≥ 1.500 dòng/s", rate >= 1500)


def _upload(
    stack: Stack, officer: Officer, folder: Path, communes: list[str], *, rows: int, year: str
) -> float:
    """Seconds until all rows are counted by funding and reporting alike."""
    files = [
        (commune, _file(folder, officer, commune, rows // len(communes) + (at < rows % len(communes)), year))
        for at, commune in enumerate(communes)
    ]
    reviews = [_review(officer, commune, year) for commune, _ in files]
    before = _counted(stack)[:2]
    started = time.monotonic()
    for review, (_, file) in zip(reviews, files, strict=True):
        officer.upload(f"/v1/reviews/{review}/imports", file)
    # Asking costs the database; a large load is asked about less often.
    until(600, lambda: _visible(stack, max(before) + rows), 0.02 if rows <= SMALL else 0.25)
    return time.monotonic() - started


def _review(officer: Officer, commune: str, year: str) -> str:
    return district.open_review(
        officer,
        {
            "commune": commune,
            "year": year,
            "kind": "ANNUAL",
            "stage": "OFFICIAL",
            "standard": STANDARD,
            "decided_on": f"{year}-12-12",
            "valid_from": f"{year}-12-12",
            "decision_number": f"{commune}/{year}",
        },
    )


COUNTED = {
    "funding": "select (select count(*) from household_states where poverty_class is not null),"
    " (select count(*) from eligibility where status = 'ELIGIBLE')",
    "reporting": "select (select count(*) from household_states where class is not null),"
    " (select count(*) from eligibility_states where status = 'ELIGIBLE')",
}


def _counted(stack: Stack) -> list[int]:
    """Households with a class in funding and in reporting, then entitlements in both."""
    found = []
    for service, query in COUNTED.items():
        with psycopg.connect(stack.database_url(service)) as conn:
            found.append(conn.execute(query).fetchone() or (0, 0))
    return [int(number) for pair in zip(*found, strict=True) for number in pair]


def _visible(stack: Stack, households: int) -> bool:
    funding, reporting, entitled, reported = _counted(stack)
    return min(funding, reporting) >= households and entitled == reported


def _file(folder: Path, officer: Officer, commune: str, rows: int, year: str) -> Path:
    villages = officer.get("households", f"/v1/communes/{commune}/villages")["villages"]
    path = folder / f"bench-{year}-{commune}.csv"
    points = ((120, 50), (130, 20), (200, 0))
    write_review_csv(
        path,
        (
            ReviewRow(
                number=number,
                village=villages[number % len(villages)]["name"],
                head_name=f"Đinh Văn Thử {year} {number}",
                code=f"{year[2:]}{number:06d}",
                members=4,
                b1_points=points[number % 3][0],
                b2_points=points[number % 3][1],
                reviewed_on=dt.date(int(year), 11, 1),
            )
            for number in range(1, rows + 1)
        ),
        get_standard(STANDARD),
    )
    return path


def latency(stack: Stack, folder: Path) -> Iterator[Figure]:
    """Reclassifications at a steady rate; the figures run from the 2xx to each projection's commit."""
    officer = Officer(addresses(stack), "huyen-kong-chro")
    if officer.get("households", "/v1/households/count")["households"] == 0:
        district.generate(folder, 2022)
        district.enter_villages(officer, folder)
        _upload(stack, officer, folder, district.communes_of(folder)[:1], rows=10_000, year="2022")
    poor = officer.pages("households", "/v1/households", **{"class": "POOR"})
    households = list(itertools.islice(poor, PER_SECOND * SECONDS))
    reviews = {each: reclassify.review_of(officer, each) for each in {h["commune"] for h in households}}
    answered = asyncio.run(_steadily(stack, officer.token, households, reviews))
    taken = [1000 * _quantile([seconds for _, _, seconds in answered.values()], share) for share in SHARES]
    yield Figure(f"trả lời một quyết định, p50/p95/p99, {PER_SECOND}/s", _marks(taken), "", kept=True)
    until(30, lambda: _followed(stack, answered, "funding", FOLLOWED["funding"])[1] == len(answered))
    for service, words, bounds in (
        ("funding", "quyết định → điều kiện vay", (10, 30, 80)),
        ("reporting", "quyết định → số hộ đủ điều kiện trong báo cáo", (20, 60, 150)),
    ):
        late = until(30, lambda s=service: _complete(stack, answered, s))
        marks = [1000 * _quantile(late, share) for share in SHARES]
        limit = "/".join(map(str, bounds))
        kept = all(mark <= bound for mark, bound in zip(marks, bounds, strict=True))
        yield Figure(f"{words}, p50/p95/p99, {PER_SECOND}/s", _marks(marks), f"≤ {limit} ms", kept)


def _marks(marks: list[float]) -> str:
    return " / ".join(f"{mark:.0f}" for mark in marks) + " ms"


Answered = dict[str, tuple[int, float, float]]


async def _steadily(stack: Stack, token: str, households: list[Any], reviews: dict[str, str]) -> Answered:
    """Decide on each household at its due moment: id → (sequence, moment of the 2xx, seconds since due)."""
    answered: Answered = {}
    idle: asyncio.Queue[Line] = asyncio.Queue()
    for _ in range(CLIENTS):
        idle.put_nowait(await Line.open(stack, token))

    async def decide(household: Any) -> None:
        due = time.time()
        body = {"household_id": household["id"], "members": household["members"], **reclassify.ABOVE}
        line = await idle.get()
        answer = await line.post(f"/v1/reviews/{reviews[household['commune']]}/results", body)
        answered[household["id"]] = (answer["sequence"], time.time(), time.time() - due)
        idle.put_nowait(line)

    started = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number, household in enumerate(households):
            await asyncio.sleep(max(0.0, started + number / PER_SECOND - time.monotonic()))
            group.create_task(decide(household))
    while not idle.empty():
        idle.get_nowait().close()
    return answered


@dataclass(frozen=True, slots=True)
class Line:
    """One connection kept open. A full client would take a fifth of a core away from what is measured."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: str

    @classmethod
    async def open(cls, stack: Stack, token: str) -> "Line":
        """Connect to the households service."""
        port = stack.ports.households
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        head = f"Host: {LOOPBACK}:{port}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json"
        return cls(reader, writer, head)

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """The JSON answer, which must be a 2xx."""
        content = json.dumps(body).encode()
        request = f"POST {path} HTTP/1.1\r\n{self.head}\r\nContent-Length: {len(content)}\r\n\r\n"
        self.writer.write(request.encode() + content)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        answer = json.loads(await self.reader.readexactly(length))
        if not head.startswith("http/1.1 2"):
            raise Unexpected(f"{path}: {answer}")
        return answer

    def close(self) -> None:
        """Hang up."""
        self.writer.close()


FOLLOWED = {
    "funding": "select household_id, max(pg_xact_commit_timestamp(xmin)) from eligibility_history"
    " where sequence = any(%s) group by household_id",
    "reporting": "select household_id, max(pg_xact_commit_timestamp(xmin)) from eligibility_facts"
    " where household_id = any(%s) and product = 'NEWLY_ESCAPED' group by household_id",
}


def _followed(stack: Stack, answered: Answered, service: str, query: str) -> tuple[list[float], int]:
    keys = [sequence for sequence, _, _ in answered.values()] if service == "funding" else list(answered)
    with psycopg.connect(stack.postgres.url(service)) as conn:
        rows = conn.execute(query, (keys,)).fetchall()
    return [max(0.0, moment.timestamp() - answered[str(key)][1]) for key, moment in rows], len(rows)


def _complete(stack: Stack, answered: Answered, service: str) -> list[float]:
    late, found = _followed(stack, answered, service, FOLLOWED[service])
    return late if found == len(answered) else []


def rival(stack: Stack, _folder: Path) -> Iterator[Figure]:
    """The same projector over the same stream: batches beside one transaction per event."""
    stack.kill("funding")
    events = _events(stack)
    rates = {
        batch: asyncio.run(_project(stack, batch, min(events, limit)))
        for batch, limit in ((500, events), (1, RIVAL_EVENTS))
    }
    ratio = rates[500] / rates[1]
    yield Figure("chiếu theo lô 500", f"{rates[500]:.0f} sự kiện/s", "", kept=True)
    yield Figure("chiếu từng sự kiện một giao dịch", f"{rates[1]:.0f} sự kiện/s", "", kept=True)
    yield Figure("lô so với từng sự kiện", f"{ratio:.1f} lần", "≥ 5 lần", ratio >= 5)
    stack.start("funding")


def _events(stack: Stack) -> int:
    with psycopg.connect(stack.database_url("funding")) as conn:
        row = conn.execute("select stream_seq from checkpoints where stream = 'HOUSEHOLDS'").fetchone()
    return int(row[0]) if row else 0


async def _project(stack: Stack, batch: int, events: int) -> float:
    """Events per second of funding's projector into a database of its own, from the stream's beginning."""
    from benvung.following import ProjectorRunner

    name = f"bench_{batch}"
    with psycopg.connect(stack.postgres.url(), autocommit=True) as conn:
        conn.execute(f"create database {name}")
    url = stack.postgres.url(name)
    db.migrate("funding", url.replace("postgresql://", "postgresql+psycopg://", 1))
    settings = Settings(
        database_url=url,
        nats_url=stack.nats.url,
        nats_user="funding",
        nats_password=stack.secrets.nats["funding"],
        projection_batch=batch,
    )
    engine = db.create_engine(settings)
    runner = ProjectorRunner(settings, "funding", PROJECTORS[0], engine)
    stop = asyncio.Event()
    started = time.monotonic()
    task = asyncio.create_task(runner.run(stop))
    try:
        while await asyncio.to_thread(_reached, url) < events:  # noqa: ASYNC110 -- a database says it
            await asyncio.sleep(0.05)
        return events / (time.monotonic() - started)
    finally:
        stop.set()
        await task
        await engine.dispose()


def chain(stack: Stack, folder: Path) -> Iterator[Figure]:
    """From a full outbox through both hops, while NATS comes back after an outage of a whole import."""
    officer = Officer(addresses(stack), "huyen-kong-chro")
    if officer.get("households", "/v1/households/count")["households"] == 0:
        district.generate(folder, 2022)
        district.enter_villages(officer, folder)
    communes = district.communes_of(folder)[1:]
    before = _counted(stack)[:2]
    stack.kill("nats")
    rows = CHAIN // len(communes) * len(communes)
    for commune in communes:
        file = _file(folder, officer, commune, rows // len(communes), "2023")
        officer.upload(f"/v1/reviews/{_review(officer, commune, '2023')}/imports", file)
    until(300, lambda: _number(stack, "households", "select count(*) from outbox") >= rows, 0.25)
    told = _number(stack, "households", "select count(*) from journal")
    stack.start("nats")
    until(30, lambda: _number(stack, "households", "select count(*) from journal") > told, 0.02)
    started = time.monotonic()
    until(120, lambda: _visible(stack, max(before) + rows), 0.1)
    rate = rows / (time.monotonic() - started)
    yield Figure("từ hộp thư đầy qua cả hai chặng", f"{rate:.0f} quyết định/s", "≥ 2.500/s", rate >= 2500)
    limit = asyncio.run(_stored_at_most(stack, rows))
    yield Figure("  giới hạn: chỉ ghi vào NATS", f"{limit:.0f} sự kiện/s", "", kept=True)


async def _stored_at_most(stack: Stack, events: int) -> float:
    """Messages per second that one connection can have stored, with nothing read and nothing written beside."""
    bus = await Bus.connect(_nats_settings(stack, "training"), "training", "bench")
    await bus.ensure_stream("TRAINING")
    last = (await bus.stream_state("TRAINING")).last_seq
    started = time.monotonic()
    for _ in range(0, events, 1000):
        messages = [
            Outgoing("training.bench.filled.v1._._", str(uuid.uuid4()), b"x" * 900) for _ in range(1000)
        ]
        last = await bus.publish_batch("TRAINING", messages, last)
    rate = events / (time.monotonic() - started)
    await bus.close()
    return rate


def rebuilt(stack: Stack, _folder: Path) -> Iterator[Figure]:
    """A projection made anew beside the live one, and the same stream only read."""
    events = _events(stack)
    for service, words in (("funding", "điều kiện vay"), ("reporting", "báo cáo")):
        seconds = _rebuild(stack, service)
        rate = events / seconds
        name = f"dựng lại {words} từ {events} sự kiện"
        yield Figure(name, f"{rate:.0f} sự kiện/s", "≥ 15.000/s", rate >= 15_000)
    limit = asyncio.run(_read_at_most(stack, events))
    yield Figure("  giới hạn: chỉ đọc dòng sự kiện", f"{limit:.0f} sự kiện/s", "", kept=True)


def _rebuild(stack: Stack, service: str) -> float:
    with psycopg.connect(stack.database_url(service), autocommit=True) as conn:
        row = conn.execute(
            "insert into rebuilds (projector, stream, state, reason, requested_by)"
            " values (%s, 'HOUSEHOLDS', 'REQUESTED', 'benchmark', 'bench') returning id",
            (service,),
        ).fetchone()
        number = row[0] if row else 0
        state = "select state from rebuilds where id = %s"
        until(30, lambda: (conn.execute(state, (number,)).fetchone() or [""])[0] != "REQUESTED", 0.01)
        started = time.monotonic()
        until(300, lambda: (conn.execute(state, (number,)).fetchone() or [""])[0] == "DONE", 0.02)
        return time.monotonic() - started


async def _read_at_most(stack: Stack, events: int) -> float:
    bus = await Bus.connect(_nats_settings(stack, "funding"), "funding", "bench")
    pull = await bus.pull("HOUSEHOLDS", "funding-rebuild", 0)
    started = time.monotonic()
    read = 0
    while read < events:
        messages = await pull.batch(2000, 5)
        read += len(messages)
        await pull.acknowledge(messages[-1])
    rate = read / (time.monotonic() - started)
    await bus.close()
    return rate


def _nats_settings(stack: Stack, service: str) -> ServiceSettings:
    return ServiceSettings(
        database_url=SecretStr(stack.database_url(service)),
        nats_url=stack.nats.url,
        nats_user=service,
        nats_password=SecretStr(stack.secrets.nats[service]),
    )


def _number(stack: Stack, service: str, query: str) -> int:
    with psycopg.connect(stack.database_url(service)) as conn:
        row = conn.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def audited(stack: Stack, _folder: Path) -> Iterator[Figure]:
    """What the audit costs, beside the same service without it."""
    found = audit_bench.measure(stack)
    cost = found.decisions.cost
    yield Figure("kiểm toán: quyết định có và không có", str(found.decisions), "≤ 15 %", cost <= 0.15)
    yield Figure("kiểm toán: đọc một hộ", str(found.reads), "", kept=True)
    sealed = f"{found.sealed_per_second:.0f} / {found.checked_per_second:.0f} dòng/s"
    yield Figure("niêm phong / kiểm tra", sealed, "", kept=True)


def _reached(url: str) -> int:
    with psycopg.connect(url) as conn:
        row = conn.execute("select stream_seq from checkpoints").fetchone()
    return int(row[0]) if row else 0


def _resident(stack: Stack, name: str) -> int:
    pages = Path(f"/proc/{stack.processes[name].pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _quantile(values: list[float], share: float) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]


def _show(figures: list[Figure]) -> None:
    table = Table("Đo", title=f"{os.cpu_count()} lõi, mọi thứ trên cùng máy")
    table.add_column("Kết quả", justify="right")
    table.add_column("Giới hạn", justify="right")
    for figure in figures:
        table.add_row(figure.name, figure.value if figure.kept else f"[red]{figure.value}[/]", figure.bound)
    console.print(table)


PARTS: dict[str, Callable[[Stack, Path], Iterator[Figure]]] = {
    "memory": memory,
    "latency": latency,
    "import": imports,
    "chain": chain,
    "rebuild": rebuilt,
    "rival": rival,
    "audit": audited,
}

if __name__ == "__main__":
    typer.run(bench)
