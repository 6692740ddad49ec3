"""What a service promises in writing: a JSON Schema for each of its events, and its OpenAPI document.

The files are generated from the classes and committed, so that a change of a promise is seen in review.
"""

import json
from pathlib import Path
from typing import Any

from benvung.envelope import SEQUENCE_DIGITS, EventData
from benvung.service import Service

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def event_schema(event: type[EventData]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of the whole CloudEvent that carries `event`."""
    data = event.model_json_schema(mode="serialization", ref_template="#/$defs/{model}")
    definitions = data.pop("$defs", {})
    data.setdefault("description", (event.__doc__ or "").strip())
    fixed = {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "format": "uuid"},
        "source": {"const": f"/{event.service()}"},
        "type": {"const": event.event_type},
        "subject": {"type": "string", "description": "id of the aggregate"},
        "time": {"type": "string", "format": "date-time"},
        "datacontenttype": {"const": "application/json"},
        "sequence": {
            "type": "string",
            "pattern": f"^[0-9]{{{SEQUENCE_DIGITS}}}$",
            "description": "orders the events of one aggregate; compares as text and as number",
        },
        "traceparent": {"type": "string"},
        "data": data,
    }
    return {
        "$schema": DIALECT,
        "$id": f"https://benvung.vn/events/{event.event_type}.json",
        "title": event.event_type,
        "description": (event.__doc__ or "").strip(),
        "type": "object",
        "properties": fixed,
        "required": [name for name in fixed if name != "traceparent"],
        "$defs": definitions,
    }


def documents(service: Service, openapi: dict[str, Any]) -> dict[str, str]:
    """Every contract file of a service: path below its `contracts` folder → text."""
    files = {f"events/{event.event_type}.json": _text(event_schema(event)) for event in service.events}
    return files | {"openapi.json": _text(openapi)}


def write(folder: Path, files: dict[str, str]) -> list[str]:
    """Write the files and remove event schemas that no class stands behind; returns what changed."""
    changed = differences(folder, files)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name in changed:
        if name not in files:
            (folder / name).unlink()
    return changed


def differences(folder: Path, files: dict[str, str]) -> list[str]:
    """Names of contract files that are missing, different, or left over."""
    present = {str(path.relative_to(folder)): path for path in folder.glob("events/*.json")}
    present |= {"openapi.json": folder / "openapi.json"} if (folder / "openapi.json").exists() else {}
    return sorted(
        name
        for name in {*files, *present}
        if name not in files or name not in present or present[name].read_text("utf-8") != files[name]
    )


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
