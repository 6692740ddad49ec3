"""How many events a second: through both hops, in a rebuild, and beside one transaction an event."""

import asyncio
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
from pydantic import SecretStr
from tests.load.entering import counted, open_review, review_file, settled, visible
from tests.load.figures import Figure

from benvung import db
from benvung.bus import Bus, Outgoing
from benvung.following import ProjectorRunner
from benvung.settings import ServiceSettings
from benvung_local import district
from benvung_local.client import until
from benvung_local.servers import NatsServer
from benvung_local.stack import Stack
from funding.consumers import PROJECTORS
from funding.settings import Settings

RIVAL_EVENTS = 3_000
CHAIN = 20_000


def chain(stack: Stack, folder: Path) -> Iterator[Figure]:
    """From a full outbox through both hops, while NATS comes back after an outage of a whole import."""
    officer = settled(stack, folder)
    communes = district.communes_of(folder)[1:]
    before = counted(stack)[:2]
    stack.kill("nats")
    rows = CHAIN // len(communes) * len(communes)
    for commune in communes:
        file = review_file(folder, officer, commune, rows // len(communes), "2023")
        officer.upload(f"/v1/reviews/{open_review(officer, commune, '2023')}/imports", file)
    until(300, lambda: number(stack, "households", "select count(*) from outbox") >= rows, 0.25)
    told = number(stack, "households", "select count(*) from journal")
    stack.start("nats")
    until(30, lambda: number(stack, "households", "select count(*) from journal") > told, 0.02)
    started = time.monotonic()
    until(120, lambda: visible(stack, max(before) + rows), 0.1)
    rate = rows / (time.monotonic() - started)
    yield Figure("từ hộp thư đầy qua cả hai chặng", f"{rate:.0f} quyết định/s", "≥ 2.500/s", rate >= 2500)
    limit = asyncio.run(_stored_at_most(rows))
    yield Figure("  giới hạn: chỉ ghi vào NATS", f"{limit:.0f} sự kiện/s", "", kept=True)


async def _stored_at_most(events: int) -> float:
    """Messages per second that one connection can have stored, with nothing read and nothing written beside."""
    server = NatsServer()
    try:
        server.start()
        bus = await Bus.connect(_nats_settings(server.url, server.passwords, "training"), "training", "bench")
        await bus.ensure_stream("TRAINING")
        last = 0
        started = time.monotonic()
        for _ in range(0, events, 1000):
            messages = [
                Outgoing("training.bench.filled.v1._._", str(uuid.uuid4()), b"x" * 900) for _ in range(1000)
            ]
            last = await bus.publish_batch("TRAINING", messages, last)
        rate = events / (time.monotonic() - started)
        await bus.close()
        return rate
    finally:
        server.stop()


def rebuilt(stack: Stack, _folder: Path) -> Iterator[Figure]:
    """A projection made anew beside the live one, three times, and the same stream only read."""
    events = events_told(stack)
    for service, words in (("funding", "điều kiện vay"), ("reporting", "báo cáo")):
        slowest, rate, fastest = sorted(events / _rebuild(stack, service) for _ in range(3))
        name = f"dựng lại {words} từ {events} sự kiện, ba lần"
        found = f"{slowest:.0f} / {rate:.0f} / {fastest:.0f} sự kiện/s"
        yield Figure(name, found, "≥ 15.000/s (giữa)", rate >= 15_000)
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
    bus = await Bus.connect(_nats_settings(stack.nats.url, stack.secrets.nats, "funding"), "funding", "bench")
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


def _nats_settings(url: str, passwords: Mapping[str, str], service: str) -> ServiceSettings:
    return ServiceSettings(
        database_url=SecretStr("postgresql://"),
        nats_url=url,
        nats_user=service,
        nats_password=SecretStr(passwords[service]),
    )


def number(stack: Stack, service: str, query: str) -> int:
    with psycopg.connect(stack.database_url(service)) as conn:
        row = conn.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def rival(stack: Stack, _folder: Path) -> Iterator[Figure]:
    """The same projector over the same stream: batches beside one transaction per event."""
    stack.kill("funding")
    events = events_told(stack)
    rates = {
        batch: asyncio.run(_project(stack, batch, min(events, limit)))
        for batch, limit in ((500, events), (1, RIVAL_EVENTS))
    }
    ratio = rates[500] / rates[1]
    yield Figure("chiếu theo lô 500", f"{rates[500]:.0f} sự kiện/s", "", kept=True)
    yield Figure("chiếu từng sự kiện một giao dịch", f"{rates[1]:.0f} sự kiện/s", "", kept=True)
    yield Figure("lô so với từng sự kiện", f"{ratio:.1f} lần", "≥ 5 lần", ratio >= 5)
    stack.start("funding")


def events_told(stack: Stack) -> int:
    with psycopg.connect(stack.database_url("funding")) as conn:
        row = conn.execute("select stream_seq from checkpoints where stream = 'HOUSEHOLDS'").fetchone()
    return int(row[0]) if row else 0


async def _project(stack: Stack, batch: int, events: int) -> float:
    """Events per second of funding's projector into a database of its own, from the stream's beginning."""
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


def _reached(url: str) -> int:
    with psycopg.connect(url) as conn:
        row = conn.execute("select stream_seq from checkpoints").fetchone()
    return int(row[0]) if row else 0
