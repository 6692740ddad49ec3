"""Lists are narrowed by what officers ask for: class, indicator, cause, movement, group, village, in any combination."""

import asyncio
import csv
import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.households.officer import COMMUNE, OTHER, Commune, SignIn
from tests.households.people import child, enter, leave, person

from benvung.testing.tokens import EVERYTHING

LIST = "/v1/households"
FLAGS = (
    ("WATER_SOURCE", "HYGIENIC_TOILET", "EMPLOYMENT"),
    ("WATER_SOURCE", "NUTRITION", "HOUSING_AREA", "EMPLOYMENT"),
    ("HYGIENIC_TOILET",),
    (),
)
CAUSES = (("NO_LAND", "ILLNESS"), ("NO_CAPITAL",), ("ILLNESS",), ())
PAPER = {"decided_on": "2024-02-01", "decision_number": "7/QĐ-UBND", "reason": "Ghi sai chỉ số"}


async def listed(officer: Commune, **asked: Any) -> set[str]:
    """The households that a list with these filters has."""
    found = [each["id"] for each in await officer.households(**asked)]
    assert len(found) == len(set(found))
    return set(found)


async def decide(  # noqa: PLR0917 -- what is decided
    officer: Commune,
    household: str,
    day: str,
    flags: tuple[str, ...] = (),
    b1: int = 120,
    causes: tuple[str, ...] = (),
) -> Any:
    """An official decision by its deprived indicators and with its causes, in a review of its own day."""
    review = await officer.open_review(int(day[:4]), kind="REGULAR", decided_on=day)
    points = 10 * len(flags)
    said = {"deprivations": list(flags), "causes": list(causes)}
    return await officer.decide(review, household, b1, points, **said)


async def in_file(officer: Commune, **asked: Any) -> set[str]:
    """The households of the same list as a file."""
    answer = await officer.client.get(f"{LIST}.csv", params={**asked, "purpose": "POLICY"})
    assert answer.status_code == 200, answer.text
    found = [row["Mã hệ thống"] for row in csv.DictReader(answer.content.decode("utf-8-sig").splitlines())]
    assert len(found) == len(set(found))
    return set(found)


async def refused(officer: Commune, status: int = 422, **asked: str) -> str:
    """The rule by which a list, its count and its file refuse these filters."""
    paths = (LIST, f"{LIST}/count", f"{LIST}.csv")
    rules = {(await officer.ask("GET", path, status, params=asked))["rule"] for path in paths}
    [rule] = rules
    return str(rule)


async def test_a_list_by_indicator_has_who_is_deprived_of_it_by_the_decision_in_force(
    commune: Commune,
) -> None:
    wet, dry, plain, gone = [await commune.register(code=f"H{n}") for n in range(4)]
    first = await decide(commune, wet, "2022-03-01", FLAGS[0])
    await decide(commune, dry, "2022-04-01", FLAGS[0])
    await decide(commune, dry, "2023-04-01", FLAGS[2])
    await decide(commune, plain, "2022-05-01")
    await decide(commune, gone, "2022-06-01", FLAGS[0])
    closing = {"reason": "DEATH", "on": "2023-05-01"}
    await commune.ask("POST", f"{LIST}/{gone}/closure", 201, json=closing)

    assert await listed(commune, indicator="WATER_SOURCE") == {wet}
    assert await listed(commune, indicator="HYGIENIC_TOILET") == {wet, dry}
    assert await listed(commune, indicator="WATER_SOURCE", on="2022-12-31") == {wet, dry, gone}
    assert await listed(commune, indicator="HYGIENIC_TOILET", **{"class": "NEAR_POOR"}) == {dry}
    assert await listed(commune, indicator="INFO_DEVICES") == set()

    moment = await commune.moment()
    given = {"members": 4, "b1_points": 120, "b2_points": 10, "deprivations": list(FLAGS[2])}
    await commune.ask("POST", f"/v1/decisions/{first['decision_id']}/corrections", 201, json=given | PAPER)

    assert await listed(commune, indicator="WATER_SOURCE") == set()
    assert await listed(commune, indicator="WATER_SOURCE", known_at=moment) == {wet}


