"""Two years of an invented district: households, their classes and what happens to them, meeting the counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import accumulate
from random import Random
from typing import Any

from households.domain import AreaType, ClosureReason, HouseholdClass
from households.generate.marginals import (
    CLASSES,
    Marginals,
    Village,
    load_marginals,
    load_people,
    load_villages,
)
from households.generate.people import Head, change_size, draw_head, draw_size

YEARS = (2022, 2023)
POOR, NEAR_POOR, NOT_POOR = (
    HouseholdClass.POOR,
    HouseholdClass.NEAR_POOR,
    HouseholdClass.NOT_POOR,
)
BY_NAME = dict(zip(CLASSES, (POOR, NEAR_POOR, NOT_POOR), strict=True))
AreaTypes = Mapping[str, AreaType]


@dataclass(frozen=True, slots=True)
class Place:
    """A household's village and its code there."""

    village: Village
    code: str


@dataclass(frozen=True, slots=True)
class Departure:
    """Why and when a household ended or went away."""

    reason: ClosureReason
    on: date


@dataclass(frozen=True, slots=True)
class Family:
    """One household over both years. A class of None means that it was not there for that review.

    `class_mid_2022` is set for the few who were in the regular review of June 2022. `place_2023` and
    `head_2023` differ from the first ones where it moved, its code was swapped or its head changed.
    """

    place: Place
    head: Head
    members: int
    members_2023: int
    class_mid_2022: HouseholdClass | None
    class_2022: HouseholdClass | None
    class_2023: HouseholdClass | None
    place_2023: Place
    head_2023: Head
    departure: Departure | None = None
    moved_on: date | None = None
    arrived_on: date | None = None

    @property
    def stays(self) -> bool:
        """Whether it lives in the same commune all the time."""
        return not (self.departure or self.moved_on or self.arrived_on)


@dataclass(frozen=True, slots=True)
class District:
    """The whole district and the two particular cases of the second year."""

    code: str
    marginals: Marginals
    villages: tuple[Village, ...]
    families: tuple[Family, ...]
    swapped: tuple[Family, Family]
    head_changed: Family


def build_district(code: str, seed: int, area_types: AreaTypes) -> District:
    """Build the district; the same seed gives the same district."""
    builder = _Builder(code, seed, area_types)
    families = builder.families()
    families, swapped = _swap_codes(families)
    families, changed = builder.change_head(families, swapped)
    return District(code, builder.marginals, builder.villages, tuple(families), swapped, changed)


