"""The invented district: real totals, closing movements, the same files for the same seed."""

import csv
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest

from benvung import areas
from households.domain import (
    AreaType,
    ClosureReason,
    Decision,
    Fact,
    FactKind,
    FileRow,
    Form,
    HouseholdClass,
    HouseholdState,
    KnownHousehold,
    MatchKind,
    Measure,
    MovementTable,
    Outcome,
    Place,
    Refused,
    ReviewKind,
    Stage,
    Status,
    arrive,
    classify,
    close,
    decide,
    get_standard,
    match_rows,
    move,
    movement_table,
    normalise_name,
    register,
    scores,
)
from households.domain.movements import TOTAL
from households.files import RegisterLine, ReviewRow, read_review, register_csv
from households.generate import generate
from households.generate.marginals import load_marginals, load_villages

STANDARD = get_standard("STD_2022_2025")
DISTRICT = "630"
MARGINALS = load_marginals(DISTRICT)
SPACE = UUID("018f0000-0000-7000-8000-000000000002")
POOR, NEAR, AVERAGE, NOT = HouseholdClass


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Registry:
    """A register in memory that does with the generated files what the service does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.states: dict[UUID, HouseholdState] = {}
        self.names: dict[UUID, tuple[str, str]] = {}
        self.facts: list[Fact] = []
        self.kinds: Counter[MatchKind] = Counter()
        self.notes: Counter[str] = Counter()
        self.refused: list[str] = []
        self.villages = {(v["commune"], v["name"]): v["code"] for v in read_table(folder / "villages.csv")}
        self._ids = (uuid5(SPACE, str(number)) for number in count())

    def review(self, listed: dict[str, str]) -> None:
        commune = listed["commune"]
        rows = [
            row for row in read_review(self.folder / listed["file"], STANDARD) if isinstance(row, ReviewRow)
        ]
        known = [
            KnownHousehold(state.household_id, state.village, *self.names[state.household_id])
            for state in self.states.values()
            if state.commune == commune and state.status is Status.ACTIVE
        ]
        result = match_rows((self._file_row(commune, row) for row in rows), known)
        for row, match in zip(rows, result.matches, strict=True):
            self.kinds[match.kind] += 1
            self.notes.update(match.notes)
            if not match.accepted:
                self.refused.append(match.rule or "")
                continue
            household_id = match.household_id or next(self._ids)
            self.names[household_id] = (row.code or "", normalise_name(row.head_name))
            self._decide(household_id, row, listed)

    def _file_row(self, commune: str, row: ReviewRow) -> FileRow:
        village = self.villages[commune, row.village]
        return FileRow(row.number, row.household_id, village, row.code, normalise_name(row.head_name))

    def _decide(self, household_id: UUID, row: ReviewRow, listed: dict[str, str]) -> None:
        commune, on = listed["commune"], date.fromisoformat(listed["decided_on"])
        place = Place("64", commune, self.villages[commune, row.village], area_type(commune))
        given = scores(STANDARD, row.b1_points, row.b2_points, row.deprivations)
        found = classify(STANDARD, place.area_type, given.b1_points, given.b2_points)
        assert found.household_class is row.declared_class
        state = self.states.get(household_id) or register(household_id, place, row.members).state
        decision = Decision(
            int(listed["year"]), ReviewKind(listed["kind"]), Stage(listed["stage"]), found.household_class,
            row.members, STANDARD, on, on,
        )  # fmt: skip
        self._fact(FactKind.DECISION, on, decide(state, decision))

    def change(self, line: dict[str, str]) -> None:
        on = date.fromisoformat(line["on"])
        if line["kind"] == "ARRIVAL":
            household_id = next(self._ids)
            place = Place("64", line["commune"], line["village"], area_type(line["commune"]))
            outcome = arrive(
                household_id, place, int(line["members"]), household_class=HouseholdClass(line["class"]),
                standard=STANDARD, on=on, certificate=line["certificate"],
            )  # fmt: skip
            self.names[household_id] = (line["code"], normalise_name(line["head_name"]))
            self._fact(FactKind.ARRIVED, on, outcome)
            return
        state = self.states[UUID(line["household_id"])]
        assert self.names[state.household_id] == (line["code"], normalise_name(line["head_name"]))
        if line["kind"] == "CLOSURE":
            self._fact(FactKind.CLOSED, on, close(state, ClosureReason(line["reason"]), on))
            return
        to = Place("64", line["to_commune"], line["to_village"], area_type(line["to_commune"]))
        moved = move(state, to, on)
        self._fact(FactKind.LEFT, on, moved.left)
        self._fact(FactKind.ARRIVED, on, moved.arrived)

    def _fact(self, kind: FactKind, on: date, outcome: Outcome) -> None:
        state = outcome.state
        self.states[state.household_id] = state
        after = None if kind in (FactKind.LEFT, FactKind.CLOSED) else state.poverty_class
        self.facts.append(
            Fact(
                state.household_id, state.commune, len(self.facts), on, kind, after, state.members,
                outcome.previous_class, outcome.previous_members, outcome.movement,
            )
        )  # fmt: skip

    def export(self, folder: Path) -> None:
        """The register's export, in a file per commune."""
        folder.mkdir()
        lines = defaultdict(list)
        for state in self.states.values():
            code, head = self.names[state.household_id]
            lines[state.commune].append(
                RegisterLine(
                    state.household_id, state.commune, state.village, "", code, head, state.members,
                    state.poverty_class, state.class_since,
                )
            )  # fmt: skip
        for commune, found in lines.items():
            (folder / f"{commune}.csv").write_bytes(b"".join(register_csv(found)))

    def counts(self) -> Counter[HouseholdClass | None]:
        return Counter(s.poverty_class for s in self.states.values() if s.status is Status.ACTIVE)


