"""Whatever is sent, the service answers as its OpenAPI document says, and never with a failure."""

from typing import Any

import httpx2
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok

from benvung.web import create_app
from funding.main import build
from funding.settings import Settings

DOCUMENT = create_app(build(Settings(database_url="postgresql://")), worker=False).openapi()
OPERATIONS = {
    found.ok().label: found.ok()
    for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()
    if isinstance(found, Ok)
}


@pytest.fixture
async def client(app: Any) -> httpx2.AsyncClient:
    signed_in: httpx2.AsyncClient = await app("funding")
    return signed_in


@pytest.mark.parametrize("label", OPERATIONS)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
    ],
)
@given(data=st.data())
async def test_no_request_of_any_shape_is_a_failure(
    label: str, client: httpx2.AsyncClient, data: st.DataObject
) -> None:
    mode = data.draw(st.sampled_from(list(schemathesis.GenerationMode)))
    case = data.draw(OPERATIONS[label].as_strategy(generation_mode=mode))
    sent = requests.Request(**case.as_transport_kwargs(base_url="http://funding.test")).prepare()
    url, body = str(sent.url), sent.body
    assert body is None or isinstance(body, str | bytes)
    # The client is signed in; a made-up token would only ever be answered 401.
    headers = {
        name.encode(): str(value).encode()
        for name, value in sent.headers.items()
        if name.lower() != "authorization"
    }
    answer = await client.request(str(sent.method), url, headers=headers, content=body)

    assert answer.status_code < 500 or "/health/" in url, answer.text
    assert answer.status_code in {200, 201, 202, 503} or answer.headers["content-type"].startswith(
        "application/problem+json"
    ), (answer.status_code, answer.text)
