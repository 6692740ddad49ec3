"""The power goes in the middle of work: whatever was acknowledged is there when it is back.

The disk forgets what no fsync asked to keep. NATS confirms only what is on disk because its configuration
says `sync_interval: always`; with the server's default the same look at the stream finds that events are
gone, and the relay sends them again from its journal. TEST_POWER_CUTS asks for more than one cut.
"""

import os
import random
from collections.abc import Iterator

import pytest
from tests.faults import campaign, disk, site
from tests.faults.disk import Disk
from tests.faults.site import Site
from tests.system import checks
from tests.system.clients import Trainer, Work
from tests.system.world import say

from benvung_local.client import Officer
from benvung_local.servers import SERVICES

HOUSEHOLDS, CLIENTS = 10, 6
CUTS = int(os.environ.get("TEST_POWER_CUTS", "1"))
DECISIONS_PER_CUT = 80
MEGABYTES = 512
SYNC = "sync_interval: always"

pytestmark = pytest.mark.skipif(bool(disk.why_not()), reason=disk.why_not() or "-")


@pytest.fixture(scope="module")
def powered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Disk]]:
    """The system with the data of both servers on one disk."""
    folder = tmp_path_factory.mktemp("power")
    with disk.disk(MEGABYTES) as made:
        home = folder / "home"
        home.mkdir()
        for server in site.SERVERS:
            (made.path / server).mkdir(mode=0o711)
            (home / server).symlink_to(made.path / server)
        with site.running(folder, HOUSEHOLDS, home=home, standbys=()) as running:
            yield running, made


def test_what_was_acknowledged_survives(powered: tuple[Site, Disk]) -> None:
    running, made = powered
    missing = work_through(running, made, random.Random(1), CUTS)
    assert missing == []


def test_with_the_servers_default_events_are_lost_and_sent_again(powered: tuple[Site, Disk]) -> None:
    running, made = powered
    conf = running.nats_conf
    text = conf.read_text()
    assert SYNC in text
    running.stack.nats.stop()
    conf.write_text(text.replace(SYNC, ""))
    running.start("nats")
    running.ready()
    missing = work_through(running, made, random.Random(2), 1)
    say(f"{len(missing)} events confirmed and lost")
    assert missing, "the disk lost nothing: this test would not notice a server that does not keep its word"


def work_through(running: Site, made: Disk, drawn: random.Random, cuts: int) -> list[int]:
    """Decide while the power goes; returns what the stream had lost when it was back."""
    world = running.world
    work = Work(drawn.randrange(10**6), campaign.households(world), campaign.reviews(world))
    trainer = Trainer(world.officer("tap-huan"), work.seed)
    world.settle()
    made.sync()
    before = checks.reach(world)
    missing: list[int] = []

    def cut() -> None:
        for at in range(cuts):
            work.wait_for(DECISIONS_PER_CUT * at + drawn.randint(10, DECISIONS_PER_CUT - CLIENTS))
            lose_power(running, made)
            missing.extend(lost_by_the_stream(running))
            for service in SERVICES:
                running.start(service)
            running.ready()

    officers = [Officer(running.front, "huyen-kong-chro") for _ in range(CLIENTS)]
    work.run(officers, DECISIONS_PER_CUT * cuts, cut)
    for officer in officers:
        officer.close()
    assert checks.everything(world, work, trainer, before) == []
    return missing


def lose_power(running: Site, made: Disk) -> None:
    """Everything ends at once; the servers start again on what the disk has."""
    made.lose_power()
    for part in (*SERVICES, *site.SERVERS):
        running.process(part).kill()
    made.unmount()
    made.mount()
    for server in site.SERVERS:
        running.start(server)


def lost_by_the_stream(running: Site) -> list[int]:
    """Events that NATS had confirmed, as the register's journal says, and that its stream does not hold."""
    query = "select stream_seq, event_id::text from journal where stream = 'HOUSEHOLDS' and stream_seq > 0"
    held = {(each.stream_seq, each.event_id) for each in running.world.stream("HOUSEHOLDS")}
    return [at for at, event in running.world.rows("households", query) if (at, event) not in held]
