"""A rule set tried out over the register: counts and lists that a household-by-household evaluation confirms."""

import asyncio
import csv
import datetime as dt
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from sqlalchemy.exc import DBAPIError
from tests.households.officer import COMMUNE, STANDARD, Commune, SignIn, row

from benvung.testing.tokens import Tokens
from households.domain import (
    AreaType,
    HouseholdClass,
    RuleSet,
    RuleSetGiven,
    Undecided,
    get_standard,
    list_change,
    rule_set,
)
from households.simulator import Simulator

TOWN, VILLAGES = "23824", COMMUNE
DISTRICT, DAY = "630", "2024-01-24"
CODES = get_standard(STANDARD).indicator_codes
READER = ("households.read", "households.write", "reviews.decide", "simulations.write")
REGISTER = ("households", "decisions", "changes", "reviews", "villages", "populations", "outbox", "journal")
Rules = dict[str, Any]


async def run(commune: Commune) -> None:
    """Let the background work do all that waits."""
    simulator = Simulator(commune.app.state.settings)
    while await simulator.round(commune.app.state.engine):
        pass


async def ask(commune: Commune, rules: Rules, status: int = 202, area: str = COMMUNE, day: str = DAY) -> Any:
    given = {"title": "Thử", "area": area, "day": day, "rules": {"standard": STANDARD} | rules}
    return await commune.ask("POST", "/v1/simulations", status, json=given)


async def simulate(commune: Commune, rules: Rules, area: str = COMMUNE, day: str = DAY) -> Any:
    """The results of a rule set over an area."""
    asked = await ask(commune, rules, area=area, day=day)
    await run(commune)
    found = await commune.ask("GET", f"/v1/simulations/{asked['id']}")
    assert found["state"] == "DONE", found["failure"]
    return found


async def decided(commune: Commune, review: str, code: str, b1: int, *flags: str) -> str:
    """A household decided on by its deprived indicators; returns its id."""
    household = await commune.register(code=code, head_name=f"Đinh Văn {code}", village=f"{commune.code}.01")
    await decide(commune, review, household, b1, flags)
    return household


async def decide(
    commune: Commune,
    review: str,
    household: str,
    b1: int,
    flags: Sequence[str] | None,
    *,
    b2: int | None = None,
) -> Any:
    given = {"household_id": household, "members": 4, "b1_points": b1, "b2_points": b2}
    if flags is not None:
        given["deprivations"] = list(flags)
    return await commune.ask("POST", f"/v1/reviews/{review}/results", 201, json=given)


async def one(commune: Commune, query: str, **given: Any) -> Any:
    async with commune.app.state.engine.begin() as conn:
        return (await conn.execute(sa.text(query), given)).scalar()


# Against a plain evaluation, household by household.


@dataclass(frozen=True)
class Facts:
    """One official decision as a reviewer gave it."""

    valid_from: str
    area_type: AreaType
    b1: int
    b2: int
    flags: tuple[str, ...] | None
    household_class: HouseholdClass


@dataclass
class District:
    """A town and a rural commune, and all that was decided there."""

    officers: Mapping[str, Commune]
    households: Mapping[str, str]
    decisions: dict[str, list[Facts]] = field(default_factory=dict)
    days: int = 0

    async def review(self, facts: Sequence[tuple[int, tuple[str, ...] | None, int]]) -> str:
        """Decide on as many households as there are facts, on the next day; returns the day."""
        self.days += 1
        on = (dt.date(2023, 3, 1) + dt.timedelta(days=self.days)).isoformat()
        opened = {
            code: await officer.open_review(2023, kind="REGULAR", decided_on=on)
            for code, officer in self.officers.items()
        }
        for (household, code), (b1, flags, total) in zip(self.households.items(), facts, strict=False):
            b2 = 10 * len(flags) if flags is not None else 10 * total
            officer = self.officers[code]
            found = await decide(
                officer, opened[code], household, b1, flags, b2=None if flags is not None else b2
            )
            area_type = AreaType.URBAN if code == TOWN else AreaType.RURAL
            taken = Facts(on, area_type, b1, b2, flags, HouseholdClass(found["class"]))
            self.decisions.setdefault(household, []).append(taken)
        return on

    def expected(self, rules: RuleSet, day: str) -> dict[str, Any]:
        """What the rules say of each household by itself: counts, changes, deprived indicators."""
        counts: Counter[tuple[Any, ...]] = Counter()
        deprived: Counter[tuple[Any, ...]] = Counter()
        changes = {}
        for household, commune in self.households.items():
            known = [each for each in self.decisions.get(household, ()) if each.valid_from <= day]
            if not known:
                counts[commune, None, None, None, "NO_DECISION"] += 1
                continue
            facts = known[-1]
            before = facts.household_class
            verdict = rules.judge(STANDARD, facts.area_type, facts.b1, facts.b2, facts.flags)
            if isinstance(verdict, Undecided):
                counts[commune, facts.area_type, before, None, verdict] += 1
                continue
            counts[commune, facts.area_type, before, verdict, None] += 1
            deprived.update((flag, before, verdict) for flag in facts.flags or ())
            if change := list_change(before, verdict):
                changes[household] = (before, verdict, change)
        return {"counts": counts, "deprived": deprived, "changes": changes}


