"""Decisions that come late, are corrected or annulled; households that split, merge and come back."""

from typing import Any

import pytest
import sqlalchemy as sa
from tests.households.officer import COMMUNE, OTHER, STANDARD, Commune, SignIn, row

from benvung.testing import Engine, emitted
from benvung.testing.tokens import EVERYTHING
from households import store
from households.events import (
    HouseholdAnnulled,
    HouseholdArrived,
    HouseholdClassified,
    HouseholdClosed,
    HouseholdResized,
)

PAPER = {"decided_on": "2024-02-01", "decision_number": "7/QĐ-UBND", "reason": "Cộng sai điểm B2"}


async def told(engine: Engine, kind: Any) -> list[Any]:
    async with engine("households").connect() as conn:
        return await emitted(conn, kind)


async def regular(officer: Commune, day: str) -> str:
    return await officer.open_review(int(day[:4]), kind="REGULAR", decided_on=day)


async def history(officer: Commune, household: str) -> Any:
    return await officer.ask("GET", f"/v1/households/{household}/decisions")


async def test_a_late_decision_is_taken_and_what_follows_from_it_is_told_again(
    commune: Commune, engine: Engine
) -> None:
    household = await commune.register()
    in_time = await commune.decide(await regular(commune, "2023-03-01"), household, 120, 40)
    late = await commune.decide(await regular(commune, "2022-03-01"), household, 120, 10)

    assert (in_time["movement"], late["movement"]) == ("NEW_POOR", "NEW_NEAR_POOR")
    assert (late["poverty_class"], late["class_since"]) == ("POOR", "2023-03-01")
    first, second, again = await told(engine, HouseholdClassified)
    assert [first.decision.replaces, second.decision.replaces] == [None, None]
    assert second.poverty_class == "POOR"
    assert second.decision.after.poverty_class == "NEAR_POOR"
    assert again.decision.replaces == in_time["sequence"]
    assert (again.decision.decision_id, again.decision.movement) == (
        first.decision.decision_id,
        "NEAR_POOR_TO_POOR",
    )
    assert [first.revision, second.revision, again.revision] == [2, 3, 4]
    shown = (await history(commune, household))["decisions"]
    assert [(each["movement"], each["stands"]) for each in shown] == [
        ("NEAR_POOR_TO_POOR", True),
        ("NEW_NEAR_POOR", True),
    ]


async def test_a_correction_stands_beside_what_it_corrects_and_nothing_is_edited(
    commune: Commune, engine: Engine
) -> None:
    household = await commune.register()
    review = await regular(commune, "2022-03-01")
    wrong = await commune.decide(review, household, 120, 40)
    await commune.decide(await regular(commune, "2023-03-01"), household, 200, 0)
    before = (await history(commune, household))["decisions"]
    await commune.ask("POST", f"/v1/reviews/{review}/closure", 201)

    path = f"/v1/decisions/{wrong['decision_id']}/corrections"
    given = {"members": 3, "b1_points": 120, "b2_points": 20}
    right = await commune.ask("POST", path, 201, json=given | PAPER)

    assert (right["class"], right["poverty_class"]) == ("NEAR_POOR", "NOT_POOR")
    after = (await history(commune, household))["decisions"]
    kept = {"movement", "previous_class", "previous_members", "stands"}
    assert [{k: v for k, v in each.items() if k not in kept} for each in after[:2]] == [
        {k: v for k, v in each.items() if k not in kept} for each in before
    ]
    assert [each["stands"] for each in after] == [False, True, True]
    assert (after[2]["corrects"], after[2]["decision_number"]) == (wrong["sequence"], "7/QĐ-UBND")
    assert after[1]["movement"] == "ESCAPED_NEAR_POOR"
    replaced = [each.decision.replaces for each in await told(engine, HouseholdClassified)]
    assert replaced == [None, None, wrong["sequence"], before[1]["sequence"]]

    twice = await commune.ask("POST", path, 422, json=given | PAPER)
    assert twice["rule"] == "correction-of-nothing"
    early = {**PAPER, "decided_on": "2022-01-15"}
    path = f"/v1/decisions/{right['decision_id']}/corrections"
    assert (await commune.ask("POST", path, 422, json=given | early))["rule"] == "correction-before-decision"


