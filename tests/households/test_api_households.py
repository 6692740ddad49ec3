"""A household's own story: it is entered, arrives, moves to another commune, and ends."""

from typing import Any

import pytest
from tests.households.officer import OTHER, STANDARD, Commune, SignIn

from benvung.testing import Engine, emitted
from households.events import HouseholdArrived, HouseholdClosed, HouseholdLeft, PopulationRecorded


@pytest.fixture
def neighbour(commune: Commune, signed_in: SignIn) -> Commune:
    """The officer of the commune next door."""
    return Commune(commune.app, signed_in(OTHER), commune.folder, OTHER)


async def test_a_move_tells_the_old_place_first_and_takes_the_class_along(
    commune: Commune, neighbour: Commune, engine: Engine
) -> None:
    household = await commune.register()
    await commune.decide(await commune.open_review(), household, 120, 40)
    await neighbour.list_villages("Làng Xa")

    moved = await commune.ask(
        "POST",
        f"/v1/households/{household}/moves",
        201,
        json={"to_commune": OTHER, "to_village": f"{OTHER}.01", "to_code": "N7", "on": "2023-06-01"},
    )
    assert moved["code"] == "N7"

    assert (moved["commune"], moved["poverty_class"], moved["class_since"]) == (OTHER, "POOR", "2022-12-10")
    async with engine("households").connect() as conn:
        [left] = await emitted(conn, HouseholdLeft)
        [arrived] = await emitted(conn, HouseholdArrived)
    assert (left.commune, left.status, left.revision) == ("23827", "ACTIVE", 3)
    assert (left.change.movement, left.change.other_commune) == ("OTHER_DECREASE_POOR", OTHER)
    assert (arrived.commune, arrived.poverty_class, arrived.revision) == (OTHER, "POOR", 4)
    assert (arrived.change.previous_class, arrived.change.movement) == (None, "OTHER_INCREASE_POOR")
    await commune.ask("GET", f"/v1/households/{household}", 404)
    changes = (await neighbour.ask("GET", f"/v1/households/{household}/decisions"))["changes"]
    assert [each["kind"] for each in changes] == ["REGISTERED", "LEFT", "ARRIVED"]
    assert changes[1]["sequence"] < changes[2]["sequence"]


async def test_a_household_from_outside_arrives_with_its_class_and_certificate(
    commune: Commune, engine: Engine
) -> None:
    given = {
        "commune": "23827",
        "village": "23827.01",
        "head_name": "Siu Đến",
        "members": 3,
        "class": "NEAR_POOR",
        "standard": STANDARD,
        "on": "2023-03-01",
    }
    refused = await commune.ask("POST", "/v1/arrivals", 422, json=given)
    assert refused["rule"] == "arrival-without-certificate"

    arrived = await commune.ask("POST", "/v1/arrivals", 201, json=given | {"certificate": "12/GCN"})

    assert (arrived["poverty_class"], arrived["class_since"]) == ("NEAR_POOR", "2023-03-01")
    async with engine("households").connect() as conn:
        [event] = await emitted(conn, HouseholdArrived)
    assert (event.revision, event.change.movement) == (1, "OTHER_INCREASE_NEAR_POOR")


@pytest.mark.parametrize(
    ("reason", "status", "kind"),
    [("DEATH", "CLOSED", HouseholdClosed), ("MOVED_OUT", "LEFT", HouseholdLeft)],
)
async def test_a_household_that_ends_gives_up_its_class(
    commune: Commune, engine: Engine, reason: str, status: str, kind: Any
) -> None:
    household = await commune.register()
    review = await commune.open_review()
    await commune.decide(review, household, 120, 40)

    ended = await commune.ask(
        "POST", f"/v1/households/{household}/closure", 201, json={"reason": reason, "on": "2023-05-01"}
    )

    assert (ended["status"], ended["poverty_class"], ended["class_since"]) == (status, None, "2023-05-01")
    async with engine("households").connect() as conn:
        [event] = await emitted(conn, kind)
    assert (event.status, event.poverty_class, event.change.previous_class) == (status, None, "POOR")
    after = await commune.open_review(2023)
    refused = await commune.ask(
        "POST",
        f"/v1/reviews/{after}/results",
        422,
        json={"household_id": household, "members": 4, "b1_points": 1, "b2_points": 0},
    )
    assert refused["rule"] == "household-not-active"


async def test_a_household_that_changed_since_it_was_read_is_not_closed_by_mistake(commune: Commune) -> None:
    household = await commune.register()
    read = await commune.client.get(f"/v1/households/{household}")
    await commune.decide(await commune.open_review(), household, 120, 40)
    path, body = f"/v1/households/{household}/closure", {"reason": "MERGED", "on": "2023-05-01"}

    refused = await commune.ask("POST", path, 412, json=body, headers={"If-Match": read.headers["etag"]})

    assert refused["rule"] == "household-changed"
    again = await commune.client.get(f"/v1/households/{household}")
    await commune.ask("POST", path, 201, json=body, headers={"If-Match": again.headers["etag"]})


async def test_a_village_with_households_stays_in_the_list(commune: Commune) -> None:
    await commune.register(village="23827.02")
    read = {"If-Match": (await commune.client.get("/v1/communes/23827/villages")).headers["etag"]}

    refused = await commune.ask(
        "PUT", "/v1/communes/23827/villages", 409, json={"villages": [{"name": "Làng Một"}]}, headers=read
    )
    assert refused["rule"] == "village-inhabited"

    kept = await commune.ask(
        "PUT",
        "/v1/communes/23827/villages",
        headers=read,
        json={
            "villages": [
                {"code": "23827.02", "name": "Làng Một"},
                {"code": "23827.01", "name": "Làng Hai"},
                {"name": "Làng Mới"},
            ]
        },
    )
    assert {each["code"]: each["name"] for each in kept["villages"]} == {
        "23827.01": "Làng Hai",
        "23827.02": "Làng Một",
        "23827.04": "Làng Mới",
    }


