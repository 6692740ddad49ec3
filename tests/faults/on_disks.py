"""Officers at work on the system whose disks break."""

from collections.abc import Callable

from tests.faults import campaign
from tests.faults.site import Site
from tests.system import checks
from tests.system.clients import Trainer, Work

from benvung_local.client import Officer

CLIENTS = 6


def work_through(running: Site, seed: int, decisions: int, break_it: Callable[[Work], None]) -> Work:
    """Decide while `break_it` breaks something and mends it; afterwards every promise is kept."""
    world = running.world
    work = Work(seed, campaign.households(world), campaign.reviews(world))
    trainer = Trainer(world.officer("tap-huan"), seed)
    world.settle()
    before = checks.reach(world)
    officers = [Officer(running.front, "huyen-kong-chro") for _ in range(CLIENTS)]
    try:
        work.run(officers, decisions, lambda: break_it(work))
    finally:
        for officer in officers:
            officer.close()
    running.ready()
    found = checks.everything(world, work, trainer, before)
    assert not found, found
    assert len(work.truth) == decisions
    return work
