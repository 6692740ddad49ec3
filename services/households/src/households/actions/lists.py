"""Lists of households and of members: a file is answered as a whole when it comes, then applied in chunks."""

import asyncio
import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import audit, clock
from benvung.auth import Principal
from benvung.vault import Vault
from households import store
from households.actions import household_files, member_files
from households.actions.areas import place_on
from households.actions.given import Upload
from households.actions.refusals import SameListTwice
from households.domain import Place, Refused
from households.files.columns import FileKind, columns_of
from households.files.tables import TableRow, read_table
from households.store.imports import AnsweredRow

CHUNK = 2000


@dataclass(frozen=True, slots=True)
class ListAsked:
    """A list as it comes: of what, of which commune, from which day it holds."""

    kind: FileKind
    commune: str
    on: dt.date
    upload: Upload


async def receive(
    conn: AsyncConnection, principal: Principal, vault: Vault, asked: ListAsked, *, dry_run: bool
) -> uuid.UUID:
    """Answer every row of a list and store the answers; the accepted rows wait to be applied.

    A dry run ends here. Raises `CommuneUnknown`, `OutsideArea`, `SameListTwice`, and the domain's `Refused`
    when the file as a whole cannot be read.
    """
    place = place_on(asked.commune, "", asked.on, "commune")
    principal.scope().check(asked.commune)
    if asked.on > clock.today():
        raise Refused(
            "list-day-in-future",
            f"Ngày {asked.on:%d/%m/%Y} chưa tới; danh sách ghi việc đã có.",
            f"{asked.on.isoformat()} is still to come; a list says what is.",
            "on",
        )
    kind, sha256 = asked.kind, asked.upload.sha256
    if not dry_run and (first := await store.imports.same_list(conn, asked.commune, kind, sha256)):
        raise SameListTwice(first)
    given = await asyncio.to_thread(_read, asked)
    answered = await _answered(conn, vault, place, asked, given)
    import_id = uuid.uuid4()
    refused = sum(row.state == "REFUSED" for row in answered)
    values: dict[str, Any] = {
        "id": import_id,
        "kind": kind,
        "holds_from": asked.on,
        "commune": asked.commune,
        "state": "DONE" if dry_run else "ANSWERED",
        "dry_run": dry_run,
        "sha256": sha256,
        "uploaded_by": principal.subject,
        "total": len(given),
        "missing_from_file": 0,
    }
    if not await store.imports.add(conn, values):
        first = await store.imports.same_list(conn, asked.commune, kind, sha256)
        raise SameListTwice(first or import_id)
    for start in range(0, len(answered), CHUNK):
        await store.imports.stage(conn, import_id, answered[start : start + CHUNK])
    warnings = sum(row.state == "ACCEPTED" and row.answers is not None for row in answered)
    await store.imports.answered(conn, import_id, total=len(given), refused=refused, warnings=warnings)
    detail = {"kind": kind, "rows": len(given), "refused": refused}
    action = "list.tried" if dry_run else "list.received"
    await audit.record(conn, principal, action, "import", str(import_id), detail)
    return import_id


def _read(asked: ListAsked) -> list[TableRow]:
    return list(read_table(asked.upload.path, columns_of(asked.kind)))


async def _answered(
    conn: AsyncConnection, vault: Vault, place: Place, asked: ListAsked, given: Sequence[TableRow]
) -> list[AnsweredRow]:
    if asked.kind is FileKind.HOUSEHOLDS:
        return await household_files.answered(conn, vault, place, given)
    return await member_files.answered(conn, vault, place, given, asked.on)
