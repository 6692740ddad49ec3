"""Lists of a whole province over the years: invented households whose numbers are those that were published.

Each year's review takes up the list as the year before left it: who stays on it, who moves between its two
classes, who escapes, and who is new or falls back. The same seed gives the same households.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from random import Random

from benvung import areas
from households.domain import AreaType, HouseholdClass, Standard
from households.files import ReviewRow
from households.generate.marginals import load_people
from households.generate.people import Head, change_size, draw_head, draw_points, draw_size

POOR, NEAR_POOR, NOT_POOR = HouseholdClass.POOR, HouseholdClass.NEAR_POOR, HouseholdClass.NOT_POOR
PEOPLE = "630"
"""Whose parts of names, sizes and scores are taken."""
VILLAGE_HOUSEHOLDS = 40
MOST_VILLAGES = 30


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many households the lists shall have at the end of a year."""

    year: int
    poor: int
    near_poor: int


@dataclass(frozen=True, slots=True)
class Flows:
    """What happens to the lists between two reviews."""

    poor_to_near: int
    poor_out: int
    near_to_poor: int
    near_out: int
    new_poor: int
    new_near: int


@dataclass(frozen=True, slots=True)
class ReviewedYear:
    """One year's review: the day of its decisions and from which they hold, and the rows of each commune's file."""

    year: int
    decided_on: date
    holds_from: date
    rows: Mapping[str, Sequence[ReviewRow]]


@dataclass(slots=True)
class _Family:
    commune: str
    village: int
    code: str
    head: Head
    members: int
    household_class: HouseholdClass


