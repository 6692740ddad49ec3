"""Score tables are loaded whole, with their paper, or not at all; a form is scored item by item with reasons.

The only numbers here are the first rows of the old table of 2016-2020, kept as an example of the shape, and
invented ones.
"""

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from households.domain import AreaType, Refused
from households.domain.score_tables import (
    Approval,
    PointForm,
    ScoreTable,
    TableRow,
    area_columns,
    read_table,
    table_in_force,
)
from households.domain.scoring import PointBasis, form_refusals, given_total, score_form, screen

OLD = Path(__file__).with_name("b1_2016_2020_partial.csv")
ON = date(2026, 10, 15)
RURAL, URBAN = AreaType.RURAL, AreaType.URBAN
OLD_HEAD: dict[str, Any] = {
    "form": "FORM_B1",
    "standard": "STD_2016_2020",
    "form_version": "2016-partial",
    "valid_from": "2016-01-01",
    "valid_to": "2021-12-31",
    "document": {"number": "Văn bản giai đoạn 2016 - 2020", "issued_on": "2016-06-28", "issuer": "Bộ"},
    "columns": list(area_columns()),
    "approval": {"paper": "Quyết định giả định 1", "approved_on": "2016-07-01"},
}
HEAD: dict[str, Any] = {
    "form": "FORM_B1",
    "standard": "STD_2022_2025",
    "form_version": "test-1",
    "valid_from": date(2022, 1, 1),
    "valid_to": date(2026, 12, 31),
    "document": {
        "number": "Văn bản giả định 7",
        "issued_on": date(2021, 7, 18),
        "issuer": "Cơ quan giả định",
    },
    "columns": ["URBAN", "RURAL_CH"],
    "approval": {"paper": "Quyết định giả định 2", "approved_on": date(2021, 12, 1)},
}


def old_rows() -> Iterator[TableRow]:
    with OLD.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for column in area_columns():
                yield TableRow(
                    row["item"], row["item"], "ONE", row["option"], row["option_vi"], column, int(row[column])
                )


def item(code: str, kind: str, options: list[tuple[Any, ...]], **more: Any) -> list[TableRow]:
    """Rows of one item: an option is (code, urban points, rural points[, from, below])."""
    return [
        TableRow(code, f"Mục {code}", kind, name, f"Mức {name}", column, points,
                 *(bounds or (None, None)), **more)
        for name, urban, rural, *bounds in options
        for column, points in (("URBAN", urban), ("RURAL_CH", rural))
    ]  # fmt: skip


SIZE = item("SIZE", "ONE", [("ONE", 80, 75), ("MANY", 0, 0)], may_skip=True)
ASSETS = item("ASSETS", "MANY", [("BIKE", 10, 15), ("FRIDGE", 5, 10), ("BOAT", -5, 0)])
AREA = item("AREA", "RANGE", [
    ("SMALL", 0, 0, None, "8"), ("MIDDLE", 5, 10, "8", "20"), ("LARGE", 15, 20, "20", None)])  # fmt: skip
ROWS = SIZE + ASSETS + AREA
FILLED = {"SIZE": "ONE", "ASSETS": ["FRIDGE", "BIKE"], "AREA": "8.0"}


def table(head: dict[str, Any] | None = None, rows: list[TableRow] | None = None) -> ScoreTable:
    found, faults = read_table(HEAD | (head or {}), ROWS if rows is None else rows)
    assert not faults
    assert found is not None
    return found


def rules_of(head: dict[str, Any], rows: list[TableRow]) -> set[str]:
    found, faults = read_table(HEAD | head, rows)
    assert (found is None) is bool(faults)
    assert all(f.message_vi and f.message_en and f.where for f in faults)
    return {fault.rule for fault in faults}


def refused(call: Any, *args: Any) -> Refused:
    with pytest.raises(Refused) as found:
        call(*args)
    assert found.value.message_vi != found.value.message_en
    return found.value


def test_a_filled_form_is_scored_item_by_item_with_its_reason() -> None:
    found = score_form(table(), "URBAN", URBAN, FILLED)
    assert [(line.item, line.options, line.points) for line in found.lines or ()] == [
        ("SIZE", ("ONE",), 80), ("ASSETS", ("BIKE", "FRIDGE"), 15), ("AREA", ("MIDDLE",), 5),
    ]  # fmt: skip
    assert (found.total, found.basis, found.table) == (100, PointBasis.ITEMS, "STD_2022_2025/FORM_B1/test-1")
    assert [line.reason_vi for line in found.lines or ()] == [
        "Mục SIZE: Mức ONE → 80 điểm",
        "Mục ASSETS: Mức BIKE, Mức FRIDGE → 15 điểm",
        "Mục AREA: 8 (Mức MIDDLE) → 5 điểm",
    ]
    assert score_form(table(), "RURAL_CH", RURAL, FILLED).total == 110


