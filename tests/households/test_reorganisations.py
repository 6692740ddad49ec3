"""Communes become others: households follow, nobody is lost, and what was before stays as it was."""

from typing import Any

import pytest
from tests.households.province import AFTER, MERGED_INTO, Province

from benvung import clock


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


Lists = dict[tuple[str, str], tuple[int, dict[str, int], int]]


def lists(found: Any) -> Lists:
    """By area and list the households at the beginning, of each flow and at the end."""
    assert found["faults"] == []
    assert all(each["closes"] for each in found["accounts"])
    return {
        (each["area"], each["list"]): (
            each["start"]["households"],
            {flow["flow"]: flow["households"] for flow in (*each["came"], *each["went"])},
            each["end"]["households"],
        )
        for each in found["accounts"]
    }


async def a_year_of_reform(province: Province) -> None:
    """Before the reform one household gets near-poor and one poor, after it one escapes; none of them moves."""
    chu_krey = await province.settle("23827", 3, "Làng Một")
    an_trung = await province.settle("23830", 2, "Làng Một")
    for code, household, points in (("23827", chu_krey[0], 10), ("23830", None, 40)):
        officer = province.officer(code)
        regular = await officer.open_review(2025, kind="REGULAR", decided_on="2025-03-20")
        await officer.decide(regular, household or await officer.register(code="H9"), 120, points)
    await province.reorganise("23827")
    officer = province.officer(MERGED_INTO)
    annual = await officer.open_review(2025)
    await officer.decide(annual, an_trung[0], 200, 0)


async def test_in_the_year_of_the_reform_the_lists_of_now_move_by_what_happened_to_households_alone(
    province: Province,
) -> None:
    await a_year_of_reform(province)
    asked = {"year": 2025, "geography": "now"}
    found = await province.all.ask("GET", "/v1/movements", params=asked)

    poor = (5, {"NEW": 1, "TO_OTHER_LIST": 1, "ESCAPED": 1}, 4)
    near_poor = (0, {"FROM_OTHER_LIST": 1}, 1)
    expected = {"POOR": poor, "NEAR_POOR": near_poor}
    areas = (MERGED_INTO, "TOTAL")
    assert lists(found) == {(area, name): it for area in areas for name, it in expected.items()}
    rows = {(each["form"], each["area"], each["measure"]): each["columns"] for each in found["rows"]}
    assert rows["7.2", MERGED_INTO, "HOUSEHOLDS"] == [5, 1, 1, 0, 0, 0, 1, 0, 4]
    assert rows["7.2", MERGED_INTO, "PERSONS"] == [20, 4, 4, 0, 0, 0, 4, 0, 16]
    provinces = lists(await province.all.ask("GET", "/v1/movements", params=asked | {"level": "PROVINCE"}))
    assert provinces == {(area, name): it for area in ("52", "TOTAL") for name, it in expected.items()}


async def test_by_the_units_of_then_the_old_commune_hands_over_what_it_had_and_both_close(
    province: Province,
) -> None:
    await a_year_of_reform(province)
    found = lists(await province.all.ask("GET", "/v1/movements", params={"year": 2025}))

    assert {key: it for key, it in found.items() if key[0] != "TOTAL"} == {
        ("23827", "POOR"): (3, {"TO_OTHER_LIST": 1, "REORGANISED_OUT": 2}, 0),
        ("23827", "NEAR_POOR"): (0, {"FROM_OTHER_LIST": 1, "REORGANISED_OUT": 1}, 0),
        (MERGED_INTO, "POOR"): (2, {"NEW": 1, "REORGANISED_IN": 2, "ESCAPED": 1}, 4),
        (MERGED_INTO, "NEAR_POOR"): (0, {"REORGANISED_IN": 1}, 1),
    }


