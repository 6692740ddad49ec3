"""How fast on this machine: everything on it, every figure beside its bound or its rival from the same run.

    make bench        all of it, some ten minutes
    uv run python -m tests.load.bench --only latency

Real processes, real servers with every write forced to disk. Latency runs from the client's 2xx to the
commit of the projection, whose time the database itself records.
"""

import datetime as dt
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from tests.load import audit_bench, simulation_bench
from tests.load.entering import imports
from tests.load.figures import Figure
from tests.load.latency import latency
from tests.load.throughput import chain, rebuilt, rival

from benvung_local.servers import SERVICES
from benvung_local.stack import Ports, Stack

DAY = dt.date(2024, 1, 24)
console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)


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
    """Resident memory of the four services at rest, started again: compiling, the first time, leaves some behind."""
    for name in SERVICES:
        stack.kill(name)
        stack.start(name)
    time.sleep(5)
    megabytes = sum(_resident(stack, name) for name in SERVICES) / 2**20
    yield Figure("bốn dịch vụ khi nghỉ", f"{megabytes:.0f} MB", "≤ 500 MB", megabytes <= 500)


def audited(stack: Stack, _folder: Path) -> Iterator[Figure]:
    """What the audit costs, beside the same service without it."""
    found = audit_bench.measure(stack)
    cost = found.decisions.cost
    yield Figure("kiểm toán: quyết định có và không có", str(found.decisions), "≤ 15 %", cost <= 0.15)
    yield Figure("kiểm toán: đọc một hộ", str(found.reads), "", kept=True)
    sealed = f"{found.sealed_per_second:.0f} / {found.checked_per_second:.0f} dòng/s"
    yield Figure("niêm phong / kiểm tra", sealed, "", kept=True)


def simulated(stack: Stack, _folder: Path) -> Iterator[Figure]:
    """A rule set over a million households, beside judging each of them by itself."""
    for each in simulation_bench.measure(stack.postgres.url(), simulation_bench.ROWS):
        name = f"mô phỏng 1.000.000 hộ, {each.name}"
        kept = each.seconds <= simulation_bench.LIMIT
        yield Figure(name, f"{each.seconds:.1f} s", f"≤ {simulation_bench.LIMIT:.0f} s", kept)
        yield Figure("  xét từng hộ, không ghi gì", f"{each.rival_seconds:.1f} s", "", kept=True)


def _resident(stack: Stack, name: str) -> int:
    pages = Path(f"/proc/{stack.processes[name].pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


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
    "simulation": simulated,
}

if __name__ == "__main__":
    typer.run(bench)
