"""What people and programs are answered by the funding service."""

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from benvung import clock
from benvung.testing import Engine, deliver, emitted
from funding.consumers import PROJECTORS
from funding.events import BudgetAllocated

D = dt.date
FUNDING = PROJECTORS[0]
END_2022, END_2023 = D(2022, 12, 31), D(2023, 12, 31)
TRIEU = 1_000_000
Tell = Callable[..., Awaitable[None]]


@pytest.fixture(autouse=True)
def in_january_2024(business_date: dt.date) -> None:
    """The communes of these tests lie in a district, and districts ended in 2025."""
    clock.fix(D(2024, 1, 24))


@pytest.fixture
def tell(engine: Engine) -> Tell:
    """Deliver events of the register and commit."""

    async def of(*events: Any) -> None:
        async with engine("funding").begin() as conn:
            await deliver(conn, FUNDING, list(events))

    return of


@pytest.fixture
async def client(app: Any, business_date: dt.date) -> httpx2.AsyncClient:
    signed_in: httpx2.AsyncClient = await app("funding", business_date=D(2024, 1, 24))
    return signed_in


async def ok(client: httpx2.AsyncClient, path: str, **params: Any) -> Any:
    answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_household_is_told_the_terms_of_its_product(
    client: httpx2.AsyncClient, tell: Tell, register: Any
) -> None:
    household, registered = register.register()
    await tell(registered, register.classify(household, "NEAR_POOR", END_2022))

    answers = await ok(client, f"/v1/households/{household}/eligibility", on="2025-12-01")

    told = {each["product"]: each for each in answers["answers"]}
    assert {product: each["status"] for product, each in told.items()} == {
        "POOR": "NOT_ELIGIBLE",
        "NEAR_POOR": "ELIGIBLE",
        "NEWLY_ESCAPED": "NOT_ELIGIBLE",
    }
    near_poor = told["NEAR_POOR"]
    assert near_poor["limit_dong"] == 100_000_000
    assert (near_poor["rate_percent"], near_poor["first_rate_percent"]) == ("7.488", "7.92")
    assert near_poor["overdue_rate_percent"] == "9.7344"
    assert near_poor["reason_text"].startswith("Hộ có trong danh sách hộ cận nghèo")
    assert near_poor["source_sequence"] == 2
    assert told["POOR"]["limit_dong"] is None


async def test_the_answer_depends_on_the_day_asked(
    client: httpx2.AsyncClient, tell: Tell, register: Any
) -> None:
    household, registered = register.register()
    await tell(
        registered,
        register.classify(household, "POOR", END_2022),
        register.classify(household, "NOT_POOR", END_2023),
    )
    expected = {
        "2022-12-30": None,
        "2022-12-31": "POOR",
        "2023-12-30": "POOR",
        "2023-12-31": "NEWLY_ESCAPED",
        "2026-12-15": "NEWLY_ESCAPED",
        "2026-12-30": "NEWLY_ESCAPED",
        "2026-12-31": None,
        "2027-01-15": None,
    }
    for day, product in expected.items():
        answers = await ok(client, f"/v1/households/{household}/eligibility", on=day)
        eligible = [each["product"] for each in answers["answers"] if each["status"] == "ELIGIBLE"]
        assert eligible == ([product] if product else []), day
        listed = await ok(client, "/v1/eligibility", on=day, area="630")
        assert [each["product"] for each in listed["items"]] == eligible
    ended = await ok(client, f"/v1/households/{household}/eligibility", on="2027-01-15")
    assert ended["answers"][2]["reason"] == "WINDOW_ENDED"
    before = await ok(client, f"/v1/households/{household}/eligibility", on="2020-01-01")
    assert {each["reason"] for each in before["answers"]} == {"NO_OFFICIAL_DECISION"}


async def test_a_summary_closes_over_entries_and_exits(
    client: httpx2.AsyncClient, tell: Tell, register: Any
) -> None:
    histories = [
        ("POOR", "POOR"),
        ("POOR", "NOT_POOR"),
        ("POOR", "NEAR_POOR"),
        ("NEAR_POOR", "AVERAGE_LIVING"),
        ("NOT_POOR", "POOR"),
    ]
    for first, second in histories:
        household, registered = register.register()
        await tell(
            registered,
            register.classify(household, first, END_2022),
            register.classify(household, second, END_2023),
        )

    summary = await ok(client, "/v1/eligibility/summary", area="630", since="2023-06-30")

    counted = {each["product"]: each for each in summary["products"]}
    assert {name: (each["households"], each["entries"], each["exits"]) for name, each in counted.items()} == {
        "POOR": (2, 1, 2),
        "NEAR_POOR": (1, 1, 1),
        "NEWLY_ESCAPED": (2, 2, 0),
    }
    for each in counted.values():
        assert each["households"] == each["households_before"] + each["entries"] - each["exits"]
    assert summary["on"] == "2024-01-24"


