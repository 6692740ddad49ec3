"""Lists are narrowed by what officers ask for: class, indicator, cause, movement, group, village, in any combination."""

import datetime as dt
from typing import Any

import pytest
from tests.households.narrowed import FLAGS, LIST, decide, in_file, listed
from tests.households.officer import COMMUNE, Commune, SignIn
from tests.households.people import child, enter, leave, person

from benvung.testing.tokens import EVERYTHING

PAPER = {"decided_on": "2024-02-01", "decision_number": "7/QĐ-UBND", "reason": "Ghi sai chỉ số"}


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


def test_the_day_on_which_somebody_is_sixteen_is_the_day_of_the_list() -> None:
    from households.domain.ages import reached_on
    from households.domain.groups import Group, people_of

    for on in (dt.date(2024, 2, 29), dt.date(2023, 2, 28), dt.date(2024, 3, 1), dt.date(2023, 12, 31)):
        last = people_of(Group.CHILDREN_UNDER_16, on).born_after
        assert last is not None
        assert reached_on(last, 16) <= on < reached_on(last + dt.timedelta(days=1), 16)
