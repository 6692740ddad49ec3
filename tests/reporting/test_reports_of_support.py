"""Eligibility, money and training: sums that are right on any day and no more exact than their parts."""

import datetime as dt
import random
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reporting.projections import FUNDING, after, disordered, relaxed

from benvung.testing import Engine, Transaction, deliver
from funding.events import BudgetAllocated, EligibilityChanged, PreviousAnswer
from reporting import store
from reporting.consumers import PROJECTORS
from training.domain import Form, Level, Qualifier
from training.events import ClassCompleted

Tell = Callable[..., Awaitable[None]]
Client = Callable[..., Awaitable[httpx2.AsyncClient]]

FIRST = dt.date(2022, 12, 31)
COMMUNES = ("23827", "23830")
Told = list[tuple[int, EligibilityChanged]]


def histories(seed: int) -> Told:
    """Answers of a few households, each from a day on which the one before was still the newest."""
    chance = random.Random(seed)
    told: Told = []
    newest: dict[tuple[int, str], EligibilityChanged] = {}
    for _ in range(chance.randint(0, 25)):
        household, product = chance.randint(0, 2), chance.choice(["POOR", "NEWLY_ESCAPED"])
        last = newest.get((household, product))
        start = last.valid_from if last else FIRST
        day = start + dt.timedelta(days=chance.choice([0, 0, 30, 100, 400]))
        eligible = chance.random() < (0.3 if last and last.status == "ELIGIBLE" else 0.9)
        window = product == "NEWLY_ESCAPED" and eligible
        event = EligibilityChanged(
            province="64",
            commune=chance.choice(COMMUNES),
            revision=last.revision + 1 if last else 1,
            household_id=uuid.UUID(int=household),
            product=product,
            status="ELIGIBLE" if eligible else "NOT_ELIGIBLE",
            valid_from=day,
            valid_to=day + dt.timedelta(days=chance.choice([50, 300])) if window else None,
            reason="ON_POOR_LIST",
            article="Điều 1",
            rule_version="1",
            poverty_class="POOR",
            source_sequence=len(told) + 1,
            previous=last and previous(last),
        )
        newest[household, product] = event
        told.append((len(told) + 1, event))
    return told


def previous(answer: EligibilityChanged) -> PreviousAnswer:
    return PreviousAnswer(
        status=answer.status,
        commune=answer.commune,
        valid_from=answer.valid_from,
        valid_to=answer.valid_to,
    )


def eligible_on(told: Told, commune: str, product: str, on: dt.date) -> int:
    """How many households may borrow, by the newest answer that holds from that day or before."""
    in_force: dict[uuid.UUID, EligibilityChanged] = {}
    for _, answer in told:
        if answer.product == product and answer.valid_from <= on:
            in_force[answer.household_id] = answer
    return sum(
        answer.status == "ELIGIBLE"
        and answer.commune == commune
        and (answer.valid_to is None or on < answer.valid_to)
        for answer in in_force.values()
    )


@relaxed
@given(seed=st.integers(0, 2**32))
async def test_the_count_is_right_on_every_day(transaction: Transaction, seed: int) -> None:
    conn = await transaction("reporting")
    told = histories(seed)
    savepoint = await conn.begin_nested()
    await deliver(conn, FUNDING, told)

    days = {FIRST + dt.timedelta(days=days) for days in (0, 29, 30, 31, 100, 350, 500, 1500)}
    days |= {answer.valid_from for _, answer in told} | {
        answer.valid_to for _, answer in told if answer.valid_to
    }
    for on in sorted(days):
        found = await store.eligibility(conn, COMMUNES, on, on)
        for commune in COMMUNES:
            for product in ("POOR", "NEWLY_ESCAPED"):
                one = found.get(commune, {}).get(product)
                assert (one.households if one else 0) == eligible_on(told, commune, product, on)
    last = max(days)
    found = await store.eligibility(conn, COMMUNES, last, FIRST - dt.timedelta(days=1))
    for one in (each for products in found.values() for each in products.values()):
        assert one.entries - one.exits == one.households
        assert min(one.entries, one.exits) >= 0
    states = await store.products_from_states(conn, COMMUNES, last)
    counted = await store.products_from_counts(conn, COMMUNES, last)
    assert states == {
        commune: held
        for commune, products in counted.items()
        if (held := {product: number for product, number in products.items() if number})
    }

    await savepoint.rollback()


@relaxed
@given(seed=st.integers(0, 2**32))
async def test_eligibility_in_any_order(transaction: Transaction, seed: int) -> None:
    conn = await transaction("reporting")
    told = histories(seed)

    in_order = await after(conn, FUNDING, iter([told]))

    assert await after(conn, FUNDING, ([one] for one in told)) == in_order
    assert await after(conn, FUNDING, disordered(told, seed)) == in_order


def answered(
    household: int, day: dt.date, status: str, before: EligibilityChanged | None = None
) -> EligibilityChanged:
    return EligibilityChanged(
        province="64",
        commune="23827",
        revision=before.revision + 1 if before else 1,
        household_id=uuid.UUID(int=household),
        product="POOR",
        status=status,
        valid_from=day,
        valid_to=None,
        reason="ON_POOR_LIST",
        article="Điều 1",
        rule_version="1",
        poverty_class="POOR",
        source_sequence=1,
        previous=before and previous(before),
    )


