"""Communes become others: households follow, nobody is lost, and what was before stays as it was."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from tests.households.officer import Commune, SignIn

from benvung import areas, clock
from households.follower import Follower

# Of the reform of 2025-07-01: Chư Krey and An Trung became Chư Krey; in Bình Định one commune was divided.
MERGED = ("23827", "23830")
MERGED_INTO = "23830"
REFORM = dt.date(2025, 7, 1)
BEFORE = dt.date(2025, 6, 1)
AFTER = dt.date(2026, 3, 1)
DOCUMENT = {"document_number": "1664/NQ-UBTVQH15", "document_date": "2025-06-16"}


@pytest.fixture(autouse=True)
def units_as_listed() -> Iterator[None]:
    """Each test begins with the units of the published list, some weeks before the reform."""
    areas.learn(())
    clock.fix(BEFORE)
    yield
    clock.fix(None)
    areas.learn(())


class Province:
    """Somebody responsible for the whole country, with the communes' officers' work before the reform."""

    def __init__(self, app: FastAPI, signed_in: SignIn, folder: Any) -> None:
        self.app, self.signed_in, self.folder = app, signed_in, folder
        self.all = Commune(app, signed_in("VN"), folder, "VN")

    def officer(self, code: str) -> Commune:
        return Commune(self.app, self.signed_in(code), self.folder, code)

    async def settle(self, code: str, households: int, *villages: str) -> list[str]:
        """A commune with its villages and some poor households of December 2023."""
        officer = self.officer(code)
        await officer.list_villages(*villages)
        review = await officer.open_review(2023)
        made = []
        for number in range(households):
            village = f"{code}.{number % len(villages) + 1:02d}"
            made.append(await officer.register(commune=code, village=village, code=f"H{number}"))
            await officer.decide(review, made[-1], 120, 40)
        return made

    async def reorganise(self, area: str, status: int = 201, **changes: Any) -> Any:
        """The reform as the published list has it for an area, recorded after it."""
        clock.fix(AFTER)
        proposal = await self.all.ask("GET", "/v1/reorganisations/proposal", params={"area": area})
        given = {"on": "2025-07-01", **DOCUMENT, "parts": proposal["parts"], **changes}
        made = await self.all.ask("POST", "/v1/reorganisations", status, json=given)
        await self.follow()
        return made

    async def follow(self) -> None:
        while await Follower().round(self.app.state.engine):
            pass

    async def count(self, **query: Any) -> int:
        found = await self.all.ask("GET", "/v1/households/count", params=query)
        return int(found["households"])


@pytest.fixture
def province(application: tuple[FastAPI, Any], signed_in: SignIn, tmp_path: Any) -> Province:
    return Province(application[0], signed_in, tmp_path)


async def test_households_of_merged_communes_follow_by_themselves(province: Province) -> None:
    ours = [*await province.settle("23827", 3, "Làng Một", "Làng Hai")]
    ours += await province.settle("23830", 2, "Làng Một")

    made = await province.reorganise("23827")

    done = await province.all.ask("GET", f"/v1/reorganisations/{made['id']}")
    assert done["households"] == {"FOLLOWED": 5}
    officer = province.officer(MERGED_INTO)
    assert {each["id"] for each in await officer.households()} == set(ours)
    villages = await officer.ask("GET", f"/v1/communes/{MERGED_INTO}/villages")
    assert [each["name"] for each in villages["villages"]] == [
        "Làng Một",
        "Làng Một (Xã Chư Krey cũ)",
        "Làng Hai",
    ]
    assert all(each["class_since"] == "2023-12-10" for each in await officer.households())


async def test_a_reorganisation_is_a_movement_by_the_units_of_then_and_none_by_those_of_now(
    province: Province,
) -> None:
    await province.settle("23827", 3, "Làng Một")
    await province.settle("23830", 2, "Làng Một")
    await province.reorganise("23827")

    def told(found: Any) -> dict[str, tuple[int, list[str], int]]:
        assert found["faults"] == []
        return {
            each["area"]: (
                each["start"]["households"],
                [flow["flow"] for flow in (*each["came"], *each["went"])],
                each["end"]["households"],
            )
            for each in found["accounts"]
            if each["list"] == "POOR" and each["closes"]
        }

    by_then = told(await province.all.ask("GET", "/v1/movements", params={"year": 2025}))
    by_now = told(await province.all.ask("GET", "/v1/movements", params={"year": 2025, "geography": "now"}))

    assert by_then["23827"] == (3, ["REORGANISED_OUT"], 0)
    assert by_then[MERGED_INTO] == (2, ["REORGANISED_IN"], 5)
    assert by_now == {MERGED_INTO: (5, [], 5), "TOTAL": (5, [], 5)}


# In Bình Định the old commune An Nghĩa went half to An Toàn and half to An Hòa, each with others.
DIVIDED = "21634"
HALVES = ("21622", "21628")


@pytest.fixture
async def divided(province: Province) -> tuple[Province, dict[str, list[str]], str]:
    """Households of the divided commune and its neighbours after the reform; the code under which some wait."""
    proposal = await province.all.ask("GET", "/v1/reorganisations/proposal", params={"area": DIVIDED})
    codes = [part["predecessor"] for part in proposal["parts"]]
    made = {code: await province.settle(code, 4, "Thôn Một", "Thôn Hai") for code in codes}
    recorded = await province.reorganise(DIVIDED)
    [waiting] = [part["waiting"] for part in recorded["parts"] if part["waiting"]]
    return province, made, waiting


async def test_households_of_a_divided_commune_wait_for_a_choice(
    divided: tuple[Province, dict[str, list[str]], str],
) -> None:
    province, made, waiting = divided

    found = await province.all.ask("GET", "/v1/waiting-areas")

    assert waiting == "21634W"
    assert found["households"] == 4
    assert [(each["name"], each["households"]) for each in found["items"][0]["villages"]] == [
        ("Thôn Một", 2),
        ("Thôn Hai", 2),
    ]
    listed = await province.all.ask("GET", f"/v1/waiting-areas/{waiting}/households")
    assert {each["id"] for each in listed["items"]} == set(made[DIVIDED])
    household = await province.all.household(made[DIVIDED][0])
    assert (household["commune"], household["poverty_class"]) == (waiting, "POOR")


async def test_nothing_is_lost_in_sums_while_households_wait(
    divided: tuple[Province, dict[str, list[str]], str],
) -> None:
    province, made, waiting = divided
    total = sum(map(len, made.values()))

    for asked in (
        {"area": "52"},
        {"area": "52", "on": "2026-01-01"},
        {"area": "52", "on": "2024-12-31"},  # the old Bình Định had this code
        {"area": "52", "on": "2024-12-31", "geography": "now"},
    ):
        assert await province.count(**asked) == total, asked
    counts = await province.all.ask("GET", "/v1/verify", params={"area": "52"})
    assert counts["total"]["POOR"]["households"] == total
    assert waiting in {each["commune"] for each in counts["communes"]}


async def test_who_waits_is_refused_for_new_decisions_by_name(
    divided: tuple[Province, dict[str, list[str]], str],
) -> None:
    province, made, _ = divided
    household = made[DIVIDED][0]
    officer = province.officer(HALVES[1])
    review = await officer.open_review(2025, decided_on="2025-12-10")
    given = {"household_id": household, "members": 4, "b1_points": 120, "b2_points": 40}

    for method, path, body in (
        ("POST", f"/v1/reviews/{review}/results", given),
        ("POST", f"/v1/households/{household}/closure", {"reason": "DEATH", "on": "2026-01-05"}),
    ):
        refused = await province.all.client.request(method, path, json=body, headers={"If-Match": "*"})
        assert (refused.status_code, refused.json()["rule"]) == (422, "area-choice-wanted")


async def test_a_choice_holds_from_the_day_of_the_division(
    divided: tuple[Province, dict[str, list[str]], str],
) -> None:
    province, made, waiting = divided
    [one, *_] = made[DIVIDED]
    total = sum(map(len, made.values()))

    await province.all.ask(
        "POST",
        f"/v1/waiting-areas/{waiting}/choices",
        201,
        json={"successor": HALVES[1], "households": [one]},
    )
    rest = await province.all.ask(
        "POST",
        f"/v1/waiting-areas/{waiting}/choices",
        201,
        json={"successor": HALVES[0], "villages": [f"{DIVIDED}.01", f"{DIVIDED}.02"]},
    )

    assert (rest["assigned"], rest["waiting"]) == (3, 0)
    assert await province.count(area=waiting) == 0
    assert await province.count(area="52", on="2025-07-01") == total
    then = await province.all.ask("GET", f"/v1/households/{one}", params={"on": "2025-07-01"})
    assert (then["commune"], then["village"]) == (HALVES[1], f"{HALVES[1]}.05")
    before = await province.all.ask("GET", f"/v1/households/{one}", params={"on": "2025-06-30"})
    assert (before["commune"], before["commune_now"]) == (DIVIDED, HALVES[1])
    here = await province.count(area=HALVES[0], on="2025-06-30", geography="now")
    there = await province.count(area=HALVES[1], on="2025-06-30", geography="now")
    assert here + there == total


async def test_nobody_chooses_for_a_commune_of_his_own_alone(
    divided: tuple[Province, dict[str, list[str]], str],
) -> None:
    province, made, waiting = divided
    officer = province.officer(HALVES[1])
    listed = await officer.ask("GET", f"/v1/waiting-areas/{waiting}/households")
    given = {"successor": HALVES[1], "households": made[DIVIDED]}

    refused = await officer.ask("POST", f"/v1/waiting-areas/{waiting}/choices", 403, json=given)

    assert len(listed["items"]) == 4
    assert refused["rule"] == "outside-area"
    stranger = province.officer("23824")
    assert (await stranger.ask("GET", "/v1/waiting-areas"))["households"] == 0
    await stranger.ask("GET", f"/v1/waiting-areas/{waiting}/households", 404)
    other = {"successor": "23824", "households": made[DIVIDED]}
    answer = await province.all.ask("POST", f"/v1/waiting-areas/{waiting}/choices", 422, json=other)
    assert answer["rule"] == "successor-of-another"


async def test_the_officer_of_the_new_commune_reads_what_was_before(province: Province) -> None:
    chu_krey = await province.settle("23827", 2, "Làng Một")
    an_trung = await province.settle("23830", 3, "Làng Một")
    await province.reorganise("23827")
    officer = province.officer(MERGED_INTO)

    async def listed(**query: Any) -> set[str]:
        return {each["id"] for each in await officer.households(**query)}

    assert await listed(on="2024-06-01") == {*chu_krey, *an_trung}
    # An old code in its own geography; the same code of today holds both.
    assert await listed(on="2024-06-01", area="23827") == set(chu_krey)
    assert await listed(on="2024-06-01", area="23830") == set(an_trung)
    assert await listed(on="2024-06-01", area="23830", geography="now") == {*chu_krey, *an_trung}
    # The code 23827 is another place's now, or nobody's: its officer sees nothing of the old commune.
    assert await province.officer("23833").households(on="2024-06-01") == []


async def test_what_is_not_known_of_earlier_communes_is_said_by_name(province: Province) -> None:
    await province.settle("23827", 1, "Làng Một")
    for path, asked in (
        ("/v1/households", {"on": "2024-06-01"}),
        ("/v1/households/count", {"on": "2024-06-01"}),
        ("/v1/verify", {"on": "2024-06-01"}),
        ("/v1/areas/23827/past", {"on": "2024-06-01"}),
    ):
        answer = await province.all.ask("GET", path, params=asked)
        assert [note["rule"] for note in answer["notes"]] == ["earlier-area-changes-unknown"], path
    later = await province.all.ask("GET", "/v1/households/count", params={"on": "2025-07-01"})
    assert later["notes"] == []


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"parts": [{"predecessor": "23827", "successors": ["23830"]}]}, "predecessor-left-over"),
        ({"document_date": "2025-07-02"}, "document-after-effect"),
        ({"on": "2026-03-02"}, "reorganisation-in-future"),
        ({"on": "2025-07-02"}, "predecessor-unknown"),
        (
            {"parts": [{"predecessor": "23827", "successors": ["23830"], "kind": "RENAMED"},
                       {"predecessor": "23830", "successors": ["23830"]}]},
            "kind-contradicted",
        ),
        (
            {"parts": [{"predecessor": "23827", "successors": ["23830", "99999"]},
                       {"predecessor": "23830", "successors": ["23830"]}]},
            "successor-unknown",
        ),
        (
            {"parts": [{"predecessor": "23827", "successors": ["23830"]},
                       {"predecessor": "23827", "successors": ["23830"]}]},
            "predecessor-twice",
        ),
    ],
)  # fmt: skip
async def test_a_reorganisation_that_does_not_hold_together_is_refused_by_name(
    province: Province, changes: dict[str, Any], rule: str
) -> None:
    refused = await province.reorganise("23827", 422, **changes)

    assert refused["rule"] == rule


async def test_a_commune_joins_another_that_no_list_knows_yet(province: Province) -> None:
    """After the reform: Chư Krey and Kông Chro become one new commune, then that one is divided."""
    ours = [*await province.settle("23827", 2, "Làng Một"), *await province.settle("23824", 2, "Tổ 1")]
    await province.reorganise("630")
    parts = [{"predecessor": code, "successors": ["99001"]} for code in ("23830", "23824")]
    new = {"code": "99001", "name": "Xã Ví Dụ", "province": "52", "area_type": "RURAL"}
    given = {
        "on": "2026-01-01", "document_number": "1/NQ", "document_date": "2025-12-01",
        "parts": parts, "successors": [new],
    }  # fmt: skip
    await province.all.ask("POST", "/v1/reorganisations", 201, json=given)
    await province.follow()

    assert await province.count(area="99001") == 4
    assert await province.count(area="99001", on="2025-01-01", geography="now") == 4
    assert await province.count(area="23830", on="2025-12-31") == 2
    past = await province.all.ask("GET", "/v1/areas/23830/past", params={"on": "2025-12-31"})
    assert [each["code"] for each in past["successors"]] == ["99001"]
    assert past["unit"]["valid_to"] == "2026-01-01"
    assert {each["id"] for each in await province.officer("99001").households(on="2024-01-01")} == set(ours)
    overlapping = {**given, "parts": [{"predecessor": "23833", "successors": ["99001"]}]}
    refused = await province.all.ask("POST", "/v1/reorganisations", 422, json=overlapping)
    assert refused["rule"] == "predecessor-left-over"


async def test_what_was_decided_before_the_reform_was_recorded_stands_in_the_new_commune(
    province: Province,
) -> None:
    """The town kept its code; a decision of December 2025 came in before anybody recorded the reform."""
    [one] = await province.settle("23824", 1, "Tổ 1")
    clock.fix(AFTER)
    officer = province.officer("23824")
    review = await officer.open_review(2025, decided_on="2025-12-10")
    await officer.decide(review, one, 120, 20)

    await province.reorganise("630")

    now = await province.all.household(one)
    assert (now["commune"], now["province"], now["poverty_class"]) == ("23824", "52", "NEAR_POOR")
    before = await province.all.ask("GET", f"/v1/households/{one}", params={"on": "2025-06-30"})
    assert (before["province"], before["poverty_class"]) == ("64", "POOR")


async def test_a_household_that_is_entered_late_follows_too(province: Province) -> None:
    await province.settle("23827", 1, "Làng Một")
    await province.reorganise("23827")
    officer = province.all
    late = await officer.ask(
        "POST",
        "/v1/arrivals",
        201,
        json={
            "commune": "23827", "village": "23827.01", "head_name": "Đinh Thị Ví Dụ", "members": 2,
            "class": "POOR", "standard": "STD_2022_2025", "on": "2025-05-01", "certificate": "1/GCN",
        },
    )  # fmt: skip
    await province.follow()

    assert (await officer.household(late["id"]))["commune"] == MERGED_INTO


async def test_a_communes_type_holds_from_its_day(province: Province) -> None:
    """A town that became a rural commune, then a ward by a later document: the line follows the day."""
    await province.settle("23824", 1, "Tổ 1")
    await province.reorganise("630")
    officer = province.officer("23824")
    given = {
        "area_type": "URBAN", "valid_from": "2026-01-01",
        "document_number": "5/NQ", "document_date": "2025-12-20",
    }  # fmt: skip
    await officer.ask("POST", "/v1/communes/23824/area-types", 201, json=given)

    async def kind(on: str) -> Any:
        answer = await officer.ask("GET", "/v1/communes/23824/area-types", params={"on": on})
        return answer["area_type"]

    assert [await kind(on) for on in ("2025-06-30", "2025-12-31", "2026-01-01")] == [
        "URBAN",
        "RURAL",
        "URBAN",
    ]
    household = await officer.register(commune="23824", village="23824.01", code="N1")
    results = []
    for year, decided_on in ((2025, "2025-12-20"), (2025, "2026-01-15")):
        kind_of = "ANNUAL" if decided_on.startswith("2025") else "REGULAR"
        review = await officer.open_review(year, kind=kind_of, decided_on=decided_on)
        results.append((await officer.decide(review, household, 170, 40))["class"])
    # 170 points are above the rural line of 140 and below the urban one of 175.
    assert results == ["NOT_POOR", "POOR"]
