"""Forms filled item by item: points by an approved table, flags by the law's definitions, answers sealed."""

from typing import Any

import pytest
import sqlalchemy as sa
from tests.households.forms import B2, ITEMS, form_b, home, items, move_in, table
from tests.households.officer import Commune, SignIn
from tests.households.reviewing import Review, begun

from benvung.testing import Engine, emitted
from households.domain.procedure_terms import Action
from households.events import HouseholdClassified


@pytest.fixture
def administrator(commune: Commune, signed_in: SignIn) -> Commune:
    """Somebody of the whole country."""
    return Commune(commune.app, signed_in("VN"), commune.folder)


async def fill(officer: Commune, review: str, form: dict[str, Any], status: int = 201) -> Any:
    return await officer.ask("POST", f"/v1/reviews/{review}/forms-b", status, json=form)


async def test_a_form_without_a_table_in_force_is_refused_and_totals_are_taken(commune: Commune) -> None:
    household, review = await home(commune), await commune.open_review(2023)

    refused = await fill(commune, review, form_b(household), 422)
    decided = await commune.decide(review, household, 120, 30, members=2)

    assert refused["rule"] == "score-table-missing"
    assert decided["basis"] == "TOTALS_GIVEN"


async def test_points_follow_from_items_and_the_decision_says_so(
    commune: Commune, administrator: Commune, engine: Engine
) -> None:
    await administrator.ask("POST", "/v1/score-tables", 201, json=table())
    household, review = await home(commune), await commune.open_review(2023)

    form = await fill(commune, review, form_b(household))
    given = {"household_id": household, "members": 2, "form_id": form["id"]}
    decided = await commune.ask("POST", f"/v1/reviews/{review}/results", 201, json=given)

    assert (form["b1_points"], form["b2_points"], form["basis"]) == (120, 30, "ITEMS")
    assert [each["points"] for each in form["lines"]] == [90, 20, 10]
    assert set(form["deprivations"]) == {"HOUSING_QUALITY", "HOUSING_AREA", "WATER_SOURCE"}
    assert (decided["class"], decided["basis"], decided["b1_points"]) == ("POOR", "ITEMS", 120)
    shown = await commune.ask("GET", f"/v1/decisions/{decided['decision_id']}")
    assert (shown["form_id"], shown["basis"]) == (form["id"], "ITEMS")
    assert await commune.ask("GET", f"/v1/forms/{form['id']}") == form
    async with engine("households").connect() as conn:
        [told] = await emitted(conn, HouseholdClassified)
        kept = (await conn.execute(sa.text("select f::text from filled_forms f"))).scalar_one()
    assert told.decision.basis == "FLAGS", "what readers of version 1 know"
    assert "SURFACE" not in kept, "answers are sealed"
    assert "BIKE" not in kept


@pytest.mark.parametrize(
    ("answers", "points"),
    [({}, 120), ({"AREA": "7.99"}, 111), ({"SIZE": "FEW"}, 70), ({"ASSETS": []}, 100)],
)
async def test_each_answer_has_its_points(
    commune: Commune, administrator: Commune, answers: dict[str, Any], points: int
) -> None:
    await administrator.ask("POST", "/v1/score-tables", 201, json=table())
    household, review = await home(commune), await commune.open_review(2023)

    form = await fill(commune, review, form_b(household, b1=items(**answers)))

    assert form["b1_points"] == points


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"b1": {"column": "RURAL_CH", "answers": {"SIZE": "MANY"}}}, "item-missing"),
        ({"b1": items(SIZE="HUGE")}, "item-invalid"),
        ({"b1": {"column": "URBAN", "answers": ITEMS}}, "area-column-of-another-type"),
        ({"b1_points": 119}, "b1-contradicts-items"),
        ({"b1": None}, "b1-missing"),
        ({"b2": {**B2, "water": "SEA"}}, "answer-invalid"),
        ({"b2": {name: B2[name] for name in B2 if name != "roof"}}, "answer-missing"),
        ({"filled_on": "2023-05-01"}, "members-unknown"),
        ({"filled_on": "2100-01-01"}, "survey-in-future"),
        ({"household_id": "00000000-0000-0000-0000-000000000001"}, "household-not-found"),
    ],
)
async def test_a_form_that_is_not_whole_is_refused_by_name(
    commune: Commune, administrator: Commune, changes: dict[str, Any], rule: str
) -> None:
    await administrator.ask("POST", "/v1/score-tables", 201, json=table())
    household, review = await home(commune), await commune.open_review(2023)

    answer = await commune.client.post(f"/v1/reviews/{review}/forms-b", json=form_b(household) | changes)

    assert (answer.status_code in {404, 422}, answer.json()["rule"]) == (True, rule)


