"""The audit says who did what, goes with the deed, and is never changed."""

import datetime as dt
import uuid
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from sqlalchemy.exc import DBAPIError

from benvung import audit, clock
from benvung.audit.chain import Anchor
from benvung.audit.sealer import Sealer
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


def auditor(tokens: Tokens, *areas: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.token(['audit.read'], areas, subject='auditor-1')}"}


async def test_a_thing_is_found_in_its_own_rows_and_in_those_of_others(
    client: httpx2.AsyncClient, kit_app: FastAPI, tokens: Tokens
) -> None:
    one, other = str(uuid.uuid4()), str(uuid.uuid4())
    async with kit_app.state.engine.begin() as conn:
        await audit.record(conn, Import(), "add", "thing", one)
        shown = audit.About("thing", (each for each in (other, one)))
        await audit.record(conn, Import(), "list", "place", "*", {"things": 2}, about=shown)
        await audit.record(conn, Import(), "add", "other", one)
        await audit.record(conn, Import(), "list", "place", "*", about=audit.About("other", [one]))

    found: list[Any] = []
    after: dict[str, str] = {}
    while True:
        query = {"entity": "thing", "entity_id": one, "limit": "1", **after}
        answer = await client.get("/v1/audit", params=query, headers=auditor(tokens, "VN"))
        found += answer.json()["items"]
        if answer.json()["next"] is None:
            break
        after = {"after": answer.json()["next"]}

    told = [(each["principal"], each["action"], each["entity"], each["detail"]) for each in found]
    assert told == [
        ("auditor-1", "audit.read", "thing", None),
        ("import", "list", "place", {"things": 2}),
        ("import", "add", "thing", None),
    ]
    assert {each["seal"] for each in found} == {None}


async def test_each_question_to_the_audit_is_recorded(
    client: httpx2.AsyncClient, kit_app: FastAPI, tokens: Tokens
) -> None:
    thing = str(uuid.uuid4())
    query = {"entity": "thing", "entity_id": thing}

    for _ in range(2):
        await client.get("/v1/audit", params=query, headers=auditor(tokens, "VN"))

    assert [row.action for row in await rows(kit_app, thing)] == ["audit.read", "audit.read"]


@pytest.mark.parametrize(("areas", "status"), [(("64",), 200), (("630",), 403), ((), 403)])
async def test_the_audit_is_for_whoever_answers_for_the_whole_province(
    client: httpx2.AsyncClient, tokens: Tokens, areas: tuple[str, ...], status: int
) -> None:
    clock.fix(dt.date(2024, 1, 24))
    query = {"entity": "thing", "entity_id": "1"}

    answer = await client.get("/v1/audit", params=query, headers=auditor(tokens, *areas))
    seal = await client.get("/v1/audit/seal", headers=auditor(tokens, *areas))

    assert (answer.status_code, seal.status_code) == (status, status)


async def test_the_newest_seal_can_be_noted_elsewhere(
    client: httpx2.AsyncClient, kit_app: FastAPI, tokens: Tokens
) -> None:
    async with kit_app.state.engine.begin() as conn:
        await audit.record(conn, Import(), "add", "thing", "1")
    before = (await client.get("/v1/audit/seal", headers=auditor(tokens, "VN"))).json()
    while await Sealer(kit_app.state.settings).round(kit_app.state.engine):
        pass
    sealed = (await client.get("/v1/audit/seal", headers=auditor(tokens, "VN"))).json()

    assert before["waiting"] > 0
    assert (sealed["waiting"], sealed["number"]) == (0, before["number"] + before["waiting"])
    assert str(Anchor.of(sealed["anchor"])) == f"{sealed['number']}:{sealed['seal']}"
