"""One decision in one commune: what it does to the household, its history, and what the world is told."""

from typing import Any

import pytest
import sqlalchemy as sa
from tests.households.officer import Commune

from benvung.testing import Engine, emitted
from households.events import HouseholdClassified, HouseholdRegistered, ReviewClosed, ReviewOpened


async def told(engine: Engine, kind: Any) -> list[Any]:
    async with engine("households").connect() as conn:
        return await emitted(conn, kind)


async def test_a_household_that_scores_below_the_line_with_three_deprivations_is_poor(
    commune: Commune, engine: Engine
) -> None:
    household = await commune.register()
    review = await commune.open_review()

    decision = await commune.decide(review, household, 140, 30)

    assert (decision["class"], decision["movement"], decision["poverty_class"]) == (
        "POOR",
        "NEW_POOR",
        "POOR",
    )
    shown = await commune.household(household)
    assert (shown["poverty_class"], shown["class_since"], shown["standard"]) == (
        "POOR",
        "2022-12-10",
        "STD_2022_2025",
    )
    [registered] = await told(engine, HouseholdRegistered)
    [classified] = await told(engine, HouseholdClassified)
    assert (registered.revision, registered.poverty_class) == (1, None)
    assert (classified.revision, classified.poverty_class) == (2, "POOR")
    assert classified.decision.model_dump(mode="json") == {
        "decision_id": decision["decision_id"],
        "review_id": review,
        "year": 2022,
        "kind": "ANNUAL",
        "stage": "OFFICIAL",
        "class": "POOR",
        "previous_class": None,
        "previous_standard": None,
        "previous_members": 4,
        "movement": "NEW_POOR",
        "decided_on": "2022-12-10",
        "valid_from": "2022-12-10",
        "decision_number": None,
        "standard": "STD_2022_2025",
        "basis": "TOTALS_GIVEN",
        "rule_version": decision["rule_version"],
        "replaces": None,
        "after": None,
    }


async def test_a_decision_can_be_shown_with_all_it_rests_on(commune: Commune) -> None:
    household = await commune.register()
    review = await commune.open_review(decision_number="145/QĐ-UBND")
    flags = ["EMPLOYMENT", "NUTRITION", "WATER_SOURCE"]
    given = {"b2_points": None, "deprivations": flags, "reviewer": "Rà Soát Viên"}
    taken = await commune.decide(review, household, 100, 0, **given)

    [decision] = (await commune.ask("GET", f"/v1/households/{household}/decisions"))["decisions"]

    assert decision["decision_id"] == taken["decision_id"]
    assert decision["sequence"] == taken["sequence"]
    assert (decision["b1_points"], decision["b2_points"], decision["basis"]) == (100, 30, "FLAGS")
    assert decision["deprivations"] == flags
    assert decision["reviewer"] == "Rà Soát Viên"
    assert decision["decision_number"] == "145/QĐ-UBND"
    assert "140" in decision["reason"]
    assert decision["legal"]


async def test_a_preliminary_result_changes_only_what_is_marked_preliminary(
    commune: Commune, engine: Engine
) -> None:
    household = await commune.register()
    await commune.decide(await commune.open_review(2022), household, 120, 40)
    preliminary = await commune.open_review(2023, "PRELIMINARY", decided_on="2023-11-10")

    decision = await commune.decide(preliminary, household, 200, 10, members=5)

    assert (decision["class"], decision["movement"], decision["poverty_class"]) == ("NOT_POOR", None, "POOR")
    shown = await commune.household(household)
    assert (shown["poverty_class"], shown["preliminary_class"], shown["members"]) == ("POOR", "NOT_POOR", 4)
    newest = (await told(engine, HouseholdClassified))[-1]
    assert (newest.poverty_class, newest.preliminary_class, newest.decision.stage) == (
        "POOR",
        "NOT_POOR",
        "PRELIMINARY",
    )

    await commune.decide(await commune.open_review(2023), household, 200, 10)

    shown = await commune.household(household)
    assert (shown["poverty_class"], shown["preliminary_class"]) == ("NOT_POOR", None)
    assert (shown["left_list_on"], shown["left_list_from"]) == ("2023-12-10", "POOR")


