"""Who asks is proved by a signature; what they may do and where holds for every way to ask."""

import base64
import datetime as dt
import json
import time
from typing import Any

import httpx2
import jwt
import jwt.api_jws
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from benvung import areas, clock
from benvung.auth import OutsideArea, Principal, Scope
from benvung.issuer import Issuer
from benvung.problems import NotReady, Unauthenticated
from benvung.testing.tokens import KEY_ID, Tokens

THING = {"commune": "23827", "label": "a", "number": 1, "since": "2024-01-24"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


# Tokens.


async def test_a_right_token_says_who_asks(client: httpx2.AsyncClient, tokens: Tokens) -> None:
    assert (await client.get("/v1/things", headers=bearer(tokens.token(["things.read"])))).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1},
        {"aud": "other"},
        {"iss": "http://elsewhere.test"},
        {"sub": ""},
        {"sub": 5},
        {"nbf": 4102444800},
        {"permissions": "things.read"},
        {"permissions": [1]},
        {"areas": {"VN": True}},
        {"name": 7},
    ],
    ids=str,
)
async def test_a_token_with_a_wrong_claim_is_nobodys(
    client: httpx2.AsyncClient, tokens: Tokens, claims: dict[str, Any]
) -> None:
    right = jwt.decode(tokens.token(["things.read"]), options={"verify_signature": False})
    token = jwt.api_jws.encode(
        json.dumps(right | claims).encode(), tokens._key, algorithm="ES256", headers={"kid": KEY_ID}
    )
    answer = await client.get("/v1/things", headers=bearer(token))

    assert (answer.status_code, answer.json()["rule"]) == (401, "sign-in-needed")
    assert answer.headers["www-authenticate"] == "Bearer"


def forged(tokens: Tokens) -> dict[str, str]:
    good = tokens.token(["things.read"])
    claims = jwt.decode(good, options={"verify_signature": False})
    head = {"kid": KEY_ID}
    other = ec.generate_private_key(ec.SECP256R1())
    public = (tokens._keys["keys"][0]["x"] + tokens._keys["keys"][0]["y"]).encode()
    header, _, signature = good.split(".")
    wider = base64.urlsafe_b64encode(json.dumps(claims | {"areas": ["VN"]}).encode()).decode().rstrip("=")
    return {
        "empty": "",
        "no token": "x",
        "unsigned": jwt.encode(claims, "", algorithm="none", headers=head),
        "signed with another key": jwt.encode(claims, other, algorithm="ES256", headers=head),
        "signed with the public key as a secret": jwt.encode(claims, public, algorithm="HS256", headers=head),
        "unknown key": jwt.encode(claims, other, algorithm="ES256", headers={"kid": "other"}),
        "no key named": jwt.encode(claims, other, algorithm="ES256"),
        "claims exchanged": f"{header}.{wider}.{signature}",
        "too long": good + "x" * 20_000,
    }


@pytest.mark.parametrize("kind", forged(Tokens()))
async def test_a_forged_token_is_nobodys(client: httpx2.AsyncClient, tokens: Tokens, kind: str) -> None:
    answer = await client.get("/v1/things", headers=bearer(forged(tokens)[kind]))

    assert answer.status_code == 401


async def test_without_the_permission_nothing_is_done(client: httpx2.AsyncClient, tokens: Tokens) -> None:
    reader = bearer(tokens.token(["things.read"]))
    answer = await client.post("/v1/things", json=THING, headers=reader)

    assert (answer.status_code, answer.json()["rule"]) == (403, "not-permitted")
    assert (await client.get("/v1/things", headers=reader)).json()["items"] == []


