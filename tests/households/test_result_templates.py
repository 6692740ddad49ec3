"""The template of results names the columns that the importer takes, and its example is a row that is taken."""

import csv
import io
from typing import Any

import openpyxl
import pytest
from tests.households.officer import COMMUNE, Commune

from households.domain import get_standard
from households.files.columns import FileKind, columns_of, results_columns
from households.files.layout import REQUIRED, TITLES, find_layout

STANDARD = get_standard("STD_2022_2025")
XLSX = "/v1/templates/results.xlsx"


async def book(officer: Commune, **query: str) -> openpyxl.Workbook:
    answer = await officer.client.get(XLSX, params=query)
    assert answer.status_code == 200, answer.text
    return openpyxl.load_workbook(io.BytesIO(answer.content))


async def test_the_example_is_accepted_as_it_stands_in_the_sheet_to_fill_in(commune: Commune) -> None:
    filled = await book(commune, commune=COMMUNE)
    data, example = filled["Dữ liệu"], filled["Ví dụ"]
    for column in range(1, example.max_column + 1):
        data.cell(2, column).value = example.cell(2, column).value
    content = io.BytesIO()
    filled.save(content)

    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    sent = await commune.ask(
        "POST",
        f"/v1/reviews/{await commune.open_review(2023)}/imports",
        202,
        content=content.getvalue(),
        headers={"Content-Type": kind},
    )
    await commune.run_imports()

    done = await commune.ask("GET", f"/v1/imports/{sent['import_id']}")
    assert (done["total"], done["applied"], done["refused"], done["warnings"]) == (1, 1, 0, 0)
    [household] = await commune.households()
    assert (household["head_name"], household["code"]) == ("Đinh Thị Ví Dụ", "H001")
    read = await commune.household(household["id"])
    assert read["poverty_class"] == "POOR"
    assert [each["code"] for each in read["causes"]] == ["NO_LAND", "NO_CAPITAL"]


async def test_the_workbook_explains_its_columns_and_offers_villages_classes_and_marks(
    commune: Commune,
) -> None:
    offered = await book(commune, commune=COMMUNE)
    columns = results_columns(STANDARD)

    assert offered.sheetnames == ["Dữ liệu", "Ví dụ", "Hướng dẫn", "Danh mục"]
    told = " ".join(
        str(cell.value) for line in offered["Hướng dẫn"].iter_rows() for cell in line if cell.value
    )
    assert all(each.vi in told and each.help_vi in told for each in columns.columns)
    assert all(words in told for words in columns.help_vi)
    lists = {line[0]: list(line[1:]) for line in offered["Danh mục"].iter_cols(values_only=True)}
    assert [each for each in lists["Thôn"] if each] == ["Làng Một", "Làng Hai", "Làng Ba"]
    assert "Hộ cận nghèo" in lists["Phân loại"]
    assert "Nguyên nhân nghèo" not in lists, "several stand in one cell"


async def test_the_csv_has_the_header_that_is_read(commune: Commune) -> None:
    answer = await commune.client.get("/v1/templates/results.csv")

    [head] = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    layout = find_layout([head], STANDARD)
    assert set(layout.fields) == set(TITLES) == {each.field for each in columns_of(FileKind.RESULTS).columns}
    assert len(layout.flags) == 12
    assert layout.ignored == ()
    assert set(REQUIRED) <= set(TITLES)


def test_every_name_that_the_template_says_is_taken_is_taken() -> None:
    columns = results_columns(STANDARD).columns
    for at, column in enumerate(columns):
        for name in (column.vi, *column.other):
            layout = find_layout([[name if n == at else each.vi for n, each in enumerate(columns)]], STANDARD)
            placed = dict(layout.fields) | dict(zip(STANDARD.indicator_codes, layout.flags, strict=True))
            assert placed[column.field] == at, name


@pytest.mark.parametrize(
    ("standard", "rule"), [("STD_2027_2030", "standard-incomplete"), ("STD_9", "standard-unknown")]
)
async def test_a_standard_that_cannot_classify_has_no_template(
    commune: Commune, standard: str, rule: str
) -> None:
    for kind in ("xlsx", "csv"):
        refused: Any = await commune.ask(
            "GET", f"/v1/templates/results.{kind}", 422, params={"standard": standard}
        )
        assert refused["rule"] == rule
