"""Loading the score tables of forms A and B1 from their documents: whole and right, or not at all."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import areas, audit
from benvung.auth import Principal
from benvung.problems import FieldError
from households import store
from households.actions.form_refusals import ScoreTableRefused
from households.domain import Refused, ScoreTable
from households.store.score_tables import Loaded


async def load(
    conn: AsyncConnection,
    principal: Principal,
    *,
    head: Mapping[str, Any],
    cells: Sequence[Mapping[str, Any]],
) -> uuid.UUID:
    """Load a table. It scores in the whole country, so do who loads it.

    A version that is loaded again counts from then on, so that a draft is approved and a slip is put right; what
    was scored stays as it was. Raises `OutsideArea`, `ScoreTableRefused`, and the domain's `Refused`.
    """
    principal.scope().check_area(areas.COUNTRY)
    table, faults = store.score_tables.read(head, cells)
    if table is None:
        raise ScoreTableRefused(
            [FieldError(f"body.{each.where}", each.rule, each.message_vi, each.message_en) for each in faults]
        )
    await store.score_tables.lock(conn)
    _check_alone(table, await store.score_tables.that_count(conn, table.form, table.standard))
    load_id = uuid.uuid4()
    await store.score_tables.add(conn, load_id, table, head=head, cells=cells, loaded_by=principal.subject)
    detail = {"version": table.version, "document": table.document.number}
    await audit.record(conn, principal, "score_table.loaded", "score_table", str(load_id), detail)
    return load_id


def _check_alone(table: ScoreTable, known: Sequence[Loaded]) -> None:
    """Two approved versions of one form must not score the same day."""
    for each in known:
        other = each.table
        meets = table.valid_from <= other.valid_to and other.valid_from <= table.valid_to
        if other.form_version != table.form_version and meets and other.approval and table.approval:
            raise Refused(
                "score-tables-overlap",
                f"Bảng điểm {other.version} đã có hiệu lực từ {other.valid_from:%d/%m/%Y} đến"
                f" {other.valid_to:%d/%m/%Y}.",
                f"{other.version} is in force from {other.valid_from.isoformat()} to"
                f" {other.valid_to.isoformat()}.",
                "body.valid_from",
            )