def area_type(commune: str) -> AreaType:
    unit = areas.find(commune, date(2022, 12, 12))
    assert unit is not None
    assert unit.area_type is not None
    return AreaType(unit.area_type.value)


class Run:
    """Both years, imported as the demonstration imports them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        generate(DISTRICT, 2022, folder, seed=7, form="csv")
        self.registry = Registry(folder)
        for listed in read_table(folder / "reviews-2022.csv"):
            self.registry.review(listed)
        self.end_2022 = self.registry.counts()
        self.matched_2022 = Counter(self.registry.kinds)
        self.registry.export(folder / "register")
        self.recognised = generate(
            DISTRICT, 2023, folder, seed=7, register=folder / "register", form="csv"
        ).recognised
        for line in read_table(folder / "changes-2023.csv"):
            self.registry.change(line)
        self.before_review = Counter(s.status for s in self.registry.states.values())
        self.registry.kinds.clear()
        for listed in read_table(folder / "reviews-2023.csv"):
            self.registry.review(listed)
        self.table: MovementTable = movement_table(self.registry.facts, 2023)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("district"))


def test_the_end_of_2022_is_that_of_the_article(run: Run) -> None:
    assert run.end_2022.total() == 12_836
    assert run.end_2022[POOR] == 5_095
    assert round(100 * 5_095 / 12_836, 2) == 39.69


def test_the_end_of_2023_is_that_of_the_article(run: Run) -> None:
    counts = run.registry.counts()
    assert counts.total() == 12_836
    assert counts[POOR] == 4_336
    assert round(100 * 4_336 / 12_836, 2) == 33.78
    assert counts[NEAR] == MARGINALS.value(DISTRICT, "near_poor", 2023)


def test_every_movement_happens_in_households_and_in_persons_and_all_rows_close(run: Run) -> None:
    assert run.table.faults == []
    for form in Form:
        for measure in Measure:
            assert all(run.table.row(form, TOTAL, measure).columns), (form, measure)


@pytest.mark.parametrize("area", [TOTAL, *MARGINALS.communes])
def test_the_movements_are_those_of_the_marginals(run: Run, area: str) -> None:
    known = DISTRICT if area == TOTAL else area
    for form, name in ((Form.F7_2, "poor"), (Form.F7_3, "near_poor")):
        row = run.table.row(form, area, Measure.HOUSEHOLDS)
        assert row.column(1) == MARGINALS.value(known, name, 2022)
        assert row.column(9) == MARGINALS.value(known, name, 2023)
        for column in range(2, 9):
            assert row.column(column) == MARGINALS.value(known, f"{form}.c{column}", 2023)


def test_a_relapse_is_a_household_that_a_regular_review_of_2022_knew(run: Run) -> None:
    listed = Counter(r["kind"] for r in read_table(run.folder / "reviews-2022.csv"))
    assert listed == {"REGULAR": 14, "ANNUAL": 14}
    assert run.matched_2022[MatchKind.BY_CODE] == 46 + 28 + 28
    assert run.matched_2022[MatchKind.NEW] == 12_836


def test_nothing_is_refused_and_each_way_of_matching_occurs(run: Run) -> None:
    assert run.registry.refused == []
    kinds = run.registry.kinds
    assert kinds.total() == 12_836
    assert kinds[MatchKind.BY_ID] == 12_836 - 642
    assert kinds[MatchKind.BY_CODE] + kinds[MatchKind.BY_CODE_AND_HEAD] == 642
    assert run.registry.notes["HEAD_CHANGED"] == 1
    assert run.registry.notes["CODE_CHANGED"] == 2 + 77


def test_five_percent_of_the_second_year_carry_no_identifier(run: Run) -> None:
    rows = list(all_rows(run.folder / "ANNUAL-2023"))
    assert sum(row.household_id is None for row in rows) == round(0.05 * len(rows))


def test_the_years_changes_balance(run: Run) -> None:
    changes = Counter(line["kind"] for line in read_table(run.folder / "changes-2023.csv"))
    assert changes == {"ARRIVAL": 54, "CLOSURE": 54, "MOVE": 77}
    assert run.before_review[Status.ACTIVE] == 12_836
    assert run.recognised == 12_836


def test_a_death_ends_only_households_of_one_person(run: Run) -> None:
    deaths = [c for c in read_table(run.folder / "changes-2023.csv") if c["reason"] == "DEATH"]
    assert deaths
    assert {death["members"] for death in deaths} == {"1"}


def test_households_are_of_a_plausible_size_and_the_population_counts_them(run: Run) -> None:
    population = {p["area"]: p for p in read_table(run.folder / "population-2023.csv")}
    persons = sum(s.members for s in run.registry.states.values() if s.status is Status.ACTIVE)
    assert population[DISTRICT]["households"] == "12836"
    assert int(population[DISTRICT]["persons"]) == persons
    assert 4.0 <= persons / 12_836 <= 4.5
    assert sum(int(population[c]["persons"]) for c in MARGINALS.communes) == persons


def test_poor_households_lack_three_indicators_or_more_and_near_poor_fewer(run: Run) -> None:
    lacking = defaultdict(list)
    for row in all_rows(run.folder / "ANNUAL-2023"):
        assert row.deprivations is not None
        lacking[row.declared_class].append(len(row.deprivations))
    assert min(lacking[POOR]) == 3
    assert max(lacking[NEAR]) == 2
    assert max(lacking[NOT]) >= 3


def test_boundary_scores_occur_in_town_and_country(run: Run) -> None:
    listed = {
        (area_type(path.stem), row.b1_points)
        for path in sorted((run.folder / "ANNUAL-2022").iterdir())
        for row in rows_of(path)
        if row.declared_class is POOR and row.b2_points == 30
    }
    assert {(AreaType.RURAL, 140), (AreaType.URBAN, 175)} <= listed
    assert max(b1 or 0 for kind, b1 in listed if kind is AreaType.RURAL) == 140


def test_without_the_registers_export_no_row_is_guessed(run: Run, tmp_path: Path) -> None:
    generate(DISTRICT, 2023, tmp_path, seed=7, form="csv")
    rows = list(all_rows(tmp_path / "ANNUAL-2023"))
    assert len(rows) == 12_836
    assert {row.household_id for row in rows} == {None}


def test_the_same_seed_writes_the_same_bytes_and_another_one_does_not(tmp_path: Path) -> None:
    prints = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        generate(DISTRICT, 2022, tmp_path / name, seed=seed, form="csv")
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        prints.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in files])
    assert prints[0] == prints[1]
    assert prints[0] != prints[2]


def test_workbooks_hold_the_same_rows_as_csv(tmp_path: Path) -> None:
    generated = generate(DISTRICT, 2022, tmp_path / "x", seed=1)
    generate(DISTRICT, 2022, tmp_path / "c", seed=1, form="csv")
    assert len(generated.files) == 14 * 2 + 3
    for name in ("ANNUAL-2022/23827", "REGULAR-2022-06/23824"):
        workbook, plain = rows_of(tmp_path / "x" / f"{name}.xlsx"), rows_of(tmp_path / "c" / f"{name}.csv")
        assert [without_number(row) for row in workbook] == [without_number(row) for row in plain]


@pytest.mark.parametrize(("district", "year"), [("631", 2022), (DISTRICT, 2021)])
def test_a_district_or_year_without_counts_is_refused(tmp_path: Path, district: str, year: int) -> None:
    with pytest.raises(Refused) as refused:
        generate(district, year, tmp_path, seed=1)
    assert refused.value.rule == "nothing-to-generate"


def test_the_marginals_add_up() -> None:
    names = {(row.measure, row.year) for row in MARGINALS.rows}
    for measure, year in names:
        total = sum(MARGINALS.value(commune, measure, year) for commune in MARGINALS.communes)
        assert MARGINALS.value(DISTRICT, measure, year) == total, (measure, year)


@pytest.mark.parametrize("area", [DISTRICT, *MARGINALS.communes])
def test_the_marginals_close(area: str) -> None:
    def value(measure: str, year: int = 2023) -> int:
        return MARGINALS.value(area, measure, year)

    for form, name in (("7.2", "poor"), ("7.3", "near_poor")):
        less = sum(value(f"{form}.c{n}") for n in (2, 3, 4))
        more = sum(value(f"{form}.c{n}") for n in (5, 6, 7, 8))
        assert value(name, 2022) - less + more == value(name)
        assert value(f"{form}.c4") == value(f"closed.{name}") + value(f"moved_out.{name}")
        assert value(f"{form}.c8") == value(f"arrived.{name}") + value(f"moved_in.{name}")
    assert value("7.2.c2") == value("7.3.c5")
    assert value("7.2.c5") == value("7.3.c3")
    change = sum(
        sign * value(f"{way}.{name}")
        for way, sign in (("arrived", 1), ("moved_in", 1), ("closed", -1), ("moved_out", -1))
        for name in ("poor", "near_poor", "not_poor")
    )
    assert value("households", 2022) + change == value("households")
    assert value("poor") + value("near_poor") < value("households")


def test_each_count_tells_where_it_is_from() -> None:
    assert {row.origin for row in MARGINALS.rows} == {"SOURCED", "DERIVED", "INVENTED"}
    assert all(row.source for row in MARGINALS.rows)
    sourced = {(r.measure, r.year, r.value) for r in MARGINALS.rows if r.origin != "INVENTED"}
    assert sourced == {
        ("households", 2022, 12_836),
        ("households", 2023, 12_836),
        ("poor", 2022, 5_095),
        ("poor", 2023, 4_336),
    }


def test_the_communes_are_those_of_the_district_at_that_time() -> None:
    communes = {unit.code for unit in areas.communes_under(DISTRICT, date(2022, 12, 12))}
    assert set(MARGINALS.communes) == communes == {v.commune for v in load_villages(DISTRICT)}
    assert len(communes) == 14
    names = [(v.commune, v.name) for v in load_villages(DISTRICT)]
    assert len(set(names)) == len(names)


def rows_of(path: Path) -> list[ReviewRow]:
    rows = list(read_review(path, STANDARD))
    good = [row for row in rows if isinstance(row, ReviewRow)]
    assert len(good) == len(rows)
    return good


def all_rows(folder: Path) -> Iterator[ReviewRow]:
    for path in sorted(folder.iterdir()):
        yield from rows_of(path)


def without_number(row: ReviewRow) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in ReviewRow.__slots__ if name != "number")
