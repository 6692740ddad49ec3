"""The small model: what has been said, which of it counts by now, and what funding must hold and have told.

Nothing here reads bytes or asks production code, but for the law itself: which answers follow from a standing.
"""

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benvung.envelope import EventData, decode
from funding import domain
from households import events

Key = tuple[str, str]
Place = tuple[str, int]
# Households of this size and above are too much for the flawed version of the handler.
TOO_MANY = 8


@dataclass(frozen=True, slots=True)
class Event:
    """What the register said of a household: all that matters to funding."""

    event_id: str
    sequence: int
    household: str
    commune: str
    members: int
    standing: domain.Standing
    official: bool

    @classmethod
    def of(cls, event_id: str, sequence: int, data: EventData) -> "Event":
        """An event of the register's, as its producer made it."""
        assert isinstance(data, events.HouseholdState)
        assert data.commune is not None
        day, official = dt.date.min, False
        if isinstance(data, events.HouseholdClassified):
            day, official = data.decision.valid_from, data.decision.stage == "OFFICIAL"
        elif isinstance(data, (events.HouseholdArrived, events.HouseholdLeft, events.HouseholdClosed)):
            day, official = data.change.on, True
        standing = domain.Standing(
            domain.HouseholdStatus(data.status),
            domain.PovertyClass(data.poverty_class) if data.poverty_class else None,
            data.class_since,
            data.left_list_on,
            max(day, data.class_since or day),
        )
        household = str(data.household_id)
        return cls(event_id, sequence, household, data.commune, data.members, standing, official)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The register takes events back."""

    events: frozenset[str]


@dataclass(frozen=True, slots=True)
class Poison:
    """What nobody can read."""

    number: int


Said = Event | Withdrawal | Poison


@dataclass(frozen=True, slots=True)
class Expected:
    """What funding holds when just these events count."""

    states: dict[str, tuple[Any, ...]]
    answers: dict[Key, tuple[Any, ...]]
    history: set[tuple[str, int]]


def expected(counting: Iterable[Event]) -> Expected:
    """The newest state of each household decides; an answer is kept once any event opened its product."""
    newest: dict[str, Event] = {}
    opened: dict[str, set[str]] = defaultdict(set)
    history = set()
    for event in sorted(counting, key=lambda each: each.sequence):
        newest[event.household] = event
        opened[event.household] |= {
            answer.product for answer in domain.answers(event.standing) if answer.eligible
        }
        if event.official:
            history.add((event.household, event.sequence))
    states = {name: (each.sequence, each.commune, each.members) for name, each in newest.items()}
    answers = {
        (name, answer.product.value): _row(answer, each.commune)
        for name, each in newest.items()
        for answer in domain.answers(each.standing)
        if answer.product in opened[name]
    }
    return Expected(states, answers, history)


def _row(answer: domain.Answer, commune: str) -> tuple[Any, ...]:
    end = answer.valid_to.isoformat() if answer.valid_to else None
    return (answer.status.value, answer.valid_from.isoformat(), end, commune, answer.reason.value)


@dataclass
class Announced:
    """What funding has told the world, in the order of the events' sequences."""

    last: int = 0
    ids: set[str] = field(default_factory=set)
    by_answer: dict[Key, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def take(self, told: Iterable[tuple[int, str]]) -> None:
        """What is new goes on from what was told before, and nothing is told twice."""
        for number, payload in told:
            envelope = decode(payload.encode())
            data = envelope.data
            assert number == envelope.sequence, f"{number} says {envelope.sequence} of itself"
            assert envelope.id not in self.ids, f"{envelope.id} is announced twice"
            before = self.by_answer[data["household_id"], data["product"]]
            assert data["revision"] == len(before) + 1, f"revision {data['revision']} after {len(before)}"
            same("previous answer", _replaced(data["previous"]), _replaced(before[-1] if before else None))
            before.append(data)
            self.ids.add(envelope.id)
            self.last = number

    def holds(self, answers: Iterable[list[Any]]) -> None:
        """Whoever heard it all knows who may ask, and from when to when."""
        for household, product, status, start, end, commune, _, revision in answers:
            heard = self.by_answer.get((household, product), [])
            assert revision == len(heard), f"revision {revision}, told {len(heard)} times"
            if status == "ELIGIBLE":
                now = {"status": status, "commune": commune, "valid_from": start, "valid_to": end}
                assert window(heard[-1]) == now, "the world believes something else"
            elif heard:
                assert heard[-1]["status"] == status, "the world believes that the household may ask"


def window(told: Mapping[str, Any]) -> dict[str, Any]:
    """Who may ask, where, and from when to when."""
    return {name: told[name] for name in ("status", "commune", "valid_from", "valid_to")}


def _replaced(told: Mapping[str, Any] | None) -> dict[str, Any]:
    """What an announcement repeats of the one before; a refusal is not told again when only its date changes."""
    if told is None:
        return {}
    return window(told) if told["status"] == "ELIGIBLE" else {"status": told["status"]}


@dataclass
class Truth:
    """All that was said and what was seen of funding at the last look."""

    said: dict[bytes, Said] = field(default_factory=dict)
    digests: dict[str, Said] = field(default_factory=dict)
    streams: dict[str, Mapping[int, Said]] = field(default_factory=dict)
    counting: dict[str, Event] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    announced: Announced = field(default_factory=Announced)
    flawed: bool = False
    # By event: whether the rebuild that met it last could not digest it.
    refused: dict[str, bool] = field(default_factory=dict)
    # Households of which a rebuild could not digest something that the live projection may have digested.
    shaken: set[str] = field(default_factory=set)
    buried: set[str] = field(default_factory=set)
    discarded: set[str] = field(default_factory=set)
    poison: set[Poison] = field(default_factory=set)
    unsure: bool = False
    at: Place = ("", 0)
    swaps: int = 0

    def hear(self, payload: bytes, said: Said) -> None:
        """Something is said, for the first time or again."""
        self.said[payload] = said
        self.digests[hashlib.md5(payload, usedforsecurity=False).hexdigest()] = said

    def indigestible(self, members: int) -> bool:
        """Whether the handler, as it is now, refuses a household of this size."""
        return self.flawed and members >= TOO_MANY

    def look(self, found: dict[str, Any], created: str, stream: Mapping[int, bytes]) -> None:
        """Compare what is committed with the truth. `stream` is what the stream holds, `created` its birth."""
        self.streams[created] = {seq: self.said[payload] for seq, payload in stream.items()}
        self._follow(found)
        self._withdrawals(found)
        if not self.unsure:
            self._rows(found)
        self.announced.take(found["told"])
        self.announced.holds(found["answers"])
        self._letters(found["letters"])

    def _follow(self, found: dict[str, Any]) -> None:
        """Which events count, by what the checkpoint says."""
        at = tuple(found["checkpoint"] or ("", 0))
        if found["swaps"] != self.swaps:
            read = [said for seq, said in self.streams[at[0]].items() if seq <= at[1]]
            self.withdrawn |= {each for said in read if isinstance(said, Withdrawal) for each in said.events}
            self.poison |= {said for said in read if isinstance(said, Poison)}
            self.unsure = False
            self.shaken |= {
                each.household for each in read if isinstance(each, Event) and self.refused.get(each.event_id)
            }
            self.counting = {
                each.event_id: each for each in read if isinstance(each, Event) and self._is_in(each)
            }
        else:
            # A batch from a stream that has gone since may still be committed.
            for seq in range((self.at[1] if self.at[0] == at[0] else 0) + 1, at[1] + 1):
                self._count(self.streams[at[0]][seq])
        self.at, self.swaps = at, found["swaps"]
        for _, _, _, state, note, digest in found["letters"]:
            said = self.digests[digest]
            if isinstance(said, Event) and state == "DISCARDED":
                self.discarded.add(said.event_id)
            elif isinstance(said, Event) and state == "RETRIED" and note is None:
                self._retried(said)

    def _is_in(self, event: Event) -> bool:
        return event.event_id not in self.withdrawn and not self.refused.get(event.event_id)

    def _count(self, said: Said) -> None:
        if isinstance(said, Poison):
            self.poison.add(said)
        elif isinstance(said, Withdrawal):
            self.withdrawn |= said.events
        elif isinstance(said, Event) and said.event_id not in self.withdrawn:
            if self.indigestible(said.members):
                self.buried.add(said.event_id)
            else:
                self.counting[said.event_id] = said

    def _retried(self, event: Event) -> None:
        if event.event_id not in self.withdrawn:
            self.counting[event.event_id] = event

    def _rows(self, found: dict[str, Any]) -> None:
        wanted = expected(self.counting.values())
        same("states", {row[0]: tuple(row[1:]) for row in found["states"]}, wanted.states)
        same("history", {tuple(row) for row in found["history"]}, wanted.history)
        held = {(row[0], row[1]): row for row in found["answers"]}
        supported = {key: tuple(held[key][2:7]) for key in held if key in wanted.answers}
        same("answers", supported, wanted.answers)
        # An answer that nothing supports any more, because it was withdrawn or put aside, stays as a refusal.
        ever = {
            (each.household, answer.product.value)
            for each in self.said.values()
            if isinstance(each, Event)
            for answer in domain.answers(each.standing)
            if answer.eligible
        }
        for key in held.keys() - wanted.answers.keys():
            assert self.may_be_unsupported(key[0]), f"an answer out of nowhere: {held[key]}"
            assert key in ever, f"an answer out of nowhere: {held[key]}"
            assert held[key][2] == "NOT_ELIGIBLE", f"nothing supports it any more: {held[key]}"

    def may_be_unsupported(self, household: str) -> bool:
        """Whether something that was known of a household may not count any more."""
        gone = {
            each.household
            for each in self.said.values()
            if isinstance(each, Event) and each.event_id in self.withdrawn
        }
        return household in self.shaken | gone

    def _withdrawals(self, found: dict[str, Any]) -> None:
        """What was withdrawn is noted. A rebuild may read of it first; until it is done either may hold."""
        noted = set(found["withdrawn"])
        every = {each for said in self.said.values() if isinstance(said, Withdrawal) for each in said.events}
        assert self.withdrawn <= noted <= every, f"withdrawn {self.withdrawn}, noted {noted}"
        self.unsure = self.unsure or noted != self.withdrawn

    def _letters(self, letters: list[Any]) -> None:
        """Only what cannot be read or digested is put aside, each message once, and all of it."""
        places = [(born, seq, digest) for _, born, seq, _, _, digest in letters]
        assert len(set(places)) == len(places), "one message was put aside twice"
        aside = {self.digests[digest] for _, _, digest in places}
        for each in aside:
            assert not isinstance(each, Withdrawal), each
            assert not isinstance(each, Event) or each.members >= TOO_MANY, each
        events = {each.event_id for each in aside if isinstance(each, Event)}
        assert self.buried <= events, "what could not be digested is nowhere"
        assert self.poison <= aside, f"poison is nowhere: {self.poison - aside}"


def same(what: str, held: Any, wanted: Any) -> None:
    """What is held is what is wanted."""
    if held != wanted:
        items, others = (set(each.items()) if isinstance(each, dict) else each for each in (held, wanted))
        raise AssertionError(
            f"{what}: held and not wanted {items - others}, wanted and not held {others - items}"
        )
