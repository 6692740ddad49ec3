"""Writing a generated district: reviews per commune, villages, population, and the year's changes."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any, Literal
from uuid import UUID

from benvung import areas
from households.domain import (
    AreaType,
    HouseholdClass,
    ReviewKind,
    Stage,
    Standard,
    normalise_name,
)
from households.files import ReviewRow, ReviewSheet, write_review_csv, write_review_xlsx
from households.generate.district import District, Family, Place
from households.generate.marginals import load_people
from households.generate.people import Head, draw_points

Form = Literal["xlsx", "csv"]
REVIEWERS = ("Nguyễn Thị Mẫu", "Đinh Văn Thử", "Trần Minh Dẫn", "Đinh Thị Tơnh", "Lê Khắc Tỏ")
"""Invented."""

WITHOUT_ID = 0.05
"""The share of second-year rows that carry no Mã hệ thống."""


@dataclass(frozen=True, slots=True)
class ReviewPlan:
    """One review of all communes: what it is, when it is decided and whom it holds."""

    folder: str
    year: int
    kind: ReviewKind
    surveyed_from: date
    decided_on: date
    decision_number: str
    class_of: Callable[[Family], HouseholdClass | None]
    second_year: bool


REVIEWS = (
    ReviewPlan(
        "REGULAR-2022-06",
        2022,
        ReviewKind.REGULAR,
        date(2022, 6, 15),
        date(2022, 6, 30),
        "{commune}/06-2022/QĐ-UBND",
        lambda family: family.class_mid_2022,
        second_year=False,
    ),
    ReviewPlan(
        "ANNUAL-2022",
        2022,
        ReviewKind.ANNUAL,
        date(2022, 9, 5),
        date(2022, 12, 12),
        "{commune}/12-2022/QĐ-UBND",
        lambda family: family.class_2022,
        second_year=False,
    ),
    ReviewPlan(
        "ANNUAL-2023",
        2023,
        ReviewKind.ANNUAL,
        date(2023, 11, 1),
        date(2023, 12, 12),
        "{commune}/12-2023/QĐ-UBND",
        lambda family: family.class_2023,
        second_year=True,
    ),
)

Identity = tuple[str, str, str]
"""How a household is found in the register's export: commune, village's code, normalised head's name."""


