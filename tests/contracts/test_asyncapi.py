"""The AsyncAPI documents say where every event is, and the official parser takes them."""

import copy
import json
import subprocess
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import Field
from tests.contracts.examples import committed, newest, published
from tests.contracts.services import SERVICES, built

from benvung import contracts
from benvung.contracts import Promise, asyncapi
from benvung.envelope import EventData
from benvung.service import Service

REFEREE = Path(__file__).parent / "node"
SEVERITIES = ("error", "warning", "information", "hint")


def document(service: str) -> dict[str, Any]:
    """The committed document of a service."""
    found: dict[str, Any] = json.loads((contracts.folder(service) / "asyncapi.json").read_text("utf-8"))
    return found


def told(doc: dict[str, Any], action: str) -> set[str]:
    """The events that a document's operations send or receive."""
    operations = [each for each in doc["operations"].values() if each["action"] == action]
    return {each["channel"]["$ref"].removeprefix("#/channels/") for each in operations}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_says_what_it_tells_and_what_it_listens_to(name: str) -> None:
    service: Service = built(name)

    assert told(document(name), "send") == {each.event_type for each in service.events}
    assert told(document(name), "receive") == {
        event_type for each in service.projectors for event_type in (*each.readers, each.withdrawn_type)
    }


@pytest.mark.parametrize("example", committed(), ids=lambda each: each.name)
def test_an_event_is_where_its_channel_says(example: Any) -> None:
    # Older events lack what was added since; their place they have.
    event = published()[example.type].model_construct(**example.body["data"])
    channel = document(example.body["source"][1:])["channels"][example.type]
    place = {name: example.body["data"][name] or "_" for name in ("province", "commune")}

    assert channel["address"].format(**place) == event.subject()
    assert channel["x-stream"] == event.stream()
    assert channel["x-restricted"] is event.restricted
    assert set(channel["parameters"]) == set(place)


class Whispered(EventData):
    """A planted event that few may hear."""

    event_type: ClassVar[str] = "planted.thing.whispered.v1"
    restricted: ClassVar[bool] = True
    thing: str = Field(examples=["T-1"])


def test_what_is_restricted_is_marked() -> None:
    service = built("training", events=(Whispered,), projectors=())

    channel = asyncapi.document(service, {Whispered.event_type: {}})["channels"][Whispered.event_type]

    assert channel["address"] == "restricted.planted.thing.whispered.v1.{province}.{commune}"
    assert channel["x-stream"] == "PLANTED_RESTRICTED"
    assert channel["x-restricted"] is True
    assert "Restricted" in channel["description"]


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_told_has_the_promised_schema_and_the_newest_example(name: str) -> None:
    doc = document(name)
    for event_type in told(doc, "send"):
        (message,) = doc["channels"][event_type]["messages"].values()
        payload = doc["components"]["schemas"][
            message["payload"]["$ref"].removeprefix("#/components/schemas/")
        ]
        promised = contracts.event_schema(published()[event_type])

        assert contracts.breaks(promised, payload, Promise.EVENT, documents=(promised, doc)) == []
        assert contracts.breaks(payload, promised, Promise.EVENT, documents=(doc, promised)) == []
        assert [each["payload"] for each in message["examples"]] == [newest()[event_type].body]


# The official parser; `make test-node` installs it.


def judged(*paths: Path) -> dict[str, Any]:
    """What the official parser makes of each document, by path."""
    answer = subprocess.run(
        ["node", "check.js", *(str(path.resolve()) for path in paths)],
        cwd=REFEREE,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert answer.returncode == 0, f"run make test-node, which installs the parser\n{answer.stderr}"
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def faults(found: dict[str, Any]) -> list[str]:
    """What is wrong, not counting advice."""
    return [
        f"{SEVERITIES[each['severity']]} {each['at']}: {each['message']}"
        for each in found["diagnostics"]
        if each["severity"] < 2
    ]


@pytest.mark.node
def test_the_official_parser_takes_every_document() -> None:
    paths = {name: contracts.folder(name) / "asyncapi.json" for name in SERVICES}
    found = judged(*paths.values())

    for name, path in paths.items():
        one = found[str(path.resolve())]
        assert faults(one) == []
        assert one["version"] == "3.1.0"
        assert sorted(one["operations"]) == sorted(document(name)["operations"])
        assert sorted(one["channels"]) == sorted(
            each["address"] for each in document(name)["channels"].values()
        )


@pytest.mark.node
def test_the_official_parser_finds_planted_faults(tmp_path: Path) -> None:
    event_type = "training.class.completed.v1"
    planted: dict[str, dict[str, Any]] = {
        name: copy.deepcopy(document("training")) for name in ("action", "channel", "parameter", "schema")
    }
    planted["action"]["operations"][f"send.{event_type}"]["action"] = "shout"
    planted["channel"]["operations"][f"send.{event_type}"]["channel"]["$ref"] = "#/channels/nowhere"
    planted["parameter"]["channels"][event_type]["address"] += ".{village}"
    planted["schema"]["components"]["schemas"][event_type]["type"] = "thing"
    paths = {name: tmp_path / f"{name}.json" for name in planted}
    for name, path in paths.items():
        path.write_text(json.dumps(planted[name]))

    found = judged(*paths.values())

    assert [name for name, path in paths.items() if not faults(found[str(path.resolve())])] == []


def test_the_parser_is_pinned_and_comes_from_wherever_npm_is_told() -> None:
    wanted = json.loads((REFEREE / "package.json").read_text())["dependencies"]
    locked = json.loads((REFEREE / "package-lock.json").read_text())["packages"]
    packages = [each for name, each in locked.items() if name]

    assert all(version[0].isdigit() for version in wanted.values())
    assert [each for each in packages if "resolved" in each or "integrity" not in each] == []
