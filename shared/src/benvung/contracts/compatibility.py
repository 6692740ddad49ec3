"""Whether a new JSON Schema keeps what an old one promised.

Two questions are asked, one or both. Does what the new schema describes fit the old one: can whoever reads
still read it? Does what the old schema described fit the new one: is what was written before still right?
Objects are open: a field that a schema does not name may be added, and whoever reads passes over it.

Titles, descriptions and examples are no promise. Keywords that our models do not write (`not`, `allOf` …)
may not change at all.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

Schema = Mapping[str, Any]

_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LITERAL = (
    *("allOf", "contentEncoding", "contentMediaType", "format", "if", "multipleOf", "not", "pattern"),
    *("patternProperties", "prefixItems", "propertyNames", "uniqueItems"),
)
_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}


class Promise(Enum):
    """Who would notice a change. The value says which questions follow: (still readable, still right)."""

    EVENT = (True, True)  # read by consumers we do not know, and kept in the stream for ever
    ANSWER = (True, False)
    REQUEST = (False, True)


@dataclass(frozen=True, slots=True)
class Break:
    """A promise that would be broken: where, in words, and the rule's name."""

    where: str
    words: str
    rule: str

    def __str__(self) -> str:
        return f"{self.where}: {self.words} ({self.rule})"


def breaks(
    old: Schema, new: Schema, promise: Promise, *, documents: tuple[Schema, Schema] | None = None
) -> list[Break]:
    """What `new` breaks of what `old` promised.

    `documents` are the wholes in which a `$ref` of either is looked up; they are `old` and `new` unless given.
    """
    before, after = documents or (old, new)
    readable, right = promise.value
    found: list[Break] = []
    if readable:
        found += _Fit(after, before, newer_fits_older=True).breaks(new, old, "")
    if right:
        found += _Fit(before, after, newer_fits_older=False).breaks(old, new, "")
    return list(dict.fromkeys(found))