async def test_an_annulled_decision_counts_no_more_and_a_relapse_becomes_a_new_case(
    commune: Commune, engine: Engine
) -> None:
    household = await commune.register()
    wrong = await commune.decide(await regular(commune, "2022-03-01"), household, 120, 40)
    await commune.decide(await regular(commune, "2022-09-01"), household, 200, 0)
    relapse = await commune.decide(await regular(commune, "2023-03-01"), household, 120, 40)
    assert relapse["movement"] == "RELAPSE_POOR"

    path = f"/v1/decisions/{wrong['decision_id']}/annulment"
    left = await commune.ask("POST", path, 201, json={"reason": "Ghi nhầm hộ"})

    assert (left["poverty_class"], left["status"]) == ("POOR", "ACTIVE")
    [annulled] = await told(engine, HouseholdAnnulled)
    assert annulled.annulment.replaces == wrong["sequence"]
    movements = [each["movement"] for each in (await history(commune, household))["decisions"]]
    assert movements[1:] == [None, "NEW_POOR"]
    again = await commune.ask("POST", path, 422, json={"reason": "Ghi nhầm hộ"})
    assert again["rule"] == "correction-of-nothing"
    assert again["title"]


async def test_who_splits_off_once_was_what_the_whole_was_also_when_that_turns_out_later(
    commune: Commune, engine: Engine
) -> None:
    household = await commune.register()
    given = {"village": f"{COMMUNE}.02", "head_name": "Siu Tách", "members": 1, "on": "2022-09-01"}
    child = await commune.ask("POST", f"/v1/households/{household}/splits", 201, json=given)
    poor = await commune.decide(await regular(commune, "2023-03-01"), child["id"], 120, 40, members=1)
    assert (child["members"], child["poverty_class"], poor["movement"]) == (1, None, "NEW_POOR")

    await commune.decide(await regular(commune, "2022-02-01"), household, 120, 40)
    await commune.decide(await regular(commune, "2022-06-01"), household, 200, 0)

    [again] = [each for each in (await history(commune, child["id"]))["decisions"] if each["stands"]]
    assert again["movement"] == "RELAPSE_POOR"
    shown = await commune.household(household)
    assert (shown["members"], shown["poverty_class"]) == (3, "NOT_POOR")
    resized, arrived = await told(engine, HouseholdResized), await told(engine, HouseholdArrived)
    assert (resized[0].change.reason, resized[0].members) == ("SPLIT", 3)
    assert (arrived[0].change.reason, arrived[0].change.other_commune) == ("SPLIT", COMMUNE)
    all_of_it = given | {"members": 3}
    refused = await commune.ask("POST", f"/v1/households/{household}/splits", 422, json=all_of_it)
    assert refused["rule"] == "split-leaves-nobody"
    async with engine("households").connect() as conn:
        links = (await conn.execute(sa.text("select kind, predecessor_id::text from lineage"))).all()
    assert [tuple(each) for each in links] == [("SPLIT_FROM", household)]


async def test_a_merger_ends_one_household_and_brings_its_past_along(
    commune: Commune, engine: Engine
) -> None:
    into, ending = await commune.register(), await commune.register(members=2)
    await commune.decide(await regular(commune, "2022-03-01"), ending, 120, 40, members=2)
    given = {"merged_id": ending, "on": "2022-09-01"}

    merged = await commune.ask("POST", f"/v1/households/{into}/mergers", 201, json=given)

    assert merged["members"] == 6
    assert (await commune.household(ending))["status"] == "CLOSED"
    [closed] = await told(engine, HouseholdClosed)
    assert (closed.change.reason, closed.change.previous_class) == ("MERGED", "POOR")
    poor = await commune.decide(await regular(commune, "2023-03-01"), into, 120, 40, members=6)
    assert poor["movement"] == "RELAPSE_POOR"
    for household, rule in ((into, "merger-with-itself"), (ending, "household-not-active")):
        refused = await commune.ask(
            "POST", f"/v1/households/{into}/mergers", 422, json={"merged_id": household, "on": "2023-06-01"}
        )
        assert refused["rule"] == rule
    change = next(each for each in (await history(commune, ending))["changes"] if each["kind"] == "CLOSED")
    path = f"/v1/changes/{change['change_id']}/annulment"
    assert (await commune.ask("POST", path, 422, json={"reason": "Nhầm"}))["rule"] == "lineage-stands"