@pytest_asyncio.fixture
async def district(
    application: tuple[FastAPI, Tokens], signed_in: SignIn, tmp_path: Path
) -> tuple[District, Commune]:
    """Six households in a town, six in a rural commune, and the officer of the district."""
    officers = {code: Commune(application[0], signed_in(code), tmp_path, code) for code in (TOWN, VILLAGES)}
    households = {}
    for code, officer in officers.items():
        await officer.list_villages("Làng Một")
        for number in range(6):
            made = await officer.register(commune=code, village=f"{code}.01", code=f"H{number}")
            households[made] = code
    return District(officers, households), Commune(application[0], signed_in(DISTRICT), tmp_path, DISTRICT)


FLAGS = st.lists(st.sampled_from(CODES), unique=True, max_size=6).map(
    lambda found: tuple(code for code in CODES if code in found)
)
FACTS = st.tuples(
    st.sampled_from((0, 120, 140, 141, 150, 160, 175, 176, 180, 190)), st.none() | FLAGS, st.integers(0, 12)
)
THRESHOLDS = st.fixed_dictionaries({"RURAL": st.integers(100, 200), "URBAN": st.integers(100, 200)})
CHOSEN = st.lists(st.sampled_from(CODES), unique=True, min_size=4).flatmap(
    lambda codes: st.tuples(*(st.tuples(st.just(code), st.none() | st.integers(5, 30)) for code in codes))
)
RULES = st.fixed_dictionaries(
    {},
    optional={
        "b1_thresholds": THRESHOLDS,
        "b2_threshold": st.integers(1, 20),
        "points_per_indicator": st.integers(5, 20),
        "indicators": CHOSEN,
    },
)  # fmt: skip


def for_domain(rules: Rules) -> RuleSet:
    lines = rules.get("b1_thresholds")
    return rule_set(
        RuleSetGiven(
            STANDARD,
            lines and {AreaType(area): points for area, points in lines.items()},
            rules.get("b2_threshold"),
            rules.get("points_per_indicator"),
            rules.get("indicators"),
        )
    )


def as_sent(rules: Rules) -> Rules:
    chosen = rules.get("indicators")
    given = None if chosen is None else [{"code": code, "points": points} for code, points in chosen]
    return rules | {"indicators": given}


async def found_by(officer: Commune, simulation: Any) -> dict[str, Any]:
    """What the service says, in the form of `District.expected`."""
    path = f"/v1/simulations/{simulation['id']}"
    communes = (await officer.ask("GET", f"{path}/communes"))["items"]
    changes = (await officer.ask("GET", f"{path}/changes", params={"limit": 500}))["items"]
    return {
        "counts": Counter(
            {
                (
                    commune["commune"],
                    *(each[part] for part in ("area_type", "class_before", "class_after", "undecided")),
                ): each["households"]
                for commune in communes
                for each in commune["outcomes"]
            }
        ),
        "deprived": Counter(
            {
                (each["indicator"], each["class_before"], each["class_after"]): each["households"]
                for each in simulation["deprived"]
            }
        ),
        "changes": {
            each["household_id"]: (each["class_before"], each["class_after"], each["change"])
            for each in changes
        },
    }


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
    for path in ("changes.csv", "counts.csv", "results.xlsx", f"comparison?with={asked['id']}"):
        refused = await commune.ask("GET", f"/v1/simulations/{asked['id']}/{path}", 409)
        assert refused["rule"] == "simulation-unfinished"


