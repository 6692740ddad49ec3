"""SIGKILL in the middle of work: nothing acknowledged is lost, doubled or told in another order.

The clients decide at random and write down what was acknowledged; after the fault, register, streams,
facts and eligibility are compared with what they wrote. TEST_SEED repeats a run.
"""

import json
import os
import random
import secrets
import time
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx2
import pytest

from benvung_local.client import Officer

from .clients import Trainer, Work
from .world import COMMUNES, DISTRICT, World, eventually, say

DECISIONS = 150
CLIENTS = 8
HOUSEHOLDS = 40
CLASSES = 20
# How often each falls: servers are back at once, a service takes its time to start.
VICTIMS = {"households": 2, "funding": 2, "training": 1, "reporting": 2, "nats": 6, "postgres": 2}
SERVERS = frozenset({"nats", "postgres"})
PRODUCT = {"POOR": "POOR", "NEAR_POOR": "NEAR_POOR", "NOT_POOR": "NEWLY_ESCAPED"}


@pytest.fixture
def seed() -> int:
    """Drawn anew for each test, unless one is given."""
    drawn = int(os.environ.get("TEST_SEED") or secrets.randbelow(10**9))
    say(f"TEST_SEED={drawn}")
    return drawn


@pytest.fixture
def clients(world: World) -> Iterator[list[Officer]]:
    """Several signed-in clients with connections of their own."""
    officers = [Officer(world.where, "huyen-kong-chro") for _ in range(CLIENTS)]
    yield officers
    for officer in officers:
        officer.close()


