"""Versions: what is edited is written over only by who read it, and what is known is not sent again."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response
from tests.shared import payments
from tests.shared.conftest import kit_settings, new_database

from benvung import etags
from benvung.issuer import Issuer
from benvung.testing.tokens import Tokens
from benvung.web import create_app

OPAQUE = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='"'), max_size=20)
TAG = st.builds(lambda weak, opaque: f'{weak}"{opaque}"', st.sampled_from(["", "W/"]), OPAQUE)


@pytest.fixture(scope="module")
def payments_database(postgres_server: str) -> Iterator[str]:
    with new_database(postgres_server, payments.META) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def client(payments_database: str, tokens: Tokens) -> AsyncIterator[httpx2.AsyncClient]:
    app: FastAPI = create_app(payments.service(kit_settings(payments_database)), worker=False)
    app.state.issuer = Issuer(app.state.settings, tokens.transport)
    headers = {"Authorization": f"Bearer {tokens.token(['payments.write'])}"}
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app), base_url="http://kit.test", headers=headers
        ) as made,
    ):
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def payment(client: httpx2.AsyncClient) -> httpx2.Response:
    return await client.post("/v1/payments", json={"amount": 1})


async def correct(
    client: httpx2.AsyncClient, payment: httpx2.Response, amount: int, if_match: str | None
) -> httpx2.Response:
    headers = {} if if_match is None else {"If-Match": if_match}
    return await client.put(payment.headers["location"], json={"amount": amount}, headers=headers)


async def test_who_read_the_newest_version_may_write_over_it(
    client: httpx2.AsyncClient, payment: httpx2.Response
) -> None:
    changed = await correct(client, payment, 2, payment.headers["etag"])
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')

    late = await correct(client, payment, 3, payment.headers["etag"])

    assert (late.status_code, late.json()["rule"]) == (412, "changed-since-read")
    assert late.json()["title"] == "Dữ liệu đã thay đổi từ lần đọc trước"
    assert (await client.get(payment.headers["location"])).json()["amount"] == 2


@pytest.mark.parametrize(
    ("if_match", "status"),
    [
        (None, 428),
        ("*", 200),
        ('"1"', 200),
        ('"7", "1"', 200),
        ('"1;vi"', 200),
        ('W/"1"', 412),
        ('"*"', 412),
        ('"1;vi', 422),
        ('"01"', 412),
        ('""', 412),
        ("1", 422),
        ("", 422),
        ('"1" "2"', 422),
        ('"' + "1" * 600 + '"', 422),
    ],
)
async def test_what_if_match_may_say(
    client: httpx2.AsyncClient, payment: httpx2.Response, if_match: str | None, status: int
) -> None:
    answer = await correct(client, payment, 9, if_match)

    assert answer.status_code == status, answer.text
    if status == 428:
        assert answer.json()["rule"] == "if-match-missing"
    amount = (await client.get(payment.headers["location"])).json()["amount"]
    assert amount == (9 if status == 200 else 1)


async def test_of_several_who_read_the_same_version_one_writes(
    client: httpx2.AsyncClient, payment: httpx2.Response
) -> None:
    answers = await asyncio.gather(
        *(correct(client, payment, amount, payment.headers["etag"]) for amount in range(10, 18))
    )

    assert sorted(each.status_code for each in answers) == [200] + [412] * 7
    [won] = [each for each in answers if each.is_success]
    assert (await client.get(payment.headers["location"])).json() == won.json()


@pytest.mark.parametrize("known", ['"1"', 'W/"1"', '"0", "1"', "*"])
async def test_what_is_known_is_not_sent_again(
    client: httpx2.AsyncClient, payment: httpx2.Response, known: str
) -> None:
    answer = await client.get(payment.headers["location"], headers={"If-None-Match": known})

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-request-id"]
    assert "content-type" not in answer.headers
    assert "content-length" not in answer.headers


@pytest.mark.parametrize("known", ['"2"', "1", "", '"1', '"1x"', '"1;vi"'])
async def test_what_is_not_known_is_sent(
    client: httpx2.AsyncClient, payment: httpx2.Response, known: str
) -> None:
    answer = await client.get(payment.headers["location"], headers={"If-None-Match": known})

    assert (answer.status_code, answer.json()["amount"]) == (200, 1)


async def test_a_write_is_never_answered_with_nothing_new(
    client: httpx2.AsyncClient, payment: httpx2.Response
) -> None:
    answer = await client.put(
        payment.headers["location"], json={"amount": 5}, headers={"If-Match": '"1"', "If-None-Match": '"2"'}
    )

    assert (answer.status_code, answer.json()["amount"]) == (200, 5)


async def test_a_change_is_sent_to_who_knows_the_version_before(
    client: httpx2.AsyncClient, payment: httpx2.Response
) -> None:
    await correct(client, payment, 2, "*")
    answer = await client.get(payment.headers["location"], headers={"If-None-Match": '"1"'})

    assert (answer.status_code, answer.json()["amount"]) == (200, 2)


async def test_the_document_says_where_versions_are_looked_at(made_app: Callable[..., FastAPI]) -> None:
    app = create_app(payments.service(made_app().state.settings), worker=False)
    assert app.openapi() == app.openapi()
    paths = app.openapi()["paths"]
    read, written = (paths["/v1/payments/{payment_id}"][method] for method in ("get", "put"))

    assert [each["name"] for each in read["parameters"]] == ["payment_id", "If-None-Match"]
    assert [each["name"] for each in written["parameters"]] == ["payment_id", "If-Match"]
    assert {"304"} == set(read["responses"]) - set(written["responses"])
    assert {"412", "428"} <= set(written["responses"])
    assert "304" not in paths["/v1/payments"]["post"]["responses"]


@given(tags=st.lists(TAG, min_size=1, max_size=5))
def test_a_header_with_several_versions_names_each_of_them(tags: list[str]) -> None:
    header = ", ".join(tags)

    assert all(etags.is_known(header, each.removeprefix("W/")) for each in tags)
    assert not etags.is_known(header, '"' + "x" * 21 + '"')


def test_texts_of_two_languages_are_two_versions_of_one_thing() -> None:
    vietnamese, english = Response(), Response()
    etags.tag(vietnamese, 3, "vi")
    etags.tag(english, 3, "en")

    assert vietnamese.headers["etag"] != english.headers["etag"]
    assert vietnamese.headers["vary"] == "Accept-Language"
    assert not etags.is_known(vietnamese.headers["etag"], english.headers["etag"])


def test_the_same_content_has_the_same_version() -> None:
    given = payments.PaymentGiven(amount=1)

    assert etags.digest(given) == etags.digest(given.model_copy())
    assert etags.digest(given) != etags.digest(given.model_copy(update={"amount": 2}))
    assert etags.digest([("a", "b")]) != etags.digest([("ab", "")])
