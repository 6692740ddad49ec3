"""A file of results: which household each row means, what is answered to it, and what is left out."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.households.officer import OTHER, Commune, row

from benvung.testing import Engine, emitted
from households.domain import HouseholdClass
from households.events import HouseholdClassified
from households.files import ReviewRow


def rules(answered: dict[str, Any]) -> list[str]:
    return [answer["rule"] for answer in answered["answers"]]


async def test_the_first_file_enters_its_households_with_their_class(
    commune: Commune, engine: Engine
) -> None:
    review = await commune.open_review()

    done = await commune.import_rows(
        review,
        row(1, "Đinh Một"),
        row(2, "Đinh Hai", b2_points=20, village="Làng Hai", members=5),
        row(3, "Đinh Ba", b1_points=141, village="làng  ba"),
    )

    assert (done["state"], done["total"], done["applied"], done["refused"]) == ("DONE", 3, 3, 0)
    found = {each["head_name"]: each for each in await commune.households()}
    assert {name: each["poverty_class"] for name, each in found.items()} == {
        "Đinh Một": "POOR",
        "Đinh Hai": "NEAR_POOR",
        "Đinh Ba": "NOT_POOR",
    }
    assert found["Đinh Ba"]["village"] == "23827.03"
    async with engine("households").connect() as conn:
        classified = await emitted(conn, HouseholdClassified)
    # One decision, one event: the household is first told of by its decision.
    assert [each.revision for each in classified] == [1, 1, 1]


async def year_two(commune: Commune, *rows: ReviewRow) -> tuple[Any, dict[int, Any]]:
    done = await commune.import_rows(await commune.open_review(2023), *rows)
    return done, await commune.answers(done["import_id"])


async def known(commune: Commune, *rows: ReviewRow) -> dict[str, UUID]:
    """Households of an earlier year, by their heads' names."""
    await commune.import_rows(await commune.open_review(2022), *rows)
    return {each["head_name"]: UUID(each["id"]) for each in await commune.households()}


async def test_a_row_with_our_identifier_is_that_household_whatever_its_code(commune: Commune) -> None:
    ids = await known(commune, row(1, "Đinh Một"), row(2, "Đinh Hai"))

    done, answers = await year_two(
        commune,
        row(1, "Đinh Một", household_id=ids["Đinh Một"], code="H002"),
        row(2, "Đinh Hai", household_id=ids["Đinh Hai"], code="H001"),
    )

    assert (done["applied"], done["missing_from_file"]) == (2, 0)
    assert [answers[number]["matched_by"] for number in sorted(answers)] == ["BY_ID", "BY_ID"]
    codes = {each["head_name"]: each["code"] for each in await commune.households()}
    assert codes == {"Đinh Một": "H002", "Đinh Hai": "H001"}


async def test_a_row_without_identifier_is_found_by_village_and_code(commune: Commune) -> None:
    ids = await known(commune, row(1, "Đinh Một"), row(2, "Đinh Hai"))

    done, answers = await year_two(commune, row(1, "ĐINH  MỘT", b1_points=200), row(2, "Đinh Hai"))

    assert done["applied"] == 2
    assert {each["matched_by"] for each in answers.values()} == {"BY_CODE"}
    assert (await commune.household(ids["Đinh Một"]))["poverty_class"] == "NOT_POOR"
    assert len(await commune.households()) == 2


async def test_a_changed_head_is_believed_and_noted(commune: Commune) -> None:
    ids = await known(commune, row(1, "Đinh Một"))

    done, answers = await year_two(commune, row(1, "Siu H'Lan", household_id=ids["Đinh Một"]))

    [answered] = answers.values()
    assert (answered["state"], rules(answered)) == ("APPLIED", ["head-changed"])
    assert done["warnings"] == 0
    assert (await commune.household(ids["Đinh Một"]))["head_name"] == "Siu H'Lan"


async def test_swapped_codes_without_identifiers_are_left_out_and_nothing_is_guessed(
    commune: Commune,
) -> None:
    ids = await known(commune, row(1, "Đinh Một"), row(2, "Đinh Hai"), row(3, "Đinh Ba"))

    done, answers = await year_two(
        commune,
        row(1, "Đinh Một", code="H002", b1_points=200),
        row(2, "Đinh Hai", code="H001", b1_points=200),
        row(3, "Đinh Ba", b1_points=200),
    )

    assert (done["applied"], done["refused"]) == (1, 2)
    classes = {name: (await commune.household(each))["poverty_class"] for name, each in ids.items()}
    assert classes == {"Đinh Một": "POOR", "Đinh Hai": "POOR", "Đinh Ba": "NOT_POOR"}
    assert {each["state"] for each in answers.values()} == {"REFUSED", "APPLIED"}


