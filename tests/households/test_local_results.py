"""A province's own standard gives a second result beside the national one, kept apart in all that is shown."""

from typing import Any

import pytest
from tests.households.officer import COMMUNE, STANDARD, Commune, SignIn, row

from benvung.testing import Engine, emitted
from households.events import HouseholdClassified

LOCAL: dict[str, Any] = {
    "code": "STD_64_2023",
    "province": "64",
    "base": STANDARD,
    "title_vi": "Chuẩn giả định của tỉnh",
    "title_en": "Invented standard of a province",
    "valid_from": "2022-01-01",
    "valid_to": "2025-06-30",
    "document": {"number": "1/NQ-GĐ", "issued_on": "2021-12-09", "issuer": "Hội đồng giả định"},
    "income_lines": {"RURAL": 2_000_000, "URBAN": 2_500_000},
    "b1_thresholds": {"RURAL": 160, "URBAN": 195},
}


@pytest.fixture
def administrator(commune: Commune, signed_in: SignIn) -> Commune:
    """Somebody who loads what holds in a province."""
    return Commune(commune.app, signed_in("VN"), commune.folder)


async def load(administrator: Commune, status: int = 201, **changes: Any) -> Any:
    return await administrator.ask("POST", "/v1/standards", status, json=LOCAL | changes)


async def local(officer: Commune, **query: Any) -> dict[str, str | None]:
    page = await officer.ask("GET", "/v1/local-results", params={"limit": 500, **query})
    return {each["id"]: each["local_class"] for each in page["items"]}


async def test_a_household_above_the_national_line_is_poor_by_the_provinces(
    commune: Commune, administrator: Commune, engine: Engine
) -> None:
    await load(administrator)
    household = await commune.register()

    decided = await commune.decide(await commune.open_review(), household, 150, 40)

    assert (decided["class"], (await commune.household(household))["poverty_class"]) == ("NOT_POOR",) * 2
    [own] = (await commune.ask("GET", f"/v1/households/{household}/local-results"))["items"]
    assert (own["class"], own["national_class"], own["standard"]) == ("POOR", "NOT_POOR", "STD_64_2023")
    assert "160" in own["reason"]
    assert await local(commune) == {household: "POOR"}
    async with engine("households").connect() as conn:
        [told] = await emitted(conn, HouseholdClassified)
    assert told.poverty_class == "NOT_POOR", "readers act on the national class"


async def test_a_standard_loaded_later_judges_what_was_decided_in_its_time(
    commune: Commune, administrator: Commune
) -> None:
    known = [await commune.register(code=f"H{number}") for number in range(3)]
    review = await commune.open_review()
    for household, points in zip(known, ((120, 40), (150, 20), (170, 40)), strict=True):
        await commune.decide(review, household, *points)

    await load(administrator)

    assert await local(commune) == dict(zip(known, ("POOR", "NEAR_POOR", "NOT_POOR"), strict=True))
    assert set(await local(commune, **{"class": "NEAR_POOR"})) == {known[1]}
    assert set(await local(commune, national_class="POOR")) == {known[0]}


async def test_the_result_follows_late_corrected_and_annulled_decisions(
    commune: Commune, administrator: Commune
) -> None:
    await load(administrator)
    household = await commune.register()
    newer = await commune.decide(await commune.open_review(2023), household, 150, 40)
    moment = await commune.moment()
    older = await commune.decide(await commune.open_review(2022), household, 120, 10)
    assert await local(commune) == {household: "POOR"}

    paper = {"decided_on": "2024-01-20", "decision_number": "9/QĐ-UBND", "reason": "Ghi nhầm"}
    path = f"/v1/decisions/{newer['decision_id']}/corrections"
    better = await commune.ask(
        "POST", path, 201, json={"members": 4, "b1_points": 170, "b2_points": 0} | paper
    )
    assert await local(commune) == {household: "NOT_POOR"}

    annulment = {"reason": "Ghi nhầm hộ"}
    await commune.ask("POST", f"/v1/decisions/{better['decision_id']}/annulment", 201, json=annulment)
    assert await local(commune) == {household: "NEAR_POOR"}
    await commune.ask("POST", f"/v1/decisions/{older['decision_id']}/annulment", 201, json=annulment)
    assert await local(commune) == {}
    assert await local(commune, known_at=moment) == {household: "POOR"}, "as it was known then"


async def test_a_standard_that_is_loaded_again_counts_from_then_on(
    commune: Commune, administrator: Commune
) -> None:
    await load(administrator)
    household = await commune.register()
    await commune.decide(await commune.open_review(), household, 170, 40)

    await load(administrator, b1_thresholds={"RURAL": 175, "URBAN": 195})

    assert await local(commune) == {household: "POOR"}
    found = (await commune.ask("GET", f"/v1/households/{household}/local-results"))["items"]
    assert [each["class"] for each in found] == ["NOT_POOR", "POOR"]