async def test_the_form_of_a_commune_made_in_the_year_is_held_against_what_it_was_made_from(
    province: Province,
) -> None:
    await a_year_of_reform(province)
    columns = {str(number): value for number, value in enumerate([5, 1, 1, 0, 0, 0, 1, 0, 4], start=1)}
    row = {"form": "7.2", "area": MERGED_INTO, "measure": "HOUSEHOLDS", "columns": columns}
    given = {"year": 2025, "rows": [row], "area": MERGED_INTO}

    async def faults(**more: str) -> list[tuple[int, int, int]]:
        found = await province.all.ask("POST", "/v1/movements/check", json=given | more)
        return [(each["column"], each["expected"], each["given"]) for each in found["faults"]]

    assert await faults(geography="now") == []
    assert await faults() == [(1, 2, 5), (2, 0, 1), (8, 2, 0)]


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


async def test_a_late_record_finds_what_came_in_meanwhile_and_names_whom_it_cannot_place(
    province: Province,
) -> None:
    """A commune that ended in January by a document that nobody recorded before March."""
    [one] = await province.settle("23827", 1, "Làng Một")
    await province.reorganise("23827")
    officer = province.officer(MERGED_INTO)
    review = await officer.open_review(2026, kind="REGULAR", decided_on="2026-02-01")
    await officer.decide(review, one, 120, 20)
    new = {"code": "99001", "name": "Xã Ví Dụ", "province": "52", "area_type": "RURAL"}
    given = {
        "on": "2026-01-01", "document_number": "1/NQ", "document_date": "2025-12-01",
        "parts": [{"predecessor": MERGED_INTO, "successors": ["99001"]}], "successors": [new],
    }  # fmt: skip
    late = await officer.register(commune=MERGED_INTO, village=f"{MERGED_INTO}.01", code="N1")

    refused = await province.all.ask("POST", "/v1/reorganisations", 422, json=given)
    assert refused["rule"] == "entered-after-reorganisation"
    closure = {"reason": "DISSOLVED", "on": "2026-03-01"}
    await province.all.ask(
        "POST", f"/v1/households/{late}/closure", 201, json=closure, headers={"If-Match": "*"}
    )
    await province.all.ask("POST", "/v1/reorganisations", 201, json=given)
    await province.follow()

    now = await province.all.household(one)
    assert (now["commune"], now["poverty_class"]) == ("99001", "NEAR_POOR")
    then = await province.all.ask("GET", f"/v1/households/{one}", params={"on": "2026-01-15"})
    assert (then["commune"], then["poverty_class"]) == ("99001", "POOR")


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
    over = given | {"valid_to": given["valid_from"]}
    refused = await officer.ask("POST", "/v1/communes/23824/area-types", 422, json=over)
    assert refused["rule"] == "area-type-ends-before-it-begins"
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


async def test_decisions_and_reviews_of_before_are_the_new_communes_to_read_and_correct(
    province: Province,
) -> None:
    [one] = await province.settle("23827", 1, "Làng Một")
    await province.reorganise("23827")
    officer, stranger = province.officer(MERGED_INTO), province.officer("23833")

    [decision] = (await officer.ask("GET", f"/v1/households/{one}/decisions"))["decisions"]
    path = f"/v1/decisions/{decision['decision_id']}"
    assert (await officer.ask("GET", path))["commune"] == "23827"
    await stranger.ask("GET", path, 404)
    [review] = (await officer.ask("GET", "/v1/reviews"))["items"]
    assert review["commune"] == "23827"
    assert (await stranger.ask("GET", "/v1/reviews"))["items"] == []
    changes = (await officer.ask("GET", f"/v1/households/{one}/decisions"))["changes"]
    followed = next(each["change_id"] for each in changes if each["reason"] == "REORGANISED")
    annulled = await officer.ask(
        "POST", f"/v1/changes/{followed}/annulment", 422, json={"reason": "Ghi nhầm hộ"}
    )
    assert annulled["rule"] == "reorganisation-stands"
    corrected = {
        "members": 4, "b1_points": 120, "b2_points": 20,
        "decided_on": "2024-01-05", "reason": "Ghi nhầm điểm B2",
    }  # fmt: skip
    await officer.ask("POST", f"{path}/corrections", 201, json=corrected)

    now = await officer.household(one)
    assert (now["commune"], now["poverty_class"]) == (MERGED_INTO, "NEAR_POOR")
    before = await officer.ask("GET", f"/v1/households/{one}", params={"on": "2024-06-01"})
    assert (before["commune"], before["commune_now"]) == ("23827", MERGED_INTO)