# Who may, and what stays hidden.


@pytest.mark.parametrize(
    "rules, rule",
    [
        ({"standard": "STD_2027_2030"}, "standard-incomplete"),
        ({"standard": "X"}, "standard-unknown"),
        ({"b1_thresholds": {"RURAL": 150}}, "b1-threshold-missing"),
        ({"b2_threshold": 500}, "b2-threshold-out-of-range"),
        ({"indicators": [{"code": "CARS"}]}, "indicator-unknown"),
        (
            {
                "b1_thresholds": {"RURAL": 120, "URBAN": 190},
                "local": {"province": "64", "income_lines": {"RURAL": 1_800_000, "URBAN": 2_400_000}, "document": "x"},
            },
            "local-standard-lower",
        ),
        (
            {
                "b1_thresholds": {"RURAL": 160, "URBAN": 190},
                "local": {"province": "01", "income_lines": {"RURAL": 1_800_000, "URBAN": 2_400_000}, "document": "x"},
            },
            "local-standard-elsewhere",
        ),
    ],
)  # fmt: skip
async def test_what_cannot_be_tried_out_is_refused_by_its_name(
    commune: Commune, rules: Rules, rule: str
) -> None:
    assert (await ask(commune, rules, 422))["rule"] == rule
    assert (await commune.ask("GET", "/v1/simulations"))["items"] == []


async def test_a_province_tries_out_its_own_higher_line(commune: Commune) -> None:
    review = await commune.open_review(2023)
    await decided(commune, review, "H1", 150, *CODES[:3])
    local = {
        "province": "64",
        "income_lines": {"RURAL": 1_800_000, "URBAN": 2_400_000},
        "document": "Dự thảo nghị quyết",
    }
    found = await simulate(commune, {"b1_thresholds": {"RURAL": 160, "URBAN": 190}, "local": local})
    assert (found["rules"]["province"], found["totals"]["enters"]) == ("64", 1)
    assert found["rules"]["given"]["local"] == local


async def test_a_simulation_is_asked_for_in_ones_own_area_and_once(
    commune: Commune, signed_in: SignIn
) -> None:
    assert (await ask(commune, {}, 403, area=DISTRICT))["rule"] == "outside-area"
    assert (await ask(commune, {}, 404, area="99999"))["rule"] == "area-not-found"
    reader = signed_in(COMMUNE, permissions=("households.read",))
    given = {"title": "Thử", "area": COMMUNE, "rules": {"standard": STANDARD}}
    assert (await reader.post("/v1/simulations", json=given)).status_code == 403
    key = {"Idempotency-Key": "a-key-of-this-very-test"}
    answers = [await commune.client.post("/v1/simulations", json=given, headers=key) for _ in range(2)]
    assert [each.status_code for each in answers] == [202, 202]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert answers[1].headers["Location"] == f"/v1/simulations/{answers[0].json()['id']}"
    assert len((await commune.ask("GET", "/v1/simulations"))["items"]) == 1


async def test_restricted_indicators_stay_hidden_from_who_may_not_see_them(
    commune: Commune, signed_in: SignIn
) -> None:
    review = await commune.open_review(2023)
    await decided(commune, review, "H1", 120, "EMPLOYMENT", "NUTRITION", "WATER_SOURCE")
    apart = {"indicators": [{"code": code} for code in CODES if code != "NUTRITION"]}
    open_one, closed = await simulate(commune, {"b2_threshold": 40}), await simulate(commune, apart)
    assert [each["indicator"] for each in open_one["deprived"]] == ["EMPLOYMENT", "NUTRITION", "WATER_SOURCE"]
    assert (open_one["restricted"], closed["restricted"], closed["totals"]["between_lists"]) == (
        False,
        True,
        1,
    )

    officer = Commune(commune.app, signed_in(COMMUNE, permissions=READER), commune.folder)
    assert (await ask(officer, apart, 403))["rule"] == "restricted-indicators"
    seen = await officer.ask("GET", f"/v1/simulations/{open_one['id']}")
    assert [each["indicator"] for each in seen["deprived"]] == ["EMPLOYMENT", "WATER_SOURCE"]
    assert seen["hidden_indicators"] == ["NUTRITION"]
    assert "Dinh dưỡng" not in str(await sheets(officer, open_one["id"], "Theo chỉ số"))
    assert "Dinh dưỡng" in str(await sheets(commune, open_one["id"], "Theo chỉ số"))
    assert [each["id"] for each in (await officer.ask("GET", "/v1/simulations"))["items"]] == [open_one["id"]]
    for path in ("", "/communes", "/changes", "/changes.csv", "/counts.csv", "/results.xlsx"):
        await officer.ask("GET", f"/v1/simulations/{closed['id']}{path}", 404)
    compared = f"/v1/simulations/{open_one['id']}/comparison?with={closed['id']}"
    await officer.ask("GET", compared, 404)


