"""What was acknowledged, compared with what everybody holds once nothing is under way.

`Work` and `Trainer` wrote down outside of the system what was answered with 2xx. Every check says what it
finds wrong; nothing found is the promise kept.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from .clients import Acknowledged, Trainer, Work
from .world import DISTRICT, World

Kind = Literal["lost", "doubled", "reordered", "wrong"]
PRODUCT = {"POOR": "POOR", "NEAR_POOR": "NEAR_POOR", "NOT_POOR": "NEWLY_ESCAPED"}
STREAMS = ("HOUSEHOLDS", "FUNDING", "TRAINING")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was promised and is not so."""

    kind: Kind
    text: str


Findings = Iterator[Finding]


def everything(world: World, work: Work, trainer: Trainer, before: Mapping[str, int]) -> list[Finding]:
    """All checks of this file. `before` is how far each stream reached when the work began."""
    return [
        *the_register_holds_what_was_acknowledged(world, work),
        *the_stream_tells_it_once_and_in_order(world, work, before["HOUSEHOLDS"]),
        *reporting_has_each_decision_as_one_fact(world, work),
        *eligibility_follows_from_the_final_class(world, work),
        *announcements_are_told_once_and_in_order(world, before["FUNDING"]),
        *classes_are_told_and_reported_once(world, trainer, before["TRAINING"]),
        *all_say_the_same(world),
    ]


def reach(world: World) -> dict[str, int]:
    """How far each stream reaches now."""
    return {stream: world.stream_state(stream).last_seq for stream in STREAMS}


def the_register_holds_what_was_acknowledged(world: World, work: Work) -> Findings:
    """Each acknowledged decision is in its household's history, once; the state is what follows from them."""
    truth = _by_household(work)
    for household in work.households:
        expected, of = truth[household["id"]], f"history of {household['id']}"
        history = world.officer().get("households", f"/v1/households/{household['id']}/decisions")
        ours = [each for each in history["decisions"] if (each["reviewer"] or "").startswith(f"{work.seed} ")]
        yield from _once([each["reviewer"] for each in ours], [each.mark for each in expected], of)
        found = {(each["decision_id"], each["sequence"], each["class"], each["reviewer"]) for each in ours}
        said = {(each.decision, each.sequence, each.decided_class, each.mark) for each in expected}
        if found != said:
            yield Finding("wrong", f"{of}: {found ^ said}")
        now = world.officer().get("households", f"/v1/households/{household['id']}")
        state = (now["poverty_class"], now["revision"])
        if state != (work.final(household), household["revision"] + len(expected)):
            yield Finding("wrong", f"{household['id']} is {state} after {len(expected)} decisions")


def the_stream_tells_it_once_and_in_order(world: World, work: Work, after: int) -> Findings:
    """Each decision is one event; a household's events stand in the order of sequence and of revision."""
    told: dict[str, list[Any]] = defaultdict(list)
    for body in _events(world, "HOUSEHOLDS", after):
        if body["type"] == "households.household.classified.v1":
            told[body["subject"]].append(body)

    truth = _by_household(work)
    for household in work.households:
        events, expected = told[household["id"]], truth[household["id"]]
        of = f"events of {household['id']}"
        decisions = [each["data"]["decision"]["decision_id"] for each in events]
        yield from _once(decisions, [each.decision for each in expected], of)
        sequences = [int(each["sequence"]) for each in events]
        yield from _risen(sequences, of)
        if sorted(sequences) != sorted(each.sequence for each in expected):
            yield Finding("wrong", f"{of}: sequences other than answered")
        start = household["revision"] + 1
        yield from _counted([each["data"]["revision"] for each in events], start, of)


def reporting_has_each_decision_as_one_fact(world: World, work: Work) -> Findings:
    """The facts that reports are counted from are the decisions."""
    facts = world.rows(
        "reporting",
        "select sequence, household_id::text, stage = 'OFFICIAL', class from household_facts"
        " where sequence >= %s and kind = 'CLASSIFIED' and household_id::text = any(%s)",
        min(each.sequence for each in work.truth),
        [each["id"] for each in work.households],
    )
    expected = [(each.sequence, each.household, each.official, each.decided_class) for each in work.truth]
    yield from _once(facts, expected, "facts of reporting")


