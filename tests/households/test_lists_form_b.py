"""Form B as a file: the flags follow from the answers and from who lives there; an unfinished form is refused."""

from typing import Any

import pytest
from tests.households.officer import CSV, Commune
from tests.households.test_lists_households import applied, table
from tests.households.test_lists_members import CHILD_ROW
from tests.households.test_lists_members import HEAD as MEMBERS_HEAD

from households.domain import get_standard
from households.files.columns import form_b_columns

PERSON = (
    "Làng Một,H001,Đinh Văn Ví Dụ,02/03/1985,Nam,Chủ hộ,Thường trú,064085000999,,Ngân sách nhà nước đóng,,"
    'Không đi học,Tốt nghiệp trung học cơ sở,"Tự làm, sản xuất nông nghiệp, kinh doanh",Không hưởng,'
)
CHILD = (
    "Làng Một,H001,Đinh Thị Bé,04/05/2015,Nữ,Con,Thường trú,,Trẻ em chưa được cấp số định danh,"
    "Ngân sách nhà nước đóng,,Tiểu học,Không có bằng cấp,Trẻ em chưa đến tuổi lao động,Không hưởng,Bình thường"
)
MORE = ",Đang học,Bằng cấp cao nhất,Tình trạng việc làm,Trợ cấp xã hội hằng tháng,Tình trạng dinh dưỡng của trẻ em"
ANSWERS = {
    "Thôn": "Làng Một",
    "Mã hộ": "H001",
    "Họ và tên chủ hộ": "Đinh Văn Ví Dụ",
    "Ngày rà soát": "05/10/2023",
    "Điểm B1": "120",
    "Tường nhà": "Vật liệu không bền chắc",
    "Cột nhà": "Vật liệu không bền chắc",
    "Mái nhà": "Vật liệu bền chắc",
    "Tổng diện tích nhà ở (m²)": "15,9",
    "Nguồn nước sinh hoạt chính": "Nước sông, suối, ao, hồ",
    "Hố xí, nhà tiêu": "Tự hoại, bán tự hoại",
    "Có thành viên sử dụng dịch vụ internet": "Có",
    "Phương tiện phục vụ tiếp cận thông tin": "Tivi; Radio",
}


async def household_with_members(officer: Commune) -> str:
    home = await officer.register(members=2)
    content = table(PERSON, CHILD, head=MEMBERS_HEAD + MORE)
    done = await applied(officer, content, "MEMBERS")
    assert done["applied"] == 2, await officer.answers(done["import_id"])
    return home


def form(**changes: str) -> bytes:
    answers = {**ANSWERS, **changes}
    line = ",".join(f'"{each}"' for each in answers.values())
    return table(line, head=",".join(f'"{each}"' for each in answers))


async def sent(officer: Commune, review: str, content: bytes) -> Any:
    path = f"/v1/reviews/{review}/form-b-imports"
    taken = await officer.ask("POST", path, 202, content=content, headers=CSV)
    await officer.run_imports()
    return await officer.ask("GET", f"/v1/imports/{taken['import_id']}")


async def test_the_flags_follow_from_the_answers_and_the_household_is_decided_on(commune: Commune) -> None:
    home = await household_with_members(commune)
    review = await commune.open_review(2023)

    done = await sent(commune, review, form())

    assert (done["kind"], done["applied"]) == ("FORM_B", 1), await commune.answers(done["import_id"])
    assert (await commune.household(home))["poverty_class"] == "POOR"
    [decision] = (await commune.ask("GET", f"/v1/households/{home}/decisions"))["decisions"]
    shown = await commune.ask("GET", f"/v1/decisions/{decision['decision_id']}")
    assert set(shown["deprivations"]) == {"HOUSING_QUALITY", "HOUSING_AREA", "WATER_SOURCE"}
    assert (shown["b2_points"], shown["basis"]) == (30, "FLAGS")


