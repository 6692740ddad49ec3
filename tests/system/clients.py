"""Officers at work while parts of the system fall: what was acknowledged is written down outside of it."""

import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx2

from benvung_local.client import Officer

POINTS = {
    "POOR": {"b1_points": 120, "b2_points": 50},
    "NEAR_POOR": {"b1_points": 120, "b2_points": 10},
    "NOT_POOR": {"b1_points": 190, "b2_points": 0},
}
AGAIN_SECONDS = 0.1
GIVE_UP_SECONDS = 60.0
# Nobody knows whether it was done: the service cannot reach its database, or the first try is under way.
NOT_KNOWN = frozenset({"not-ready", "idempotency-key-in-use"})
HELD_ON = "2024-01-20"


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A decision that was answered with 2xx, at the first or at a later try."""

    household: str
    decision: str
    sequence: int
    official: bool
    decided_class: str
    mark: str


@dataclass
class Work:
    """Random decisions by several clients; several may meet at one household.

    `reviews` are (commune, official?) → review. `mark` in a decision's reviewer tells its sender. Nobody
    sends another decision before `may_send` says so.
    """

    seed: int
    households: Sequence[Any]
    reviews: dict[tuple[str, bool], str]
    may_send: Callable[[], bool] = lambda: True
    truth: list[Acknowledged] = field(default_factory=list)
    sent: int = 0
    unknown: int = 0
    rounds: int = 0
    turn: threading.Lock = field(default_factory=threading.Lock)

    def run(self, officers: Sequence[Officer], number: int, meanwhile: Callable[[], None]) -> None:
        """Let the officers post `number` decisions while `meanwhile` runs in this thread; again at each call."""
        self.rounds += 1
        share = [number // len(officers) + (at < number % len(officers)) for at in range(len(officers))]
        with ThreadPoolExecutor(len(officers)) as pool:
            running = [pool.submit(self._one, officer, at, share[at]) for at, officer in enumerate(officers)]
            meanwhile()
            for each in running:
                each.result()

    def wait_for(self, number: int) -> None:
        """Return when so many decisions were acknowledged."""
        end = time.monotonic() + GIVE_UP_SECONDS
        while len(self.truth) < number:
            assert time.monotonic() < end, f"only {len(self.truth)} decisions were acknowledged"
            time.sleep(0.001)

    def final(self, household: Any) -> str:
        """The class that the last official decision on a household gave."""
        decided = [each for each in self.truth if each.household == household["id"] and each.official]
        newest = max(decided, key=lambda each: each.sequence, default=None)
        return newest.decided_class if newest else str(household["poverty_class"])

    def _one(self, officer: Officer, client: int, number: int) -> None:
        drawn = random.Random(f"{self.seed}/{client}/{self.rounds}")
        for at in range(number):
            household = drawn.choice(self.households)
            official = drawn.random() > 0.1
            points = POINTS[drawn.choice(list(POINTS))]
            review = self.reviews[household["commune"], official]
            body = {
                "household_id": household["id"],
                "members": household["members"],
                "reviewer": f"{self.seed} {client} {self.rounds}/{at}",
                **points,
            }
            self._wait_for_turn()
            self.truth.append(self._decide(officer, review, body, official=official))

    def _wait_for_turn(self) -> None:
        with self.turn:
            while not self.may_send():
                time.sleep(0.005)
            self.sent += 1

    def _count_unknown(self) -> None:
        self.unknown += 1

    def _decide(self, officer: Officer, review: str, body: dict[str, Any], *, official: bool) -> Acknowledged:
        path = f"/v1/reviews/{review}/results"
        taken = until_answered(
            officer, "households", path, body, body["reviewer"], unknown=self._count_unknown
        )
        return Acknowledged(
            household=body["household_id"],
            decision=taken["decision_id"],
            sequence=taken["sequence"],
            official=official,
            decided_class=taken["class"],
            mark=body["reviewer"],
        )


def until_answered(
    officer: Officer,
    service: str,
    path: str,
    body: dict[str, Any],
    mark: str,
    *,
    unknown: Callable[[], None] = lambda: None,
) -> Any:
    """Send a request, and the very same again while nobody knows what became of it (`unknown` is told)."""
    headers = {"Idempotency-Key": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{path} {mark}"))}
    end = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < end:
        try:
            answer = officer.ask("POST", service, path, json=body, headers=headers)
            if answer.is_success:
                return answer.json()
            assert answer.json()["rule"] in NOT_KNOWN, answer.text
        except httpx2.TransportError:
            pass
        unknown()
        time.sleep(AGAIN_SECONDS)
    raise AssertionError(f"no answer within {GIVE_UP_SECONDS:.0f} s: {body}")


@dataclass
class Trainer:
    """An organiser who plans and completes classes and knows which were acknowledged.

    `wait` returns when the class of this number may be held.
    """

    officer: Officer
    seed: int
    wait: Callable[[int], None] = lambda _: None
    truth: set[str] = field(default_factory=set)
    rounds: int = 0

    def start(self, number: int) -> threading.Thread:
        """Hold so many classes in a thread of their own."""
        thread = threading.Thread(target=self.hold, args=(number,), name="trainer")
        thread.start()
        return thread

    def hold(self, number: int) -> None:
        """Plan and complete so many classes; others at each call."""
        self.rounds += 1
        for at in range(number):
            self.wait(at)
            title = f"Lớp {self.seed}-{self.rounds}-{at}"
            planned = until_answered(self.officer, "training", "/v1/classes", _class(title), title)
            held = {"held_on": HELD_ON, "participants": 10 + at, "count_qualifier": "EXACT"}
            path = f"/v1/classes/{planned['id']}/completion"
            self.truth.add(until_answered(self.officer, "training", path, held, title)["id"])


def _class(title: str) -> dict[str, Any]:
    return {
        "area": "23827",
        "component": "DA7.1",
        "form": "CONFERENCE",
        "title": title,
        "organiser": {"name": "UBND xã Chư Krey", "level": "COMMUNE", "area": "23827"},
        "topics": [{"number": "90/QĐ-TTg"}],
        "planned_from": HELD_ON,
    }