async def test_a_preliminary_decision_says_nothing_about_who_is_deprived(commune: Commune) -> None:
    household = await commune.register()
    review = await commune.open_review(2022, "PRELIMINARY")
    await commune.decide(review, household, 120, 30, deprivations=list(FLAGS[0]))

    assert await listed(commune, indicator="WATER_SOURCE") == set()


async def test_a_list_by_a_sensitive_indicator_needs_its_permission(
    commune: Commune, signed_in: SignIn
) -> None:
    household = await commune.register()
    await decide(commune, household, "2022-03-01", FLAGS[1])
    few = tuple(each for each in EVERYTHING if each != "indicators.read")
    reader = Commune(commune.app, signed_in(COMMUNE, permissions=few), commune.folder)

    assert await refused(reader, 403, indicator="NUTRITION") == "indicator-restricted"
    assert await listed(reader, indicator="WATER_SOURCE") == {household}
    assert await listed(commune, indicator="NUTRITION") == {household}
    assert await refused(commune, indicator="TINH_YEU") == "indicator-unknown"


async def test_a_list_by_movement_has_who_moved_as_it_is_told_now(commune: Commune) -> None:
    new, again, near = [await commune.register(code=f"H{n}") for n in range(3)]
    await decide(commune, new, "2023-03-01", FLAGS[0])
    await decide(commune, again, "2022-03-01", FLAGS[0])
    await decide(commune, again, "2022-09-01", b1=200)
    relapse = await decide(commune, again, "2023-06-01", FLAGS[0])
    await decide(commune, near, "2023-09-01", FLAGS[2])

    assert await listed(commune, movement="NEW_POOR") == {new, again}
    assert await listed(commune, movement="NEW_POOR", movement_year=2023) == {new}
    assert await listed(commune, movement=["RELAPSE_POOR", "NEW_NEAR_POOR"]) == {again, near}
    assert await listed(commune, movement="ESCAPED_ABOVE_NEAR_POOR") == {again}
    assert await listed(commune, movement_since="2023-06-01") == {again, near}
    assert await listed(commune, movement_year=2022) == {again}
    assert await listed(commune, movement="NEW_NEAR_POOR", movement_review=relapse["review_id"]) == set()
    assert await listed(commune, movement_review=relapse["review_id"]) == {again}
    assert await listed(commune, movement="RELAPSE_POOR", on="2023-05-31") == set()

    # What came before turns out otherwise: the relapse was none.
    await decide(commune, new, "2022-01-05", FLAGS[2])
    assert await listed(commune, movement="NEW_POOR") == {again}
    assert await listed(commune, movement="NEAR_POOR_TO_POOR") == {new}


async def test_a_list_by_group_has_households_with_somebody_of_it_on_the_day(commune: Commune) -> None:
    young, honoured, nobody = [await commune.register(code=f"H{n}") for n in range(3)]
    pupil = (await enter(commune, young, **child(birth_date="2008-06-01")))["member"]["id"]
    await enter(commune, honoured, **person(number=None, number_missing="NO_PAPERS", merit="INVALID"))
    await enter(commune, nobody, **person())

    assert await listed(commune, group="MERIT") == {honoured}
    assert await listed(commune, group="PUPILS_STUDENTS") == {young}
    assert await listed(commune, group="PUPILS_STUDENTS", on="2023-05-31") == set()
    assert await listed(commune, group="CHILDREN_UNDER_16", on="2024-05-31") == {young}
    assert await listed(commune, group="CHILDREN_UNDER_16", on="2024-06-01") == set()
    await leave(commune, young, pupil, on="2023-09-01")
    assert await listed(commune, group="PUPILS_STUDENTS") == set()


@pytest.mark.parametrize(
    ("group", "rule"),
    [
        ("ETHNIC_MINORITY", "group-is-sealed"),
        ("NO_LABOUR_CAPACITY", "cohort-definition-missing"),
        ("HAS_LABOUR_NO_JOB", "cohort-definition-missing"),
    ],
)
async def test_a_group_that_rests_on_sealed_facts_is_refused_by_name(
    commune: Commune, group: str, rule: str
) -> None:
    assert await refused(commune, group=group) == rule


