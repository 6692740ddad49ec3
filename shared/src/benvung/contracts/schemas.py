"""JSON Schemas (2020-12) of events: as their producer promises them, and as a consumer reads them."""

from typing import Any

from pydantic import BaseModel

from benvung.envelope import SEQUENCE_DIGITS, EventData

DIALECT = "https://json-schema.org/draft/2020-12/schema"
LATER_MARK = "x-later"


def event_schema(event: type[EventData]) -> dict[str, Any]:
    """The schema of the whole CloudEvent that carries `event`.

    It is open: fields may be added within a version, and whoever reads passes over what they do not know.
    Fields that joined later are not required, because older events in the stream lack them.
    """
    data = event.model_json_schema(mode="serialization", ref_template="#/$defs/{model}")
    definitions = data.pop("$defs", {})
    for part in (data, *definitions.values()):
        _open(part)
    return _cloud_event(event.event_type, event.service(), event, data, definitions)


def reader_schema(event_type: str, owner: str, reader: type[BaseModel]) -> dict[str, Any]:
    """The schema of a CloudEvent as a consumer reads it: its own model, and nothing else."""
    data = reader.model_json_schema(mode="validation", ref_template="#/$defs/{model}")
    return _cloud_event(event_type, owner, reader, data, data.pop("$defs", {}))


def _open(schema: dict[str, Any]) -> None:
    if schema.get("additionalProperties") is False:
        del schema["additionalProperties"]
    properties = schema.get("properties", {})
    later = {name for name, field in properties.items() if field.pop(LATER_MARK, False)}
    if later:
        schema["required"] = [name for name in schema["required"] if name not in later]
    for name in later:
        text = f"{properties[name].get('description', '')} (absent from events told before it was added)"
        properties[name]["description"] = text.strip()


def _cloud_event(
    event_type: str, owner: str, model: type[BaseModel], data: dict[str, Any], definitions: dict[str, Any]
) -> dict[str, Any]:
    description = " ".join((model.__doc__ or "").split())
    fixed = {
        "specversion": {"const": "1.0"},
        "id": {
            "type": "string",
            "format": "uuid",
            "description": "the same each time the event is delivered",
        },
        "source": {"const": f"/{owner}"},
        "type": {"const": event_type},
        "subject": {"type": "string", "description": "id of the aggregate"},
        "time": {"type": "string", "format": "date-time"},
        "datacontenttype": {"const": "application/json"},
        "sequence": {
            "type": "string",
            "pattern": f"^[0-9]{{{SEQUENCE_DIGITS}}}$",
            "description": "orders the events of one aggregate; compares as text and as number",
        },
        "traceparent": {"type": "string"},
        "data": {"description": description, **data},
    }
    return {
        "$schema": DIALECT,
        "$id": f"https://benvung.vn/events/{event_type}.json",
        "title": event_type,
        "description": description,
        "type": "object",
        "properties": fixed,
        "required": [name for name in fixed if name != "traceparent"],
        "$defs": definitions,
    }
