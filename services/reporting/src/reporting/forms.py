"""The movement forms of the circular, read from their data file."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from reporting.domain import Column, Form, Identity


@cache
def movement_forms() -> tuple[Form, ...]:
    """Forms 7.2 and 7.3, in this order."""
    text = (files("reporting") / "data" / "forms.json").read_text(encoding="utf-8")
    return tuple(_form(item) for item in json.loads(text)["forms"])


def _form(item: dict[str, Any]) -> Form:
    return Form(
        item["code"],
        item["list"],
        item["title"],
        item["legal"],
        tuple(_column(column) for column in item["columns"]),
        tuple(Identity(one["column"], one["form"], one["other"]) for one in item["identities"]),
    )


def _column(item: dict[str, Any]) -> Column:
    return Column(
        item["code"],
        item["role"],
        item.get("movement"),
        item.get("members", ""),
        {"vi": item["vi"], "en": item["en"]},
    )
