"""Messages that nobody can digest: each must end in the dead letters of every reader, alone."""

import json
import random
import uuid
from collections.abc import Callable
from typing import Any

LARGE = 900_000
# Who reads nothing but these kinds of events is not concerned by what is wrong in another.
READ_ALONE = {"training": ("households.area.reorganised",)}
# What is wrong in another kind of event may be no concern of one of the others.
READ_BY_ALL = {
    "HOUSEHOLDS": "households.household.classified.v1",
    "FUNDING": "funding.eligibility.changed.v1",
    "TRAINING": "training.class.completed.v1",
}


def poison(stream: str, right: bytes | None, drawn: random.Random) -> list[bytes]:
    """Two kinds of it, if possible made from a right event of the stream."""
    kinds: list[Callable[[dict[str, Any], str], bytes]] = [_bad_text, _not_json, _large, _no_event]
    if right is not None:
        kinds += [_unknown_version, _wrong_types, _wrong_source, _lacking, _too_large_a_number]
    body = json.loads(right or b"{}")
    return [kind(body, stream) for kind in drawn.sample(kinds, 2)]


def concerns(reader: str, payload: bytes) -> bool:
    """Whether a reader has to do with a message: with whatever is no event, and with the kinds that it reads."""
    try:
        body = json.loads(payload)
    except ValueError:
        return True
    if reader not in READ_ALONE or not isinstance(body, dict) or "type" not in body:
        return True
    return body["sequence"].startswith("9") or body["type"].rpartition(".")[0] in READ_ALONE[reader]


def _bad_text(_body: dict[str, Any], _stream: str) -> bytes:
    return b'{"specversion": "1.0", "subject": "\xff\xfe\xc3"}'


def _not_json(_body: dict[str, Any], _stream: str) -> bytes:
    return b"\x00\xff not json"


def _large(_body: dict[str, Any], _stream: str) -> bytes:
    return json.dumps({"specversion": "1.0", "data": "x" * LARGE}).encode()


def _no_event(_body: dict[str, Any], _stream: str) -> bytes:
    return b"[1, 2, 3]"


def _unknown_version(body: dict[str, Any], _stream: str) -> bytes:
    return _event(body | {"type": body["type"].removesuffix(".v1") + ".v9"})


def _wrong_types(body: dict[str, Any], _stream: str) -> bytes:
    return _event(body | {"data": {name: {"value": value} for name, value in body["data"].items()}})


def _wrong_source(body: dict[str, Any], stream: str) -> bytes:
    other = next(name for name in READ_BY_ALL if name != stream)
    return _event(body | {"source": f"/{other.lower()}"})


def _lacking(body: dict[str, Any], _stream: str) -> bytes:
    return _event(body | {"data": {}})


def _too_large_a_number(body: dict[str, Any], _stream: str) -> bytes:
    return _event(body | {"sequence": "9" * 19})


def _event(body: dict[str, Any]) -> bytes:
    return json.dumps(body | {"id": str(uuid.uuid4())}).encode()
