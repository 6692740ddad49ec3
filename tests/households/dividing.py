"""A commune that is divided in 2026 between two which no list of units has; one of its households waits."""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from benvung import clock
from households.follower import Follower

DIVIDED, WAITING = "23833", "23833W"
HALVES = ("99001", "99002")
VILLAGES = {"villages": [{"name": "Làng Kông"}]}
AREA_TYPE = {
    "area_type": "URBAN", "valid_from": "2024-01-01", "document_number": "5/NQ", "document_date": "2023-12-20",
}  # fmt: skip
CHOICE = {"successor": HALVES[0], "villages": [f"{DIVIDED}.01"]}


def household() -> dict[str, Any]:
    """A household that came to the commune before it was divided."""
    return {
        "commune": DIVIDED, "village": f"{DIVIDED}.01", "head_name": "Đinh Chín", "members": 4, "class": "POOR",
        "standard": "STD_2022_2025", "on": "2025-12-01", "certificate": "9/GCN",
    }  # fmt: skip


def division() -> dict[str, Any]:
    """The document that divides it."""
    new = [
        {"code": code, "name": f"Xã Ví Dụ {number}", "province": "52", "area_type": "RURAL"}
        for number, code in enumerate(HALVES, 1)
    ]
    return {
        "on": "2026-01-01", "document_number": "1/NQ", "document_date": "2025-12-15",
        "parts": [{"predecessor": DIVIDED, "successors": list(HALVES)}], "successors": new,
    }  # fmt: skip


def for_path(path: str, real: Mapping[str, str]) -> Mapping[str, str]:
    """What stands in a path's braces: the code of a waiting area is none of a list."""
    return {**real, "code": WAITING} if path.startswith("/v1/waiting-areas/") else real


@contextmanager
def afterwards() -> Iterator[None]:
    """A day after the division, and then the day of before again."""
    before = clock.today()
    clock.fix(dt.date(2026, 3, 1))
    yield
    clock.fix(before)


async def follow(engine: AsyncEngine) -> None:
    """Let every household go where its commune went."""
    while await Follower().round(engine):
        pass
