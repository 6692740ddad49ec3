"""Whatever is sent, the service answers as its OpenAPI document says, and never with a failure."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from tests.households import dividing
from tests.households.officer import Commune, SignIn, row
from tests.households.people import enter, person
from tests.households.reviewing import up_to_posting, up_to_recognition
from tests.households.trying_out import simulate

from benvung import areas
from benvung.web import create_app
from households.main import build
from households.settings import Settings

DOCUMENT = create_app(build(Settings(database_url="postgresql://")), worker=False).openapi()
OPERATIONS = {
    found.ok().label: found.ok()
    for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()
    if isinstance(found, Ok) and "/health/" not in found.ok().label
}
OF_SEVERAL = re.compile("/v1/(reorganisations|waiting-areas|area-types)")


@pytest_asyncio.fixture
async def real(commune: Commune, signed_in: SignIn) -> AsyncIterator[dict[str, str]]:
    """Ids that exist, by the name of the parameter that takes them."""
    review = await commune.open_review()
    done = await commune.import_rows(review, row(1, "Đinh Một"))
    [household] = await commune.households()
    born = {"members": 5, "reason": "BIRTH", "on": "2023-06-01"}
    await commune.ask("POST", f"/v1/households/{household['id']}/sizes", 201, json=born)
    history = await commune.ask("GET", f"/v1/households/{household['id']}/decisions")
    entered = await enter(commune, household["id"], **person())
    tried = await simulate(commune, {})
    people = {"households": 1, "persons": 4, "as_of": "2023-12-31", "source": "12/BC-UBND"}
    recorded = await commune.ask("POST", "/v1/areas/23827/population", 201, json=people)
    ranged = {"least": 1, "most": 2, "as_of": "2023-12-30", "source": "12/BC-UBND"}
    total = await commune.ask("POST", "/v1/areas/23827/household-totals", 201, json=ranged)
    day = {"from": "2027-01-01", "to": "2027-01-01", "vi": "Tết Dương lịch", "en": "New Year"}
    document = {"number": "1/TB-BNV", "dated": "2023-11-20", "issuer": "Bộ Nội vụ"}
    year = {"year": 2027, "document": document, "days_off": [day]}
    country = Commune(commune.app, signed_in("VN"), commune.folder)
    by_income = {"kind": "AVERAGE_LIVING", "decided_on": "2024-01-23"}
    opened = await commune.open_review(2024, **by_income)
    village = f"{commune.code}.01"
    other = await commune.register(code="H9")
    for act in up_to_recognition(village, other):
        path = f"/v1/reviews/{opened}/villages" + (f"/{village}/entries" if "action" in act else "")
        await commune.ask("POST", path, 201, json=act)
    [found] = (await commune.ask("GET", "/v1/recognitions"))["items"]
    regular = await commune.open_review(2024, kind="REGULAR", decided_on="2024-01-24")
    for act in up_to_posting(village, await commune.register(code="H8")):
        path = f"/v1/reviews/{regular}/villages" + (f"/{village}/entries" if "action" in act else "")
        await commune.ask("POST", path, 201, json=act)
    [notice] = (await commune.ask("GET", f"/v1/reviews/{regular}/villages/{village}/notices"))["items"]
    stated = await country.ask("POST", "/v1/communes/23830/area-types", 201, json=dividing.AREA_TYPE)
    with dividing.afterwards():
        divided = Commune(commune.app, country.client, commune.folder, dividing.DIVIDED)
        await divided.list_villages("Làng Kông")
        await divided.ask("POST", "/v1/arrivals", 201, json=dividing.household())
        reorganised = await country.ask("POST", "/v1/reorganisations", 201, json=dividing.division())
        await dividing.follow(commune.app.state.engine)
    yield {
        "area_type_id": stated["id"],
        "reorganisation_id": reorganised["id"],
        "notice_id": notice["id"],
        "code": "POOR",
        "template": "members",
        "recognition_id": found["id"],
        "load_id": (await country.ask("POST", "/v1/holidays", 201, json=year))["id"],
        "village": village,
        "change_id": history["changes"][0]["change_id"],
        "simulation_id": tried["id"],
        "decision_id": history["decisions"][0]["decision_id"],
        "population_id": recorded["population_id"],
        "total_id": total["total_id"],
        "review_id": await commune.open_review(2023),
        "household_id": household["id"],
        "member_id": entered["member"]["id"],
        "import_id": done["import_id"],
        "commune": "23827",
        "area": "23827",
    }
    areas.learn(())


@pytest.mark.parametrize("label", OPERATIONS)
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
    ],
)
@given(data=st.data())
async def test_no_request_of_any_shape_is_a_failure(
    label: str, commune: Commune, signed_in: SignIn, real: dict[str, str], data: st.DataObject
) -> None:
    mode = data.draw(st.sampled_from(list(schemathesis.GenerationMode)))
    case = data.draw(OPERATIONS[label].as_strategy(generation_mode=mode))
    if data.draw(st.booleans()):
        for name in case.path_parameters:
            case.path_parameters[name] = dividing.for_path(case.path, real)[name]
    sent = requests.Request(**case.as_transport_kwargs(base_url="http://households.test")).prepare()
    body: Any = sent.body
    # The client is signed in; a made-up token would only ever be answered 401.
    headers = {
        name.encode(): str(value).encode()
        for name, value in sent.headers.items()
        if name.lower() != "authorization"
    }
    # What concerns several communes is for somebody responsible for all of them.
    client = signed_in("VN") if OF_SEVERAL.search(label) else commune.client
    answer = await client.request(str(sent.method), str(sent.url), headers=headers, content=body)

    documented = OPERATIONS[label].definition.raw["responses"]
    assert answer.status_code < 500 or answer.status_code == 503, answer.text
    if answer.status_code < 300 or answer.status_code == 304:
        assert str(answer.status_code) in documented, (answer.status_code, answer.text)
    else:
        kind = answer.headers["content-type"]
        assert kind.startswith("application/problem+json"), (answer.status_code, answer.text)
