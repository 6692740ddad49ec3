"""Dead letters: what a projector could not read or digest, kept until somebody retries or discards it.

A retry hands the letter to the projector's handler again, in one transaction with the letter's new state
and under the lock of the projection's checkpoint: the live projector, a rebuild's swap and another retry
wait for it, so that its effect is there exactly once.
"""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from benvung import audit, db, logs, paging, rebuild, withdrawals
from benvung import projector as projecting
from benvung.audit import Actor
from benvung.envelope import Unreadable
from benvung.problems import Conflict, NotFound
from benvung.projector import Projector, Withdrawal

log = structlog.get_logger(__name__)

REASON_LENGTH = 2000
NOTE_LENGTH = 500
BOUND = 100
# Notes of letters that were settled without anything to do: nobody reads this kind of event any more, or
# its owner has taken the event back.
NOT_READ = "NOT_READ"
WITHDRAWN = "WITHDRAWN"
_MOMENT = sa.DateTime(timezone=True)
LETTERS = sa.table(
    "dead_letters",
    sa.column("id", sa.BigInteger),
    sa.column("projector", sa.Text),
    sa.column("stream", sa.Text),
    sa.column("stream_created", sa.Text),
    sa.column("stream_seq", sa.BigInteger),
    sa.column("subject", sa.Text),
    sa.column("payload", sa.LargeBinary),
    sa.column("reason", sa.Text),
    sa.column("buried_at", _MOMENT),
    sa.column("state", sa.Text),
    sa.column("attempts", sa.Integer),
    sa.column("settled_at", _MOMENT),
    sa.column("settled_by", sa.Text),
    sa.column("note", sa.Text),
)
_LISTED = [column for column in LETTERS.c if column.name != "payload"]


class State(StrEnum):
    """What has become of a letter."""

    WAITING = "WAITING"
    RETRIED = "RETRIED"
    DISCARDED = "DISCARDED"


class LetterUnknown(NotFound):
    """There is no dead letter with this number."""

    rule = "dead-letter-unknown"
    title_vi, title_en = (
        "Không có sự kiện bị giữ lại nào mang số này",
        "There is no dead letter with this number",
    )


class LetterSettled(Conflict):
    """Somebody has retried or discarded this letter already."""

    rule = "dead-letter-settled"
    title_vi, title_en = "Sự kiện này đã được giải quyết", "This dead letter is settled already"


class ProjectionGone(Conflict):
    """The projection this letter was meant for is not kept by this service any more."""

    rule = "projection-gone"
    title_vi, title_en = "Phần đọc sự kiện này không còn", "The projection it was meant for is no more"


@dataclass(frozen=True, slots=True)
class Listed:
    """A letter as a list shows it."""

    id: int
    projector: str
    stream: str
    stream_created: str
    stream_seq: int
    subject: str
    reason: str
    buried_at: dt.datetime
    state: State
    attempts: int
    settled_at: dt.datetime | None
    settled_by: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Letter(Listed):
    """A letter with what is in it."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one letter in a round of retries. `rule` names the refusal, if it was refused."""

    id: int
    state: State
    reason: str
    rule: str | None


async def page(
    conn: AsyncConnection, state: State | None, projector: str | None, after: str | None, limit: int
) -> tuple[list[Listed], str | None]:
    """Letters in the order they were buried, and the cursor of the next page."""
    query = sa.select(*_LISTED)
    if state is not None:
        query = query.where(LETTERS.c.state == state)
    if projector is not None:
        query = query.where(LETTERS.c.projector == projector)
    rows = (await conn.execute(paging.keyset(query, [LETTERS.c.id], after, limit))).all()
    shown, following = paging.split(rows, [LETTERS.c.id], limit)
    return [Listed(**_fields(row)) for row in shown], following


async def find(conn: AsyncConnection, letter_id: int) -> Letter:
    """One letter. Raises `LetterUnknown`."""
    row = (await conn.execute(sa.select(LETTERS).where(LETTERS.c.id == letter_id))).one_or_none()
    if row is None:
        raise LetterUnknown
    return Letter(**_fields(row))


async def retry(
    conn: AsyncConnection, projectors: Sequence[Projector], letter_id: int, actor: Actor
) -> Letter:
    """Project the letter again; what still cannot be read stays waiting, with the new reason.

    Raises `LetterUnknown`, `LetterSettled`, `ProjectionGone`.
    """
    letter = await find(conn, letter_id)
    projector = next((p for p in projectors if (p.name, p.stream) == (letter.projector, letter.stream)), None)
    if projector is None or not await _hold_projection(conn, letter):
        raise ProjectionGone(
            f"Dịch vụ không còn phần đọc {letter.projector} từ luồng {letter.stream}; chỉ có thể bỏ.",
            f"This service keeps no projection {letter.projector} of stream {letter.stream}: discard it.",
        )
    await _hold(conn, letter_id)
    try:
        note = await _project(conn, projector, letter)
        settled = await _settle(conn, letter_id, State.RETRIED, actor, note)
    except _RefusedAgain as refused:
        settled = await _keep_waiting(conn, letter_id, str(refused))
    detail = {"state": settled.state, "projector": letter.projector, "stream": letter.stream}
    await audit.record(conn, actor, "dead_letter.retried", "dead_letter", str(letter_id), detail)
    return settled


