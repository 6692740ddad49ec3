"""Households are found by the name or number of their head or members, in one's own area, and on record."""

import json
from typing import Any

import pytest_asyncio
import sqlalchemy as sa
from tests.households.officer import OTHER, Commune, SignIn, row
from tests.households.people import NUMBER, child, enter, leave, person

from benvung.testing import Engine
from households.indexer import NameIndexer

SEARCH = "/v1/households/search"


async def find(commune: Commune, name: str, **query: Any) -> list[tuple[str, list[str]]]:
    """The households found by a name, each with who was meant."""
    page = await commune.ask("GET", SEARCH, params={"name": name} | query)
    return [(each["household"]["id"], [who["name"] for who in each["persons"]]) for each in page["items"]]


@pytest_asyncio.fixture
async def neighbour(commune: Commune, signed_in: SignIn) -> Commune:
    """The officer of the commune next door."""
    officer = Commune(commune.app, signed_in(OTHER), commune.folder, OTHER)
    await officer.list_villages("Làng Xa")
    return officer


async def test_a_household_is_found_by_its_head_and_by_its_members_with_and_without_diacritics(
    commune: Commune,
) -> None:
    hers = await commune.register(head_name="Đỗ Thị Hường")
    theirs = await commune.register(head_name="Đinh Văn Ví Dụ")
    await enter(commune, theirs, **person(name="Đỗ Thị Hương"))
    await enter(commune, theirs, **child(name="Đinh Hoà"))
    both = sorted([(hers, ["Đỗ Thị Hường"]), (theirs, ["Đỗ Thị Hương"])])

    assert sorted(await find(commune, "do thi huong")) == both
    assert sorted(await find(commune, "ĐỖ THỊ")) == both
    assert await find(commune, "Đỗ Thị Hường") == [(hers, ["Đỗ Thị Hường"])]
    assert await find(commune, "thị Hương") == [(theirs, ["Đỗ Thị Hương"])]
    assert await find(commune, "dinh hòa") == [(theirs, ["Đinh Hoà"])]
    assert await find(commune, "dinh van vi du") == [(theirs, ["Đinh Văn Ví Dụ"])]
    for nobody in ("huong do", "Hướng", "huon", "do huong"):
        assert await find(commune, nobody) == []


async def test_the_same_head_is_shown_once(commune: Commune) -> None:
    household = await commune.register(head_name="Đỗ Thị Hường Mẫu")
    await enter(commune, household, **person())

    [found] = (await commune.ask("GET", SEARCH, params={"name": "huong"}))["items"]

    [who] = found["persons"]
    assert (who["relation"], who["birth_year"], who["number"]) == ("HEAD", 1985, "••••••••0999")
    assert NUMBER not in json.dumps(found)


async def test_who_left_is_not_found(commune: Commune) -> None:
    household = await commune.register()
    await enter(commune, household, **person())
    pupil = (await enter(commune, household, **child(name="Lò Rời Nhà")))["member"]["id"]
    assert await find(commune, "lo roi nha") == [(household, ["Lò Rời Nhà"])]

    await leave(commune, household, pupil)

    assert await find(commune, "lo roi nha") == []


async def test_words_that_stand_apart_in_a_name_do_not_find_it(commune: Commune) -> None:
    """The parts of the name hold both pairs of what is asked, yet not one behind the other."""
    await commune.register(head_name="Lò Thị Lò Văn Thị Lò")

    assert await find(commune, "thi lo thi") == []
    assert len(await find(commune, "thi lo van")) == 1


async def test_a_search_is_narrowed_and_read_page_by_page(commune: Commune) -> None:
    ids = [await commune.register(head_name=f"Đinh Mẫu {word}") for word in ("Một", "Hai", "Ba")]
    ids.append(await commune.register(head_name="Đinh Mẫu Bốn", village="23827.02"))
    await commune.decide(await commune.open_review(), ids[0], 120, 40)

    first = await commune.ask("GET", SEARCH, params={"name": "dinh mau", "limit": 3})
    second = await commune.ask("GET", SEARCH, params={"name": "dinh mau", "limit": 3, "after": first["next"]})

    paged = [each["household"]["id"] for page in (first, second) for each in page["items"]]
    assert paged == sorted(ids)
    assert second["next"] is None
    assert [each[0] for each in await find(commune, "dinh mau", village="23827.02")] == [ids[3]]
    assert [each[0] for each in await find(commune, "dinh mau", **{"class": "POOR"})] == [ids[0]]
    assert len(await find(commune, "dinh mau", **{"class": "NONE"})) == 3


