"""Movements of a period over HTTP: as decided, by area, in both geographies; and figures held against them."""

from typing import Any

from tests.households.officer import COMMUNE, OTHER, Commune, SignIn

ASKED = {"year": 2023}


async def moved(officer: Commune, **query: Any) -> Any:
    return await officer.ask("GET", "/v1/movements", params=ASKED | query)


def flows(found: Any, area: str, of_list: str = "POOR") -> dict[str, int]:
    [account] = [each for each in found["accounts"] if (each["area"], each["list"]) == (area, of_list)]
    assert account["closes"]
    said = {each["flow"]: each["households"] for each in (*account["came"], *account["went"])}
    return {"start": account["start"]["households"], **said, "end": account["end"]["households"]}


async def a_year(officer: Commune) -> list[str]:
    """Of four households one escapes, one becomes near-poor, one goes away, and one more gets poor."""
    known = [await officer.register(code=f"H{number}") for number in range(4)]
    before, review = await officer.open_review(2022), await officer.open_review(2023)
    for household in known[:3]:
        await officer.decide(before, household, 120, 40)
    await officer.decide(review, known[0], 200, 0)
    await officer.decide(review, known[1], 120, 10, members=5)
    given = {"reason": "MOVED_OUT", "on": "2023-12-20"}
    await officer.ask("POST", f"/v1/households/{known[2]}/closure", 201, json=given)
    await officer.decide(review, known[3], 120, 40)
    return known


async def test_a_year_is_told_flow_by_flow_and_closes(commune: Commune) -> None:
    await a_year(commune)

    found = await moved(commune)

    poor = {"start": 3, "NEW": 1, "ESCAPED": 1, "TO_OTHER_LIST": 1, "LEFT": 1, "GREW": 0, "end": 1}
    assert flows(found, COMMUNE) == flows(found, "TOTAL") == poor
    assert flows(found, COMMUNE, "NEAR_POOR") == {"start": 0, "FROM_OTHER_LIST": 1, "end": 1}
    assert found["faults"] == []
    rows = {(each["form"], each["area"], each["measure"]): each["columns"] for each in found["rows"]}
    assert rows["7.2", COMMUNE, "HOUSEHOLDS"] == [3, 1, 1, 1, 0, 0, 1, 0, 1]
    assert rows["7.2", COMMUNE, "PERSONS"] == [12, 5, 4, 4, 0, 0, 4, 1, 4]
    assert rows["7.3", COMMUNE, "PERSONS"] == [0, 0, 0, 0, 5, 0, 0, 0, 5]


async def test_villages_provinces_and_communes_add_up_to_the_same(commune: Commune) -> None:
    await a_year(commune)

    totals = [
        flows(await moved(commune, level=level), "TOTAL") for level in ("VILLAGE", "COMMUNE", "PROVINCE")
    ]

    assert totals[0] == totals[1] == totals[2]
    villages = await moved(commune, level="VILLAGE")
    assert {each["area"] for each in villages["accounts"]} == {f"{COMMUNE}.01", "TOTAL"}


async def test_a_move_leaves_one_commune_and_arrives_in_the_other(
    commune: Commune, signed_in: SignIn
) -> None:
    district = Commune(commune.app, signed_in("630"), commune.folder)
    await Commune(commune.app, district.client, commune.folder, OTHER).list_villages("Làng Xa")
    household = await commune.register()
    await commune.decide(await commune.open_review(2022), household, 120, 40)
    given = {"to_commune": OTHER, "to_village": f"{OTHER}.01", "on": "2023-03-01"}
    await district.ask("POST", f"/v1/households/{household}/moves", 201, json=given)

    found = await moved(district)

    assert flows(found, COMMUNE) == {"start": 1, "LEFT": 1, "end": 0}
    assert flows(found, OTHER) == {"start": 0, "ARRIVED": 1, "end": 1}
    assert flows(await moved(commune), COMMUNE) == {"start": 1, "LEFT": 1, "end": 0}, "its own side alone"


async def test_a_period_known_at_an_earlier_moment_is_told_as_it_was_known(commune: Commune) -> None:
    household = await commune.register()
    await commune.decide(await commune.open_review(2023), household, 120, 40)
    moment = await commune.moment()
    await commune.decide(await commune.open_review(2022), household, 120, 40)

    assert flows(await moved(commune, known_at=moment), COMMUNE) == {"start": 0, "NEW": 1, "end": 1}
    assert flows(await moved(commune), COMMUNE) == {"start": 1, "end": 1}


async def test_given_figures_are_held_against_the_register(commune: Commune) -> None:
    await a_year(commune)
    columns = {str(number): value for number, value in enumerate([3, 1, 1, 0, 0, 0, 1, 0, 2], start=1)}
    rows = [{"form": "7.2", "area": COMMUNE, "measure": "HOUSEHOLDS", "columns": columns}]

    found = await commune.ask(
        "POST", "/v1/movements/check", json={"year": 2023, "rows": rows, "area": COMMUNE}
    )

    said = [(each["rule"], each["column"], each["expected"], each["given"]) for each in found["faults"]]
    assert said == [("differs-from-register", 4, 1, 0), ("differs-from-register", 9, 1, 2)]
    assert "chênh -1" in found["faults"][0]["message"]


async def test_a_period_that_cannot_be_is_refused_by_name(commune: Commune) -> None:
    for query in ({"from": "2023-02-01", "to": "2023-01-01"}, {}, {"year": 2023, "from": "2023-01-01"}):
        refused = await commune.ask("GET", "/v1/movements", 422, params=query)
        assert refused["rule"] == "period-invalid"
    given = {"level": "VILLAGE", "geography": "now"}
    refused = await commune.ask("GET", "/v1/movements", 422, params=ASKED | given)
    assert refused["rule"] == "villages-of-then-only"