async def test_unknown_keys_cause_one_refresh_however_many_tokens_come(
    kit_app: FastAPI, tokens: Tokens
) -> None:
    asked: list[str] = []

    async def counted(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        return await tokens.transport.handle_async_request(request)

    issuer = Issuer(kit_app.state.settings, httpx2.MockTransport(counted))
    bad = forged(tokens)["unknown key"]
    for _ in range(50):
        with pytest.raises(Unauthenticated):
            await issuer.verify(bad, "benvung")
    good = await issuer.verify(tokens.token(), "benvung")
    await issuer.stop()

    assert good["sub"] == "officer"
    assert asked.count("/keys") == 1


async def test_keys_once_known_outlive_the_issuer(kit_app: FastAPI, tokens: Tokens) -> None:
    up = True

    async def sometimes(request: httpx2.Request) -> httpx2.Response:
        return await tokens.transport.handle_async_request(request) if up else httpx2.Response(500)

    issuer = Issuer(kit_app.state.settings, httpx2.MockTransport(sometimes))
    assert not issuer.ready
    await issuer.verify(tokens.token(), "benvung")
    up = False
    assert not await issuer._refresh()
    await issuer.verify(tokens.token(), "benvung")
    assert issuer.ready
    await issuer.stop()


async def test_a_verified_token_is_known_until_its_time_is_over(
    kit_app: FastAPI, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer, token = Issuer(kit_app.state.settings, tokens.transport), tokens.token()
    await issuer.verify(token, "benvung")
    issuer._keys = {KEY_ID: jwt.PyJWK(Tokens()._keys["keys"][0])}
    assert (await issuer.verify(token, "benvung"))["sub"] == "officer"
    with pytest.raises(Unauthenticated):
        await issuer.verify(token, "other")

    later = time.time() + 3601
    monkeypatch.setattr("benvung.issuer.time.time", lambda: later)
    with pytest.raises(Unauthenticated):
        await issuer.verify(token, "benvung")
    await issuer.stop()


async def test_a_verified_token_ends_with_its_key(kit_app: FastAPI, tokens: Tokens) -> None:
    signs = tokens

    async def rotated(request: httpx2.Request) -> httpx2.Response:
        return await signs.transport.handle_async_request(request)

    issuer, token = Issuer(kit_app.state.settings, httpx2.MockTransport(rotated)), tokens.token()
    await issuer.verify(token, "benvung")
    signs = Tokens()
    assert await issuer._refresh()
    with pytest.raises(Unauthenticated):
        await issuer.verify(token, "benvung")
    await issuer.stop()


async def test_another_issuers_discovery_is_not_believed(kit_app: FastAPI, tokens: Tokens) -> None:
    answer = httpx2.Response(200, json={"issuer": "http://evil.test", "jwks_uri": "http://evil.test/keys"})
    issuer = Issuer(kit_app.state.settings, httpx2.MockTransport(lambda _: answer))

    with pytest.raises(NotReady):
        await issuer.verify(tokens.token(), "benvung")
    await issuer.stop()


# Areas.

DAY = dt.date(2024, 1, 24)
KONG_CHRO = [unit.code for unit in areas.communes_under("630", DAY)]


@pytest.fixture(autouse=True)
def day() -> None:
    clock.fix(DAY)


def officer(*places: str) -> Scope:
    return Principal("o", "", frozenset(), places).scope()


def held(scope: Scope) -> set[str]:
    assert scope.communes is not None
    return set(scope.communes)


def test_a_district_holds_its_communes_and_a_commune_itself() -> None:
    assert len(KONG_CHRO) == 14
    assert held(officer("630")) == set(KONG_CHRO)
    assert held(officer("23827")) == {"23827"}
    assert held(officer("23827", "23830")) == {"23827", "23830"}
    assert officer("VN", "23827").communes is None
    assert held(officer()) == set()
    assert held(officer("00000")) == set()


def test_a_commune_outside_is_refused() -> None:
    officer("630").check("23827")
    with pytest.raises(OutsideArea):
        officer("23830").check("23827")


def test_a_figure_under_an_areas_name_needs_the_whole_area() -> None:
    officer("64").check_area("630")
    officer("630").check_area("23827")
    officer("VN").check_area("VN")
    for scope, asked in [("23827", "630"), ("630", "64"), ("64", "VN"), ("630", "00000")]:
        with pytest.raises(OutsideArea):
            officer(scope).check_area(asked)


def test_a_list_of_an_area_shows_what_lies_in_both() -> None:
    assert held(officer("23827").narrow("630")) == {"23827"}
    assert held(officer("64").narrow("630")) == set(KONG_CHRO)
    assert held(officer("VN").narrow("630")) == set(KONG_CHRO)
    assert held(officer("630").narrow("VN")) == set(KONG_CHRO)
    assert held(officer("23827").narrow("23830")) == set()
    assert officer("VN").narrow("VN").communes is None


PLACES = st.lists(st.sampled_from(["VN", "64", "630", *KONG_CHRO, "00001", "nowhere"]), max_size=4)


@given(PLACES, st.sampled_from(["VN", "64", "630", *KONG_CHRO]))
def test_narrowing_never_widens(places: list[str], asked: str) -> None:
    scope = officer(*places)
    narrowed = scope.narrow(asked)

    for commune in [*KONG_CHRO, "00001", "00004"]:
        assert narrowed.covers(commune) == (scope.covers(commune) and officer(asked).covers(commune))


@pytest.mark.parametrize("places", [(), ("VN",), ("630",), ("23827", "00001"), ("64", "nowhere")])
async def test_a_query_shows_exactly_what_the_scope_covers(kit_app: FastAPI, places: tuple[str, ...]) -> None:
    scope = officer(*places)
    known = [unit.code for unit in areas.communes_under("VN", DAY)]
    held = sa.func.unnest(sa.literal(known, sa.ARRAY(sa.Text))).column_valued("commune")
    async with kit_app.state.engine.connect() as conn:
        seen = (await conn.execute(sa.select(held).where(scope.where(held)))).scalars().all()

    assert seen == [commune for commune in known if scope.covers(commune)]


async def test_writing_outside_the_area_is_refused(client: httpx2.AsyncClient, tokens: Tokens) -> None:
    headers = bearer(tokens.token(["things.write"], ["23830"]))
    answer = await client.post("/v1/things", json=THING, headers=headers)

    assert (answer.status_code, answer.json()["rule"]) == (403, "outside-area")
