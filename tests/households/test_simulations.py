"""A rule set tried out over the register: counts and lists that a household-by-household evaluation confirms."""

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError
from tests.households.officer import Commune, row
from tests.households.trying_out import (
    CODES,
    DISTRICT,
    FACTS,
    REGISTER,
    RULES,
    TOWN,
    VILLAGES,
    District,
    Rules,
    as_sent,
    ask,
    decide,
    decided,
    for_domain,
    found_by,
    one,
    run,
    simulate,
)


async def test_any_rule_set_over_any_register_gives_what_each_household_gives_by_itself(
    district: tuple[District, Commune],
) -> None:
    registry, officer = district
    loop = asyncio.get_running_loop()
    seen: Counter[str] = Counter()

    async def check(facts: Sequence[Any], rules: Rules, *, earlier: bool) -> None:
        before = (dt.date(2023, 3, 1) + dt.timedelta(days=registry.days)).isoformat()
        day = await registry.review(facts)
        day = before if earlier else day
        found = await simulate(officer, as_sent(rules), DISTRICT, day)
        assert [each["indicator"] for each in found["rules"]["indicators"]] == list(for_domain(rules).points)
        expected = registry.expected(for_domain(rules), day)
        assert await found_by(officer, found) == expected
        totals, changes = found["totals"], Counter(change for *_, change in expected["changes"].values())
        assert totals["households"] == len(registry.households)
        assert totals["persons"] == 4 * len(registry.households)
        assert (totals["enters"], totals["leaves"], totals["between_lists"]) == (
            changes["ENTERS"], changes["LEAVES"], changes["BETWEEN_LISTS"],
        )  # fmt: skip
        seen.update(part for key in expected["counts"] for part in key[2:] if part)
        seen.update(changes)

    @settings(
        max_examples=20,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        # What is drawn decides on households: a smaller case would be another register.
        phases=[Phase.generate],
        derandomize=True,
        database=None,
    )
    @given(facts=st.lists(FACTS, min_size=8, max_size=12), rules=RULES, earlier=st.booleans())
    def property_holds(facts: Sequence[Any], rules: Rules, *, earlier: bool) -> None:
        asyncio.run_coroutine_threadsafe(check(facts, rules, earlier=earlier), loop).result(60)

    await asyncio.to_thread(property_holds)
    assert {"POOR", "NEAR_POOR", "NOT_POOR", "TOTALS_GIVEN", "NO_DECISION", "ENTERS", "LEAVES"} <= set(seen)


async def test_the_loaded_standard_changes_nothing_and_the_same_facts_from_a_file_are_judged_alike(
    commune: Commune,
) -> None:
    review = await commune.open_review(2023)
    flags = CODES[3:6]
    done = await commune.import_rows(
        review, row(1, "Đinh Một", b2_points=None, deprivations=flags), row(2, "Đinh Hai")
    )
    assert done["applied"] == 2
    await decided(commune, review, "H9", 120, *flags)

    loaded = await simulate(commune, {})
    weighed = await simulate(commune, {"indicators": [{"code": code} for code in CODES[4:]]})

    totals = {"households": 3, "persons": 12, "enters": 0, "leaves": 0, "between_lists": 0, "undecided": {}}
    assert loaded["totals"] == totals
    assert weighed["totals"] == totals | {"between_lists": 2, "undecided": {"TOTALS_GIVEN": 1}}
    assert await one(commune, "select count(*) from combinations") == 1


async def test_who_left_and_who_moved_is_counted_where_they_were_on_the_day(
    district: tuple[District, Commune],
) -> None:
    registry, officer = district
    await registry.review([(150, ("EMPLOYMENT",), 0)] * 12)
    stays, moves = [each for each, code in registry.households.items() if code == VILLAGES][:2]
    moved = {"to_commune": TOWN, "to_village": f"{TOWN}.01", "on": "2023-06-01"}
    await officer.ask("POST", f"/v1/households/{moves}/moves", 201, json=moved)
    ended = {"reason": "DEATH", "on": "2023-07-01"}
    await officer.ask("POST", f"/v1/households/{stays}/closure", 201, json=ended)

    rules = {"b1_thresholds": {"RURAL": 160, "URBAN": 200}}
    counted = {}
    for day in ("2023-05-31", "2023-06-01", "2023-07-01"):
        found = await simulate(officer, rules, DISTRICT, day)
        page = await officer.ask("GET", f"/v1/simulations/{found['id']}/communes")
        counted[day] = [each["totals"]["households"] for each in page["items"]]

    assert counted == {"2023-05-31": [6, 6], "2023-06-01": [7, 5], "2023-07-01": [7, 4]}