async def test_who_comes_back_is_no_new_case(commune: Commune, engine: Engine) -> None:
    household = await commune.register()
    await commune.decide(await regular(commune, "2022-03-01"), household, 120, 40)
    gone = {"reason": "MOVED_OUT", "on": "2022-09-01"}
    await commune.ask("POST", f"/v1/households/{household}/closure", 201, json=gone)
    given = {"commune": COMMUNE, "village": f"{COMMUNE}.02", "members": 3, "class": "NOT_POOR"}
    back = given | {"standard": STANDARD, "on": "2023-01-10", "from_commune": OTHER}

    returned = await commune.ask("POST", f"/v1/households/{household}/returns", 201, json=back)

    assert (returned["status"], returned["village"], returned["members"]) == ("ACTIVE", f"{COMMUNE}.02", 3)
    poor = await commune.decide(await regular(commune, "2023-03-01"), household, 120, 40)
    assert poor["movement"] == "RELAPSE_POOR"
    [arrived] = await told(engine, HouseholdArrived)
    assert (arrived.change.reason, arrived.change.other_commune) == ("RETURNED", OTHER)
    here = await commune.ask(
        "POST", f"/v1/households/{household}/returns", 422, json=back | {"on": "2023-05-01"}
    )
    assert here["rule"] == "household-is-here"
    async with engine("households").connect() as conn:
        assert (await conn.execute(sa.text("select kind from lineage"))).scalars().all() == ["RETURN_OF"]


@pytest.mark.parametrize(("members", "reason"), [(5, "DEATH"), (4, "BIRTH"), (3, "JOINED")])
async def test_a_size_that_its_reason_contradicts_is_refused(
    commune: Commune, members: int, reason: str
) -> None:
    household = await commune.register()
    given = {"members": members, "reason": reason, "on": "2023-01-01"}
    refused = await commune.ask("POST", f"/v1/households/{household}/sizes", 422, json=given)
    assert refused["rule"] == "size-contradicts-reason"


async def test_an_end_before_what_is_recorded_for_later_is_refused(commune: Commune) -> None:
    household = await commune.register()
    await commune.decide(await regular(commune, "2023-03-01"), household, 120, 40)
    ended = {"reason": "DEATH", "on": "2022-06-01"}
    refused = await commune.ask("POST", f"/v1/households/{household}/closure", 422, json=ended)
    assert refused["rule"] == "contradicts-later-fact"


async def test_a_move_may_come_late(signed_in: SignIn, commune: Commune) -> None:
    officer = Commune(commune.app, signed_in("630"), commune.folder)
    await Commune(commune.app, officer.client, commune.folder, OTHER).list_villages("Làng Xa")
    household = await officer.register()
    size = {"members": 3, "reason": "DEATH", "on": "2023-03-01"}
    await officer.ask("POST", f"/v1/households/{household}/sizes", 201, json=size)
    given = {"to_commune": OTHER, "to_village": f"{OTHER}.01", "on": "2022-06-01"}

    moved = await officer.ask("POST", f"/v1/households/{household}/moves", 201, json=given)

    assert (moved["commune"], moved["members"]) == (OTHER, 3)
    then = await officer.ask("GET", f"/v1/households/{household}", params={"on": "2022-05-01"})
    assert (then["commune"], then["members"]) == (COMMUNE, 4)


async def test_the_register_is_asked_as_it_was_known(commune: Commune) -> None:
    household = await commune.register()
    await commune.decide(await regular(commune, "2023-03-01"), household, 120, 40)
    before = await commune.moment()
    await commune.decide(await regular(commune, "2022-03-01"), household, 120, 10)

    async def found(**asked: str) -> tuple[Any, int, int]:
        one = await commune.ask("GET", f"/v1/households/{household}", params=asked)
        query = {"class": "NEAR_POOR", **asked}
        count = (await commune.ask("GET", "/v1/households/count", params=query))["households"]
        return one["poverty_class"], count, len(await commune.households(**query))

    assert await found() == ("POOR", 0, 0)
    assert await found(on="2022-06-01") == ("NEAR_POOR", 1, 1)
    assert await found(on="2022-06-01", known_at=before) == (None, 0, 0)
    assert await found(known_at=before) == ("POOR", 0, 0)
    vague = await commune.client.get("/v1/households", params={"known_at": "2023-01-01T00:00:00"})
    assert vague.status_code == 422