async def test_a_household_that_moved_counts_where_it_was_on_that_day(
    client: httpx2.AsyncClient, tell: Tell, register: Any
) -> None:
    household, registered = register.register(commune="23827")
    await tell(
        registered,
        register.classify(household, "POOR", END_2022),
        *register.move(household, "23830", D(2023, 6, 1)),
    )

    async def poor(area: str, on: str) -> int:
        summary = await ok(client, "/v1/eligibility/summary", area=area, on=on)
        households: int = summary["products"][0]["households"]
        return households

    assert await poor("23827", "2023-05-31") == 1
    assert await poor("23827", "2023-06-01") == 0
    assert await poor("23830", "2023-06-01") == 1
    assert await poor("630", "2023-06-01") == 1


async def test_verify_counts_active_households_and_persons_by_class(
    client: httpx2.AsyncClient, tell: Tell, register: Any
) -> None:
    for commune, members, poverty_class in (
        ("23827", 4, "POOR"),
        ("23827", 5, "POOR"),
        ("23827", 2, "NOT_POOR"),
        ("23830", 3, "POOR"),
    ):
        household, registered = register.register(commune, members)
        await tell(registered, register.classify(household, poverty_class, END_2022))
    gone, registered = register.register("23827", 7)
    await tell(registered, register.classify(gone, "POOR", END_2022), register.close(gone, END_2023))

    assert await ok(client, "/v1/verify", area="630") == {
        "area": "630",
        "communes": [
            {
                "commune": "23827",
                "classes": {
                    "NOT_POOR": {"households": 1, "persons": 2},
                    "POOR": {"households": 2, "persons": 9},
                },
            },
            {"commune": "23830", "classes": {"POOR": {"households": 1, "persons": 3}}},
        ],
        "total": {
            "NOT_POOR": {"households": 1, "persons": 2},
            "POOR": {"households": 3, "persons": 12},
        },
    }


async def test_lists_are_read_page_by_page(client: httpx2.AsyncClient, tell: Tell, register: Any) -> None:
    ids = set()
    for _ in range(5):
        household, registered = register.register()
        ids.add(str(household))
        await tell(registered, register.classify(household, "POOR", END_2022))
    seen: list[str] = []
    after = None
    while True:
        page = await ok(client, "/v1/eligibility", limit=2, **({"after": after} if after else {}))
        seen += [each["household_id"] for each in page["items"]]
        after = page["next"]
        if after is None:
            break

    assert seen == sorted(ids)
    one = await ok(client, "/v1/eligibility", household_id=seen[3], product="POOR")
    assert [each["household_id"] for each in one["items"]] == [seen[3]]
    assert (await ok(client, "/v1/eligibility", product="NEAR_POOR"))["items"] == []


async def test_products_and_components_are_read_on_a_day(client: httpx2.AsyncClient) -> None:
    products = await ok(client, "/v1/products", on="2025-12-01")
    assert [each["rate_percent"] for each in products] == ["6.24", "7.488", "7.8"]
    assert products[2]["window_months"] == 36
    assert "2553/QĐ-TTg" in {each["number"] for each in products[0]["legal"]}

    components = await ok(client, "/v1/projects")
    assert len([each for each in components if each["leaf"]]) == 13
    assert next(each for each in components if each["code"] == "DA2")["capital_types"] == ["RECURRENT"]


KONG_CHRO = {
    "area": "630",
    "year": 2023,
    "decision_number": "01/QĐ-UBND",
    "decided_on": "2023-01-10",
    "total_dong": 82_801 * TRIEU,
    "by_capital_type": [
        {"capital_type": "INVESTMENT", "amount_dong": 54_532 * TRIEU},
        {"capital_type": "RECURRENT", "amount_dong": 28_269 * TRIEU},
    ],
    "lines": [
        {
            "project": "NTP_SPR_2021_2025",
            "capital_type": "INVESTMENT",
            "source": "CENTRAL_BUDGET",
            "amount_dong": 54_532 * TRIEU,
        },
        {
            "project": "NTP_SPR_2021_2025",
            "capital_type": "RECURRENT",
            "source": "CENTRAL_BUDGET",
            "amount_dong": 28_269 * TRIEU,
        },
    ],
}


