"""Examples in contracts, made from what the classes say and from a service's example values.

A value comes from the field's own `examples`; or from `examples.json`, the service's or the kit's, which holds
values by field name or by `Model.field`, and a key for a map as `field{}`; or from its type where only one thing can be meant.
"""

import functools
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

from pydantic import ValidationError

from benvung.contracts.compatibility import Schema, resolve
from benvung.envelope import EventData

FORMATS = {
    "date": "2024-01-24",
    "date-time": "2024-01-24T08:00:00+07:00",
    "uuid": "018f6b1e-6a00-7000-8000-000000000001",
}
SHAPES = {"date": r"^\d{4}-\d\d-\d\d$", "date-time": r"^\d{4}-\d\d-\d\dT", "uuid": r"^[0-9a-f-]{36}$"}
KINDS: dict[str, tuple[type, ...]] = {
    "null": (type(None),),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "array": (list,),
    "object": (dict,),
}
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class NoExample(Exception):
    """Nothing says what a field may look like; the message names the field."""


@functools.cache
def values(package: str) -> Mapping[str, Any]:
    """Example values by field name: the kit's, and above them those of a service."""
    found: dict[str, Any] = {}
    for home in ("benvung", package):
        file = resources.files(home) / "examples.json"
        if file.is_file():
            found |= json.loads(file.read_text("utf-8"))
    return found


class Composer:
    """Makes example values for the schemas of one document."""

    def __init__(self, document: Schema, known: Mapping[str, Any]) -> None:
        self._document, self._known = document, known

    def make(self, schema: Schema, name: str = "", where: str = "", model: str = "") -> Any:
        """A value of this schema for the field `name` of `model`. Raises `NoExample`."""
        if "$ref" in schema:
            return self.make(resolve(schema["$ref"], self._document), name, where, model)
        for value in self._said(schema, name, model):
            return value
        for variant in schema.get("anyOf", ()):
            if variant.get("type") != "null":
                return self.make(variant, name, where, model)
        return self._of_type(schema, name, where, model)

    def _said(self, schema: Schema, name: str, model: str) -> Iterator[Any]:
        """What is known of this field, the most particular first."""
        if "const" in schema:
            yield schema["const"]
        if f"{model}.{name}" in self._known:
            yield self._known[f"{model}.{name}"]
        yield from schema.get("examples", ())
        if name in self._known and self._fits(self._known[name], schema):
            yield self._known[name]
        yield from schema.get("enum", ())
        if schema.get("type") == "string" and schema.get("format") in FORMATS:
            yield FORMATS[schema["format"]]

    def _of_type(self, schema: Schema, name: str, where: str, model: str) -> Any:
        match schema.get("type"):
            case "object" if "properties" in schema:
                return {key: self._field(schema, key, where) for key in schema["properties"]}
            case "object" if "additionalProperties" in schema and f"{name}{{}}" in self._known:
                key = self._known[f"{name}{{}}"]
                return {key: self.make(schema["additionalProperties"], name, f"{where}{{}}", model)}
            case "array":
                return [self.make(schema.get("items", {}), name, f"{where}[]", model)]
            case "boolean":
                return True
            case "null":
                return None
        wanted = f"examples.json needs {name!r} or {f'{model}.{name}'!r}, or the field an example"
        raise NoExample(f"{where}: {wanted}")

    def _field(self, schema: Schema, key: str, where: str) -> Any:
        at = f"{where}.{key}".strip(".")
        return self.make(schema["properties"][key], key, at, schema.get("title", ""))

    def _fits(self, value: Any, schema: Schema) -> bool:
        """Whether a value known by the field's name alone is meant here: its type is right, and it is listed."""
        if "$ref" in schema:
            return self._fits(value, resolve(schema["$ref"], self._document))
        if "anyOf" in schema:
            return any(self._fits(value, each) for each in schema["anyOf"])
        if "enum" in schema:
            return value in schema["enum"]
        if schema.get("type") == "object" and "properties" in schema:
            return False
        if isinstance(value, str) and not re.search(SHAPES.get(schema.get("format", ""), ""), value):
            return False
        return type(value) in KINDS.get(str(schema.get("type")), ())

    def complete(self, given: Any, schema: Schema, where: str = "") -> Any:
        """`given` with the fields it lacks: an example of an earlier shape brought to this one."""
        if "$ref" in schema:
            return self.complete(given, resolve(schema["$ref"], self._document), where)
        if isinstance(given, list):
            return [self.complete(each, schema.get("items", {}), f"{where}[]") for each in given]
        if not isinstance(given, dict):
            return given
        for variant in schema.get("anyOf", ()):
            if "$ref" in variant or variant.get("type") == "object":
                return self.complete(given, variant, where)
        fields = schema.get("properties", {})
        inner = schema.get("additionalProperties")
        if isinstance(inner, Mapping) and not fields:
            return {key: self.complete(each, inner, f"{where}{{}}") for key, each in given.items()}
        whole = {}
        for key, each in fields.items():
            at = f"{where}.{key}".strip(".")
            whole[key] = (
                self.complete(given[key], each, at) if key in given else self._field(schema, key, where)
            )
        return {**given, **whole}


def next_event(
    event: type[EventData],
    schema: Schema,
    newest: Mapping[str, Any] | None,
    number: int,
    known: Mapping[str, Any],
) -> dict[str, Any] | None:
    """The example that `event` still needs, but for its sequence, or `None`: the newest one shows it whole.

    It is the newest one with the fields that were added since, or a draft where there is none yet.
    """
    composer, data = Composer(schema, known), schema["properties"]["data"]
    if newest is None:
        whole = composer.make(data, where=event.event_type)
    else:
        whole = composer.complete(newest["data"], data, event.event_type)
        if whole == newest["data"]:
            return None
    try:
        written = event.model_validate(whole)
    except ValidationError as error:
        raise NoExample(f"{event.event_type}: the values known do not make an example: {error}") from error
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{event.event_type}/{number}")),
        "source": f"/{event.service()}",
        "type": event.event_type,
        "subject": written.subject_id,
        "time": newest["time"] if newest else FORMATS["date-time"],
        "datacontenttype": "application/json",
        "traceparent": TRACE,
        "data": written.model_dump(mode="json", by_alias=True),
    }


def illustrate(document: dict[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Give every JSON request and answer of an OpenAPI document an example, where one can be made."""
    composer = Composer(document, known)
    for path in document.get("paths", {}).values():
        for operation in path.values():
            contents = [operation.get("requestBody", {}).get("content", {})]
            contents += [
                each.get("content", {}) for status, each in operation["responses"].items() if status < "3"
            ]
            for content in contents:
                _illustrate(content.get("application/json", {}), composer)
    return document


def _illustrate(media: dict[str, Any], composer: Composer) -> None:
    if "schema" not in media or "example" in media or "examples" in media:
        return
    try:
        media["example"] = composer.make(media["schema"])
    except NoExample:
        return
