"""A row's values as they are kept sealed until they are needed again, and what they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from households.domain.ages import Birth
from households.files.columns import QUESTION
from households.files.tables import Value

Packed = dict[str, Any]


def packed(values: Mapping[str, Value]) -> Packed:
    """The values as JSON has them; what was left blank is left out."""
    return {field: _plain(value) for field, value in values.items() if value is not None}


def _plain(value: Value) -> object:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def birth(value: object) -> Birth | None:
    """A birth by its day or its year."""
    if isinstance(value, int):
        return Birth(value)
    return Birth.on(date.fromisoformat(value)) if isinstance(value, str) else None


def form_answers(values: Packed) -> dict[str, object]:
    """The answers to the questions of form B2, by the codes of the questions."""
    found: dict[str, object] = {}
    for field, value in values.items():
        if field.startswith(QUESTION):
            found[field.removeprefix(QUESTION)] = {"true": True, "false": False}.get(str(value), value)
    return found
