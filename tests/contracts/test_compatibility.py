"""What breaks a promise is named, and what only adds is let through.

Each change is planted into a schema of the shape that our models generate. Where jsoncompat can judge, it is
asked too; it does not look at formats, patterns and defaults.
"""

import copy
import json
from typing import Any

import jsoncompat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benvung.contracts import Promise, breaks

OLD: dict[str, Any] = {
    "type": "object",
    "properties": {
        "type": {"const": "things.thing.told.v1"},
        "count": {"type": "integer", "minimum": 0},
        "stage": {"enum": ["PRELIMINARY", "OFFICIAL"], "type": "string"},
        "since": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
        "code": {"type": "string", "pattern": "^[0-9]{5}$", "maxLength": 5},
        "part": {"$ref": "#/$defs/Part"},
        "previous": {"anyOf": [{"$ref": "#/$defs/Part"}, {"type": "null"}]},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}},
        "totals": {"type": "object", "additionalProperties": {"type": "integer"}},
        "note": {"type": "string", "default": ""},
        "tree": {"$ref": "#/$defs/Node"},
    },
    "required": ["type", "count", "stage", "since", "code", "part", "previous", "parts", "totals", "tree"],
    "$defs": {
        "Part": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "weight": {"type": "integer"}},
            "required": ["name", "weight"],
        },
        "Node": {
            "type": "object",
            "properties": {"next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}},
            "required": ["next"],
        },
    },
}
P, D = "properties", "$defs"
Step = str | int
GONE = object()


def changed(*changes: tuple[tuple[Step, ...], Any]) -> dict[str, Any]:
    """The old schema with values put in their places; `GONE` takes one away."""
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


def without(*names: str) -> list[str]:
    """The required fields but these."""
    return [name for name in OLD["required"] if name not in names]


E, A, R = Promise.EVENT, Promise.ANSWER, Promise.REQUEST
ALL = {E, A, R}
CHANGES: list[Any] = [
    # name, change, who notices, where, rule
    ("a field is gone", changed(((P, "count"), GONE), (("required",), without("count"))), ALL, "count", "field-removed"),
    ("an optional field is gone", changed(((P, "note"), GONE)), ALL, "note", "field-removed"),
    ("a field of a part is gone", changed(((D, "Part", P, "weight"), GONE), ((D, "Part", "required"), ["name"])),
     ALL, "part.weight", "field-removed"),
    ("a field may be missing", changed((("required",), without("count"))), {E, A}, "count", "field-optional"),
    ("a field is required", changed((("required", "+"), "note")), {E, R}, "note", "field-required"),
    ("a new field is required", changed(((P, "more"), {"type": "string"}), (("required", "+"), "more")),
     {E, R}, "more", "field-required"),
    ("a part's new field is required",
     changed(((D, "Part", P, "more"), {"type": "string"}), ((D, "Part", "required", "+"), "more")),
     {E, R}, "part.more", "field-required"),
    ("another type", changed(((P, "count"), {"type": "string"})), ALL, "count", "value-"),
    ("another type in a list", changed(((P, "parts"), {"type": "array", "items": {"type": "string"}})),
     ALL, "parts[]", "value-"),
    ("another type in a map", changed(((P, "totals", "additionalProperties"), {"type": "string"})),
     ALL, "totals{}", "value-"),
    ("wider: a number", changed(((P, "count", "type"), "number")), {E, A}, "count", "value-new"),
    ("wider: null", changed(((P, "code"), {"anyOf": [OLD[P]["code"], {"type": "null"}]})), {E, A}, "code", "value-new"),
    ("narrower: no null", changed(((P, "since"), {"type": "string", "format": "date"})), {E, R}, "since", "value-gone"),
    ("wider: a value", changed(((P, "stage", "enum"), ["PRELIMINARY", "OFFICIAL", "FINAL"])), {E, A}, "stage", "value-new"),
    ("narrower: a value", changed(((P, "stage", "enum"), ["OFFICIAL"])), {E, R}, "stage", "value-gone"),
    ("wider: any text", changed(((P, "stage"), {"type": "string"})), {E, A}, "stage", "value-new"),
    ("another constant", changed(((P, "type", "const"), "things.thing.told.v2")), ALL, "type", "value-"),
    ("wider: a limit moved", changed(((P, "count", "minimum"), -1)), {E, A}, "count", "limit-changed"),
    ("wider: a limit gone", changed(((P, "code", "maxLength"), GONE)), {E, A}, "code", "limit-changed"),
    ("narrower: a limit moved", changed(((P, "count", "minimum"), 1)), {E, R}, "count", "limit-changed"),
    ("narrower: a limit new", changed(((P, "count", "maximum"), 9)), {E, R}, "count", "limit-changed"),
    ("another format", changed(((P, "since", "anyOf", 0, "format"), "date-time")), ALL, "since", "limit-changed"),
    ("wider: no format", changed(((P, "since", "anyOf", 0, "format"), GONE)), {E, A}, "since", "limit-changed"),
    ("another pattern", changed(((P, "code", "pattern"), "^[0-9]{2}$")), ALL, "code", "limit-changed"),
    ("another default", changed(((P, "note", "default"), "none")), {E, R}, "note", "default-changed"),
    ("closed", changed((("additionalProperties",), False)), {E, R}, "", "fields-closed"),
]  # fmt: skip
ADDITIONS: list[Any] = [
    ("nothing", changed()),
    ("a field that may be missing", changed(((P, "more"), {"type": "string"}))),
    ("a part's field that may be missing", changed(((D, "Part", P, "more"), {"type": "string"}))),
    ("a part that may be missing", changed(((P, "another"), {"$ref": "#/$defs/Part"}))),
    ("words", changed(((P, "count", "description"), "how many"), ((P, "count", "title"), "Number"))),
    ("an example", changed(((P, "count", "examples"), [7]))),
    ("the order of values", changed(((P, "stage", "enum"), ["OFFICIAL", "PRELIMINARY"]))),
    ("the order of alternatives", changed(((P, "since", "anyOf"), [{"type": "null"}, OLD[P]["since"]["anyOf"][0]]))),
    ("a part under another name",
     changed(((D, "Piece"), OLD[D]["Part"]), ((P, "part", "$ref"), "#/$defs/Piece"))),
    ("a part written in place", changed(((P, "part"), OLD[D]["Part"]))),
]  # fmt: skip