class _Builder:
    """Draws families commune by commune and hands out villages, codes and names."""

    def __init__(self, code: str, seed: int, area_types: AreaTypes) -> None:
        self.marginals = load_marginals(code)
        self.villages = load_villages(code)
        self._people: Mapping[str, Any] = load_people(code)
        self._area_types = area_types
        self._rnd = Random(f"{code}/{seed}")  # noqa: S311 - reproducible invention, not a secret
        self._choices = {
            commune: _cumulated([v for v in self.villages if v.commune == commune])
            for commune in self.marginals.communes
        }
        self._names: dict[str, set[str]] = {}
        self._codes: dict[str, int] = {}

    def families(self) -> list[Family]:
        found = [family for commune in self.marginals.communes for family in self._commune(commune)]
        self._move(found)
        return found

    def change_head(
        self, families: list[Family], other: tuple[Family, Family]
    ) -> tuple[list[Family], Family]:
        """Give one household a new head whose name nobody in its village bears."""
        index = next(
            i
            for i, family in enumerate(families)
            if family.stays
            and family.class_2022 is family.class_2023 is POOR
            and family.place.village != other[0].place.village
        )
        family = families[index]
        head = self._head(family.place.village)
        changed = replace(family, head_2023=head)
        return [*families[:index], changed, *families[index + 1 :]], changed

    def _commune(self, commune: str) -> Iterator[Family]:
        drafts = list(self._drafts(commune))
        self._rnd.shuffle(drafts)
        for draft in drafts:
            yield self._family(commune, *draft)

    def _drafts(self, commune: str) -> Iterator[tuple[HouseholdClass | None, ...]]:
        """(class in mid-2022, end-2022, end-2023, class on arrival) of each household of the commune."""

        def count(measure: str, year: int = 2023) -> int:
            return self.marginals.value(commune, measure, year)

        ways = {
            (POOR, NEAR_POOR): count("7.2.c2"),
            (POOR, NOT_POOR): count("7.2.c3"),
            (NEAR_POOR, POOR): count("7.2.c5"),
            (NEAR_POOR, NOT_POOR): count("7.3.c2"),
            (NOT_POOR, POOR): count("7.2.c6") + count("7.2.c7"),
            (NOT_POOR, NEAR_POOR): count("7.3.c6") + count("7.3.c7"),
        }
        left = {
            POOR: count("poor", 2022),
            NEAR_POOR: count("near_poor", 2022),
            NOT_POOR: count("households", 2022) - count("poor", 2022) - count("near_poor", 2022),
        }
        relapses = {(NOT_POOR, POOR): count("7.2.c6"), (NOT_POOR, NEAR_POOR): count("7.3.c6")}
        kept = count("regular_kept_poor", 2022)
        for (before, after), number in ways.items():
            left[before] -= number
            relapsing = relapses.get((before, after), 0)
            for n in range(number):
                yield (after if n < relapsing else None, before, after, None)
        for name, household_class in BY_NAME.items():
            leaving = count(f"closed.{name}") + count(f"moved_out.{name}")
            for n in range(left[household_class]):
                stays = n >= leaving
                first = POOR if household_class is POOR and leaving <= n < leaving + kept else None
                yield (first, household_class, household_class if stays else None, None)
            for _ in range(count(f"arrived.{name}")):
                yield (None, None, household_class, household_class)

    def _family(
        self,
        commune: str,
        mid: HouseholdClass | None,
        first: HouseholdClass | None,
        second: HouseholdClass | None,
        arriving: HouseholdClass | None,
    ) -> Family:
        village = self._village(commune)
        place, head = self._place(village), self._head(village)
        members = draw_size(self._rnd, self._people)
        stays = first is not None and second is not None
        later = change_size(self._rnd, self._people, members) if stays else members
        arrived = self._day() if arriving else None
        return Family(place, head, members, later, mid, first, second, place, head, arrived_on=arrived)

    def _move(self, families: list[Family]) -> None:
        """Send those who leave their commune to another one, or out of the register."""
        for name, household_class in BY_NAME.items():
            leavers: dict[str, list[int]] = {}
            for index, family in enumerate(families):
                if family.class_2022 is household_class and family.class_2023 is None:
                    leavers.setdefault(family.place.village.commune, []).append(index)
            movers: list[int] = []
            for commune, indexes in leavers.items():
                split = self.marginals.value(commune, f"closed.{name}", 2023)
                for number, index in enumerate(indexes[:split]):
                    families[index] = self._departing(families[index], number)
                movers += indexes[split:]
            arrivals = [
                commune
                for commune in self.marginals.communes
                for _ in range(self.marginals.value(commune, f"moved_in.{name}", 2023))
            ]
            origins = [families[index].place.village.commune for index in movers]
            for index, commune in zip(movers, _elsewhere(self._rnd, origins, arrivals), strict=True):
                families[index] = self._moved(families[index], commune)

    def _departing(self, family: Family, number: int) -> Family:
        reasons = (
            ClosureReason.DEATH,
            ClosureReason.MOVED_OUT,
            ClosureReason.MOVED_OUT,
            ClosureReason.MERGED,
            ClosureReason.DISSOLVED,
        )
        reason = reasons[number % len(reasons)]
        # Form 7.2 counts the death of a household that was one person.
        members = 1 if reason is ClosureReason.DEATH else family.members
        departure = Departure(reason, self._day())
        return replace(family, members=members, members_2023=members, departure=departure)

    def _moved(self, family: Family, commune: str) -> Family:
        village = self._village(commune)
        while family.head.name in self._names.get(village.code, set()):
            village = self._village(commune)
        self._names.setdefault(village.code, set()).add(family.head.name)
        return replace(
            family,
            class_2023=family.class_2022,
            place_2023=self._place(village),
            moved_on=self._day(),
        )

    def _village(self, commune: str) -> Village:
        villages, weights = self._choices[commune]
        return self._rnd.choices(villages, cum_weights=weights)[0]

    def _place(self, village: Village) -> Place:
        self._codes[village.code] = self._codes.get(village.code, 0) + 1
        return Place(village, f"{self._codes[village.code]:03}")

    def _head(self, village: Village) -> Head:
        taken = self._names.setdefault(village.code, set())
        return draw_head(self._rnd, self._people, self._area_types[village.commune], taken)

    def _day(self) -> date:
        return date(YEARS[1], 2, 1) + timedelta(days=self._rnd.randrange(270))


def _cumulated(villages: list[Village]) -> tuple[list[Village], list[int]]:
    return villages, list(accumulate(village.weight for village in villages))


def _elsewhere(rnd: Random, origins: list[str], targets: list[str]) -> list[str]:
    """An order of the targets in which nobody moves to where they come from."""
    order = list(targets)
    rnd.shuffle(order)
    for index, origin in enumerate(origins):
        if order[index] == origin:
            other = next(
                i for i, target in enumerate(order) if target != origin and origins[i] != order[index]
            )
            order[index], order[other] = order[other], order[index]
    return order


def _swap_codes(families: list[Family]) -> tuple[list[Family], tuple[Family, Family]]:
    """Swap the codes of the first two households of one village that stay where they are."""
    first = next(i for i, family in enumerate(families) if family.stays)
    village = families[first].place.village
    second = next(
        i
        for i, family in enumerate(families)
        if i != first and family.stays and family.place.village == village
    )
    pair = (
        replace(families[first], place_2023=families[second].place),
        replace(families[second], place_2023=families[first].place),
    )
    changed = list(families)
    changed[first], changed[second] = pair
    return changed, pair