@pytest.mark.parametrize(
    ("cell", "answer"),
    [
        ("Không có đất sản xuất; nguyên nhân khác: Nương bị sạt lở", ["NO_LAND", "OTHER"]),
        ("", None),
        ("NO_LAND; hạn hán", "cause-unknown"),
        ("Nguyên nhân khác", "cause-text-missing"),
    ],
)
async def test_a_form_names_the_causes_of_poverty_in_a_cell(
    commune: Commune, cell: str, answer: list[str] | str | None
) -> None:
    home = await household_with_members(commune)

    done = await sent(commune, await commune.open_review(2023), form(**{"Nguyên nhân nghèo": cell}))

    if isinstance(answer, str):
        [row] = (await commune.answers(done["import_id"])).values()
        assert [each["rule"] for each in row["answers"]] == [answer]
        return
    causes = (await commune.household(home))["causes"]
    assert (causes and [each["code"] for each in causes]) == answer


@pytest.mark.parametrize(
    ("changes", "points"),
    [
        ({"Tổng diện tích nhà ở (m²)": "16"}, 20),
        ({"Tổng diện tích nhà ở (m²)": "15,99"}, 30),
        ({"Phương tiện phục vụ tiếp cận thông tin": "không có"}, 40),
        ({"Cột nhà": "Vật liệu bền chắc"}, 20),
    ],
)
async def test_the_boundaries_are_those_of_the_law(
    commune: Commune, changes: dict[str, str], points: int
) -> None:
    home = await household_with_members(commune)

    await sent(commune, await commune.open_review(2023), form(**changes))

    [decision] = (await commune.ask("GET", f"/v1/households/{home}/decisions"))["decisions"]
    assert decision["b2_points"] == points


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"Mái nhà": ""}, "answer-missing"),
        ({"Mái nhà": "Rơm"}, "code-unknown"),
        ({"Tổng diện tích nhà ở (m²)": "rộng"}, "number-invalid"),
        ({"Điểm B1": "-4"}, "number-out-of-range"),
        ({"Ngày rà soát": "05/10/2022"}, "members-unknown"),
        ({"Mã hộ": "H999", "Họ và tên chủ hộ": "Đinh Lạ"}, "household-unknown"),
        ({"Thôn": "Làng Mười"}, "village-unknown"),
    ],
)
async def test_a_form_that_is_not_whole_is_refused_by_name(
    commune: Commune, changes: dict[str, str], rule: str
) -> None:
    home = await household_with_members(commune)

    done = await sent(commune, await commune.open_review(2023), form(**changes))

    answers = await commune.answers(done["import_id"])
    assert answers[2]["answers"][0]["rule"] == rule
    assert (await commune.household(home))["poverty_class"] is None


async def test_a_household_without_members_has_no_form_b(commune: Commune) -> None:
    await commune.register()

    done = await sent(commune, await commune.open_review(2023), form())

    assert (await commune.answers(done["import_id"]))[2]["answers"][0]["rule"] == "members-unknown"


async def test_items_of_form_b1_are_refused_while_no_table_is_loaded(commune: Commune) -> None:
    content = form(**{"B1.1 Số người trong hộ": "4"})

    path = f"/v1/reviews/{await commune.open_review(2023)}/form-b-imports"
    refused = await commune.ask("POST", path, 422, content=content, headers=CSV)

    assert refused["rule"] == "score-table-missing"


async def test_a_form_whose_household_is_chosen_by_hand_is_decided_on(commune: Commune) -> None:
    home = await household_with_members(commune)
    done = await sent(
        commune, await commune.open_review(2023), form(**{"Mã hộ": "H999", "Họ và tên chủ hộ": "Lạ"})
    )
    path = f"/v1/imports/{done['import_id']}"
    given = {"rows": [{"row_no": 2, "choice": "HOUSEHOLD", "household_id": home}]}

    resolved = await commune.ask("POST", f"{path}/resolutions", json=given)
    await commune.run_imports()

    assert resolved["rows"][0]["state"] == "ACCEPTED"
    assert (await commune.household(home))["poverty_class"] == "POOR"


def test_every_question_of_the_form_is_a_column() -> None:
    columns = form_b_columns(get_standard("STD_2022_2025"))

    assert {column.vi for column in columns.columns} >= set(ANSWERS)
    assert CHILD_ROW  # the members' file of the other tests has the same columns
