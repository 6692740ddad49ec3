"""Events in writing: each has its schema and its examples, and these are what a producer writes and others read."""

import datetime as dt
import json
from typing import Any

import jsonschema_rs
import pytest
from cloudevents.core.bindings.common import get_event_factory_for_version
from cloudevents.core.formats.json import JSONFormat
from tests.contracts.examples import Example, committed, newest, published
from tests.contracts.services import SERVICES

from benvung import contracts
from benvung.envelope import decode, encode

EXAMPLES = committed()


def validator(schema: dict[str, Any]) -> Any:
    """A validator that looks at formats too."""
    return jsonschema_rs.validator_for(schema, validate_formats=True)


def committed_schema(event_type: str) -> dict[str, Any]:
    """The schema of an event as it is promised."""
    home = contracts.folder(event_type.partition(".")[0])
    found: dict[str, Any] = json.loads((home / "events" / f"{event_type}.json").read_text("utf-8"))
    return found


def test_every_event_has_its_schema_and_an_example() -> None:
    schemas = {path.stem for service in SERVICES for path in contracts.folder(service).glob("events/*.json")}

    assert schemas == set(published())
    assert set(newest()) == set(published())


@pytest.mark.parametrize("event_type", sorted(published()))
def test_the_examples_of_an_event_are_numbered_without_a_gap(event_type: str) -> None:
    numbers = sorted(int(each.path.stem) for each in EXAMPLES if each.type == event_type)

    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("service", SERVICES)
def test_no_two_examples_have_one_id_or_one_sequence(service: str) -> None:
    of_service = [each.body for each in EXAMPLES if each.body["source"] == f"/{service}"]

    assert len({each["id"] for each in of_service}) == len(of_service)
    assert len({each["sequence"] for each in of_service}) == len(of_service)


@pytest.mark.parametrize("example", newest().values(), ids=lambda each: each.name)
def test_the_newest_example_is_what_its_producer_writes_today(example: Example) -> None:
    told = decode(example.stored().payload)
    written = encode(
        example.event(),
        event_id=told.id,
        sequence=told.sequence,
        time=told.time,
        traceparent=told.traceparent,
    )

    assert json.loads(written) == example.body


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.name)
def test_every_event_ever_told_is_right_by_the_schema_of_today(example: Example) -> None:
    assert example.path.parent.name == example.type
    assert list(validator(committed_schema(example.type)).iter_errors(example.body)) == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.name)
def test_the_cloudevents_sdk_reads_every_example(example: Example) -> None:
    event = JSONFormat().read(get_event_factory_for_version("1.0"), example.stored().payload)

    assert event.get_specversion() == "1.0"
    assert event.get_id() == example.body["id"]
    assert event.get_type() == example.type
    assert event.get_source() == example.body["source"]
    assert event.get_subject() == example.body["subject"]
    assert event.get_time() == dt.datetime.fromisoformat(example.body["time"])
    assert event.get_datacontenttype() == "application/json"
    assert event.get_extension("sequence") == example.body["sequence"]
    assert event.get_extension("traceparent") == example.body["traceparent"]
    assert event.get_data() == example.body["data"]


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type", "sequence", "data"])
def test_the_schema_misses_what_is_missing(name: str) -> None:
    body = dict(EXAMPLES[0].body)
    del body[name]

    assert not validator(committed_schema(EXAMPLES[0].type)).is_valid(body)


def test_the_schema_refuses_what_is_wrong() -> None:
    example = newest()["households.household.classified.v1"]
    check = validator(committed_schema(example.type))

    for field, wrong in [("members", 0), ("poverty_class", "UNHEARD_OF"), ("class_since", "24/01/2024")]:
        assert not check.is_valid({**example.body, "data": {**example.body["data"], field: wrong}})
    assert check.is_valid({**example.body, "data": {**example.body["data"], "added_later": 1}})