async def test_one_sees_the_part_of_a_simulation_that_lies_in_ones_area(
    district: tuple[District, Commune], signed_in: SignIn
) -> None:
    registry, officer = district
    await registry.review([(150, None, 4)] * 12)
    found = await simulate(officer, {"b1_thresholds": {"RURAL": 160, "URBAN": 140}}, DISTRICT)
    assert (found["totals"]["enters"], found["totals"]["leaves"]) == (6, 6)
    path = f"/v1/simulations/{found['id']}"

    for code, mine in registry.officers.items():
        seen = await mine.ask("GET", path)
        totals = (seen["totals"]["households"], seen["totals"]["enters"], seen["totals"]["leaves"])
        assert totals == ((6, 0, 6) if code == TOWN else (6, 6, 0))
        for listed in (f"{path}/communes", f"{path}/changes"):
            page = await mine.ask("GET", listed)
            assert {each["commune"] for each in page["items"]} == {code}
            outside = await mine.ask("GET", listed, params={"area": TOWN if code != TOWN else VILLAGES})
            assert outside["items"] == []
        exported = (await mine.client.get(f"{path}/changes.csv")).content.decode("utf-8-sig")
        assert {line["Mã xã"] for line in csv.DictReader(io.StringIO(exported))} == {code}
        compared = await mine.ask("GET", f"{path}/comparison", params={"with": found["id"]})
        assert (compared["changes"]["alike"], compared["first_totals"]["households"]) == (6, 6)
    stranger = Commune(officer.app, signed_in("01"), officer.folder)
    assert (await stranger.ask("GET", path, 404))["rule"] == "simulation-not-found"
    assert (await stranger.ask("GET", "/v1/simulations"))["items"] == []


# Reading on, comparing, taking away.


async def test_changes_come_page_by_page_with_names_and_on_record(commune: Commune) -> None:
    review = await commune.open_review(2023)
    ids = sorted([await decided(commune, review, f"H{n}", 130 + 10 * n, *CODES[:3]) for n in range(5)])
    found = await simulate(commune, {"b1_thresholds": {"RURAL": 160, "URBAN": 190}})
    path = f"/v1/simulations/{found['id']}/changes"
    first = await commune.ask("GET", path, params={"limit": 1})
    second = await commune.ask("GET", path, params={"limit": 1, "after": first["next"]})
    assert second["next"] is None
    shown = [*first["items"], *second["items"]]
    assert sorted(each["head_name"] for each in shown) == ["Đinh Văn H2", "Đinh Văn H3"]
    assert {each["change_label"] for each in shown} == {"Vào danh sách"}
    assert (await commune.ask("GET", path, params={"change": "LEAVES"}))["items"] == []
    told = {
        each: [
            one["action_label"]
            for one in (await commune.ask("GET", f"/v1/households/{each}/accesses"))["items"]
            if one["action"] == "simulation.changes_read"
        ]
        for each in ids
    }
    assert {each for each, seen in told.items() if seen} == {each["household_id"] for each in shown}


