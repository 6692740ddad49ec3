"""Members come as a file: a household's rows together or not at all, nobody entered twice, nothing erased."""

import asyncio
import csv
import io
import uuid
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from tests.households.officer import CSV, Commune
from tests.households.test_lists_households import applied, send, table

from benvung.testing import Engine
from households import actions, store

HEAD = (
    "Thôn,Mã hộ,Họ và tên,Ngày sinh,Giới tính,Quan hệ với chủ hộ,Loại cư trú,Số định danh cá nhân,"
    "Lý do chưa có số định danh,Bảo hiểm y tế,Họ và tên chủ hộ"
)
HEAD_ROW = (
    "Làng Một,H001,Đinh Văn Ví Dụ,02/03/1985,Nam,Chủ hộ,Thường trú,064085000999,,Hiện không có bảo hiểm y tế,"
)
CHILD_ROW = "Làng Một,H001,Đinh Thị Bé,2015,Nữ,Con,Thường trú,,Trẻ em chưa được cấp số định danh,,"


def members(*lines: str) -> bytes:
    return table(*lines, head=HEAD)


async def roster(officer: Commune, household: str) -> dict[str, Any]:
    shown = await officer.ask("GET", f"/v1/households/{household}/members", params={"on": "2023-10-02"})
    return {each["name"]: each for each in shown["members"]}


async def rules(officer: Commune, done: Any) -> dict[int, list[str]]:
    rows = await officer.answers(done["import_id"])
    return {number: [each["rule"] for each in row["answers"]] for number, row in rows.items()}


async def test_the_members_of_a_household_are_entered_from_the_day_of_the_list(commune: Commune) -> None:
    household = await commune.register()

    done = await applied(commune, members(HEAD_ROW, CHILD_ROW), "MEMBERS")

    assert (done["applied"], done["refused"]) == (2, 0)
    found = await roster(commune, household)
    assert found["Đinh Văn Ví Dụ"]["number"] == "064085000999"
    assert (found["Đinh Thị Bé"]["birth_date"], found["Đinh Thị Bé"]["birth_year"]) == (None, 2015)
    before = await commune.ask("GET", f"/v1/households/{household}/members", params={"on": "2023-09-30"})
    assert before["members"] == []


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (CHILD_ROW.replace("2015", "32/13/2015"), "date-invalid"),
        (CHILD_ROW.replace("Con,", "Người lạ mặt,"), "code-unknown"),
        (CHILD_ROW.replace("Con,", "Chủ hộ,"), "head-twice"),
        (CHILD_ROW.replace("Trẻ em chưa được cấp số định danh", ""), "number-missing-without-reason"),
        (
            CHILD_ROW.replace(",,Trẻ em chưa được cấp số định danh", ",064085000999,"),
            "number-twice-in-household",
        ),
        (CHILD_ROW.replace(",,Trẻ em chưa được cấp số định danh", ",64085000999,"), "number-malformed"),
    ],
)
async def test_one_wrong_row_keeps_the_whole_household_waiting_and_no_other(
    commune: Commune, broken: str, rule: str
) -> None:
    household = await commune.register()
    other = await commune.register(code="H002", head_name="Đinh Thị Mẫu")
    good = "Làng Một,H002,Đinh Thị Mẫu,1990,Nữ,Chủ hộ,Thường trú,,Không có giấy tờ tùy thân,,"

    done = await applied(commune, members(HEAD_ROW, broken, good), "MEMBERS")

    said = await rules(commune, done)
    assert rule in said[3]
    assert (
        said[2] == [rule]
        if rule in {"head-twice", "number-twice-in-household"}
        else said[2] == ["household-not-whole"]
    )
    assert await roster(commune, household) == {}
    assert list(await roster(commune, other)) == ["Đinh Thị Mẫu"]


