"""Drawing invented names, sizes and scores. Everything comes from a given random source and the data files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from households.domain import AreaType, HouseholdClass, Standard
from households.files import Gender


@dataclass(frozen=True, slots=True)
class Head:
    """An invented head of a household."""

    name: str
    gender: Gender
    local: bool


@dataclass(frozen=True, slots=True)
class Points:
    """Totals and deprived indicators that give a wanted class."""

    b1: int
    b2: int
    flags: tuple[str, ...]


def draw_head(rnd: Random, people: Mapping[str, Any], area_type: AreaType, taken: set[str]) -> Head:
    """A head whose name nobody in `taken` bears; the name is added to it."""
    local = rnd.randrange(100) < people["local_share"][area_type.value]
    group = "local" if local else "kinh"
    female = rnd.randrange(100) < people["female_heads"][group]
    parts = people["names"][group]
    while True:
        middle = rnd.choice(parts["female_middles" if female else "male_middles"])
        words = [rnd.choice(parts["families"]), middle, rnd.choice(parts["given_first"])]
        name = " ".join(word for word in [*words, rnd.choice(parts["given_second"])] if word)
        if name not in taken:
            taken.add(name)
            return Head(name, Gender.FEMALE if female else Gender.MALE, local)


def draw_size(rnd: Random, people: Mapping[str, Any]) -> int:
    """A number of members."""
    sizes = people["household_sizes"]
    return int(rnd.choices(list(sizes), weights=list(sizes.values()))[0])


def change_size(rnd: Random, people: Mapping[str, Any], members: int) -> int:
    """The number of members a year later."""
    changes, drawn = people["member_changes"], rnd.randrange(100)
    if drawn < changes["one_more"]:
        return members + 1
    fewer = drawn < changes["one_more"] + changes["one_fewer"]
    return members - 1 if fewer and members > 1 else members


def draw_points(
    rnd: Random,
    people: Mapping[str, Any],
    standard: Standard,
    area_type: AreaType,
    wanted: HouseholdClass,
) -> Points:
    """Totals from which the standard gives the wanted class."""
    scores, line = people["scores"], standard.b1_thresholds[area_type]
    if wanted is HouseholdClass.NOT_POOR:
        low, high = scores["b1_above"]
        b1 = rnd.randrange(line + low, line + high + 1, 5)
        count = _count(rnd, scores["not_poor_indicators"], 0)
    else:
        b1 = rnd.randrange(scores["b1_below"][0], line + 1, 5)
        poor = wanted is HouseholdClass.POOR
        least = (standard.b2_threshold or 0) // (standard.points_per_indicator or 1)
        count = _count(rnd, scores["poor_indicators" if poor else "near_poor_indicators"], least * poor)
    flags = _flags(rnd, people["indicator_weights"], standard, count)
    return Points(b1, count * (standard.points_per_indicator or 0), flags)


def _count(rnd: Random, weights: Sequence[int], least: int) -> int:
    return least + rnd.choices(range(len(weights)), weights=weights)[0]


def _flags(rnd: Random, weights: Mapping[str, int], standard: Standard, count: int) -> tuple[str, ...]:
    """`count` different indicators, the heavier ones more often, in the standard's order."""
    keyed = sorted((rnd.random() ** (1 / weights[code]), code) for code in standard.indicator_codes)
    chosen = {code for _, code in keyed[len(keyed) - count :]}
    return tuple(code for code in standard.indicator_codes if code in chosen)
