"""A number of households that is known as a range stays one in reports: every true share lies in what is shown."""

from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.reporting.conftest import Client, Tell
from tests.reporting.histories import END_2022, END_2023, decided, living_in, population, total
from tests.reporting.test_reports_of_a_situation import CHU_KREY, DISTRICT_COMMUNES, answer

from benvung.envelope import EventData
from reporting import domain
from reporting.domain import Population, Rate, Whole

numbers = st.integers(1, 500_000)
wholes = st.tuples(numbers, st.integers(0, 5_000)).map(lambda ends: Whole(ends[0], sum(ends)))
parts = st.integers(0, 100_000)
shares = st.fractions(0, 1)


def true_of(whole: Whole, share: Fraction) -> int:
    return whole.least + round((whole.most - whole.least) * share)


def holds(found: Rate | None, true: Fraction) -> bool:
    return found is not None and found.least <= true <= found.most


@given(parts, wholes, shares)
def test_whatever_the_true_number_is_its_share_lies_in_the_range(
    part: int, whole: Whole, share: Fraction
) -> None:
    true = Fraction(part, true_of(whole, share))

    found = domain.rate(part, whole)

    assert holds(found, true)
    shown = domain.percents(found)
    assert shown is not None
    assert shown.least <= domain.rounded(true * 100) <= shown.most
    assert whole.exact is None or shown.one is not None


@given(st.tuples(parts, wholes, shares), st.tuples(parts, wholes, shares))
def test_the_change_of_ranges_holds_every_true_change(
    later: tuple[int, Whole, Fraction], sooner: tuple[int, Whole, Fraction]
) -> None:
    (now, whole, first), (before, earlier, second) = later, sooner
    change = Fraction(now, true_of(whole, first)) - Fraction(before, true_of(earlier, second))
    assert holds(domain.rates_change((now, whole), (before, earlier), same=False), change)
    of_one = Fraction(now - before, true_of(whole, first))
    assert holds(domain.rates_change((now, whole), (before, whole), same=True), of_one)


@given(st.lists(st.tuples(wholes, shares), min_size=1, max_size=12))
def test_a_sum_of_communes_holds_the_sum_of_their_true_numbers(known: list[tuple[Whole, Fraction]]) -> None:
    communes = [Population(whole, None, END_2023, "BC") for whole, _ in known]

    found = domain.population_of(None, communes)

    assert found is not None
    assert found.households.least <= sum(true_of(*each) for each in known) <= found.households.most
    assert found.persons is None


async def one_poor_of(tell: Tell, *told: EventData) -> None:
    after, event = decided(living_in(CHU_KREY), "POOR", END_2022)
    await tell([event, decided(after, "POOR", END_2023)[1], *told])


async def commune(officer: Client, language: str = "vi") -> Any:
    client = await officer("630")
    asked = {"area": CHU_KREY, "on": str(END_2023)}
    return (await client.get("/v1/situation", params=asked, headers={"Accept-Language": language})).json()


async def test_a_share_of_a_range_is_a_range_in_numbers_and_words(tell: Tell, officer: Client) -> None:
    await one_poor_of(tell, population(CHU_KREY, 5, 20, END_2022), total(CHU_KREY, 5, 8, END_2023))

    found = await commune(officer)

    assert found["recorded"] is None
    assert (found["total"]["least"], found["total"]["most"]) == (5, 8)
    poor = found["classes"]["POOR"]
    assert poor["household_rate"] == {
        "percent": None,
        "text": "12,50–20,00 %",
        "least": "12.50",
        "most": "20.00",
    }
    assert poor["person_rate"]["percent"] is None
    assert (poor["change"]["points"], poor["change"]["least"], poor["change"]["most"]) == (
        None,
        "-7.50",
        "0.00",
    )
    assert "từ −7,50 điểm phần trăm đến 0,00 điểm phần trăm" in poor["change"]["text"]


async def test_a_number_known_exactly_without_persons_has_its_share(tell: Tell, officer: Client) -> None:
    await one_poor_of(tell, total(CHU_KREY, 8, 8, END_2023))

    found = await commune(officer, "en")

    assert (found["recorded"], found["total"]["least"]) == (None, 8)
    assert found["classes"]["POOR"]["household_rate"]["percent"] == "12.50"


async def test_a_later_population_holds_in_place_of_a_range_of_the_same_day(
    tell: Tell, officer: Client
) -> None:
    await one_poor_of(tell, total(CHU_KREY, 5, 8, END_2023), population(CHU_KREY, 10, 40, END_2023))

    found = await commune(officer)

    assert found["recorded"]["households"] == 10
    assert (found["total"]["least"], found["total"]["most"]) == (10, 10)


async def test_a_district_is_the_sum_of_ranges_on_page_and_sheet_too(tell: Tell, officer: Client) -> None:
    ranges = [total(code, 10, 12, END_2023) for code in DISTRICT_COMMUNES]
    await one_poor_of(tell, *ranges)
    client = await officer("630")

    found = await answer(client, "situation", area="630", on=END_2023)
    page = (await client.get("/", params={"area": "630", "on": str(END_2023)})).text
    sheet = await client.get("/v1/situation.csv", params={"area": "630", "on": str(END_2023)})

    assert (found["total"]["least"], found["total"]["most"]) == (140, 168)
    assert found["classes"]["POOR"]["household_rate"]["text"] == "0,60–0,71 %"
    assert "140–168" in page
    assert "0,60–0,71 %" in page
    assert "140–168" in sheet.text
