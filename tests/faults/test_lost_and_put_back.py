"""Streams lost, streams and databases put back to older copies: noticed by itself, and right again.

What the register's database holds is the truth. A lost stream costs nothing; a restored database loses what
was decided after its copy, says so, and after one command everybody else agrees with it again.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from tests.faults import campaign, restores, site
from tests.faults.faults import STREAMS
from tests.faults.restores import converged, event
from tests.faults.site import Site
from tests.system import checks
from tests.system.clients import Acknowledged, Trainer, Work
from tests.system.world import eventually, say

from benvung_local.client import Officer
from benvung_local.servers import SERVICES

HOUSEHOLDS, CLIENTS, DECISIONS, CLASSES = 8, 6, 40, 4
CONVERGENCE_SECONDS = 60.0
SAID_SECONDS = 30.0
# One system for all of them: each story's decisions have marks of their own.
SEEDS = itertools.count(1)


class Story:
    """Officers at work before, between and after; `truth` can be set back to what a copy holds."""

    def __init__(self, running: Site) -> None:
        world, seed = running.world, next(SEEDS)
        self.site = running
        self.work = Work(seed, campaign.households(world), campaign.reviews(world))
        self.trainer = Trainer(world.officer("tap-huan"), seed)
        running.world.settle()
        self.before = {stream: self.last_event(stream) for stream in STREAMS}

    def decide(self) -> None:
        """Decide and hold classes; returns when everybody has followed."""
        with self.officers() as officers:
            self.work.run(officers, DECISIONS, lambda: None)
        self.trainer.hold(CLASSES)
        self.agree()

    @contextmanager
    def officers(self) -> Iterator[list[Officer]]:
        """Several, each with a connection of its own."""
        made = [Officer(self.site.front, "huyen-kong-chro") for _ in range(CLIENTS)]
        yield made
        for officer in made:
            officer.close()

    def agree_after_a_restart(self) -> None:
        """Let every service look at everything again, as it does when it starts."""
        for service in SERVICES:
            self.site.stack.kill(service)
            self.site.start(service)
        self.agree()

    def agree(self) -> None:
        """Return when nothing is under way any more, and every service is ready."""
        self.site.ready(CONVERGENCE_SECONDS)
        eventually(lambda: not converged(self.site), CONVERGENCE_SECONDS)
        self.site.ready()

    def kept(self) -> tuple[list[Acknowledged], set[str]]:
        """What is true now."""
        return list(self.work.truth), set(self.trainer.truth)

    def back_to(self, kept: tuple[list[Acknowledged], set[str]], *services: str) -> None:
        """From now on that is true which the restored databases know."""
        if "households" in services:
            self.work.truth = list(kept[0])
        if "training" in services:
            self.trainer.truth = set(kept[1])

    def learn_new_numbers(self) -> None:
        """What waited when the register was recovered has other sequences than it was answered with."""
        query = "select decision_id::text, sequence from decisions"
        now = dict(self.site.world.rows("households", query))
        self.work.truth = [replace(each, sequence=now[each.decision]) for each in self.work.truth]

    def last_event(self, stream: str) -> str:
        """The id of the newest event of a stream."""
        stored = self.site.world.stream(stream)
        return str(event(stored[-1].payload)["id"]) if stored else ""

    def check(self) -> None:
        """Everybody says what is true, each event stands in its stream once and in order."""
        world = self.site.world
        for stream in STREAMS:
            world.poison[stream] = []
            world.poison[stream] = restores.withdrawn(self.site, stream)
        before = {stream: self._place(stream, last) for stream, last in self.before.items()}
        found = checks.everything(world, self.work, self.trainer, before)
        assert not found, "\n".join(f"{each.kind}: {each.text}" for each in found[:20])

    def _place(self, stream: str, event_id: str) -> int:
        places = [
            each.stream_seq
            for each in self.site.world.stream(stream)
            if event(each.payload)["id"] == event_id
        ]
        assert len(places) == (1 if event_id else 0), f"{event_id} stands {len(places)} times in {stream}"
        return places[0] if places else 0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The system, with another relay of the register and another projector of funding standing by."""
    folder = tmp_path_factory.mktemp("restores")
    with site.running(folder, HOUSEHOLDS, standbys=("households", "funding")) as made:
        yield made