async def test_a_repeated_code_is_told_apart_by_the_heads_name(commune: Commune) -> None:
    ids = await known(commune, row(1, "Đinh Một", code="H7"), row(2, "Đinh Hai", code="H7"))
    assert len(ids) == 2

    done, answers = await year_two(
        commune, row(1, "đinh hai", code="H7", b1_points=200), row(2, "Đinh Một", code="H7")
    )

    assert done["applied"] == 2
    assert {each["matched_by"] for each in answers.values()} == {"BY_CODE_AND_HEAD"}
    assert (await commune.household(ids["Đinh Hai"]))["poverty_class"] == "NOT_POOR"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"village": "Làng Không Có"}, "village-unknown"),
        ({"members": -2}, "members-not-positive"),
        ({"members": 500}, "members-implausible"),
        ({"b1_points": None}, "b1-missing"),
        ({"b2_points": 45}, "b2-out-of-range"),
        ({"household_id": uuid4()}, "household-not-in-commune"),
    ],
)
async def test_a_bad_row_is_refused_by_its_rule_and_the_others_go_on(
    commune: Commune, changes: dict[str, Any], rule: str
) -> None:
    done = await commune.import_rows(
        await commune.open_review(), row(1, "Đinh Một"), row(2, "Đinh Hai", **changes), row(3, "Đinh Ba")
    )

    assert (done["state"], done["applied"], done["refused"]) == ("DONE", 2, 1)
    answers = await commune.answers(done["import_id"], only="errors")
    [refused] = answers.values()
    assert (refused["state"], rules(refused)) == ("REFUSED", [rule])
    assert [each["head_name"] for each in await commune.households()] != []
    assert "Đinh Hai" not in {each["head_name"] for each in await commune.households()}


async def test_the_same_household_twice_in_one_file_is_left_out_twice(commune: Commune) -> None:
    ids = await known(commune, row(1, "Đinh Một"), row(2, "Đinh Hai"))

    done, answers = await year_two(
        commune,
        row(1, "Đinh Một", household_id=ids["Đinh Một"], b1_points=200),
        row(2, "Đinh Một", household_id=ids["Đinh Một"], code="H009", b1_points=100),
        row(3, "Đinh Hai", household_id=ids["Đinh Hai"]),
    )

    assert (done["applied"], done["refused"]) == (1, 2)
    assert (await commune.household(ids["Đinh Một"]))["poverty_class"] == "POOR"
    assert sum(each["state"] == "REFUSED" for each in answers.values()) == 2


async def test_a_household_of_another_commune_is_not_touched(commune: Commune) -> None:
    ids = await known(commune, row(1, "Đinh Một"))
    neighbour = replace(commune, code=OTHER)
    neighbour.client.headers["Authorization"] = commune.client.headers["Authorization"]

    done, answers = await year_two(commune, row(1, "Đinh Một", household_id=ids["Đinh Một"]))
    assert done["applied"] == 1
    assert rules(answers[min(answers)]) == []


async def test_a_declared_class_that_the_points_contradict_is_a_warning(commune: Commune) -> None:
    done = await commune.import_rows(
        await commune.open_review(),
        row(1, "Đinh Một", declared_class=HouseholdClass.NEAR_POOR),
        row(2, "Đinh Hai", declared_class=HouseholdClass.POOR),
    )

    assert (done["applied"], done["refused"], done["warnings"]) == (2, 0, 1)
    [warned] = (await commune.answers(done["import_id"], only="answers")).values()
    assert (warned["class"], rules(warned)) == ("POOR", ["declared-class-contradicted"])
    assert {each["poverty_class"] for each in await commune.households()} == {"POOR"}


async def test_households_that_no_row_means_are_counted_and_left_as_they_are(commune: Commune) -> None:
    ids = await known(commune, row(1, "Đinh Một"), row(2, "Đinh Hai"))

    done, _ = await year_two(commune, row(1, "Đinh Một", b1_points=200))

    assert done["missing_from_file"] == 1
    assert (await commune.household(ids["Đinh Hai"]))["poverty_class"] == "POOR"


async def test_a_trial_answers_every_row_and_changes_nothing(commune: Commune) -> None:
    review = await commune.open_review()
    content = commune.csv([row(1, "Đinh Một"), row(2, "Đinh Hai", members=-1)])

    tried = await commune.send(review, content, dry_run="true")
    await commune.run_imports()

    assert (tried["state"], tried["answered"], tried["refused"], tried["applied"]) == ("DONE", 2, 1, 0)
    assert {each["state"] for each in (await commune.answers(tried["import_id"])).values()} == {
        "ACCEPTED",
        "REFUSED",
    }
    assert await commune.households() == []
    assert (await commune.send(review, content))["state"] == "ANSWERED"


async def test_answers_can_be_taken_away_as_a_file(commune: Commune) -> None:
    done = await commune.import_rows(
        await commune.open_review(), row(1, "Đinh Một"), row(2, "Đinh Hai", village="Đâu đó")
    )

    answer = await commune.client.get(f"/v1/imports/{done['import_id']}/rows.csv?purpose=CORRECTING_FILE")

    assert answer.headers["content-type"].startswith("text/csv")
    text = answer.content.decode("utf-8-sig")
    assert "Đã ghi" in text
    assert "village-unknown" in text
    english = await commune.client.get(
        f"/v1/imports/{done['import_id']}/rows.csv?purpose=CORRECTING_FILE", headers={"Accept-Language": "en"}
    )
    assert "Recorded" in english.text
