"""The situation of an area: counts, shares, the change, and what has no denominator."""

import datetime as dt
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from tests.reporting.histories import END_2022, END_2023, decided, living_in, population

from benvung import clock
from benvung.envelope import EventData
from reporting import domain
from reporting.domain import Percent, Population, Whole

Tell = Callable[..., Awaitable[None]]
Client = Callable[..., Awaitable[httpx2.AsyncClient]]

TOWN, CHU_KREY = "23824", "23827"
DISTRICT_COMMUNES = [
    "23824",
    "23827",
    "23830",
    "23833",
    "23836",
    "23839",
    "23840",
    "23842",
    "23843",
    "23845",
    "23846",
    "23848",
    "23851",
    "23854",
]


def two_years() -> list[EventData]:
    """Ten households in two communes; three of four poor ones of 2022 are poor at the end of 2023."""
    told: list[EventData] = []
    stays, rises, moves_up = living_in(CHU_KREY), living_in(CHU_KREY, 5), living_in(TOWN, 3)
    homes = [stays, rises, moves_up, living_in(TOWN, 6)]
    second = ("POOR", "NEAR_POOR", "POOR", "POOR")
    for state, later in zip(homes, second, strict=True):
        after, event = decided(state, "POOR", END_2022)
        told.append(event)
        told.append(decided(after, later, END_2023)[1])
    told += [
        population(CHU_KREY, 6, 25, END_2022),
        population(TOWN, 4, 20, END_2022),
        population(CHU_KREY, 5, 24, END_2023),
    ]
    return told


async def answer(client: httpx2.AsyncClient, path: str, **params: Any) -> Any:
    response = await client.get(f"/v1/{path}", params=params)
    assert response.status_code == 200, response.text
    return response.json()


async def test_kong_chro_fell_by_5_91_points() -> None:
    whole = Whole(12836, 12836)
    change = domain.rates_change((4336, whole), (5095, whole), same=False)

    assert domain.percents(domain.rate(5095, whole)) == exactly("39.69")
    assert domain.percents(domain.rate(4336, whole)) == exactly("33.78")
    assert domain.percents(change) == exactly("-5.91")


def exactly(percent: str) -> Percent:
    return Percent(Decimal(percent), Decimal(percent))


@pytest.mark.parametrize(
    ("now", "before", "points"),
    [
        ((10005, 100_000), (0, 100_000), "10.01"),
        ((0, 100_000), (10005, 100_000), "-10.01"),
        # Rounded rates would differ by 0.34; the difference of the unrounded ones is 0.33.
        ((333_796, 10**6), (33_046, 10**5), "0.33"),
    ],
)
async def test_the_unrounded_difference_is_rounded(
    now: tuple[int, int], before: tuple[int, int], points: str
) -> None:
    later, earlier = ((part, Whole(whole, whole)) for part, whole in (now, before))
    assert domain.percents(domain.rates_change(later, earlier, same=False)) == exactly(points)


async def test_a_commune_has_its_households_its_share_and_its_change(tell: Tell, officer: Client) -> None:
    await tell(two_years())

    found = await answer(await officer("630"), "situation", area=CHU_KREY, on=END_2023)

    poor = found["classes"]["POOR"]
    assert (poor["households"], poor["persons"]) == (1, 4)
    assert poor["household_rate"] == {
        "percent": "20.00",
        "text": "20,00 %",
        "least": "20.00",
        "most": "20.00",
    }
    assert poor["person_rate"]["percent"] == "16.67"
    assert poor["change"]["points"] == "-13.33"
    assert poor["change"]["text"] == "giảm 13,33 điểm phần trăm so với 31/12/2022"
    assert found["classes"]["NEAR_POOR"]["persons"] == 5
    assert found["recorded"]["households"] == 5
    assert [source["decision_number"] for source in found["sources"]] == ["12/QĐ-UBND", "12/QĐ-UBND"]


async def test_the_figures_after_the_year_are_still_compared_with_the_list_before(
    tell: Tell, officer: Client
) -> None:
    await tell(two_years())

    found = await answer(await officer("630"), "situation", area=CHU_KREY, on="2024-01-24")

    assert found["compared_with"] == "2022-12-31"
    assert found["classes"]["POOR"]["change"]["households"] == -1


async def test_any_earlier_day_can_be_asked(tell: Tell, officer: Client) -> None:
    await tell(two_years())
    client = await officer("630")

    middle = await answer(client, "situation", area=CHU_KREY, on="2023-06-30")
    before = await answer(client, "situation", area=CHU_KREY, on="2022-12-30")

    assert middle["classes"]["POOR"]["households"] == 2
    assert before["classes"]["POOR"]["households"] == 0
    assert before["recorded"] is None


async def test_without_a_recorded_population_there_is_no_share(tell: Tell, officer: Client) -> None:
    await tell(two_years())
    client = await officer("630")

    district = await answer(client, "situation", area="630", on=END_2023)
    english = await client.get("/v1/situation", params={"area": "630"}, headers={"Accept-Language": "en"})

    poor = district["classes"]["POOR"]
    assert district["recorded"] is None
    assert poor["households"] == 3
    assert poor["household_rate"] == {
        "percent": None,
        "text": "chưa có mẫu số",
        "least": None,
        "most": None,
    }
    assert poor["change"]["points"] is None
    assert english.json()["classes"]["POOR"]["household_rate"]["text"] == "no denominator recorded"


