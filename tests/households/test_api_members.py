"""Members of a household over HTTP: entered, read, changed, gone, and given as a whole list."""

import asyncio
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from tests.households.officer import Commune
from tests.households.people import ON, change, child, enter, leave, members, person

from benvung.testing import Engine


async def test_a_member_is_read_as_it_was_entered_with_words_and_warnings(commune: Commune) -> None:
    household = await commune.register(head_name="Đỗ Thị Hường Mẫu", members=1)

    entered = await enter(commune, household, **person())

    shown = entered["member"]
    assert {name: shown[name] for name in person()} == person()
    assert (shown["age"], shown["birth_year"], shown["version"], shown["left_on"]) == (38, 1985, 1, None)
    assert (shown["labels"]["relation"], shown["labels"]["ethnicity"]) == ("Chủ hộ", "Tày")
    assert (entered["warnings"], entered["duplicates"]) == ([], [])
    assert await members(commune, household) == [shown]
    path = f"/v1/households/{household}/members/{shown['id']}"
    assert await commune.ask("GET", path) == shown


async def test_what_deserves_a_second_look_is_answered_and_stops_nobody(commune: Commune) -> None:
    household = await commune.register(members=2)
    given = person(birth_date=None, birth_year=1986, sex="MALE")

    entered = await enter(commune, household, **given)

    found = [(each["rule"], each["member_id"] is not None) for each in entered["warnings"]]
    assert found == [
        ("number-contradicts-sex", True),
        ("number-contradicts-birth-year", True),
        ("birth-day-unknown", True),
        ("head-differs", False),
        ("members-count-differs", False),
    ]
    assert len(await members(commune, household)) == 1


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"name": "Mẫu 2"}, "name-malformed"),
        ({"number": "0041850009"}, "number-malformed"),
        ({"number": "004185000"}, "number-is-legacy"),
        ({"number": None}, "number-missing-without-reason"),
        ({"number": None, "number_missing": "OTHER"}, "number-missing-reason-without-words"),
        ({"number_missing": "NO_PAPERS"}, "number-and-reason"),
        ({"ethnicity": "KLINGON"}, "code-unknown"),
        ({"birth_year": 1984}, "birth-year-contradicts-date"),
        ({"birth_date": None}, "birth-implausible"),
        ({"birth_date": "2023-06-02"}, "birth-in-future"),
        ({"on": "2024-01-25"}, "member-day-in-future"),
        ({"legacy_number": "12"}, "legacy-number-malformed"),
        ({"name": "x" * 201}, "input-invalid"),
        ({"nickname": "x"}, "input-invalid"),
    ],
)
async def test_what_cannot_be_is_refused_by_name_and_records_nothing(
    commune: Commune, changes: dict[str, Any], rule: str
) -> None:
    household = await commune.register()

    refused = await enter(commune, household, 422, **(person() | changes))

    assert refused["rule"] == rule
    assert await members(commune, household) == []


async def test_refusals_and_words_are_in_both_languages(commune: Commune) -> None:
    household = await commune.register()
    vietnamese = await enter(commune, household, 422, **person(number="1"))
    commune.client.headers["Accept-Language"] = "en"
    english = await enter(commune, household, 422, **person(number="1"))

    assert vietnamese["detail"].startswith("Số định danh cá nhân gồm đúng 12")
    assert english["detail"].startswith("A personal number is exactly 12 digits")


async def test_a_household_has_one_head_and_no_number_twice(commune: Commune) -> None:
    household = await commune.register()
    await enter(commune, household, **person())

    two_heads = await enter(commune, household, 422, **person(number="004185000998"))
    same_number = await enter(commune, household, 422, **person(relation="SPOUSE"))

    assert (two_heads["rule"], same_number["rule"]) == ("head-twice", "number-twice-in-household")


async def test_a_change_holds_from_its_day_and_what_was_before_is_still_answered(commune: Commune) -> None:
    household = await commune.register()
    head = (await enter(commune, household, on="2023-01-01", **person()))["member"]["id"]
    changed = await change(commune, household, head, on="2023-07-01", **person(work="CASUAL"))
    assert (changed["member"]["work"], changed["member"]["version"]) == ("CASUAL", 2)

    [before] = await members(commune, household, on="2023-06-30")
    [after] = await members(commune, household, on="2023-07-01")

    assert (before["work"], after["work"]) == ("SELF_EMPLOYED", "CASUAL")
    assert await members(commune, household, on="2022-12-31") == []
    again = await change(commune, household, head, on="2023-07-01", **person(work="CASUAL"))
    assert again["member"]["version"] == 2, "what is so already is no new fact"