@pytest.mark.parametrize(
    ("area", "points"),
    [("0", 0), ("7.99", 0), ("8", 5), (8, 5), ("19.999", 5), ("20", 15), ("5000", 15)],
)
def test_a_range_holds_from_its_lower_end_to_before_its_upper_end(area: object, points: int) -> None:
    found = score_form(table(), "URBAN", URBAN, FILLED | {"AREA": area})
    assert (found.lines or ())[2].points == points


def test_nothing_that_applies_is_an_answer_and_nothing_said_is_not() -> None:
    assert score_form(table(), "URBAN", URBAN, FILLED | {"ASSETS": []}).total == 85
    missing = refused(score_form, table(), "URBAN", URBAN, {"SIZE": "ONE", "AREA": "8"})
    assert (missing.rule, missing.field) == ("item-missing", "ASSETS")


@pytest.mark.parametrize(
    ("change", "rule", "field"),
    [
        ({"SIZE": None}, "item-missing", "SIZE"),
        ({"SIZE": "TWO"}, "item-invalid", "SIZE"),
        ({"SIZE": ["ONE"]}, "item-invalid", "SIZE"),
        ({"ASSETS": "BIKE"}, "item-invalid", "ASSETS"),
        ({"ASSETS": ["BIKE", "BIKE"]}, "item-invalid", "ASSETS"),
        ({"ASSETS": ["CAR"]}, "item-invalid", "ASSETS"),
        ({"ASSETS": [["BIKE"]]}, "item-invalid", "ASSETS"),
        ({"AREA": "-1"}, "item-invalid", "AREA"),
        ({"AREA": 8.0}, "item-invalid", "AREA"),
        ({"CAR": "ONE"}, "item-unknown", "CAR"),
    ],
)
def test_an_answer_that_cannot_be_refuses_its_item(change: dict[str, Any], rule: str, field: str) -> None:
    found = form_refusals(table(), "URBAN", URBAN, FILLED | change)
    assert [(r.rule, r.field) for r in found] == [(rule, field)]
    assert refused(score_form, table(), "URBAN", URBAN, FILLED | change).rule == rule


def test_an_item_is_left_out_only_where_the_form_allows_it_and_with_its_reason() -> None:
    rest = {key: value for key, value in FILLED.items() if key != "SIZE"}
    found = score_form(table(), "URBAN", URBAN, rest, {"SIZE": "hộ chỉ có người già"})
    assert (found.total, (found.lines or ())[0].points) == (20, 0)
    assert "hộ chỉ có người già" in (found.lines or ())[0].reason_vi
    for answers, skipped in ((rest, {"SIZE": " "}), (FILLED, {"SIZE": "x"}), (FILLED, {"AREA": "x"})):
        assert refused(score_form, table(), "URBAN", URBAN, answers, skipped).rule == "item-not-skippable"


def test_the_column_belongs_to_the_type_of_the_area() -> None:
    assert refused(score_form, table(), "URBAN", RURAL, FILLED).rule == "area-column-of-another-type"
    assert refused(score_form, table(), "RURAL_SE", RURAL, FILLED).rule == "area-column-unknown"
    assert refused(score_form, table(), "MARS", RURAL, FILLED).rule == "area-column-unknown"
    assert [c.area_type for c in area_columns().values()].count(URBAN) == 1
    assert len(area_columns()) == 7


def test_a_draft_scores_nothing() -> None:
    draft = replace(table(), approval=None)
    assert refused(score_form, draft, "URBAN", URBAN, FILLED).rule == "score-table-not-approved"
    assert refused(table_in_force, [draft], PointForm.FORM_B1, "STD_2022_2025", ON).rule == (
        "score-table-not-approved"
    )


