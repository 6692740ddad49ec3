"""The page of rows to match: every row with who may be meant, nothing chosen beforehand, and it works without a script."""

import re

from tests.households.officer import Commune, SignIn
from tests.households.test_matching_by_hand import doubtful


async def test_the_page_shows_candidates_and_takes_what_is_chosen(commune: Commune) -> None:
    first, second, _, path = await doubtful(commune)
    page = path.removeprefix("/v1") + "/matching"

    shown = await commune.client.get(page)
    answer = await commune.client.post(
        page,
        data={"row-2": f"household:{first}"},
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    await commune.run_imports()
    after = await commune.client.get(answer.headers["location"])

    assert shown.status_code == 200
    assert f'value="household:{second}"' in shown.text
    assert "Đinh Văn Khác" in shown.text
    # What stands chosen is to decide later.
    assert re.findall(r'value="([^"]*)" checked', shown.text) == [""]
    assert (answer.status_code, "taken=1" in answer.headers["location"]) == (303, True)
    assert "Không còn dòng nào chờ khớp" in after.text
    assert (await commune.household(first))["poverty_class"] == "POOR"


async def test_what_the_form_cannot_have_written_changes_nothing(commune: Commune) -> None:
    *_, path = await doubtful(commune)
    page = path.removeprefix("/v1") + "/matching"
    nonsense = {
        "row-2": "household:nobody",
        "row-x": "new",
        "row-99999999999": "new",
        "other": "skip",
        "row-3": "",
    }

    answer = await commune.client.post(page, data=nonsense)

    assert answer.status_code == 303
    assert (await commune.ask("GET", path))["unmatched"] == 1


async def test_files_are_listed_in_both_languages_within_the_area(
    commune: Commune, signed_in: SignIn
) -> None:
    *_, path = await doubtful(commune)
    link = path.removeprefix("/v1") + "/matching"

    mine = await commune.client.get("/imports")
    english = await commune.client.get("/imports?lang=en")
    stranger = signed_in("23830")
    theirs = await stranger.get("/imports")

    assert link in mine.text
    assert "Match 1 rows" in english.text
    assert link not in theirs.text
    assert (await stranger.get(link)).status_code == 404


async def test_a_choice_that_cannot_be_is_told_on_the_page_with_its_reason(commune: Commune) -> None:
    *_, path = await doubtful(commune)
    page = path.removeprefix("/v1") + "/matching"

    answer = await commune.client.post(page, data={"row-2": "household:018f6b1e-6a00-7000-8000-000000000001"})

    assert answer.status_code == 200
    assert "Mã hệ thống không phải của hộ nào đang được quản lý tại xã này." in answer.text
    assert (await commune.ask("GET", path))["unmatched"] == 1