async def test_the_district_allocation_is_posted_and_told_line_by_line(
    client: httpx2.AsyncClient, engine: Engine
) -> None:
    posted = await client.post("/v1/allocations", json=KONG_CHRO)

    assert posted.status_code == 201, posted.text
    body = posted.json()
    assert body["total_dong"] == 82_801_000_000
    assert await ok(client, posted.headers["Location"]) == body
    assert (await ok(client, "/v1/allocations", area="64", year=2023))["items"] == [body]
    async with engine("funding").connect() as conn:
        lines = await emitted(conn, BudgetAllocated)
    assert [(each.capital_type, each.amount_dong // TRIEU, each.revision) for each in lines] == [
        ("INVESTMENT", 54_532, 1),
        ("RECURRENT", 28_269, 2),
    ]
    assert {(each.area, each.province, each.commune) for each in lines} == {("630", "64", None)}


async def test_the_same_decision_is_recorded_once(client: httpx2.AsyncClient, engine: Engine) -> None:
    assert (await client.post("/v1/allocations", json=KONG_CHRO)).status_code == 201
    again = await client.post("/v1/allocations", json=KONG_CHRO)

    assert (again.status_code, again.json()["rule"]) == (409, "allocation-already-recorded")
    async with engine("funding").connect() as conn:
        assert len(await emitted(conn, BudgetAllocated)) == 2


async def test_a_sum_that_is_off_is_a_named_problem_and_leaves_nothing(
    client: httpx2.AsyncClient, engine: Engine
) -> None:
    refused = await client.post("/v1/allocations", json=KONG_CHRO | {"total_dong": 82_800 * TRIEU})

    problem = refused.json()
    assert (refused.status_code, problem["rule"]) == (422, "allocation-sum-off")
    assert problem["errors"][0]["field"] == "by_capital_type"
    assert "1.000.000 đồng" in problem["detail"]
    assert (await ok(client, "/v1/allocations"))["items"] == []
    async with engine("funding").connect() as conn:
        assert await emitted(conn, BudgetAllocated) == []


async def test_an_unknown_area_is_named(client: httpx2.AsyncClient) -> None:
    posted = await client.post("/v1/allocations", json=KONG_CHRO | {"area": "99999"})
    assert (posted.status_code, posted.json()["rule"]) == (422, "area-unknown")
    listed = await client.get("/v1/eligibility", params={"area": "99999"})
    assert (listed.status_code, listed.json()["rule"]) == (422, "area-unknown")


async def test_an_unknown_household_is_not_found(client: httpx2.AsyncClient) -> None:
    answer = await client.get(f"/v1/households/{uuid.uuid4()}/eligibility")

    assert (answer.status_code, answer.json()["rule"]) == (404, "not-found")


async def test_a_commune_officer_sees_and_changes_that_commune_only(
    app: Any, bearer: Any, tell: Tell, register: Any
) -> None:
    ids = {}
    for commune in ("23827", "23830"):
        household, registered = register.register(commune)
        ids[commune] = household
        await tell(registered, register.classify(household, "POOR", END_2022))
    officer = await app(
        "funding",
        business_date=D(2024, 1, 24),
        headers=bearer(["funding.read", "budget.write"], ["23827"]),
    )

    listed = await ok(officer, "/v1/eligibility")
    assert {each["commune"] for each in listed["items"]} == {"23827"}
    assert (await ok(officer, "/v1/eligibility", area="23830"))["items"] == []
    assert (await ok(officer, "/v1/eligibility/summary", area="630"))["products"][0]["households"] == 1
    assert [each["commune"] for each in (await ok(officer, "/v1/verify", area="630"))["communes"]] == [
        "23827"
    ]
    other = await officer.get(f"/v1/households/{ids['23830']}/eligibility")
    assert other.status_code == 404
    early = await officer.get(f"/v1/households/{ids['23830']}/eligibility", params={"on": "2020-01-01"})
    assert early.status_code == 404
    posted = await officer.post("/v1/allocations", json=KONG_CHRO)
    assert (posted.status_code, posted.json()["rule"]) == (403, "outside-area")
    own = KONG_CHRO | {"area": "23827"}
    assert (await officer.post("/v1/allocations", json=own)).status_code == 201
    everyone = await app("funding", business_date=D(2024, 1, 24))
    assert (await everyone.post("/v1/allocations", json=KONG_CHRO)).status_code == 201
    assert [each["area"] for each in (await ok(officer, "/v1/allocations"))["items"]] == ["23827"]


async def test_money_needs_its_own_permission(app: Any, bearer: Any) -> None:
    reader = await app("funding", business_date=D(2024, 1, 24), headers=bearer(["funding.read"], ["VN"]))

    assert (await reader.post("/v1/allocations", json=KONG_CHRO)).status_code == 403
    assert (await reader.get("/v1/allocations", headers={"Authorization": ""})).status_code == 401


async def test_money_asked_for_twice_is_given_once(client: httpx2.AsyncClient, engine: Engine) -> None:
    keyed = {"Idempotency-Key": str(uuid.uuid4())}

    first, again = [await client.post("/v1/allocations", json=KONG_CHRO, headers=keyed) for _ in range(2)]

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["location"] == first.headers["location"] == f"/v1/allocations/{first.json()['id']}"
    assert again.headers["idempotency-replayed"] == "true"
    async with engine("funding").connect() as conn:
        assert len(await emitted(conn, BudgetAllocated)) == 2
    other = await client.post("/v1/allocations", json=KONG_CHRO | {"year": 2022}, headers=keyed)
    assert (other.status_code, other.json()["rule"]) == (422, "idempotency-key-reused")


async def test_an_allocation_that_is_known_is_not_sent_again(client: httpx2.AsyncClient) -> None:
    made = (await client.post("/v1/allocations", json=KONG_CHRO)).headers["location"]
    etag = (await client.get(made)).headers["etag"]

    assert (await client.get(made, headers={"If-None-Match": etag})).status_code == 304