@dataclass(slots=True)
class Output:
    """Writes the files of one year into a folder."""

    district: District
    standard: Standard
    seed: int
    out: Path
    form: Form
    known: Mapping[Identity, UUID]
    files: list[Path] = field(default_factory=list)

    def write(self, year: int) -> None:
        """All files of that year."""
        self.out.mkdir(parents=True, exist_ok=True)
        if year == min(plan.year for plan in REVIEWS):
            self._villages()
        else:
            self._changes(year)
        self._population(year)
        plans = [plan for plan in REVIEWS if plan.year == year]
        listed = [line for plan in plans for line in self._review(plan)]
        columns = (
            "file",
            "commune",
            "year",
            "kind",
            "stage",
            "standard",
            "decided_on",
            "valid_from",
            "decision_number",
        )
        self._table(f"reviews-{year}.csv", columns, listed)

    def _review(self, plan: ReviewPlan) -> Iterable[Sequence[object]]:
        folder = self.out / plan.folder
        folder.mkdir(exist_ok=True)
        without_id = self._without_id() if plan.second_year else frozenset()
        grouped: dict[str, list[Family]] = {}
        for family in self.district.families:
            if plan.class_of(family) is not None:
                place = family.place_2023 if plan.second_year else family.place
                grouped.setdefault(place.village.commune, []).append(family)
        for commune in self.district.marginals.communes:
            path = folder / f"{commune}.{self.form}"
            rows = self._rows(plan, commune, grouped.get(commune, []), without_id)
            sheet = self._sheet(plan, commune)
            if self.form == "xlsx":
                write_review_xlsx(path, sheet, rows, self.standard)
            else:
                write_review_csv(path, rows, self.standard)
            self.files.append(path)
            yield (
                path.relative_to(self.out).as_posix(), commune, plan.year, plan.kind, Stage.OFFICIAL,
                self.standard.code, plan.decided_on, plan.decided_on, _number(plan, commune),
            )  # fmt: skip

    def _rows(
        self, plan: ReviewPlan, commune: str, families: list[Family], without_id: frozenset[Family]
    ) -> list[ReviewRow]:
        rnd = Random(f"{self.district.code}/{self.seed}/{plan.folder}/{commune}")  # noqa: S311 - reproducible invention, not a secret
        people = load_people(self.district.code)
        area_type = area_type_of(commune, plan.decided_on)
        days = (plan.decided_on - plan.surveyed_from).days - 10

        def place_of(family: Family) -> Place:
            return family.place_2023 if plan.second_year else family.place

        ordered = sorted(families, key=lambda f: (place_of(f).village.code, place_of(f).code))
        rows = []
        for number, family in enumerate(ordered, start=1):
            place = place_of(family)
            head = family.head_2023 if plan.second_year else family.head
            household_class = plan.class_of(family)
            if household_class is None:
                continue
            points = draw_points(rnd, people, self.standard, area_type, household_class)
            rows.append(
                ReviewRow(
                    number=number,
                    village=place.village.name,
                    head_name=head.name,
                    code=place.code,
                    members=family.members_2023 if plan.second_year else family.members,
                    b1_points=points.b1,
                    b2_points=points.b2,
                    deprivations=points.flags,
                    declared_class=household_class,
                    household_id=None if family in without_id else self.id_of(family),
                    head_gender=head.gender,
                    indigenous=head.local,
                    reviewer=rnd.choice(REVIEWERS),
                    reviewed_on=plan.surveyed_from + timedelta(days=rnd.randrange(max(days, 1))),
                )
            )
        return rows

    def _without_id(self) -> frozenset[Family]:
        """5 % of the second year's rows: newcomers, the one whose head changed, and others drawn by lot."""
        reviewed = [family for family in self.district.families if family.class_2023 is not None]
        forced = [family for family in reviewed if family.arrived_on or family == self.district.head_changed]
        free = [f for f in reviewed if f.stays and f not in self.district.swapped and f not in forced]
        rnd = Random(f"{self.district.code}/{self.seed}/without-id")  # noqa: S311 - reproducible invention, not a secret
        return frozenset([*forced, *rnd.sample(free, round(len(reviewed) * WITHOUT_ID) - len(forced))])

    def id_of(self, family: Family) -> UUID | None:
        """The Mã hệ thống that the register's export has for the household, before or after it moved."""
        first, second = identity(family.place, family.head), identity(family.place_2023, family.head)
        return self.known.get(first) or self.known.get(second)

    def _changes(self, year: int) -> None:
        """Moves, closures and arrivals in the order of their days, to be posted before the year's review."""
        columns = (
            "on", "kind", "household_id", "commune", "village", "code", "head_name", "members", "to_commune",
            "to_village", "to_code", "reason", "class", "standard", "certificate", "head_gender", "indigenous",
        )  # fmt: skip
        lines = sorted(filter(None, map(self._change, self.district.families)), key=lambda d: str(d["on"]))
        self._table(f"changes-{year}.csv", columns, [[line.get(c, "") for c in columns] for line in lines])

    def _change(self, family: Family) -> dict[str, Any] | None:
        known: dict[str, Any] = {
            "household_id": self.id_of(family) or "",
            "commune": family.place.village.commune,
            "village": family.place.village.code,
            "code": family.place.code,
            "head_name": family.head.name,
            "members": family.members,
        }
        if family.departure:
            return known | {"on": family.departure.on, "kind": "CLOSURE", "reason": family.departure.reason}
        if family.moved_on:
            to = family.place_2023
            village = to.village
            target = {"to_commune": village.commune, "to_village": village.code, "to_code": to.code}
            return known | target | {"on": family.moved_on, "kind": "MOVE"}
        if not family.arrived_on:
            return None
        listed = family.class_2023 in (HouseholdClass.POOR, HouseholdClass.NEAR_POOR)
        return known | {
            "on": family.arrived_on,
            "kind": "ARRIVAL",
            "household_id": "",
            "class": family.class_2023,
            "standard": self.standard.code,
            "certificate": f"GCN-{family.place.village.code}-{family.place.code}" if listed else "",
            "head_gender": family.head.gender,
            "indigenous": "x" if family.head.local else "",
        }

    def _villages(self) -> None:
        lines = [(v.commune, v.code, v.name) for v in self.district.villages]
        self._table("villages.csv", ("commune", "code", "name"), lines)

    def _population(self, year: int) -> None:
        second = year == max(plan.year for plan in REVIEWS)
        persons: dict[str, int] = {}
        households: dict[str, int] = {}
        for family in self.district.families:
            if (family.class_2023 if second else family.class_2022) is None:
                continue
            commune = (family.place_2023 if second else family.place).village.commune
            for area in (commune, self.district.code):
                households[area] = households.get(area, 0) + 1
                persons[area] = persons.get(area, 0) + (family.members_2023 if second else family.members)
        order = (self.district.code, *self.district.marginals.communes)
        source = "Tổng hợp từ bộ số liệu trình diễn (households generate)"
        lines = [(a, households[a], persons[a], date(year, 12, 31), source) for a in order]
        self._table(f"population-{year}.csv", ("area", "households", "persons", "as_of", "source"), lines)

    def _sheet(self, plan: ReviewPlan, commune: str) -> ReviewSheet:
        return ReviewSheet(
            commune_code=commune,
            commune_name=_name(commune, plan.decided_on),
            district_name=_name(self.district.code, plan.decided_on),
            province_name=_province(commune, plan.decided_on),
            year=plan.year,
            kind=plan.kind,
            stage=Stage.OFFICIAL,
            standard=self.standard.code,
            decided_on=plan.decided_on,
        )

    def _table(self, name: str, columns: Sequence[str], lines: Iterable[Sequence[object]]) -> None:
        path = self.out / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(lines)
        self.files.append(path)


def identity(place: Place, head: Head) -> Identity:
    """What names a household in the generated district: its village and its head, unique there."""
    return place.village.commune, place.village.code, normalise_name(head.name)


def area_type_of(commune: str, on: date) -> AreaType:
    """The commune's type on that day."""
    unit = areas.find(commune, on)
    if unit is None or unit.area_type is None:
        raise LookupError(commune)
    return AreaType(unit.area_type.value)


def _province(commune: str, on: date) -> str:
    unit = areas.province_of(commune, on)
    return unit.name if unit else ""


def _name(code: str, on: date) -> str:
    unit = areas.find(code, on)
    return unit.name if unit else code


def _number(plan: ReviewPlan, commune: str) -> str:
    return plan.decision_number.format(commune=commune)
