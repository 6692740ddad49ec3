"""Long fault runs: `python -m tests.faults --seeds 1..20 --requests 10000`.

Each seed has a system of its own, and the same seed has the same requests and the same faults. Ends with 1
when a promise was broken; what was found and all logs of that run are then kept in `--out`.
"""

import argparse
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from tests.faults import campaign, site
from tests.faults.campaign import KINDS, Result
from tests.system.checks import Finding

REQUESTS_PER_FAULT = 50
REQUESTS_PER_HOUSEHOLD = 25
COMMUNES = 3
FEWEST, MOST = 15, 150
SHOWN = 10
WIDTH = 120


def main(arguments: Sequence[str]) -> int:
    """Run every seed and say what came of it."""
    given = _parse(arguments)
    console = Console(width=WIDTH, soft_wrap=True)
    results: dict[int, Result | None] = {}
    for seed in given.seeds:
        started = time.monotonic()
        result = _one(seed, given, console)
        results[seed] = result
        if result is None:
            console.print(f"[bold red]seed {seed} did not end, {time.monotonic() - started:.0f} s[/]")
            continue
        console.print(result.line(), style="red" if result.found else "green", highlight=False)
        for finding in result.found[:SHOWN]:
            console.print(f"  {finding.kind}: {finding.text}", style="red", markup=False, highlight=False)
    console.print(_table(results))
    return 0 if all(result is not None and not result.found for result in results.values()) else 1


def _one(seed: int, given: argparse.Namespace, console: Console) -> Result | None:
    """One run in a system of its own; None when it could not be brought to its end."""
    households = min(MOST, max(FEWEST, given.requests // REQUESTS_PER_HOUSEHOLD // COMMUNES))
    kept = given.out / f"seed-{seed}"

    def progress(text: str) -> None:
        console.print(f"seed {seed:4} {text}", markup=False, highlight=False)

    with (
        tempfile.TemporaryDirectory(prefix="benvung-faults-") as folder,
        site.running(Path(folder), households) as running,
    ):
        try:
            result = campaign.run(running, seed, given.requests, given.faults, progress)
        except Exception:  # noqa: BLE001 -- the next seed is run whatever became of this one
            _keep(kept, running.stack.logs, traceback.format_exc())
            console.print_exception()
            return None
        if result.found:
            _keep(kept, running.stack.logs, _words(result.found))
    return result


def _keep(folder: Path, logs: Path, words: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(logs, folder)
    (folder / "found.txt").write_text(words)


def _words(found: Sequence[Finding]) -> str:
    return "\n".join(f"{each.kind}: {each.text}" for each in found)


def _table(results: dict[int, Result | None]) -> Table:
    table = Table(title="Fault runs", box=SIMPLE, padding=(0, 1))
    columns = (
        "seed",
        "decisions",
        "faults",
        "unheard",
        *KINDS,
        "poison",
        "dead letters",
        "agree after s",
        "s",
    )
    for name in columns:
        table.add_column(name, justify="right")
    for seed, result in results.items():
        if result is None:
            table.add_row(str(seed), "[bold red]did not end[/]")
            continue
        counts = [result.requests, result.faults.total(), result.unknown]
        counts += [result.number(kind) for kind in KINDS] + [result.poison, result.dead_letters]
        times = [f"{result.converged:.1f}", f"{result.seconds:.0f}"]
        table.add_row(str(seed), *map(str, counts), *times, style="red" if result.found else "")
    return table


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seeds", type=_seeds, default=range(1, 21), help="one seed, or FIRST..LAST")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--faults", type=int, help=f"default: one for {REQUESTS_PER_FAULT} requests")
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "benvung-faults")
    given = parser.parse_args(arguments)
    given.faults = given.faults or given.requests // REQUESTS_PER_FAULT
    return given


def _seeds(text: str) -> range:
    first, _, last = text.partition("..")
    return range(int(first), int(last or first) + 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
