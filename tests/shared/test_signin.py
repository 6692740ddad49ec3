"""Signing in with a browser, and the provider that the embedded run brings for it."""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from benvung import auth, sessions
from benvung.issuer import Issuer
from benvung.signin import local
from benvung_local import officers
from benvung_local.issuer import OFFICER_GRANT, create_issuer
from benvung_local.officers import OFFICERS, Officer

THING = {"commune": "23827", "label": "a", "number": 1, "since": "2024-01-24"}

ISSUER = "http://issuer.test"


@pytest.fixture
async def provider(kit_app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """The embedded run's provider, known to the small service; a browser's client of it."""
    transport = httpx2.ASGITransport(create_issuer(ISSUER, ["http://kit.test"]))
    kit_app.state.issuer = Issuer(kit_app.state.settings, transport)
    async with httpx2.AsyncClient(transport=transport, base_url=ISSUER) as made:
        yield made


def query(answer: httpx2.Response) -> dict[str, str]:
    """What a redirection carries to where it leads."""
    found = parse_qs(urlsplit(answer.headers["location"]).query)
    return {key: values[0] for key, values in found.items()}


async def sign_in(
    client: httpx2.AsyncClient, provider: httpx2.AsyncClient, officer_id: str, then: str = "/things"
) -> httpx2.Response:
    """What a browser does, from the page that wanted a sign-in to the way back to it."""
    leaving = await client.get("/sign-in", params={"next": then})
    assert leaving.status_code == 303
    asked = query(leaving)
    page = await provider.get(leaving.headers["location"])
    assert page.status_code == 200
    chosen = await provider.post("/authorize", data={**asked, "officer": officer_id})
    assert chosen.status_code == 303
    return await client.get(chosen.headers["location"])


@pytest.fixture
async def officer_with_things(monkeypatch: pytest.MonkeyPatch) -> str:
    someone = Officer("thu", "Cán bộ thử", "Thử", ("things.read", "things.write"), ("630",))
    monkeypatch.setitem(officers.BY_ID, someone.id, someone)
    return someone.id


async def test_a_page_sends_who_is_not_signed_in_to_the_provider_and_back(
    client: httpx2.AsyncClient, provider: httpx2.AsyncClient, officer_with_things: str
) -> None:
    html = {"Accept": "text/html"}
    away = await client.get("/things?x=1", headers=html)
    assert (away.status_code, away.headers["location"]) == (303, "/sign-in?next=%2Fthings%3Fx%3D1")

    back = await sign_in(client, provider, officer_with_things, "/things?x=1")
    assert (back.status_code, back.headers["location"]) == (303, "/things?x=1")
    cookie = back.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie

    page = await client.get("/things", headers=html)
    assert "Cán bộ thử" in page.text


async def test_a_page_that_is_refused_says_so_in_words(
    client: httpx2.AsyncClient, provider: httpx2.AsyncClient
) -> None:
    await sign_in(client, provider, "xa-chu-krey")
    page = await client.get("/things", headers={"Accept": "text/html"})

    assert page.status_code == 403
    assert page.headers["content-type"].startswith("text/html")
    assert "Không có quyền thực hiện" in page.text
    assert "Đinh Văn Klơi" in page.text
    assert 'action="/sign-out"' in page.text


async def test_a_session_and_a_token_may_read_the_same(
    client: httpx2.AsyncClient, provider: httpx2.AsyncClient, officer_with_things: str
) -> None:
    assert (await client.get("/v1/things")).status_code == 401
    await sign_in(client, provider, officer_with_things)

    assert (await client.get("/v1/things")).status_code == 200


async def test_a_session_changes_something_only_with_its_own_csrf_token(
    client: httpx2.AsyncClient, provider: httpx2.AsyncClient, officer_with_things: str
) -> None:
    await sign_in(client, provider, officer_with_things)
    csrf = (await client.get("/things")).text.partition("</title>")[2]

    for given in (b"", b"x", "é".encode()):
        headers = {b"X-CSRF-Token": given}
        answer = await client.post("/v1/things", json=THING, headers=headers)
        assert (answer.status_code, answer.json()["rule"]) == (403, "csrf-token-missing")
    answer = await client.post("/v1/things", json=THING, headers={"X-CSRF-Token": csrf})
    assert answer.status_code == 201


async def test_a_form_with_a_file_carries_the_token_among_its_parts_and_is_bounded_as_it_arrives(
    client: httpx2.AsyncClient, provider: httpx2.AsyncClient, officer_with_things: str, kit_app: FastAPI
) -> None:
    await sign_in(client, provider, officer_with_things)
    csrf = (await client.get("/things")).text.partition("</title>")[2]
    kit_app.state.settings = kit_app.state.settings.model_copy(update={"max_upload_mb": 2})

    async def send(size: int, **fields: str) -> httpx2.Response:
        files = {"file": ("a.csv", b"x" * size, "text/csv")}
        return await client.post("/attachments", data=fields, files=files)

    taken = await send(1_500_000, csrf=csrf, label="một")
    kept = kit_app.state.attached
    strange = [await send(10), await send(10, csrf="x"), await send(10, csrf="é")]
    large = await send(2_200_000, csrf=csrf)
    kind = {"Content-Type": "multipart/form-data; boundary=here"}
    broken = await client.post("/attachments", content=b"--there", headers=kind)
    empty = await client.post("/attachments", data={"csrf": csrf}, files={"file": ("", b"", "text/csv")})

    assert taken.json() == {"by": "Cán bộ thử", "label": "một", "size": 1_500_000}
    assert kept.file.closed, "what was spooled to disk is let go of with the request"
    assert [(each.status_code, each.json()["rule"]) for each in strange] == [(403, "csrf-token-missing")] * 3
    assert (large.status_code, large.json()["rule"]) == (413, "upload-too-large")
    assert (broken.status_code, broken.json()["rule"]) == (422, "file-missing")
    assert [each["field"] for each in empty.json()["errors"]] == ["file"]


async def test_signing_out_ends_the_session_here_and_at_the_provider(
    client: httpx2.AsyncClient, provider: httpx2.AsyncClient, officer_with_things: str
) -> None:
    await sign_in(client, provider, officer_with_things)
    csrf = (await client.get("/things")).text.partition("</title>")[2]
    cookie = client.cookies["kit_session"]

    assert (await client.post("/sign-out", data={"csrf": "x"})).status_code == 403
    left = await client.post("/sign-out", data={"csrf": csrf})
    assert left.headers["location"].startswith(f"{ISSUER}/end-session?")
    assert (await provider.get(left.headers["location"])).headers["location"] == "http://kit.test/"
    client.cookies.set("kit_session", cookie)
    assert (await client.get("/v1/things")).status_code == 401


async def test_who_signed_in_once_is_known_to_the_other_services(
    client: httpx2.AsyncClient, provider: httpx2.AsyncClient, officer_with_things: str
) -> None:
    await sign_in(client, provider, officer_with_things)
    again = await client.get("/sign-in")

    straight_back = await provider.get(again.headers["location"])
    assert straight_back.headers["location"].startswith("http://kit.test/sign-in/done?code=")


@pytest.mark.parametrize("change", ["state", "code", "cookie"])
async def test_an_answer_that_this_browser_did_not_ask_for_is_refused(
    client: httpx2.AsyncClient, provider: httpx2.AsyncClient, officer_with_things: str, change: str
) -> None:
    leaving = await client.get("/sign-in")
    asked = query(leaving)
    chosen = await provider.post("/authorize", data={**asked, "officer": officer_with_things})
    answer = query(chosen)
    if change == "cookie":
        client.cookies.clear()
    else:
        answer[change] = "x"

    done = await client.get("/sign-in/done", params=answer)
    assert done.status_code in {400, 401}
    assert (await client.get("/v1/things")).status_code == 401


async def test_a_code_works_once(
    client: httpx2.AsyncClient, provider: httpx2.AsyncClient, officer_with_things: str
) -> None:
    leaving = await client.get("/sign-in")
    asked = query(leaving)
    chosen = await provider.post("/authorize", data={**asked, "officer": officer_with_things})
    await client.get(chosen.headers["location"])

    assert (await client.get(chosen.headers["location"])).status_code == 400


async def test_an_expired_session_is_nobodys_and_is_removed(
    kit_app: FastAPI, client: httpx2.AsyncClient
) -> None:
    claims = {"sub": "o", "name": "", "permissions": ["things.read"], "areas": ["VN"]}
    async with kit_app.state.engine.begin() as conn:
        over = await sessions.open_session(conn, claims, dt.timedelta(seconds=-1))
    client.cookies.set("kit_session", over)
    assert (await client.get("/v1/things")).status_code == 401

    async with kit_app.state.engine.begin() as conn:
        fresh = await sessions.open_session(conn, claims, dt.timedelta(hours=1))
        left = (
            await conn.execute(sa.text("select count(*) from sessions where expires_at < now()"))
        ).scalar_one()
    client.cookies.set("kit_session", fresh)
    assert left == 0
    assert (await client.get("/v1/things")).status_code == 200


@pytest.mark.parametrize(
    "address", ["//evil.test", "https://evil.test", "/\\evil.test", "javascript:alert(1)", "", "/a\nb", "x"]
)
def test_nobody_is_sent_to_another_host(address: str) -> None:
    assert local(address) == "/"
    assert local("/things?x=1#y") == "/things?x=1#y"


# The provider of the embedded run.


async def test_a_script_gets_an_officers_token_by_name(
    provider: httpx2.AsyncClient, kit_app: FastAPI
) -> None:
    for someone in OFFICERS:
        form = {"grant_type": OFFICER_GRANT, "officer": someone.id}
        token = (await provider.post("/token", data=form)).json()["access_token"]
        person = auth.principal_of(await kit_app.state.issuer.verify(token, "benvung"))
        assert (person.subject, person.name) == (someone.id, someone.name)
        assert person.permissions == set(someone.permissions)


def test_who_fills_in_form_b_reads_what_it_says_of_health_and_who_only_looks_on_does_not() -> None:
    seeing = {each.id for each in OFFICERS if "indicators.read" in each.permissions}
    recording = {each.id for each in OFFICERS if "reviews.record" in each.permissions}
    looking = {each.id for each in OFFICERS if "households.read" in each.permissions} - seeing

    assert recording == {"huyen-kong-chro", "xa-chu-krey", "xa-an-trung"}
    assert recording < seeing
    assert looking == {"mat-tran-chu-krey"}


async def test_every_officer_stands_on_the_page_in_vietnamese(
    client: httpx2.AsyncClient, provider: httpx2.AsyncClient
) -> None:
    leaving = await client.get("/sign-in")
    page = await provider.get(leaving.headers["location"])

    assert '<html lang="vi">' in page.text
    assert all(someone.name in page.text and someone.duty in page.text for someone in OFFICERS)
    assert "script" not in page.text


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": "http://evil.test/sign-in/done"},
        {"redirect_uri": "http://kit.test/elsewhere"},
        {"client_id": "other"},
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
        {"response_type": "token"},
    ],
    ids=str,
)
async def test_codes_are_given_only_to_known_services(
    client: httpx2.AsyncClient, provider: httpx2.AsyncClient, change: dict[str, Any]
) -> None:
    leaving = await client.get("/sign-in")
    asked = query(leaving)

    assert (await provider.get("/authorize", params=asked | change)).status_code == 400
    answer = await provider.post("/authorize", data=asked | change | {"officer": "xa-chu-krey"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"grant_type": "password"},
        {"grant_type": "authorization_code", "code": "x"},
        {"grant_type": OFFICER_GRANT, "officer": "nobody"},
    ],
    ids=str,
)
async def test_the_provider_refuses_other_grants(provider: httpx2.AsyncClient, form: dict[str, Any]) -> None:
    answer = await provider.post("/token", data=form)

    assert answer.status_code == 400
    assert answer.json()["error"] in {"unsupported_grant_type", "invalid_grant"}


async def test_a_code_without_its_verifier_gives_nothing(
    client: httpx2.AsyncClient, provider: httpx2.AsyncClient
) -> None:
    leaving = await client.get("/sign-in")
    asked = query(leaving)
    chosen = await provider.post("/authorize", data={**asked, "officer": "xa-chu-krey"})
    code = query(chosen)["code"]
    stolen = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": "benvung",
        "redirect_uri": asked["redirect_uri"],
        "code_verifier": "x" * 43,
    }

    assert (await provider.post("/token", data=stolen)).status_code == 400
