"""How many households an area has: a range stays a range, and a sum of ranges lies between the sums of their ends."""

import datetime as dt
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.households.officer import Commune, SignIn

from benvung import areas, clock
from benvung.testing import Engine, emitted
from households.domain import Refused
from households.domain.totals import Total, check_total, sum_of
from households.events import TotalRecorded

SOURCE = "12/BC-UBND"
AFTER = dt.date(2026, 3, 1)

ranges = st.lists(st.integers(0, 3_000_000), min_size=2, max_size=2).map(lambda ends: Total(*sorted(ends)))


@given(st.lists(st.tuples(ranges, st.floats(0, 1)), max_size=40))
def test_whatever_the_true_numbers_are_their_sum_lies_in_the_sum_of_the_ranges(
    parts: list[tuple[Total, float]],
) -> None:
    true = [each.least + round((each.most - each.least) * share) for each, share in parts]

    found = sum_of(each for each, _ in parts)

    assert found.least <= sum(true) <= found.most
    assert found.least == sum(each.least for each, _ in parts), "and no narrower range holds it"
    assert found.most == sum(each.most for each, _ in parts)


@given(st.lists(ranges, max_size=20), st.integers(0, 20))
def test_it_does_not_matter_which_areas_are_added_first(parts: list[Total], at: int) -> None:
    assert sum_of([sum_of(parts[:at]), sum_of(parts[at:])]) == sum_of(parts)
    assert (sum_of(parts).exact is not None) is all(each.exact is not None for each in parts)


def test_a_range_that_ends_below_its_beginning_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        check_total(2, 1)
    assert (refused.value.rule, refused.value.field) == ("total-implausible", "body.most")
    assert check_total(2, 2).exact == 2


@pytest.fixture(autouse=True)
def units_as_listed() -> Iterator[None]:
    areas.learn(())
    clock.fix(dt.date(2025, 1, 24))
    yield
    clock.fix(None)
    areas.learn(())


@pytest.fixture
def country(commune: Commune, signed_in: SignIn) -> Commune:
    """Somebody of the whole country."""
    return Commune(commune.app, signed_in("VN"), commune.folder)


async def record(who: Commune, area: str, least: int, most: int, day: str = "2023-12-31") -> str:
    body = {"least": least, "most": most, "as_of": day, "source": SOURCE}
    return str((await who.ask("POST", f"/v1/areas/{area}/household-totals", 201, json=body))["total_id"])


async def total(
    who: Commune, area: str, on: str = "2023-12-31", geography: str = "then"
) -> dict[str, object]:
    query = {"on": on, "geography": geography}
    found: dict[str, object] = await who.ask("GET", f"/v1/areas/{area}/household-total", params=query)
    return found


async def test_a_range_is_told_and_given_back_as_it_was_recorded(country: Commune, engine: Engine) -> None:
    made = await record(country, "64", 387_943, 388_366)

    kept = await country.ask("GET", f"/v1/household-totals/{made}")
    found = await total(country, "64")

    assert (kept["least"], kept["most"], kept["level"]) == (387_943, 388_366, "PROVINCE")
    assert (found["households"], found["least"], found["most"]) == (None, 387_943, 388_366)
    async with engine("households").connect() as conn:
        [told] = await emitted(conn, TotalRecorded)
    assert (told.area, told.least, told.most, told.commune) == ("64", 387_943, 388_366, None)


async def test_the_newest_record_of_the_day_holds_whether_a_range_or_not(country: Commune) -> None:
    await record(country, "64", 10, 20, "2022-12-31")
    await record(country, "64", 30, 40)
    persons = {"households": 35, "persons": 140, "as_of": "2023-12-31", "source": SOURCE}
    await country.ask("POST", "/v1/areas/64/population", 201, json=persons)

    assert (await total(country, "64"))["households"] == 35
    assert (await total(country, "64", "2023-06-30"))["most"] == 20
    assert (await total(country, "64", "2021-06-30"))["missing"] == ["64"]


async def test_a_province_is_the_sum_of_its_parts_or_says_which_are_missing(country: Commune) -> None:
    districts = [each.code for each in areas.children("64", dt.date(2023, 12, 31))]
    for number, district in enumerate(districts[1:], start=1):
        await record(country, district, number, 2 * number)

    missing = await total(country, "64")
    await record(country, districts[0], 5, 5)
    found = await total(country, "64")

    assert (missing["least"], missing["missing"]) == (None, [districts[0]])
    number = sum(range(1, len(districts)))
    assert (found["least"], found["most"]) == (number + 5, 2 * number + 5)


async def test_two_provinces_that_became_one_have_the_sum_of_their_ranges(country: Commune) -> None:
    await record(country, "64", 387_943, 388_366)
    await record(country, "52", 440_528, 441_991)
    clock.fix(AFTER)
    await record(country, "52", 900_000, 900_000, "2025-12-31")

    assert (await total(country, "52"))["most"] == 441_991, "the code of the new province was the old one's"
    found = await total(country, "52", geography="now")
    assert (found["least"], found["most"]) == (828_471, 830_357)
    assert (found["missing"], found["divided"]) == ([], [])
    assert (await total(country, "52", "2025-12-31", "now"))["households"] == 900_000
    assert (await total(country, "52", "2025-08-01"))["missing"] == ["52"], (
        "an old record is not the new one's"
    )


async def test_of_a_divided_commune_nobody_said_how_many_live_in_which_part(country: Commune) -> None:
    clock.fix(AFTER)
    parts = areas.became(areas.find("21634", dt.date(2023, 12, 31)) or pytest.fail(), AFTER)
    assert len(parts) > 1
    await record(country, "52", 440_528, 441_991)

    found = await total(country, parts[0].code, geography="now")

    assert (found["least"], found["divided"]) == (None, ["21634"])


async def test_a_figure_is_for_who_is_responsible_for_the_whole_area(
    commune: Commune, country: Commune
) -> None:
    made = await record(country, "64", 10, 20)
    body = {"least": 1, "most": 2, "as_of": "2023-12-31", "source": SOURCE}

    await commune.ask("POST", "/v1/areas/64/household-totals", 403, json=body)
    await commune.ask("GET", f"/v1/household-totals/{made}", 404)
    await commune.ask("GET", "/v1/areas/64/household-total", 404)
    await country.ask("POST", "/v1/areas/99/household-totals", 404, json=body)
    await country.ask("GET", "/v1/areas/99/household-total", 404)
    wrong = await country.ask("POST", "/v1/areas/64/household-totals", 422, json=body | {"least": 3})
    assert wrong["rule"] == "total-implausible"