async def test_a_district_is_the_sum_of_its_communes_when_all_are_recorded(
    tell: Tell, officer: Client
) -> None:
    await tell(two_years())
    await tell([population(code, 10, 40, END_2023) for code in DISTRICT_COMMUNES])

    found = await answer(await officer("630"), "situation", area="630", on=END_2023)

    assert found["recorded"]["households"] == 140
    assert found["recorded"]["communes_added"] == 14
    assert found["classes"]["POOR"]["household_rate"]["percent"] == "2.14"


def of(households: int, as_of: dt.date) -> Population:
    return Population(Whole(households, households), households * 4, as_of, "NGTK")


@pytest.mark.parametrize(
    ("own", "parts", "households"),
    [
        (None, [of(5, END_2023), None], None),
        (of(99, END_2022), [of(5, END_2023), None], 99),
        (of(99, END_2022), [of(5, END_2023), of(6, END_2023)], 11),
        (of(99, END_2023), [of(5, END_2023), of(6, END_2023)], 99),
        (of(99, END_2022), [of(5, END_2022), of(6, END_2023)], 99),
        (None, [], None),
    ],
)
async def test_the_more_recent_of_own_record_and_sum_is_the_denominator(
    own: Population | None, parts: list[Population | None], households: int | None
) -> None:
    found = domain.population_of(own, parts)

    assert (found.households.exact if found else None) == households


async def test_preliminary_results_stand_apart(tell: Tell, officer: Client) -> None:
    state, official = decided(living_in(CHU_KREY), "POOR", END_2022)
    guessed, first = decided(state, "NEAR_POOR", dt.date(2023, 11, 1), stage="PRELIMINARY")
    _, second = decided(guessed, "NOT_POOR", dt.date(2023, 11, 9), stage="PRELIMINARY")
    await tell([official, first, second])
    client = await officer("630")

    now = await answer(client, "situation", area=CHU_KREY, on="2023-11-20")
    guess = await answer(client, "situation", area=CHU_KREY, on="2023-11-20", stage="PRELIMINARY")

    def counted(found: Any) -> dict[str, int]:
        return {code: one["households"] for code, one in found["classes"].items() if one["households"]}

    assert counted(now) == {"POOR": 1}
    assert counted(guess) == {"NOT_POOR": 1}
    assert (guess["stage_label"], guess["compared_with"]) == ("sơ bộ", None)


async def test_years_begin_with_the_first_official_list(tell: Tell, officer: Client) -> None:
    await tell(two_years())

    found = await answer(await officer("630"), "trend", area=CHU_KREY, on="2024-01-24")

    assert [
        (point["on"], point["classes"]["POOR"]["households"], point["rates"]["POOR"]["percent"])
        for point in found["points"]
    ] == [("2022-12-31", 2, "33.33"), ("2023-12-31", 1, "20.00"), ("2024-01-24", 1, "20.00")]


async def test_communes_add_up_to_the_total(tell: Tell, officer: Client) -> None:
    await tell(two_years())

    found = await answer(await officer("64"), "situation/communes", area="630", on=END_2023)

    parts = [row["classes"]["POOR"] for row in found["communes"]]
    assert len(parts) == 14
    assert sum(part["households"] for part in parts) == found["total"]["classes"]["POOR"]["households"] == 3
    assert sum(part["persons"] for part in parts) == found["total"]["classes"]["POOR"]["persons"] == 13


async def test_movement_forms_close_and_are_grouped(tell: Tell, officer: Client) -> None:
    await tell(two_years())

    found = await answer(await officer("630"), "movements", area="630", year=2023)

    poor = found["forms"][0]
    assert (found["closes"], found["faults"]) == (True, [])
    assert [(group["label"], len(group["lines"])) for group in poor["groups"]] == [
        ("Khu vực thành thị", 1),
        ("Khu vực nông thôn", 13),
    ]
    assert [cell["households"] for cell in poor["total"]] == [4, 1, 0, 0, 0, 0, 0, 0, 3]
    assert [cell["persons"] for cell in poor["total"]] == [18, 5, 0, 0, 0, 0, 0, 0, 13]


async def test_verify_counts_three_ways(tell: Tell, officer: Client) -> None:
    await tell(two_years())

    found = await answer(await officer("630"), "verify", area="630")

    assert found["agree"] is True
    assert found["differences"] == []
    assert found["total"]["POOR"] == found["facts_total"]["POOR"] == {"households": 3, "persons": 13}
    assert found["counts_total"] == found["total"]


async def test_after_the_districts_a_commune_is_the_unit_that_has_its_code_then(
    tell: Tell, officer: Client
) -> None:
    on = dt.date(2026, 6, 1)
    clock.fix(on)
    old, new = decided(living_in("23824"), "POOR", END_2023)[1], decided(living_in("23827"), "POOR", on)[1]
    await tell([old, new])
    client = await officer("52")

    now = await answer(client, "situation", area="52")
    district = await client.get("/v1/situation", params={"area": "630"})
    then = await client.get("/v1/situation", params={"area": "23824", "on": END_2023.isoformat()})

    assert now["area"]["level"] == "PROVINCE"
    assert district.status_code == 404
    # What the town of that code became lies in the province: whoever is responsible reads what was before.
    assert then.status_code == 200
    stranger = await officer("23827")
    assert (
        await stranger.get("/v1/situation", params={"area": "23827", "on": "2023-12-31"})
    ).status_code == 403
