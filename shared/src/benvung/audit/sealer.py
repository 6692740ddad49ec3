"""Seals what waits: background work of every worker, done by one at a time.

The audit's rows are sealed in the order in which they are found committed, which need not be the order of
their ids: a transaction that began earlier may commit later. What is not sealed yet is in `audit_pending`,
filled by a trigger in the writing transaction and emptied in the sealer's.
"""

import asyncio
import time
from typing import Any, cast

import psycopg
import sqlalchemy.exc
import structlog
from prometheus_client import Counter, Gauge
from sqlalchemy.ext.asyncio import AsyncEngine

from benvung import db
from benvung.audit import chain
from benvung.audit.chain import Anchor, Keys, KeyUnknown
from benvung.metrics import REGISTRY
from benvung.settings import ServiceSettings

log = structlog.get_logger(__name__)

BATCH = 1000
POLL_SECONDS = 1.0
ANCHOR_SECONDS = 300.0

SEALED = Counter("audit_sealed", "Audit rows sealed by this process", registry=REGISTRY)
NEWEST = Gauge("audit_newest_seal", "Number of the newest seal this process has made", registry=REGISTRY)

# A transaction's lock: it goes with the transaction, so that no lost session can seal beside another.
_LOCK = "select pg_try_advisory_xact_lock(hashtextextended('benvung audit sealer', 0))"
_NEWEST = "select number, seal, key from audit_seals order by number desc limit 1"
# One probe per waiting row: after an import the planner would believe old statistics and read all tables.
_WAITING = f"""
select p.audit_id, s.sealed, {chain.COLUMNS}
from (select audit_id from audit_pending order by audit_id) p
cross join lateral (select * from audit where id = p.audit_id offset 0) a
cross join lateral (select exists (select from audit_seals where audit_id = p.audit_id) as sealed) s
limit {BATCH}
"""
_NOW = "select t, extract(epoch from t)::text from clock_timestamp() t"
_COPY = "copy audit_seals (number, audit_id, sealed_at, key, seal) from stdin (format binary)"
_DONE = "delete from audit_pending where audit_id = any(%s)"


class Sealer:
    """Runs beside the relays and projectors of a service."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._keys = Keys.of(settings.audit_key.get_secret_value())
        self._newest: Anchor | None = None
        self._told: Anchor | None = None
        self._told_at = 0.0
        self._trouble = ""

    async def __call__(self, engine: AsyncEngine) -> None:
        """Run for ever."""
        while True:
            if not await self._try(engine):
                self._tell()
                await asyncio.sleep(POLL_SECONDS)

    async def _try(self, engine: AsyncEngine) -> bool:
        """Seal one batch; whether there is more at once. What keeps it from sealing is logged once."""
        try:
            more = await self.round(engine) == BATCH
        except KeyUnknown as error:
            self._hindered("key", f"AUDIT_KEY does not name the chain's key {error}")
        except (psycopg.Error, sqlalchemy.exc.DBAPIError, OSError, TimeoutError) as error:
            self._hindered("database", type(error).__name__)
        else:
            self._trouble = ""
            return more
        return False

    def _hindered(self, trouble: str, detail: str) -> None:
        if trouble != self._trouble:
            log.warning("audit_not_sealed", trouble=trouble, detail=detail)
        self._trouble = trouble

    def _tell(self) -> None:
        """Put the newest seal into the log now and then: a copy of it beyond the database's reach."""
        now = time.monotonic()
        if self._newest != self._told and (self._told is None or now - self._told_at > ANCHOR_SECONDS):
            log.info("audit_anchor", anchor=str(self._newest))
            self._told, self._told_at = self._newest, now

    async def round(self, engine: AsyncEngine) -> int:
        """Seal at most `BATCH` waiting rows in one transaction; returns how many were dealt with.

        Zero also when another process is at it. Raises `KeyUnknown` when the chain has a key and we do not.
        """
        async with engine.begin() as conn:
            pg = await db.driver(conn)
            if not (await _one(pg, _LOCK))[0]:
                return 0
            waiting = await (await pg.execute(_WAITING)).fetchall()
            if waiting:
                await self._seal(pg, [tuple(row[2:]) for row in waiting if not row[1]])
                await pg.execute(_DONE, ([row[0] for row in waiting],))
        if waiting:
            SEALED.inc(len(waiting))
            NEWEST.set(self._newest.number if self._newest else 0)
        return len(waiting)

    async def _seal(self, pg: "psycopg.AsyncConnection[Any]", rows: list[chain.Row]) -> None:
        found = await (await pg.execute(_NEWEST)).fetchone()
        number, previous, before = found or (0, chain.FIRST, None)
        if before is not None and self._keys.current is None:
            raise KeyUnknown(before)
        fingerprint = self._keys.current
        key = self._keys.key(fingerprint)
        moment, sealed_at = await _one(pg, _NOW)
        async with pg.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.set_types(("int8", "int8", "timestamptz", "text", "bytea"))
            for row in rows:
                number += 1
                previous = chain.seal(previous, number, sealed_at, row, key)
                await copy.write_row((number, row[0], moment, fingerprint, previous))
        self._newest = Anchor(number, previous.hex()) if number else None


async def _one(pg: "psycopg.AsyncConnection[Any]", query: str) -> tuple[Any, ...]:
    return cast("tuple[Any, ...]", await (await pg.execute(query)).fetchone())
