"""What a service promises in writing, generated from its classes and committed.

- `events/<type>.json`: the JSON Schema of each event.
- `examples/<type>/<n>.json`: events as they are told. One is added when the shape grew; none is ever removed.
- `asyncapi.json`: what the service tells and listens to.
- `openapi.json`: what it answers.

A change that breaks a committed promise is refused: within a version things are only added.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benvung import db
from benvung.contracts import asyncapi, promises
from benvung.contracts.compatibility import Break, Promise, breaks
from benvung.contracts.examples import NoExample, illustrate, next_event, values
from benvung.contracts.schemas import event_schema, reader_schema
from benvung.envelope import SEQUENCE_DIGITS
from benvung.service import Service

__all__ = [
    "Break",
    "Incompatible",
    "NoExample",
    "Promise",
    "breaks",
    "committed",
    "differences",
    "documents",
    "event_schema",
    "folder",
    "illustrate",
    "reader_schema",
    "values",
    "write",
]

PATTERNS = ("events/*.json", "examples/*/*.json", "asyncapi.json", "openapi.json")


class Incompatible(Exception):
    """The classes break what is committed. `breaks` says where and how."""

    def __init__(self, broken: list[Break]) -> None:
        lines = [
            "Nothing was written, because this would break what is promised:",
            *(f"  {each}" for each in broken),
            "Within a version things are only added. Keep the old and make the new meaning the next version beside it.",
        ]
        super().__init__("\n".join(lines))
        self.breaks = broken


def folder(package: str) -> Path:
    """Where a service's contracts are: inside an installed wheel, or beside `src` in the workspace."""
    return db.migrations_folder(package).parent / "contracts"


def committed(home: Path) -> dict[str, str]:
    """The contract files that exist: path below `contracts` → text."""
    paths = sorted(path for pattern in PATTERNS for path in home.glob(pattern))
    return {path.relative_to(home).as_posix(): path.read_text("utf-8") for path in paths}


def documents(service: Service, openapi: dict[str, Any], present: Mapping[str, str]) -> dict[str, str]:
    """Every contract file of a service: path below its `contracts` folder → text.

    `present` are the files that exist: their examples stay, and are completed where an event has grown. Raises
    `NoExample`.
    """
    schemas = {event.event_type: event_schema(event) for event in service.events}
    told = _told(present)
    drafts = dict(_drafts(service, schemas, told))
    files = {f"events/{name}.json": _text(schema) for name, schema in schemas.items()}
    files |= {name: text for name, text in present.items() if name.startswith("examples/")}
    for (event_type, number), draft in drafts.items():
        files[f"examples/{event_type}/{number}.json"] = _text(draft)
    newest = {name: each[max(each)] for name, each in _told(files).items()}
    return files | {
        "asyncapi.json": _text(asyncapi.document(service, newest)),
        "openapi.json": _text(openapi),
    }


def _told(files: Mapping[str, str]) -> dict[str, dict[int, Any]]:
    """The examples by type and number."""
    told: dict[str, dict[int, Any]] = {}
    for name, text in files.items():
        if name.startswith("examples/"):
            _, event_type, file = name.split("/")
            told.setdefault(event_type, {})[int(file.removesuffix(".json"))] = json.loads(text)
    return told


def _drafts(
    service: Service, schemas: Mapping[str, dict[str, Any]], told: Mapping[str, Mapping[int, Any]]
) -> Iterator[tuple[tuple[str, int], dict[str, Any]]]:
    """The examples that are still needed, by type and number."""
    known = values(service.package)
    sequence = max((int(each["sequence"]) for events in told.values() for each in events.values()), default=0)
    for event in service.events:
        earlier = told.get(event.event_type, {})
        number = max(earlier, default=0)
        draft = next_event(event, schemas[event.event_type], earlier.get(number), number + 1, known)
        if draft is not None:
            sequence += 1
            yield (event.event_type, number + 1), {"sequence": f"{sequence:0{SEQUENCE_DIGITS}d}", **draft}


def write(home: Path, files: Mapping[str, str]) -> list[str]:
    """Write the files and return the names of those that changed. Raises `Incompatible`, having written nothing."""
    present = committed(home)
    broken = promises.broken(present, files)
    if broken:
        raise Incompatible(broken)
    for name, text in files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return differences(present, files)


def differences(present: Mapping[str, str], files: Mapping[str, str]) -> list[str]:
    """Names of contract files that are missing, different, or left over."""
    return sorted(name for name in {*files, *present} if files.get(name) != present.get(name))


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