def reviews(world: World) -> dict[tuple[str, bool], str]:
    """For each commune a review of official and one of preliminary results."""
    return {
        (commune, official): world.open_review(commune, official=official)
        for commune in COMMUNES
        for official in (True, False)
    }


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_part_that_is_killed_in_the_middle_loses_doubles_and_reorders_nothing(
    world: World, clients: list[Officer], seed: int, victim: str
) -> None:
    drawn = random.Random(seed)
    chosen = drawn.sample(world.households(DISTRICT, **{"class": "POOR"}), HOUSEHOLDS)
    chosen = [each for each in chosen if each["commune"] in COMMUNES]
    work = Work(seed, chosen, reviews(world))
    trainer = Trainer(world.officer("tap-huan"), seed)
    world.settle()
    before = {name: world.stream_state(name).last_seq for name in ("HOUSEHOLDS", "FUNDING", "TRAINING")}

    def strike() -> None:
        training = trainer.start(CLASSES) if victim == "training" else None
        work.wait_for(drawn.randint(10, DECISIONS // 2))
        for _ in range(VICTIMS[victim] - 1):
            world.stack.kill(victim)
            time.sleep(drawn.uniform(0, 0.3))
            come_back(world, victim)
            # It falls again while it catches up.
            time.sleep(drawn.uniform(0, 0.6 if victim in SERVERS else 0.1))
        world.stack.kill(victim)
        world.stack.start(victim)
        world.wait_ready()
        if training is not None:
            training.join()

    work.run(clients, DECISIONS, strike)
    world.settle()

    say(f"{len(work.truth)} decisions acknowledged, {work.unknown} times the answer was not known")
    assert len(work.truth) == DECISIONS
    the_register_holds_what_was_acknowledged(world, work)
    the_stream_tells_it_once_and_in_order(world, work, before["HOUSEHOLDS"])
    reporting_has_each_decision_as_one_fact(world, work)
    eligibility_follows_from_the_final_class(world, work)
    announcements_are_in_order(world, before["FUNDING"])
    classes_are_reported_once(world, trainer, before["TRAINING"])
    assert world.compared().equal
    assert world.officer().get("reporting", "/v1/verify", area=DISTRICT)["agree"]


def come_back(world: World, victim: str) -> None:
    """Start a part and return as soon as it lives, which is before it has found its place again."""
    if victim in SERVERS:
        world.stack.start(victim)
        return
    world.stack.processes[victim].start()
    eventually(partial(lives, world.stack.url(victim)))


def lives(url: str) -> bool:
    """Whether a service answers at all."""
    try:
        return httpx2.get(f"{url}/health/live", trust_env=False).is_success
    except httpx2.TransportError:
        return False


def the_register_holds_what_was_acknowledged(world: World, work: Work) -> None:
    for household in work.households:
        history = world.officer().get("households", f"/v1/households/{household['id']}/decisions")
        ours = [each for each in history["decisions"] if (each["reviewer"] or "").startswith(f"{work.seed} ")]
        found = [(each["decision_id"], each["sequence"], each["class"], each["reviewer"]) for each in ours]
        expected = [each for each in work.truth if each.household == household["id"]]
        assert sorted(found) == sorted(
            (each.decision, each.sequence, each.decided_class, each.mark) for each in expected
        )
        now = world.officer().get("households", f"/v1/households/{household['id']}")
        assert now["poverty_class"] == work.final(household)
        assert now["revision"] == household["revision"] + len(expected)


def the_stream_tells_it_once_and_in_order(world: World, work: Work, after: int) -> None:
    told: dict[str, list[Any]] = defaultdict(list)
    for stored in world.stream("HOUSEHOLDS", after):
        body = json.loads(stored.payload)
        if body["type"] == "households.household.classified.v1":
            told[body["subject"]].append(body)

    decisions = [each["data"]["decision"]["decision_id"] for events in told.values() for each in events]
    assert sorted(decisions) == sorted(each.decision for each in work.truth)
    for household in work.households:
        events = told[household["id"]]
        sequences = [int(each["sequence"]) for each in events]
        assert sequences == sorted(sequences)
        assert sequences == sorted(each.sequence for each in work.truth if each.household == household["id"])
        start = household["revision"] + 1
        assert [each["data"]["revision"] for each in events] == list(range(start, start + len(events)))


def reporting_has_each_decision_as_one_fact(world: World, work: Work) -> None:
    facts = world.rows(
        "reporting",
        "select sequence, household_id::text, stage = 'OFFICIAL', class from household_facts"
        " where sequence >= %s and kind = 'CLASSIFIED' and household_id::text = any(%s)",
        min(each.sequence for each in work.truth),
        [each["id"] for each in work.households],
    )
    assert sorted(facts) == sorted(
        (each.sequence, each.household, each.official, each.decided_class) for each in work.truth
    )


def eligibility_follows_from_the_final_class(world: World, work: Work) -> None:
    for household in work.households:
        found = world.officer().get("funding", f"/v1/households/{household['id']}/eligibility")["answers"]
        eligible = [each["product"] for each in found if each["status"] == "ELIGIBLE"]
        # All of them were poor when the work began, so that who is above both lists has left them since.
        assert eligible == [PRODUCT[work.final(household)]], household["id"]
    answered = world.officer().get("funding", "/v1/eligibility/summary", area=DISTRICT)["products"]
    reported = world.officer().get("reporting", "/v1/eligibility", area=DISTRICT)["products"]
    assert {each["product"]: each["households"] for each in answered} == {
        product: each["households"] for product, each in reported.items()
    }


def announcements_are_in_order(world: World, after: int) -> None:
    told: dict[str, list[Any]] = defaultdict(list)
    for stored in world.stream("FUNDING", after):
        body = json.loads(stored.payload)
        told[body["subject"]].append((body["data"]["revision"], int(body["sequence"])))
    for subject, events in told.items():
        revisions = [revision for revision, _ in events]
        assert revisions == list(range(revisions[0], revisions[0] + len(events))), subject
        assert events == sorted(events)


def classes_are_reported_once(world: World, trainer: Trainer, after: int) -> None:
    told = [json.loads(stored.payload)["subject"] for stored in world.stream("TRAINING", after)]
    assert sorted(told) == sorted(trainer.truth)
    rows = world.rows(
        "reporting", "select class_id::text from training_classes where class_id::text = any(%s)", told
    )
    assert {row[0] for row in rows} == trainer.truth