async def test_a_search_shows_ones_own_area_only(
    commune: Commune, neighbour: Commune, signed_in: SignIn
) -> None:
    here = await commune.register(head_name="Đinh Mẫu Này")
    there = await neighbour.register(head_name="Đinh Mẫu Kia")
    await enter(neighbour, there, **person())
    district = Commune(commune.app, signed_in("630"), commune.folder)

    assert [each[0] for each in await find(commune, "dinh mau")] == [here]
    assert await find(commune, "dinh mau", area=OTHER) == []
    assert {each[0] for each in await find(district, "dinh mau")} == {here, there}
    assert [each[0] for each in await find(district, "dinh mau", area=OTHER)] == [there]
    given = {"number": NUMBER}
    assert await commune.ask("POST", SEARCH, json=given) == []
    assert [each["household"]["id"] for each in await district.ask("POST", SEARCH, json=given)] == [there]
    assert (await signed_in("VN", permissions=()).get(SEARCH, params={"name": "x"})).status_code == 403


async def test_a_number_finds_whoever_has_it_and_stands_in_no_record(
    commune: Commune, engine: Engine
) -> None:
    household = await commune.register(members=1)
    other = await commune.register(code="H002")
    head = (await enter(commune, household, **person()))["member"]["id"]
    await enter(commune, other, **person(number="004185000998", name="Đỗ Khác"))

    [found] = await commune.ask("POST", SEARCH, json={"number": NUMBER, "class": None})

    assert found["household"]["id"] == household
    assert [who["member_id"] for who in found["persons"]] == [head]
    assert await commune.ask("POST", SEARCH, json={"number": NUMBER, "area": OTHER}) == []
    refused = await commune.ask("POST", SEARCH, 422, json={"number": "123456789"})
    assert refused["rule"] == "number-is-legacy"
    async with engine("households").connect() as conn:
        kept = (await conn.execute(sa.text("select row_to_json(a)::text from audit a"))).scalars().all()
    assert NUMBER not in "\n".join(kept)


async def test_a_search_is_on_record_with_whom_it_showed_and_without_what_was_asked(commune: Commune) -> None:
    household = await commune.register(head_name="Đỗ Thị Hường")
    other = await commune.register(code="H002")
    await find(commune, "do thi huong")

    for each, seen in ((household, True), (other, False)):
        page = await commune.ask("GET", f"/v1/households/{each}/accesses")
        assert ("households.searched" in [entry["action"] for entry in page["items"]]) is seen
    async with commune.app.state.engine.connect() as conn:
        query = "select detail from audit where action = 'households.searched'"
        detail = (await conn.execute(sa.text(query))).scalar_one()
    assert detail == {"households": 1, "by": "NAME"}


async def test_nothing_to_look_for_is_refused(commune: Commune) -> None:
    assert (await commune.ask("GET", SEARCH, 422, params={"name": "  "}))["rule"] == "search-name-empty"
    assert (await commune.ask("GET", SEARCH, 422))["rule"] == "input-invalid"


async def test_heads_that_a_file_brings_are_found_at_once_and_renamed_ones_when_they_are_indexed(
    commune: Commune,
) -> None:
    await commune.import_rows(await commune.open_review(), row(1, "Siu Tệp Mẫu"), row(2, "Siu Khác"))
    indexer = NameIndexer(commune.app.state.settings)
    assert not await indexer.round(commune.app.state.engine)
    [(household, _)] = await find(commune, "siu tep")

    renamed = row(1, "Siu Tên Mới", household_id=household)
    await commune.import_rows(await commune.open_review(2023), renamed)
    assert await find(commune, "Siu Tên Mới") == []
    assert await indexer.round(commune.app.state.engine)

    assert await find(commune, "siu tep") == []
    assert await find(commune, "Siu Tên Mới") == [(household, ["Siu Tên Mới"])]
    assert not await indexer.round(commune.app.state.engine)