async def discard(conn: AsyncConnection, letter_id: int, reason: str, actor: Actor) -> Letter:
    """Give the letter up, for a reason that is kept with who did it and when.

    Raises `LetterUnknown`, `LetterSettled`.
    """
    letter = await find(conn, letter_id)
    await _hold(conn, letter_id)
    settled = await _settle(conn, letter_id, State.DISCARDED, actor, reason)
    detail = {"projector": letter.projector, "stream": letter.stream}
    await audit.record(conn, actor, "dead_letter.discarded", "dead_letter", str(letter_id), detail)
    return settled


async def retry_each(
    engine: AsyncEngine,
    projectors: Sequence[Projector],
    actor: Actor,
    *,
    after: str | None = None,
    limit: int = BOUND,
) -> tuple[list[Answer], str | None]:
    """Retry the letters that wait, oldest first, each in a transaction of its own.

    Returns an answer for each, and the cursor of the letters that were not reached.
    """
    async with engine.connect() as conn:
        waiting, following = await page(conn, State.WAITING, None, after, limit)
    answers = []
    for each in waiting:
        try:
            async with engine.begin() as conn:
                letter = await retry(conn, projectors, each.id, actor)
            answers.append(Answer(each.id, letter.state, letter.reason, None))
        except LetterSettled as settled:
            async with engine.connect() as conn:
                letter = await find(conn, each.id)
            answers.append(Answer(each.id, letter.state, letter.reason, settled.rule))
        except ProjectionGone as gone:
            answers.append(Answer(each.id, each.state, each.reason, gone.rule))
    return answers, following


async def _hold_projection(conn: AsyncConnection, letter: Letter) -> bool:
    """Lock the checkpoint first and the letter after it, as whoever writes the projection does."""
    held = await conn.execute(
        sa.text("select 1 from checkpoints where projector = :projector and stream = :stream for update"),
        {"projector": letter.projector, "stream": letter.stream},
    )
    return held.one_or_none() is not None


async def _hold(conn: AsyncConnection, letter_id: int) -> None:
    query = sa.select(LETTERS.c.state, LETTERS.c.settled_by).where(LETTERS.c.id == letter_id)
    row = (await conn.execute(query.with_for_update())).one()
    if row.state != State.WAITING:
        raise LetterSettled(
            f"Đã được {row.settled_by} giải quyết trước đó; không có gì thay đổi.",
            f"It was settled by {row.settled_by} before this; nothing has changed.",
        )


class _RefusedAgain(Exception):
    """The letter still cannot be read or digested; the message says why."""


async def _project(conn: AsyncConnection, projector: Projector, letter: Letter) -> str | None:
    """Run the handler inside a savepoint. Returns why there was nothing to do, where that is so."""
    try:
        event = projector.read(letter.payload)
    except Unreadable as unreadable:
        raise _RefusedAgain(str(unreadable)) from unreadable
    if event is None:
        return NOT_READ
    if event.event_id in await withdrawals.known(conn, letter.stream):
        return WITHDRAWN
    try:
        async with conn.begin_nested():
            if isinstance(event.data, Withdrawal):
                await rebuild.note_withdrawn(conn, projector, event.data.events)
            else:
                await projecting.retry(conn, projector, letter.payload)
            # What is judged at the commit is judged here, where it can still be told apart.
            await conn.execute(sa.text("set constraints all immediate"))
    except Exception as error:
        if db.is_transient(error):
            raise
        log.warning("dead_letter_refused_again", letter=letter.id, error=logs.where(error))
        raise _RefusedAgain(f"{type(error).__name__}: {error}") from error
    return None


async def _settle(
    conn: AsyncConnection, letter_id: int, state: State, actor: Actor, note: str | None
) -> Letter:
    return await _change(
        conn,
        letter_id,
        state=state,
        attempts=LETTERS.c.attempts + (1 if state is State.RETRIED else 0),
        note=note,
        settled_by=actor.subject,
        settled_at=sa.func.clock_timestamp(),
    )


async def _keep_waiting(conn: AsyncConnection, letter_id: int, reason: str) -> Letter:
    kept = reason.replace("\0", "")[:REASON_LENGTH]
    return await _change(conn, letter_id, reason=kept, attempts=LETTERS.c.attempts + 1)


async def _change(conn: AsyncConnection, letter_id: int, **values: Any) -> Letter:
    changed = sa.update(LETTERS).where(LETTERS.c.id == letter_id).values(**values).returning(*LETTERS.c)
    row = (await conn.execute(changed)).one()
    # Pages that follow the projection look again.
    await conn.execute(
        sa.text("select pg_notify('projection', :moved)"),
        {"moved": json.dumps({"stream": row.stream, "letter": row.id})},
    )
    return Letter(**_fields(row))


def _fields(row: sa.Row[Any]) -> dict[str, Any]:
    return {**row._asdict(), "state": State(row.state)}
