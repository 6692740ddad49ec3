"""Random values of the JSON Schemas that our models generate."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

from benvung.contracts.compatibility import resolve

DAYS = st.dates(dt.date(2021, 1, 1), dt.date(2030, 12, 31)).map(dt.date.isoformat)
FORMATS = {
    "date": DAYS,
    "date-time": DAYS.map(lambda day: f"{day}T08:00:00+07:00"),
    "uuid": st.uuids(version=4).map(str),
}
# No control characters: PostgreSQL refuses them, and so do the places where our texts come in.
TEXT = st.text(st.characters(categories=("L", "N", "P", "Zs")), max_size=20)


def values(schema: Mapping[str, Any], document: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values that the schema, which stands in `document`, allows; fields that may be missing sometimes are."""
    if "$ref" in schema:
        return values(resolve(schema["$ref"], document), document)
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of([values(each, document) for each in schema["anyOf"]])
    return _of_type(schema, document)


def _of_type(schema: Mapping[str, Any], document: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    make: dict[str, Callable[[], st.SearchStrategy[Any]]] = {
        "null": st.none,
        "boolean": st.booleans,
        "integer": lambda: st.integers(schema.get("minimum", -(2**31)), schema.get("maximum", 2**31 - 1)),
        "array": lambda: st.lists(values(schema["items"], document), max_size=3),
        "object": lambda: _object(schema, document),
        "string": lambda: _string(schema),
    }
    return make[schema["type"]]()


def _object(schema: Mapping[str, Any], document: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if "properties" not in schema:
        return st.dictionaries(TEXT, values(schema["additionalProperties"], document), max_size=3)
    fields = {name: values(each, document) for name, each in schema["properties"].items()}
    asked = {name: fields.pop(name) for name in schema["required"]}
    return st.fixed_dictionaries(asked, optional=fields)


def _string(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True)
    return FORMATS.get(schema.get("format", ""), TEXT)
