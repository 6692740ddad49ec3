"""An invented score table and filled forms, as officers send them. No number here is of any law."""

from typing import Any

from tests.households.officer import STANDARD, Commune
from tests.households.people import child, enter, person

B2 = {
    "wall": "NOT_DURABLE",
    "pillar": "NOT_DURABLE",
    "roof": "DURABLE",
    "floor_area": "15.9",
    "water": "SURFACE",
    "toilet": "SEPTIC",
    "internet": True,
    "devices": ["TELEVISION"],
}
ITEMS = {"SIZE": "MANY", "ASSETS": ["BIKE"], "AREA": "8.0"}


def cells() -> list[dict[str, Any]]:
    """Three items: one of two options, any of two, and a number on either side of 8."""
    given = [
        ("SIZE", "ONE", "FEW", 40, None, None),
        ("SIZE", "ONE", "MANY", 90, None, None),
        ("ASSETS", "MANY", "BIKE", 20, None, None),
        ("ASSETS", "MANY", "BOAT", 5, None, None),
        ("AREA", "RANGE", "SMALL", 1, "0", "8.0"),
        ("AREA", "RANGE", "LARGE", 10, "8.0", None),
    ]
    return [
        {
            "item": item,
            "item_vi": f"Mục {item}",
            "kind": kind,
            "option": option,
            "option_vi": f"Mức {option}",
            "column": column,
            "points": points,
            "from": low,
            "below": below,
        }
        for item, kind, option, points, low, below in given
        for column in ("RURAL_CH", "URBAN")
    ]


def table(**changes: Any) -> dict[str, Any]:
    """An approved table of form B1 for the whole time of the standard."""
    return {
        "form": "FORM_B1",
        "standard": STANDARD,
        "form_version": "1",
        "valid_from": "2022-01-01",
        "valid_to": "2026-12-31",
        "document": {"number": "7/VB-GĐ", "issued_on": "2021-07-18", "issuer": "Cơ quan giả định"},
        "approval": {"paper": "2/QĐ-GĐ", "approved_on": "2021-12-01"},
        "columns": ["RURAL_CH", "URBAN"],
        "cells": cells(),
    } | changes


def items(**answers: Any) -> dict[str, Any]:
    """Form B1, or A, as it is filled for a rural household."""
    return {"column": "RURAL_CH", "answers": {**ITEMS, **answers}}


def form_b(household: str, **changes: Any) -> dict[str, Any]:
    """A whole form B."""
    return {"household_id": household, "filled_on": "2023-10-05", "b1": items(), "b2": B2} | changes


async def home(officer: Commune) -> str:
    """A household with two members who lack nothing themselves."""
    household = await officer.register(members=2)
    await move_in(officer, household)
    return household


async def move_in(officer: Commune, household: str) -> None:
    """The two members."""
    await enter(officer, household, **person())
    await enter(officer, household, **child())