async def test_a_list_by_cause_has_whom_the_decision_in_force_says_it_of(commune: Commune) -> None:
    farm, later, gone, plain = [await commune.register(code=f"H{n}") for n in range(4)]
    first = await decide(commune, farm, "2022-05-01", FLAGS[0], causes=("NO_LAND", "NO_TOOLS"))
    await decide(commune, later, "2022-05-02", FLAGS[0], causes=("NO_LAND",))
    await decide(commune, later, "2023-05-02", FLAGS[2], causes=("NO_CAPITAL",))
    await decide(commune, gone, "2022-05-03", FLAGS[0], causes=("NO_LAND",))
    await decide(commune, plain, "2022-05-04", FLAGS[0])
    closing = {"reason": "DEATH", "on": "2023-05-01"}
    await commune.ask("POST", f"{LIST}/{gone}/closure", 201, json=closing)

    async def both(**asked: Any) -> set[str]:
        found = await listed(commune, **asked)
        assert await in_file(commune, **asked) == found
        return found

    assert await both(cause="NO_LAND") == {farm}
    assert await both(cause="NO_CAPITAL") == {later}
    assert await both(cause="NO_SKILL") == set()
    assert await both(cause="NO_LAND", on="2022-12-31") == {farm, later, gone}
    assert await both(cause="NO_LAND", indicator="WATER_SOURCE") == {farm}
    assert await both(cause="NO_CAPITAL", indicator="WATER_SOURCE") == set()
    assert await both(cause="NO_LAND", indicator="EMPLOYMENT", on="2022-12-31") == {farm, later, gone}
    assert await both(cause="NO_CAPITAL", **{"class": "NEAR_POOR"}) == {later}

    moment = await commune.moment()
    given = {"members": 4, "b1_points": 120, "b2_points": 30, "causes": ["NO_SKILL"]}
    await commune.ask("POST", f"/v1/decisions/{first['decision_id']}/corrections", 201, json=given | PAPER)

    assert await both(cause="NO_LAND") == set()
    assert await both(cause="NO_SKILL") == {farm}
    assert await both(cause="NO_LAND", known_at=moment) == {farm}


async def test_a_preliminary_decision_says_nothing_about_causes(commune: Commune) -> None:
    household = await commune.register()
    review = await commune.open_review(2022, "PRELIMINARY")
    await commune.decide(review, household, 120, 30, causes=["NO_LAND"])

    assert await listed(commune, cause="NO_LAND") == set()


async def test_a_list_by_a_cause_that_tells_of_health_needs_its_permission(
    commune: Commune, signed_in: SignIn
) -> None:
    household = await commune.register()
    await decide(commune, household, "2022-05-01", FLAGS[0], causes=("NO_LAND", "ILLNESS"))
    few = tuple(each for each in EVERYTHING if each != "indicators.read")
    reader = Commune(commune.app, signed_in(COMMUNE, permissions=few), commune.folder)

    assert await refused(reader, 403, cause="ILLNESS") == "cause-restricted"
    assert await listed(reader, cause="NO_LAND") == {household}
    assert await listed(commune, cause="ILLNESS") == {household}
    assert await refused(commune, cause="DROUGHT") == "cause-unknown"


async def test_what_no_list_knows_is_refused(commune: Commune) -> None:
    assert await refused(commune, movement="MOVED") == "input-invalid"
    assert await refused(commune, indicator="TINH_YEU") == "indicator-unknown"


async def test_a_file_has_the_active_households_unless_others_are_asked_for(commune: Commune) -> None:
    here, gone = [await commune.register(code=f"H{n}") for n in range(2)]
    closing = {"reason": "DEATH", "on": "2023-05-01"}
    await commune.ask("POST", f"{LIST}/{gone}/closure", 201, json=closing)

    assert await in_file(commune) == {here}
    assert await in_file(commune, status="CLOSED") == {gone}
    assert await in_file(commune, on="2023-04-30") == {here, gone}


async def test_a_search_by_name_is_narrowed_by_the_same(commune: Commune) -> None:
    poor, other = await commune.register(), await commune.register(code="H2")
    await decide(commune, poor, "2022-05-01", FLAGS[0], causes=("NO_LAND",))
    await enter(commune, other, **person(merit="INVALID"))

    async def found(**asked: str) -> set[str]:
        page = await commune.ask("GET", f"{LIST}/search", params={"name": "dinh van"} | asked)
        return {each["household"]["id"] for each in page["items"]}

    assert await found() == {poor, other}
    assert await found(indicator="WATER_SOURCE") == {poor}
    assert await found(movement="NEW_POOR", movement_year="2022") == {poor}
    assert await found(group="MERIT") == {other}
    assert await found(cause="NO_LAND") == {poor}
    assert await found(cause="NO_TOOLS") == set()


