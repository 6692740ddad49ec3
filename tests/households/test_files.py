"""Files of review results as people really send them, and the files that people take away."""

import csv
import io
import struct
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import xlsxwriter
from openpyxl import load_workbook

from households.domain import HouseholdClass, Refused, ReviewKind, Stage, get_standard
from households.files import (
    Gender,
    Limits,
    ReviewRow,
    ReviewSheet,
    RowError,
    read_review,
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
MINIMAL = ["Thôn", "Họ và tên chủ hộ", "Mã hộ", "Số nhân khẩu", "Điểm B1", "Điểm B2"]
GOOD = ["Làng Chôr", "Đinh Văn Thử", "001", 4, 140, 30]


def xlsx(path: Path, rows: Iterable[Any]) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet()
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        for line, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, date):
                    page.write_datetime(line, column, cell, day)
                elif isinstance(cell, str) and cell.startswith("="):
                    page.write_formula(line, column, cell, None, 6)
                elif isinstance(cell, str):
                    page.write_string(line, column, cell)
                else:
                    page.write(line, column, cell)
    return path


def read(path: Path, **limits: int) -> list[ReviewRow | RowError]:
    return list(read_review(path, STANDARD, Limits(**limits)))


def only(path: Path) -> ReviewRow:
    (row,) = read(path)
    assert isinstance(row, ReviewRow), row
    return row


