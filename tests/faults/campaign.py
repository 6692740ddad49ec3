"""A run: officers at work while one fault follows another; then everything must be as if nothing had been."""

import heapq
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.faults import afterwards
from tests.faults.faults import Fault, Heal, Told, plan, strike
from tests.faults.site import CLIENT_SECONDS, Site
from tests.system import checks
from tests.system.checks import Finding, Kind
from tests.system.clients import Trainer, Work
from tests.system.world import COMMUNES, DISTRICT, World

from benvung_local.client import Officer

CLIENTS = 8
CLASSES = 10
# As many faults hold at once as leave something to do.
AT_ONCE = 3
AHEAD = 10
KINDS: tuple[Kind, ...] = ("lost", "doubled", "reordered", "wrong")
NO_BOUND = float("inf")
CONVERGENCE_SECONDS = 30.0
STALLED_SECONDS = 120.0
REPLAY_SECONDS = 120.0
Progress = Callable[[str], None]


@dataclass
class Result:
    """What a run came to; `found` is empty when every promise was kept."""

    seed: int
    requests: int
    faults: Counter[str]
    unknown: int
    poison: int
    dead_letters: int
    converged: float
    seconds: float
    found: list[Finding]

    def number(self, kind: str) -> int:
        """How many findings are of a kind."""
        return sum(each.kind == kind for each in self.found)

    def line(self) -> str:
        """The run in a line."""
        counts = ", ".join(f"{self.number(kind)} {kind}" for kind in KINDS)
        return (
            f"seed {self.seed}: {self.requests} decisions, {self.faults.total()} faults, {self.unknown} answers"
            f" unheard, {counts}, dead letters {self.dead_letters} of {self.poison},"
            f" together again after {self.converged:.1f} s, {self.seconds:.0f} s"
        )


class Injector:
    """Strikes and heals in the order of the plan, at the pace of the requests, and they at its own.

    Everything is done in one thread, the one that also starts what was killed.
    """

    def __init__(self, site: Site, work: Work, faults: Sequence[Fault], progress: Progress) -> None:
        self.told = Told()
        self.struck: list[Fault] = []
        self.fell: list[Finding] = []
        self._site, self._work, self._faults, self._progress = site, work, faults, progress
        self._held: list[tuple[float, int, str, Heal]] = []
        self._down: set[str] = set()
        self._allowed = self._until(0)

    def may_send(self) -> bool:
        """Whether another decision may be sent: they wait for the fault that is to meet them."""
        return self._work.sent < self._allowed

    def wait_for(self, decisions: int) -> None:
        """Return when so many decisions were acknowledged, or as many as there will be."""
        while len(self._work.truth) < decisions and self._allowed < NO_BOUND:
            time.sleep(0.01)

    def run(self) -> None:
        """Strike with every fault; returns when all are healed."""
        try:
            for at, fault in enumerate(self._faults):
                self._wait(partial(self._is_time, fault), f"the time of {fault}")
                self._strike(fault)
                self._allowed = self._until(at + 1)
            self._wait(lambda: not self._held, "healing")
        finally:
            self._allowed = NO_BOUND
            while self._held:
                self._heal()

    def _until(self, at: int) -> float:
        return self._faults[at].at + AHEAD if at < len(self._faults) else NO_BOUND

    def _is_time(self, fault: Fault) -> bool:
        held = {resource for _, _, resource, _ in self._held}
        due = len(self._work.truth) >= fault.at
        return due and len(held) < AT_ONCE and fault.resource not in held

    def _strike(self, fault: Fault) -> None:
        number = f"{len(self.struck) + 1:3} of {len(self._faults)}"
        self._progress(f"{len(self._work.truth):6} decisions, fault {number}: {fault.kind} {fault.target}")
        if fault.kind.startswith("kill"):
            self._down.add(fault.target)
        heal = strike(self._site, fault, self.told)
        self.struck.append(fault)
        heapq.heappush(self._held, (time.monotonic() + fault.seconds, len(self.struck), fault.resource, heal))

    def _wait(self, until: Callable[[], bool], what: str) -> None:
        """Heal what is due, and watch, until the condition holds."""
        end = time.monotonic() + STALLED_SECONDS
        while not until():
            assert time.monotonic() < end, f"stalled: waiting for {what}"
            if self._held and self._held[0][0] <= time.monotonic():
                self._heal()
            self._look_for_fallen()
            time.sleep(0.01)

    def _heal(self) -> None:
        _, _, resource, heal = heapq.heappop(self._held)
        heal()
        self._down.discard(resource)

    def _look_for_fallen(self) -> None:
        """A part that runs no more although nobody killed it is a finding; it is started again."""
        for part in self._site.parts:
            process = self._site.process(part)
            if part not in self._down and not process.running:
                self.fell.append(Finding("wrong", f"{part} ended by itself:\n{process.tail()}"))
                self._site.start(part)


def run(site: Site, seed: int, requests: int, faults: int, progress: Progress = lambda _: None) -> Result:
    """Let the officers post `requests` decisions under so many faults, heal, wait and compare."""
    started = time.monotonic()
    world = site.world
    work = Work(seed, households(world), reviews(world))
    injector = Injector(site, work, plan(seed, requests, faults), progress)
    work.may_send = injector.may_send
    every = max(1, requests // CLASSES)
    trainer = Trainer(world.officer("tap-huan"), seed, lambda at: injector.wait_for(every * at))
    world.settle()
    before = checks.reach(world)
    _work(site, work, trainer, requests, injector)

    healed = time.monotonic()
    progress(f"{len(work.truth):6} decisions, all healed: waiting until everybody has read everything")
    site.ready(CONVERGENCE_SECONDS)
    world.settle(CONVERGENCE_SECONDS)
    converged = time.monotonic() - healed
    poison = afterwards.set_apart(site, injector.told)
    progress("all have read everything: comparing, and making every projection anew")
    found = [*injector.fell, *checks.everything(world, work, trainer, before)]
    # What is made anew is right again: it comes after everything else.
    found += afterwards.replays(site, REPLAY_SECONDS)
    dead = afterwards.dead_letters(site, poison)
    found += [*dead.found, *afterwards.logs(site), *afterwards.appetite(site)]
    if len(work.truth) != requests:
        found.append(Finding("lost", f"{len(work.truth)} of {requests} decisions were acknowledged"))
    return Result(
        seed=seed,
        requests=len(work.truth),
        faults=Counter(fault.kind for fault in injector.struck),
        unknown=work.unknown,
        poison=dead.sent,
        dead_letters=dead.buried,
        converged=converged,
        seconds=time.monotonic() - started,
        found=found,
    )


def _work(site: Site, work: Work, trainer: Trainer, requests: int, injector: Injector) -> None:
    officers = [Officer(site.front, "huyen-kong-chro", CLIENT_SECONDS) for _ in range(CLIENTS)]
    with ThreadPoolExecutor(1) as beside:
        training = beside.submit(trainer.hold, CLASSES)
        try:
            work.run(officers, requests, injector.run)
        finally:
            for officer in officers:
                officer.close()
            training.result()


def households(world: World) -> list[Any]:
    """Those that were registered for the runs, in an order that every run finds again. All were poor once."""
    return sorted(world.households(DISTRICT), key=lambda each: (each["commune"], each["code"]))


def reviews(world: World) -> dict[tuple[str, bool], str]:
    return {
        (commune, official): world.open_review(commune, official=official)
        for commune in COMMUNES
        for official in (True, False)
    }
