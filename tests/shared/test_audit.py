"""The audit says who did what, goes with the deed, and is never changed."""

import uuid
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from sqlalchemy.exc import DBAPIError

from benvung import audit
from benvung.testing.tokens import Tokens

THING = {"commune": "23827", "label": "a", "number": 7, "since": "2024-01-24"}


async def rows(app: FastAPI, entity_id: str) -> list[Any]:
    async with app.state.engine.connect() as conn:
        query = sa.text("select * from audit where entity_id = :id order by id")
        return list((await conn.execute(query, {"id": entity_id})).all())


async def test_a_deed_is_recorded_with_its_request(
    client: httpx2.AsyncClient, kit_app: FastAPI, tokens: Tokens
) -> None:
    token = tokens.token(["things.write"], subject="officer-7")
    headers = {"Authorization": f"Bearer {token}", "X-Request-Id": "r-1"}
    made = await client.post("/v1/things", json=THING, headers=headers)

    [row] = await rows(kit_app, made.json()["id"])
    assert (row.principal, row.action, row.entity, row.request_id) == ("officer-7", "add", "thing", "r-1")
    assert row.detail == {"number": 7}


async def test_a_deed_that_failed_left_no_record(
    client: httpx2.AsyncClient, kit_app: FastAPI, tokens: Tokens
) -> None:
    async def count() -> int:
        async with kit_app.state.engine.connect() as conn:
            return int((await conn.execute(sa.text("select count(*) from audit"))).scalar_one())

    headers = {"Authorization": f"Bearer {tokens.token(['things.write'])}"}
    assert (await client.post("/v1/things", json=THING, headers=headers)).status_code == 201
    before = await count()

    assert (await client.post("/v1/things", json=THING, headers=headers)).status_code == 409
    assert await count() == before


class Import:
    subject = "import"


async def test_many_deeds_are_recorded_at_once_in_order(kit_app: FastAPI) -> None:
    ids = [str(uuid.uuid4()) for _ in range(3)]
    async with kit_app.state.engine.begin() as conn:
        await audit.record_each(conn, Import(), "add", "thing", ids)
        await audit.record_each(conn, Import(), "add", "thing", [])

    found = [(await rows(kit_app, each))[0] for each in ids]
    assert [row.id for row in found] == sorted(row.id for row in found)
    assert {row.detail for row in found} == {None}


@pytest.mark.parametrize("change", ["update audit set action = 'x'", "delete from audit", "truncate audit"])
async def test_nothing_recorded_is_ever_changed(kit_app: FastAPI, change: str) -> None:
    async with kit_app.state.engine.begin() as conn:
        await audit.record(conn, Import(), "add", "thing", "1")

    with pytest.raises(DBAPIError, match="never changed"):
        async with kit_app.state.engine.begin() as conn:
            await conn.execute(sa.text(change))
