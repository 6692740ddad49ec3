"""Imports: a file is answered as a whole when it comes, then applied in chunks by the background work.

When `receive` returns, every row of the file is stored with its answer. Applying a chunk is one
transaction that takes the next accepted rows and marks them as applied, so that a crash between two
chunks leaves nothing to repair: whoever comes next goes on with the rows that are left.
"""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import audit
from benvung.auth import Principal
from benvung.vault import Vault
from households import store
from households.actions import placements
from households.actions.answers import (
    FileAnswers,
    Register,
    refusal_answer,
    seal_answers,
    villages_by_name,
)
from households.actions.decisions import RefusedResult, Result, decide_many, hold_review
from households.actions.refusals import SameFileTwice
from households.files import ReviewRow, RowError, read_review
from households.store.decisions import RowRef
from households.store.imports import AcceptedRow
from households.store.reviews import Review

CHUNK = 2000
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was received: where it lies for now, and what is in it."""

    path: Path
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Uploader:
    """Who is recorded for what an import does after its request has ended."""

    subject: str


async def receive(
    conn: AsyncConnection,
    principal: Principal,
    vault: Vault,
    review_id: uuid.UUID,
    upload: Upload,
    *,
    dry_run: bool,
) -> uuid.UUID:
    """Answer every row of a file and store the answers; the accepted rows wait to be applied.

    A dry run ends here. Raises `ReviewNotFound`, `OutsideArea`, `ReviewClosed`, `SameFileTwice`, and the
    domain's `Refused` when the file as a whole cannot be read.
    """
    review = await hold_review(conn, principal, review_id)
    await placements.check_settled(conn, review.commune, review.valid_from)
    if not dry_run and (first := await store.imports.same_file(conn, review_id, upload.sha256)):
        raise SameFileTwice(first)
    given = await asyncio.to_thread(_read, upload.path, review)
    answers = FileAnswers(review, vault, await _register(conn, review, given), given)
    await asyncio.to_thread(answers.prepare)
    import_id = uuid.uuid4()
    values = {
        "id": import_id,
        "review_id": review_id,
        "commune": review.commune,
        "state": "DONE" if dry_run else "ANSWERED",
        "dry_run": dry_run,
        "sha256": upload.sha256,
        "uploaded_by": principal.subject,
        "total": len(given),
        "missing_from_file": len(answers.missing),
    }
    if not await store.imports.add(conn, values):
        first = await store.imports.same_file(conn, review_id, upload.sha256)
        raise SameFileTwice(first or import_id)
    for start in range(0, len(given), CHUNK):
        part = await asyncio.to_thread(answers.rows, given[start : start + CHUNK])
        await store.imports.stage(conn, import_id, part)
    counts = answers.counts
    await store.imports.answered(
        conn, import_id, total=counts.total, refused=counts.refused, warnings=counts.warnings
    )
    await audit.record(
        conn,
        principal,
        "import.tried" if dry_run else "import.received",
        "import",
        str(import_id),
        {"review": str(review_id), "rows": counts.total, "refused": counts.refused},
    )
    return import_id


def _read(path: Path, review: Review) -> list[ReviewRow | RowError]:
    return list(read_review(path, review.standard))


async def _register(conn: AsyncConnection, review: Review, given: Sequence[ReviewRow | RowError]) -> Register:
    villages = await store.places.villages_on(conn, review.commune, review.valid_from)
    states = await store.households.states_of_commune(conn, review.commune, review.area_type)
    strangers = [
        row.household_id
        for row in given
        if isinstance(row, ReviewRow) and row.household_id and row.household_id not in states
    ]
    return Register(
        villages=villages_by_name((village.code, village.name) for village in villages),
        states=states,
        known=await store.households.known_in_commune(conn, review.commune),
        elsewhere=await store.households.elsewhere(conn, strangers, review.commune) if strangers else {},
    )


async def apply_chunk(conn: AsyncConnection, vault: Vault, import_id: uuid.UUID) -> bool:
    """Apply the next rows of an import in this transaction; False when there is nothing to do for it.

    Rows that no longer hold, because the register changed since the file was answered, are refused.
    """
    running = await store.imports.hold(conn, import_id)
    if running is None:
        return False
    review = await store.reviews.hold(conn, running.review_id)
    rows = await store.imports.next_rows(conn, import_id, CHUNK)
    if review is None:
        raise LookupError(f"review {running.review_id} of import {import_id}")
    taken, refused = await decide_many(conn, review, [_result(import_id, row) for row in rows])
    await store.households.update_from_file(
        conn, import_id, _believed(rows, {each.row.row_no for each in taken if each.row})
    )
    await store.imports.refuse_rows(conn, import_id, [_refusal(vault, each) for each in refused])
    await store.imports.count(conn, import_id, applied=len(taken), refused=len(refused))
    await audit.record(
        conn,
        Uploader(running.uploaded_by),
        "import.applied",
        "import",
        str(import_id),
        {"review": str(review.id), "applied": len(taken), "refused": len(refused)},
        about=audit.About("household", (each.outcome.state.household_id for each in taken)),
    )
    return True


def _result(import_id: uuid.UUID, row: AcceptedRow) -> Result:
    return Result(
        household_id=row.household_id,
        members=row.members,
        scores=row.scores,
        declared_class=row.declared_class,
        village=row.village,
        row=RowRef(import_id, row.row_no),
    )


def _believed(rows: Sequence[AcceptedRow], taken: set[int]) -> list[int]:
    return [row.row_no for row in rows if row.believed and row.row_no in taken]


def _refusal(vault: Vault, refused: RefusedResult) -> tuple[int, bytes]:
    row = refused.result.row
    if row is None:
        raise LookupError("a result of a file has its row")
    return row.row_no, seal_answers(vault, [refusal_answer(refused.refused)])


async def give_up(conn: AsyncConnection, import_id: uuid.UUID, failure: str) -> None:
    """Count a failed attempt at a chunk, and end the import after `ATTEMPTS` in a row."""
    if await store.imports.note_attempt(conn, import_id) >= ATTEMPTS:
        await store.imports.fail(conn, import_id, failure)
