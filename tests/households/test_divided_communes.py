"""A divided commune asks for a choice for each household; until then nobody is lost, or decided on."""

import pytest
from tests.households.officer import row
from tests.households.province import Province

# In Bình Định the old commune An Nghĩa went half to An Toàn and half to An Hòa, each with others.
DIVIDED = "21634"
HALVES = ("21622", "21628")


@pytest.fixture
async def divided(province: Province) -> tuple[Province, dict[str, list[str]], str]:
    """Households of the divided commune and its neighbours after the reform; the code under which some wait."""
    proposal = await province.all.ask("GET", "/v1/reorganisations/proposal", params={"area": DIVIDED})
    codes = [part["predecessor"] for part in proposal["parts"]]
    made = {code: await province.settle(code, 4, "Thôn Một", "Thôn Hai") for code in codes}
    recorded = await province.reorganise(DIVIDED)
    [waiting] = [part["waiting"] for part in recorded["parts"] if part["waiting"]]
    return province, made, waiting


async def test_households_of_a_divided_commune_wait_for_a_choice(
    divided: tuple[Province, dict[str, list[str]], str],
) -> None:
    province, made, waiting = divided

    found = await province.all.ask("GET", "/v1/waiting-areas")

    assert waiting == "21634W"
    assert found["households"] == 4
    assert [(each["name"], each["households"]) for each in found["items"][0]["villages"]] == [
        ("Thôn Một", 2),
        ("Thôn Hai", 2),
    ]
    listed = await province.all.ask("GET", f"/v1/waiting-areas/{waiting}/households")
    assert {each["id"] for each in listed["items"]} == set(made[DIVIDED])
    household = await province.all.household(made[DIVIDED][0])
    assert (household["commune"], household["poverty_class"]) == (waiting, "POOR")


async def test_nothing_is_lost_in_sums_while_households_wait(
    divided: tuple[Province, dict[str, list[str]], str],
) -> None:
    province, made, waiting = divided
    total = sum(map(len, made.values()))

    for asked in (
        {"area": "52"},
        {"area": "52", "on": "2026-01-01"},
        {"area": "52", "on": "2024-12-31"},  # the old Bình Định had this code
        {"area": "52", "on": "2024-12-31", "geography": "now"},
    ):
        assert await province.count(**asked) == total, asked
    counts = await province.all.ask("GET", "/v1/verify", params={"area": "52"})
    assert counts["total"]["POOR"]["households"] == total
    assert waiting in {each["commune"] for each in counts["communes"]}


async def test_who_waits_is_refused_for_new_decisions_by_name(
    divided: tuple[Province, dict[str, list[str]], str],
) -> None:
    province, made, _ = divided
    household = made[DIVIDED][0]
    officer = province.officer(HALVES[1])
    review = await officer.open_review(2025, decided_on="2025-12-10")
    given = {"household_id": household, "members": 4, "b1_points": 120, "b2_points": 40}

    for method, path, body in (
        ("POST", f"/v1/reviews/{review}/results", given),
        ("POST", f"/v1/households/{household}/closure", {"reason": "DEATH", "on": "2026-01-05"}),
    ):
        refused = await province.all.client.request(method, path, json=body, headers={"If-Match": "*"})
        assert (refused.status_code, refused.json()["rule"]) == (422, "area-choice-wanted")


async def test_no_file_enters_a_household_a_second_time_while_it_waits(
    divided: tuple[Province, dict[str, list[str]], str],
) -> None:
    province, _, _ = divided
    officer = province.officer(HALVES[1])
    review = await officer.open_review(2025, decided_on="2025-12-10")

    refused = await officer.send(review, officer.csv([row(1, "Đinh Văn Ví Dụ")]), 422)

    assert refused["rule"] == "area-choice-wanted"


async def test_a_choice_holds_from_the_day_of_the_division(
    divided: tuple[Province, dict[str, list[str]], str],
) -> None:
    province, made, waiting = divided
    [one, *_] = made[DIVIDED]
    total = sum(map(len, made.values()))

    await province.all.ask(
        "POST",
        f"/v1/waiting-areas/{waiting}/choices",
        201,
        json={"successor": HALVES[1], "households": [one]},
    )
    rest = await province.all.ask(
        "POST",
        f"/v1/waiting-areas/{waiting}/choices",
        201,
        json={"successor": HALVES[0], "villages": [f"{DIVIDED}.01", f"{DIVIDED}.02"]},
    )

    assert (rest["assigned"], rest["waiting"]) == (3, 0)
    assert await province.count(area=waiting) == 0
    assert await province.count(area="52", on="2025-07-01") == total
    then = await province.all.ask("GET", f"/v1/households/{one}", params={"on": "2025-07-01"})
    assert (then["commune"], then["village"]) == (HALVES[1], f"{HALVES[1]}.05")
    before = await province.all.ask("GET", f"/v1/households/{one}", params={"on": "2025-06-30"})
    assert (before["commune"], before["commune_now"]) == (DIVIDED, HALVES[1])
    here = await province.count(area=HALVES[0], on="2025-06-30", geography="now")
    there = await province.count(area=HALVES[1], on="2025-06-30", geography="now")
    assert here + there == total


async def test_nobody_chooses_for_a_commune_of_his_own_alone(
    divided: tuple[Province, dict[str, list[str]], str],
) -> None:
    province, made, waiting = divided
    officer = province.officer(HALVES[1])
    listed = await officer.ask("GET", f"/v1/waiting-areas/{waiting}/households")
    given = {"successor": HALVES[1], "households": made[DIVIDED]}

    refused = await officer.ask("POST", f"/v1/waiting-areas/{waiting}/choices", 403, json=given)

    assert len(listed["items"]) == 4
    assert refused["rule"] == "outside-area"
    stranger = province.officer("23824")
    assert (await stranger.ask("GET", "/v1/waiting-areas"))["households"] == 0
    await stranger.ask("GET", f"/v1/waiting-areas/{waiting}/households", 404)
    other = {"successor": "23824", "households": made[DIVIDED]}
    answer = await province.all.ask("POST", f"/v1/waiting-areas/{waiting}/choices", 422, json=other)
    assert answer["rule"] == "successor-of-another"