async def test_two_simulations_are_set_side_by_side(commune: Commune) -> None:
    review = await commune.open_review(2023)
    for number in range(4):
        await decided(commune, review, f"H{number}", 130 + 10 * number, *CODES[: 3 + number % 2])
    first = await simulate(commune, {"b1_thresholds": {"RURAL": 150, "URBAN": 190}})
    second = await simulate(commune, {"b1_thresholds": {"RURAL": 160, "URBAN": 190}, "b2_threshold": 40})
    path = f"/v1/simulations/{first['id']}/comparison"

    compared = await commune.ask("GET", path, params={"with": second["id"]})

    # By B1 points 130, 140, 150, 160 and deprivations 3, 4, 3, 4.
    assert compared["changes"] == {"only_first": 0, "only_second": 2, "alike": 0, "different": 1}
    outcomes = {
        (each["class_before"], each["class_after"]): (each["first"], each["second"], each["difference"])
        for each in compared["differences"]
    }
    assert outcomes == {
        ("POOR", "POOR"): (2, 1, -1),
        ("POOR", "NEAR_POOR"): (0, 1, 1),
        ("NOT_POOR", "POOR"): (1, 1, 0),
        ("NOT_POOR", "NEAR_POOR"): (0, 1, 1),
        ("NOT_POOR", "NOT_POOR"): (1, 0, -1),
    }
    other = await simulate(commune, {}, day="2023-12-11")
    refused = await commune.ask("GET", path, 422, params={"with": other["id"]})
    assert refused["rule"] == "simulations-not-comparable"


async def sheets(commune: Commune, simulation: str, name: str) -> list[tuple[Any, ...]]:
    """The rows of a sheet of the workbook as a spreadsheet reads them."""
    answer = await commune.client.get(f"/v1/simulations/{simulation}/results.xlsx")
    assert answer.status_code == 200, answer.text
    page = load_workbook(io.BytesIO(answer.content))[name]
    return [tuple(cell.value for cell in line) for line in page.iter_rows()]


async def test_exports_read_back_what_the_simulation_found(commune: Commune, signed_in: SignIn) -> None:
    review = await commune.open_review(2023)
    enters = await decided(commune, review, "0012", 150, "EMPLOYMENT", "WATER_SOURCE")
    await decided(commune, review, "H2", 400)
    found = await simulate(commune, {"b1_thresholds": {"RURAL": 160, "URBAN": 190}})
    path = f"/v1/simulations/{found['id']}"

    changes = (await commune.client.get(f"{path}/changes.csv")).content.decode("utf-8-sig")
    counts = (await commune.client.get(f"{path}/counts.csv")).content.decode("utf-8-sig")

    [line] = csv.DictReader(io.StringIO(changes))
    assert line == {
        "Mã hệ thống": enters, "Mã xã": COMMUNE, "Mã thôn": f"{COMMUNE}.01", "Mã hộ": "0012",
        "Họ và tên chủ hộ": "Đinh Văn 0012", "Số nhân khẩu": "4", "Khu vực": "Nông thôn",
        "Phân loại hiện tại": "Hộ không nghèo", "Phân loại theo phương án": "Hộ cận nghèo",
        "Thay đổi": "Vào danh sách",
    }  # fmt: skip
    counted = [
        (each["Tên xã"], each["Phân loại theo phương án"], each["Số hộ"])
        for each in csv.DictReader(io.StringIO(counts))
    ]
    assert counted == [("Xã Chư Krey", "Hộ cận nghèo", "1"), ("Xã Chư Krey", "Hộ không nghèo", "1")]
    assert (await sheets(commune, found["id"], "Danh sách hộ"))[1] == (
        enters, COMMUNE, f"{COMMUNE}.01", "0012", "Đinh Văn 0012", 4, "Nông thôn", "Hộ không nghèo",
        "Hộ cận nghèo", "Vào danh sách",
    )  # fmt: skip
    assert (await sheets(commune, found["id"], "Theo chỉ số"))[1:] == [
        ("Việc làm", "Hộ không nghèo", "Hộ cận nghèo", 1),
        ("Nguồn nước sinh hoạt", "Hộ không nghèo", "Hộ cận nghèo", 1),
    ]
    rules = dict(each[:2] for each in await sheets(commune, found["id"], "Phương án"))
    assert (str(rules["Số liệu đến ngày"]), rules["Ngưỡng điểm B1, nông thôn"]) == (f"{DAY} 00:00:00", 160)
    answer = await commune.client.get(f"{path}/results.xlsx")
    page = load_workbook(io.BytesIO(answer.content))["Theo xã"]
    assert [page.cell(2, column).number_format for column in (1, 7, 8)] == ["@", "#,##0", "#,##0"]
    taken = [
        each["action"] for each in (await commune.ask("GET", f"/v1/households/{enters}/accesses"))["items"]
    ]
    assert taken.count("simulation.exported") == 5