async def test_a_change_is_taken_only_from_who_read_what_is_there(commune: Commune) -> None:
    household = await commune.register()
    head = (await enter(commune, household, **person()))["member"]["id"]
    path = f"/v1/households/{household}/members/{head}"
    read = (await commune.client.get(path)).headers["etag"]
    body = {"on": ON} | person(work="CASUAL")

    assert (await commune.ask("PUT", path, 428, json=body))["rule"] == "if-match-missing"
    await commune.ask("PUT", path, json=body, headers={"If-Match": read})
    late = await commune.ask("PUT", path, 412, json=body, headers={"If-Match": read})
    gone = {"on": ON, "reason": "OTHER"}
    tardy = await commune.ask("POST", f"{path}/leaving", 412, json=gone, headers={"If-Match": read})

    assert (late["rule"], tardy["rule"]) == ("member-changed", "member-changed")


async def test_who_leaves_is_a_member_until_the_day_before(commune: Commune) -> None:
    household = await commune.register()
    await enter(commune, household, **person())
    pupil = (await enter(commune, household, **child()))["member"]["id"]

    left = await leave(commune, household, pupil, on="2023-09-01", reason="MARRIED_AWAY")

    assert (left["member"]["left_on"], left["member"]["left_reason"]) == ("2023-09-01", "MARRIED_AWAY")
    assert len(await members(commune, household, on="2023-08-31")) == 2
    assert len(await members(commune, household, on="2023-09-01")) == 1
    twice = await leave(commune, household, pupil, 422, on="2023-10-01")
    later = await change(commune, household, pupil, 422, on="2023-10-01", **child(work="CASUAL"))
    sooner = await leave(commune, household, pupil, 422, on="2023-05-01")
    assert [each["rule"] for each in (twice, later, sooner)] == [
        "member-left-already",
        "not-a-member-then",
        "member-left-already",
    ]


async def test_a_household_whose_head_died_says_that_it_needs_another(commune: Commune) -> None:
    household = await commune.register()
    head = (await enter(commune, household, **person()))["member"]["id"]
    spouse = await enter(
        commune,
        household,
        **person(name="Lường Văn Mẫu", sex="MALE", relation="SPOUSE", number="004085000777"),
    )

    died = await leave(commune, household, head, on="2023-09-01", reason="DEATH")
    follows = await change(
        commune,
        household,
        spouse["member"]["id"],
        on="2023-09-01",
        **person(name="Lường Văn Mẫu", sex="MALE", number="004085000777"),
    )

    assert "head-missing" in [each["rule"] for each in died["warnings"]]
    assert "head-missing" not in [each["rule"] for each in follows["warnings"]]


async def test_a_wrong_fact_is_replaced_and_what_was_believed_is_still_answered(commune: Commune) -> None:
    household = await commune.register()
    await enter(commune, household, **person())
    pupil = (await enter(commune, household, **child()))["member"]["id"]
    await leave(commune, household, pupil, on="2023-09-01", reason="DEATH")
    path = f"/v1/households/{household}/members/{pupil}/facts"
    told = (await commune.ask("GET", path))["facts"]

    back = await change(commune, household, pupil, on=ON, corrects=told[-1]["fact"], **child())

    assert back["member"]["left_on"] is None
    assert len(await members(commune, household)) == 2
    assert len(await members(commune, household, known_at=told[-1]["recorded_at"])) == 1
    assert len(await members(commune, household, known_at=told[0]["recorded_at"])) == 2
    facts = (await commune.ask("GET", path))["facts"]
    assert [(each["kind"], each["corrects"]) for each in facts] == [
        ("ENTERED", None),
        ("LEFT", None),
        ("CHANGED", told[-1]["fact"]),
    ]
    again = await change(commune, household, pupil, 422, corrects=told[-1]["fact"], **child())
    assert again["rule"] == "fact-not-to-correct"


