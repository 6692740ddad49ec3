"""Khớp hộ: rows that may mean several households are shown with why, and taken once somebody says which."""

import io
from typing import Any

import openpyxl
import pytest
from tests.households.officer import Commune, SignIn, row
from tests.households.test_lists_households import applied, table

XLSX = {"Content-Type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


async def doubtful(officer: Commune) -> tuple[str, str, str, str]:
    """Two households with one code, and a review's file with a row that may mean either."""
    first = await officer.register(code="H001", head_name="Đinh Văn Ví Dụ")
    second = await officer.register(code="H001", head_name="Đinh Thị Mẫu")
    review = await officer.open_review()
    done = await officer.import_rows(review, row(1, "Đinh Văn Khác", code="H001"))
    assert (done["refused"], done["unmatched"]) == (1, 1)
    return first, second, review, f"/v1/imports/{done['import_id']}"


async def test_candidates_are_shown_with_why_and_nothing_is_decided_by_looking(commune: Commune) -> None:
    first, second, _, path = await doubtful(commune)

    [shown] = (await commune.ask("GET", f"{path}/unmatched"))["items"]

    assert {each["household_id"] for each in shown["candidates"]} == {first, second}
    assert all(each["why"] == ["CODE"] for each in shown["candidates"])
    assert (await commune.ask("GET", path))["unmatched"] == 1
    assert all(each["poverty_class"] is None for each in await commune.households())


async def test_the_chosen_household_is_decided_on_and_the_other_stays_as_it_was(commune: Commune) -> None:
    first, second, _, path = await doubtful(commune)
    given = {"rows": [{"row_no": 2, "choice": "HOUSEHOLD", "household_id": first}]}

    resolved = await commune.ask("POST", f"{path}/resolutions", json=given)
    await commune.run_imports()

    assert (resolved["unmatched"], resolved["rows"][0]["state"]) == (0, "ACCEPTED")
    done = await commune.ask("GET", path)
    assert (done["state"], done["applied"], done["refused"]) == ("DONE", 1, 0)
    assert (await commune.household(first))["poverty_class"] == "POOR"
    assert (await commune.household(second))["poverty_class"] is None
    [answered] = (await commune.answers(done["import_id"])).values()
    assert (answered["resolution"], answered["matched_by"]) == ("HOUSEHOLD", "BY_HAND")


async def test_saying_the_same_again_changes_nothing_and_saying_otherwise_is_refused(
    commune: Commune,
) -> None:
    first, second, _, path = await doubtful(commune)
    given = {"rows": [{"row_no": 2, "choice": "HOUSEHOLD", "household_id": first}]}
    other = {"rows": [{"row_no": 2, "choice": "HOUSEHOLD", "household_id": second}]}
    await commune.ask("POST", f"{path}/resolutions", json=given)
    await commune.run_imports()

    again = await commune.ask("POST", f"{path}/resolutions", json=given)
    changed = await commune.ask("POST", f"{path}/resolutions", json=other)
    await commune.run_imports()

    assert again["rows"] == [{"row_no": 2, "state": "APPLIED", "answers": []}]
    assert changed["rows"][0]["answers"][0]["rule"] == "row-decided-already"
    assert (await commune.household(second))["poverty_class"] is None


async def test_a_row_may_be_a_new_household_or_be_left_out(commune: Commune) -> None:
    _, _, review, path = await doubtful(commune)
    await commune.ask("POST", f"{path}/resolutions", json={"rows": [{"row_no": 2, "choice": "NEW"}]})
    await commune.run_imports()
    assert len(await commune.households()) == 3

    done = await commune.import_rows(review, row(1, "Đinh Văn Lạ", code="H001", members=2))
    path = f"/v1/imports/{done['import_id']}"
    left = await commune.ask("POST", f"{path}/resolutions", json={"rows": [{"row_no": 2, "choice": "SKIP"}]})
    await commune.run_imports()

    assert (left["unmatched"], (await commune.ask("GET", path))["refused"]) == (0, 1)
    assert len(await commune.households()) == 3


@pytest.mark.parametrize("whom", ["elsewhere", "nobody", "taken"])
async def test_who_cannot_be_meant_is_not_taken_and_the_row_waits_on(commune: Commune, whom: str) -> None:
    first = await commune.register(code="H001", head_name="Đinh Văn Ví Dụ")
    await commune.register(code="H001", head_name="Đinh Thị Mẫu")
    review = await commune.open_review()
    rows = [row(1, "Đinh Văn Ví Dụ", code="H001"), row(2, "Đinh Văn Khác", code="H001")]
    done = await commune.import_rows(review, *rows)
    path = f"/v1/imports/{done['import_id']}"
    chosen = {"elsewhere": "018f6b1e-6a00-7000-8000-000000000001", "taken": first}.get(whom)

    given = {"rows": [{"row_no": 3, "choice": "HOUSEHOLD", "household_id": chosen}]}
    resolved = await commune.ask("POST", f"{path}/resolutions", json=given)

    wanted = "rows-same-household" if whom == "taken" else "household-not-in-commune"
    assert resolved["rows"][0]["answers"][0]["rule"] == wanted
    assert resolved["unmatched"] == 1


async def test_rows_are_matched_by_a_file_that_is_taken_away_and_sent_back(commune: Commune) -> None:
    first, _, _, path = await doubtful(commune)
    answer = await commune.client.get(f"{path}/unmatched.xlsx?purpose=CORRECTING_FILE")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    sheet: Any = book.worksheets[0]
    identifiers = sheet.cell(2, sheet.max_column).value.split()
    sheet.cell(2, 2).value = str(identifiers.index(first) + 1)
    filled = io.BytesIO()
    book.save(filled)

    resolved = await commune.ask("POST", f"{path}/resolution-files", content=filled.getvalue(), headers=XLSX)
    await commune.run_imports()

    assert [each["state"] for each in resolved["rows"]] == ["ACCEPTED"]
    assert (await commune.household(first))["poverty_class"] == "POOR"


@pytest.mark.parametrize("choice", ["9", "0", "=1+1", "có lẽ", "018f6b1e-6a00-7000-8000-00000000000x"])
async def test_a_choice_that_says_nothing_known_is_answered_by_its_rule(
    commune: Commune, choice: str
) -> None:
    *_, path = await doubtful(commune)
    content = table(f"2,{choice},", head="Dòng,Chọn,Mã ứng viên")

    resolved = await commune.ask(
        "POST", f"{path}/resolution-files", content=content, headers={"Content-Type": "text/csv"}
    )

    rule = "formula-in-cell" if choice.startswith("=") else "choice-unknown"
    assert [each["answers"][0]["rule"] for each in resolved["rows"]] == [rule]
    assert resolved["unmatched"] == 1


async def test_a_head_who_is_a_member_of_a_known_household_is_matched_by_number(commune: Commune) -> None:
    home = await commune.register(code="H001", head_name="Đinh Văn Ví Dụ")
    person = {
        "name": "Đinh Thị Con", "birth_year": 1990, "sex": "FEMALE", "relation": "CHILD",
        "residence": "PERMANENT", "number": "064190000999", "on": "2022-01-01",
    }  # fmt: skip
    await commune.ask("POST", f"/v1/households/{home}/members", 201, json=person)

    done = await applied(commune, table("Làng Một,H050,Đinh Thị Con Gái,Nữ,,064190000999,2,"))

    path = f"/v1/imports/{done['import_id']}"
    [shown] = (await commune.ask("GET", f"{path}/unmatched"))["items"]
    assert (shown["candidates"][0]["household_id"], shown["candidates"][0]["why"]) == (home, ["NUMBER"])
    await commune.ask("POST", f"{path}/resolutions", json={"rows": [{"row_no": 2, "choice": "NEW"}]})
    await commune.run_imports()
    assert sorted(each["code"] for each in await commune.households()) == ["H001", "H050"]


async def test_who_may_not_decide_reviews_may_not_match_their_rows(
    commune: Commune, signed_in: SignIn
) -> None:
    first, _, _, path = await doubtful(commune)
    clerk = signed_in(commune.code, permissions=["households.read", "households.write"])
    given = {"rows": [{"row_no": 2, "choice": "HOUSEHOLD", "household_id": first}]}

    refused = await clerk.post(f"{path}/resolutions", json=given)
    stranger = await signed_in("23830").post(f"{path}/resolutions", json=given)

    assert (refused.status_code, stranger.status_code) == (403, 404)