async def test_a_second_file_changes_what_it_says_and_erases_nothing(commune: Commune) -> None:
    household = await commune.register()
    await applied(commune, members(HEAD_ROW, CHILD_ROW), "MEMBERS")
    again = HEAD_ROW.replace(",064085000999,,Hiện không có bảo hiểm y tế", ",,,Tự đóng theo hộ gia đình")

    done = await applied(commune, members(again, CHILD_ROW), "MEMBERS")

    assert done["applied"] == 2
    head = (await roster(commune, household))["Đinh Văn Ví Dụ"]
    assert (head["number"], head["insurance"], head["version"]) == ("064085000999", "HOUSEHOLD", 2)
    assert "member-unchanged" in (await rules(commune, done))[3]


async def test_members_of_an_unknown_household_wait_to_be_matched(commune: Commune) -> None:
    await commune.register(code="H777", head_name="Đinh Văn Khác")

    done = await applied(commune, members(HEAD_ROW, CHILD_ROW), "MEMBERS")

    assert (done["applied"], done["refused"], done["unmatched"]) == (0, 2, 2)
    assert (await rules(commune, done))[2] == ["household-unknown"]


async def test_matching_the_household_of_one_row_matches_all_its_rows(commune: Commune) -> None:
    household = await commune.register(code="H777", head_name="Đinh Van Vi Du")
    done = await applied(commune, members(HEAD_ROW, CHILD_ROW), "MEMBERS")
    path = f"/v1/imports/{done['import_id']}"
    shown = (await commune.ask("GET", f"{path}/unmatched"))["items"]

    given = {"rows": [{"row_no": 2, "choice": "HOUSEHOLD", "household_id": household}]}
    resolved = await commune.ask("POST", f"{path}/resolutions", json=given)
    await commune.run_imports()

    assert [each["row_no"] for each in shown] == [2, 3]
    assert {row["row_no"]: row["state"] for row in resolved["rows"]} == {2: "ACCEPTED", 3: "ACCEPTED"}
    assert set(await roster(commune, household)) == {"Đinh Văn Ví Dụ", "Đinh Thị Bé"}
    assert (await commune.ask("GET", path.replace("imports", "list-imports")))["applied"] == 2


async def test_somebody_known_in_another_household_is_shown_and_never_entered_unasked(
    commune: Commune,
) -> None:
    first = await commune.register()
    await applied(commune, members(HEAD_ROW), "MEMBERS")
    second = await commune.register(code="H002", head_name="Đinh Thị Mẫu")
    mother = "Làng Một,H002,Đinh Thị Mẫu,1960,Nữ,Chủ hộ,Thường trú,,Không có giấy tờ tùy thân,,"
    same = HEAD_ROW.replace("H001", "H002").replace("Chủ hộ", "Con")

    done = await applied(commune, members(mother, same), "MEMBERS")

    path = f"/v1/imports/{done['import_id']}"
    [row] = (await commune.ask("GET", f"{path}/unmatched"))["items"]
    assert (row["row_no"], row["of_person"]) == (3, True)
    [candidate] = row["candidates"]
    assert (candidate["household_id"], candidate["may_choose"]) == (first, False)
    assert candidate["why"] == ["NUMBER", "NAME_BIRTH_AREA"]
    assert await roster(commune, second) == {}

    given = {"rows": [{"row_no": 3, "choice": "SKIP"}]}
    resolved = await commune.ask("POST", f"{path}/resolutions", json=given)
    await commune.run_imports()
    assert {each["row_no"]: each["state"] for each in resolved["rows"]} == {2: "ACCEPTED", 3: "REFUSED"}
    assert list(await roster(commune, second)) == ["Đinh Thị Mẫu"]


async def test_a_namesake_in_the_household_is_chosen_or_said_to_be_new(commune: Commune) -> None:
    household = await commune.register()
    await applied(commune, members(HEAD_ROW), "MEMBERS")
    plain = HEAD_ROW.replace("Đinh Văn Ví Dụ", "Dinh Van Vi Du").replace(",064085000999,", ",,")
    done = await applied(commune, members(plain), "MEMBERS")
    path = f"/v1/imports/{done['import_id']}"
    [row] = (await commune.ask("GET", f"{path}/unmatched"))["items"]
    [candidate] = row["candidates"]

    given = {"rows": [{"row_no": 2, "choice": "MEMBER", "member_id": candidate["member_id"]}]}
    await commune.ask("POST", f"{path}/resolutions", json=given)
    await commune.run_imports()

    assert row["answers"][0]["rule"] == "member-alike"
    found = await roster(commune, household)
    assert list(found) == ["Dinh Van Vi Du"]
    assert found["Dinh Van Vi Du"]["number"] == "064085000999"


