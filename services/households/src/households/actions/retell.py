"""From what a new fact means for a household's history to all the events that have to be told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from households.actions import tell
from households.domain import Decision, HouseholdState, Outcome
from households.domain.history import (
    Annulled,
    Arrived,
    Closed,
    Entry,
    Moved,
    Registered,
    Resized,
    SplitOff,
    Taken,
    Told,
)
from households.domain.terms import ClosureReason
from households.events import Annulment
from households.events import HouseholdState as PublicState
from households.store.decisions import Paper


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of facts beside their meaning, by their sequences.

    `papers` are the decisions, `elsewhere` the communes outside the register from which households came,
    `live` the sequences of the events that tell each fact now: two for a move, one for all else.
    """

    papers: Mapping[int, Paper]
    elsewhere: Mapping[int, str | None]
    live: Mapping[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Line:
    """One event that tells of one fact. `outcome` None: it annuls an earlier one."""

    entry: Entry
    leg: int
    kind: str
    outcome: Outcome | None
    event: PublicState
    replaces: int | None


def lines(taken: Taken, state: HouseholdState, known: Known) -> tuple[HouseholdState, list[Line]]:
    """The household's state after all of them, and what has to be told, in the order of telling.

    `state` is what the register held before. A fact in time is told as ever: with the state it left behind.
    If others follow it, or it is told again, each event has the state of today, and its own beside it.
    """
    first = taken.told[0]
    in_time = len(taken.told) == 1 and not first.again and first.outcomes[-1].state == taken.state
    revision = state.revision
    found: list[Line] = []
    for told in taken.told:
        entry = told.entry
        replaced = entry.corrects if told is first else entry.sequence
        live = known.live.get(replaced, ()) if replaced is not None else ()
        if isinstance(entry.fact, Annulled):
            for leg, sequence in enumerate(live):
                revision += 1
                today = replace(taken.state, revision=revision)
                annulled = tell.annulled(today, Annulment(replaces=sequence, on=entry.on))
                found.append(Line(entry, leg, "ANNULLED", None, annulled, sequence))
            continue
        for leg, outcome in enumerate(told.outcomes):
            revision += 1
            numbered = replace(outcome, state=replace(outcome.state, revision=revision))
            telling = tell.Telling(
                numbered,
                None if in_time else replace(taken.state, revision=revision),
                live[leg] if leg < len(live) else None,
            )
            kind = _kinds(entry)[leg]
            event = _event(told, leg, kind, telling, known)
            found.append(Line(entry, leg, kind, numbered, event, telling.replaces))
    return replace(taken.state, revision=revision), found


def _kinds(entry: Entry) -> tuple[str, ...]:
    fact = entry.fact
    if isinstance(fact, Decision):
        return ("CLASSIFIED",)
    if isinstance(fact, Moved):
        return ("LEFT", "ARRIVED")
    if isinstance(fact, Closed):
        return ("LEFT",) if fact.reason is ClosureReason.MOVED_OUT else ("CLOSED",)
    if isinstance(fact, Resized):
        return ("RESIZED",)
    return ("REGISTERED",) if isinstance(fact, Registered) else ("ARRIVED",)


def reasons(entry: Entry) -> Iterator[str]:
    """Why each event of a change tells it, in the words of the contracts."""
    fact = entry.fact
    if isinstance(fact, Moved):
        yield from ("REORGANISED" if fact.out_of else "MOVED",) * 2
    elif isinstance(fact, (Closed, Resized)):
        yield fact.reason.value
    elif isinstance(fact, SplitOff):
        yield "SPLIT"
    elif isinstance(fact, Arrived):
        yield "RETURNED" if fact.again else "ARRIVED"
    elif isinstance(fact, Annulled):
        yield "ANNULLED"
    else:
        yield "REGISTERED"


def _event(told: Told, leg: int, kind: str, telling: tell.Telling, known: Known) -> PublicState:
    entry = told.entry
    if isinstance(entry.fact, Registered):
        return tell.registered(telling.state)
    if isinstance(entry.fact, Decision):
        return tell.decided(telling, known.papers[entry.sequence])
    reason = list(reasons(entry))[leg]
    if isinstance(entry.fact, Moved):
        other: str | None = told.outcomes[1 - leg].state.commune
    else:
        other = known.elsewhere.get(entry.sequence)
    return tell.changed(kind, telling, reason, other)