async def test_without_points_for_its_line_it_is_incomplete_and_refuses(
    commune: Commune, administrator: Commune
) -> None:
    loaded = await load(administrator, b1_thresholds=None)
    household = await commune.register()
    await commune.decide(await commune.open_review(), household, 150, 40)

    [own] = (await commune.ask("GET", f"/v1/households/{household}/local-results"))["items"]

    assert (loaded["complete"], bool(loaded["missing"])) == (False, True)
    assert (own["class"], own["rule"]) == (None, "standard-incomplete")
    assert await local(commune) == {household: None}


INDICATORS = [
    {
        "code": code,
        "dimension": "D",
        "dimension_vi": "Chiều",
        "label_vi": code,
        "label_en": code,
        "restricted": False,
    }
    for code in ("WATER_SOURCE", "HYGIENIC_TOILET", "HOUSING_AREA", "EMPLOYMENT")
]


async def test_a_province_may_count_fewer_indicators(commune: Commune, administrator: Commune) -> None:
    await load(administrator, indicators=INDICATORS, b2_threshold=20)
    review = await commune.open_review()
    by_flags, by_total = [await commune.register(code=f"H{number}") for number in range(2)]
    flags = ["WATER_SOURCE", "HOUSING_AREA", "NUTRITION"]
    await commune.decide(review, by_flags, 150, 0, b2_points=None, deprivations=flags)
    await commune.decide(review, by_total, 150, 30)

    found = await local(commune)

    assert found == {by_flags: "POOR", by_total: None}
    [own] = (await commune.ask("GET", f"/v1/households/{by_flags}/local-results"))["items"]
    assert own["b2_points"] == 20
    [none] = (await commune.ask("GET", f"/v1/households/{by_total}/local-results"))["items"]
    assert none["rule"] == "local-scores-missing"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"income_lines": {"RURAL": 1_400_000, "URBAN": 2_500_000}}, "local-standard-lower"),
        ({"b1_thresholds": {"RURAL": 139, "URBAN": 195}}, "local-standard-lower"),
        (
            {"income_lines": {"RURAL": 1_500_000, "URBAN": 2_000_000}, "b1_thresholds": None},
            "local-standard-not-higher",
        ),
        ({"b2_threshold": 40}, "local-standard-lower"),
        ({"valid_to": "2030-01-01"}, "local-standard-outside-national"),
        ({"valid_to": "2021-01-01"}, "local-standard-contradictory"),
        ({"base": "STD_NONE"}, "standard-unknown"),
        ({"code": STANDARD}, "standard-code-taken"),
    ],
)
async def test_what_is_no_higher_standard_is_refused_by_name(
    administrator: Commune, changes: dict[str, Any], rule: str
) -> None:
    assert (await load(administrator, 422, **changes))["rule"] == rule


async def test_two_standards_of_a_province_do_not_meet(administrator: Commune) -> None:
    await load(administrator)

    second = await load(administrator, 422, code="STD_64_OTHER", valid_from="2025-01-01")
    shorter = await load(administrator, 422, valid_to="2024-12-31")

    assert (second["rule"], shorter["rule"]) == ("local-standards-overlap", "local-standard-shortened")


async def test_standards_stand_side_by_side_with_their_own_indicators(
    commune: Commune, administrator: Commune
) -> None:
    await load(administrator, indicators=INDICATORS, b2_threshold=20)

    found = {each["code"]: each for each in (await commune.ask("GET", "/v1/standards"))["items"]}

    assert len(found["STD_64_2023"]["indicators"]) == 4
    coming = found["STD_2027_2030"]
    assert (coming["complete"], len(coming["indicators"])) == (False, 12)
    assert {"TELECOM_SERVICE", "WASTE_TREATMENT"} <= {each["code"] for each in coming["indicators"]}
    assert "INFO_DEVICES" not in {each["code"] for each in coming["indicators"]}


async def test_the_list_is_taken_away_and_bounded_by_area(
    commune: Commune, administrator: Commune, signed_in: SignIn
) -> None:
    await load(administrator)
    household = await commune.register()
    await commune.decide(await commune.open_review(), household, 150, 40)

    file = await commune.client.get("/v1/local-results.csv", params={"area": COMMUNE, "purpose": "POLICY"})
    elsewhere = Commune(commune.app, signed_in("23830"), commune.folder)

    lines = file.text.splitlines()
    assert len(lines) == 2
    assert "Hộ nghèo" in lines[1]
    assert "Hộ không nghèo" in lines[1]
    assert await local(elsewhere) == {}
    await elsewhere.ask("GET", f"/v1/households/{household}/local-results", 404)
    await elsewhere.ask("POST", "/v1/standards", 403, json=LOCAL)


async def test_results_of_a_file_have_their_second_result_too(
    commune: Commune, administrator: Commune
) -> None:
    await load(administrator)
    done = await commune.import_rows(
        await commune.open_review(), row(1, "Đinh Một", b1_points=150), row(2, "Đinh Hai", b1_points=120)
    )

    assert done["applied"] == 2
    assert sorted(str(each) for each in (await local(commune)).values()) == ["POOR", "POOR"]
