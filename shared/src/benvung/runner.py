"""What a relay and a projector have in common: lives that end at the first doubt, and a state with words."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable
from typing import Any, TypeVar

import psycopg
import structlog
from prometheus_client import Counter, Gauge

from benvung import db
from benvung.bus import NOT_MADE, Absent, Bus, Doubt, NotStored, Refused
from benvung.metrics import REGISTRY

log = structlog.get_logger(__name__)

T = TypeVar("T")

RETRY_SECONDS = 0.2
RETRY_LIMIT = 2.0
STANDBY_SECONDS = 0.2
NOT_MIGRATED = (
    "a table is missing: run the command migrate",
    "cơ sở dữ liệu thiếu bảng: hãy chạy lệnh migrate",
)

MESSAGES = Counter("runner_messages", "Messages relayed or projected", ("runner",), registry=REGISTRY)
WORKING = Gauge("runner_working", "1 while this process does the work", ("runner",), registry=REGISTRY)


class Stand(Exception):
    """A person must act before this can go on; the message says what to do."""


class Runner:
    """Runs `session` again and again. Every session starts from what the database and the stream say."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = "starting"
        self.detail = ""
        self.detail_vi = ""
        self.bus: Bus | None = None
        self._failures = 0

    @property
    def ready(self) -> bool:
        """Whether it does its work, or stands by while another process does it."""
        return self.state in {"working", "standby"}

    def working(self) -> None:
        """Say that everything this runner needs is there."""
        self.state, self.detail, self.detail_vi, self._failures = "working", "", "", 0
        WORKING.labels(self.name).set(1)

    def count(self, number: int) -> None:
        """Count messages done in this process."""
        MESSAGES.labels(self.name).inc(number)

    async def session(self, stop: asyncio.Event) -> None:
        """One life; returns when `stop` is set, raises on a doubt."""
        raise NotImplementedError

    async def run(self, stop: asyncio.Event) -> None:
        """Live until `stop` is set."""
        while not stop.is_set():
            try:
                await self.session(stop)
            except Stand as stand:
                self._say("stopped", str(stand), f"cần người xử lý: {stand}")
                await pause(stop, RETRY_LIMIT)
            except (Doubt, Refused) as error:
                self._say("waiting", str(error), _why(error))
                await self._back_off(stop)
            except Exception as error:  # a defect must not end the runner in silence
                # A database's words may quote rows; its kind of error says enough to everybody.
                if isinstance(getattr(error, "orig", error), psycopg.errors.UndefinedTable):
                    self._say("waiting", *NOT_MIGRATED)
                elif db.is_transient(error) or isinstance(error, TimeoutError):
                    self._say("waiting", f"database: {type(error).__name__}", "cơ sở dữ liệu chưa trả lời")
                else:
                    self._say(
                        "failing", type(error).__name__, f"lỗi của chương trình ({type(error).__name__})"
                    )
                    log.exception("runner_failed", runner=self.name)
                await self._back_off(stop)

    async def _back_off(self, stop: asyncio.Event) -> None:
        self._failures += 1
        wait = min(RETRY_LIMIT, RETRY_SECONDS * 2 ** min(self._failures - 1, 6))
        await pause(stop, wait * random.uniform(0.5, 1.0))  # noqa: S311 -- spreads retries, no secret

    def _say(self, state: str, detail: str, detail_vi: str = "") -> None:
        if (state, detail) != (self.state, self.detail):
            log.warning("runner_state", runner=self.name, state=state, detail=detail)
        self.state, self.detail, self.detail_vi = state, detail, detail_vi or detail
        WORKING.labels(self.name).set(0)

    async def lock(self, conn: "psycopg.AsyncConnection[Any]", stop: asyncio.Event) -> bool:
        """Wait for this runner's advisory lock on the session that writes; losing the session loses it."""
        while not stop.is_set():
            cursor = await conn.execute(
                "select pg_try_advisory_lock(hashtextextended(%s, 0))", (f"benvung {self.name}",)
            )
            row = await cursor.fetchone()
            await conn.commit()
            if row and row[0]:
                return True
            self._say("standby", "another process does this work", "tiến trình khác đang làm việc này")
            await pause(stop, STANDBY_SECONDS)
        return False


def _why(error: Doubt | Refused) -> str:
    """In Vietnamese what is waited for, as far as an operator can tell one case from another."""
    if isinstance(error, Absent):
        return "NATS không trả lời, hoặc không nhận tài khoản này"
    if isinstance(error, NotStored):
        return "NATS không lưu sự kiện: hãy xem nhật ký của NATS, dọn đĩa nếu đầy rồi khởi động lại NATS"
    if isinstance(error, Refused) and error.code in NOT_MADE:
        return "dịch vụ sở hữu luồng này chưa tạo luồng và chỗ đọc"
    return f"chưa chắc chắn, đang thử lại: {error}"


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Sleep, but wake at once when asked to stop."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def to_its_end(work: Awaitable[T]) -> T:
    """Do a piece of work that a word to stop must not break off: who cancels us waits until it is done."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
