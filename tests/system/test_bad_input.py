"""Bad input: each has its named answer, everything else goes on, and no household is half-written."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from benvung.testing import App, Bearer
from benvung_local.client import XLSX, Officer
from households.domain import get_standard
from households.files import ReviewRow, write_review_csv

from .world import COMMUNE, OTHER, World, eventually

STANDARD = "STD_2022_2025"


@pytest.fixture
def officer(world: World) -> Officer:
    """The commune's officer."""
    return world.officer("xa-chu-krey")


@pytest.fixture(autouse=True)
def nothing_else_changes(world: World) -> Iterator[None]:
    """After every one of these tests the register is as it was, and its streams tell nothing new of it."""
    world.settle()
    before = state(world)
    yield
    world.settle()
    assert state(world) == before


def state(world: World) -> list[Any]:
    """Every household, decision and told household of the system."""
    return [
        world.rows("households", "select md5(string_agg(h::text, '' order by id)) from households h"),
        world.rows("households", "select count(*) from decisions"),
        world.rows("reporting", "select count(*) from household_facts"),
    ]


@pytest.fixture
def review(world: World) -> str:
    """An open review of the commune."""
    return world.open_review(COMMUNE)


def csv_file(folder: Path, *rows: ReviewRow) -> bytes:
    """A file in the official layout."""
    path = folder / "rows.csv"
    write_review_csv(path, rows, get_standard(STANDARD))
    return path.read_bytes()


def row(number: int, **changes: Any) -> ReviewRow:
    """A poor household that nobody has entered."""
    values: dict[str, Any] = {"village": "Làng", "code": f"X{number}", "members": 4, "b1_points": 120}
    return ReviewRow(number=number, head_name=f"Siu {number}", b2_points=40, **{**values, **changes})


def sent(officer: Officer, review: str, content: bytes, kind: str = "text/csv") -> httpx2.Response:
    """The answer to a file."""
    headers = {"Content-Type": kind}
    return officer.ask(
        "POST", "households", f"/v1/reviews/{review}/imports", content=content, headers=headers
    )


@pytest.mark.parametrize(
    ("content", "kind", "rule"),
    [
        (b"PK\x03\x04 this is no sheet", XLSX, "file-unreadable"),
        (b"", XLSX, "file-empty"),
        (b"a,b,c\n1,2,3\n", "text/csv", "header-not-found"),
        ("Thôn,Họ và tên chủ hộ,Mã hộ,Số nhân khẩu\nA,B,C,1\n".encode(), "text/csv", "columns-missing"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_as_a_whole(
    officer: Officer, review: str, content: bytes, kind: str, rule: str
) -> None:
    refused = sent(officer, review, content, kind)

    assert (refused.status_code, refused.json()["rule"]) == (422, rule)


def test_a_thirteenth_indicator_in_a_file_is_refused_by_name(
    officer: Officer, review: str, tmp_path: Path
) -> None:
    content = csv_file(tmp_path, row(1)).decode("utf-8-sig")

    refused = sent(
        officer,
        review,
        content.replace(",Mã hệ thống", ",13. Chỉ số thứ mười ba,Mã hệ thống", 1).encode(),
    )

    assert (refused.status_code, refused.json()["rule"]) == (422, "too-many-indicators")


def test_bad_rows_are_answered_by_their_rules_and_left_out(
    officer: Officer, review: str, tmp_path: Path
) -> None:
    content = csv_file(
        tmp_path,
        row(1, village="Thôn Không Có"),
        row(2, members=-3),
        row(3, household_id="00000000-0000-4000-8000-000000000000"),
    )
    given = sent(officer, review, content).json()

    path = f"/v1/imports/{given['import_id']}"
    done = eventually(lambda: (found := officer.get("households", path))["state"] == "DONE" and found)
    assert (done["total"], done["applied"], done["refused"]) == (3, 0, 3)
    rows = officer.get("households", f"{path}/rows", only="errors")["items"]
    rules = [{each["rule"] for each in answered["answers"]} for answered in rows]
    assert "village-unknown" in rules[0]
    assert "members-not-positive" in rules[1]
    assert len(rules) == 3


def test_a_household_twice_in_one_file_is_left_out_twice(
    world: World, officer: Officer, review: str, tmp_path: Path
) -> None:
    [household, *_] = world.households(COMMUNE, **{"class": "POOR"})
    villages = officer.get("households", f"/v1/communes/{COMMUNE}/villages")["villages"]
    name = next(each["name"] for each in villages if each["code"] == household["village"])
    twice = {"village": name, "household_id": household["id"], "b1_points": 200}

    given = sent(officer, review, csv_file(tmp_path, row(1, **twice), row(2, **twice))).json()

    path = f"/v1/imports/{given['import_id']}"
    done = eventually(lambda: (found := officer.get("households", path))["state"] == "DONE" and found)
    assert (done["applied"], done["refused"]) == (0, 2)


def test_the_same_file_twice_is_answered_with_the_first_import(
    world: World, officer: Officer, tmp_path: Path
) -> None:
    [review, *_] = officer.get("households", "/v1/reviews", area=COMMUNE, year=2023, state="OPEN")["items"]
    [file, *_] = (world.folder / "ANNUAL-2023").glob(f"{COMMUNE}.*")

    refused = sent(officer, review["id"], file.read_bytes(), XLSX)

    assert (refused.status_code, refused.json()["rule"]) == (409, "same-file-twice")
    assert refused.headers["location"].startswith("/v1/imports/")


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"members": -1}, "members-not-positive"),
        ({"b1_points": -5}, "b1-out-of-range"),
        ({"b2_points": 45}, "b2-out-of-range"),
        ({"b2_points": None, "deprivations": None}, "b2-missing"),
        ({"b2_points": None, "deprivations": ["EMPLOYMENT"] * 13}, "too-many-indicators"),
        ({"deprivations": ["MADE_UP"]}, "indicator-unknown"),
        ({"members": "four"}, "input-invalid"),
        ({"surprise": 1}, "input-invalid"),
    ],
)
def test_a_result_that_cannot_be_is_refused_by_name(
    world: World, officer: Officer, review: str, changes: dict[str, Any], rule: str
) -> None:
    [household, *_] = world.households(COMMUNE, **{"class": "POOR"})
    body = {"household_id": household["id"], "members": 4, "b1_points": 120, "b2_points": 40} | changes

    refused = officer.ask("POST", "households", f"/v1/reviews/{review}/results", json=body)

    assert (refused.status_code, refused.json()["rule"]) == (422, rule)
    assert refused.headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize(
    ("changes", "status", "rule"),
    [
        ({"standard": None}, 422, "review-standard-missing"),
        ({"standard": "STD_1492"}, 422, "standard-unknown"),
        ({"commune": "99999"}, 422, "commune-unknown"),
        ({"commune": OTHER}, 403, "outside-area"),
        ({"decided_on": "2024-02-30"}, 422, "input-invalid"),
    ],
)
def test_a_review_that_cannot_be_opened_says_why(
    officer: Officer, changes: dict[str, Any], status: int, rule: str
) -> None:
    body = {
        "commune": COMMUNE,
        "year": 2024,
        "kind": "REGULAR",
        "stage": "OFFICIAL",
        "standard": STANDARD,
        "decided_on": "2024-01-20",
    } | changes

    refused = officer.ask("POST", "households", "/v1/reviews", json=body)

    assert (refused.status_code, refused.json()["rule"]) == (status, rule), refused.text


