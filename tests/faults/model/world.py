"""The register's stream, funding that follows it, and reporting that follows funding, with all that may go wrong.

Whatever is begun here runs until nothing is left to do before anything else begins: no outcome depends on
timing.
"""

import asyncio
import copy
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection
from tests.faults.model.client import Client
from tests.faults.model.lives import Life, Point, Watched, life
from tests.faults.model.loop import Stepped
from tests.faults.model.owner import NEXT, STREAM, Owner
from tests.faults.model.reader import PROJECTOR, REBUILDER, Reader
from tests.faults.model.rows import FUNDING_HOLDS, REPORTING_HOLDS, compared
from tests.faults.model.stand_in import Server
from tests.faults.model.streams import ACK_WAIT, Stream
from tests.faults.model.truth import Event, Poison

from benvung import rebuild
from benvung.bus import Bus
from benvung.envelope import decode
from benvung.metrics import REGISTRY
from benvung.projector import Announcements, Received
from benvung.relay import WAITING, Relay
from benvung.settings import ServiceSettings
from funding.consumers import PROJECTORS
from reporting.consumers import PROJECTORS as OF_REPORTING

BATCH = 3
[FOLLOWING] = PROJECTORS
[COUNTING] = [each for each in OF_REPORTING if each.stream == NEXT]
SOUND = {STREAM: FOLLOWING, NEXT: COUNTING}
ROUNDS = 60


class UntilQuiet(asyncio.Event):
    """The word to stop, given to a relay as soon as it has seen an empty outbox."""

    def __init__(self, stream: str) -> None:
        super().__init__()
        self._waiting = {"stream": stream}
        WAITING.labels(stream).set(1)

    def is_set(self) -> bool:
        """Whether nothing waited when the relay looked last."""
        return REGISTRY.get_sample_value("outbox_waiting", self._waiting) == 0


async def connect(settings: ServiceSettings) -> Any:
    """In place of `journal.connect`: a session that stops where its life is told to."""
    return await Watched.connect(settings.psycopg_url(), autocommit=True)