async def test_who_came_and_who_went(tell: Tell, officer: Client) -> None:
    stays, leaves = answered(1, FIRST, "ELIGIBLE"), answered(2, FIRST, "ELIGIBLE")
    end = dt.date(2023, 12, 31)
    await tell([stays, leaves, answered(2, end, "NOT_ELIGIBLE", leaves), answered(3, end, "ELIGIBLE")])

    client = await officer("630")
    found = await client.get(
        "/v1/eligibility", params={"area": "630", "on": "2024-01-24", "since": FIRST.isoformat()}
    )
    before = await client.get("/v1/eligibility", params={"area": "630", "on": FIRST.isoformat()})

    assert found.json()["products"]["POOR"] == {
        "label": "Cho vay hộ nghèo",
        "households": 2,
        "entries": 1,
        "exits": 1,
    }
    assert before.json()["products"]["POOR"]["households"] == 2


def line(area: str, project: str, capital_type: str, million: int) -> BudgetAllocated:
    return BudgetAllocated(
        province="64",
        commune=area if len(area) == 5 else None,
        revision=1,
        allocation_id=uuid.uuid4(),
        area=area,
        year=2023,
        origin_year=2023,
        programme="NTP_SPR_2021_2025",
        project=project,
        capital_type=capital_type,
        source="CENTRAL_BUDGET",
        amount_dong=million * 1_000_000,
        decision_number="121/QĐ-UBND",
        decided_on=dt.date(2023, 2, 1),
    )


async def test_the_money_of_kong_chro(tell: Tell, officer: Client) -> None:
    await tell(
        [
            line("630", "DA1.1", "INVESTMENT", 40_000),
            line("630", "DA4.1", "INVESTMENT", 14_532),
            line("630", "DA2", "RECURRENT", 28_269),
            # A commune's part of the district's money is not counted a second time.
            line("23827", "DA2", "RECURRENT", 500),
        ]
    )
    client = await officer("64")

    found = (await client.get("/v1/money", params={"area": "630", "year": 2023})).json()
    above = (await client.get("/v1/money", params={"area": "64", "year": 2023})).json()

    assert found["total_dong"] == 82_801_000_000
    assert found["total_text"] == "82.801 triệu đồng"
    assert {kind: part["text"] for kind, part in found["by_capital_type"].items()} == {
        "INVESTMENT": "54.532 triệu đồng",
        "RECURRENT": "28.269 triệu đồng",
    }
    assert (found["basis"], above["basis"]) == ("OWN", "BELOW")
    assert above["total_dong"] == found["total_dong"]


def held(area: str, participants: int, qualifier: str) -> ClassCompleted:
    return ClassCompleted(
        province="64",
        commune=area if len(area) == 5 else None,
        revision=2,
        class_id=uuid.uuid4(),
        area=area,
        project="DA7.1",
        form=Form.CONFERENCE,
        held_on=dt.date(2023, 5, 3),
        ended_on=dt.date(2023, 5, 4),
        participants=participants,
        count_qualifier=Qualifier(qualifier),
        topics=["90/QĐ-TTg"],
        organiser_level=Level.DISTRICT,
    )


async def total_of(told: Sequence[ClassCompleted], tell: Tell, officer: Client) -> dict[str, Any]:
    await tell(told)
    found = (await (await officer("64")).get("/v1/training", params={"area": "64", "year": 2023})).json()
    total: dict[str, Any] = found["total"]
    assert found["projects"]["DA7.1"] == total
    return total


async def test_more_than_200_and_54_are_at_least_254(tell: Tell, officer: Client) -> None:
    total = await total_of([held("630", 200, "GREATER"), held("23827", 54, "EXACT")], tell, officer)

    assert total == {
        "classes": 2,
        "participants": 254,
        "qualifier": "AT_LEAST",
        "exact": 54,
        "text": "ít nhất 254",
    }


async def test_exact_counts_add_up_exactly(tell: Tell, officer: Client) -> None:
    total = await total_of([held("630", 20, "EXACT"), held("630", 54, "EXACT")], tell, officer)

    assert (total["qualifier"], total["text"]) == ("EXACT", "74")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["as told", "late"])
async def test_a_class_that_is_told_again_counts_where_it_was_told_last(
    engine: Engine, officer: Client, order: Sequence[int]
) -> None:
    first = held("23827", 54, "EXACT")
    again = first.model_copy(update={"area": "23830", "commune": "23830", "revision": 3})
    training = next(each for each in PROJECTORS if each.stream == "TRAINING")
    told = [(5, first), (9, again)]
    async with engine("reporting").begin() as conn:
        await deliver(conn, training, [told[each] for each in order])
    client = await officer("64")

    found = {}
    for area in ("64", "23827", "23830"):
        asked = {"area": area, "year": 2023}
        found[area] = (await client.get("/v1/training", params=asked)).json()["total"]["classes"]
    assert found == {"64": 1, "23827": 0, "23830": 1}


async def test_about_makes_the_sum_about(tell: Tell, officer: Client) -> None:
    total = await total_of([held("630", 200, "GREATER"), held("630", 3000, "ABOUT")], tell, officer)

    assert (total["qualifier"], total["text"]) == ("ABOUT", "khoảng 3.200")