LONG = pytest.mark.skipif(
    not os.environ.get("TEST_LONG"), reason="one of a kind is enough: make faults has all"
)
LOSSES: dict[str, Callable[[Site, str], None]] = {
    "deleted": restores.delete_stream,
    "made anew": restores.make_stream_anew,
    "emptied": restores.empty_stream,
    "lost on disk": restores.lose_messages,
}


@pytest.mark.parametrize(
    "how",
    ["emptied", *(pytest.param(how, marks=LONG) for how in ("deleted", "made anew", "lost on disk"))],
)
def test_streams_that_are_lost_are_filled_again_from_the_journal(running: Site, how: str) -> None:
    story = Story(running)
    story.decide()
    for stream in STREAMS:
        LOSSES[how](running, stream)
    story.decide()
    story.check()


@pytest.mark.parametrize(
    "how", ["deleted", pytest.param("made anew", marks=LONG), pytest.param("emptied", marks=LONG)]
)
def test_streams_lost_in_the_middle_of_work_lose_nothing(running: Site, how: str) -> None:
    story = Story(running)

    def lose() -> None:
        for at, stream in enumerate(STREAMS, start=1):
            story.work.wait_for(at * DECISIONS // 5)
            LOSSES[how](running, stream)

    with story.officers() as officers:
        story.work.run(officers, DECISIONS, lose)
    story.agree()
    story.check()


def test_an_older_copy_of_nats_is_brought_up_to_date(running: Site, tmp_path: Path) -> None:
    story = Story(running)
    story.decide()
    restores.copy_store(running, tmp_path / "copy")
    story.decide()
    restores.restore_store(running, tmp_path / "copy")
    story.decide()
    story.check()


@pytest.mark.parametrize(
    "service",
    ["households", *(pytest.param(name, marks=LONG) for name in ("funding", "training", "reporting"))],
)
def test_a_database_restored_from_an_older_copy_is_right_again(running: Site, service: str) -> None:
    story = Story(running)
    story.decide()
    restores.copy_database(running, service)
    copied = story.kept()
    story.decide()

    restores.restore_database(running, service)
    recover(running, service)
    story.back_to(copied, service)
    story.agree()
    story.check()
    story.decide()
    story.agree_after_a_restart()
    story.check()


@LONG
def test_what_is_decided_before_and_while_a_restored_register_is_recovered_is_kept(running: Site) -> None:
    story = Story(running)
    story.decide()
    restores.copy_database(running, "households")
    copied = story.kept()
    story.decide()
    restores.restore_database(running, "households")
    story.back_to(copied, "households")

    def recover_in_the_middle() -> None:
        story.work.wait_for(len(copied[0]) + DECISIONS // 2)
        recover(running, "households")

    with story.officers() as officers:
        story.work.run(officers, 2 * DECISIONS, recover_in_the_middle)
    story.agree()
    story.learn_new_numbers()
    story.check()


@LONG
def test_all_databases_restored_at_once_are_right_again(running: Site, tmp_path: Path) -> None:
    story = Story(running)
    story.decide()
    restores.copy_cluster(running, tmp_path / "copy")
    copied = story.kept()
    story.decide()

    restores.restore_cluster(running, tmp_path / "copy")
    recover(running, *SERVICES)
    story.back_to(copied, *SERVICES)
    story.agree()
    story.check()
    story.decide()
    story.agree_after_a_restart()
    story.check()


@LONG
def test_a_machine_restored_with_an_older_stream_than_its_databases_is_right_again(
    running: Site, tmp_path: Path
) -> None:
    story = Story(running)
    story.decide()
    restores.copy_store(running, tmp_path / "nats")
    story.decide()
    restores.copy_cluster(running, tmp_path / "postgres")
    copied = story.kept()
    story.decide()

    restores.restore_store(running, tmp_path / "nats")
    restores.restore_cluster(running, tmp_path / "postgres")
    story.back_to(copied, *SERVICES)
    story.agree()
    story.check()
    story.decide()
    story.agree_after_a_restart()
    story.check()


def recover(running: Site, *services: str) -> None:
    """Do what the owners of streams say that an operator must do; who owns no stream needs nobody."""
    for service in services:
        if service.upper() in STREAMS:
            eventually(partial(asks_for_it, running, service), SAID_SECONDS)
            say(restores.run_command(running, service, "recover"))


def asks_for_it(running: Site, service: str) -> bool:
    """Whether a service says that it waits for this command."""
    return f"'{service} recover'" in running.lacks(service)
