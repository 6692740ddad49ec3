"""A list is read to its end page by page, each row once, also while rows are added."""

import base64
import datetime as dt
import json
import uuid
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from benvung.testing.tokens import Tokens

COUNT = 23


@pytest.fixture
def reader(tokens: Tokens) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.token(['things.read'])}"}


@pytest.fixture
async def things(kit_app: FastAPI) -> list[dict[str, Any]]:
    rows = [
        {
            "id": uuid.uuid4(),
            "commune": "23827",
            "label": f"thing {number}",
            "number": number % 3,
            "since": dt.date(2024, 1, 1 + number % 5),
        }
        for number in range(COUNT)
    ]
    async with kit_app.state.engine.begin() as conn:
        await conn.execute(sa.insert(sa.table("things", *map(sa.column, rows[0]))), rows)
    return sorted(rows, key=lambda row: (row["number"], row["since"], row["id"]))


@pytest.mark.parametrize("limit", [1, 2, 22, 23, 24, 500])
async def test_pages_together_are_the_whole_list_in_order(
    client: httpx2.AsyncClient, reader: dict[str, str], things: list[dict[str, Any]], limit: int
) -> None:
    seen, after = [], None
    while True:
        asked = {"limit": limit} | ({"after": after} if after else {})
        page = (await client.get("/v1/things", params=asked, headers=reader)).json()
        seen += [item["id"] for item in page["items"]]
        after = page["next"]
        if after is None:
            break
        assert len(page["items"]) == limit

    assert seen == [str(row["id"]) for row in things]


@pytest.mark.parametrize("limit", [0, 501, "nhiều"])
async def test_a_page_has_one_to_five_hundred_items(
    client: httpx2.AsyncClient, reader: dict[str, str], limit: int | str
) -> None:
    answer = await client.get("/v1/things", params={"limit": limit}, headers=reader)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "query.limit"


def cursor(values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


GOOD = [1, "2024-01-01", "00000000-0000-4000-8000-000000000000"]


@pytest.mark.parametrize(
    "forged",
    [
        "x",
        "not base64 !",
        "Ƀ",
        cursor({}),
        cursor([1]),
        cursor([*GOOD, 1]),
        cursor(["1", *GOOD[1:]]),
        cursor([True, *GOOD[1:]]),
        cursor([2**70, *GOOD[1:]]),
        cursor([1, "2024-13-01", GOOD[2]]),
        cursor([1, GOOD[1], "\0"]),
        cursor([1, GOOD[1], "\ud800"]),
        base64.urlsafe_b64encode(b"[" * 700).decode(),
    ],
)
async def test_a_forged_cursor_is_a_named_problem(
    client: httpx2.AsyncClient, reader: dict[str, str], forged: str
) -> None:
    answer = await client.get("/v1/things", params={"after": forged}, headers=reader)

    assert answer.status_code == 422, answer.text
    assert answer.json()["rule"] == "cursor-unknown"


async def test_a_right_cursor_without_rows_behind_it_gives_an_empty_last_page(
    client: httpx2.AsyncClient, reader: dict[str, str]
) -> None:
    page = (await client.get("/v1/things", params={"after": cursor(GOOD)}, headers=reader)).json()

    assert page == {"items": [], "next": None}