def eligibility_follows_from_the_final_class(world: World, work: Work) -> Findings:
    """Each household may borrow what its last official class lets it borrow."""
    for household in work.households:
        found = world.officer().get("funding", f"/v1/households/{household['id']}/eligibility")["answers"]
        eligible = [each["product"] for each in found if each["status"] == "ELIGIBLE"]
        # All of them were poor when the work began, so that who is above both lists has left them since.
        if eligible != [PRODUCT[work.final(household)]]:
            yield Finding("wrong", f"{household['id']} ({work.final(household)}) may borrow {eligible}")


def announcements_are_told_once_and_in_order(world: World, after: int) -> Findings:
    """Funding announces nothing twice, and a household's announcements count up."""
    told: dict[str, list[Any]] = defaultdict(list)
    for body in _events(world, "FUNDING", after):
        told[body["subject"]].append(body)
    for subject, events in told.items():
        of = f"announcements about {subject}"
        ids = [each["id"] for each in events]
        yield from _once(ids, list(set(ids)), of)
        revisions = [each["data"]["revision"] for each in events]
        yield from _counted(revisions, revisions[0], of)
        yield from _risen([int(each["sequence"]) for each in events], of)


def classes_are_told_and_reported_once(world: World, trainer: Trainer, after: int) -> Findings:
    """Each class that was held is one event and one row of reporting."""
    kind = "training.class.completed.v1"
    told = [body["subject"] for body in _events(world, "TRAINING", after) if body["type"] == kind]
    yield from _once(told, list(trainer.truth), "classes told")
    query = "select class_id::text from training_classes where class_id::text = any(%s)"
    reported = [row[0] for row in world.rows("reporting", query, told)]
    yield from _once(reported, list(trainer.truth), "classes reported")


def all_say_the_same(world: World) -> Findings:
    """Registry, stream, funding and reporting agree commune by commune, and reporting with its own facts."""
    compared = world.compared()
    for commune in compared.communes:
        if not compared.agrees(commune):
            rows = {source: compared.row(source, commune) for source in compared.said}
            yield Finding("wrong", f"commune {commune}: {rows}")
    if not world.officer().get("reporting", "/v1/verify", area=DISTRICT)["agree"]:
        yield Finding("wrong", "reporting's counts are not those of its facts")
    answered = world.officer().get("funding", "/v1/eligibility/summary", area=DISTRICT)["products"]
    reported = world.officer().get("reporting", "/v1/eligibility", area=DISTRICT)["products"]
    held = {each["product"]: each["households"] for each in answered}
    shown = {product: each["households"] for product, each in reported.items()}
    if held != shown:
        yield Finding("wrong", f"eligible: {held} in funding, {shown} in reporting")


def _events(world: World, stream: str, after: int) -> Iterator[Any]:
    return (json.loads(stored.payload) for stored in world.stream(stream, after))


def _by_household(work: Work) -> dict[str, list[Acknowledged]]:
    found: dict[str, list[Acknowledged]] = defaultdict(list)
    for each in work.truth:
        found[each.household].append(each)
    return found


def _once(found: Iterable[Hashable], expected: Iterable[Hashable], of: str) -> Findings:
    has, wants = Counter(found), Counter(expected)
    for each, number in (wants - has).items():
        yield Finding("lost", f"{of}: {each} is missing {number} times")
    for each, number in (has - wants).items():
        yield Finding("doubled", f"{of}: {each} is there {number} times more than acknowledged")


def _risen(numbers: Sequence[int], of: str) -> Findings:
    for before, after in pairwise(numbers):
        if after <= before:
            yield Finding("reordered", f"{of}: {after} follows {before}")


def _counted(numbers: Sequence[int], start: int, of: str) -> Findings:
    if list(numbers) != list(range(start, start + len(numbers))):
        yield Finding("reordered", f"{of}: revisions {numbers}")