def test_without_a_table_in_force_the_form_is_refused_and_says_what_to_load() -> None:
    found = refused(table_in_force, [], PointForm.FORM_B1, "STD_2022_2025", ON)
    assert found.rule == "score-table-missing"
    assert "nạp bảng điểm" in found.message_vi
    one = table()
    for form, standard, on in (
        (PointForm.FORM_A, "STD_2022_2025", ON),
        (PointForm.FORM_B1, "STD_2027_2030", ON),
        (PointForm.FORM_B1, "STD_2022_2025", date(2021, 12, 31)),
        (PointForm.FORM_B1, "STD_2022_2025", date(2027, 1, 1)),
    ):
        assert refused(table_in_force, [one], form, standard, on).rule == "score-table-missing"
    late = replace(one, approval=Approval("Quyết định giả định 3", date(2026, 10, 16)))
    assert refused(table_in_force, [late], PointForm.FORM_B1, "STD_2022_2025", ON).rule == (
        "score-table-not-approved"
    )
    assert table_in_force([late, one], PointForm.FORM_B1, "STD_2022_2025", ON) is one
    two = [one, replace(one, form_version="test-2")]
    assert refused(table_in_force, two, PointForm.FORM_B1, "STD_2022_2025", ON).rule == "score-tables-overlap"


def test_the_reviewers_total_is_marked_as_given() -> None:
    found = given_total(140)
    assert (found.total, found.basis, found.lines, found.table) == (140, PointBasis.TOTALS_GIVEN, None, None)
    for points in (-1, 1001, "140", True):
        assert refused(given_total, points).rule == "b1-out-of-range"


def test_the_old_table_has_the_shape_and_its_own_numbers() -> None:
    found, faults = read_table(OLD_HEAD, old_rows())
    assert not faults
    assert found is not None
    sizes = found.items[0].options
    assert [o.points["URBAN"] for o in sizes] == [80, 55, 40, 25, 20, 10, 0]
    assert [o.points["RURAL_CH"] for o in sizes] == [75, 50, 40, 35, 15, 5, 0]


def test_the_old_table_cannot_be_loaded_for_2022_and_is_not_found_for_it() -> None:
    found, _ = read_table(OLD_HEAD, old_rows())
    assert found is not None
    assert (
        refused(table_in_force, [found], PointForm.FORM_B1, "STD_2022_2025", ON).rule == "score-table-missing"
    )
    renamed = OLD_HEAD | {"standard": "STD_2022_2025", "valid_from": "2022-01-01", "valid_to": "2026-12-31"}
    none, faults = read_table(renamed, old_rows())
    assert none is None
    assert [f.rule for f in faults] == ["table-older-than-standard"]
    none, faults = read_table(OLD_HEAD | {"standard": "STD_2022_2025"}, old_rows())
    assert {f.rule for f in faults} == {"table-older-than-standard", "table-outside-standard"}


PAPER = HEAD["document"]


def test_a_paper_of_the_very_day_of_the_decree_is_not_too_old() -> None:
    assert rules_of({"document": PAPER | {"issued_on": date(2021, 1, 27)}}, ROWS) == set()


@pytest.mark.parametrize(
    ("head", "rule"),
    [
        ({"document": None}, "table-head-incomplete"),
        ({"document": PAPER | {"number": " "}}, "table-without-document"),
        ({"document": PAPER | {"issuer": ""}}, "table-without-document"),
        ({"document": PAPER | {"issued_on": "soon"}}, "table-head-incomplete"),
        ({"document": PAPER | {"issued_on": date(2021, 1, 26)}}, "table-older-than-standard"),
        ({"form_version": ""}, "table-without-document"),
        ({"form": "FORM_C"}, "table-head-incomplete"),
        ({"standard": "STD_1999"}, "table-standard-unknown"),
        ({"valid_to": date(2027, 1, 1)}, "table-outside-standard"),
        ({"valid_to": date(2021, 1, 1)}, "table-outside-standard"),
        ({"columns": []}, "table-columns-unknown"),
        ({"columns": ["URBAN", "RURAL_CH", "URBAN"]}, "table-columns-unknown"),
        ({"columns": ["URBAN", "MARS"]}, "table-columns-unknown"),
        ({"approval": {"paper": "", "approved_on": ON}}, "table-approval-without-paper"),
        ({"approval": {"paper": "x"}}, "table-head-incomplete"),
        ({"cut_off": 3}, "table-cut-off"),
        ({"form": "FORM_A"}, "table-cut-off"),
        ({"form": "FORM_A", "cut_off": 3.5, "review_when": "AT_MOST"}, "table-cut-off"),
    ],
)
def test_a_head_without_its_paper_or_dates_is_refused(head: dict[str, Any], rule: str) -> None:
    assert rule in rules_of(head, ROWS)


