"""Imports: a file is answered as a whole when it comes, then applied in chunks by the background work.

When `receive` returns, every row of the file is stored with its answer. Applying a chunk is one
transaction that takes the next accepted rows and marks them as applied, so that a crash between two
chunks leaves nothing to repair: whoever comes next goes on with the rows that are left.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import audit
from benvung.auth import Principal
from benvung.vault import Vault
from households import store
from households.actions import form_b_files, household_files, member_files, placements
from households.actions.answers import (
    Counts,
    FileAnswers,
    Register,
    refusal_answer,
    seal_answers,
    villages_by_name,
)
from households.actions.decisions import RefusedResult, Result, decide_many, hold_review
from households.actions.given import Upload
from households.actions.refusals import SameFileTwice
from households.files import ReviewRow, RowError, read_review
from households.files.columns import FileKind, form_b_columns
from households.files.tables import read_table
from households.store.decisions import RowRef
from households.store.imports import AcceptedRow, AnsweredRow
from households.store.reviews import Review

CHUNK = 2000
ATTEMPTS = 5


async def receive(
    conn: AsyncConnection,
    principal: Principal,
    vault: Vault,
    review_id: uuid.UUID,
    upload: Upload,
    *,
    dry_run: bool,
    kind: FileKind = FileKind.RESULTS,
) -> uuid.UUID:
    """Answer every row of a file and store the answers; the accepted rows wait to be applied.

    A dry run ends here. Raises `ReviewNotFound`, `OutsideArea`, `ReviewClosed`, `SameFileTwice`, and the
    domain's `Refused` when the file as a whole cannot be read.
    """
    review = await hold_review(conn, principal, review_id)
    await placements.check_settled(conn, review.commune, review.valid_from)
    if not dry_run and (first := await store.imports.same_file(conn, review_id, upload.sha256)):
        raise SameFileTwice(first)
    answered = _results if kind is FileKind.RESULTS else _forms
    parts, counts, missing = await answered(conn, vault, review, upload.path)
    import_id = uuid.uuid4()
    values = {
        "id": import_id,
        "kind": kind,
        "review_id": review_id,
        "commune": review.commune,
        "state": "DONE" if dry_run else "ANSWERED",
        "dry_run": dry_run,
        "sha256": upload.sha256,
        "uploaded_by": principal.subject,
        "total": counts.total,
        "missing_from_file": missing,
    }
    if not await store.imports.add(conn, values):
        first = await store.imports.same_file(conn, review_id, upload.sha256)
        raise SameFileTwice(first or import_id)
    async for part in parts:
        await store.imports.stage(conn, import_id, part)
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


Answered = tuple[AsyncIterator[list[AnsweredRow]], Counts, int]
"""Answered rows piece by piece, their counts once all are there, and the households that no row means."""


async def _results(conn: AsyncConnection, vault: Vault, review: Review, path: Path) -> Answered:
    given = await asyncio.to_thread(_read, path, review)
    answers = FileAnswers(review, vault, await _register(conn, vault, review, given), given)
    answers.counts.total = len(given)
    await asyncio.to_thread(answers.prepare)

    async def parts() -> AsyncIterator[list[AnsweredRow]]:
        for start in range(0, len(given), CHUNK):
            yield await asyncio.to_thread(answers.rows, given[start : start + CHUNK])

    return parts(), answers.counts, len(answers.missing)


async def _forms(conn: AsyncConnection, vault: Vault, review: Review, path: Path) -> Answered:
    columns = form_b_columns(review.standard)
    given = await asyncio.to_thread(lambda: list(read_table(path, columns)))
    answered = await form_b_files.answered(conn, vault, review, given)
    refused = sum(row.state == "REFUSED" for row in answered)
    warnings = sum(row.state == "ACCEPTED" and row.answers is not None for row in answered)

    async def parts() -> AsyncIterator[list[AnsweredRow]]:
        for start in range(0, len(answered), CHUNK):
            yield answered[start : start + CHUNK]

    return parts(), Counts(len(answered), refused, warnings), 0


def _read(path: Path, review: Review) -> list[ReviewRow | RowError]:
    return list(read_review(path, review.standard))


async def _register(
    conn: AsyncConnection, vault: Vault, review: Review, given: Sequence[ReviewRow | RowError]
) -> Register:
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
        known=await store.households.known_in_commune(conn, vault, review.commune),
        elsewhere=await store.households.elsewhere(conn, strangers, review.commune) if strangers else {},
    )


async def apply_chunk(conn: AsyncConnection, vault: Vault, import_id: uuid.UUID) -> bool:
    """Apply the next rows of an import in this transaction; False when there is nothing to do for it.

    Rows that no longer hold, because the register changed since the file was answered, are refused.
    """
    running = await store.imports.hold(conn, import_id)
    if running is None:
        return False
    if running.review_id is None:
        apply = household_files.apply if running.kind == FileKind.HOUSEHOLDS else member_files.apply
        await apply(conn, vault, running)
        return True
    review = await store.reviews.hold(conn, running.review_id)
    if review is None:
        raise LookupError(f"review {running.review_id} of import {import_id}")
    if review.by_cycle:
        # The steps of a village begin only when no file waits; a file never goes past them all the same.
        await store.imports.fail(conn, import_id, "review-runs-by-steps")
        return True
    rows = await store.imports.next_rows(conn, import_id, CHUNK)
    taken, refused = await decide_many(conn, review, [_result(vault, import_id, row) for row in rows])
    await store.households.update_from_file(
        conn, import_id, _believed(rows, {each.row.row_no for each in taken if each.row})
    )
    await store.imports.refuse_rows(conn, import_id, [_refusal(vault, each) for each in refused])
    await store.imports.count(conn, import_id, applied=len(taken), refused=len(refused))
    await audit.record(
        conn,
        audit.Named(running.uploaded_by),
        "import.applied",
        "import",
        str(import_id),
        {"review": str(review.id), "applied": len(taken), "refused": len(refused)},
        about=audit.About("household", (each.outcome.state.household_id for each in taken)),
    )
    return True


def _result(vault: Vault, import_id: uuid.UUID, row: AcceptedRow) -> Result:
    keys = row.head_name and store.search.keys_of_name(vault, vault.open(row.head_name))
    return Result(
        household_id=row.household_id,
        members=row.members,
        scores=row.scores,
        declared_class=row.declared_class,
        village=row.village,
        row=RowRef(import_id, row.row_no, keys or None),
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
