"""Every refusal is a named problem that says what to do, in the reader's language, and shows nothing else."""

import json
from typing import Any

import httpx2
import pytest

from benvung.edge import language
from benvung.testing.tokens import Tokens

THING = {"commune": "23827", "label": "a", "number": 1, "since": "2024-01-24"}


@pytest.fixture
def writer(tokens: Tokens) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.token(['things.read', 'things.write'])}"}


def problem(answer: httpx2.Response, status: int, rule: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["rule"] == rule
    assert body["type"] == f"https://benvung.vn/rules/{rule}"
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


async def test_a_named_rule_is_answered_with_its_law(client: httpx2.AsyncClient) -> None:
    body = problem(await client.get("/v1/refusals/named"), 409, "too-many-things")

    assert body["title"] == "Quá nhiều"
    assert body["legal"] == "Điều 3 Nghị định thử"
    assert body["instance"] == "/v1/refusals/named"


async def test_a_domains_own_refusal_keeps_its_rule_field_and_law(client: httpx2.AsyncClient) -> None:
    body = problem(await client.get("/v1/refusals/domain"), 422, "too-far")

    assert body["detail"] == "Quá xa"
    assert body["legal"] == "Điều 1"
    assert body["errors"] == [{"field": "distance", "rule": "too-far", "message": "Quá xa"}]


async def test_english_is_given_to_who_asks_for_it(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/refusals/domain", headers={"Accept-Language": "en-GB,vi;q=0.5"})

    assert answer.headers["content-language"] == "en"
    assert problem(answer, 422, "too-far")["detail"] == "Too far"


async def test_a_defect_shows_nothing_of_the_inside(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/refusals/defect")

    problem(answer, 500, "internal-failure")
    assert "012345678901" not in answer.text
    assert "RuntimeError" not in answer.text


async def test_unknown_addresses_and_methods_are_problems_too(client: httpx2.AsyncClient) -> None:
    problem(await client.get("/v1/nowhere"), 404, "not-found")
    wrong = await client.delete("/v1/things")
    problem(wrong, 405, "method-not-allowed")
    assert wrong.headers["allow"] == "GET, POST"


async def test_each_wrong_field_is_named_with_what_to_do(
    client: httpx2.AsyncClient, writer: dict[str, str]
) -> None:
    wrong = {"commune": 5, "label": "a", "number": -1, "since": "hôm qua"}
    body = problem(await client.post("/v1/things", json=wrong, headers=writer), 422, "input-invalid")

    assert {(error["field"], error["rule"]) for error in body["errors"]} == {
        ("body.commune", "string-type"),
        ("body.number", "greater-than-equal"),
        ("body.since", "date-from-datetime-parsing"),
    }
    messages = {error["field"]: error["message"] for error in body["errors"]}
    assert messages["body.number"] == "Giá trị phải từ 0 trở lên."


async def test_a_wrong_value_is_not_repeated_in_the_answer(
    client: httpx2.AsyncClient, writer: dict[str, str]
) -> None:
    wrong = THING | {"number": "Nguyễn Văn A 012345678901"}

    assert "Nguyễn" not in (await client.post("/v1/things", json=wrong, headers=writer)).text


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b'{"commune": ', 422),
        (b'{"label": "\xff"}', 400),
        (b"[" * 100_000, 400),
        (b'{"number": ' + b"9" * 5000 + b"}", 400),
        (b"null", 422),
        (b"", 422),
    ],
)
async def test_a_body_that_is_no_json_is_refused(
    client: httpx2.AsyncClient, writer: dict[str, str], content: bytes, status: int
) -> None:
    headers = writer | {"Content-Type": "application/json"}
    answer = await client.post("/v1/things", content=content, headers=headers)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "change",
    [{"label": "a\0b"}, {"label": "\ud800"}, {"number": 2**31}, {"number": 10**30}],
    ids=["nul", "lone surrogate", "over four bytes", "over every integer"],
)
async def test_what_no_record_can_hold_is_the_askers_mistake(
    client: httpx2.AsyncClient, writer: dict[str, str], change: dict[str, Any]
) -> None:
    content = json.dumps(THING | change).encode()
    answer = await client.post(
        "/v1/things", content=content, headers=writer | {"Content-Type": "application/json"}
    )

    problem(answer, 422, "value-not-storable")


@pytest.mark.parametrize(
    "address", ["/v1/refusals/%00", "/v1/things?after=%00", "/v1/%ff%fe", "/v1/things?x=%ff"]
)
async def test_strange_bytes_in_an_address_are_refused(client: httpx2.AsyncClient, address: str) -> None:
    answer = await client.get(address)

    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


async def test_openapi_says_what_may_be_refused(client: httpx2.AsyncClient) -> None:
    schema = (await client.get("/openapi.json")).json()

    assert schema["openapi"].startswith("3.1")
    answers = schema["paths"]["/v1/things"]["post"]["responses"]
    assert {"201", "401", "403", "409", "422", "default"} <= answers.keys()
    assert "too-many-things" in answers["409"]["description"]
    assert set(answers["422"]["content"]) == {"application/problem+json"}
    assert "HTTPValidationError" not in schema["components"]["schemas"]
    assert schema["paths"]["/v1/things"]["get"]["security"] == [{"bearer": []}]


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", "vi"),
        ("en", "en"),
        ("fr, en;q=0.2", "en"),
        ("vi, en", "vi"),
        ("en;q=0.3, vi;q=0.7", "vi"),
        ("en;q=0", "vi"),
        ("en;q=x", "vi"),
        ("*", "vi"),
    ],
)
def test_vietnamese_is_the_default_language(accept: str, chosen: str) -> None:
    assert language(accept) == chosen
