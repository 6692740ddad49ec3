"""Reclassifying households over HTTP: one with its consequences timed, or many side by side."""

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from benvung_local.client import Addresses, Officer
from benvung_local.district import DISTRICT, open_review

COMMUNE = "23827"
DAY = "2024-01-24"
# Points far from every threshold, rural and urban: 140 and 175 of form B1, 30 of form B2.
ABOVE = {"b1_points": 190, "b2_points": 0}
BELOW = {"b1_points": 120, "b2_points": 50}
FOLLOW_SECONDS = 10.0
STEP_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class Told:
    """One decision and how soon the others followed, in milliseconds from the answer."""

    household_id: str
    class_label: str
    answered_ms: float
    eligibility_ms: float
    report_ms: float


def review_of(officer: Officer, commune: str) -> str:
    """A regular review of the commune this month, opened for these decisions."""
    return open_review(
        officer,
        {
            "commune": commune,
            "year": DAY[:4],
            "kind": "REGULAR",
            "stage": "OFFICIAL",
            "standard": "STD_2022_2025",
            "decided_on": DAY,
            "valid_from": DAY,
            "decision_number": f"{commune}/01-2024/QĐ-UBND",
        },
    )


def one(where: Addresses) -> Told:
    """Take one household off the list of the poor and time what follows by itself."""
    officer = Officer(where, "huyen-kong-chro")
    review = review_of(officer, COMMUNE)
    household = next(officer.pages("households", "/v1/households", area=COMMUNE, **{"class": "POOR"}))
    before = _eligible(officer)
    followed: dict[str, float] = {}
    watching_funding, watching_report = (Officer(where, "huyen-kong-chro") for _ in range(2))
    watchers = [
        threading.Thread(target=_watch, args=(followed, name, check))
        for name, check in (
            ("eligibility", lambda: _status(watching_funding, household["id"]) == "ELIGIBLE"),
            ("report", lambda: _eligible(watching_report) != before),
        )
    ]
    for watcher in watchers:
        watcher.start()
    started = time.monotonic()
    decision = decide(officer, review, household, ABOVE)
    answered = time.monotonic()
    for watcher in watchers:
        watcher.join()
    return Told(
        household_id=household["id"],
        class_label=decision["class_label"],
        answered_ms=(answered - started) * 1000,
        eligibility_ms=max(0.0, (followed["eligibility"] - answered) * 1000),
        report_ms=max(0.0, (followed["report"] - answered) * 1000),
    )


def _watch(followed: dict[str, float], name: str, check: Callable[[], bool]) -> None:
    end = time.monotonic() + FOLLOW_SECONDS
    while not check():
        if time.monotonic() > end:
            followed[name] = float("inf")
            return
        time.sleep(STEP_SECONDS)
    followed[name] = time.monotonic()


def _status(officer: Officer, household_id: str) -> str:
    answers = officer.get("funding", f"/v1/households/{household_id}/eligibility")["answers"]
    return next((str(each["status"]) for each in answers if each["product"] == "NEWLY_ESCAPED"), "")


def _eligible(officer: Officer) -> Any:
    products = officer.get("reporting", "/v1/eligibility", area=COMMUNE)["products"]
    return {product: count["households"] for product, count in products.items()}


def decide(officer: Officer, review: str, household: Any, points: dict[str, int]) -> Any:
    """One decision by one API call."""
    body = {"household_id": household["id"], "members": household["members"], **points}
    return officer.send("POST", "households", f"/v1/reviews/{review}/results", body)


def many(where: Addresses, number: int, show: Callable[[int], None], clients: int = 4) -> list[Any]:
    """Post `number` decisions from several clients; each household is taken off the list and put back.

    `show` is called from this thread with the count so far. Returns the answered decisions: the truth
    that everything else is compared with.
    """
    officer = Officer(where, "huyen-kong-chro")
    households = list(
        itertools.islice(
            officer.pages("households", "/v1/households", area=DISTRICT, **{"class": "POOR"}), number // 2
        )
    )
    reviews = {commune: review_of(officer, commune) for commune in {h["commune"] for h in households}}
    taken: list[Any] = []

    def work(part: Sequence[Any]) -> None:
        mine = Officer(where, "huyen-kong-chro")
        for points in (ABOVE, BELOW):
            for household in part:
                taken.append(decide(mine, reviews[household["commune"]], household, points))

    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(work, households[at::clients]) for at in range(clients)]
        while not all(future.done() for future in running):
            show(len(taken))
            time.sleep(0.05)
        for future in running:
            future.result()
    show(len(taken))
    return taken
