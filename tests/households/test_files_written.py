"""The files that people take away: reviews, answers, the register's export."""

import csv
import io
from dataclasses import replace
from datetime import date
from pathlib import Path
from uuid import UUID

from openpyxl import load_workbook

from households.domain import HouseholdClass, ReviewKind, Stage, get_standard
from households.files import (
    AnswerLine,
    Gender,
    RegisterLine,
    ReviewRow,
    ReviewSheet,
    answers_csv,
    read_review,
    register_csv,
    write_review_csv,
    write_review_xlsx,
)

STANDARD = get_standard("STD_2022_2025")
ID = UUID("018f0000-0000-7000-8000-000000000001")
SHEET = ReviewSheet(
    "23827", "Xã Chư Krey", "Huyện Kông Chro", "Tỉnh Gia Lai", 2022, ReviewKind.ANNUAL, Stage.OFFICIAL,
    "STD_2022_2025", date(2022, 12, 12),
)  # fmt: skip
ROW = ReviewRow(
    number=10,
    village="Làng Chôr",
    head_name="Đinh Văn Thử",
    code="001",
    members=5,
    b1_points=140,
    b2_points=30,
    deprivations=("NUTRITION", "HOUSING_AREA", "INFO_DEVICES"),
    declared_class=HouseholdClass.POOR,
    household_id=ID,
    head_gender=Gender.FEMALE,
    indigenous=True,
    quick_result="Đạt",
    reviewer="Nguyễn Thị Mẫu",
    reviewed_on=date(2022, 11, 3),
)


def test_nothing_we_write_runs_as_a_formula(tmp_path: Path) -> None:
    evil = '=HYPERLINK("http://x","y")'
    write_review_xlsx(tmp_path / "a.xlsx", SHEET, [replace(ROW, head_name=evil)], STANDARD)
    sheet = load_workbook(tmp_path / "a.xlsx").active
    assert sheet is not None
    assert {cell.data_type for line in sheet.iter_rows() for cell in line} <= {"s", "n", "d"}
    write_review_csv(tmp_path / "a.csv", [replace(ROW, head_name="+84 Đinh")], STANDARD)
    assert ",'+84 Đinh," in (tmp_path / "a.csv").read_text("utf-8-sig")
    (row,) = read_review(tmp_path / "a.csv", STANDARD)
    assert isinstance(row, ReviewRow)
    assert row.head_name == "+84 Đinh"
    line = AnswerLine(5, "Bị từ chối", field="head_name", rule="x", message="@cmd")
    assert "'@cmd" in b"".join(answers_csv([line])).decode("utf-8-sig")


def test_the_registers_export_carries_the_identifier() -> None:
    line = RegisterLine(
        ID,
        "23827",
        "23827.03",
        "Làng Chôr",
        "001",
        "Đinh Văn Thử",
        5,
        HouseholdClass.NEAR_POOR,
        date(2022, 12, 12),
    )
    text = b"".join(register_csv([line] * 1200)).decode("utf-8")
    assert text.count("\ufeff") == 1
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert len(rows) == 1200
    assert rows[0] == {
        "Mã hệ thống": str(ID),
        "Mã xã": "23827",
        "Mã thôn": "23827.03",
        "Thôn": "Làng Chôr",
        "Mã hộ": "001",
        "Họ và tên chủ hộ": "Đinh Văn Thử",
        "Số nhân khẩu": "5",
        "Phân loại": "Hộ cận nghèo",
        "Từ ngày": "12/12/2022",
    }


def test_answers_are_in_words() -> None:
    lines = [
        AnswerLine(10, "Đã ghi", ID, HouseholdClass.POOR),
        AnswerLine(11, "Bị từ chối", field="b1_points"),
    ]
    rows = list(csv.reader(io.StringIO(b"".join(answers_csv(lines)).decode("utf-8-sig"))))
    assert rows[1][:4] == ["10", "Đã ghi", str(ID), "Hộ nghèo"]
    assert rows[2][4] == "Điểm B1"


def test_the_same_rows_make_the_same_file(tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        write_review_xlsx(tmp_path / name, SHEET, [ROW], STANDARD)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