def flows(before: Wanted, after: Wanted) -> Flows:
    """Movements by which one year's lists become the next one's; most who leave the poor become near-poor first."""
    near_to_poor = min(before.near_poor // 100, after.poor)
    new_poor = before.poor // 50
    leaving = before.poor + near_to_poor + new_poor - after.poor
    if leaving < 0:
        new_poor, leaving = new_poor - leaving, 0
    if leaving > before.poor:
        # Fewer come than usual, so that no more go than there were.
        near_to_poor, new_poor = 0, 0
        leaving = before.poor - after.poor
    poor_to_near = min(leaving * 3 // 5, after.near_poor)
    new_near = before.near_poor * 3 // 100
    staying = before.near_poor - near_to_poor
    near_out = staying + poor_to_near + new_near - after.near_poor
    if near_out < 0:
        new_near, near_out = new_near - near_out, 0
    if near_out > staying:
        new_near, near_out = after.near_poor - poor_to_near, staying
    return Flows(poor_to_near, leaving - poor_to_near, near_to_poor, near_out, new_poor, new_near)


class Province:
    """A province as it is invented, year after year; with `communes`, in these alone."""

    def __init__(
        self, code: str, seed: int, standard: Standard, communes: Collection[str] | None = None
    ) -> None:
        self.code, self.families = code, list[_Family]()
        self._standard, self._only = standard, communes
        self._rnd = Random(f"{code}/{seed}")  # noqa: S311 - reproducible invention, not a secret
        self._people = load_people(PEOPLE)
        self._last_code: dict[tuple[str, int], int] = defaultdict(int)
        self._names: dict[tuple[str, int], set[str]] = defaultdict(set)
        self._types: dict[str, AreaType] = {}
        self._weights: list[int] = []
        self._villages: dict[str, int] = {}

    def years(self, wanted: Sequence[Wanted]) -> Iterator[ReviewedYear]:
        """The reviews of these years, each built on the one before it."""
        self._settle(wanted[0])
        before: Wanted | None = None
        for each in wanted:
            if before is None:
                reviewed = self._enter(each.poor, POOR) + self._enter(each.near_poor, NEAR_POOR)
            else:
                reviewed = self._go_on(flows(before, each))
            yield self._review(each.year, reviewed)
            before = each

    def villages(self) -> dict[str, int]:
        """How many villages each commune has; they are known once the first year is."""
        return dict(self._villages)

    def _settle(self, first: Wanted) -> None:
        day = _decided_on(first.year)
        self._types = {
            unit.code: AreaType(unit.area_type.value)
            for unit in areas.communes_under(self.code, day)
            if unit.area_type is not None and (self._only is None or unit.code in self._only)
        }
        weights = [
            self._rnd.randint(20, 100) * (1 if kind is AreaType.URBAN else 3) for kind in self._types.values()
        ]
        self._weights = list(accumulate(weights))
        listed, total = first.poor + first.near_poor, self._weights[-1]
        self._villages = {
            code: min(max(round(listed * weight / total / VILLAGE_HOUSEHOLDS), 1), MOST_VILLAGES)
            for code, weight in zip(self._types, weights, strict=True)
        }

    def _enter(self, number: int, household_class: HouseholdClass) -> list[_Family]:
        found = []
        for commune in self._rnd.choices(list(self._types), cum_weights=self._weights, k=number):
            village = self._rnd.randint(1, self._villages[commune])
            self._last_code[commune, village] += 1
            head = draw_head(self._rnd, self._people, self._types[commune], self._names[commune, village])
            code = f"{self._last_code[commune, village]:04}"
            members = draw_size(self._rnd, self._people)
            found.append(_Family(commune, village, code, head, members, household_class))
        self.families += found
        return found

    def _go_on(self, moved: Flows) -> list[_Family]:
        """Whom the next review has to do with: all who were listed, who falls back, and who is new."""
        rnd = self._rnd
        poor = [each for each in self.families if each.household_class is POOR]
        near = [each for each in self.families if each.household_class is NEAR_POOR]
        out = [each for each in self.families if each.household_class is NOT_POOR]
        for group in (poor, near, out):
            rnd.shuffle(group)
        # A tenth of those who come onto a list had been on one before.
        back_poor = out[: min(moved.new_poor // 10, len(out))]
        rest = out[len(back_poor) :]
        back_near = rest[: min(moved.new_near // 10, len(rest))]
        changes = (
            (poor[: moved.poor_to_near], NEAR_POOR),
            (poor[moved.poor_to_near : moved.poor_to_near + moved.poor_out], NOT_POOR),
            (near[: moved.near_to_poor], POOR),
            (near[moved.near_to_poor : moved.near_to_poor + moved.near_out], NOT_POOR),
            (back_poor, POOR),
            (back_near, NEAR_POOR),
        )
        for families, household_class in changes:
            for family in families:
                family.household_class = household_class
        known = [*poor, *near, *back_poor, *back_near]
        for family in known:
            family.members = change_size(rnd, self._people, family.members)
        known += self._enter(moved.new_poor - len(back_poor), POOR)
        return known + self._enter(moved.new_near - len(back_near), NEAR_POOR)

    def _review(self, year: int, families: Sequence[_Family]) -> ReviewedYear:
        decided_on = _decided_on(year)
        listed: dict[str, list[ReviewRow]] = {code: [] for code in self._types}
        for family in sorted(families, key=lambda each: (each.commune, each.village, each.code)):
            rows = listed[family.commune]
            area_type = self._types[family.commune]
            points = draw_points(self._rnd, self._people, self._standard, area_type, family.household_class)
            rows.append(
                ReviewRow(
                    number=len(rows) + 1,
                    village=village_name(family.village),
                    head_name=family.head.name,
                    code=family.code,
                    members=family.members,
                    b1_points=points.b1,
                    b2_points=points.b2,
                    deprivations=points.flags,
                    declared_class=family.household_class,
                    head_gender=family.head.gender,
                    indigenous=family.head.local,
                    reviewed_on=decided_on - timedelta(days=self._rnd.randint(20, 60)),
                )
            )
        rows_of = {code: rows for code, rows in listed.items() if rows}
        # The lists of 2021 are the beginning on a standard that is in force only from the New Year on.
        holds_from = max(decided_on, self._standard.valid_from)
        return ReviewedYear(year, decided_on, holds_from, rows_of)


def village_name(number: int) -> str:
    """An invented village, by its number in the commune."""
    return f"Thôn {number}"


def _decided_on(year: int) -> date:
    return date(year, 12, 12)
