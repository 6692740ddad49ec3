"""A household's whole list of members in one request: all of it, or nothing with every fault named."""

import uuid

import sqlalchemy as sa
from tests.households.officer import Commune
from tests.households.people import NUMBER, child, members, person, put, rules

from benvung.testing import Engine

STORED = ("members", "member_facts")


async def test_every_fault_of_every_row_is_named_with_its_place_and_nothing_is_recorded(
    commune: Commune, engine: Engine
) -> None:
    household = await commune.register()
    rows = [
        person(),
        person(name="Mẫu 2", number="12", ethnicity="KLINGON"),
        child(birth_date="2023-12-31", number_missing=None),
        child(relation="SPOUSE", number=NUMBER, number_missing=None),
        child(id=str(uuid.uuid4())),
    ]

    refused = await put(commune, household, 422, rows)

    assert refused["rule"] == "members-refused"
    assert sorted(rules(refused)) == sorted(
        [
            ("body.members.1.name", "name-malformed"),
            ("body.members.1.number", "number-malformed"),
            ("body.members.1.ethnicity", "code-unknown"),
            ("body.members.1.relation", "head-twice"),
            ("body.members.2.birth", "birth-in-future"),
            ("body.members.2.number_missing", "number-missing-without-reason"),
            ("body.members.3.number", "number-twice-in-household"),
            ("body.members.4.id", "member-unknown"),
        ]
    )
    async with engine("households").connect() as conn:
        for table in STORED:
            assert await conn.scalar(sa.text(f"select count(*) from {table}")) == 0


async def test_a_list_without_a_head_or_without_anybody_is_refused(commune: Commune) -> None:
    household = await commune.register()

    assert rules(await put(commune, household, 422, [child()])) == [("body.members", "head-missing")]
    assert rules(await put(commune, household, 422, [])) == [("body.members", "members-not-positive")]


async def test_a_whole_list_records_only_what_is_new(commune: Commune) -> None:
    household = await commune.register(head_name="Đỗ Thị Hường Mẫu", members=2)
    first = await put(commune, household, 200, [person(), child()])
    assert (len(first["members"]), first["warnings"]) == (2, [])
    head, pupil = (each["id"] for each in first["members"])
    path = f"/v1/households/{household}/members"
    assert (await put(commune, household, 428, [person(id=head)]))["rule"] == "if-match-missing"
    tag = (await commune.client.get(path)).headers["etag"]

    short = await put(commune, household, 422, [person(id=head)], tag=tag, on="2023-07-01")
    rows = [
        person(id=head, relation="SPOUSE"),
        child(id=pupil),
        person(name="Lường Văn Mẫu", sex="MALE", number="004085000777"),
    ]
    second = await put(commune, household, 200, rows, tag=tag, on="2023-07-01")

    assert rules(short) == [("body.members", "member-missing-from-list")]
    assert [(each["relation"], each["version"]) for each in second["members"]] == [
        ("SPOUSE", 2),
        ("CHILD", 1),
        ("HEAD", 1),
    ]
    late = await put(commune, household, 412, rows, tag=tag, on="2023-07-01")
    assert late["rule"] == "members-changed"
    [*_, newest] = await members(commune, household)
    told = (await commune.ask("GET", f"{path}/{newest['id']}/facts"))["facts"]
    moved = (await commune.ask("GET", f"{path}/{head}/facts"))["facts"]
    assert told[0]["recorded_at"] == moved[1]["recorded_at"], "one request is known from one moment on"
