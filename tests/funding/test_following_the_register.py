"""Eligibility follows the register's events, whatever order and however often they come."""

import datetime as dt
import random
import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.testing import Transaction, deliver, emitted
from funding.consumers import PROJECTORS
from funding.events import EligibilityChanged

D = dt.date
FUNDING = PROJECTORS[0]
END_2022, END_2023 = D(2022, 12, 31), D(2023, 12, 31)


async def answers(conn: AsyncConnection, household_id: uuid.UUID) -> dict[str, tuple[Any, ...]]:
    rows = await conn.execute(
        sa.text(
            "select product, status, valid_from, valid_to, reason, revision from eligibility"
            " where household_id = :id order by product"
        ),
        {"id": household_id},
    )
    return {row[0]: tuple(row[1:]) for row in rows}


async def tell(conn: AsyncConnection, *events: Any) -> list[EligibilityChanged]:
    """Deliver events and return what was announced because of them."""
    before = len(await emitted(conn, EligibilityChanged))
    await deliver(conn, FUNDING, list(events))
    return (await emitted(conn, EligibilityChanged))[before:]


async def test_entry_and_exit_of_a_household_that_escapes(transaction: Transaction, register: Any) -> None:
    conn = await transaction("funding")
    household, registered = register.register()
    entered = await tell(conn, registered, register.classify(household, "POOR", END_2022))
    escaped = await tell(conn, register.classify(household, "NOT_POOR", END_2023))

    assert [(each.product, each.status, each.revision, each.previous) for each in entered] == [
        ("POOR", "ELIGIBLE", 1, None)
    ]
    assert {(each.product, each.status) for each in escaped} == {
        ("POOR", "NOT_ELIGIBLE"),
        ("NEWLY_ESCAPED", "ELIGIBLE"),
    }
    left = next(each for each in escaped if each.product == "POOR")
    assert left.previous is not None
    assert (left.previous.status, left.previous.valid_from) == ("ELIGIBLE", END_2022)
    assert await answers(conn, household) == {
        "POOR": ("NOT_ELIGIBLE", END_2023, None, "NOT_ON_POOR_LIST", 2),
        "NEWLY_ESCAPED": ("ELIGIBLE", END_2023, D(2026, 12, 31), "LEFT_LIST_WITHIN_WINDOW", 1),
    }


async def test_limit_rate_article_and_rule_version_are_stored(
    transaction: Transaction, register: Any
) -> None:
    conn = await transaction("funding")
    household, registered = register.register()
    await tell(conn, registered, register.classify(household, "NEAR_POOR", END_2022))

    for table in ("eligibility", "eligibility_history"):
        row = (
            await conn.execute(
                sa.text(
                    f"select limit_dong, rate_percent, article, rule_version, sequence from {table}"
                    " where household_id = :id"
                ),
                {"id": household},
            )
        ).one()
        assert row[0] == 100_000_000
        assert float(row[1]) == 7.92
        assert row[2] == "Quyết định 15/2013/QĐ-TTg, Điều 1"
        assert row[3] == "funding-eligibility-1"
        assert row[4] == 2


async def test_a_preliminary_result_changes_nothing(transaction: Transaction, register: Any) -> None:
    conn = await transaction("funding")
    household, registered = register.register()
    await tell(conn, registered, register.classify(household, "POOR", END_2022))
    before = await everything(conn)

    told = await tell(conn, register.classify(household, "NOT_POOR", D(2023, 11, 15), "PRELIMINARY"))

    assert told == []
    assert (await everything(conn))["eligibility"] == before["eligibility"]
    assert (await everything(conn))["eligibility_history"] == before["eligibility_history"]


async def test_a_first_preliminary_result_opens_nothing(transaction: Transaction, register: Any) -> None:
    conn = await transaction("funding")
    household, registered = register.register()

    told = await tell(conn, registered, register.classify(household, "POOR", D(2022, 11, 15), "PRELIMINARY"))

    assert told == []
    assert await answers(conn, household) == {}


async def test_a_confirmed_class_is_no_news(transaction: Transaction, register: Any) -> None:
    conn = await transaction("funding")
    household, registered = register.register()
    await tell(conn, registered, register.classify(household, "POOR", END_2022))

    assert await tell(conn, register.classify(household, "POOR", END_2023)) == []


async def test_from_poor_to_near_poor_changes_the_product_only(
    transaction: Transaction, register: Any
) -> None:
    conn = await transaction("funding")
    household, registered = register.register()
    await tell(conn, registered, register.classify(household, "POOR", END_2022))
    told = await tell(conn, register.classify(household, "NEAR_POOR", END_2023))

    assert {(each.product, each.status) for each in told} == {
        ("POOR", "NOT_ELIGIBLE"),
        ("NEAR_POOR", "ELIGIBLE"),
    }


async def test_a_relapse_ends_the_window(transaction: Transaction, register: Any) -> None:
    conn = await transaction("funding")
    household, registered = register.register()
    await tell(
        conn,
        registered,
        register.classify(household, "NEAR_POOR", END_2022),
        register.classify(household, "NOT_POOR", END_2023),
    )
    told = await tell(conn, register.classify(household, "POOR", D(2024, 12, 31)))

    assert {(each.product, each.status, each.reason) for each in told} == {
        ("POOR", "ELIGIBLE", "ON_POOR_LIST"),
        ("NEWLY_ESCAPED", "NOT_ELIGIBLE", "STILL_ON_LIST"),
    }


