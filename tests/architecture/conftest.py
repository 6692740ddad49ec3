"""What the house rules look at: every file of the project that people wrote."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("shared", "services", "deploy", "tests", ".ci")
WRITTEN = {
    "", ".py", ".md", ".toml", ".yml", ".yaml", ".json", ".sql", ".conf", ".html", ".css", ".js", ".sh", ".csv",
}  # fmt: skip
NOT_OURS = {"LICENSE", "uv.lock", "package-lock.json"}
GENERATED = {"__pycache__", "node_modules", "dist", "build"}


def _written() -> Iterator[Path]:
    yield from (path for path in ROOT.iterdir() if path.is_file())
    for folder in FOLDERS:
        yield from (path for path in (ROOT / folder).rglob("*") if path.is_file())


def _is_generated(relative: Path) -> bool:
    if relative.parts[0] == "services" and relative.parts[2:3] == ("contracts",):
        return True
    return any(part in GENERATED or part.endswith(".egg-info") for part in relative.parts)


@pytest.fixture(scope="session")
def texts() -> list[tuple[str, str]]:
    """(path from the root, content) of every text file that a person wrote."""
    found = []
    for path in sorted(_written()):
        relative = path.relative_to(ROOT)
        if path.suffix not in WRITTEN or path.name in NOT_OURS or _is_generated(relative):
            continue
        try:
            found.append((relative.as_posix(), path.read_text("utf-8")))
        except UnicodeDecodeError:
            continue
    return found


@pytest.fixture(scope="session")
def modules(texts: list[tuple[str, str]]) -> list[tuple[str, ast.Module]]:
    """(path from the root, syntax tree) of every Python file."""
    return [(path, ast.parse(text)) for path, text in texts if path.endswith(".py")]
