"""A payload as people can read it. It may be anything: poison is what it is shown for."""

import json
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["json", "text", "binary"]
SHOWN_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Readable:
    """The payload in characters. `event_type` is what it says of itself, if it says anything."""

    kind: Kind
    text: str
    size: int
    event_type: str | None
    event_id: str | None


def readable(payload: bytes) -> Readable:
    """JSON indented, other text as it is, anything else as the hexadecimal digits of its first bytes."""
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        return Readable("binary", payload[:SHOWN_BYTES].hex(" "), len(payload), None, None)
    try:
        body = json.loads(text)
        written = json.dumps(body, ensure_ascii=False, indent=2)
        written.encode()
    except (ValueError, RecursionError):
        return Readable("text", text, len(payload), None, None)
    return Readable("json", written, len(payload), _named(body, "type"), _named(body, "id"))


def _named(body: Any, key: str) -> str | None:
    value = body.get(key) if isinstance(body, dict) else None
    return value[:200] if isinstance(value, str) and value else None


def printable(text: str) -> str:
    """The text without what would steer a terminal: such characters are written as their codes."""
    return "".join(
        each if each in "\n\t" or each.isprintable() else each.encode("unicode_escape").decode()
        for each in text
    )
