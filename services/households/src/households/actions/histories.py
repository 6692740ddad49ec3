"""Facts that come late or correct others: the histories of the households are read, and all is told anew.

Only here are histories read: what comes in time is decided from a household's row alone.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import outbox
from households import domain, store
from households.actions import local_standards, reorganisations
from households.actions.areas import recorded_place
from households.actions.book import Book, Link, Taking
from households.actions.retell import Line, reasons
from households.domain import (
    AreaType,
    Decision,
    HouseholdClass,
    HouseholdState,
    Outcome,
    Place,
    ReviewKind,
    SizeReason,
    Stage,
)
from households.domain.history import (
    Annulled,
    Arrived,
    Closed,
    Entry,
    Fact,
    History,
    Moved,
    Registered,
    Resized,
    SplitOff,
)
from households.domain.retention import check_not_erased
from households.domain.terms import ClosureReason
from households.store.decisions import Paper, Taken
from households.store.households import Person
from households.store.reviews import Review
from households.store.tellings import Change, Recorded, Told


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is kept of a fact beside its meaning: a decision with its review, or the papers of a change."""

    review: Review | None = None
    decision: Taken | None = None
    certificate: str | None = None
    reason: str | None = None
    enters: tuple[str | None, Person] | None = None


async def hold(conn: AsyncConnection, ids: Collection[uuid.UUID]) -> Book:
    """Lock these households with all that come from them, and read their histories."""
    while True:
        held = await store.households.hold(conn, ids)
        links = [Link(*each) for each in await store.tellings.links(conn, list(held))]
        if all(each.household_id in held for each in links if each.predecessor_id in held):
            break
        # One of them got a successor while it was waited for.
    for household in set(ids) & set(held):
        check_not_erased(erased=held[household].erased)
    recorded = await store.tellings.load(conn, list(held))
    by_household: dict[uuid.UUID, list[Recorded]] = {household: [] for household in held}
    for each in recorded:
        by_household[each.household_id].append(each)
    histories = {household: _history(household, rows) for household, rows in by_household.items()}
    return Book(
        states={
            household: replace(today, revision=held[household].revision)
            for household, history in histories.items()
            if (today := history.at(date.max)) is not None
        },
        histories=histories,
        papers={each.sequence: each.paper for each in recorded if each.paper is not None},
        elsewhere={each.sequence: each.other_commune for each in recorded},
        live=await store.tellings.live(conn, list(held)),
        links=[each for each in links if each.household_id in held and each.predecessor_id in held],
    )


_MOVES = ("MOVED", "REORGANISED")


def _history(household_id: uuid.UUID, recorded: Sequence[Recorded]) -> History:
    met_in = next((_place(each) for each in recorded if each.kind == "CLASSIFIED"), None)
    return History(household_id, list(_entries(recorded)), met_in)


def _entries(recorded: Sequence[Recorded]) -> Iterable[Entry]:
    arrivals = [each for each in recorded if each.kind == "ARRIVED" and each.reason in _MOVES]
    for each in recorded:
        if each in arrivals:
            continue
        fact: Fact
        if each.kind == "LEFT" and each.reason in _MOVES:
            to = next(to for to in arrivals if to.sequence > each.sequence)
            fact = Moved(_place(to), each.commune if each.reason == "REORGANISED" else None)
        else:
            fact = _fact(each)
        # A registration has no day in law: whatever is decided of a household comes after it.
        on = date.min if isinstance(fact, Registered) else each.on
        yield Entry(each.sequence, on, fact, each.corrects)


def _place(recorded: Recorded) -> Place:
    return recorded_place(recorded.commune, recorded.village, recorded.on)


def _fact(recorded: Recorded) -> Fact:
    if recorded.paper is not None:
        return _decision(recorded, recorded.paper)
    if recorded.kind == "REGISTERED":
        return Registered(_place(recorded), recorded.members)
    if recorded.kind == "ANNULLED":
        return Annulled()
    if recorded.kind == "RESIZED":
        return Resized(recorded.members, SizeReason(recorded.reason or ""), **(recorded.inherited or {}))
    return _entrance(recorded) if recorded.kind == "ARRIVED" else Closed(ClosureReason(recorded.reason or ""))


def _decision(recorded: Recorded, paper: Paper) -> Decision:
    return Decision(
        paper.year,
        ReviewKind(paper.kind),
        Stage(paper.stage),
        HouseholdClass(paper.decided_class),
        recorded.members,
        domain.get_standard(paper.standard),
        paper.decided_on,
        recorded.on,
        recorded.village,
    )


