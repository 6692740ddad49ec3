"""Plants each known bug into a copy of the source, runs the tests that must notice, and shows that they do.

make planted
python -m tests.planted --only rebuild     those whose name holds a word
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from tests.planted.bugs import BUGS, Bug

ROOT = Path(__file__).resolve().parents[2]
TREES = ("shared", "services", "deploy", "tests")
SINGLE = ("pyproject.toml",)
SOURCES = (
    "shared/src",
    "deploy/local/src",
    *(f"services/{name}/src" for name in ("households", "funding", "training", "reporting")),
)
SECONDS = 300
PASSED, FAILED = 0, 1
console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)


def planted(only: Annotated[str, typer.Option(help="bugs whose name holds this word")] = "") -> None:
    """Plant the bugs one by one; exit 1 when one is not caught, or a test fails without any bug."""
    bugs = [bug for bug in BUGS if only in bug.name]
    table = Table("Bug", "Without it", "With it", "Seconds", title="Planted bugs")
    missed = False
    with tempfile.TemporaryDirectory(prefix="benvung-planted-") as folder:
        copy = Path(folder) / "source"
        _copy(copy)
        for bug in bugs:
            if bug.needs_root and os.geteuid() != 0:
                table.add_row(bug.name, "", "not tried: its test needs root", "")
                continue
            console.print(f"  {bug.name} …")
            begun = time.monotonic()
            without, within = _tried(copy, bug)
            caught = (without, within) == (PASSED, FAILED)
            missed |= not caught
            words = "caught" if within == FAILED else f"[red]NOT CAUGHT ({within})[/]"
            right = "passes" if without == PASSED else f"[red]fails ({without})[/]"
            table.add_row(bug.name, right, words, f"{time.monotonic() - begun:.0f}")
    console.print(table)
    raise typer.Exit(int(missed))


def _copy(to: Path) -> None:
    unwanted = shutil.ignore_patterns("__pycache__", "node_modules", ".*_cache")
    for tree in TREES:
        shutil.copytree(ROOT / tree, to / tree, ignore=unwanted)
    for name in SINGLE:
        shutil.copy(ROOT / name, to / name)


def _tried(copy: Path, bug: Bug) -> tuple[int, int]:
    """How the bug's tests end without it and with it. All of them must fail with it."""
    path = copy / bug.file
    right = path.read_text("utf-8")
    if right.count(bug.old) != 1:
        raise typer.BadParameter(f"{bug.file} no longer holds just once: {bug.old!r}")
    without = _run(copy, bug.tests)
    path.write_text(right.replace(bug.old, bug.new), "utf-8")
    try:
        ends = {_run(copy, (test,)) for test in bug.tests}
    finally:
        path.write_text(right, "utf-8")
    return without, ends.pop() if len(ends) == 1 else PASSED


def _run(copy: Path, tests: tuple[str, ...]) -> int:
    """The exit code of pytest in the copy, whose own modules stand before the installed ones."""
    inside = os.pathsep.join(str(copy / source) for source in SOURCES)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-x", "-p", "no:cacheprovider", *tests],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": inside, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    return done.returncode


if __name__ == "__main__":
    typer.run(planted)
