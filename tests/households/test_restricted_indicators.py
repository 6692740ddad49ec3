"""What a review finds out about a family's health or children stays in the register."""

import json
import tomllib
from importlib import resources
from typing import Any

import pytest

from households.domain.standards import StandardFileInvalid, get_standard, parse_standard
from households.main import EVENTS

FOLDER = resources.files("households").joinpath("data", "standards")
FILES = sorted(path.name for path in FOLDER.iterdir() if path.name.endswith(".toml"))
INDICATORS = {
    indicator.code for name in FILES for indicator in get_standard(name.removesuffix(".toml")).indicators
}


def raw(name: str) -> dict[str, Any]:
    return tomllib.loads(FOLDER.joinpath(name).read_text("utf-8"))


@pytest.mark.parametrize("name", FILES)
def test_every_indicator_says_whether_it_is_restricted(name: str) -> None:
    assert all(isinstance(each["restricted"], bool) for each in raw(name).get("indicators", ()))


def test_data_that_do_not_say_it_are_refused() -> None:
    data = raw("STD_2022_2025.toml")
    del data["indicators"][3]["restricted"]
    with pytest.raises(StandardFileInvalid, match="restricted"):
        parse_standard(data)


def test_no_public_event_has_a_place_for_an_indicator() -> None:
    for event in EVENTS:
        if not event.restricted:
            schema = json.dumps(event.model_json_schema())
            assert [code for code in INDICATORS if f'"{code}"' in schema] == []
            assert not {"deprivations", "indicators", "flags"} & set(_names(event.model_json_schema()))


def _names(schema: Any) -> list[str]:
    if isinstance(schema, dict):
        return [name for key, value in schema.items() for name in (key, *_names(value))]
    return [name for each in schema for name in _names(each)] if isinstance(schema, list) else []