async def test_every_decision_is_one_event_even_if_the_class_stays(commune: Commune, engine: Engine) -> None:
    household = await commune.register()
    for year in (2022, 2023):
        await commune.decide(await commune.open_review(year), household, 120, 40)

    first, second = await told(engine, HouseholdClassified)

    assert (second.decision.previous_class, second.decision.movement) == ("POOR", None)
    assert second.class_since == first.class_since
    assert (first.revision, second.revision) == (2, 3)


async def test_a_declared_class_that_contradicts_the_points_is_named_and_does_not_hold(
    commune: Commune,
) -> None:
    household = await commune.register()

    decision = await commune.decide(await commune.open_review(), household, 120, 10, declared_class="POOR")

    assert (decision["class"], decision["contradicted"]) == ("NEAR_POOR", True)


async def test_a_closed_review_takes_no_more_results_and_tells_its_totals(
    commune: Commune, engine: Engine
) -> None:
    household = await commune.register()
    review = await commune.open_review()
    await commune.decide(review, household, 120, 40)
    await commune.decide(review, household, 120, 10)
    await commune.ask("POST", f"/v1/reviews/{review}/closure", 201)

    refused = await commune.ask(
        "POST",
        f"/v1/reviews/{review}/results",
        409,
        json={"household_id": household, "members": 4, "b1_points": 1, "b2_points": 0},
    )

    assert refused["rule"] == "review-closed"
    [opened] = await told(engine, ReviewOpened)
    [closed] = await told(engine, ReviewClosed)
    assert (opened.revision, closed.revision) == (1, 2)
    assert closed.model_dump()["totals"] == {"NEAR_POOR": {"households": 1, "persons": 4}}


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"members": 0}, "members-not-positive"),
        ({"members": -3}, "members-not-positive"),
        ({"b2_points": 35}, "b2-out-of-range"),
        ({"b2_points": 130}, "b2-out-of-range"),
        ({"b1_points": -1}, "b1-out-of-range"),
        ({"b2_points": None}, "b2-missing"),
        ({"b2_points": None, "deprivations": ["EMPLOYMENT", "SUN"]}, "indicator-unknown"),
        ({"b2_points": None, "deprivations": [f"F{n}" for n in range(13)]}, "too-many-indicators"),
        ({"members": 2**40}, "input-invalid"),
        ({"nickname": "x"}, "input-invalid"),
    ],
)
async def test_a_result_that_cannot_be_is_refused_by_its_rule(
    commune: Commune, changes: dict[str, Any], rule: str
) -> None:
    household = await commune.register()
    review = await commune.open_review()
    given = {"household_id": household, "members": 4, "b1_points": 100, "b2_points": 40}

    refused = await commune.ask("POST", f"/v1/reviews/{review}/results", 422, json=given | changes)

    assert refused["rule"] == rule
    assert (await commune.household(household))["poverty_class"] is None


async def test_facts_are_written_once(commune: Commune, engine: Engine) -> None:
    household = await commune.register()
    await commune.decide(await commune.open_review(), household, 120, 40)
    for statement in ("update decisions set members = 9", "delete from decisions", "truncate decisions"):
        with pytest.raises(sa.exc.DBAPIError, match="a fact is never changed"):
            async with engine("households").begin() as conn:
                await conn.execute(sa.text(statement))


async def test_no_personal_data_stands_in_the_database_or_in_events(commune: Commune, engine: Engine) -> None:
    household = await commune.register(head_name="Đinh Thị Bí Mật")
    review = await commune.open_review()
    given = {"deprivations": ["NUTRITION"], "b2_points": None, "reviewer": "Rơ Châm Kín"}
    await commune.decide(review, household, 100, 0, **given)
    async with engine("households").connect() as conn:
        tables = (
            await conn.execute(sa.text("select tablename from pg_tables where schemaname = 'public'"))
        ).scalars()
        for table in tables:
            dump = " ".join(
                (
                    await conn.execute(
                        sa.text(f"select coalesce(string_agg(t::text, ' '), '') from {table} t")
                    )
                ).scalars()
            )
            for secret in ("Bí Mật", "bí mật", "Rơ Châm", "NUTRITION"):
                assert secret not in dump, table
        payloads = (await conn.execute(sa.text("select payload from outbox"))).scalars()
        assert all("Mật".encode() not in payload for payload in payloads)