@dataclass
class Register:
    """Two communes and what was recorded of their households, read once one by one."""

    officer: Commune
    known: dict[str, Any] = field(default_factory=dict)

    async def facts(self, household: str, on: str | None) -> Any:
        """What the household's own pages say of it on a day."""
        key = f"{household} {on}"
        if key not in self.known:
            day = {"on": on} if on else {}
            groups = await self.officer.ask("GET", f"{LIST}/{household}/cohorts", params=day)
            history = await self.officer.ask("GET", f"{LIST}/{household}/decisions")
            self.known[key] = groups, history
        return self.known[key]

    async def plainly(self, asked: dict[str, Any]) -> list[tuple[str, str]]:
        """What a list with these filters must have: every household of the register, judged by itself."""
        places = {name: asked[name] for name in ("area", "on") if name in asked}
        rows = await self.officer.households(**places)
        return [(row["commune"], row["id"]) for row in rows if await self._belongs(row, asked)]

    async def _belongs(self, row: Any, asked: dict[str, Any]) -> bool:
        on = asked.get("on")
        groups, history = await self.facts(row["id"], on)
        shown = {**row, "class": row["poverty_class"] or "NONE"}
        if any(name in asked and shown[name] != asked[name] for name in ("village", "class", "status")):
            return False
        taken = [
            each for each in history["decisions"] if each["stands"] and each["valid_from"] <= (on or "9")
        ]
        official = [each for each in taken if each["stage"] == "OFFICIAL"]
        newest = max(official, key=lambda each: (each["valid_from"], each["sequence"]), default=None)
        if "indicator" in asked:
            flags = (newest and newest["deprivations"]) or []
            if row["status"] != "ACTIVE" or asked["indicator"] not in flags:
                return False
        if "cause" in asked:
            said = [each["code"] for each in (newest and newest["causes"]) or ()]
            if row["status"] != "ACTIVE" or asked["cause"] not in said:
                return False
        if "movement" in asked or "movement_year" in asked:
            ended = [each for each in history["changes"] if each["stands"] and each["on"] <= (on or "9")]
            moves = [(each["movement"], each["valid_from"][:4]) for each in taken if each["movement"]]
            moves += [(each["movement"], each["on"][:4]) for each in ended if each["movement"]]
            kinds, year = asked.get("movement"), asked.get("movement_year")
            if not any(
                (kinds is None or kind in kinds) and (year is None or told == str(year))
                for kind, told in moves
            ):
                return False
        if "group" in asked:
            belongs = {each["cohort"]: bool(each["belongs"]) for each in groups["cohorts"]}
            belongs["MERIT"] = bool(groups["merit"])
            return belongs[asked["group"]]
        return True

    async def paged(self, asked: dict[str, Any], limit: int) -> list[tuple[str, str]]:
        """The same, page by page."""
        found: list[tuple[str, str]] = []
        after: dict[str, str] = {}
        while True:
            page = await self.officer.ask("GET", LIST, params={**asked, "limit": limit, **after})
            assert len(page["items"]) <= limit
            found += [(each["commune"], each["id"]) for each in page["items"]]
            if page["next"] is None:
                return found
            after = {"after": page["next"]}