async def test_a_move_inside_the_province_is_told_to_both_places(
    transaction: Transaction, register: Any
) -> None:
    conn = await transaction("funding")
    household, registered = register.register(commune="23827")
    await tell(conn, registered, register.classify(household, "POOR", END_2022))

    told = await tell(conn, *register.move(household, "23830", D(2023, 6, 1)))

    assert [(each.product, each.status, each.commune) for each in told] == [("POOR", "ELIGIBLE", "23830")]
    assert told[0].previous is not None
    assert told[0].previous.commune == "23827"


async def test_a_household_that_leaves_or_ends_loses_everything(
    transaction: Transaction, register: Any
) -> None:
    conn = await transaction("funding")
    for end, reason in ((register.leave, "HOUSEHOLD_LEFT"), (register.close, "HOUSEHOLD_CLOSED")):
        household, registered = register.register()
        await tell(conn, registered, register.classify(household, "POOR", END_2022))
        told = await tell(conn, end(household, D(2023, 7, 1)))

        assert [(each.status, each.reason, each.valid_from) for each in told] == [
            ("NOT_ELIGIBLE", reason, D(2023, 7, 1))
        ]


async def test_revisions_count_what_was_announced_without_a_gap(
    transaction: Transaction, register: Any
) -> None:
    conn = await transaction("funding")
    household, registered = register.register()
    classes = ["POOR", "NOT_POOR", "POOR", "POOR", "NEAR_POOR", "POOR"]
    told = await tell(
        conn,
        registered,
        *(register.classify(household, each, D(2015 + n, 12, 31)) for n, each in enumerate(classes)),
    )

    for product in ("POOR", "NEAR_POOR", "NEWLY_ESCAPED"):
        revisions = [each.revision for each in told if each.product == product]
        assert revisions == list(range(1, len(revisions) + 1))
    assert len({each.source_sequence for each in told}) == 5


TABLES = {
    "household_states": "select * from household_states order by household_id",
    # Which of several events with the same answer wrote it, and how often it was told, is bookkeeping.
    "eligibility": "select to_jsonb(eligibility) - 'sequence' - 'revision' from eligibility"
    " order by household_id, product",
    "eligibility_history": "select * from eligibility_history order by household_id, sequence",
}


async def everything(conn: AsyncConnection) -> dict[str, list[Any]]:
    return {name: list(await conn.execute(sa.text(query))) for name, query in TABLES.items()}


def random_history(register: Any, draw: random.Random, households: int, changes: int) -> list[Any]:
    """Events of a few households over ten years, as a register would send them."""
    events, ids = [], []
    for _ in range(households):
        household, registered = register.register(draw.choice(["23827", "23830"]))
        ids.append(household)
        events.append(registered)
    day = D(2015, 6, 1)
    for _ in range(changes):
        day += dt.timedelta(days=draw.randint(1, 400))
        household = draw.choice(ids)
        if register.households[household].status != "ACTIVE":
            continue
        kind = draw.random()
        if kind < 0.1:
            events += register.move(household, draw.choice(["23827", "23830", "23833"]), day)
        elif kind < 0.15:
            events.append(draw.choice([register.leave, register.close])(household, day))
        else:
            poverty_class = draw.choice(["POOR", "NEAR_POOR", "AVERAGE_LIVING", "NOT_POOR"])
            stage = "PRELIMINARY" if kind < 0.3 else "OFFICIAL"
            events.append(register.classify(household, poverty_class, day, stage))
    return events


def split(events: Sequence[Any], draw: random.Random) -> list[list[Any]]:
    batches, rest = [], list(events)
    while rest:
        size = draw.randint(1, 6)
        batches.append(rest[:size])
        rest = rest[size:]
    return batches


@given(seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_disorder_repetition_and_batches_end_in_the_same_rows(
    seed: int, transaction: Transaction, new_register: Any
) -> None:
    draw = random.Random(seed)
    events = random_history(new_register(), draw, households=3, changes=draw.randint(1, 14))
    shuffled = events + draw.choices(events, k=len(events) // 2)
    draw.shuffle(shuffled)
    conn = await transaction("funding")
    ends = []
    for batches in ([[each] for each in events], split(events, draw), split(shuffled, draw)):
        point = await conn.begin_nested()
        for batch in batches:
            await deliver(conn, FUNDING, batch)
        told = await emitted(conn, EligibilityChanged)
        state = await everything(conn)
        assert await tell(conn, *shuffled) == []
        assert await everything(conn) == state
        ends.append((state, told))
        await point.rollback()
    one_by_one, in_batches, in_disorder = ends
    assert in_batches == one_by_one
    assert in_disorder[0] == one_by_one[0]
    assert settled(in_disorder[1]) <= settled(one_by_one[1])


def settled(told: Sequence[EligibilityChanged]) -> set[tuple[uuid.UUID, str]]:
    """Which answers were ever announced."""
    return {(each.household_id, each.product) for each in told}
