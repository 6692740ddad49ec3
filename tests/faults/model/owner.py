"""The register as far as its readers see it: what it tells, and what becomes of the stream it tells it in."""

import datetime as dt
import uuid
from collections.abc import Callable, Sequence

from tests.faults.model.stand_in import Server
from tests.faults.model.streams import Kept, Stream
from tests.faults.model.truth import TOO_MANY, Event, Poison, Said, Truth, Withdrawal
from tests.reporting.histories import Register, Step

from benvung import clock
from benvung.bus.messages import stream_config
from benvung.envelope import EventData, encode
from households.events import EventsWithdrawn

STREAM, NEXT = "HOUSEHOLDS", "FUNDING"
NOON = dt.datetime(2024, 1, 24, 12, tzinfo=clock.VIETNAM)
_SPOIL: Sequence[Callable[[bytes], bytes]] = (
    lambda good: b"\xff" + good,
    lambda good: b"[" + good + b"]",
    lambda good: good.replace(b".v1", b".v9", 1),
    lambda good: good.replace(b'"/households"', b'"/training"', 1),
    lambda good: good.replace(b'"members":', b'"persons":', 1),
)
KINDS_OF_POISON = len(_SPOIL)


class Owner:
    """Tells households' histories in a stream of its own. `mark` says of a stream that it is whole."""

    def __init__(self, server: Server, mark: Callable[[str], None]) -> None:
        self.server, self._mark = server, mark
        self.truth = Truth()
        self.register = Register()
        self.sequence = 0
        self.withheld: list[Kept] = []
        for stream, reader in ((STREAM, "funding"), (NEXT, "reporting")):
            self._make(stream, reader)
            self._mark(stream)

    @property
    def stream(self) -> Stream:
        """The register's stream."""
        return self.server.streams[STREAM]

    def _make(self, stream: str, reader: str) -> None:
        """As its owner's relay makes it: declared, with a durable for reading and one for rebuilding."""
        self.server.create(stream, stream_config(stream))
        for name in (reader, f"{reader}-rebuild"):
            self.server.durable(stream, name)

    def _encode(self, data: EventData) -> tuple[str, bytes]:
        self.sequence += 1
        event_id = str(uuid.uuid5(uuid.NAMESPACE_OID, str(self.sequence)))
        return event_id, encode(data, event_id=event_id, sequence=self.sequence, time=NOON, traceparent=None)

    def _say(self, kept: Kept, said: Said) -> None:
        self.truth.hear(kept.data, said)
        self.stream.add(kept.subject, kept.data, kept.event_id)

    def tell(self, step: Step, *, late: bool) -> None:
        """Something happens to a household. What is `late` reaches the stream behind what comes after it."""
        before = len(self.register.told)
        self.register.play([step])
        for _, data in self.register.told[before:]:
            event_id, payload = self._encode(data)
            said = Event.of(event_id, self.sequence, data)
            self.truth.hear(payload, said)
            kept = Kept(0, data.subject(), payload, event_id)
            if late:
                self.withheld.append(kept)
            else:
                self._say(kept, said)

    def tell_late(self) -> None:
        """What was late arrives."""
        for kept in self.withheld:
            self._say(kept, self.truth.said[kept.data])
        self.withheld.clear()

    def again(self, number: int) -> None:
        """Somebody stores an event a second time."""
        digestible = [each for each in self.stream.in_order() if self._may_come_again(each)]
        if digestible:
            kept = digestible[number % len(digestible)]
            self._say(kept, self.truth.said[kept.data])

    def _may_come_again(self, kept: Kept) -> bool:
        said = self.truth.said[kept.data]
        return isinstance(said, Event) and said.members < TOO_MANY

    def poison(self, kind: int) -> None:
        """Somebody stores what nobody can read."""
        state = next((data for _, data in self.register.told), None)
        if state is not None:
            event_id, good = self._encode(state)
            self._say(Kept(0, state.subject(), _SPOIL[kind](good), event_id), Poison(self.sequence))

    def withdraw(self, number: int, every: int) -> None:
        """The register was restored to before some of its events and takes them back."""
        told = [
            said for each in self.stream.in_order() if isinstance(said := self.truth.said[each.data], Event)
        ]
        taken = {each.event_id for each in told[number % (len(told) or 1) :: every]} - self.truth.withdrawn
        if not taken:
            return
        data = EventsWithdrawn(
            province=None,
            commune=None,
            revision=1,
            withdrawal_id=uuid.uuid5(uuid.NAMESPACE_URL, str(self.sequence)),
            events=tuple(uuid.UUID(each) for each in sorted(taken)),
        )
        event_id, payload = self._encode(data)
        self._say(Kept(0, data.subject(), payload, event_id), Withdrawal(frozenset(taken)))

    def _own(self) -> list[Kept]:
        """What the register's journal knows to be in the stream, in order."""
        first = {each.data: each for each in reversed(self.stream.in_order())}
        own = [each for each in first.values() if not isinstance(self.truth.said[each.data], Poison)]
        return sorted(own, key=lambda each: each.seq)

    def remake(self) -> None:
        """The stream was lost, and its owner has filled another one from its journal."""
        own = self._own()
        self._make(STREAM, "funding")
        self._refill(own)
        self._mark(STREAM)

    def put_back(self, number: int) -> None:
        """The server came back with an older copy of the stream, and its owner has sent the rest again."""
        own = self._own()
        self.server.rewind(STREAM, number)
        there = {each.data for each in self.stream.in_order()}
        self._refill([kept for kept in own if kept.data not in there])

    def _refill(self, own: Sequence[Kept]) -> None:
        for kept in own:
            self._say(kept, self.truth.said[kept.data])
