"""A commune's list of households comes as a file: entered once, known ones left alone, doubtful ones left to people."""

from typing import Any

import pytest
from tests.households.officer import CSV, Commune

HEAD = "Thôn,Mã hộ,Họ và tên chủ hộ,Giới tính chủ hộ,Ngày sinh chủ hộ,Số định danh chủ hộ,Số nhân khẩu,Mã hệ thống"


def table(*lines: str, head: str = HEAD) -> bytes:
    return "\n".join([head, *lines]).encode()


async def send(
    officer: Commune, content: bytes, kind: str = "HOUSEHOLDS", status: int = 202, **query: Any
) -> Any:
    """The answer to a list of the commune, as of a day in 2023."""
    asked = {"kind": kind, "on": "2023-10-01", **query}
    path = f"/v1/communes/{officer.code}/imports"
    return await officer.ask("POST", path, status, content=content, headers=CSV, params=asked)


async def applied(officer: Commune, content: bytes, kind: str = "HOUSEHOLDS") -> Any:
    sent = await send(officer, content, kind)
    await officer.run_imports()
    return await officer.ask("GET", f"/v1/list-imports/{sent['import_id']}")


async def test_new_households_are_entered_and_known_ones_are_not_entered_again(commune: Commune) -> None:
    known = await commune.register(head_name="Đinh Văn Ví Dụ", code="H001")

    done = await applied(
        commune,
        table("Làng Một,H001,Đinh Văn Ví Dụ,Nam,,,4,", "làng hai,H002,Đinh Thị Mẫu,Nữ,1990,,3,"),
    )

    assert (done["state"], done["applied"], done["refused"]) == ("DONE", 2, 0)
    homes = {each["code"]: each for each in await commune.households()}
    assert homes["H001"]["id"] == known
    assert (homes["H002"]["village"], homes["H002"]["members"]) == ("23827.02", 3)
    answers = await commune.answers(done["import_id"])
    assert [each["rule"] for each in answers[2]["answers"]] == ["household-known"]


async def test_the_same_list_again_enters_nothing(commune: Commune) -> None:
    content = table("Làng Một,H002,Đinh Thị Mẫu,Nữ,1990,,3,")
    done = await applied(commune, content)

    again = await send(commune, content, status=409)

    assert (again["rule"], done["import_id"] in again["detail"]) == ("same-file-twice", True)
    assert len(await commune.households()) == 1


async def test_a_trial_answers_every_row_and_changes_nothing(commune: Commune) -> None:
    content = table("Làng Một,H002,Đinh Thị Mẫu,Nữ,1990,,3,", "Làng Mười,H003,Đinh Ba,Nam,,,2,")

    tried = await send(commune, content, dry_run=True)
    await commune.run_imports()

    assert (tried["total"], tried["refused"]) == (2, 1)
    assert await commune.households() == []


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("Làng Mười,H2,Đinh Hai,Nam,,,3,", "village-unknown"),
        ("Làng Một,H2,Đinh Hai,Nam,,,0,", "number-out-of-range"),
        ("Làng Một,H2,,Nam,,,3,", "cell-empty"),
        ("Làng Một,H2,Đinh Hai,Khác,,,3,", "code-unknown"),
        ("Làng Một,H2,Đinh Hai,Nam,31/02/1990,,3,", "date-invalid"),
        ("Làng Một,H2,Đinh Hai,Nam,,,3,xyz", "system-id-invalid"),
    ],
)
async def test_a_wrong_row_is_refused_by_name_and_the_others_go_on(
    commune: Commune, line: str, rule: str
) -> None:
    done = await applied(commune, table(line, "Làng Một,H9,Đinh Chín,Nam,,,2,"))

    answers = await commune.answers(done["import_id"])
    assert answers[2]["answers"][0]["rule"] == rule
    assert [each["code"] for each in await commune.households()] == ["H9"]


async def test_a_list_of_another_area_or_of_a_day_to_come_is_refused(commune: Commune) -> None:
    content = table("Làng Một,H2,Đinh Hai,Nam,,,3,")
    asked = {"kind": "HOUSEHOLDS", "on": "2023-10-01"}

    outside = await commune.ask(
        "POST", "/v1/communes/23830/imports", 403, content=content, headers=CSV, params=asked
    )
    later = await send(commune, content, status=422, on="2024-12-31")

    assert (outside["rule"], later["rule"]) == ("outside-area", "list-day-in-future")


async def test_two_files_with_the_same_household_enter_it_once(commune: Commune) -> None:
    first = await send(commune, table("Làng Một,H2,Đinh Hai,Nam,,,3,"))
    second = await send(commune, table("Làng Một,H2,Đinh Hai,Nam,,,3,", "Làng Một,H3,Đinh Ba,Nam,,,3,"))
    await commune.run_imports()

    assert sorted(each["code"] for each in await commune.households()) == ["H2", "H3"]
    ends = [await commune.ask("GET", f"/v1/list-imports/{each['import_id']}") for each in (first, second)]
    assert sum(each["refused"] for each in ends) == 1
