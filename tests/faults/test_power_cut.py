"""The power goes in the middle of work: whatever was acknowledged is there when it is back.

The disks forget what no fsync asked to keep. NATS confirms only what is on disk because its configuration
says `sync_interval: always`; with the server's default the same look at the stream finds that events are
gone, and the relay sends them again from its journal. TEST_POWER_CUTS asks for more than one cut.
"""

import os
import random

from tests.faults import site
from tests.faults.conftest import OnDisks
from tests.faults.on_disks import CLIENTS, work_through
from tests.faults.site import Site
from tests.system.clients import Work
from tests.system.world import say

from benvung_local.servers import SERVICES

CUTS = int(os.environ.get("TEST_POWER_CUTS", "1"))
DECISIONS_PER_CUT = 80
SYNC = "sync_interval: always"


def test_what_was_acknowledged_survives(on_disks: OnDisks) -> None:
    assert lost_in_power_cuts(on_disks, seed=1, cuts=CUTS) == []


def test_with_the_servers_default_events_are_lost_and_sent_again(on_disks: OnDisks) -> None:
    running = on_disks.site
    conf = running.nats_conf
    text = conf.read_text()
    assert SYNC in text
    running.stack.nats.stop()
    conf.write_text(text.replace(SYNC, ""))
    running.start("nats")
    running.ready()
    try:
        lost = lost_in_power_cuts(on_disks, seed=2, cuts=1)
    finally:
        running.stack.nats.stop()
        conf.write_text(text)
        running.start("nats")
    say(f"{len(lost)} events were confirmed and lost")
    assert lost, "nothing was lost: this test would not notice a server that does not keep its word"


def lost_in_power_cuts(on_disks: OnDisks, seed: int, cuts: int) -> list[int]:
    """Decide while the power goes; returns what the register's stream had lost when it was back."""
    running, drawn = on_disks.site, random.Random(seed)
    lost: list[int] = []
    for each in on_disks.disks.values():
        each.sync()

    def cut(work: Work) -> None:
        for at in range(cuts):
            work.wait_for(DECISIONS_PER_CUT * at + drawn.randint(10, DECISIONS_PER_CUT - CLIENTS))
            lose_power(on_disks)
            lost.extend(lost_by_the_stream(running))
            for service in SERVICES:
                running.start(service)
            running.ready()

    work_through(running, seed, DECISIONS_PER_CUT * cuts, cut)
    return lost


def lose_power(on_disks: OnDisks) -> None:
    """Everything ends at once; the servers start again on what their disks have."""
    running = on_disks.site
    for each in on_disks.disks.values():
        each.lose_power()
    for part in (*SERVICES, *site.SERVERS):
        running.process(part).kill()
    for server, each in on_disks.disks.items():
        each.unmount()
        each.mount()
        running.start(server)


def lost_by_the_stream(running: Site) -> list[int]:
    """Events that NATS had confirmed, as the register's journal says, and that its stream does not hold."""
    query = "select stream_seq, event_id::text from journal where stream = 'HOUSEHOLDS' and stream_seq > 0"
    held = {(each.stream_seq, each.event_id) for each in running.world.stream("HOUSEHOLDS")}
    return [at for at, event in running.world.rows("households", query) if (at, event) not in held]
