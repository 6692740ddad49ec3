"""Any file: no crash, no half-written household, an answer for every row."""

import asyncio
import csv
import io
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.households.officer import CSV, Commune
from tests.households.test_lists_form_b import ANSWERS

from households.domain import Refused, get_standard
from households.domain.ages import Birth
from households.domain.identity import Sex
from households.domain.member_rows import PersonRow, plan_rows
from households.domain.persons import Member
from households.domain.rosters import MemberFact
from households.files.columns import Columns, FileKind, columns_of, form_b_columns
from households.files.tables import read_table
from households.files.templates import write_template

TODAY = date(2024, 1, 24)
KINDS: dict[str, Columns] = {
    "HOUSEHOLDS": columns_of(FileKind.HOUSEHOLDS),
    "MEMBERS": columns_of(FileKind.MEMBERS),
    "RESOLUTIONS": columns_of(FileKind.RESOLUTIONS),
    "FORM_B": form_b_columns(get_standard("STD_2022_2025")),
}
WORDS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["Làng Một", "H001", "Đinh Văn Ví Dụ", "Nam", "Nữ", "Chủ hộ", "Con", "Thường trú", "4", "0", "-1",
         "1990", "02/03/1985", "31/02/2000", "064085000999", "x", "=1+1", "@x", "#REF!", "1e308", "nan",
         "Không có giấy tờ tùy thân", "018f6b1e-6a00-7000-8000-000000000001", "Tivi; Radio", "15,9", ""]
    ),
)  # fmt: skip


def answered(content: bytes, columns: Columns) -> list[int] | str:
    """The numbers of the rows that are answered, or the rule by which the whole file is refused."""
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(content)
        try:
            return [row.number for row in read_table(Path(file.name), columns)]
        except Refused as refused:
            assert refused.message_vi
            assert refused.message_en
            return refused.rule