async def test_decisions_of_an_earlier_release_get_their_combinations_before_anything_is_judged(
    commune: Commune,
) -> None:
    review = await commune.open_review(2023)
    for number in range(3):
        await decided(commune, review, f"H{number}", 120, *CODES[number : number + 3])
    async with commune.app.state.engine.begin() as conn:
        await conn.execute(sa.text("alter table decisions disable trigger user"))
        await conn.execute(sa.text("update decisions set combination_id = null"))
        await conn.execute(sa.text("alter table decisions enable trigger user"))
        await conn.execute(sa.text("delete from combinations where id = (select min(id) from combinations)"))

    found = await simulate(commune, {"indicators": [{"code": code} for code in CODES[1:]]})

    assert (found["totals"]["between_lists"], found["totals"]["undecided"]) == (1, {})
    assert await one(commune, "select count(*) from decisions where combination_id is null") == 0
    for change in ("combination_id = null", "b1_points = 1", "combination_id = combination_id + 1"):
        with pytest.raises(DBAPIError, match="never changed"):
            await one(commune, f"update decisions set {change} returning 1")


# What a simulation leaves alone, and what stays as it is.


async def checksums(commune: Commune) -> dict[str, Any]:
    return {
        table: await one(commune, f"select md5(string_agg(t::text, '|' order by t::text)) from {table} t")
        for table in REGISTER
    }


async def test_the_register_and_the_outbox_stay_as_they_are(district: tuple[District, Commune]) -> None:
    registry, officer = district
    await registry.review([(120, CODES[:3], 0), (150, None, 4)] * 6)
    before = await checksums(officer)
    assert before["decisions"], before["households"]

    await simulate(officer, {"b1_thresholds": {"RURAL": 10, "URBAN": 10}}, DISTRICT)

    assert await checksums(officer) == before
    assert await one(officer, "select count(*) from simulation_changes") > 0


async def test_what_is_done_stays_as_it_is_kept(commune: Commune) -> None:
    review = await commune.open_review(2023)
    household = await decided(commune, review, "H1", 120, *CODES[:3])
    found = await simulate(commune, {"b2_threshold": 40})
    later = await commune.open_review(2023, kind="REGULAR", decided_on="2023-12-20")
    await decide(commune, later, household, 400, [])

    assert await commune.ask("GET", f"/v1/simulations/{found['id']}") == found
    for statement in (
        "update simulations set title = 'x'",
        "delete from simulations",
        "update simulation_counts set households = 9",
        "delete from simulation_changes",
        "delete from simulation_indicators",
        "insert into simulation_counts select simulation_id, '99999', area_type, class_before, class_after,"  # noqa: ISC004 -- one statement
        " undecided, households, persons, with_indicators from simulation_counts",
    ):
        with pytest.raises(DBAPIError, match=r"never changed|running simulation only"):
            await one(commune, statement + " returning 1")


async def test_one_that_fails_says_why(commune: Commune) -> None:
    review = await commune.open_review(2023)
    await decided(commune, review, "H1", 120, *CODES[:3])
    await one(commune, r"update combinations set flags = '\x00' returning 1")
    asked = await ask(commune, {"indicators": [{"code": code} for code in CODES[1:]]})
    assert (asked["state"], asked["failure"]) == ("WAITING", None)

    await run(commune)

    found = await commune.ask("GET", f"/v1/simulations/{asked['id']}")
    assert (found["state"], found["failure"], found["totals"]["households"]) == ("FAILED", "SealBroken", 0)
    for path in (
        *(f"{each}?purpose=STANDARD_TRIAL" for each in ("changes.csv", "counts.csv", "results.xlsx")),
        f"comparison?with={asked['id']}",
    ):
        refused = await commune.ask("GET", f"/v1/simulations/{asked['id']}/{path}", 409)
        assert refused["rule"] == "simulation-unfinished"