async def test_a_list_of_villages_is_replaced_only_by_who_read_it(commune: Commune) -> None:
    path = "/v1/communes/23827/villages"
    read = await commune.client.get(path)
    ours = {"villages": [*read.json()["villages"], {"name": "Làng Bốn"}]}
    theirs = {"villages": [*read.json()["villages"], {"name": "Làng Năm"}]}

    assert (await commune.ask("PUT", path, 428, json=ours))["rule"] == "if-match-missing"
    written = await commune.client.put(path, json=ours, headers={"If-Match": read.headers["etag"]})
    late = await commune.ask("PUT", path, 412, json=theirs, headers={"If-Match": read.headers["etag"]})

    assert late["rule"] == "changed-since-read"
    now = await commune.client.get(path)
    assert [each["name"] for each in now.json()["villages"]][-1] == "Làng Bốn"
    assert now.headers["etag"] == written.headers["etag"] != read.headers["etag"]
    known = await commune.client.get(path, headers={"If-None-Match": now.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")


@pytest.mark.parametrize(
    "villages",
    [
        [{"name": "Làng Một"}, {"name": "làng  một"}],
        [{"code": "23827.01", "name": "A"}, {"code": "23827.01", "name": "B"}],
        [{"code": "23830.01", "name": "A"}],
    ],
)
async def test_a_list_of_villages_that_contradicts_itself_is_refused(
    commune: Commune, villages: list[dict[str, str]]
) -> None:
    refused = await commune.ask(
        "PUT", "/v1/communes/23827/villages", 422, json={"villages": villages}, headers={"If-Match": "*"}
    )

    assert refused["rule"] == "villages-contradict"


async def test_an_areas_population_is_recorded_with_its_day_and_source(
    commune: Commune, signed_in: SignIn, engine: Engine
) -> None:
    district = Commune(commune.app, signed_in("630"), commune.folder)
    given = {"households": 12836, "persons": 56478, "as_of": "2022-12-31", "source": "12/BC-UBND"}

    await district.ask("POST", "/v1/areas/630/population", 201, json=given)
    await district.ask("POST", "/v1/areas/630/population", 201, json=given | {"households": 12837})

    found = (await district.ask("GET", "/v1/areas/630/population"))["items"]
    assert [each["households"] for each in found] == [12837, 12836]
    async with engine("households").connect() as conn:
        events = await emitted(conn, PopulationRecorded)
    assert [(each.area, each.level, each.commune, each.province) for each in events] == [
        ("630", "DISTRICT", None, "64")
    ] * 2
    refused = await district.ask("POST", "/v1/areas/630/population", 422, json=given | {"persons": 1})
    assert refused["rule"] == "population-implausible"


@pytest.mark.parametrize(
    ("changes", "status", "rule"),
    [
        ({"standard": None}, 422, "review-standard-missing"),
        ({"standard": "STD_1066"}, 422, "standard-unknown"),
        ({"standard": "STD_2027_2030"}, 422, "standard-incomplete"),
        ({"commune": "99999"}, 422, "commune-unknown"),
        ({"decided_on": "2030-12-10"}, 422, "commune-unknown"),
        ({"valid_from": "2021-06-01"}, 422, "standard-not-valid"),
        ({"decided_on": "2300-01-01"}, 422, "input-invalid"),
        ({"year": 10**30}, 422, "input-invalid"),
    ],
)
async def test_a_review_that_cannot_be_is_refused_by_its_rule(
    commune: Commune, changes: dict[str, Any], status: int, rule: str
) -> None:
    given = {
        "commune": "23827",
        "year": 2022,
        "kind": "ANNUAL",
        "stage": "OFFICIAL",
        "standard": STANDARD,
        "decided_on": "2022-12-10",
    }

    assert (await commune.ask("POST", "/v1/reviews", status, json=given | changes))["rule"] == rule


async def test_a_commune_opens_an_annual_review_once(commune: Commune) -> None:
    first = await commune.open_review()
    given = {
        "commune": "23827",
        "year": 2022,
        "kind": "ANNUAL",
        "stage": "OFFICIAL",
        "standard": STANDARD,
        "decided_on": "2022-12-11",
    }

    refused = await commune.ask("POST", "/v1/reviews", 409, json=given)

    assert refused["rule"] == "review-exists"
    assert first in refused["detail"]
    await commune.open_review(stage="PRELIMINARY")
    listed = (await commune.ask("GET", "/v1/reviews", params={"year": 2022}))["items"]
    assert {each["stage"] for each in listed} == {"OFFICIAL", "PRELIMINARY"}


async def test_a_list_is_read_page_by_page(commune: Commune) -> None:
    ids = [await commune.register(code=f"H{number}") for number in range(5)]
    found: list[str] = []
    after = None
    while True:
        query = {"limit": 2} | ({"after": after} if after else {})
        page = await commune.ask("GET", "/v1/households", params=query)
        found += [each["id"] for each in page["items"]]
        after = page["next"]
        if after is None:
            break

    assert sorted(found) == sorted(ids)
    assert len(found) == len(set(found))
