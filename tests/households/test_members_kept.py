"""What is kept of members, sealed and for good, and who may see and change it."""

import json
import uuid

import pytest
import sqlalchemy as sa
from psycopg.errors import InsufficientPrivilege
from sqlalchemy.exc import DBAPIError
from tests.households.officer import COMMUNE, OTHER, Commune, SignIn
from tests.households.people import NUMBER, ON, change, child, enter, leave, members, person, put

from benvung.testing import Engine

STORED = ("members", "member_facts")


async def test_what_is_sealed_cannot_be_read_in_the_tables(commune: Commune, engine: Engine) -> None:
    household = await commune.register()
    secret = {
        "name": "Đỗ Thị Hường Mẫu",
        "number": NUMBER,
        "legacy_number": "023456789",
        "ethnicity": "TAY",
        "disability": "EXTREMELY_SEVERE",
        "allowance": "SOCIAL_PENSION",
        "nutrition": "STUNTED_UNDERWEIGHT",
        "labour_capacity": "REDUCED",
    }
    head = (await enter(commune, household, **person(**secret)))["member"]["id"]
    without = {"number_missing": "OTHER", "number_missing_text": "chờ cấp lại giấy khai sinh"}
    await enter(commune, household, **child(**without))
    await leave(commune, household, head)

    async with engine("households").connect() as conn:
        for table in (*STORED, "audit", "outbox", "idempotency_keys"):
            rows = (
                (await conn.execute(sa.text(f"select row_to_json(t)::text from {table} t"))).scalars().all()
            )
            text = "\n".join(rows)
            hidden = [*secret.values(), without["number_missing_text"]]
            assert not [value for value in hidden if value in text], table
            assert not [value for value in hidden if value.encode().hex() in text], table
        kept = (await conn.execute(sa.text("select count(*) from member_facts"))).scalar_one()
    assert kept == 3


async def test_facts_about_members_are_never_changed_or_removed(commune: Commune, engine: Engine) -> None:
    household = await commune.register()
    await enter(commune, household, **person())

    for statement in (
        "update member_facts set valid_from = valid_from",
        "delete from member_facts",
        "truncate member_facts",
    ):
        with pytest.raises(DBAPIError) as refused:
            async with engine("households").begin() as conn:
                await conn.execute(sa.text(statement))
        assert isinstance(refused.value.orig, InsufficientPrivilege)


async def test_whatever_is_done_with_members_is_on_record_without_their_data(commune: Commune) -> None:
    household = await commune.register()
    head = (await enter(commune, household, **person()))["member"]["id"]
    await change(commune, household, head, **person(work="CASUAL"))
    await leave(commune, household, head, reason="DEATH")
    await members(commune, household)
    path = f"/v1/households/{household}/members/{head}"
    await commune.ask("GET", path)
    await commune.ask("GET", f"{path}/facts")
    await commune.ask("GET", f"/v1/households/{household}/cohorts")

    async with commune.app.state.engine.connect() as conn:
        rows = (await conn.execute(sa.text("select action, detail from audit order by id"))).all()

    assert [row.action for row in rows][-7:] == [
        "household.member_entered",
        "household.member_changed",
        "household.member_left",
        "household.members_read",
        "household.member_read",
        "household.member_read",
        "household.cohorts_read",
    ]
    text = json.dumps([row.detail for row in rows], ensure_ascii=False)
    assert NUMBER not in text
    assert "Hường" not in text


async def test_members_are_seen_and_changed_in_ones_own_area_only(
    commune: Commune, signed_in: SignIn
) -> None:
    household = await commune.register()
    head = (await enter(commune, household, **person()))["member"]["id"]
    stranger = Commune(commune.app, signed_in(OTHER), commune.folder, OTHER)
    path = f"/v1/households/{household}/members"

    for place in (path, f"{path}/{head}", f"{path}/{head}/facts", f"/v1/households/{household}/cohorts"):
        assert (await stranger.ask("GET", place, 404))["rule"] == "household-not-found"
    refused = [
        await enter(stranger, household, 403, **child()),
        await change(stranger, household, head, 403, **person(work="CASUAL")),
        await leave(stranger, household, head, 403),
        await put(stranger, household, 403, [person(id=head)], tag="*"),
    ]

    assert {each["rule"] for each in refused} == {"outside-area"}
    [kept] = await members(commune, household)
    assert (kept["version"], kept["work"]) == (1, "SELF_EMPLOYED")
    reader = signed_in(COMMUNE, permissions=("households.read",))
    assert (await reader.get(path)).status_code == 200
    assert (await reader.post(path, json={"on": ON} | child())).status_code == 403


async def test_a_household_that_ended_takes_no_members_but_lets_them_leave(commune: Commune) -> None:
    household = await commune.register()
    head = (await enter(commune, household, **person()))["member"]["id"]
    ended = {"reason": "DEATH", "on": "2023-10-01"}
    await commune.ask("POST", f"/v1/households/{household}/closure", 201, json=ended)

    assert (await enter(commune, household, 422, **child()))["rule"] == "household-not-active"
    refused = await change(commune, household, head, 422, **person(work="CASUAL"))
    assert refused["rule"] == "household-not-active"
    await leave(commune, household, head, on="2023-10-01", reason="DEATH")


async def test_who_is_asked_for_and_is_not_there_is_not_found(commune: Commune) -> None:
    household, nobody = await commune.register(), str(uuid.uuid4())
    path = f"/v1/households/{household}/members/{nobody}"

    assert (await commune.ask("GET", path, 404))["rule"] == "member-not-found"
    assert (await commune.ask("GET", f"{path}/facts", 404))["rule"] == "member-not-found"
    assert (await change(commune, household, nobody, 404, **person()))["rule"] == "member-not-found"
    assert (await leave(commune, household, nobody, 404))["rule"] == "member-not-found"
    assert (await enter(commune, nobody, 404, **person()))["rule"] == "household-not-found"
