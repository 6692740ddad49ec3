"""How fast the register is read with a million households: over HTTP, as a province's officer reads it.

    uv run python -m tests.load.million_bench                   all, some fifteen minutes, most of them to fill
    uv run python -m tests.load.million_bench --rows 100000     a smaller register
    measure(stack, 1_000_000)                                   as a part of the benchmark

Requests are sent at a steady rate, however long each takes. Beside them, at the same rate and in the same
run, stand two limits: the same service answering that it lives, and a bare read by primary key through psycopg.
"""

import asyncio
import base64
import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from tests.load.asked import Kind, Made, kinds
from tests.load.figures import Figure, quantile
from tests.load.latency import Line
from tests.load.million import DAY, PROVINCE, STANDARD, Filled, fill, known

from benvung_local.client import Unexpected
from benvung_local.stack import Ports, Stack

ROWS = 1_000_000
OFFICER = "tinh-gia-lai"
ONE, PAGE, SEARCH = 15.0, 50.0, 100.0
SIMULATION = 15.0
PER_SECOND, SECONDS, CLIENTS = 20, 15.0, 8
SHARED_BUFFERS = "3GB"
"""Of the database server: an eighth of such a machine's memory, in which a register of a million fits."""
CLASSES = ("POOR", "NEAR_POOR", "NOT_POOR")
OTHERS = ("funding", "training", "reporting")


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds of each request of a kind."""

    name: str
    taken: Sequence[float]
    bound: float | None
    load: float

    @property
    def marks(self) -> tuple[float, float, float]:
        """The median, the 99th percentile and the worst."""
        return quantile(list(self.taken), 0.5), quantile(list(self.taken), 0.99), max(self.taken)


def measure(
    stack: Stack, rows: int, say: Callable[[str], None] = lambda _: None, only: str = ""
) -> Iterator[Figure]:
    """Fill the stack's register and measure. The stack is used up: nobody was told of these households."""
    for name in (*OTHERS, "households"):
        stack.kill(name)
    url = stack.postgres.url("households")
    if (filled := known(url)) is None:
        say(f"{rows} hộ …")
        started = time.monotonic()
        filled = fill(url, base64.b64decode(stack.secrets.data_key), rows)
        say(f"  {time.monotonic() - started:.0f} s")
    _warm(url)
    stack.start("households")
    with asyncio.Runner() as runner:
        for each in _one_by_one(runner, _measured(stack, filled, say, only)):
            middle, late, worst = each.marks
            kept = each.bound is None or late <= each.bound
            value = f"{middle:.1f} / {late:.1f} / {worst:.0f} ms, tải {each.load:.1f}"
            yield Figure(each.name, value, f"p99 ≤ {each.bound:.0f} ms" if each.bound else "", kept)
    if only in "simulation":
        for name, rules in RULES.items():
            seconds = asyncio.run(_simulated(stack, rules))
            kept = seconds <= SIMULATION
            yield Figure(f"mô phỏng {name}", f"{seconds:.1f} s", f"≤ {SIMULATION:.0f} s", kept)


RULES: Mapping[str, dict[str, Any]] = {
    "theo tổng điểm": {"b1_thresholds": {"RURAL": 160, "URBAN": 195}},
    "theo từng chỉ số": {
        "b1_thresholds": {"RURAL": 160, "URBAN": 195},
        "b2_threshold": 40,
        "indicators": [
            {"code": "WATER_SOURCE", "points": 20},
            {"code": "HYGIENIC_TOILET"},
            {"code": "EMPLOYMENT"},
        ],
    },
}


