"""A review runs by its steps or takes results directly, from files or one by one: never both, and never by halves."""

import asyncio
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from tests.households.officer import CSV, Commune, row
from tests.households.reviewing import Review, begun, recognised

from benvung.testing import Engine
from households import actions, store
from households.domain.procedure_terms import Action
from households.importer import Importer

ROWS = [row(number, f"Đinh {number}") for number in range(1, 6)]


async def numbers(engine: Engine) -> dict[str, int]:
    async with engine("households").connect() as conn:
        counted = {}
        for table in (
            "households",
            "decisions",
            "import_rows",
            "imports",
            "review_villages",
            "review_entries",
        ):
            counted[table] = (await conn.execute(sa.text(f"select count(*) from {table}"))).scalar_one()
    return counted


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_file_for_a_review_that_runs_by_steps_is_refused_whole(
    commune: Commune, engine: Engine, *, dry_run: bool
) -> None:
    review, _ = await begun(commune)
    before = await numbers(engine)

    refused = await commune.send(review.id, commune.csv(ROWS), 422, dry_run=dry_run)

    assert (refused["rule"], bool(refused["legal"])) == ("review-runs-by-steps", True)
    assert await numbers(engine) == before


async def test_steps_do_not_begin_while_a_file_waits_nor_after_it_was_applied(
    commune: Commune, engine: Engine
) -> None:
    review = Review(commune, await commune.open_review(2024)).at("2024-10-01")
    sent = await commune.send(review.id, commune.csv(ROWS))
    before = await numbers(engine)

    assert (await review.open(409))["rule"] == "imports-unfinished"
    assert await numbers(engine) == before
    await commune.run_imports()
    assert (await review.open(422))["rule"] == "review-decided-without-steps"
    assert (await commune.ask("GET", f"/v1/imports/{sent['import_id']}"))["state"] == "DONE"
    assert (await numbers(engine))["decisions"] == len(ROWS)


async def test_of_a_file_half_applied_nothing_is_left_to_go_on_beside_the_steps(
    commune: Commune, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions.imports, "CHUNK", 2)
    review = Review(commune, await commune.open_review(2024)).at("2024-10-01")
    sent = await commune.send(review.id, commune.csv(ROWS))
    importer = Importer(commune.app.state.settings)
    assert await importer.round(commune.app.state.engine)
    assert (await numbers(engine))["decisions"] == 2

    assert (await review.open(409))["rule"] == "imports-unfinished"

    await commune.run_imports()
    assert (await commune.ask("GET", f"/v1/imports/{sent['import_id']}"))["applied"] == len(ROWS)


@pytest.mark.parametrize("turn", range(4))
async def test_of_a_file_and_the_first_step_at_once_one_is_taken_and_one_refused(
    commune: Commune, engine: Engine, turn: int
) -> None:
    review = Review(commune, await commune.open_review(2024)).at("2024-10-01")
    file, opening = commune.csv(ROWS), review.act(Action.OPEN, village=review.village)
    asked = [
        commune.client.post(f"/v1/reviews/{review.id}/imports", content=file, headers=CSV),
        commune.client.post(review.path, json=opening),
    ]
    if turn % 2:
        asked.reverse()

    answers = [answer.status_code for answer in await asyncio.gather(*asked)]
    await commune.run_imports()

    taken = await numbers(engine)
    assert sorted(answers) in ([201, 422], [202, 409], [202, 422])
    assert (taken["decisions"], taken["review_villages"]) in ((0, 1), (len(ROWS), 0))
    assert taken["households"] == taken["decisions"] == taken["import_rows"]


@pytest.mark.parametrize("turn", range(4))
async def test_of_a_result_and_the_first_step_at_once_one_is_taken_and_one_refused(
    commune: Commune, engine: Engine, turn: int
) -> None:
    household = await commune.register()
    review = Review(commune, await commune.open_review(2024)).at("2024-10-01")
    result = {"household_id": household, "members": 4, "b1_points": 120, "b2_points": 40}
    asked = [
        commune.client.post(f"/v1/reviews/{review.id}/results", json=result),
        commune.client.post(review.path, json=review.act(Action.OPEN, village=review.village)),
    ]
    if turn % 2:
        asked.reverse()

    answers = [answer.status_code for answer in await asyncio.gather(*asked)]

    taken = await numbers(engine)
    assert sorted(answers) == [201, 422]
    assert (taken["decisions"], taken["review_villages"]) in ((0, 1), (1, 0))


async def test_a_chunk_that_meets_steps_all_the_same_ends_its_import_and_writes_nothing(
    commune: Commune, engine: Engine
) -> None:
    review = Review(commune, await commune.open_review(2024)).at("2024-10-01")
    sent = await commune.send(review.id, commune.csv(ROWS))
    async with commune.app.state.engine.begin() as conn:
        await store.reviews.run_by_cycle(conn, uuid.UUID(review.id))

    await commune.run_imports()

    done = await commune.ask("GET", f"/v1/imports/{sent['import_id']}")
    assert (done["state"], done["failure"], done["applied"]) == ("FAILED", "review-runs-by-steps", 0)
    left = await numbers(engine)
    assert (left["decisions"], left["households"]) == (0, 0)
    assert (await review.open())["state"] == "LISTING"


async def test_a_recognised_result_is_corrected_or_annulled_by_its_steps_alone(commune: Commune) -> None:
    review, (poor, _) = await recognised(commune)
    history: list[Any] = (await commune.ask("GET", f"/v1/households/{poor}/decisions"))["decisions"]
    [decision] = [each["decision_id"] for each in history if each["review_id"] == review.id]
    given = {"members": 4, "b1_points": 200, "b2_points": 10, "decided_on": "2024-11-05", "reason": "x"}
    given |= {"decision_number": "160/QĐ-UBND"}
    annulled = {"reason": "Nhầm hộ", "decision_number": "161/QĐ-UBND"}

    for path, said in (("corrections", given), ("annulment", annulled)):
        refused = await commune.ask("POST", f"/v1/decisions/{decision}/{path}", 422, json=said)
        assert refused["rule"] == "review-runs-by-steps", path
    assert (await commune.household(poor))["poverty_class"] == "POOR"