async def test_a_total_beside_raw_answers_is_marked(commune: Commune) -> None:
    household, review = await home(commune), await commune.open_review(2023)

    form = await fill(commune, review, form_b(household, b1=None, b1_points=140))

    assert (form["basis"], form["b1_points"], form["score_table"]) == ("FLAGS", 140, None)


async def test_a_result_takes_a_form_or_points_and_only_its_own_households(
    commune: Commune, administrator: Commune
) -> None:
    await administrator.ask("POST", "/v1/score-tables", 201, json=table())
    household, review = await home(commune), await commune.open_review(2023)
    other = await commune.register(code="H002")
    form = await fill(commune, review, form_b(household))
    path = f"/v1/reviews/{review}/results"
    given = {"household_id": household, "members": 2, "form_id": form["id"]}

    both = await commune.ask("POST", path, 422, json=given | {"b1_points": 120})
    size = await commune.ask("POST", path, 422, json=given | {"members": 3})
    stranger = await commune.ask("POST", path, 404, json=given | {"household_id": other})

    assert [each["rule"] for each in (both, size, stranger)] == [
        "form-and-points",
        "form-of-other-size",
        "form-not-found",
    ]


async def test_a_decision_is_corrected_by_a_form_filled_again(
    commune: Commune, administrator: Commune
) -> None:
    await administrator.ask("POST", "/v1/score-tables", 201, json=table())
    household, review = await home(commune), await commune.open_review(2023)
    first = await commune.decide(review, household, 120, 30, members=2)
    form = await fill(commune, review, form_b(household, b2={**B2, "floor_area": "16.0"}))

    paper = {"decided_on": "2023-12-20", "decision_number": "9/QĐ-UBND", "reason": "Ghi nhầm diện tích"}
    path = f"/v1/decisions/{first['decision_id']}/corrections"
    second = await commune.ask("POST", path, 201, json={"members": 2, "form_id": form["id"]} | paper)

    assert (second["class"], second["b2_points"], second["basis"]) == ("NEAR_POOR", 20, "ITEMS")


async def test_a_draft_scores_nothing_until_its_version_is_loaded_approved(
    commune: Commune, administrator: Commune
) -> None:
    household, review = await home(commune), await commune.open_review(2023)
    draft = await administrator.ask("POST", "/v1/score-tables", 201, json=table(approval=None))

    refused = await fill(commune, review, form_b(household), 422)
    loaded = await administrator.ask("POST", "/v1/score-tables", 201, json=table())
    form = await fill(commune, review, form_b(household))

    assert refused["rule"] == "score-table-not-approved"
    assert (draft["counts"], loaded["counts"], form["score_table"]) == (False, True, loaded["id"])
    listed = (await commune.ask("GET", "/v1/score-tables"))["items"]
    assert [each["counts"] for each in listed] == [False, True]


