"""What breaks the promise of an operation is refused; what only adds is let through."""

import copy
import json
from typing import Any

import pytest

from benvung.contracts import promises

GIVEN = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "kind": {"enum": ["A", "B"]}},
    "required": ["name"],
}
OLD: dict[str, Any] = {
    "paths": {
        "/v1/things": {
            "get": {
                "parameters": [
                    {"in": "query", "name": "limit", "schema": {"type": "integer", "maximum": 100, "default": 50}},
                    {"in": "header", "name": "If-Match", "required": True, "schema": {"type": "string"}},
                ],
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                    "404": {"content": {"application/problem+json": {"schema": {"type": "object"}}}},
                },
            },
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Given"}}}},
                "responses": {"201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}},
            },
        },
        "/v1/things.csv": {"get": {"responses": {"200": {"content": {"text/csv": {"schema": {"type": "string"}}}}}}},
    },
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "kind": {"enum": ["A", "B"]}},
                "required": ["name", "kind"],
            },
            "Given": {**GIVEN, "additionalProperties": False},
        }
    },
}  # fmt: skip
THINGS, SCHEMAS = ("paths", "/v1/things"), ("components", "schemas")
GONE = object()


def changed(*changes: tuple[tuple[Any, ...], Any]) -> dict[str, Any]:
    """The old document with values put in their places; `GONE` takes one away, "+" adds to a list."""
    new = copy.deepcopy(OLD)
    for path, value in changes:
        place: Any = new
        for step in path[:-1]:
            place = place[step]
        if value is GONE:
            del place[path[-1]]
        elif path[-1] == "+":
            place.append(value)
        else:
            place[path[-1]] = value
    return new


def parameter(name: str, **more: Any) -> dict[str, Any]:
    """A parameter of a query."""
    return {"in": "query", "name": name, "schema": {"type": "string"}, **more}


LIMIT = (*THINGS, "get", "parameters", 0)
BREAKING: list[Any] = [
    ("an address is gone", changed((("paths", "/v1/things.csv"), GONE)), "GET /v1/things.csv: the operation is gone"),
    ("an operation is gone", changed(((*THINGS, "post"), GONE)), "POST /v1/things: the operation is gone"),
    ("it asks for sign-in", changed(((*THINGS, "get", "security"), [{"bearer": []}])), "GET /v1/things: asks for sign-in now"),
    ("an answer is gone", changed(((*THINGS, "post", "responses"), {})), "POST /v1/things answer 201: is no longer given"),
    ("a kind of content is gone", changed((("paths", "/v1/things.csv", "get", "responses", "200", "content"), {})),
     "GET /v1/things.csv answer 200: text/csv is gone"),
    ("an answer's field is gone", changed(((*SCHEMAS, "Thing", "properties", "kind"), GONE), ((*SCHEMAS, "Thing", "required"), ["name"])),
     "GET /v1/things answer 200 kind: the field is gone"),
    ("an answer's field may be missing", changed(((*SCHEMAS, "Thing", "required"), ["name"])), "GET /v1/things answer 200 kind: was always there"),
    ("an answer has a new value", changed(((*SCHEMAS, "Thing", "properties", "kind", "enum", "+"), "C")),
     'POST /v1/things answer 201 kind: the value "C" is new'),
    ("a refusal has another shape", changed(((*THINGS, "get", "responses", "404", "content", "application/problem+json", "schema"), {"type": "string"})),
     "GET /v1/things answer 404: the type string is new"),
    ("a parameter is gone", changed((LIMIT, parameter("more"))), "GET /v1/things query limit: the parameter is gone"),
    ("a new parameter is required", changed(((*THINGS, "get", "parameters", "+"), parameter("more", required=True))),
     "GET /v1/things query more: is required, and callers do not send it"),
    ("a parameter is required", changed(((*LIMIT, "required"), True)), "GET /v1/things query limit: is required now"),
    ("a parameter is narrower", changed(((*LIMIT, "schema", "maximum"), 10)), "GET /v1/things query limit: maximum was 100, is 10"),
    ("a parameter means something else when left out", changed(((*LIMIT, "schema", "default"), 10)),
     "GET /v1/things query limit: the default was 50, is 10"),
    ("a body is required", changed(((*THINGS, "post", "requestBody", "required"), True)), "POST /v1/things body: is required now"),
    ("a body is not read", changed(((*THINGS, "post", "requestBody"), GONE)), "POST /v1/things body: is no longer read"),
    ("a body's field is gone", changed(((*SCHEMAS, "Given", "properties", "kind"), GONE)), "POST /v1/things body kind: the field is gone"),
    ("a body's field is required", changed(((*SCHEMAS, "Given", "required", "+"), "kind")), "POST /v1/things body kind: is required"),
    ("a body's value is gone", changed(((*SCHEMAS, "Given", "properties", "kind", "enum"), ["A"])),
     'POST /v1/things body kind: the value "B" is refused now'),
]  # fmt: skip
ADDING: list[Any] = [
    ("nothing", changed()),
    ("an operation", changed(((*THINGS, "delete"), {"responses": {}}))),
    ("an answer", changed(((*THINGS, "get", "responses", "409"), {}))),
    ("an answer's field", changed(((*SCHEMAS, "Thing", "properties", "more"), {"type": "string"}), ((*SCHEMAS, "Thing", "required", "+"), "more"))),
    ("a parameter", changed(((*THINGS, "get", "parameters", "+"), parameter("more")))),
    ("a wider parameter", changed(((*LIMIT, "schema", "maximum"), 500))),
    ("a header in another spelling", changed(((*THINGS, "get", "parameters", 1, "name"), "if-match"))),
    ("a header that need not be sent", changed(((*THINGS, "get", "parameters", 1, "required"), False))),
    ("a body's field that may be missing", changed(((*SCHEMAS, "Given", "properties", "more"), {"type": "string"}))),
    ("a body's field that need not be sent", changed(((*SCHEMAS, "Given", "required"), []))),
    ("a body's value", changed(((*SCHEMAS, "Given", "properties", "kind", "enum", "+"), "C"))),
    ("words", changed(((*THINGS, "get", "summary"), "Things"), ((*LIMIT, "description"), "how many"))),
    ("examples", changed(((*THINGS, "post", "requestBody", "content", "application/json", "example"), {"name": "x"}))),
]  # fmt: skip


def broken(new: dict[str, Any]) -> list[str]:
    """What the new document breaks of the old one, in words."""
    found = promises.broken({"openapi.json": json.dumps(OLD)}, {"openapi.json": json.dumps(new)})
    return [str(each) for each in found]


@pytest.mark.parametrize(
    ("new", "words"), [each[1:] for each in BREAKING], ids=[each[0] for each in BREAKING]
)
def test_a_breaking_change_of_an_operation_is_named(new: dict[str, Any], words: str) -> None:
    assert [each for each in broken(new) if each.startswith(words)], broken(new)


@pytest.mark.parametrize("new", [each[1] for each in ADDING], ids=[each[0] for each in ADDING])
def test_what_only_adds_to_an_operation_is_let_through(new: dict[str, Any]) -> None:
    assert broken(new) == []