def test_an_unknown_village_is_refused_by_name(officer: Officer) -> None:
    body = {"commune": COMMUNE, "village": f"{COMMUNE}.98", "head_name": "Siu Một", "members": 3}

    refused = officer.ask("POST", "households", "/v1/households", json=body)

    assert (refused.status_code, refused.json()["rule"]) == (422, "village-unknown")


@pytest.mark.parametrize("service", ["households", "funding", "training"])
@pytest.mark.parametrize("declared", [True, False])
def test_a_json_body_over_one_megabyte_is_refused_wherever_it_goes(
    world: World, service: str, declared: bool
) -> None:
    path = {"households": "/v1/reviews", "funding": "/v1/allocations", "training": "/v1/classes"}[service]
    body = json.dumps({"commune": "x" * 1_100_000}).encode()
    pieces = (body[at : at + 65_536] for at in range(0, len(body), 65_536))
    officer = world.officer({"funding": "ngan-sach", "training": "tap-huan"}.get(service, "xa-chu-krey"))

    refused = officer.ask(
        "POST",
        service,
        path,
        content=body if declared else pieces,
        headers={"Content-Type": "application/json"},
    )

    assert (refused.status_code, refused.json()["rule"]) == (413, "body-too-large")


@pytest.mark.parametrize("service", ["households", "funding", "training", "reporting"])
def test_a_forged_token_is_nobody(world: World, service: str) -> None:
    path = {
        "households": "/v1/households",
        "funding": "/v1/eligibility",
        "training": "/v1/classes",
        "reporting": "/v1/situation?area=23827",
    }[service]
    for token in forgeries(world):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        refused = httpx2.get(f"{world.stack.url(service)}{path}", headers=headers, trust_env=False)
        assert (refused.status_code, refused.json()["rule"]) == (401, "sign-in-needed"), token
        assert refused.headers["www-authenticate"] == "Bearer"


def forgeries(world: World) -> Iterator[str]:
    """No token, and tokens that name the right officer without the issuer's signature."""
    true = world.officer("xa-chu-krey").token
    head, claims, signature = true.split(".")
    known = jwt.get_unverified_header(true)
    stolen = jwt.decode(true, options={"verify_signature": False})
    wider = base64.urlsafe_b64encode(json.dumps(stolen | {"areas": ["VN"]}).encode()).decode().rstrip("=")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    yield ""
    yield "not.a.token"
    yield f"{head}.{wider}.{signature}"
    yield f"{unsigned}.{claims}."
    yield jwt.encode(stolen, ec.generate_private_key(ec.SECP256R1()), "ES256", headers={"kid": known["kid"]})
    yield jwt.encode(stolen, "a secret that is long enough for it", "HS256", headers={"kid": known["kid"]})


@pytest.mark.parametrize("service", ["households", "funding", "training", "reporting"])
async def test_an_expired_token_is_nobody(app: App, bearer: Bearer, service: str) -> None:
    path = {"households": "/v1/households", "funding": "/v1/eligibility", "training": "/v1/classes"}
    client = await app(service, headers=bearer(exp=int(time.time()) - 120))

    refused = await client.get(path.get(service, "/v1/situation?area=23827"))

    assert (refused.status_code, refused.json()["rule"]) == (401, "sign-in-needed")