class _Fit:
    """Whether every value of a narrow schema is a value of a wide one. One of them is older, one newer."""

    def __init__(self, narrow: Schema, wide: Schema, *, newer_fits_older: bool) -> None:
        self._narrow, self._wide, self._readable = narrow, wide, newer_fits_older
        self._entered: set[tuple[str, str]] = set()

    def breaks(self, narrow: Schema, wide: Schema, where: str) -> list[Break]:
        pair = (_text(narrow), _text(wide))
        if pair in self._entered:
            return []
        if '"$ref"' in pair[0] + pair[1]:
            self._entered.add(pair)
        choices = list(_choices(wide, self._wide))
        found = [
            broken for one in _choices(narrow, self._narrow) for broken in self._one(one, choices, where)
        ]
        if not self._readable and "default" in narrow and narrow["default"] != wide.get("default"):
            words = f"the default was {_text(narrow['default'])}, is {_text(wide.get('default'))}"
            found.append(Break(where, words, "default-changed"))
        return found

    def _one(self, narrow: Schema, choices: list[Schema], where: str) -> list[Break]:
        """One alternative of the narrow schema against all of the wide one."""
        tried = [self._same(narrow, wide, where) for wide in choices if _alike(narrow, wide)]
        if not all(tried):
            return []
        if len(tried) == 1 and "const" not in narrow:
            return tried[0]
        if self._readable:
            return [Break(where, f"{_named(narrow)} is new, and readers do not expect it", "value-new")]
        return [Break(where, f"{_named(narrow)} is refused now, and was right before", "value-gone")]

    def _same(self, narrow: Schema, wide: Schema, where: str) -> list[Break]:
        """Two schemas of one type, without alternatives."""
        if "const" in wide:
            return (
                [] if narrow.get("const", ...) == wide["const"] else [Break(where, "another value", "value")]
            )
        bounds = [key for key in (*_LITERAL, *_LOWER, *_UPPER) if not _within(key, narrow, wide)]
        found = [self._moved(key, narrow, wide, where) for key in bounds]
        if narrow.get("type") == "object":
            found += self._object(narrow, wide, where)
        if narrow.get("type") == "array" and _limits(wide.get("items")):
            found += self.breaks(narrow.get("items", {}), wide["items"], f"{where}[]")
        return found

    def _moved(self, key: str, narrow: Schema, wide: Schema, where: str) -> Break:
        old, new = (wide, narrow) if self._readable else (narrow, wide)
        return Break(where, f"{key} was {_text(old.get(key))}, is {_text(new.get(key))}", "limit-changed")

    def _object(self, narrow: Schema, wide: Schema, where: str) -> list[Break]:
        found = []
        old, new = (wide, narrow) if self._readable else (narrow, wide)
        given, expected = narrow.get("properties", {}), wide.get("properties", {})
        for name in old.get("properties", {}):
            if name not in new.get("properties", {}):
                found.append(Break(_join(where, name), "the field is gone", "field-removed"))
        lacking = set(wide.get("required", ())) - set(narrow.get("required", ()))
        for name in sorted(lacking & (set(given) if self._readable else set(expected))):
            found.append(self._lacking(_join(where, name)))
        for name in sorted(set(given) & set(expected)):
            found += self.breaks(given[name], expected[name], _join(where, name))
        return found + self._others(narrow, wide, where)

    def _lacking(self, where: str) -> Break:
        if self._readable:
            return Break(where, "was always there, and may be missing now", "field-optional")
        return Break(where, "is required, and what was written before lacks it", "field-required")

    def _others(self, narrow: Schema, wide: Schema, where: str) -> list[Break]:
        """Fields without a declared name: closed objects, and objects used as maps."""
        given, allowed = narrow.get("additionalProperties", True), wide.get("additionalProperties", True)
        if isinstance(given, Mapping) and isinstance(allowed, Mapping):
            return self.breaks(given, allowed, f"{where}{{}}")
        if isinstance(allowed, Mapping) or (allowed is False and not self._readable and given is not False):
            return [Break(where, "other fields were allowed, and are not now", "fields-closed")]
        return []


def _choices(schema: Schema, document: Schema) -> Iterator[Schema]:
    """The alternatives of a schema: variants, types and enumerated values, with references followed."""
    if "$ref" in schema:
        yield from _choices(resolve(schema["$ref"], document), document)
        return
    variants = schema.get("anyOf") or schema.get("oneOf")
    if variants:
        for each in variants:
            yield from _choices(each, document)
    elif "enum" in schema:
        yield from ({"const": value, "type": _type(value)} for value in schema["enum"])
    elif "const" in schema:
        yield {"const": schema["const"], "type": _type(schema["const"])}
    elif isinstance(schema.get("type"), list):
        yield from ({**schema, "type": kind} for kind in schema["type"])
    else:
        yield schema


def resolve(reference: str, document: Schema) -> Schema:
    """The part of a document that an internal reference (`#/a/b`) names."""
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    assert isinstance(found, Mapping)
    return found


def _alike(narrow: Schema, wide: Schema) -> bool:
    kinds = (narrow.get("type"), wide.get("type"))
    return kinds[1] is None or kinds[0] == kinds[1] or kinds == ("integer", "number")


def _within(key: str, narrow: Schema, wide: Schema) -> bool:
    if key not in wide:
        return True
    if key in _LITERAL or key not in narrow:
        return bool(narrow.get(key, ...) == wide[key])
    return bool(narrow[key] >= wide[key] if key in _LOWER else narrow[key] <= wide[key])


def _limits(items: object) -> bool:
    return isinstance(items, Mapping) and bool(items)


def _named(schema: Schema) -> str:
    if "const" in schema:
        return f"the value {_text(schema['const'])}"
    return f"the type {schema.get('type', 'anything')}"


def _type(value: object) -> str:
    return "null" if value is None else _TYPES[type(value)]


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