async def filled(commune: Commune, signed_in: SignIn, *, backwards: bool) -> Register:
    """Households of two communes with their facts, recorded in the order of time or against it."""
    other = Commune(commune.app, signed_in(OTHER), commune.folder, OTHER)
    await other.list_villages("Làng Xa", "Làng Gần")
    district = Commune(commune.app, signed_in("630"), commune.folder, COMMUNE)
    order = -1 if backwards else 1
    for officer in (commune, other)[::order]:
        ids = [
            await officer.register(village=f"{officer.code}.0{1 + n % 2}", code=f"H{n}")
            for n in range(6)[::order]
        ]
        facts = [
            (household, day, number + turn)
            for number, household in enumerate(ids[:5])
            for turn, day in enumerate(("2022-04-01", "2022-09-01", "2023-03-01")[: 1 + number % 3])
        ]
        for household, day, kind in facts[::order]:
            b1, causes = (200, ()) if kind % 5 == 0 else (120, CAUSES[kind % 4])
            await decide(officer, household, day, FLAGS[kind % 4], b1, causes)
        await enter(officer, ids[0], **child(), on="2022-02-01")
        merit = person(number=None, number_missing="NO_PAPERS", merit="INVALID")
        await enter(officer, ids[1], **merit, on="2022-02-01")
        gone = await enter(officer, ids[3], **child(name="Lò Văn Đi"), on="2022-02-01")
        await leave(officer, ids[3], gone["member"]["id"], on="2022-06-01")
    going = {"to_commune": OTHER, "to_village": f"{OTHER}.02", "on": "2023-06-01"}
    mover, closing = (await commune.households())[1:3]
    await district.ask("POST", f"{LIST}/{mover['id']}/moves", 201, json=going)
    end = {"reason": "DISSOLVED", "on": "2023-06-15"}
    await commune.ask("POST", f"{LIST}/{closing['id']}/closure", 201, json=end)
    return Register(district)


FILTERS = {
    "area": st.sampled_from((COMMUNE, OTHER)),
    "village": st.sampled_from((f"{COMMUNE}.01", f"{OTHER}.02")),
    "class": st.sampled_from(("POOR", "NEAR_POOR", "NOT_POOR", "NONE")),
    "status": st.sampled_from(("ACTIVE", "CLOSED")),
    "indicator": st.sampled_from(("WATER_SOURCE", "HYGIENIC_TOILET", "NUTRITION", "INFO_DEVICES")),
    "cause": st.sampled_from(("NO_LAND", "ILLNESS", "NO_CAPITAL", "NO_TOOLS")),
    "movement": st.lists(
        st.sampled_from(("NEW_POOR", "NEW_NEAR_POOR", "ESCAPED_ABOVE_NEAR_POOR", "OTHER_DECREASE_POOR")),
        min_size=1, unique=True,
    ),
    "movement_year": st.sampled_from((2022, 2023)),
    "group": st.sampled_from(("MERIT", "PUPILS_STUDENTS", "CHILDREN_UNDER_16")),
    "on": st.sampled_from(("2022-05-01", "2022-12-31", "2023-06-10")),
}  # fmt: skip


@pytest.mark.parametrize("backwards", [False, True], ids=["in-time", "backwards"])
async def test_pages_of_any_filters_have_what_a_plain_look_at_every_household_gives(
    commune: Commune, signed_in: SignIn, *, backwards: bool
) -> None:
    register = await filled(commune, signed_in, backwards=backwards)
    loop = asyncio.get_running_loop()
    told: set[int] = set()

    async def check(asked: dict[str, Any], limit: int) -> None:
        expected = await register.plainly(asked)
        assert await register.paged(asked, limit) == expected
        counted = await register.officer.ask("GET", f"{LIST}/count", params=asked)
        assert counted["households"] == len(expected)
        if asked.get("status") == "ACTIVE":
            assert await in_file(register.officer, **asked) == {household for _, household in expected}
        told.add(len(expected))

    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
    @given(asked=st.fixed_dictionaries({}, optional=FILTERS), limit=st.integers(1, 5))
    def property_holds(asked: dict[str, Any], limit: int) -> None:
        asyncio.run_coroutine_threadsafe(check(asked, limit), loop).result(60)

    await asyncio.to_thread(property_holds)
    assert len(told) > 2, "no filter found anything: the register says too little"


def test_the_day_on_which_somebody_is_sixteen_is_the_day_of_the_list() -> None:
    from households.domain.ages import reached_on
    from households.domain.groups import Group, people_of

    for on in (dt.date(2024, 2, 29), dt.date(2023, 2, 28), dt.date(2024, 3, 1), dt.date(2023, 12, 31)):
        last = people_of(Group.CHILDREN_UNDER_16, on).born_after
        assert last is not None
        assert reached_on(last, 16) <= on < reached_on(last + dt.timedelta(days=1), 16)
