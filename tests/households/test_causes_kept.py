"""Causes of poverty come with results in every way results come, stand sealed beside them, and go with whom they name."""

import asyncio
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from tests.households import forms
from tests.households.officer import Commune, SignIn, row
from tests.households.people import child, enter, leave, person
from tests.households.reviewing import OVER, POSTED, begun
from tests.households.test_causes import TEXT, codes_of
from tests.households.test_erasure import CHILD, HEAD, Searched, ask, erase, period, traces

from households.domain.procedure_terms import Action
from households.tables import cause_sets, decisions


@pytest.fixture
def country(commune: Commune, signed_in: SignIn) -> Commune:
    """Somebody who loads what holds in the whole country."""
    return Commune(commune.app, signed_in("VN"), commune.folder)


async def test_households_with_the_same_causes_share_one_set_also_when_decided_at_once(
    commune: Commune,
) -> None:
    known = [await commune.register(code=f"H{number}") for number in range(4)]
    review = await commune.open_review(2023)

    await asyncio.gather(
        *(commune.decide(review, each, 120, 40, causes=["NO_SKILL", "NO_LAND"]) for each in known)
    )

    async with commune.app.state.engine.connect() as conn:
        sets = list(await conn.scalars(sa.select(cause_sets.c.id)))
        used = list(await conn.scalars(sa.select(decisions.c.cause_set_id)))
    assert (len(sets), used) == (1, sets * 4)


async def test_a_file_of_results_has_a_column_of_causes(commune: Commune) -> None:
    review = await commune.open_review(2023)

    done = await commune.import_rows(
        review,
        row(1, "Đinh Văn Một", causes=("NO_LAND", "OTHER"), cause_text=TEXT),
        row(2, "Đinh Văn Hai", causes=("NO_SKILL",), b2_points=10),
        row(3, "Đinh Văn Ba"),
        row(4, "Đinh Văn Bốn", causes=("NO_LAND",), b1_points=200),
        row(5, "Đinh Văn Năm", causes=("OTHER",)),
    )

    answers = await commune.answers(done["import_id"])
    rules = {n: [a["rule"] for a in each["answers"]] for n, each in answers.items() if each["answers"]}
    assert list(rules.values()) == [["causes-of-unlisted-class"], ["cause-text-missing"]]
    assert done["applied"] == 3
    homes = {each["head_name"]: await commune.household(each["id"]) for each in await commune.households()}
    assert {name: (codes_of(each), each["cause_text"]) for name, each in homes.items()} == {
        "Đinh Văn Một": (["NO_LAND", "OTHER"], TEXT),
        "Đinh Văn Hai": (["NO_SKILL"], None),
        "Đinh Văn Ba": (None, None),
    }


async def test_form_b_keeps_causes_for_the_result_that_names_it(commune: Commune) -> None:
    household = await forms.home(commune)
    review = await commune.open_review(2023)
    form = forms.form_b(household, b1=None, b1_points=120, causes=["ILLNESS", "NO_LAND"])
    too_rich = await commune.ask("POST", f"/v1/reviews/{review}/forms-b", 422, json=form | {"b1_points": 200})

    kept = await commune.ask("POST", f"/v1/reviews/{review}/forms-b", 201, json=form)
    result = {"household_id": household, "members": 2, "form_id": kept["id"]}
    path = f"/v1/reviews/{review}/results"
    other = await commune.ask("POST", path, 422, json=result | {"causes": ["NO_SKILL"]})
    await commune.ask("POST", path, 201, json=result)

    assert (too_rich["rule"], other["rule"]) == ("causes-of-unlisted-class", "causes-contradict-form")
    assert codes_of(kept) == ["NO_LAND", "ILLNESS"]
    assert codes_of(await commune.household(household)) == ["NO_LAND", "ILLNESS"]


async def test_the_steps_of_a_review_bring_the_causes_to_recognition_and_correction(
    commune: Commune,
) -> None:
    review, [household] = await begun(commune)
    said: dict[str, Any] = {"cases": [household], "members": 4, "b1_points": 120, "b2_points": 40}
    refused = await review.do(Action.SCORE, 422, **said | {"b1_points": 200}, causes=["NO_LAND"])
    await review.do(Action.SCORE, **said, causes=["OTHER", "NO_LAND"], cause_text=TEXT)
    await review.do(Action.CALL_MEETING)
    await review.meet()
    await review.at(POSTED).do(Action.POST)
    await review.at(OVER).do(Action.END_POSTING)
    await review.do(Action.ASK_OPINION)
    await review.do(Action.GIVE_OPINION)
    await review.do(Action.RECOGNISE, number="145/QĐ-UBND")

    assert refused["rule"] == "causes-of-unlisted-class"
    read = await commune.household(household)
    assert (codes_of(read), read["cause_text"]) == (["NO_LAND", "OTHER"], TEXT)
    async with commune.app.state.engine.connect() as conn:
        log = str((await conn.execute(sa.text("select e::text from review_entries e"))).all())
    assert "NO_LAND" not in log
    assert TEXT not in log

    paper: dict[str, Any] = {"reason": "Ghi nhầm", "corrects": "145/QĐ-UBND", "number": "150/QĐ-UBND"}
    await review.do(Action.CORRECT, **said, **paper, causes=["NO_TOOLS"])
    assert codes_of(await commune.household(household)) == ["NO_TOOLS"]


