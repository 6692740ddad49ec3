"""The counts that the invented district must meet, with their sources, and the parts its people are made of."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

DISTRICTS = {"630": "kong_chro"}
"""The districts that can be generated, and the prefix of their data files."""

CLASSES = ("poor", "near_poor", "not_poor")


@dataclass(frozen=True, slots=True)
class Marginal:
    """One count. `origin` is SOURCED, DERIVED from a source, or INVENTED for the demonstration."""

    area: str
    measure: str
    year: int
    value: int
    origin: str
    source: str


@dataclass(frozen=True, slots=True)
class Village:
    """An invented village; `weight` is its relative size in the commune."""

    commune: str
    code: str
    name: str
    weight: int


@dataclass(frozen=True, slots=True)
class Marginals:
    """All counts of a district and its communes."""

    district: str
    rows: tuple[Marginal, ...]
    values: Mapping[tuple[str, str, int], int]

    @property
    def communes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(row.area for row in self.rows if row.area != self.district))

    def value(self, area: str, measure: str, year: int) -> int:
        return self.values[area, measure, year]


@cache
def load_marginals(district: str) -> Marginals:
    """The district's counts; KeyError for a district that has none."""
    rows = tuple(
        Marginal(r["area"], r["measure"], int(r["year"]), int(r["value"]), r["origin"], r["source"])
        for r in _table(f"{DISTRICTS[district]}_marginals.csv")
    )
    return Marginals(district, rows, {(r.area, r.measure, r.year): r.value for r in rows})


@cache
def load_villages(district: str) -> tuple[Village, ...]:
    """The district's invented villages."""
    return tuple(
        Village(r["commune"], r["code"], r["name"], int(r["weight"]))
        for r in _table(f"{DISTRICTS[district]}_villages.csv")
    )


@cache
def load_people(district: str) -> Mapping[str, Any]:
    """Name parts, sizes and weights that households are drawn from."""
    return tomllib.loads(_file(f"{DISTRICTS[district]}_people.toml"))


def _table(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(_file(name).splitlines()))


def _file(name: str) -> str:
    return (resources.files("households") / "data" / name).read_text("utf-8")
