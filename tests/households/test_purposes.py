"""Whoever takes data away in a file says what for, from a closed list, and it stays on record."""

import re
import uuid
from importlib import resources
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from tests.architecture.test_routes import service
from tests.contracts.test_http import FILLED, in_kong_chro

from benvung import web
from benvung.testing import App, Engine
from households.domain.purposes import purposes

__all__ = ["in_kong_chro"]
FILES = re.compile(r"csv|spreadsheet|pdf|zip|octet-stream")
# Empty forms: nobody's data are in them.
EMPTY = {"/v1/templates/{template}.xlsx", "/v1/templates/{template}.csv"}
LISTS = {"area": "23827"}
# Files that could be taken before purposes were asked for have their usual one.
USUAL = {"/v1/households.csv": "NEXT_REVIEW", "/v1/imports/{import_id}/rows.csv": "CORRECTING_FILE"}


def taken(app: FastAPI) -> dict[str, Any]:
    """Every route that answers with a file, by its path."""
    return {
        path: operation
        for path, operations in app.openapi()["paths"].items()
        for operation in operations.values()
        if any(FILES.search(kind) for kind in operation["responses"].get("200", {}).get("content", {}))
    }


def asks_why(path: str, operation: Any) -> bool:
    [asked] = (each for each in operation.get("parameters", ()) if each["name"] == "purpose")
    return bool(asked["required"]) or asked["schema"]["default"] == USUAL[path]


def test_no_file_leaves_without_a_purpose() -> None:
    found = {
        path: operation
        for path, operation in taken(web.create_app(service("households"), worker=False)).items()
        if path.startswith("/v1") and path not in EMPTY
    }

    assert len(found) > 8
    assert [path for path, operation in found.items() if not asks_why(path, operation)] == []


def test_each_purpose_has_its_words_in_both_languages() -> None:
    assert purposes()
    assert all(vi.strip() and en.strip() and vi != en for vi, en in purposes().values())


@pytest.mark.usefixtures("in_kong_chro")
async def test_every_file_is_refused_without_a_known_purpose_and_recorded_with_it(
    app: App, engine: Engine
) -> None:
    client = await app("households")
    real = await FILLED["households"](client, engine)
    paths = [each for each in taken(web.create_app(service("households"), worker=False)) if each not in EMPTY]

    for path in paths:
        address = path.format(**real)
        more = LISTS if "/lists/" in path else {}
        unasked = await client.get(address, params=more)
        assert unasked.status_code == (200 if path in USUAL else 422), path
        unknown = await client.get(address, params=more | {"purpose": "CURIOSITY"})
        assert (unknown.status_code, unknown.json()["rule"]) == (422, "purpose-unknown"), path
        request_id = str(uuid.uuid4())
        given = await client.get(
            address, params=more | {"purpose": "INSPECTION"}, headers={"X-Request-Id": request_id}
        )
        assert given.status_code == 200, path
        async with engine("households").connect() as conn:
            query = sa.text("select distinct detail->>'purpose' from audit where request_id = :id")
            assert list((await conn.execute(query, {"id": request_id})).scalars()) == ["INSPECTION"], path


def test_every_file_that_a_page_offers_is_asked_for_with_a_purpose() -> None:
    pages = (resources.files("households") / "templates").iterdir()
    texts = [page.read_text("utf-8") for page in pages if page.name.endswith(".html")]
    offered = [
        link for text in texts for link in re.findall(r'href="(/v1[^"]*)"', text) if "/templates/" not in link
    ]

    assert len(offered) > 3
    assert [link for link in offered if "?purpose=" not in link] == []