def _warm(url: str) -> None:
    """Read the register into the database server's memory, as it is on any but its first day."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("create extension if not exists pg_prewarm")
        conn.execute(
            "select sum(pg_prewarm(oid)) from pg_class where relnamespace = 'public'::regnamespace"
            " and relkind in ('r', 'i')"
        )
        conn.execute("checkpoint")


def _one_by_one(runner: asyncio.Runner, found: AsyncIterator[Measured]) -> Iterator[Measured]:
    """Each as soon as it is measured."""

    async def following() -> Measured | None:
        return await anext(found, None)

    while (measured := runner.run(following())) is not None:
        yield measured


async def _measured(
    stack: Stack, filled: Filled, say: Callable[[str], None], only: str
) -> AsyncIterator[Measured]:
    token = stack.token(OFFICER)
    line = await Line.open(stack, token)
    described = await line.get("/openapi.json")
    line.close()
    offered = frozenset(each["name"] for each in described["paths"]["/v1/households"]["get"]["parameters"])
    if only in "giới hạn":
        yield await _bare(stack, filled)
    for kind in kinds(filled, offered):
        if only and only not in kind.name:
            continue
        if not kind.offered:
            say(f"  {kind.name}: không có bộ lọc này")
            continue
        yield await _over_http(stack, token, kind)


async def _over_http(stack: Stack, token: str, kind: Kind) -> Measured:
    lines: asyncio.Queue[Line] = asyncio.Queue()
    for _ in range(CLIENTS):
        lines.put_nowait(await Line.open(stack, token))

    async def ask(made: Made) -> None:
        held = await lines.get()
        await (held.get(made) if isinstance(made, str) else held.post(*made))
        lines.put_nowait(held)

    await _steadily(ask, kind, 20)  # warms up
    measured = await _steadily(ask, kind, round(PER_SECOND * SECONDS))
    while not lines.empty():
        lines.get_nowait().close()
    return measured


async def _steadily(ask: Callable[[Any], Awaitable[None]], kind: Kind, count: int) -> Measured:
    """Each request at its due moment; its time runs from there, waiting for a free connection included."""
    rnd = random.Random(kind.name)
    taken: list[float] = []

    async def one() -> None:
        due = time.monotonic()
        await ask(kind.made(rnd))
        taken.append(1000 * (time.monotonic() - due))

    started = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            await asyncio.sleep(max(0.0, started + number / PER_SECOND - time.monotonic()))
            group.create_task(one())
            if len(taken) < number - 12:  # far behind: what waits is no longer what is measured
                break
    return Measured(kind.name, taken, kind.bound, os.getloadavg()[0])


async def _bare(stack: Stack, filled: Filled) -> Measured:
    """The limit: nothing but the row, by its primary key, on one connection."""
    async with await psycopg.AsyncConnection.connect(
        stack.database_url("households"), autocommit=True
    ) as conn:

        async def ask(household: str) -> None:
            cursor = await conn.execute("select * from households where id = %s", (household,))
            assert await cursor.fetchone()

        kind = Kind("giới hạn: chỉ đọc dòng theo khóa chính", lambda rnd: rnd.choice(filled.households)[0])
        await _steadily(ask, kind, 20)
        return await _steadily(ask, kind, round(PER_SECOND * SECONDS))


async def _simulated(stack: Stack, rules: dict[str, Any]) -> float:
    """Seconds from asking for a simulation of the whole province until it is done."""
    line = await Line.open(stack, stack.token(OFFICER))
    given = {"title": "Thử", "area": PROVINCE, "day": str(DAY), "rules": {"standard": STANDARD, **rules}}
    started = time.monotonic()
    asked = await line.post("/v1/simulations", given)
    while True:
        found = await line.get(f"/v1/simulations/{asked['id']}")
        if found["state"] == "DONE":
            break
        if found["state"] == "FAILED":
            raise Unexpected(f"simulation: {found}")
        await asyncio.sleep(0.1)
    line.close()
    return time.monotonic() - started


def main(
    rows: Annotated[int, typer.Option(help="households")] = ROWS,
    only: Annotated[str, typer.Option(help="kinds whose name has this; empty = all")] = "",
    folder: Annotated[Path | None, typer.Option(help="keep the register here; it is filled once")] = None,
) -> None:
    """Measure alone and print."""
    memory = {"shared_buffers": SHARED_BUFFERS}
    stack = Stack(folder=folder, ports=Ports.free(), business_date=DAY, postgres_settings=memory)
    try:
        stack.start()
        for figure in measure(stack, rows, typer.echo, only):
            typer.echo(f"{'' if figure.kept else '! '}{figure.name}: {figure.value} {figure.bound}")
    finally:
        stack.stop()


if __name__ == "__main__":
    typer.run(main)
