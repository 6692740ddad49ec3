"""Reading the audit: what happened to a thing, who looked at it, and the newest seal."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import paging
from benvung.audit import About
from benvung.audit.chain import Anchor

_audit = sa.table(
    "audit",
    sa.column("id", sa.BigInteger),
    sa.column("recorded_at", sa.DateTime(timezone=True)),
    sa.column("principal", sa.Text),
    sa.column("action", sa.Text),
    sa.column("entity", sa.Text),
    sa.column("entity_id", sa.Text),
    sa.column("request_id", sa.Text),
    sa.column("detail", pg.JSONB),
    sa.column("about", pg.ARRAY(sa.Text)),
)
_seals = sa.table("audit_seals", sa.column("number", sa.BigInteger), sa.column("audit_id", sa.BigInteger))
# Newest first: keyset pages count upwards.
_place = (-_audit.c.id).label("place")

_NEWEST = sa.text(
    "select number, encode(seal, 'hex'), sealed_at from audit_seals order by number desc limit 1"
)
_WAITING = sa.text("select count(*) from audit_pending")


async def page(
    conn: AsyncConnection, entity: str, entity_id: str, after: str | None, limit: int
) -> tuple[Sequence[sa.Row[Any]], str | None]:
    """What is recorded of one thing, newest first, and the cursor of the next page.

    Both rows of that thing and rows that touched it among others. A row has the audit's columns without
    `about`, and `seal`: its number in the chain, null for a moment. Raises `CursorUnknown`.
    """
    [named] = About(entity, [entity_id]).named()
    columns = [column for column in _audit.c if column.name != "about"]
    query = (
        sa.select(*columns, _seals.c.number.label("seal"), _place)
        .outerjoin_from(_audit, _seals, _seals.c.audit_id == _audit.c.id)
        .where(
            sa.or_(
                sa.and_(_audit.c.entity_id == entity_id, _audit.c.entity == entity),
                _audit.c.about.contains([named]),
            )
        )
    )
    rows = (await conn.execute(paging.keyset(query, [_place], after, limit))).all()
    return paging.split(rows, [_place], limit)


@dataclass(frozen=True, slots=True)
class Newest:
    """The end of the chain, and how many rows wait to be sealed."""

    anchor: Anchor | None
    sealed_at: dt.datetime | None
    waiting: int


async def newest(conn: AsyncConnection) -> Newest:
    """The newest seal."""
    found = (await conn.execute(_NEWEST)).one_or_none()
    waiting = int((await conn.execute(_WAITING)).scalar_one())
    if found is None:
        return Newest(None, None, waiting)
    return Newest(Anchor(found[0], found[1]), found[2], waiting)