@pytest.mark.parametrize(
    ("rows", "rule"),
    [
        ([], "table-empty"),
        (ROWS[:-1], "table-points-missing"),
        ([*ROWS, ROWS[0]], "table-points-twice"),
        ([*ROWS, replace(ROWS[0], column="RURAL_SE")], "table-points-missing"),
        ([replace(ROWS[0], points="80"), *ROWS[1:]], "table-points-not-integer"),
        ([replace(ROWS[0], points=80.0), *ROWS[1:]], "table-points-not-integer"),
        ([replace(ROWS[0], points=True), *ROWS[1:]], "table-points-not-integer"),
        ([replace(ROWS[0], points=None), *ROWS[1:]], "table-points-not-integer"),
        ([replace(ROWS[0], points=5000), *ROWS[1:]], "table-points-not-integer"),
        ([replace(ROWS[0], item_vi="Khác"), *ROWS[1:]], "table-item-contradicts"),
        ([replace(row, kind="SOME") for row in ROWS], "table-item-invalid"),
        (item("A", "RANGE", [("X", 0, 0, None, "8"), ("Y", 1, 1, "9", None)]), "table-range-gap"),
        (item("A", "RANGE", [("X", 0, 0, None, "8"), ("Y", 1, 1, "7.9", None)]), "table-range-overlap"),
        (item("A", "RANGE", [("X", 0, 0, None, "8"), ("Y", 1, 1, None, None)]), "table-range-overlap"),
        (item("A", "RANGE", [("X", 0, 0, None, "8"), ("Y", 1, 1, "8", "20")]), "table-range-open"),
        (item("A", "RANGE", [("X", 0, 0, "1", "8"), ("Y", 1, 1, "8", None)]), "table-range-open"),
        (item("A", "RANGE", [("X", 0, 0, "0", "0"), ("Y", 1, 1, "0", None)]), "table-range-invalid"),
        (item("A", "RANGE", [("X", 0, 0, None, "tám"), ("Y", 1, 1, "8", None)]), "table-range-invalid"),
    ],
)
def test_a_table_that_is_not_whole_is_refused(rows: list[TableRow], rule: str) -> None:
    assert rule in rules_of({}, rows)


def test_form_a_is_refused_until_its_table_is_loaded_and_then_answers_by_its_cut_off() -> None:
    assert (
        refused(table_in_force, [table()], PointForm.FORM_A, "STD_2022_2025", ON).rule
        == "score-table-missing"
    )
    assert refused(screen, table(), "URBAN", URBAN, FILLED).rule == "table-of-another-form"
    for total, at_most, at_least in ((99, False, True), (100, True, True), (101, True, False)):
        head = {"form": "FORM_A", "cut_off": total}
        most = screen(table(head | {"review_when": "AT_MOST"}), "URBAN", URBAN, FILLED)
        least = screen(table(head | {"review_when": "AT_LEAST"}), "URBAN", URBAN, FILLED)
        assert (most.to_review, least.to_review, most.score.total) == (at_most, at_least, 100)


BOUND = st.none() | st.integers(0, 5).map(str)
ANY_ROWS = st.lists(
    st.builds(
        TableRow, st.sampled_from("AB"), st.just("Mục"), st.sampled_from(["ONE", "RANGE", "?"]),
        st.sampled_from("XYZ"), st.just("Mức"), st.sampled_from(["URBAN", "RURAL_CH"]),
        st.integers(0, 9) | st.none(), BOUND, BOUND,
    ), max_size=12,
)  # fmt: skip


@given(ANY_ROWS)
def test_any_rows_make_a_whole_table_or_named_faults(rows: list[TableRow]) -> None:
    found, faults = read_table(HEAD, rows)
    assert (found is None) is bool(faults)
    assert found is None or all(set(o.points) == set(found.columns) for i in found.items for o in i.options)


@given(st.lists(st.integers(1, 60), unique=True, min_size=1, max_size=6), st.integers(0, 70))
def test_in_a_whole_table_every_number_falls_in_exactly_one_range(ends: list[int], number: int) -> None:
    cuts = [None, *map(str, sorted(ends)), None]
    options = [(f"R{n}", n, n, cuts[n], cuts[n + 1]) for n in range(len(cuts) - 1)]
    scored = score_form(table({}, item("A", "RANGE", options)), "URBAN", URBAN, {"A": number})
    assert scored.total == sum(end <= number for end in ends)


JSON = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.lists(st.text(max_size=6))
)


@given(
    st.dictionaries(st.sampled_from(["SIZE", "ASSETS", "AREA", "CAR"]), JSON | st.just("ONE")), st.booleans()
)
def test_any_answers_give_a_total_or_named_refusals(answers: dict[str, Any], skip: bool) -> None:
    skipped = {"SIZE": "người già"} if skip else {}
    found = form_refusals(table(), "URBAN", URBAN, answers, skipped)
    if found:
        assert all(r.rule and r.field for r in found)
    else:
        assert len(score_form(table(), "URBAN", URBAN, answers, skipped).lines or ()) == 3
