"""The dependency rule, run by import-linter on the project and on a house built to break it."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / ".importlinter"
PACKAGES = ("benvung", "benvung_local", "households", "funding", "training", "reporting")
MODULES = ("main", "api", "consumers", "actions", "store", "events", "tables")
PLANTED = {
    "Inside a service, imports point from the edge to the rules": ("funding/store.py", "import funding.api"),
    "Services never import each other": ("funding/actions.py", "import households.tables"),
    "The kit imports no service": ("benvung/db.py", "import training"),
    "The embedded run knows the services by their addresses only": (
        "benvung_local/demo.py",
        "import reporting.store",
    ),
    "The rules of the law need no framework": ("training/domain/rules.py", "import pydantic"),
    "One package knows the NATS client": ("reporting/consumers.py", "import nats"),
}


def lint(folder: Path, *, config: Path, search: Path | None = None) -> tuple[int, dict[str, bool]]:
    """Exit code of import-linter, and per contract whether it was kept."""
    environment = os.environ | ({"PYTHONPATH": str(search)} if search else {})
    command = [str(Path(sys.executable).with_name("lint-imports")), "--config", str(config), "--no-cache"]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    verdicts = re.findall(r"^(.+?) (KEPT|BROKEN)\b", done.stdout, re.MULTILINE)
    assert verdicts, done.stdout + done.stderr
    return done.returncode, {name: verdict == "KEPT" for name, verdict in verdicts}


def house(folder: Path) -> None:
    """A house of empty modules with the project's package names."""
    for package in PACKAGES:
        (folder / package / "domain").mkdir(parents=True)
        (folder / package / "__init__.py").touch()
        (folder / package / "domain" / "__init__.py").touch()
        for module in MODULES:
            (folder / package / f"{module}.py").touch()
    (folder / "benvung" / "bus").mkdir()
    (folder / "benvung" / "bus" / "__init__.py").touch()
    (folder / "benvung" / "bus" / "connection.py").write_text("import nats\n")


def test_the_project_keeps_every_contract() -> None:
    code, verdicts = lint(ROOT, config=CONFIG)

    assert verdicts == dict.fromkeys(PLANTED, True)
    assert code == 0


def test_an_empty_house_keeps_every_contract(tmp_path: Path) -> None:
    house(tmp_path)

    code, verdicts = lint(tmp_path, config=CONFIG, search=tmp_path)

    assert (code, verdicts) == (0, dict.fromkeys(PLANTED, True))


def test_every_contract_catches_its_planted_violation(tmp_path: Path) -> None:
    house(tmp_path)
    for path, line in PLANTED.values():
        (tmp_path / path).write_text(f"{line}\n")

    code, verdicts = lint(tmp_path, config=CONFIG, search=tmp_path)

    assert code != 0
    assert verdicts == dict.fromkeys(PLANTED, False)
