"""Reads the data files of this service: the numbers of the law, with their dates and sources."""

import csv
import tomllib
from functools import cache
from importlib import resources
from typing import Any


@cache
def table(name: str) -> dict[str, Any]:
    """The TOML file `name` of the data folder."""
    return tomllib.loads(_text(name))


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """The rows of the CSV file `name` of the data folder."""
    return tuple(csv.DictReader(_text(name).splitlines()))


def _text(name: str) -> str:
    return resources.files("funding").joinpath("data", name).read_text("utf-8")
