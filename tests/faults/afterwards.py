"""What is looked at when a run is over, besides the facts: dead letters, logs, and what processes use."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.faults.faults import STREAMS, Told
from tests.faults.poison import concerns
from tests.faults.site import SERVERS, Site
from tests.system.checks import Finding
from tests.system.world import READERS

from benvung_local.client import Officer, until

MEGABYTES = 300
FILES = 300
# An event that a handler cannot digest is said aloud, with where it failed: no defect of ours.
SAID_ALOUD = frozenset({"event_buried"})


@dataclass
class DeadLetters:
    """Poison as the streams hold it, once for each reader, and what the readers buried."""

    sent: int = 0
    buried: int = 0
    found: list[Finding] = field(default_factory=list)

    def compare(self, of: str, poison: Counter[bytes], buried: Counter[bytes]) -> None:
        """Exactly the poison is buried."""
        self.sent += poison.total()
        self.buried += buried.total()
        for each in poison - buried:
            self.found.append(Finding("wrong", f"{of} is not among the dead letters: {each[:200]!r}"))
        for each in buried - poison:
            self.found.append(Finding("wrong", f"{of} is among the dead letters: {each[:200]!r}"))


def set_apart(site: Site, told: Told) -> dict[str, Counter[bytes]]:
    """Hide from the checks what was put into the streams by hand; returns the poison that each stream holds."""
    poison: dict[str, Counter[bytes]] = {}
    for stream in STREAMS:
        stored = [(each, (stream, str(each.event_id))) for each in site.world.stream(stream)]
        site.world.poison[stream] = [each.stream_seq for each, key in stored if key in told.by_hand]
        poison[stream] = Counter(each.payload for each, key in stored if key in told.poison)
    return poison


def dead_letters(site: Site, poison: dict[str, Counter[bytes]]) -> DeadLetters:
    """What every reader of each stream buried, compared with the poison in it."""
    result = DeadLetters()
    for reader, pairs in READERS.items():
        for _, stream in pairs:
            rows = site.world.rows(reader, "select payload from dead_letters where stream = %s", stream)
            buried = Counter(bytes(row[0]) for row in rows)
            theirs = Counter(
                {each: number for each, number in poison[stream].items() if concerns(reader, each)}
            )
            result.compare(f"{stream} read by {reader}", theirs, buried)
    return result


def replays(site: Site, seconds: float) -> Iterator[Finding]:
    """Every projection made anew from its stream, whatever is in it twice and in disorder, is the same again."""
    operator = site.world.officer("van-hanh")
    asked: list[tuple[str, str]] = []
    for service, pairs in READERS.items():
        for _, stream in pairs:
            given = {"stream": stream, "reason": "the same again?"}
            rebuild = operator.send("POST", service, "/v1/rebuilds", given)
            asked.append((service, f"/v1/rebuilds/{rebuild['id']}"))
    for service, path in asked:
        done = until(seconds, partial(_done, operator, service, path))
        changed = {table: counts for table, counts in done["differences"].items() if _differ(counts)}
        if changed or done["announced"]:
            yield Finding("wrong", f"made anew from {done['stream']}, {service} differs: {changed}")


def _done(operator: Officer, service: str, path: str) -> Any:
    rebuild = operator.get(service, path)
    return rebuild if rebuild["state"] == "DONE" else None


def _differ(counts: Mapping[str, int]) -> bool:
    return bool(counts["only_live"] or counts["only_new"])


def logs(site: Site) -> Iterator[Finding]:
    """Nothing failed that nobody expected: no error in any log, and nothing but log lines."""
    for log in sorted(site.stack.logs.glob("*.log")):
        for line in log.read_text(errors="replace").splitlines():
            yield from _defect(log, line)


def _defect(log: Path, line: str) -> Iterator[Finding]:
    try:
        said = json.loads(line)
    except ValueError:
        said = {"level": "error" if "Traceback" in line else "info"}
    if said.get("level") in {"error", "critical"} and said.get("event") not in SAID_ALOUD:
        yield Finding("wrong", f"{log.stem} says {line[:2000]}")


def appetite(site: Site) -> Iterator[Finding]:
    """Memory and open files stay within bounds, whatever happened."""
    for part in site.parts:
        if part in SERVERS:
            continue
        process = Path(f"/proc/{site.process(part).pid}")
        pages = int((process / "statm").read_text().split()[1])
        megabytes = pages * 4096 // 2**20
        files = sum(1 for _ in (process / "fd").iterdir())
        if megabytes > MEGABYTES or files > FILES:
            yield Finding("wrong", f"{part} uses {megabytes} MB and {files} files")
