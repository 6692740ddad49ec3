"""What people and programs are answered about loan products, rates and the bank's programmes."""

import datetime as dt
from typing import Any

import httpx2
import pytest

from benvung import clock

D = dt.date


@pytest.fixture(autouse=True)
def in_june_2026(business_date: dt.date) -> None:
    """Loans signed before and since 2026 run beside each other."""
    clock.fix(D(2026, 6, 1))


@pytest.fixture
async def client(app: Any, business_date: dt.date) -> httpx2.AsyncClient:
    signed_in: httpx2.AsyncClient = await app("funding", business_date=D(2026, 6, 1))
    return signed_in


async def ok(client: httpx2.AsyncClient, path: str, lang: str = "vi", **params: Any) -> Any:
    answer = await client.get(path, params=params, headers={"Accept-Language": lang})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refused(client: httpx2.AsyncClient, path: str, lang: str = "vi", **params: Any) -> Any:
    answer = await client.get(path, params=params, headers={"Accept-Language": lang})
    assert answer.status_code in {404, 422}, answer.text
    return answer.json()


async def test_all_products_are_listed_with_their_terms_on_a_day(client: httpx2.AsyncClient) -> None:
    found = {each["code"]: each for each in await ok(client, "/v1/credit-products", on="2025-12-31")}

    assert len(found) == 24
    worker = found["JOB_CREATION_WORKER"]
    central = [each for each in worker["amounts"] if each["fund_source"] == "CENTRAL"]
    assert [each["amount_dong"] for each in central] == [100_000_000]
    local = [each for each in worker["amounts"] if each["fund_source"] == "LOCAL"]
    assert [(each["province"], each["amount_dong"], each["legal"]["number"]) for each in local] == [
        ("01", 300_000_000, "56/2025/NQ-HĐND")
    ]
    assert found["ETHNIC_HOUSING"]["restricted"]


async def test_a_product_tells_its_terms_in_both_languages(client: httpx2.AsyncClient) -> None:
    vi = await ok(client, "/v1/credit-products/POOR")
    en = await ok(client, "/v1/credit-products/POOR", lang="en")

    assert (vi["on"], vi["vbsp_code"], vi["max_term_months"]) == ("2026-06-01", "01", 120)
    assert (vi["name"], en["name"]) == ("Cho vay hộ nghèo", "Loan to poor households")
    assert vi["serves"] == [{"code": "POOR", "text": "Hộ nghèo"}]
    assert vi["amounts"][0]["text"] == "Mức tối đa mỗi hộ"
    assert vi["collateral"][0]["text"] == "Không phải bảo đảm tiền vay"
    assert vi["lending"]["state"] == "OPEN"
    assert len(vi["conditions"]) == len(en["conditions"]) == 5


async def test_a_rate_is_told_with_the_walk_that_led_to_it(client: httpx2.AsyncClient) -> None:
    told = await ok(client, "/v1/credit-products/NEAR_POOR/rate", on="2025-12-01", contract_date="2023-03-01")

    assert (told["percent"], told["monthly_percent"], told["overdue_percent"]) == ("7.488", "0.624", "9.7344")
    assert [(step["kind"], step["percent"], step["legal"]["number"]) for step in told["steps"]] == [
        ("BASE_RATE", "6.24", "2553/QĐ-TTg"),
        ("FACTOR", "7.488", "1826/QĐ-TTg"),
        ("OVERDUE_FACTOR", "9.7344", "28/2015/QĐ-TTg"),
    ]
    assert told["steps"][0]["text"] == "Lãi suất cho vay hộ nghèo là 6,24 %/năm (từ ngày 01/12/2025)."
    assert told["open_cuts"] == ["DISASTER_2025"]


async def test_a_contract_is_of_the_day_asked_about_unless_it_is_said(client: httpx2.AsyncClient) -> None:
    new = await ok(client, "/v1/credit-products/JOB_CREATION_WORKER/rate")
    old = await ok(client, "/v1/credit-products/JOB_CREATION_WORKER/rate", contract_date="2025-12-31")

    assert (new["contract_date"], new["percent"], new["confidence"]) == ("2026-06-01", "7.9248", "computed")
    assert (old["contract_date"], old["percent"]) == ("2025-12-31", "7.488")