async def test_a_trial_can_not_be_matched(commune: Commune) -> None:
    tried = await send(commune, members(HEAD_ROW), "MEMBERS", dry_run=True)

    refused = await commune.ask(
        "POST",
        f"/v1/imports/{tried['import_id']}/resolutions",
        409,
        json={"rows": [{"row_no": 2, "choice": "SKIP"}]},
    )

    assert refused["rule"] == "import-not-matchable"


async def test_the_answers_come_as_a_file_with_the_column_and_what_to_do(commune: Commune) -> None:
    await commune.register()
    done = await applied(commune, members(HEAD_ROW.replace("1985", "1785"), CHILD_ROW), "MEMBERS")

    answer = await commune.client.get(f"/v1/imports/{done['import_id']}/rows.csv")
    book = await commune.client.get(
        f"/v1/imports/{done['import_id']}/rows.xlsx", params={"purpose": "CORRECTING_FILE"}
    )

    head, first, second = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert head == ["Dòng", "Kết quả", "Mã hệ thống", "Phân loại", "Cột", "Quy tắc", "Giải thích", "Explanation",
                    "Việc cần làm"]  # fmt: skip
    assert (first[0], first[1], first[4], first[5]) == ("2", "Không nhận", "Ngày sinh", "birth-implausible")
    assert all(first[6:])
    assert second[5] == "household-not-whole"
    sheet = openpyxl.load_workbook(io.BytesIO(book.content)).active
    assert sheet is not None
    assert [str(row[5].value) for row in sheet.iter_rows(min_row=2)] == [first[5], second[5]]


async def test_an_import_of_members_that_is_broken_off_goes_on_and_records_each_once(
    commune: Commune, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.lists, "HOUSEHOLDS_AT_ONCE", 2)
    lines = []
    for n in range(1, 8):
        await commune.register(code=f"H{n:03d}", head_name=f"Đinh Văn Số {chr(64 + n)}")
        lines += [
            HEAD_ROW.replace("H001", f"H{n:03d}")
            .replace("000999", f"00{n:04d}")
            .replace("Ví Dụ", f"Số {chr(64 + n)}"),
            CHILD_ROW.replace("H001", f"H{n:03d}").replace("Bé", f"Bé {chr(64 + n)}")
            + f"Đinh Văn Số {chr(64 + n)}",
        ]
    sent = await send(commune, members(*lines), "MEMBERS")
    import_id = uuid.UUID(sent["import_id"])
    vault = commune.app.state.vault

    async with engine("households").begin() as conn:
        assert await actions.imports.apply_chunk(conn, vault, import_id)
    with pytest.raises(ZeroDivisionError):
        async with engine("households").begin() as conn:
            await actions.imports.apply_chunk(conn, vault, import_id)
            raise ZeroDivisionError
    await asyncio.gather(commune.run_imports(), commune.run_imports())

    async with engine("households").connect() as conn:
        query = sa.text(
            "select count(*), count(distinct member_id), count(distinct household_id) from member_facts"
        )
        counted = tuple((await conn.execute(query)).one())
    done = await commune.ask("GET", f"/v1/list-imports/{import_id}")
    assert (done["state"], done["applied"], done["refused"]) == ("DONE", 14, 0)
    assert counted == (14, 14, 7)


async def test_the_same_request_with_its_key_is_taken_once(commune: Commune) -> None:
    await commune.register()
    path = f"/v1/communes/{commune.code}/imports"
    asked = {"kind": "MEMBERS", "on": "2023-10-01"}
    headers = {**CSV, "Idempotency-Key": "7f1b0c5e-6f0a-4c1e-9a64-0d9a3c0d5b1e"}

    answers = [
        await commune.client.post(path, content=members(HEAD_ROW), headers=headers, params=asked)
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert answers[0].json()["import_id"] == answers[1].json()["import_id"]