async def test_the_day_of_entry_can_be_corrected(commune: Commune) -> None:
    household = await commune.register()
    head = (await enter(commune, household, on="2023-06-01", **person()))["member"]

    await change(commune, household, head["id"], on="2023-02-01", corrects=head["fact"], **person())

    assert len(await members(commune, household, on="2023-02-01")) == 1
    assert await members(commune, household, on="2023-01-31") == []


async def test_a_late_change_lies_before_what_is_known_of_later(commune: Commune) -> None:
    household = await commune.register()
    head = (await enter(commune, household, on="2023-01-01", **person()))["member"]["id"]
    await change(commune, household, head, on="2023-09-01", **person(work="RETIRED"))

    late = await change(commune, household, head, on="2023-03-01", **person(work="CASUAL"))

    assert late["member"]["work"] == "RETIRED"
    days = ("2023-02-28", "2023-03-01", "2023-09-01")
    found = [(await members(commune, household, on=day))[0]["work"] for day in days]
    assert found == ["SELF_EMPLOYED", "CASUAL", "RETIRED"]


# Twice, and at once.


async def test_somebody_entered_twice_with_one_key_is_entered_once(commune: Commune) -> None:
    household = await commune.register()
    path, key = f"/v1/households/{household}/members", {"Idempotency-Key": str(uuid.uuid4())}
    body = {"on": ON} | person()

    first, again = [await commune.client.post(path, json=body, headers=key) for _ in range(2)]
    gone = {"on": "2023-09-01", "reason": "DEATH"}
    key = {"Idempotency-Key": str(uuid.uuid4())}
    leaving = f"{first.headers['location']}/leaving"
    left = [await commune.client.post(leaving, json=gone, headers=key) for _ in range(2)]

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert left[0].json() == left[1].json()
    assert left[1].json()["member"]["version"] == 2


async def test_of_several_heads_entered_at_once_one_is_taken(commune: Commune) -> None:
    household = await commune.register()
    path = f"/v1/households/{household}/members"

    answers = await asyncio.gather(
        *(
            commune.client.post(path, json={"on": ON} | person(number=f"00418500{number:04d}"))
            for number in range(6)
        )
    )

    assert sorted(each.status_code for each in answers) == [201, *[422] * 5]
    assert {each.json()["rule"] for each in answers if each.status_code == 422} == {"head-twice"}
    assert len(await members(commune, household)) == 1


async def test_entries_at_once_are_all_there_and_known_one_after_another(
    commune: Commune, engine: Engine
) -> None:
    household = await commune.register()
    path = f"/v1/households/{household}/members"

    answers = await asyncio.gather(
        *(
            commune.client.post(path, json={"on": ON} | child(birth_date=f"20{10 + n}-05-06"))
            for n in range(8)
        )
    )

    assert {each.status_code for each in answers} == {201}
    assert len(await members(commune, household)) == 8
    async with engine("households").connect() as conn:
        told = (
            await conn.execute(sa.text("select recorded_at from member_facts order by sequence"))
        ).scalars()
        moments = list(told)
    assert moments == sorted(set(moments))


# Groups of policy.


async def test_a_household_is_told_its_groups_or_what_is_not_loaded(commune: Commune) -> None:
    household = await commune.register()
    path = f"/v1/households/{household}/cohorts"
    nobody = await commune.ask("GET", path)
    assert {each["refusal"]["rule"] for each in nobody["cohorts"]} == {"members-not-entered"}
    await enter(commune, household, **person(merit="INVALID"))
    pupil = (await enter(commune, household, **child()))["member"]["id"]

    told = await commune.ask("GET", path, params={"on": ON})

    found = {each["cohort"]: (each["belongs"], each["members"]) for each in told["cohorts"]}
    assert found == {
        "HAS_LABOUR_NO_JOB": (None, []),
        "NO_LABOUR_CAPACITY": (None, []),
        "PUPILS_STUDENTS": (True, [pupil]),
        "CHILDREN_UNDER_16": (True, [pupil]),
    }
    refusals = {each["cohort"]: each["refusal"] and each["refusal"]["rule"] for each in told["cohorts"]}
    assert refusals["NO_LABOUR_CAPACITY"] == "cohort-definition-missing"
    assert (told["ethnic_minority"], told["merit"]) == (True, True)