async def test_facts_of_the_borrower_choose_the_priority_groups_rate(client: httpx2.AsyncClient) -> None:
    told = await ok(
        client,
        "/v1/credit-products/JOB_CREATION_WORKER/rate",
        on="2026-02-01",
        borrower_class="POOR",
        ethnic_minority="true",
    )

    assert (told["product"], told["rate_of"]) == ("JOB_CREATION_WORKER", "JOB_CREATION_WORKER_PRIORITY")
    assert told["percent"] == "6.24"


async def test_entrusted_money_of_ha_noi(client: httpx2.AsyncClient) -> None:
    told = await ok(client, "/v1/credit-products/NEAR_POOR/rate", fund_source="LOCAL", province="01")

    assert (told["percent"], told["overdue_percent"]) == ("4.8", "6.24")
    assert "LOCAL_FUND" in [step["kind"] for step in told["steps"]]


@pytest.mark.parametrize(
    ("path", "params", "rule", "field"),
    [
        ("POOR", {"on": "2015-05-31"}, "rate-before-table", "query.on"),
        ("LABOUR_EXPORT_POOR_DISTRICT", {}, "rate-unknown", "query.on"),
        ("POOR", {"contract_date": "2026-06-02"}, "contract-after-day", "query.contract_date"),
        ("POOR", {"fund_source": "LOCAL"}, "province-needed", "query.province"),
        ("POOR", {"fund_source": "LOCAL", "province": "48"}, "local-rate-unknown", "query.province"),
        (
            "STUDENT",
            {"fund_source": "LOCAL", "province": "01"},
            "borrower-class-needed",
            "query.borrower_class",
        ),
        ("POOR", {"on": "2025-11-01", "province": "46"}, "cut-provinces-not-loaded", "query.province"),
        ("POOR", {"province": "64"}, "area-unknown", "query.province"),
        ("POOR", {"on": "2014-12-31"}, "input-invalid", "query.on"),
        ("POOR", {"contract": "2025-12-31"}, "input-invalid", "query.contract"),
    ],
)
async def test_what_cannot_be_answered_names_its_rule_and_field(
    client: httpx2.AsyncClient, path: str, params: dict[str, str], rule: str, field: str
) -> None:
    vi = await refused(client, f"/v1/credit-products/{path}/rate", **params)
    en = await refused(client, f"/v1/credit-products/{path}/rate", lang="en", **params)

    assert vi["rule"] == rule
    assert vi["errors"][0]["field"] == field
    assert vi["detail"] != en["detail"]


async def test_a_refusal_of_the_law_names_its_article(client: httpx2.AsyncClient) -> None:
    problem = await refused(client, "/v1/credit-products/STEM/rate", on="2025-08-27")

    assert (problem["rule"], problem["legal"]) == ("rate-before-table", "Quyết định 29/2025/QĐ-TTg")
    assert "28/08/2025" in problem["detail"]


@pytest.mark.parametrize("path", ["/v1/credit-products/GOLD", "/v1/credit-products/GOLD/rate"])
async def test_a_product_that_is_not_there_is_not_found(client: httpx2.AsyncClient, path: str) -> None:
    assert (await refused(client, path))["rule"] == "not-found"


async def test_the_banks_programmes_are_listed_with_their_products(client: httpx2.AsyncClient) -> None:
    found = {each["vbsp_code"]: each for each in await ok(client, "/v1/credit-programmes")}

    assert len(found) == 16
    assert found["04"] == {
        "vbsp_code": "04",
        "short": "XKLĐ",
        "name": "Cho vay đối tượng chính sách đi lao động có thời hạn ở nước ngoài",
        "products": ["LABOUR_EXPORT", "LABOUR_EXPORT_PRIORITY", "LABOUR_EXPORT_POOR_DISTRICT"],
    }
    assert found["99"]["products"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/v1/credit-products",
        "/v1/credit-products/POOR",
        "/v1/credit-products/POOR/rate",
        "/v1/credit-programmes",
    ],
)
async def test_the_law_is_read_by_who_may_read_funding(app: Any, bearer: Any, path: str) -> None:
    stranger: httpx2.AsyncClient = await app("funding", headers=bearer(permissions=["training.read"]))
    reader: httpx2.AsyncClient = await app("funding", headers=bearer(permissions=["funding.read"]))

    assert (await stranger.get(path)).status_code == 403
    assert (await reader.get(path)).status_code == 200
