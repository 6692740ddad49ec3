"""The named lists as files: who stands in them, for a purpose that is recorded, with nothing run as a formula."""

import csv
import io
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from tests.households.officer import Commune, SignIn

from benvung.testing import Engine


async def listed(officer: Commune, which: str, on: str = "2023-12-31", **query: Any) -> list[list[str]]:
    """The rows of a list below its header."""
    asked = {"area": officer.code, "purpose": "POLICY", "on": on, **query}
    answer = await officer.client.get(f"/v1/lists/{which}.csv", params=asked)
    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))[1:]


async def two_years(officer: Commune) -> dict[str, str]:
    """Households decided on in 2022 and 2023: old poor, newly poor, escaped to near-poor, escaped above."""
    homes = {
        name: await officer.register(code=f"H{n}", head_name=name)
        for n, name in enumerate(["Đinh Cũ", "Đinh Mới", "Đinh Thoát", "=Đinh Vượt"])
    }
    first, second = await officer.open_review(2022), await officer.open_review(2023)
    for name in ("Đinh Cũ", "Đinh Thoát", "=Đinh Vượt"):
        await officer.decide(first, homes[name], 120, 40)
    await officer.decide(second, homes["Đinh Cũ"], 120, 40)
    await officer.decide(second, homes["Đinh Mới"], 120, 40)
    await officer.decide(second, homes["Đinh Thoát"], 120, 20)
    await officer.decide(second, homes["=Đinh Vượt"], 200, 20)
    return homes


async def test_each_list_has_those_who_stand_in_it_on_the_day(commune: Commune) -> None:
    await two_years(commune)

    poor = await listed(commune, "POOR")
    assert [row[2].split(";")[0] for row in poor] == sorted(row[2].split(";")[0] for row in poor) or len(
        poor
    ) == 2
    assert {row[2].split(";")[0]: (row[7], row[9]) for row in poor} == {
        "Đinh Cũ": ("", "x"),
        "Đinh Mới": ("x", ""),
    }
    assert [row[2].split(";")[0] for row in await listed(commune, "NEAR_POOR")] == ["Đinh Thoát"]
    escaped = {row[2].split(";")[0]: (row[7], row[8]) for row in await listed(commune, "ESCAPED_POOR")}
    assert escaped == {"Đinh Thoát": ("x", ""), "'=Đinh Vượt": ("", "x")}
    assert len(await listed(commune, "POOR", on="2022-12-31")) == 3
    assert await listed(commune, "ESCAPED_POOR", on="2022-12-31") == []
    assert await listed(commune, "AVERAGE_LIVING") == []


async def test_members_stand_below_their_head_and_sensitive_columns_are_filled_only_when_asked(
    commune: Commune,
) -> None:
    homes = await two_years(commune)
    for name, relation, sex in (("Đinh Thị Con", "CHILD", "FEMALE"), ("Đinh Cũ", "HEAD", "MALE")):
        person = {
            "name": name, "birth_year": 1980, "sex": sex, "relation": relation, "residence": "PERMANENT",
            "number_missing": "NO_PAPERS", "ethnicity": "BA_NA", "on": "2023-01-01",
        }  # fmt: skip
        await commune.ask("POST", f"/v1/households/{homes['Đinh Cũ']}/members", 201, json=person)

    plain = [row for row in await listed(commune, "POOR") if "Mới" not in row[2]]
    told = await listed(commune, "POOR", sensitive="true")

    mine = [row for row in plain if row[2].startswith("Đinh Cũ") or row[2] == "Đinh Thị Con"]
    assert [(row[2], row[3], row[4], row[6]) for row in mine] == [
        ("Đinh Cũ; Làng Một", "1980", "", "Chủ hộ"),
        ("Đinh Thị Con", "", "1980", "Con"),
    ]
    assert all(row[5] == "" for row in plain)
    assert "Ba Na" in {row[5] for row in told}


async def test_the_workbook_opens_and_says_no_formula(commune: Commune) -> None:
    await two_years(commune)

    answer = await commune.client.get(
        "/v1/lists/ESCAPED_POOR.xlsx",
        params={"area": commune.code, "purpose": "REPORT", "on": "2023-12-31"},
    )

    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert "DANH SÁCH HỘ THOÁT NGHÈO" in {cell.value for cell in cells}
    assert any(str(cell.value).startswith("=Đinh Vượt") for cell in cells)


async def test_the_purpose_and_whose_data_left_are_on_record(commune: Commune, engine: Engine) -> None:
    homes = await two_years(commune)

    await listed(commune, "POOR", purpose="INSPECTION")

    async with engine("households").connect() as conn:
        query = sa.text("select detail, about from audit where action = 'list.exported'")
        [(detail, about)] = (await conn.execute(query)).all()
    assert (detail["purpose"], detail["list"], detail["sensitive"]) == ("INSPECTION", "POOR", False)
    assert set(about) == {f"household/{homes[name]}" for name in ("Đinh Cũ", "Đinh Mới")}


@pytest.mark.parametrize(
    ("query", "status", "rule"),
    [
        ({"purpose": "CURIOSITY"}, 422, "purpose-unknown"),
        ({"purpose": ""}, 422, "input-invalid"),
        ({"area": "23830"}, 403, "outside-area"),
        ({"area": "64"}, 403, "outside-area"),
    ],
)
async def test_without_a_purpose_or_outside_the_area_nothing_leaves(
    commune: Commune, signed_in: SignIn, query: dict[str, str], status: int, rule: str
) -> None:
    asked = {"area": commune.code, "purpose": "POLICY", "on": "2023-12-31", **query}

    answer = await commune.client.get("/v1/lists/POOR.csv", params=asked)

    assert (answer.status_code, answer.json()["rule"]) == (status, rule)