async def test_another_commune_corrects_nothing_and_sees_nothing_of_another_day(
    commune: Commune, signed_in: SignIn, engine: Engine
) -> None:
    household = await commune.register()
    decision = await commune.decide(await regular(commune, "2023-03-01"), household, 120, 40)
    stranger = Commune(commune.app, signed_in(OTHER), commune.folder, OTHER)
    path = f"/v1/decisions/{decision['decision_id']}"
    given = {"members": 3, "b1_points": 120, "b2_points": 20} | PAPER

    await stranger.ask("POST", f"{path}/corrections", 404, json=given)
    await stranger.ask("POST", f"{path}/annulment", 404, json={"reason": "Nhầm"})
    await stranger.ask("GET", f"/v1/households/{household}", 404, params={"on": "2023-06-01"})
    part = {"village": f"{COMMUNE}.01", "head_name": "Siu Tách", "members": 1, "on": "2023-09-01"}
    await stranger.ask("POST", f"/v1/households/{household}/splits", 403, json=part)
    reading = signed_in(COMMUNE, permissions=[each for each in EVERYTHING if each != "reviews.decide"])
    assert (await reading.post(f"{path}/annulment", json={"reason": "Nhầm"})).status_code == 403
    assert len(await told(engine, HouseholdClassified)) == 1


async def test_late_rows_of_a_file_are_taken_beside_those_in_time(commune: Commune) -> None:
    rows = [row(1, "Đinh Một"), row(2, "Đinh Hai")]
    await commune.import_rows(await regular(commune, "2022-12-01"), *rows)
    late_one = next(each for each in await commune.households() if each["code"] == "H001")
    await commune.decide(await regular(commune, "2023-06-01"), late_one["id"], 200, 0)

    done = await commune.import_rows(
        await regular(commune, "2023-03-01"),
        *(row(n, head, b2_points=10) for n, head in ((1, "Đinh Một"), (2, "Đinh Hai"))),
    )

    assert (done["applied"], done["refused"]) == (2, 0)
    assert {each["code"]: each["poverty_class"] for each in await commune.households()} == {
        "H001": "NOT_POOR",
        "H002": "NEAR_POOR",
    }
    then = await commune.households(on="2023-04-01")
    assert {each["poverty_class"] for each in then} == {"NEAR_POOR"}


async def test_what_comes_in_time_reads_no_history(commune: Commune, monkeypatch: pytest.MonkeyPatch) -> None:
    household = await commune.register()
    reviews = [await regular(commune, day) for day in ("2022-03-01", "2022-03-01", "2023-03-01")]

    load, read = store.tellings.load, []

    async def noted(conn: Any, ids: Any) -> Any:
        read.append(len(ids))
        return await load(conn, ids)

    monkeypatch.setattr(store.tellings, "load", noted)
    for review in reviews:
        await commune.decide(review, household, 120, 40)
    await commune.import_rows(await regular(commune, "2023-06-01"), row(1, "Đinh Một"), row(9, "Đinh Chín"))
    assert read == []
    await commune.decide(reviews[0], household, 120, 40)
    assert read == [1]


async def test_whoever_corrects_is_on_record(commune: Commune, engine: Engine) -> None:
    household = await commune.register()
    decision = await commune.decide(await regular(commune, "2023-03-01"), household, 120, 40)
    given = {"members": 3, "b1_points": 120, "b2_points": 20} | PAPER
    await commune.ask("POST", f"/v1/decisions/{decision['decision_id']}/corrections", 201, json=given)
    async with engine("households").connect() as conn:
        rows = await conn.execute(
            sa.text("select detail::text from audit where action = 'household.decision_corrected'")
        )
        [detail] = rows.scalars().all()
        payloads = (await conn.execute(sa.text("select payload from outbox"))).scalars().all()
    assert decision["decision_id"] in detail
    assert not any("Cộng sai".encode() in bytes(each) for each in payloads)