async def test_causes_are_in_no_public_event(commune: Commune) -> None:
    household, review = await commune.register(), await commune.open_review(2023)
    await commune.decide(review, household, 120, 40, causes=["ILLNESS", "OTHER"], cause_text=TEXT)

    async with commune.app.state.engine.connect() as conn:
        told = str(list(await conn.scalars(sa.text("select convert_from(payload, 'UTF8') from outbox"))))
    assert household in told
    assert "ILLNESS" not in told
    assert TEXT not in told


async def test_a_decision_never_changes_its_causes(commune: Commune) -> None:
    household, review = await commune.register(), await commune.open_review(2023)
    await commune.decide(review, household, 120, 40, causes=["OTHER"], cause_text=TEXT)

    for change in ("cause_set_id = null", "cause_text = null"):
        async with commune.app.state.engine.connect() as conn:
            with pytest.raises(sa.exc.DBAPIError, match="never changed"):
                await conn.execute(sa.text(f"update decisions set {change}"))


async def test_a_member_may_be_the_words_of_a_cause_and_another_household_is_not_counted(
    commune: Commune,
) -> None:
    household, review = await commune.register(), await commune.open_review(2023)
    await enter(commune, household, **person(name="Đinh Văn Ví Dụ"))
    await commune.decide(review, household, 120, 40, causes=["OTHER"], cause_text="Đinh Văn Ví Dụ đi xa")

    missing = await commune.client.get(f"/v1/households/{uuid.uuid4()}")
    counts = await commune.ask("GET", "/v1/causes")

    assert missing.status_code == 404
    assert "Ví Dụ" not in str(counts)


async def test_the_words_of_a_cause_go_with_whom_they_name_and_the_causes_stay(
    commune: Commune, country: Commune
) -> None:
    engine, home, words = commune.app.state.engine, await forms.home(commune), f"{CHILD} bị tai nạn"
    member = (await enter(commune, home, **child(name=CHILD)))["member"]
    said = {"causes": ["OTHER", "NO_LAND"], "cause_text": words}
    review = await commune.open_review(2023)
    form = forms.form_b(home, b1=None, b1_points=120, **said)
    await commune.ask("POST", f"/v1/reviews/{review}/forms-b", 201, json=form)
    await commune.decide(review, home, 120, 40, **said)
    await leave(commune, home, member["id"], on="2023-12-20")
    searched = Searched(commune.app.state.vault, CHILD)
    before = await traces(engine, searched)
    await country.ask("POST", "/v1/retention-periods", 201, json=period(1, "MEMBER"))

    await erase(commune, await ask(commune, subject="MEMBER", household_id=home, member_id=member["id"]))

    told = {"decisions.cause_text", "filled_forms.sealed"}
    assert told <= before
    assert not told & await traces(engine, searched)
    read = await commune.household(home)
    assert [each["code"] for each in read["causes"]] == ["NO_LAND", "OTHER"]
    assert read["cause_text"] is None


async def test_the_words_of_a_cause_go_with_the_household_also_from_the_files_that_brought_them(
    commune: Commune, country: Commune
) -> None:
    home, engine = await commune.register(head_name=HEAD, code="QX1"), commune.app.state.engine
    review = await commune.open_review(2022)
    named = {"causes": ("NO_LAND", "OTHER"), "cause_text": f"{HEAD} bị tai nạn"}
    done = await commune.import_rows(
        review, row(1, HEAD, code="QX1", **named), row(2, HEAD, code="QX1", **named)
    )
    closing = {"reason": "DISSOLVED", "on": "2023-02-01"}
    headers = {"If-Match": "*"}
    await commune.ask("POST", f"/v1/households/{home}/closure", 201, json=closing, headers=headers)
    searched = Searched(commune.app.state.vault, HEAD)
    before = await traces(engine, searched)
    await country.ask("POST", "/v1/retention-periods", 201, json=period())

    await erase(commune, await ask(commune, household_id=home))

    assert done["total"] == 2
    assert "import_rows.cause_text" in before
    assert await traces(engine, searched) == set()
