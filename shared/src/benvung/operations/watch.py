"""The worker tells the database how its relays and projectors stand, and Prometheus what waits.

So every process of a service, and its operator, sees the same, wherever the work is done.
"""

import asyncio
from collections.abc import Mapping, Sequence

import psycopg
import sqlalchemy as sa
import structlog
from prometheus_client import Gauge
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from benvung.bus import Bus, Doubt, Refused, StreamState
from benvung.metrics import REGISTRY
from benvung.operations.situation import Situation, situation
from benvung.runner import Runner, pause
from benvung.service import Service

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 2.0
ANSWER_SECONDS = 2.0
LETTERS = Gauge(
    "dead_letters_waiting",
    "Messages that could not be read or digested and wait for a person",
    ("projector", "stream"),
    registry=REGISTRY,
)
OLDEST = Gauge(
    "outbox_oldest_seconds", "Age of the oldest event that waits to be sent", ("stream",), registry=REGISTRY
)
BEHIND = Gauge(
    "projection_behind", "Messages a projection has still to read", ("projector", "stream"), registry=REGISTRY
)
REBUILDS = Gauge("rebuilds_open", "Rebuilds asked for or under way", registry=REGISTRY)
# Who stands by, or has not begun, has nothing to say of the work.
_MUTE = frozenset({"standby", "starting"})

_TELL = sa.text("""
insert into runners (name, state, detail, detail_vi, since, told_at, stream_created, stream_last)
values (:name, :state, :detail, :detail_vi, clock_timestamp(), clock_timestamp(), :created, :last)
on conflict (name) do update set state = excluded.state, detail = excluded.detail,
  detail_vi = excluded.detail_vi,
  since = case when runners.state = excluded.state then runners.since else excluded.since end,
  told_at = excluded.told_at,
  stream_created = coalesce(excluded.stream_created, runners.stream_created),
  stream_last = case when excluded.stream_created is null then runners.stream_last else excluded.stream_last end
""")


async def keep_watch(
    service: Service, runners: Sequence[Runner], engine: AsyncEngine, stop: asyncio.Event
) -> None:
    """Look and tell every two seconds until `stop` is set; a database that is away is tried again."""
    streams = {f"relay {stream}": stream for stream in service.streams}
    streams |= {f"projector {each.name} on {each.stream}": each.stream for each in service.projectors}
    while not stop.is_set():
        try:
            await _tell(engine, runners, streams)
            async with engine.connect() as conn:
                _measure(await situation(conn, service, count=False))
        except (SQLAlchemyError, psycopg.Error, OSError) as error:
            log.warning("watch_interrupted", error=type(error).__name__)
        await pause(stop, PAUSE_SECONDS)


async def _tell(engine: AsyncEngine, runners: Sequence[Runner], streams: Mapping[str, str]) -> None:
    said = [each for each in sorted(runners, key=lambda runner: runner.name) if each.state not in _MUTE]
    if not said:
        return
    others = next((each.bus for each in runners if each.bus is not None), None)
    found = await asyncio.gather(*(_extent(each.bus or others, streams.get(each.name)) for each in said))
    rows = [
        {
            "name": runner.name,
            "state": runner.state,
            "detail": runner.detail,
            "detail_vi": runner.detail_vi,
            "created": extent.created if extent else None,
            "last": extent.last_seq if extent else None,
        }
        for runner, extent in zip(said, found, strict=True)
    ]
    async with engine.begin() as conn:
        await conn.execute(_TELL, rows)


async def _extent(bus: Bus | None, stream: str | None) -> StreamState | None:
    """How far a stream reaches; nothing if nobody can say at the moment."""
    if stream is None or bus is None:
        return None
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await bus.stream_state(stream)
    except (Doubt, Refused, TimeoutError):
        return None


def _measure(found: Situation) -> None:
    for stream in found.streams:
        OLDEST.labels(stream.stream).set(stream.oldest_seconds)
    for projection in found.projections:
        LETTERS.labels(projection.projector, projection.stream).set(projection.letters)
        if projection.behind is not None:
            BEHIND.labels(projection.projector, projection.stream).set(projection.behind)
    REBUILDS.set(len(found.rebuilds))
