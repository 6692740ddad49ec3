"""What a service would break of its committed contracts: events, channels, operations."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from benvung.contracts.compatibility import Break, Promise, Schema, breaks

Files = Mapping[str, str]
ADVICE = {"field-required": ": mark it LATER"}
METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


def broken(committed: Files, wanted: Files) -> list[Break]:
    """Every promise of the committed files that the wanted ones break. Names are paths below `contracts`."""
    found: list[Break] = []
    for name, text in committed.items():
        if name.startswith("events/"):
            found += _event(name, json.loads(text), wanted.get(name))
    for name, compare in (("asyncapi.json", _channels), ("openapi.json", _operations)):
        if name in committed:
            found += compare(json.loads(committed[name]), json.loads(wanted[name]))
    return found


def _event(name: str, old: Schema, wanted: str | None) -> list[Break]:
    event_type = name.removeprefix("events/").removesuffix(".json")
    if wanted is None:
        return [Break(event_type, "the event is gone, and its readers wait for it", "event-removed")]
    found = breaks(old, json.loads(wanted), Promise.EVENT)
    return [
        Break(f"{event_type} {each.where}", each.words + ADVICE.get(each.rule, ""), each.rule)
        for each in found
    ]


def _channels(old: Schema, new: Schema) -> Iterator[Break]:
    """An event stays where its readers look for it."""
    told = {each["channel"]["$ref"] for each in old["operations"].values() if each["action"] == "send"}
    for reference in sorted(told):
        event_type = reference.removeprefix("#/channels/")
        before, after = old["channels"][event_type], new["channels"].get(event_type)
        if after is not None and (before["address"], before["x-stream"]) != (
            after["address"],
            after["x-stream"],
        ):
            words = f"was told on {before['address']}, is told on {after['address']}"
            yield Break(event_type, words, "channel-moved")


def _operations(old: Schema, new: Schema) -> Iterator[Break]:
    for path, methods in old["paths"].items():
        for method in METHODS:
            if method not in methods:
                continue
            where, after = f"{method.upper()} {path}", new["paths"].get(path, {}).get(method)
            if after is None:
                yield Break(where, "the operation is gone", "operation-removed")
                continue
            yield from _within(where, _Operation(methods[method], old).breaks(_Operation(after, new)))


def _within(where: str, found: Iterator[Break]) -> Iterator[Break]:
    for each in found:
        yield Break(f"{where} {each.where}".strip(), each.words, each.rule)


class _Operation:
    """One operation and the document it stands in."""

    def __init__(self, operation: Schema, document: Schema) -> None:
        self.document = document
        self.secured = bool(operation.get("security", document.get("security")))
        self.parameters = {_address(each): each for each in operation.get("parameters", ())}
        self.body = operation.get("requestBody", {})
        self.answers = operation.get("responses", {})

    def breaks(self, new: "_Operation") -> Iterator[Break]:
        if new.secured and not self.secured:
            yield Break("", "asks for sign-in now", "sign-in-asked")
        yield from self._parameters(new)
        yield from self._body(new)
        for status, answer in self.answers.items():
            if status in new.answers:
                content = new.answers[status].get("content", {})
                yield from self._contents(
                    f"answer {status}", answer.get("content", {}), content, new, Promise.ANSWER
                )
            elif status < "4":
                yield Break(f"answer {status}", "is no longer given", "answer-removed")

    def _parameters(self, new: "_Operation") -> Iterator[Break]:
        for key, before in self.parameters.items():
            after = new.parameters.get(key)
            if after is None:
                yield Break(f"{key[0]} {key[1]}", "the parameter is gone", "parameter-removed")
                continue
            if after.get("required") and not before.get("required"):
                yield Break(f"{key[0]} {key[1]}", "is required now", "parameter-required")
            schemas = (before.get("schema", {}), after.get("schema", {}))
            found = breaks(*schemas, Promise.REQUEST, documents=(self.document, new.document))
            yield from _within(f"{key[0]} {key[1]}", iter(found))
        for key in new.parameters.keys() - self.parameters.keys():
            if new.parameters[key].get("required"):
                yield Break(
                    f"{key[0]} {key[1]}", "is required, and callers do not send it", "parameter-required"
                )

    def _body(self, new: "_Operation") -> Iterator[Break]:
        if new.body.get("required") and not self.body.get("required"):
            yield Break("body", "is required now", "body-required")
        if self.body and not new.body:
            yield Break("body", "is no longer read", "body-removed")
        elif self.body:
            before, after = self.body.get("content", {}), new.body.get("content", {})
            yield from self._contents("body", before, after, new, Promise.REQUEST)

    def _contents(
        self, where: str, old: Schema, new: Schema, operation: "_Operation", promise: Promise
    ) -> Iterator[Break]:
        for kind, before in old.items():
            if kind not in new:
                yield Break(where, f"{kind} is gone", "content-removed")
                continue
            schemas: tuple[Any, Any] = (before.get("schema", {}), new[kind].get("schema", {}))
            found = breaks(*schemas, promise, documents=(self.document, operation.document))
            yield from _within(where, iter(found))


def _address(parameter: Schema) -> tuple[str, str]:
    """Where a parameter stands and its name; names of headers are the same in any case."""
    place, name = parameter["in"], parameter["name"]
    return place, name.lower() if place == "header" else name
