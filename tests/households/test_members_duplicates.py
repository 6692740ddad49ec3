"""Who may be recorded twice is shown where the caller may see it, masked where not, and never merged."""

from typing import Any

import pytest_asyncio
from tests.households.officer import COMMUNE, OTHER, Commune, SignIn
from tests.households.people import NUMBER, child, enter, leave, members, person


@pytest_asyncio.fixture
async def neighbour(commune: Commune, signed_in: SignIn) -> Commune:
    """The officer of the commune next door."""
    officer = Commune(commune.app, signed_in(OTHER), commune.folder, OTHER)
    await officer.list_villages("Làng Xa")
    return officer


def seen(pairs: list[Any]) -> list[tuple[set[str], list[str]]]:
    """The households of each pair and why."""
    return [({each["one"]["household_id"], each["other"]["household_id"]}, each["why"]) for each in pairs]


async def duplicates(commune: Commune, **query: Any) -> list[Any]:
    """Every pair of the caller's area, read page by page."""
    found: list[Any] = []
    after: dict[str, Any] = {}
    while True:
        page = await commune.ask("GET", "/v1/duplicates", params={"limit": 2} | query | after)
        found += page["items"]
        if page["next"] is None:
            return found
        after = {"after": page["next"]}


async def test_who_is_entered_twice_comes_back_with_the_reason(commune: Commune) -> None:
    first, second, third = [await commune.register(code=f"H{n}") for n in range(3)]
    await enter(commune, first, **person())

    marked = await enter(commune, second, **person(number=None, number_missing="NOT_SHOWN"))
    plain = await enter(commune, third, **person(name="do thi huong mau", birth_date=None, birth_year=1985))

    assert seen(marked["duplicates"]) == [({first, second}, ["NAME_BIRTH_AREA"])]
    [pair] = marked["duplicates"]
    assert (pair["one"]["member_id"], pair["one"]["masked"]) == (marked["member"]["id"], False)
    assert (pair["other"]["name"], pair["other"]["number"]) == ("Đỗ Thị Hường Mẫu", "••••••••0999")
    assert pair["why_labels"] == ["Trùng họ tên, ngày sinh và xã"]
    assert sorted(seen(plain["duplicates"]), key=lambda pair: pair[1]) == [
        ({first, third}, ["NUMBER", "PLAIN_NAME_BIRTH_AREA"]),
        ({second, third}, ["PLAIN_NAME_BIRTH_AREA"]),
    ]
    assert [len(await members(commune, each)) for each in (first, second, third)] == [1, 1, 1]


async def test_another_day_of_birth_in_the_same_year_is_somebody_else(commune: Commune) -> None:
    first, second = await commune.register(), await commune.register(code="H2")
    await enter(commune, first, **child())

    other = await enter(commune, second, **child(birth_date="2014-05-07"))

    assert other["duplicates"] == []
    assert await duplicates(commune) == []


async def test_outside_ones_area_only_household_and_commune_are_told(
    commune: Commune, neighbour: Commune, signed_in: SignIn
) -> None:
    here, there = await commune.register(), await neighbour.register()
    await enter(neighbour, there, **person())

    entered = await enter(commune, here, **person(name="Tên Khác Hẳn"))

    [pair] = entered["duplicates"]
    assert pair["why"] == ["NUMBER"]
    assert pair["other"] == {
        "masked": True,
        "household_id": there,
        "commune": OTHER,
        "member_id": None,
        "name": None,
        "birth_date": None,
        "birth_year": None,
        "number": None,
    }
    [listed] = await duplicates(commune)
    assert (listed["one"]["name"], listed["other"]) == ("Tên Khác Hẳn", pair["other"])
    [theirs] = await duplicates(neighbour)
    assert (theirs["one"]["household_id"], theirs["other"]["masked"]) == (there, True)
    district = Commune(commune.app, signed_in("630"), commune.folder)
    [whole] = await duplicates(district)
    assert {whole["one"]["masked"], whole["other"]["masked"]} == {False}
    [part] = await duplicates(district, area=COMMUNE)
    assert (part["one"]["household_id"], part["other"]["household_id"]) == (here, there)
    assert await duplicates(district, area="23833") == []


async def test_namesakes_of_another_commune_are_no_candidates(commune: Commune, neighbour: Commune) -> None:
    here, there = await commune.register(), await neighbour.register()
    await enter(neighbour, there, **child())

    assert (await enter(commune, here, **child()))["duplicates"] == []


async def test_a_household_that_moves_takes_its_people_along(
    commune: Commune, neighbour: Commune, signed_in: SignIn
) -> None:
    here, there = await commune.register(), await neighbour.register()
    await enter(neighbour, there, **child())
    await enter(commune, here, **child())
    district = Commune(commune.app, signed_in("630"), commune.folder)
    assert await duplicates(district) == []
    moved = {"to_commune": OTHER, "to_village": f"{OTHER}.01", "on": "2023-08-01"}

    await commune.ask("POST", f"/v1/households/{here}/moves", 201, json=moved)

    assert seen(await duplicates(district)) == [({here, there}, ["NAME_BIRTH_AREA"])]
    assert len(await members(neighbour, here)) == 1


async def test_all_pairs_of_an_area_are_read_page_by_page_each_once(commune: Commune) -> None:
    homes = [await commune.register(code=f"H{n}") for n in range(4)]
    for home in homes:
        await enter(commune, home, **person())

    found = seen(await duplicates(commune))

    pairs = [tuple(sorted(pair)) for pair, _ in found]
    assert sorted(pairs) == sorted({tuple(sorted((a, b))) for a in homes for b in homes if a != b})
    assert {tuple(why) for _, why in found} == {("NUMBER", "NAME_BIRTH_AREA")}


async def test_who_left_or_whose_household_ended_is_no_candidate(commune: Commune) -> None:
    homes = [await commune.register(code=f"H{n}") for n in range(3)]
    gone = (await enter(commune, homes[0], **person()))["member"]["id"]
    await enter(commune, homes[1], **person())
    await leave(commune, homes[0], gone, reason="DEATH")
    ended = {"reason": "DISSOLVED", "on": "2023-10-01"}
    await commune.ask("POST", f"/v1/households/{homes[1]}/closure", 201, json=ended)

    entered = await enter(commune, homes[2], **person())

    assert entered["duplicates"] == []
    assert await duplicates(commune) == []


async def test_two_alike_in_one_list_are_told_once(commune: Commune) -> None:
    household = await commune.register()
    body = {"on": "2023-06-01", "members": [person(), child(), child()]}

    given = await commune.ask("PUT", f"/v1/households/{household}/members", json=body)

    [pair] = given["duplicates"]
    assert (pair["same_household"], pair["why"]) == (True, ["NAME_BIRTH_AREA"])


async def test_showing_somebody_elsewhere_is_on_record_there(commune: Commune, neighbour: Commune) -> None:
    here, there = await commune.register(), await neighbour.register()
    await enter(neighbour, there, **person())
    await enter(commune, here, **person(number=NUMBER))
    await duplicates(commune)

    told = (await neighbour.ask("GET", f"/v1/households/{there}/accesses"))["items"]

    assert [each["action"] for each in told].count("households.duplicates_read") == 2
