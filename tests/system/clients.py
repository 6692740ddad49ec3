"""Officers at work while parts of the system fall: what was acknowledged is written down outside of it."""

import random
import threading
import time
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
NOT_READY = 503
HELD_ON = "2024-01-20"
PLANNED_HERE = {"area": "23827", "first": HELD_ON, "limit": "500"}


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A decision that was answered with 2xx, or was found in the household's history afterwards."""

    household: str
    decision: str
    sequence: int
    official: bool
    decided_class: str
    mark: str


@dataclass
class Work:
    """Random decisions by several clients; several may meet at one household.

    `reviews` are (commune, official?) → review. `mark` in a decision's reviewer tells its sender.
    """

    seed: int
    households: Sequence[Any]
    reviews: dict[tuple[str, bool], str]
    truth: list[Acknowledged] = field(default_factory=list)
    unknown: int = 0

    def run(self, officers: Sequence[Officer], number: int, meanwhile: Callable[[], None]) -> None:
        """Let the officers post `number` decisions while `meanwhile` runs in this thread."""
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
        drawn = random.Random(f"{self.seed}/{client}")
        for at in range(number):
            household = drawn.choice(self.households)
            official = drawn.random() > 0.1
            points = POINTS[drawn.choice(list(POINTS))]
            review = self.reviews[household["commune"], official]
            body = {
                "household_id": household["id"],
                "members": household["members"],
                "reviewer": f"{self.seed} {client} {at}",
                **points,
            }
            self.truth.append(self._decide(officer, review, body, official=official))

    def _decide(self, officer: Officer, review: str, body: dict[str, Any], *, official: bool) -> Acknowledged:
        end = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < end:
            try:
                answer = officer.ask("POST", "households", f"/v1/reviews/{review}/results", json=body)
                if answer.status_code != NOT_READY:
                    assert answer.status_code == 201, answer.text
                    return _acknowledged(answer.json(), body, official=official)
            except httpx2.TransportError:
                pass
            # Nobody knows whether it was recorded: only the household's history does.
            self.unknown += 1
            recorded = _look_up(officer, body["household_id"], str(body["reviewer"]))
            if recorded is not None:
                return _acknowledged(recorded, body, official=official)
        raise AssertionError(f"no answer within {GIVE_UP_SECONDS:.0f} s: {body}")


def _acknowledged(taken: Any, body: dict[str, Any], *, official: bool) -> Acknowledged:
    return Acknowledged(
        household=body["household_id"],
        decision=taken["decision_id"],
        sequence=taken["sequence"],
        official=official,
        decided_class=taken["class"],
        mark=body["reviewer"],
    )


def _look_up(officer: Officer, household: str, mark: str) -> Any | None:
    """The decision with this mark in the household's history, as soon as the history can be read."""
    end = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < end:
        time.sleep(AGAIN_SECONDS)
        try:
            answer = officer.ask("GET", "households", f"/v1/households/{household}/decisions")
        except httpx2.TransportError:
            continue
        if answer.status_code == NOT_READY:
            continue
        assert answer.status_code == 200, answer.text
        found = [each for each in answer.json()["decisions"] if each["reviewer"] == mark]
        assert len(found) <= 1, f"recorded twice: {mark}"
        return found[0] if found else None
    raise AssertionError(f"the history could not be read within {GIVE_UP_SECONDS:.0f} s")


@dataclass
class Trainer:
    """An organiser who plans and completes classes and knows which were acknowledged."""

    officer: Officer
    seed: int
    truth: set[str] = field(default_factory=set)

    def start(self, number: int) -> threading.Thread:
        """Hold so many classes in a thread of their own."""
        thread = threading.Thread(target=self._hold, args=(number,), name="trainer")
        thread.start()
        return thread

    def _hold(self, number: int) -> None:
        for at in range(number):
            title = f"Lớp {self.seed}-{at}"
            planned = self._until_known(title, "PLANNED", "/v1/classes", _class(title))
            path = f"/v1/classes/{planned['id']}/completion"
            held = {"held_on": HELD_ON, "participants": 10 + at, "count_qualifier": "EXACT"}
            self.truth.add(self._until_known(title, "COMPLETED", path, held)["id"])

    def _until_known(self, title: str, state: str, path: str, body: dict[str, Any]) -> Any:
        end = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < end:
            try:
                answer = self.officer.ask("POST", "training", path, json=body)
                if answer.status_code != NOT_READY:
                    assert answer.is_success, answer.text
                    return answer.json()
            except httpx2.TransportError:
                pass
            if found := self._find(title, state):
                return found
        raise AssertionError(f"no answer within {GIVE_UP_SECONDS:.0f} s: {title}")

    def _find(self, title: str, state: str) -> Any | None:
        """The class of this title if it is in this state, as soon as classes can be read."""
        end = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < end:
            time.sleep(AGAIN_SECONDS)
            try:
                answer = self.officer.ask("GET", "training", "/v1/classes", params=PLANNED_HERE)
            except httpx2.TransportError:
                continue
            if answer.status_code == NOT_READY:
                continue
            assert answer.status_code == 200, answer.text
            named = [each for each in answer.json()["items"] if each["title"] == title]
            assert len(named) <= 1, f"recorded twice: {title}"
            return next((each for each in named if each["state"] == state), None)
        raise AssertionError(f"classes could not be read within {GIVE_UP_SECONDS:.0f} s")


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