async def test_a_table_is_loaded_whole_by_who_may_and_not_beside_another(
    commune: Commune, administrator: Commune
) -> None:
    broken = table(cells=table()["cells"][1:])
    faults = await administrator.ask("POST", "/v1/score-tables", 422, json=broken)
    assert (faults["rule"], [each["rule"] for each in faults["errors"]]) == (
        "score-table-refused",
        ["table-points-missing"],
    )
    await commune.ask("POST", "/v1/score-tables", 403, json=table())
    await administrator.ask("POST", "/v1/score-tables", 201, json=table())

    second = await administrator.ask("POST", "/v1/score-tables", 422, json=table(form_version="2"))

    assert second["rule"] == "score-tables-overlap"


async def test_outside_its_days_a_table_scores_nothing(commune: Commune, administrator: Commune) -> None:
    await administrator.ask("POST", "/v1/score-tables", 201, json=table(valid_to="2023-10-04"))
    household, review = await home(commune), await commune.open_review(2023)

    refused = await fill(commune, review, form_b(household), 422)
    taken = await fill(commune, review, form_b(household, filled_on="2023-10-04"))

    assert (refused["rule"], taken["basis"]) == ("score-table-missing", "ITEMS")


@pytest.mark.parametrize(("area", "to_review"), [("8.0", True), ("7.99", False)])
async def test_form_a_answers_by_its_cut_off(
    commune: Commune, administrator: Commune, area: str, to_review: bool
) -> None:
    screening = table(form="FORM_A", cut_off=120, review_when="AT_LEAST")
    await administrator.ask("POST", "/v1/score-tables", 201, json=screening)
    household, review = await home(commune), await commune.open_review(2023)
    given = {"household_id": household, "filled_on": "2023-10-05", "items": items(AREA=area)}

    form = await commune.ask("POST", f"/v1/reviews/{review}/forms-a", 201, json=given)

    assert (form["to_review"], form["form"], form["b2_points"]) == (to_review, "FORM_A", None)
    listed = await commune.ask("GET", f"/v1/reviews/{review}/forms", params={"household": household})
    assert [each["id"] for each in listed["items"]] == [form["id"]]


async def test_a_review_by_steps_takes_points_from_a_form(commune: Commune, administrator: Commune) -> None:
    await administrator.ask("POST", "/v1/score-tables", 201, json=table())
    review, [household] = await begun(commune)
    await move_in(commune, household)
    form = await fill(commune, review.id, form_b(household, filled_on="2024-10-01"))

    await review.do(Action.SCORE, cases=[household], members=2, form_id=form["id"])

    found = (await review.cases())[household]
    assert found["finding"] == "POOR"
    beside = await review.do(Action.SCORE, 422, cases=[household], members=2, form_id=form["id"], b1_points=1)
    assert beside["rule"] == "form-and-points"


async def test_a_request_is_screened_by_its_own_form_a(commune: Commune, administrator: Commune) -> None:
    screening = table(form="FORM_A", cut_off=200, review_when="AT_LEAST")
    await administrator.ask("POST", "/v1/score-tables", 201, json=screening)
    review = Review(commune, await commune.open_review(2024)).at("2024-10-01")
    household = await home(commune)
    await review.open()
    given = {"household_id": household, "filled_on": "2024-10-01", "items": items()}
    form = await commune.ask("POST", f"/v1/reviews/{review.id}/forms-a", 201, json=given)

    await review.request(household, form_id=form["id"])

    assert form["to_review"] is False
    assert (await review.cases())[household]["state"] == "SCREENED_OUT"


async def test_forms_of_another_area_are_not_there(
    commune: Commune, administrator: Commune, signed_in: SignIn
) -> None:
    household, review = await home(commune), await commune.open_review(2023)
    form = await fill(commune, review, form_b(household, b1=None, b1_points=140))
    elsewhere = Commune(commune.app, signed_in("23830"), commune.folder)

    await elsewhere.ask("GET", f"/v1/forms/{form['id']}", 404)
    await elsewhere.ask("POST", f"/v1/reviews/{review}/forms-b", 403, json=form_b(household))
    assert (await elsewhere.ask("GET", f"/v1/reviews/{review}/forms"))["items"] == []