def _entrance(recorded: Recorded) -> Fact:
    if recorded.reason == "SPLIT":
        return SplitOff(_place(recorded), recorded.members, _heritage(recorded.inherited or {}))
    return Arrived(
        _place(recorded),
        recorded.members,
        HouseholdClass(recorded.household_class or "NOT_POOR"),
        domain.get_standard(recorded.standard or ""),
        recorded.certificate,
        again=recorded.reason == "RETURNED",
    )


def _heritage(inherited: Mapping[str, Any]) -> HouseholdState:
    past: dict[str, Any] = {name: inherited[name] for name in _PAST if name != "household_id"}
    past |= {name: inherited[name] and date.fromisoformat(inherited[name]) for name in _DAYS}
    past |= {name: inherited[name] and HouseholdClass(inherited[name]) for name in _HELD}
    return HouseholdState(
        uuid.UUID(inherited["household_id"]),
        0,
        None,
        "",
        "",
        AreaType.RURAL,
        1,
        **past,
    )


_DAYS = ("class_since", "left_list_on")
_HELD = ("poverty_class", "left_list_from")
_PAST = ("household_id", "standard", "ever_poor", "ever_near_poor", "official_annual_year", *_DAYS, *_HELD)


def _inherited(fact: Fact) -> dict[str, Any] | None:
    if isinstance(fact, SplitOff):
        return {name: getattr(fact.parent, name) for name in _PAST}
    if isinstance(fact, Resized):
        return {"ever_poor": fact.ever_poor, "ever_near_poor": fact.ever_near_poor}
    return None


async def record(
    conn: AsyncConnection, book: Book, taking: Taking, evidence: Evidence
) -> tuple[int, Outcome]:
    """Take a fact into a household's history, tell all that follows from it, and write it down.

    What it changes of the past of others that come from this household is corrected with it. Returns the
    fact's sequence, and what it was before it with the state of today. Raises the domain's `Refused`.
    """
    told = book.take(taking)
    sequences = await outbox.publish(conn, [line.event for line in told])
    fact = book.number(taking, told, sequences)
    today = book.states[taking.household_id]
    own = [line for line in told if line.entry == told[0].entry]
    await store.tellings.add(
        conn,
        [
            _telling(line, sequence, fact if line in own else line.entry.sequence, today)
            for line, sequence in zip(told, sequences, strict=True)
        ],
    )
    if evidence.decision is not None and evidence.review is not None:
        decision = _decided(evidence.decision, taking, own[0], fact, today)
        await store.decisions.write(conn, evidence.review, [decision], late=True)
        await local_standards.follow(conn, evidence.review, [decision])
    else:
        if evidence.enters is None:
            await store.households.update(conn, [today])
        else:
            await store.households.enter(conn, today, *evidence.enters)
        await store.tellings.add_changes(conn, _changes(taking, evidence, own, sequences, today))
        if isinstance(taking.fact, Annulled):
            await store.local_standards.refresh(conn, [taking.household_id])
    for following in book.followers(taking.household_id):
        await record(conn, book, following, Evidence())
    if own[-1].outcome is not None:
        lived = [(own[-1].outcome.state.commune, taking.on)]
        await reorganisations.follow_on(conn, taking.household_id, lived)
    before = own[-1].outcome or Outcome(today, None, None, None, None)
    return fact, replace(before, state=today)


def _decided(given: Taken, taking: Taking, line: Line, fact: int, today: HouseholdState) -> Taken:
    if line.outcome is None:
        raise ValueError("a decision means something")
    return replace(
        given,
        sequence=fact,
        outcome=replace(line.outcome, state=today),
        corrects=taking.corrects,
        village=line.outcome.state.village,
    )


def _changes(
    taking: Taking, evidence: Evidence, own: Sequence[Line], sequences: Sequence[int], today: HouseholdState
) -> list[Change]:
    if isinstance(taking.fact, Annulled):
        own = own[:1]
    return [
        Change(
            sequence=sequence,
            kind=line.kind,
            on=taking.on,
            state=line.outcome.state if line.outcome else today,
            outcome=line.outcome,
            reason=evidence.reason or reason,
            other_commune=_other(own, line) or taking.elsewhere,
            certificate=evidence.certificate,
            inherited=_inherited(taking.fact),
            corrects=taking.corrects,
        )
        for line, sequence, reason in zip(own, sequences, reasons(own[0].entry), strict=False)
    ]


def _other(own: Sequence[Line], line: Line) -> str | None:
    other = next((each.outcome for each in own if each is not line), None)
    return None if other is None else other.state.commune


def _telling(line: Line, sequence: int, fact: int, today: HouseholdState) -> Told:
    given = line.entry.fact
    return Told(
        sequence=sequence,
        fact=fact,
        leg=line.leg,
        kind=line.kind,
        stage=given.stage if isinstance(given, Decision) else None,
        on=line.entry.on,
        state=line.outcome.state if line.outcome else today,
        outcome=line.outcome,
        replaces=line.replaces,
    )