@pytest.mark.parametrize("promise", Promise, ids=lambda promise: promise.name)
@pytest.mark.parametrize(
    ("new", "noticed_by", "where", "rule"), [each[1:] for each in CHANGES], ids=[each[0] for each in CHANGES]
)
def test_a_change_is_named_to_whom_it_concerns(
    new: dict[str, Any], noticed_by: set[Promise], where: str, rule: str, promise: Promise
) -> None:
    found = breaks(OLD, new, promise)

    if promise in noticed_by:
        assert [each for each in found if each.where == where and each.rule.startswith(rule)], found
    else:
        assert found == []


@pytest.mark.parametrize("promise", Promise, ids=lambda promise: promise.name)
@pytest.mark.parametrize("new", [each[1] for each in ADDITIONS], ids=[each[0] for each in ADDITIONS])
def test_what_only_adds_is_let_through(new: dict[str, Any], promise: Promise) -> None:
    assert breaks(OLD, new, promise) == []


def test_an_answer_may_say_more_and_promise_more() -> None:
    more = changed(
        ((P, "more"), {"type": "string"}), (("required", "+"), "more"), ((P, "stage", "enum"), ["OFFICIAL"])
    )

    assert breaks(OLD, more, Promise.ANSWER) == []


def test_a_request_may_ask_for_less_and_allow_more() -> None:
    less = changed(
        (("required",), without("count")), ((P, "stage", "enum"), ["PRELIMINARY", "OFFICIAL", "FINAL"])
    )

    assert breaks(OLD, less, Promise.REQUEST) == []


BLIND = {
    "another format",
    "wider: no format",
    "another pattern",
    "another default",
    "an optional field is gone",
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change[0])
def test_the_referee_sees_what_we_see(change: Any) -> None:
    name, new, noticed_by, _, _ = change
    readable = jsoncompat.check_compat(json.dumps(OLD), json.dumps(new), "serializer")
    right = jsoncompat.check_compat(json.dumps(OLD), json.dumps(new), "deserializer")

    if name not in BLIND:
        assert readable == (Promise.ANSWER not in noticed_by)
        assert right == (Promise.REQUEST not in noticed_by) or name in {
            "a field is gone",
            "a field of a part is gone",
        }


FIELDS = st.one_of(
    st.just({"type": "string"}),
    st.just({"type": "integer"}),
    st.just({"type": "integer", "minimum": 1}),
    st.just({"anyOf": [{"type": "string"}, {"type": "null"}]}),
    st.lists(st.sampled_from(["A", "B", "C"]), min_size=1, unique=True).map(lambda found: {"enum": found}),
)


@st.composite
def schemas(draw: st.DrawFn, *, closed: bool = False) -> dict[str, Any]:
    """Two levels of fields; the inner one may be null."""
    more = {"additionalProperties": False} if closed else {}
    names = draw(st.lists(st.sampled_from(["a", "b", "c"]), unique=True))
    required = draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    inner = {name: draw(FIELDS) for name in names}
    part = {"type": "object", "properties": inner, "required": required, **more}
    outer = {"part": draw(st.sampled_from([part, {"anyOf": [part, {"type": "null"}]}])), "x": draw(FIELDS)}
    return {"type": "object", "properties": outer, "required": ["part"], **more}


LIMITED = settings(max_examples=200, deadline=None, derandomize=True, database=None)


@LIMITED
@given(schemas(), schemas())
def test_whatever_the_referee_refuses_of_an_answer_we_refuse(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    """The referee knows what fits; we refuse a little more, because a field that is gone is always missed."""
    if not jsoncompat.check_compat(json.dumps(old), json.dumps(new), "serializer"):
        assert breaks(old, new, Promise.ANSWER)
        assert breaks(old, new, Promise.EVENT)


@LIMITED
@given(schemas(closed=True), schemas(closed=True))
def test_whatever_the_referee_refuses_of_a_request_we_refuse(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    assert bool(breaks(old, new, Promise.REQUEST)) != jsoncompat.check_compat(
        json.dumps(old), json.dumps(new), "deserializer"
    )


@LIMITED
@given(schemas())
def test_a_schema_keeps_its_own_promise(schema: dict[str, Any]) -> None:
    assert [breaks(schema, schema, promise) for promise in Promise] == [[], [], []]
