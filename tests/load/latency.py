"""How long one decision takes, at a steady rate."""

import asyncio
import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from tests.load.entering import settled, upload
from tests.load.figures import Figure, quantile

from benvung_local import district, reclassify
from benvung_local.client import Unexpected, until
from benvung_local.processes import LOOPBACK
from benvung_local.stack import Stack

PER_SECOND, SECONDS, CLIENTS = 100, 30, 16
SHARES = (0.50, 0.95, 0.99)


def latency(stack: Stack, folder: Path) -> Iterator[Figure]:
    """Reclassifications at a steady rate; the figures run from the 2xx to each projection's commit."""
    officer = settled(stack, folder)
    if officer.get("households", "/v1/households/count")["households"] == 0:
        upload(stack, officer, folder, district.communes_of(folder)[:1], rows=10_000, year="2022")
    poor = officer.pages("households", "/v1/households", **{"class": "POOR"})
    households = list(itertools.islice(poor, PER_SECOND * SECONDS))
    reviews = {each: reclassify.review_of(officer, each) for each in {h["commune"] for h in households}}
    answered = asyncio.run(_steadily(stack, officer.token, households, reviews))
    taken = [1000 * quantile([seconds for _, _, seconds in answered.values()], share) for share in SHARES]
    yield Figure(f"trả lời một quyết định, p50/p95/p99, {PER_SECOND}/s", _marks(taken), "", kept=True)
    until(30, lambda: _followed(stack, answered, "funding", FOLLOWED["funding"])[1] == len(answered))
    for service, words, bounds in (
        ("funding", "quyết định → điều kiện vay", (10, 30, 80)),
        ("reporting", "quyết định → số hộ đủ điều kiện trong báo cáo", (20, 60, 150)),
    ):
        late = until(30, lambda s=service: _complete(stack, answered, s))
        marks = [1000 * quantile(late, share) for share in SHARES]
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
        """The JSON answer to a write, which must be a 2xx."""
        return await self.ask("POST", path, json.dumps(body).encode())

    async def get(self, path: str) -> Any:
        """The JSON answer to a read, which must be a 2xx."""
        return await self.ask("GET", path)

    async def ask(self, method: str, path: str, content: bytes = b"") -> Any:
        """The JSON answer, which must be a 2xx."""
        request = f"{method} {path} HTTP/1.1\r\n{self.head}\r\nContent-Length: {len(content)}\r\n\r\n"
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
