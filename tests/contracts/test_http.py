"""Whatever is sent to a service, it answers as its committed OpenAPI document says, and never with a failure.

SCHEMATHESIS_EXAMPLES sets how many requests are invented for each operation in longer, undirected runs.
"""

import asyncio
import datetime as dt
import importlib
import json
import os
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import httpx2
import pytest
import requests
import schemathesis
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.contracts import examples
from tests.contracts.services import SERVICES, built
from tests.households import dividing, forms, people
from tests.households.reviewing import up_to_posting, up_to_recognition

from benvung import areas, clock, contracts
from benvung.projector import bury
from benvung.testing import App, Engine, NatsServer
from benvung.vault import Vault
from benvung.web import create_app
from households import actions, store


def is_documented_or_a_problem(
    _context: schemathesis.CheckContext, answer: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """What went well is in the document; anything else is named in a problem of the house's shape."""
    if answer.status_code < 300 or answer.status_code == 304:
        assert str(answer.status_code) in case.operation.definition.raw["responses"]
    else:
        assert answer.headers["content-type"] == ["application/problem+json"]


CHECKS = [
    *(not_a_server_error, response_schema_conformance, content_type_conformance),
    is_documented_or_a_problem,
]
GIVEN = os.environ.get("SCHEMATHESIS_EXAMPLES")
COMMUNE, VILLAGE = "23827", "23827.01"
PERSON = {"on": "2024-01-05"} | people.person()


@pytest.mark.parametrize("service", SERVICES)
def test_the_committed_contracts_are_what_the_service_promises_today(service: str) -> None:
    present = contracts.committed(contracts.folder(service))
    promised = contracts.documents(
        built(service), create_app(built(service), worker=False).openapi(), present
    )

    assert contracts.differences(present, promised) == [], f"run '{service} contracts'"


@pytest.fixture
def in_kong_chro(business_date: dt.date) -> Iterator[None]:
    """A day on which the places of these tests existed; what they record of units is then forgotten."""
    clock.fix(dt.date(2024, 1, 24))
    yield
    areas.learn(())


@pytest.mark.usefixtures("in_kong_chro")
@pytest.mark.parametrize("service", SERVICES)
async def test_a_request_of_any_shape_is_answered_as_the_contract_says(
    app: App, engine: Engine, nats_server: NatsServer, service: str
) -> None:
    # The register's stream is read on request; the others' relays and projectors have nothing to say here.
    client = await app(service, nats=nats_server if service == "households" else None)
    real = await FILLED[service](client, engine)
    loop = asyncio.get_running_loop()

    def ask(request: dict[str, Any]) -> httpx2.Response:
        return asyncio.run_coroutine_threadsafe(client.request(**request), loop).result(60)

    await asyncio.to_thread(check_all, service, ask, real)


def check_all(
    service: str, ask: Callable[[dict[str, Any]], httpx2.Response], real: Mapping[str, str]
) -> None:
    """Invent requests for every operation of the committed document, and check what is answered."""
    document = json.loads((contracts.folder(service) / "openapi.json").read_text("utf-8"))
    schema = schemathesis.openapi.from_dict(document)
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found.err()
        check(found.ok(), ask, real)


def check(operation: Any, ask: Callable[[dict[str, Any]], httpx2.Response], real: Mapping[str, str]) -> None:
    """One operation, with right and wrong requests, half of them about things that exist."""
    real = dividing.for_path(operation.path, real)
    modes = [operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode]

    @settings(
        max_examples=int(GIVEN or 10),
        derandomize=GIVEN is None,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(case=st.one_of(modes), about_real=st.booleans())
    def answers_as_promised(case: schemathesis.Case[Any], *, about_real: bool) -> None:
        if about_real:
            for name in case.path_parameters:
                case.path_parameters[name] = real[name]
            for name in set(case.query) & set(real):
                case.query[name] = real[name]
        case.validate_response(ask(request_of(case)), checks=CHECKS)

    try:
        answers_as_promised()
    except BaseException as error:
        error.add_note(f"while asking {operation.label}")
        raise


def request_of(case: schemathesis.Case[Any]) -> dict[str, Any]:
    """The case as our client sends it: signed in, because a made-up token would only be answered 401."""
    sent = requests.Request(**case.as_transport_kwargs(base_url="http://service.test")).prepare()
    headers = {
        name.encode(): str(value).encode()
        for name, value in sent.headers.items()
        if name.lower() != "authorization"
    }
    return {"method": str(sent.method), "url": str(sent.url), "headers": headers, "content": sent.body}


async def fill_households(client: httpx2.AsyncClient, engine: Engine) -> dict[str, str]:
    """A village, a household with a member and facts, an open review, an import, and a simulation that is done."""

    async def send(method: str, path: str, **given: Any) -> Any:
        answer = await client.request(method, path, **given)
        assert answer.is_success, answer.text
        return answer.json()

    await send("PUT", f"/v1/communes/{COMMUNE}/villages", json={"villages": [{"name": "Làng Một"}]})
    household = {"commune": COMMUNE, "village": VILLAGE, "head_name": "Đinh Một", "members": 4}
    household_id = (await send("POST", "/v1/households", json=household))["id"]
    review = {"commune": COMMUNE, "year": 2023, "kind": "ANNUAL", "stage": "OFFICIAL"}
    decided = {"standard": "STD_2022_2025", "decided_on": "2023-12-10"}
    review_id = (await send("POST", "/v1/reviews", json=review | decided))["id"]
    result = {"household_id": household_id, "members": 4, "b1_points": 120, "b2_points": 40}
    decision_id = (await send("POST", f"/v1/reviews/{review_id}/results", json=result))["decision_id"]
    member_id = (await send("POST", f"/v1/households/{household_id}/members", json=PERSON))["member"]["id"]
    born = {"members": 5, "reason": "BIRTH", "on": "2024-01-05"}
    await send("POST", f"/v1/households/{household_id}/sizes", json=born)
    history = await send("GET", f"/v1/households/{household_id}/decisions")
    population = {"households": 1032, "persons": 4521, "as_of": "2023-12-31", "source": "12/BC-UBND"}
    recorded = await send("POST", f"/v1/areas/{COMMUNE}/population", json=population)
    ranged = {"least": 1030, "most": 1040, "as_of": "2023-12-30", "source": "12/BC-UBND"}
    total = await send("POST", f"/v1/areas/{COMMUNE}/household-totals", json=ranged)
    filled = {"household_id": household_id, "filled_on": "2024-01-12", "b1_points": 120, "b2": forms.B2}
    form_id = (await send("POST", f"/v1/reviews/{review_id}/forms-b", json=filled))["id"]
    content = "Thôn,Họ và tên chủ hộ,Mã hộ,Số nhân khẩu,Điểm B1,Điểm B2\nLàng Một,Đinh Hai,H2,3,120,40\n"
    given = await send(
        "POST",
        f"/v1/reviews/{review_id}/imports",
        content=content.encode(),
        headers={"Content-Type": "text/csv"},
    )
    things = {"household_id": household_id, "review_id": review_id, "import_id": given["import_id"]}
    things |= {"decision_id": decision_id, "population_id": recorded["population_id"]}
    things["total_id"] = total["total_id"]
    loaded = await send("POST", "/v1/score-tables", json=forms.table())
    things |= {"form_id": form_id, "table_id": loaded["id"], "standard": "STD_2022_2025"}
    things |= {"member_id": member_id, "change_id": history["changes"][-1]["change_id"]}
    things["notice_id"] = await hang(send, review | decided, household)
    things |= {"code": "POOR", "template": "members", "purpose": "POLICY"}
    tried = {"title": "Thử", "area": COMMUNE, "rules": {"standard": "STD_2022_2025", "b2_threshold": 60}}
    simulation = uuid.UUID((await send("POST", "/v1/simulations", json=tried))["id"])
    async with engine("households").begin() as conn:
        await store.simulations.start(conn, simulation)
        # The decisions are totals: nothing sealed is opened. Where the service has a worker, that may be first.
        await actions.simulations.run(conn, Vault(bytes(32)), simulation)
    for _ in range(100):
        if (await send("GET", f"/v1/simulations/{simulation}"))["state"] == "DONE":
            break
        await asyncio.sleep(0.1)
    else:
        raise AssertionError("the simulation is not done")
    things |= {"simulation_id": str(simulation), "with": str(simulation)}
    things |= await recognise(send, engine("households"), review | decided, household)
    things |= await divide(send, engine("households"))
    things |= await erase(send, household_id)
    return things | {"commune": COMMUNE, "area": COMMUNE, "village": VILLAGE}


async def hang(send: Callable[..., Awaitable[Any]], review: dict[str, Any], household: dict[str, Any]) -> str:
    """The notice of a household's result in a regular review, which still hangs."""
    regular = {"year": 2024, "kind": "REGULAR", "decided_on": "2024-01-24"}
    opened = (await send("POST", "/v1/reviews", json=review | regular))["id"]
    listed = (await send("POST", "/v1/households", json={**household, "head_name": "Đinh Tám"}))["id"]
    path = f"/v1/reviews/{opened}/villages"
    for act in up_to_posting(VILLAGE, listed):
        await send("POST", path + (f"/{VILLAGE}/entries" if "action" in act else ""), json=act)
    [notice] = (await send("GET", f"{path}/{VILLAGE}/notices"))["items"]
    return str(notice["id"])


async def recognise(
    send: Callable[..., Awaitable[Any]],
    engine: AsyncEngine,
    review: dict[str, Any],
    household: dict[str, Any],
) -> dict[str, str]:
    """Somebody is recognised by income, with a year's holidays loaded."""
    opened = {"year": 2024, "kind": "AVERAGE_LIVING", "decided_on": "2024-01-23"}
    by_income = (await send("POST", "/v1/reviews", json=review | opened))["id"]
    neither = {**household, "head_name": "Đinh Ba"}
    qualified = (await send("POST", "/v1/households", json=neither))["id"]
    for act in up_to_recognition(VILLAGE, qualified):
        path = f"/v1/reviews/{by_income}/villages" + (f"/{VILLAGE}/entries" if "action" in act else "")
        await send("POST", path, json=act)
    day = {"from": "2027-01-01", "to": "2027-01-01", "vi": "Tết Dương lịch", "en": "New Year"}
    document = {"number": "1/TB-BNV", "dated": "2024-01-20", "issuer": "Bộ Nội vụ"}
    year = {"year": 2027, "document": document, "days_off": [day]}
    load_id = (await send("POST", "/v1/holidays", json=year))["id"]
    async with engine.connect() as conn:
        found = await conn.scalar(sa.text("select id from recognitions"))
    return {"load_id": load_id, "recognition_id": str(found)}


async def erase(send: Callable[..., Awaitable[Any]], household_id: str) -> dict[str, str]:
    """A household asks to be erased; a period to keep data for is loaded."""
    wanted = {"cause": "SUBJECT_REQUEST", "subject": "HOUSEHOLD", "household_id": household_id}
    paper = {"received_on": "2024-01-15", "paper_number": "02/ĐYC", "paper_dated": "2024-01-15"}
    request_id = (await send("POST", "/v1/erasure-requests", json=wanted | paper))["id"]
    rule = {"number": "15/QĐ-MẪU", "dated": "2022-12-19", "issuer": "Cơ quan ban hành"}
    period = {"subject": "HOUSEHOLD", "months": 12, "valid_from": "2015-01-01", "document": rule}
    period_id = (await send("POST", "/v1/retention-periods", json=period))["id"]
    return {"request_id": request_id, "period_id": period_id}


async def divide(send: Callable[..., Awaitable[Any]], engine: AsyncEngine) -> dict[str, str]:
    """A commune whose type a document states, and one that is divided, with a household that waits."""
    stated = await send("POST", "/v1/communes/23830/area-types", json=dividing.AREA_TYPE)
    with dividing.afterwards():
        await send("PUT", f"/v1/communes/{dividing.DIVIDED}/villages", json=dividing.VILLAGES)
        await send("POST", "/v1/arrivals", json=dividing.household())
        divided = await send("POST", "/v1/reorganisations", json=dividing.division())
        await dividing.follow(engine)
    return {"area_type_id": stated["id"], "reorganisation_id": divided["id"]}


async def fill_training(client: httpx2.AsyncClient, engine: Engine) -> dict[str, str]:
    """What the register told of units, and a class that was held."""
    planned = await client.post(
        "/v1/classes",
        json={
            "component": "DA7.1",
            "form": "CLASS",
            "title": "Lớp tập huấn",
            "organiser": {"name": "UBND huyện", "level": "DISTRICT", "area": "630"},
            "topics": [{"number": "90/QĐ-TTg"}],
            "planned_from": "2023-10-12",
        },
    )
    class_id = planned.json()["id"]
    held = {"held_on": "2023-10-12", "participants": 200, "count_qualifier": "GREATER"}
    completed = await client.post(f"/v1/classes/{class_id}/completion", json=held)
    assert completed.is_success, completed.text
    return await tell(client, engine, "training") | {"class_id": class_id, "area": "630"}


async def fill_funding(client: httpx2.AsyncClient, engine: Engine) -> dict[str, str]:
    """What the register told, and an allocation."""
    share = {"capital_type": "RECURRENT", "amount_dong": 1_000_000}
    given = {
        "area": "630",
        "year": 2023,
        "decision_number": "01/QĐ-UBND",
        "decided_on": "2023-01-10",
        "total_dong": share["amount_dong"],
        "by_capital_type": [share],
        "lines": [{**share, "project": "DA2", "source": "CENTRAL_BUDGET"}],
    }
    allocated = await client.post("/v1/allocations", json=given)
    assert allocated.is_success, allocated.text
    told = await tell(client, engine, "funding")
    return told | {"allocation_id": allocated.json()["id"], "code": "POOR"}


async def fill_reporting(client: httpx2.AsyncClient, engine: Engine) -> dict[str, str]:
    """What the three other services told."""
    return await tell(client, engine, "reporting")


async def tell(client: httpx2.AsyncClient, engine: Engine, service: str) -> dict[str, str]:
    """What the service's projectors make of every committed event; one letter is dead, one rebuild asked for."""
    classified = examples.newest()["households.household.classified.v1"]
    for projector in importlib.import_module(f"{service}.consumers").PROJECTORS:
        async with engine(service).begin() as conn:
            await examples.tell(conn, projector, examples.heard(projector))
            if projector.stream == "HOUSEHOLDS":
                await bury(conn, projector, "2024-01-24T00:00:00Z", [(classified.stored(), "planted")])
    letters = (await client.get("/v1/dead-letters")).json()["items"]
    rebuild = await client.post("/v1/rebuilds", json={"stream": "HOUSEHOLDS", "reason": "kiểm tra"})
    assert rebuild.is_success, rebuild.text
    things = {"letter_id": str(letters[0]["id"]), "rebuild_id": str(rebuild.json()["id"]), "year": "2023"}
    data = classified.body["data"]
    return things | {"household_id": data["household_id"], "area": data["commune"]}


FILLED = {
    "households": fill_households,
    "funding": fill_funding,
    "training": fill_training,
    "reporting": fill_reporting,
}
