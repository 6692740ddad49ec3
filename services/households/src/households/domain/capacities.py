"""Who may record what is done in a capacity: dated data, because the consulted level changed on 01/07/2025."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources

from households.domain.procedure_terms import Role, procedure_label
from households.domain.terms import Refused


class RecorderLevel(StrEnum):
    """The area that whoever records an act must be responsible for."""

    COMMUNE = "COMMUNE"
    DISTRICT = "DISTRICT"
    PROVINCE = "PROVINCE"


@dataclass(frozen=True, slots=True)
class Capacity:
    """A capacity between two days, both included: what it takes to record its acts."""

    roles: frozenset[Role]
    permission: str
    level: RecorderLevel
    valid_from: date
    valid_to: date | None
    legal: str


def capacity(role: Role, on: date) -> Capacity:
    """What it takes to record an act done in this capacity on that day."""
    for one in _capacities():
        if role in one.roles and one.valid_from <= on and (one.valid_to is None or on <= one.valid_to):
            return one
    raise Refused(
        "capacity-not-in-force",
        f"Ngày {on:%d/%m/%Y}, {procedure_label(role)} không có thẩm quyền trong kỳ rà soát.",
        f"On {on.isoformat()} the {procedure_label(role, 'en')} had no part in a review.",
        "role",
        "Quyết định 24/2021/QĐ-TTg, Điều 4; Nghị định 131/2025/NĐ-CP",
    )


@cache
def _capacities() -> tuple[Capacity, ...]:
    raw = tomllib.loads((resources.files("households") / "data" / "capacities.toml").read_text("utf-8"))
    return tuple(
        Capacity(
            frozenset(map(Role, one["roles"])),
            one["permission"],
            RecorderLevel(one["level"]),
            one["valid_from"],
            one.get("valid_to"),
            one["legal"],
        )
        for one in raw["capacities"]
    )