def table(columns: Columns, rows: list[list[str]]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([column.vi for column in columns.columns])
    writer.writerows(rows)
    return buffer.getvalue().encode(errors="replace")


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(content=st.one_of(st.binary(max_size=400), st.binary(max_size=200).map(lambda b: b"PK\x03\x04" + b)))
def test_any_bytes_are_read_or_refused_by_name(kind: str, content: bytes) -> None:
    answered(content, KINDS[kind])


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_row_of_any_table_is_answered_once(kind: str, data: st.DataObject) -> None:
    columns = KINDS[kind]
    width = len(columns.columns)
    rows = data.draw(st.lists(st.lists(WORDS, min_size=width, max_size=width), max_size=8))

    numbers = answered(table(columns, rows), columns)

    if isinstance(numbers, list):
        assert numbers == sorted(set(numbers))
        assert len(numbers) <= len(rows)


def half_a_file(kind: str) -> Iterator[bytes]:
    """A real workbook cut off or changed somewhere."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.xlsx"
        write_template(path, KINDS[kind])
        whole = path.read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 40)):
        yield whole[:at]
        yield whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_workbook_is_read_or_refused_by_name(kind: str) -> None:
    for content in half_a_file(kind):
        answered(content, KINDS[kind])


def persons() -> st.SearchStrategy[Member]:
    return st.builds(
        Member,
        id=st.integers(1, 6).map(lambda n: UUID(int=n)),
        name=st.sampled_from(["Đinh Một", "Dinh Mot", "Đinh Hai", "Đinh Ba", ""]),
        birth=st.sampled_from([Birth(1985), Birth.on(date(1985, 3, 2)), Birth(2015), Birth(3000)]),
        sex=st.sampled_from(Sex),
        relation=st.sampled_from(["HEAD", "CHILD", "NOBODY"]),
        residence=st.just("PERMANENT"),
        number=st.sampled_from([None, "064085000999", "064185000998", "12"]),
        number_missing=st.sampled_from([None, "NO_PAPERS"]),
    )


def person_rows() -> st.SearchStrategy[list[PersonRow]]:
    chosen = st.one_of(st.none(), st.integers(1, 6).map(lambda n: UUID(int=n)))
    drawn = st.lists(st.tuples(persons(), chosen, st.booleans(), st.booleans()), max_size=6)
    return drawn.map(lambda listed: [PersonRow(n, *each) for n, each in enumerate(listed, start=2)])


@settings(max_examples=300, deadline=None)
@given(first=person_rows(), second=person_rows())
def test_a_household_is_taken_whole_or_not_at_all(first: list[PersonRow], second: list[PersonRow]) -> None:
    facts: list[MemberFact] = []
    for rows, on in ((first, date(2023, 1, 1)), (second, date(2023, 6, 1))):
        planned, new = plan_rows(facts, rows, on, TODAY)

        assert [each.number for each in planned] == [row.number for row in rows]
        assert all(each.taken or each.refused is not None for each in planned)
        if not all(each.taken for each in planned):
            assert new == ()
            assert not any(each.taken for each in planned)
        for sequence, fact in enumerate(new, start=len(facts) + 1):
            facts.append(MemberFact(sequence, fact.kind, fact.valid_from, fact.member))


async def test_any_file_sent_in_is_answered_row_by_row_and_leaves_no_half_household(commune: Commune) -> None:
    homes = [await commune.register(code=f"H00{n}", head_name="Đinh Văn Ví Dụ") for n in (1, 2)]
    review = await commune.open_review(2023)
    loop = asyncio.get_running_loop()

    async def send(path: str, content: bytes, **query: str) -> Any:
        answer = await commune.client.post(path, content=content, headers=CSV, params=query)
        assert answer.status_code in {202, 409, 422}, answer.text
        if answer.status_code != 202:
            assert answer.json()["rule"]
            return None
        await commune.run_imports()
        rows = await commune.answers(answer.json()["import_id"])
        assert len(rows) == answer.json()["total"]
        assert all(row["state"] == "APPLIED" or row["answers"] for row in rows.values()), rows
        return rows

    async def whole(rows: dict[int, Any]) -> None:
        by_home: dict[str, set[str]] = {}
        for row in rows.values():
            if row["household_id"]:
                by_home.setdefault(row["household_id"], set()).add(row["state"])
        assert all(states in ({"APPLIED"}, {"REFUSED"}) for states in by_home.values())

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def any_file(data: st.DataObject) -> None:
        good = {
            "Thôn": "Làng Một", "Mã hộ": data.draw(st.sampled_from(["H001", "H002", "H9"])),
            "Họ và tên": "Đinh Văn Ví Dụ", "Ngày sinh": "1985", "Giới tính": "Nam", "Quan hệ với chủ hộ": "Chủ hộ",
            "Loại cư trú": "Thường trú", "Lý do chưa có số định danh": "Không có giấy tờ tùy thân",
            "Họ và tên chủ hộ": "Đinh Văn Ví Dụ", "Số nhân khẩu": "4", **ANSWERS,
        }  # fmt: skip
        for kind in ("HOUSEHOLDS", "MEMBERS", "FORM_B"):
            columns = KINDS[kind]
            cells = [st.one_of(st.just(good.get(column.vi, "")), WORDS) for column in columns.columns]
            rows = [list(row) for row in data.draw(st.lists(st.tuples(*cells), min_size=1, max_size=4))]
            if kind == "FORM_B":
                asked = send(f"/v1/reviews/{review}/form-b-imports", table(columns, rows))
            else:
                asked = send(
                    f"/v1/communes/{commune.code}/imports", table(columns, rows), kind=kind, on="2023-10-01"
                )
            found = asyncio.run_coroutine_threadsafe(asked, loop).result(60)
            if kind == "MEMBERS" and found:
                asyncio.run_coroutine_threadsafe(whole(found), loop).result(60)

    await asyncio.to_thread(any_file)
    assert homes
