"""Questions without sense, the edges of time, and answers as files."""

import csv
import io
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import openpyxl
import pytest
from tests.reporting.histories import END_2022, END_2023, decided, living_in, population

Tell = Callable[..., Awaitable[None]]
Client = Callable[..., Awaitable[httpx2.AsyncClient]]


@pytest.mark.parametrize(
    ("path", "status", "rule"),
    [
        ("situation?area=99999", 404, "area-unknown"),
        ("situation?area=630&on=2030-01-01", 404, "area-unknown"),
        ("situation?area=x'; drop table populations", 422, "input-invalid"),
        ("situation", 422, "input-invalid"),
        ("situation?area=630&on=31/12/2023", 422, "input-invalid"),
        ("situation?area=630&on=0001-01-01", 422, "input-invalid"),
        ("situation?area=630&stage=FINAL", 422, "input-invalid"),
        ("movements?area=630&year=0", 422, "input-invalid"),
        ("trend?area=630&years=100000", 422, "input-invalid"),
    ],
)
async def test_a_question_without_sense_is_named(path: str, status: int, rule: str, officer: Client) -> None:
    answer = await (await officer("VN")).get(f"/v1/{path}")

    assert (answer.status_code, answer.json()["rule"]) == (status, rule)


async def test_the_edges_of_time_are_answered(officer: Client) -> None:
    client = await officer("VN")

    for on in ("1990-01-01", "2100-12-31"):
        assert (await client.get("/v1/trend", params={"area": "VN", "on": on})).status_code == 200
        assert (await client.get("/v1/situation", params={"area": "VN", "on": on})).status_code == 200
    for year in ("1990", "2024", "2100"):
        asked = {"area": "VN", "year": year}
        assert (await client.get("/v1/money", params=asked)).status_code == 200


async def a_district(tell: Tell) -> None:
    state, first = decided(living_in("23827", 4), "POOR", END_2022)
    told: list[Any] = [first, decided(state, "NEAR_POOR", END_2023, members=5)[1]]
    await tell([*told, population("23827", 100, 400, END_2022)])


async def test_the_situation_as_a_file_says_what_the_answer_says(tell: Tell, officer: Client) -> None:
    await a_district(tell)
    client = await officer("630")
    asked = {"area": "630", "on": "2023-12-31"}

    plain = (await client.get("/v1/situation.csv", params=asked)).content
    book = openpyxl.load_workbook(io.BytesIO((await client.get("/v1/situation.xlsx", params=asked)).content))

    rows = list(csv.DictReader(io.StringIO(plain.decode("utf-8-sig"))))
    near = next(row for row in rows if row["Mã"] == "23827" and row["Phân loại"] == "Hộ cận nghèo")
    assert (near["Số hộ"], near["Nhân khẩu"], near["Tỷ lệ hộ (%)"]) == ("1", "5", "1.00")
    assert near["Thay đổi (điểm phần trăm)"] == "1.00"
    sheet = book.worksheets[0]
    cells = [[cell.value for cell in row] for row in sheet.iter_rows()]
    head = next(row for row in cells if row[0] == "Khu vực")
    written = [dict(zip(head, row, strict=True)) for row in cells[cells.index(head) + 1 :]]
    assert len(written) == len(rows) == 15 * 4
    assert written[5]["Số hộ"] == int(rows[5]["Số hộ"])
    assert cells[0][0] == "Tình hình hộ nghèo, hộ cận nghèo: Huyện Kông Chro"


async def test_the_forms_as_files_have_two_rows_for_each_area(tell: Tell, officer: Client) -> None:
    await a_district(tell)
    client = await officer("630")
    asked = {"area": "630", "year": "2023"}

    plain = (await client.get("/v1/movements.csv", params=asked)).content.decode("utf-8-sig")
    book = openpyxl.load_workbook(io.BytesIO((await client.get("/v1/movements.xlsx", params=asked)).content))

    poor = [row for row in csv.reader(io.StringIO(plain)) if row[:1] == ["7.2"]]
    assert len(poor) == 2 * (14 + 3)
    # One more member first (column 8 of the poor list), then the whole household of five leaves it.
    assert poor[-2][5:] == ["1", "1", "0", "0", "0", "0", "0", "0", "0"]
    assert poor[-1][5:] == ["4", "5", "0", "0", "0", "0", "0", "1", "0"]
    assert book.sheetnames == ["7.2", "7.3"]
