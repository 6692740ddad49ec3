"""SIGKILL in the middle of work: nothing acknowledged is lost, doubled or told in another order.

The clients decide at random and write down what was acknowledged; after the fault, register, streams,
facts and eligibility are compared with what they wrote. TEST_SEED repeats a run.
"""

import os
import random
import secrets
import time
from collections.abc import Iterator
from functools import partial

import httpx2
import pytest

from benvung_local.client import Officer

from . import checks
from .clients import Trainer, Work
from .world import COMMUNES, DISTRICT, World, eventually, say

DECISIONS = 150
CLIENTS = 8
HOUSEHOLDS = 40
CLASSES = 20
# How often each falls: servers are back at once, a service takes its time to start.
VICTIMS = {"households": 2, "funding": 2, "training": 1, "reporting": 2, "nats": 6, "postgres": 2}
SERVERS = frozenset({"nats", "postgres"})


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
    before = checks.reach(world)

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
    assert checks.everything(world, work, trainer, before) == []


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
