"""Who looks beyond their own area sees masked names and numbers in one place, and nothing anywhere else."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contracts.test_http import COMMUNE, FILLED, in_kong_chro
from tests.households.officer import OTHER, PROVINCE, Commune, SignIn
from tests.households.people import child, enter, person

from benvung import web
from benvung.testing import App, Bearer, Engine
from benvung.testing.tokens import EVERYTHING
from households.domain.masking import masked_name, masked_number

__all__ = ["in_kong_chro"]
HEAD, KID, NUMBER = "Quàng Thị Xuyến", "Vàng Văn Khoắn", "004185000777"
SEALED = ("TAY", "NORMAL", "ABLE", "Xuyến", "Khoắn", NUMBER)


@pytest.mark.parametrize(
    ("name", "seen"), [("Đinh Mới", "Đ*** M**"), ("Y  Ơ", "Y Ơ"), ("Đỗ Thị Hường", "Đ* T** H****"), ("", "")]
)
def test_a_name_is_its_first_letters(name: str, seen: str) -> None:
    assert masked_name(name) == seen


@given(st.text("0123456789", min_size=9, max_size=12))
def test_of_a_number_three_digits_are_seen(number: str) -> None:
    seen = masked_number(number)

    assert seen is not None
    assert (len(seen), seen[-3:], set(seen[:-3])) == (len(number), number[-3:], {"*"})


async def test_beyond_ones_area_people_are_found_masked_and_where_to_ask(
    commune: Commune, signed_in: SignIn
) -> None:
    home = await commune.register(head_name=HEAD)
    await enter(commune, home, **person(name=HEAD, number=NUMBER))
    await enter(commune, home, **child(name=KID))
    looker = Commune(commune.app, signed_in(OTHER), commune.folder, OTHER)

    [by_name] = await looker.ask("POST", "/v1/lookups", json={"name": "quang thi"})
    [by_number] = await looker.ask("POST", "/v1/lookups", json={"number": NUMBER})
    [own] = await commune.ask("POST", "/v1/lookups", json={"name": HEAD})
    one = await looker.ask("GET", f"/v1/lookups/{home}")

    assert by_name == by_number == one
    assert one["masked"] is True
    assert (one["commune"], one["head_name"]) == (commune.code, "Q**** T** X****")
    assert sorted((p["name"], p["birth_year"], p["number"]) for p in one["persons"]) == [
        ("Q**** T** X****", 1985, "*********777"),
        ("V*** V** K****", 2014, None),
    ]
    assert not any(each in str(one) for each in SEALED)
    assert (own["masked"], own["head_name"]) == (False, HEAD)
    assert {p["name"] for p in own["persons"]} == {HEAD, KID}


async def test_another_province_and_who_lacks_the_permission_find_nobody(
    commune: Commune, signed_in: SignIn
) -> None:
    home = await commune.register(head_name=HEAD)
    far = Commune(commune.app, signed_in("01"), commune.folder)
    nosy = Commune(commune.app, signed_in(PROVINCE, permissions=["households.read"]), commune.folder)

    assert await far.ask("POST", "/v1/lookups", json={"name": HEAD}) == []
    assert (await far.ask("GET", f"/v1/lookups/{home}", 404))["rule"] == "household-not-found"
    assert (await nosy.ask("POST", "/v1/lookups", 403, json={"name": HEAD}))["rule"] == "not-permitted"


@pytest.mark.usefixtures("in_kong_chro")
async def test_no_route_tells_a_name_a_number_or_what_is_sealed_outside_ones_area(
    app: App, engine: Engine, bearer: Bearer
) -> None:
    client = await app("households")
    real = await FILLED["households"](client, engine)
    told = await _everything(client, real, {})
    home = real["household_id"]
    listed = (await client.get(f"/v1/households/{home}/members")).json()["members"]
    secret = {(await client.get(f"/v1/households/{home}")).json()["head_name"]}
    secret |= {value for each in listed for value in (each["name"], each["number"]) if value}
    outside = await _everything(client, real, bearer(EVERYTHING, [OTHER]))

    seen = {path for path, text in told.items() if any(each in text for each in secret)}
    assert len(seen) >= 8, "the same routes do tell who is inside"
    assert [path for path, text in outside.items() if any(each in text for each in secret)] == []


async def _everything(client: Any, real: dict[str, Any], headers: dict[str, str]) -> dict[str, str]:
    """What each GET of the service answers, by its path."""
    found = {}
    asked = {
        "purpose": "POLICY",
        "subject": "HOUSEHOLD",
        "name": "dinh",
        "with": real.get("simulation_id", ""),
    }
    for path, route, _ in web.routes(client._transport.app):
        if not path.startswith("/v1") or "GET" not in (route.methods or ()) or "stream" in path:
            continue
        filled = re.sub(r"{(\w+)}", lambda m: str(real.get(m[1], COMMUNE)), path)
        answer = await client.get(
            filled, params=asked | ({"area": COMMUNE} if "lists" in path else {}), headers=headers
        )
        found[path] = answer.content.decode("utf-8", "ignore")
    return found
