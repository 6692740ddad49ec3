"""What was committed once is kept for ever: no example is lost or rewritten, no schema of old is broken.

It is read from the repository's own history, from the commit on in which the first example was committed.
Where there is no history (a copy of the files alone), the rest of the tests stands in for it. What was changed
while it was being made, before any release or main line had it, is named in `DRAFTS`, content by content.
"""

import json
import shutil
import subprocess
from collections.abc import Collection
from pathlib import Path

import pytest

from benvung import contracts
from benvung.contracts import Promise

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES, EVENTS = "services/*/contracts/examples/*", "services/*/contracts/events/*"
# Object names of contents that nothing was ever told by: lines that were made side by side, then put together.
# Only a content that the main line never had may stand here.
DRAFTS = {
    # households.area.reorganised.v1: a unit's name was called `title` at first (its schema, its first example).
    "00752c86051d601c751655d5756bbfb863abf31e",
    "7a90cb7962d2a1ad2d6e06eb6ea1907f2073f9ab",
    # households.area.typed.v1: its first example had a sequence that one of recognition.decided had as well.
    "f96ffde881a890ccaabeb2673b41d9116f2fe244",
}


def git(repository: Path, *arguments: str) -> str:
    """What git answers."""
    answer = subprocess.run(
        ["git", "-C", str(repository), "-c", "core.quotePath=false", *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return answer.stdout


def first_promise(repository: Path) -> str | None:
    """The commit that brought the first example, or `None` without a history that reaches back to it."""
    try:
        commits = git(repository, "log", "--diff-filter=A", "--format=%H", "--", EXAMPLES).split()
        shallow = git(repository, "rev-parse", "--is-shallow-repository").strip() == "true"
    except (OSError, subprocess.CalledProcessError):
        return None
    return commits[-1] if commits and not shallow else None


def committed(repository: Path, since: str, pattern: str) -> dict[str, set[str]]:
    """Path → every content it had in a commit, as object names."""
    found: dict[str, set[str]] = {}
    for line in git(repository, "ls-tree", "-r", since).splitlines():
        head, _, path = line.partition("\t")
        if Path(path).match(pattern) or Path(path).parent.match(pattern):
            found.setdefault(path, set()).add(head.split()[2])
    raw = ("log", "--raw", "--no-abbrev", "--no-renames", "--format=", f"{since}..HEAD", "--", pattern)
    for line in git(repository, *raw).splitlines():
        head, _, path = line.partition("\t")
        _, _, _, after, status = head.split()
        if status != "D":
            found.setdefault(path, set()).add(after)
    return found


def lost_examples(repository: Path, since: str, drafts: Collection[str] = ()) -> list[str]:
    """Examples that are gone, or say something else than they did, but for drafts."""
    lost = []
    for path, versions in sorted(committed(repository, since, EXAMPLES).items()):
        present = repository / path
        now = json.loads(present.read_text("utf-8")) if present.is_file() else None
        for each in versions.difference(drafts):
            lost += [path] if json.loads(git(repository, "cat-file", "blob", each)) != now else []
    return lost


def broken_schemas(repository: Path, since: str, drafts: Collection[str] = ()) -> list[str]:
    """Promises of any schema ever committed, but for drafts, that those of today break."""
    broken = []
    for path, versions in sorted(committed(repository, since, EVENTS).items()):
        present = repository / path
        if not present.is_file():
            broken.append(f"{path}: the event is gone")
            continue
        now = json.loads(present.read_text("utf-8"))
        for each in sorted(versions.difference(drafts)):
            old = json.loads(git(repository, "cat-file", "blob", each))
            broken += [f"{path} {found}" for found in contracts.breaks(old, now, Promise.EVENT)]
    return broken


def test_no_example_was_ever_lost_and_no_schema_broken() -> None:
    since = first_promise(ROOT)
    if since is None:
        pytest.skip("no history to read: not a git repository, or a shallow one")

    assert lost_examples(ROOT, since, DRAFTS) == []
    assert broken_schemas(ROOT, since, DRAFTS) == []


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A repository with one service's contracts, committed."""
    if shutil.which("git") is None:
        pytest.skip("no git")
    shutil.copytree(contracts.folder("training"), tmp_path / "services" / "training" / "contracts")
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    return tmp_path


def commit(repository: Path) -> None:
    """Commit everything as it is."""
    git(repository, "add", "-A")
    author = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    git(repository, *author, "commit", "-q", "-m", "planted")


def test_a_lost_example_a_rewritten_one_and_a_broken_schema_are_found(planted: Path) -> None:
    since = first_promise(planted)
    assert since is not None
    assert (lost_examples(planted, since), broken_schemas(planted, since)) == ([], [])

    home = Path("services/training/contracts")
    kind = "training.class.completed.v1"
    (planted / home / f"examples/{kind}/1.json").unlink()
    second = planted / home / f"examples/{kind}/2.json"
    second.write_text(second.read_text("utf-8").replace('"participants": 54', '"participants": 55'), "utf-8")
    schema = planted / home / f"events/{kind}.json"
    schema.write_text(schema.read_text("utf-8").replace('"EXACT",', '"EXACT", "NEARLY",'), "utf-8")
    commit(planted)
    commit_of_something_else(planted)

    assert lost_examples(planted, since) == [f"{home}/examples/{kind}/{number}.json" for number in (1, 2)]
    assert ["NEARLY" in each for each in broken_schemas(planted, since)] == [True]

    drafts = {git(planted, "rev-parse", f"{since}:{home}/{path}").strip()
              for path in (f"examples/{kind}/2.json", f"events/{kind}.json")}  # fmt: skip
    assert lost_examples(planted, since, drafts) == [f"{home}/examples/{kind}/1.json"]
    assert ["NEARLY" in each for each in broken_schemas(planted, since, drafts)] == []


def commit_of_something_else(repository: Path) -> None:
    """One more commit, so that the change is not the newest one."""
    (repository / "README.md").write_text("more")
    commit(repository)


def test_a_history_without_promises_is_no_history(tmp_path: Path) -> None:
    assert first_promise(tmp_path) is None