def refusal(path: Path, **limits: int) -> Refused:
    with pytest.raises(Refused) as refused:
        read(path, **limits)
    return refused.value


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_what_is_written_is_read_again(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"a.{form}"
    plain = ReviewRow(11, "Làng Mung", "Siu Tơi", "002", 1, 145, 0, ())
    if form == "xlsx":
        write_review_xlsx(path, SHEET, [ROW, plain], STANDARD)
    else:
        write_review_csv(path, [ROW, plain], STANDARD)
    first, second = read(path)
    assert isinstance(first, ReviewRow)
    assert isinstance(second, ReviewRow)
    assert replace(first, number=10) == ROW
    assert replace(second, number=11) == plain


def test_row_numbers_are_those_of_the_sheet(tmp_path: Path) -> None:
    write_review_xlsx(tmp_path / "a.xlsx", SHEET, [ROW], STANDARD)
    sheet = load_workbook(tmp_path / "a.xlsx").active
    assert sheet is not None
    assert sheet.cell(only(tmp_path / "a.xlsx").number, 2).value == "Đinh Văn Thử"
    rows = [[], [], ["BÁO CÁO"], [], MINIMAL, [], GOOD]
    assert only(xlsx(tmp_path / "b.xlsx", rows)).number == 7


def test_the_export_of_the_provinces_software_is_understood(tmp_path: Path) -> None:
    names = [
        "date", "hostName", "code", "coDanTocTaiCho", "hostGender", "numberOfMembers", "quickReview.result",
        "b1Point", "b2Point", "classify", "reviewer", "village",
    ]  # fmt: skip
    cells = ["03/11/2022", "Đinh Bơ", 12, True, "Nam", 4, "", 120.0, 40, "Hộ nghèo", "Trần Dẫn", "Làng A"]
    row = only(xlsx(tmp_path / "a.xlsx", [names, cells]))
    assert (row.code, row.indigenous, row.head_gender) == ("12", True, Gender.MALE)
    assert (row.b1_points, row.b2_points, row.deprivations) == (120, 40, None)
    assert (row.declared_class, row.reviewed_on) == (HouseholdClass.POOR, date(2022, 11, 3))


def test_headers_are_found_below_titles_whatever_their_case_marks_and_spaces(tmp_path: Path) -> None:
    header = ["STT", "THÔN ", "ho va ten\nchu ho", "ma  ho", "Số Nhân Khẩu", "ĐIỂM A", "Điểm B", "Ghi chú"]
    numbers = ["A", "B", "C", "1", "2", "3", "4", "5"]
    rows = [["ỦY BAN NHÂN DÂN"], ["Mẫu 7.1"], [], header, numbers, [1, *GOOD, "đã xem"]]
    row = only(xlsx(tmp_path / "a.xlsx", rows))
    assert (row.village, row.b1_points, row.b2_points) == ("Làng Chôr", 140, 30)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_in_every_usual_form(tmp_path: Path, encoding: str, separator: str) -> None:
    path = tmp_path / "a.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=separator).writerows([MINIMAL, GOOD])
    assert only(path).head_name == "Đinh Văn Thử"


@pytest.mark.parametrize(
    ("cell", "points"),
    [
        (140, 140),
        (140.0, 140),
        ("140", 140),
        ("140,0", 140),
        ("140.0", 140),
        (" 95 ", 95),
        ("", None),
        ("=1+5", 6),
    ],
)
def test_numbers_as_they_are_written(tmp_path: Path, cell: Any, points: int | None) -> None:
    row = only(xlsx(tmp_path / "a.xlsx", [MINIMAL, [*GOOD[:4], cell, 30]]))
    assert row.b1_points == points


def test_a_vietnamese_thousand_is_a_thousand(tmp_path: Path) -> None:
    assert only(xlsx(tmp_path / "a.xlsx", [MINIMAL, [*GOOD[:4], "1.234", 30]])).b1_points == 1234


@pytest.mark.parametrize(
    "cell",
    [date(2022, 11, 3), 44868, "03/11/2022", "3/11/2022", "3-11-2022", "2022-11-03", "2022-11-03T00:00:00"],
)
def test_days_as_they_are_written(tmp_path: Path, cell: Any) -> None:
    path = xlsx(tmp_path / "a.xlsx", [[*MINIMAL, "Ngày rà soát"], [*GOOD, cell]])
    assert only(path).reviewed_on == date(2022, 11, 3)


@pytest.mark.parametrize(
    ("column", "cell", "field", "rule"),
    [
        ("Thôn", "", "village", "cell-empty"),
        ("Họ và tên chủ hộ", " ", "head_name", "cell-empty"),
        ("Họ và tên chủ hộ", "x" * 201, "head_name", "text-too-long"),
        ("Họ và tên chủ hộ", "#REF!", "head_name", "formula-in-cell"),
        ("Số nhân khẩu", "", "members", "cell-empty"),
        ("Số nhân khẩu", 0, "members", "members-not-positive"),
        ("Số nhân khẩu", -4, "members", "members-not-positive"),
        ("Số nhân khẩu", "bốn", "members", "number-invalid"),
        ("Số nhân khẩu", 4.5, "members", "number-not-whole"),
        ("Số nhân khẩu", True, "members", "number-invalid"),
        ("Số nhân khẩu", date(2022, 1, 4), "members", "number-invalid"),
        ("Điểm B1", "1.234,5", "b1_points", "number-not-whole"),
        ("Điểm B1", "1e400", "b1_points", "number-invalid"),
        ("Điểm B1", "nan", "b1_points", "number-invalid"),
        ("Điểm B1", "1_0", "b1_points", "number-invalid"),
        ("Ngày rà soát", "31/02/2022", "reviewed_on", "date-invalid"),
        ("Ngày rà soát", "hôm qua", "reviewed_on", "date-invalid"),
        ("Ngày rà soát", 7, "reviewed_on", "date-invalid"),
        ("Phân loại", "Hộ khá", "declared_class", "class-unknown"),
        ("Giới tính chủ hộ", "?", "head_gender", "gender-unknown"),
        ("Mã hệ thống", "12345", "household_id", "system-id-invalid"),
        ("Thuộc DTTC", "có lẽ", "indigenous", "mark-invalid"),
    ],
)
def test_a_bad_cell_makes_its_rows_answer_and_nothing_else(
    tmp_path: Path, column: str, cell: Any, field: str, rule: str
) -> None:
    header = [*MINIMAL, *(() if column in MINIMAL else (column,))]
    bad = [*GOOD, *(() if column in MINIMAL else ("",))]
    bad[header.index(column)] = cell
    error, good = read(xlsx(tmp_path / "a.xlsx", [header, bad, GOOD]))
    assert isinstance(error, RowError)
    assert (error.row_number, error.field, error.rule) == (2, field, rule)
    assert error.message_vi.startswith(f"{column}: ")
    assert isinstance(good, ReviewRow)


def test_a_thousand_bad_rows_give_a_thousand_answers(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a.xlsx", [MINIMAL, *([*GOOD[:3], -1, 140, 30] for _ in range(1000))])
    errors = [row for row in read(path) if isinstance(row, RowError)]
    assert [error.row_number for error in errors] == list(range(2, 1002))


def test_short_rows_blank_rows_sums_and_signatures(tmp_path: Path) -> None:
    rows = [
        MINIMAL,
        GOOD,
        ["", "", ""],
        ["Làng Chôr", "Đinh Bơ"],
        ["Tổng cộng", "", "", 4],
        ["", "Người lập biểu", "", "", "CHỦ TỊCH"],
    ]
    good, short = read(xlsx(tmp_path / "a.xlsx", rows))
    assert isinstance(good, ReviewRow)
    assert isinstance(short, RowError)
    assert (short.row_number, short.rule) == (4, "cell-empty")


def test_control_characters_never_get_in(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(",".join(MINIMAL) + '\nLàng Chôr,"Đinh\u200b\x07 Văn\nThử",001,4,140,30\n', "utf-8")
    assert only(path).head_name == "Đinh Văn Thử"


FLAG_COLUMNS = [f"{i.number}. {i.label_vi}" for i in STANDARD.indicators]


@pytest.mark.parametrize(
    ("b2", "marks", "deprivations"),
    [
        (20, ["x", "X", *[""] * 10], ("EMPLOYMENT", "DEPENDENTS")),
        ("", ["1", "có", "0", "không", *[""] * 8], ("EMPLOYMENT", "DEPENDENTS")),
        (0, [""] * 12, ()),
        (0, ["0"] * 12, ()),
        (40, [""] * 12, None),
        ("", [""] * 12, None),
        ("", [True, *[False] * 11], ("EMPLOYMENT",)),
    ],
)
def test_flags_and_what_blank_ones_mean(
    tmp_path: Path, b2: Any, marks: list[Any], deprivations: tuple[str, ...] | None
) -> None:
    rows = [[*MINIMAL, *FLAG_COLUMNS], [*GOOD[:5], b2, *marks]]
    assert only(xlsx(tmp_path / "a.xlsx", rows)).deprivations == deprivations


def test_flag_columns_may_carry_codes_and_make_the_total_unnecessary(tmp_path: Path) -> None:
    rows = [[*MINIMAL[:5], *STANDARD.indicator_codes], [*GOOD[:5], "x", *[""] * 11]]
    assert only(xlsx(tmp_path / "a.xlsx", rows)).deprivations == ("EMPLOYMENT",)


@pytest.mark.parametrize(
    "extra", ["13. Xử lý rác", "Xử lý chất thải (rác thải sinh hoạt)", "WASTE_TREATMENT"]
)
def test_a_thirteenth_indicator_is_refused_by_name(tmp_path: Path, extra: str) -> None:
    found = refusal(xlsx(tmp_path / "a.xlsx", [[*MINIMAL, *FLAG_COLUMNS, extra], GOOD]))
    assert found.rule == "too-many-indicators"
    assert "13 cột" in found.message_vi
    assert extra in found.message_vi


def test_a_thirteenth_indicator_is_refused_wherever_it_stands(tmp_path: Path) -> None:
    header = ["13. Xử lý rác", *MINIMAL, *FLAG_COLUMNS]
    assert refusal(xlsx(tmp_path / "a.xlsx", [header, ["", *GOOD]])).rule == "too-many-indicators"


def test_a_missing_indicator_is_named(tmp_path: Path) -> None:
    found = refusal(xlsx(tmp_path / "a.xlsx", [[*MINIMAL, *FLAG_COLUMNS[:11]], GOOD]))
    assert found.rule == "columns-missing"
    assert "Phương tiện phục vụ tiếp cận thông tin" in found.message_vi


def test_a_wrong_header_names_what_is_missing_and_what_was_found(tmp_path: Path) -> None:
    found = refusal(xlsx(tmp_path / "a.xlsx", [["Họ và tên chủ hộ", "Mã hộ", "Thu nhập"], ["a", "b", "c"]]))
    assert found.rule == "columns-missing"
    assert all(name in found.message_vi for name in ("Thôn", "Điểm B1", "Điểm B2", "Thu nhập"))


@pytest.mark.parametrize(
    ("rows", "rule"),
    [
        ([["a", "b"], [1, 2]], "header-not-found"),
        ([[*MINIMAL, "Nhân khẩu"], GOOD], "column-twice"),
        ([MINIMAL], "file-empty"),
        ([], "file-empty"),
    ],
)
def test_tables_that_are_no_review(tmp_path: Path, rows: list[list[Any]], rule: str) -> None:
    assert refusal(xlsx(tmp_path / "a.xlsx", rows)).rule == rule


def broken() -> list[tuple[bytes, str]]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("hello.txt", "no workbook")
    return [
        (b"", "file-empty"),
        (b"PK\x03\x04 cut off", "file-unreadable"),
        (packed.getvalue(), "file-unreadable"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "file-unreadable"),
        (b"%PDF-1.7\n", "file-unreadable"),
        (b"\x89PNG\r\n\x1a\n\0\0", "file-unreadable"),
        ("Thôn,Mã hộ\n".encode() + b"\xff\xfe\xfd", "file-unreadable"),
        (b'"' + b"x" * 200_000, "file-unreadable"),
    ]


@pytest.mark.parametrize(("content", "rule"), broken())
def test_what_is_no_table_is_refused_by_name(tmp_path: Path, content: bytes, rule: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    assert refusal(path).rule == rule


def test_a_truncated_workbook_is_refused(tmp_path: Path) -> None:
    whole = xlsx(tmp_path / "a.xlsx", [MINIMAL, GOOD]).read_bytes()
    (tmp_path / "b.xlsx").write_bytes(whole[: len(whole) // 2])
    assert refusal(tmp_path / "b.xlsx").rule == "file-unreadable"


@pytest.mark.parametrize("lying", [False, True])
def test_a_zip_bomb_is_refused_even_when_it_lies_about_its_size(tmp_path: Path, lying: bool) -> None:
    path = xlsx(tmp_path / "a.xlsx", [MINIMAL, GOOD])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/bomb.xml", b"0" * 30_000_000)
    content = path.read_bytes()
    if lying:
        content = content.replace(struct.pack("<L", 30_000_000), struct.pack("<L", 30))
    path.write_bytes(content)
    assert refusal(path, max_unpacked=10_000_000).rule == "file-unpacks-too-large"


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_more_rows_than_allowed(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"a.{form}"
    if form == "xlsx":
        xlsx(path, [MINIMAL, *[GOOD] * 60])
    else:
        with path.open("w", encoding="utf-8") as file:
            csv.writer(file).writerows([MINIMAL, *[GOOD] * 60])
    assert refusal(path, max_rows=20).rule == "too-many-rows"
    assert len(read(path, max_rows=60)) == 60


def test_a_date_with_a_time_is_a_day(tmp_path: Path) -> None:
    moment = datetime(2022, 11, 3, 14, 30)  # noqa: DTZ001 - a spreadsheet knows no time zone
    path = xlsx(tmp_path / "a.xlsx", [[*MINIMAL, "Ngày rà soát"], [*GOOD, moment]])
    assert only(path).reviewed_on == date(2022, 11, 3)