class World:
    """Everything the machine acts on. `happened` counts what came of it."""

    def __init__(self, settings: Callable[..., ServiceSettings]) -> None:
        self.loop = Stepped(self._locked)
        self.happened: Counter[str] = Counter()
        self.funding = Reader(
            self.loop,
            settings("funding", projection_batch=BATCH),
            "funding",
            replace(FOLLOWING, handle=self._handle),
        )
        self.reporting = Reader(
            self.loop, settings("reporting", projection_batch=BATCH), "reporting", COUNTING
        )
        self.readers = {STREAM: self.funding, NEXT: self.reporting}

    def begin(self) -> None:
        """Everything as on the first day."""
        for reader in self.readers.values():
            reader.stop()
            reader.tidy()
        self.server = Server(self.loop.time, self.happened)
        self.owner = Owner(self.server, lambda stream: self.loop.do(self._mark(stream)))
        self.truth = self.owner.truth

    async def _mark(self, stream: str) -> None:
        """As its owner's relay does when a stream holds all it should."""
        bus = await Bus.connect(self.funding.settings, stream.lower(), "model")
        await bus.mark_stream(stream, whole=True)
        await bus.close()

    def client(self) -> Client:
        """What the house takes for nats-py's client."""
        return Client(self.server)

    def close(self) -> None:
        """Leave nothing open."""
        for reader in self.readers.values():
            reader.stop()
            reader.close()
        self.loop.close()

    @property
    def stream(self) -> Stream:
        """The register's stream."""
        return self.owner.stream

    def _locked(self) -> int:
        """Sessions of ours that wait for a lock."""
        names = [reader.monitor.info.dbname for reader in self.readers.values()]
        query = "select count(*) from pg_stat_activity where datname = any(%s) and wait_event_type = 'Lock'"
        return int(self.funding.ask(query, names))

    async def _handle(self, conn: AsyncConnection, events: Sequence[Received]) -> Announcements:
        """Funding's handler, in a version that may have a flaw."""
        who = life()
        flawed = {each.event_id: self.truth.indigestible(each.data.members) for each in events}
        if who is not None and who.name == REBUILDER:
            self.truth.refused |= flawed
        if any(flawed.values()):
            raise ValueError("too many members")
        return await FOLLOWING.handle(conn, events)

    def recreate(self) -> None:
        """The stream was lost and made anew, while nobody was held."""
        self.release()
        self.look()
        self.owner.remake()
        self.happened["stream made anew"] += 1

    def rewind(self, number: int) -> None:
        """The stream was put back to an older copy, while nobody was held."""
        self.release()
        self.look()
        self.owner.put_back(number)
        self.loop.settle()
        self.happened["stream put back"] += 1

    def run(self, stream: str, kind: str) -> Life:
        """Whoever does this work; somebody is put to it if nobody does."""
        reader = self.readers[stream]
        return reader.working(kind) or reader.start(kind)

    def deliver(self, stream: str, kind: str, number: int, disturb: str, point: Point | None) -> None:
        """Messages arrive at a reader, which may be stopped while it works on them."""
        reader = self.readers[stream]
        worker = self.run(stream, kind)
        # A life counts its calls in it.
        worker.point = copy.copy(point)
        durable = reader.service + ("-rebuild" if kind == REBUILDER else "")
        self.server.deliver(stream, durable, number, disturb)
        self.loop.settle()

    def take_over(self, how: str) -> None:
        """Whoever is held loses its session, or only its lock, and somebody else goes on with its work."""
        for stream, reader in self.readers.items():
            held = reader.held()
            if held is not None and not held.robbed:
                reader.rob(held, "terminate" if held.name == REBUILDER else how)
                self.run(stream, held.name)
                self.loop.advance(0.3)
                self.happened[f"{held.name} taken over"] += 1

    def release(self) -> None:
        """Whoever is held goes on with what it has in its hands."""
        for reader in self.readers.values():
            for each in reader.lives:
                each.release()
        self.loop.settle()

    def kill(self, stream: str, kind: str) -> None:
        """A process ends where it is."""
        worker = self.readers[stream].working(kind)
        if worker is not None:
            worker.kill()
            self.loop.settle()

    def ask_rebuild(self, *, by: str, from_start: bool) -> None:
        """The projection is to be made anew."""

        async def ask() -> None:
            async with self.funding.engine.begin() as conn:
                await rebuild.request(conn, FOLLOWING, reason="", by=by, from_start=from_start)

        self.loop.create_task(ask())
        self.loop.settle()
        self.happened["rebuild"] += 1

    def look_for_requests(self) -> None:
        """Whoever makes projections anew has had the time to look whether it is asked to."""
        self.run(STREAM, REBUILDER)
        self.loop.advance(1.2)

    def settle_letter(self, number: int, *, discard: bool) -> None:
        """An operator retries a dead letter, or gives it up."""
        if self.funding.working("retry"):
            return
        query = "select array_agg(id order by id) from dead_letters where state = 'WAITING'"
        waiting = self.funding.ask(query)
        if waiting:
            letter = waiting[number % len(waiting)]
            (self.funding.discard if discard else self.funding.retry)(letter)

    def fix(self) -> None:
        """The flawed handler is replaced by one that takes every household."""
        if self.funding.held() is None:
            self.truth.flawed = False

    def pass_on(self, point: Point | None) -> None:
        """Funding's relay sends what waits."""
        relay = Relay(self.funding.settings, "funding", NEXT, ["reporting"])
        worker = self.funding.begin("relay", lambda _: relay.session(UntilQuiet(NEXT)), copy.copy(point))
        if worker.held:
            worker.kill()
        self.loop.settle()

    def look(self) -> None:
        """Nobody ended for a reason that is no reason, and all that is committed is right."""
        for reader in self.readers.values():
            self.happened.update(reader.ended())
        found = self.funding.ask(FUNDING_HOLDS, self.truth.announced.last)
        if found is not None:
            swaps = self.truth.swaps
            held = {kept.seq: kept.data for kept in self.stream.in_order()}
            self.truth.look(found, self.stream.created, held)
            self.happened["swap"] += self.truth.swaps != swaps
            if self.truth.at[0] == self.stream.created:
                acknowledged = self.server.durable(STREAM, "funding").acknowledged
                assert acknowledged <= self.truth.at[1], "acknowledged and not committed"

    def look_at_reporting(self) -> None:
        """Reporting holds what funding's stream says, as far as its checkpoint says it has read."""
        found = self.reporting.ask(REPORTING_HOLDS)
        last = found["checkpoint"][1] if found["checkpoint"] else 0
        read = [decode(each.data) for each in self.server.streams[NEXT].in_order() if each.seq <= last]
        newest = {}
        for each in sorted(read, key=lambda each: each.sequence):
            data = each.data
            key = (data["household_id"], data["product"])
            newest[key] = [*key, each.sequence, data["status"], data["commune"], data["revision"]]
        assert found["facts"] == sorted({each.sequence for each in read})
        assert sorted(found["states"]) == sorted(newest.values())
        assert found["letters"] == 0

    def finish(self) -> None:
        """Nothing goes wrong any more: everything arrives, and all is as if nothing ever had."""
        for reader in self.readers.values():
            for each in reader.lives:
                each.point = None
        self.release()
        self.look()
        self.truth.flawed = False
        self.owner.tell_late()
        if self.truth.at[0] == self.stream.created and self.truth.at[1] > self.stream.last:
            self.ask_rebuild(by="an officer", from_start=False)
        for number in range(ROUNDS):
            for stream in self.readers:
                self.run(stream, PROJECTOR)
            self.run(STREAM, REBUILDER)
            self.server.deliver_all()
            # What was delivered to somebody who is gone is delivered again in the end.
            self.loop.advance(ACK_WAIT if number % 10 == 9 else 0.3)
            self.pass_on(None)
            self.look()
            if self._at_rest():
                break
        else:
            raise AssertionError(f"it never comes to rest: {self.funding.ask(FUNDING_HOLDS, 0)}")
        self._settle_letters()
        self.look()
        self.look_at_reporting()
        self._compare()

    def _at_rest(self) -> bool:
        found = self.funding.ask(FUNDING_HOLDS, self.truth.announced.last)
        at = self.reporting.ask(REPORTING_HOLDS)["checkpoint"]
        streams = [self.server.streams[name] for name in (STREAM, NEXT)]
        here = [[each.created, each.last] for each in streams]
        return [found["checkpoint"], at] == here and not found["open"] and not found["waiting"]

    def _settle_letters(self) -> None:
        """A sound handler digests every event: what stays is poison."""
        waiting = "select coalesce(json_agg(json_build_array(id, md5(payload))), '[]')"
        waiting += " from dead_letters where state = 'WAITING'"
        for letter, _ in self.funding.ask(waiting):
            self.funding.retry(letter)
        left = [self.truth.digests[digest] for _, digest in self.funding.ask(waiting)]
        assert all(isinstance(each, Poison) for each in left), left

    def _compare(self) -> None:
        """The rows are those of a projection that reads the stream for the first time."""
        told = [self.truth.said[each.data] for each in self.stream.in_order()]
        valid = {each.event_id for each in told if isinstance(each, Event)} - self.truth.withdrawn
        counting = set(self.truth.counting)
        assert counting <= valid
        assert valid - counting <= self.truth.discarded
        for stream, reader in self.readers.items():
            payloads = [each.data for each in self.server.streams[stream].in_order()]
            valid_ones = [payload for payload in payloads if self._is_valid(payload, counting)]
            now, fresh = self.loop.do(compared(reader, SOUND[stream], valid_ones))
            for name, rows in now.items():
                missing = [row for row in fresh[name] if row not in rows]
                more = [row for row in rows if row not in fresh[name]]
                # What was told and did not count any more stays as a refusal, with nothing that it rests on.
                differing = [
                    row for row in missing + more if name != "eligibility" or not self._may_stay(row)
                ]
                assert differing == [], f"{name} lacks {missing}, has {more}"

    def _may_stay(self, row: dict[str, Any]) -> bool:
        return row["status"] == "NOT_ELIGIBLE" and self.truth.may_be_unsupported(str(row["household_id"]))

    def _is_valid(self, payload: bytes, valid: set[str]) -> bool:
        said = self.truth.said.get(payload)
        return said is None or (isinstance(said, Event) and said.event_id in valid)
