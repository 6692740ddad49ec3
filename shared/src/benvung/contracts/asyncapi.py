"""The AsyncAPI 3.1 document of a service: what it tells, what it listens to, and where.

Payloads are written in the part of JSON Schema that AsyncAPI's own dialect shares.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from benvung.contracts.schemas import event_schema, reader_schema
from benvung.envelope import CONTENT_TYPE, EventData
from benvung.projector import Projector, Withdrawal
from benvung.service import Service

BINDING = {"nats": {"bindingVersion": "0.1.0"}}
PLACE = {
    "province": {
        "description": "code of the province, or `_` where the fact belongs to a place above provinces",
        "examples": ["64", "_"],
    },
    "commune": {
        "description": "code of the commune, or `_` where the fact belongs to a place above communes",
        "examples": ["23827", "_"],
    },
}
HEADERS = {
    "type": "object",
    "properties": {
        "Nats-Msg-Id": {"type": "string", "description": "the event's id"},
        "Content-Type": {"const": CONTENT_TYPE},
    },
}
ABOUT = """\
Events are CloudEvents 1.0 in structured JSON mode, kept in JetStream streams from which nothing ages out.
A reader gets a durable made for it by the stream's owner, and pulls from that; it may start again from any
place. A message may be delivered more than once and out of order: facts count once by `sequence`, and state
is what the highest `sequence` says. `data.revision` counts 1, 2, 3 … per aggregate, so that a gap is seen.
Within a version fields are only added; pass over what you do not know."""


def document(service: Service, examples: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The whole document. `examples` are events by type."""
    schemas: dict[str, Any] = {}
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for event in service.events:
        schemas |= _components(event.event_type, event_schema(event))
        channels[event.event_type] = _channel(
            event.event_type, event.stream(), event.restricted, [examples[event.event_type]]
        )
        operations[f"send.{event.event_type}"] = _operation("send", event.event_type, _first_line(event))
    for projector in service.projectors:
        readers: dict[str, type[BaseModel]] = {**projector.readers, projector.withdrawn_type: Withdrawal}
        for event_type, reader in readers.items():
            owner = projector.stream.removesuffix("_RESTRICTED").lower()
            schemas |= _components(event_type, reader_schema(event_type, owner, reader))
            channels[event_type] = _channel(event_type, projector.stream, _is_restricted(projector), ())
            operations[f"receive.{projector.name}.{event_type}"] = _operation(
                "receive", event_type, f"Read into the projection {projector.name} through its durable"
            )
    return {
        "asyncapi": "3.1.0",
        "id": f"urn:benvung:{service.name}",
        "info": {
            "title": f"Bền Vững: {service.title_vi}",
            "version": "1",
            "description": f"{service.title_en}.\n\n{ABOUT}",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {"nats": _server()},
        "channels": channels,
        "operations": operations,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "user": {
                    "type": "userPassword",
                    "description": "a user of the service's or the agency's account",
                }
            },
        },
    }


def _server() -> dict[str, Any]:
    return {
        "host": "{host}:{port}",
        "protocol": "nats",
        "description": "NATS with JetStream, as the province runs it",
        "variables": {"host": {"default": "127.0.0.1"}, "port": {"default": "4222"}},
        "security": [{"$ref": "#/components/securitySchemes/user"}],
    }


def _channel(
    event_type: str, stream: str, restricted: bool, examples: Iterable[dict[str, Any]]
) -> dict[str, Any]:
    prefix = "restricted." if restricted else ""
    message: dict[str, Any] = {
        "name": event_type,
        "contentType": CONTENT_TYPE,
        "headers": HEADERS,
        "payload": {"$ref": f"#/components/schemas/{event_type}"},
    }
    shown = [{"name": "newest", "payload": each} for each in examples]
    return {
        "address": f"{prefix}{event_type}.{{province}}.{{commune}}",
        "title": event_type,
        "description": f"In the stream {stream}."
        + (
            " Restricted: only for readers to whom the owner gave a durable of this stream."
            if restricted
            else ""
        ),
        "servers": [{"$ref": "#/servers/nats"}],
        "parameters": {
            name: {**about, "location": f"$message.payload#/data/{name}"} for name, about in PLACE.items()
        },
        "messages": {event_type: message | ({"examples": shown} if shown else {})},
        "x-stream": stream,
        "x-restricted": restricted,
    }


def _operation(action: str, event_type: str, summary: str) -> dict[str, Any]:
    channel = f"#/channels/{event_type}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "summary": summary,
        "messages": [{"$ref": f"{channel}/messages/{event_type}"}],
        "bindings": BINDING,
    }


def _components(event_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema and its parts as components of their own, named after the event."""
    whole = {key: value for key, value in schema.items() if not key.startswith("$")}
    parts = {f"{event_type}.{name}": part for name, part in schema["$defs"].items()}
    return {name: _moved(part, event_type) for name, part in {event_type: whole, **parts}.items()}


def _moved(part: Any, event_type: str) -> Any:
    if isinstance(part, dict):
        return {
            key: value.replace("#/$defs/", f"#/components/schemas/{event_type}.")
            if key == "$ref"
            else _moved(value, event_type)
            for key, value in part.items()
        }
    return [_moved(each, event_type) for each in part] if isinstance(part, list) else part


def _is_restricted(projector: Projector) -> bool:
    return projector.stream.endswith("_RESTRICTED")


def _first_line(event: type[EventData]) -> str:
    return (event.__doc__ or "").strip().partition("\n")[0]
