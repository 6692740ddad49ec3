"""The histories of some households and what comes from one to another: facts are taken late and corrected.

Nothing here reads or writes: `histories.py` loads a book, tells what it says and writes it down. A fact gets
its sequence when it is told; until then it has a number behind all others of its household.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from households.actions.retell import Known, Line, lines
from households.domain import HouseholdState, Refused
from households.domain.history import Entry, Fact, History, Resized, SplitOff, before_first_entry
from households.domain.lineage import heritage
from households.store.decisions import Paper


@dataclass(frozen=True, slots=True)
class Link:
    """One household comes from another: by which of its facts, and by which fact of the other."""

    household_id: uuid.UUID
    predecessor_id: uuid.UUID
    kind: str
    fact: int
    predecessor_fact: int


@dataclass(frozen=True, slots=True)
class Taking:
    """A fact to be taken into a household's history."""

    household_id: uuid.UUID
    on: date
    fact: Fact
    corrects: int | None = None
    paper: Paper | None = None
    elsewhere: str | None = None


@dataclass(slots=True)
class Book:
    """What is held of some locked households, moved fact by fact."""

    states: dict[uuid.UUID, HouseholdState] = field(default_factory=dict)
    histories: dict[uuid.UUID, History] = field(default_factory=dict)
    papers: dict[int, Paper] = field(default_factory=dict)
    elsewhere: dict[int, str | None] = field(default_factory=dict)
    live: dict[int, tuple[int, ...]] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)

    def on(self, household_id: uuid.UUID, day: date) -> HouseholdState:
        """The household on a day. Raises `Refused` when it was not in the register yet."""
        then = self.histories[household_id].at(day)
        if then is None:
            raise before_first_entry(day)
        return then

    def take(self, taking: Taking) -> list[Line]:
        """Take a fact; returns what has to be told of it, the fact itself first.

        Raises as `History.take`. `number` has to follow before the household is taken up again.
        """
        household = taking.household_id
        history = self.histories.get(household) or History(household, [])
        last = max((each.sequence for each in history.entries), default=0)
        entry = Entry(last + 1, taking.on, taking.fact, taking.corrects)
        taken = history.take(entry)
        papers, elsewhere = self.papers, self.elsewhere
        if taking.paper is not None:
            papers = {**papers, entry.sequence: taking.paper}
        known = Known(papers, {**elsewhere, entry.sequence: taking.elsewhere}, self.live)
        before = self.states.get(household) or replace(taken.state, revision=0)
        self.states[household], found = lines(taken, before, known)
        self.histories[household] = History(household, [*history.entries, entry], history.met_in)
        return found

    def number(self, taking: Taking, told: Sequence[Line], sequences: Sequence[int]) -> int:
        """Give what was told its sequences; returns that of the fact, which is the one of its first event."""
        fact, household = sequences[0], taking.household_id
        history = self.histories[household]
        given = told[0].entry
        entries = [replace(each, sequence=fact) if each == given else each for each in history.entries]
        self.histories[household] = History(household, entries, history.met_in)
        if taking.paper is not None:
            self.papers[fact] = taking.paper
        self.elsewhere[fact] = taking.elsewhere
        if taking.corrects is not None:
            self.live.pop(taking.corrects, None)
        for line, sequence in zip(told, sequences, strict=True):
            if line.outcome is not None:
                key = fact if line.entry == given else line.entry.sequence
                earlier = self.live.get(key, ()) if line.leg else ()
                self.live[key] = (*earlier[: line.leg], sequence)
        return fact

    def followers(self, household_id: uuid.UUID) -> Iterator[Taking]:
        """What the successors of a household have to correct, now that its past is another."""
        for link in self.links:
            if link.predecessor_id != household_id:
                continue
            cause = self.histories[household_id].standing(link.predecessor_fact)
            effect = self.histories[link.household_id].standing(link.fact)
            if cause is None or effect is None:
                continue
            past = self.histories[household_id].before(cause.sequence)
            fact = effect.fact
            if past is not None and isinstance(fact, SplitOff):
                fact = replace(fact, parent=heritage(past))
            elif past is not None and isinstance(fact, Resized):
                fact = replace(fact, ever_poor=past.ever_poor, ever_near_poor=past.ever_near_poor)
            if fact != effect.fact:
                yield Taking(
                    link.household_id,
                    effect.on,
                    fact,
                    effect.sequence,
                    elsewhere=self.elsewhere.get(effect.sequence),
                )

    def check_annulled_alone(self, household_id: uuid.UUID, sequence: int) -> None:
        """Refuse to annul what another household's being rests on."""
        for link in self.links:
            if link.kind == "RETURN_OF":
                continue
            for household, fact in (
                (link.household_id, link.fact),
                (link.predecessor_id, link.predecessor_fact),
            ):
                if household != household_id:
                    continue
                standing = self.histories[household].standing(fact)
                if standing is not None and standing.sequence == sequence:
                    raise Refused(
                        "lineage-stands",
                        "Không huỷ được việc tách, nhập hộ khi hộ kia vẫn còn trong sổ;"
                        " hãy ghi việc nhập hoặc tách ngược lại.",
                        "A split or merger cannot be annulled while the other household rests on it;"
                        " record the merger or split that undoes it.",
                        None,
                        "Quyết định 24/2021/QĐ-TTg",
                    )
