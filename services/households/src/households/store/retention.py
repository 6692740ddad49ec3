"""Periods of retention as administrators loaded them, requests to erase, and what is due."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import clock
from benvung.auth import Scope
from households.domain.retention import Period, Subject
from households.store.holidays import Document
from households.tables import erasure_requests, households, imports, members, retention_periods


@dataclass(frozen=True, slots=True)
class Held:
    """What may be erased, locked: where it belongs, on which day its time began, and whether it is gone already."""

    commune: str
    ended_on: dt.date | None
    erased_on: dt.date | None
    row: sa.Row[Any]


async def load(
    conn: AsyncConnection, load_id: uuid.UUID, values: Mapping[str, Any], document: Document
) -> None:
    """Store a period with its document."""
    papers = {
        "document_number": document.number,
        "document_dated": document.dated,
        "document_issuer": document.issuer,
    }
    await conn.execute(retention_periods.insert().values(id=load_id, **values, **papers))


async def loads(conn: AsyncConnection) -> Sequence[sa.Row[Any]]:
    """Every load, the first one first."""
    return (await conn.execute(sa.select(retention_periods).order_by(retention_periods.c.sequence))).all()


async def periods(conn: AsyncConnection) -> list[Period]:
    """Every period that was ever loaded."""
    return [
        Period(
            row.sequence,
            Subject(row.subject),
            row.months,
            row.valid_from,
            str(Document(row.document_number, row.document_dated, row.document_issuer)),
        )
        for row in await loads(conn)
    ]


async def hold(
    conn: AsyncConnection,
    subject: Subject,
    *,
    household_id: uuid.UUID | None,
    member_id: uuid.UUID | None,
    import_id: uuid.UUID | None,
) -> Held | None:
    """Lock what is to be erased, the household first."""
    if subject is Subject.IMPORT:
        found = await conn.execute(sa.select(imports).where(imports.c.id == import_id).with_for_update())
        row = found.one_or_none()
        if row is None:
            return None
        done = row.finished_at and row.finished_at.astimezone(clock.VIETNAM).date()
        return Held(row.commune, done, row.erased_on, row)
    home = sa.select(households).where(households.c.id == household_id).with_for_update(key_share=True)
    household = (await conn.execute(home)).one_or_none()
    if household is None:
        return None
    if subject is Subject.HOUSEHOLD:
        ended = None if household.status == "ACTIVE" else household.last_fact_on
        return Held(household.commune, ended, household.erased_on, household)
    query = sa.select(members).where(members.c.id == member_id, members.c.household_id == household_id)
    row = (await conn.execute(query.with_for_update(key_share=True))).one_or_none()
    return None if row is None else Held(household.commune, row.left_on, row.erased_on, row)


async def add(conn: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Record a request."""
    await conn.execute(erasure_requests.insert().values(values))


async def request(
    conn: AsyncConnection, request_id: uuid.UUID, scope: Scope, *, lock: bool = False
) -> sa.Row[Any] | None:
    """One request within the scope."""
    query = sa.select(erasure_requests).where(
        erasure_requests.c.id == request_id, scope.where(erasure_requests.c.commune)
    )
    return (await conn.execute(query.with_for_update() if lock else query)).one_or_none()


async def open_request(conn: AsyncConnection, values: Mapping[str, Any]) -> uuid.UUID | None:
    """The request about the same subject that waits for an answer."""
    same = [
        erasure_requests.c[name].is_not_distinct_from(values[name])
        for name in ("subject", "household_id", "member_id", "import_id")
    ]
    query = sa.select(erasure_requests.c.id).where(erasure_requests.c.state == "ASKED", *same)
    return (await conn.execute(query)).scalar_one_or_none()


def requests_query(scope: Scope, state: str | None) -> sa.Select[Any]:
    """The requests of an area."""
    query = sa.select(erasure_requests).where(scope.where(erasure_requests.c.commune))
    return query if state is None else query.where(erasure_requests.c.state == state)


async def settle(conn: AsyncConnection, request_id: uuid.UUID, values: Mapping[str, Any]) -> None:
    """Write the answer to a request that is locked."""
    await conn.execute(erasure_requests.update().where(erasure_requests.c.id == request_id).values(values))


def due_query(subject: Subject, period: Period, day: dt.date, scope: Scope) -> sa.Select[Any]:
    """What of a subject has been kept long enough and is not erased: its ids, where, and since when."""
    months = sa.func.make_interval(0, period.months)
    none = sa.null()
    ended: sa.ColumnElement[dt.date]
    if subject is Subject.IMPORT:
        ended = sa.cast(sa.func.timezone(clock.VIETNAM.key, imports.c.finished_at), sa.Date)
        query = sa.select(
            sa.cast(none, imports.c.id.type).label("household_id"),
            sa.cast(none, imports.c.id.type).label("member_id"),
            imports.c.id.label("import_id"),
            imports.c.commune,
            ended.label("ended_on"),
            imports.c.id.label("id"),
        ).where(scope.where(imports.c.commune), imports.c.erased_on.is_(None))
    elif subject is Subject.HOUSEHOLD:
        ended = households.c.last_fact_on
        query = sa.select(
            households.c.id.label("household_id"),
            sa.cast(none, imports.c.id.type).label("member_id"),
            sa.cast(none, imports.c.id.type).label("import_id"),
            households.c.commune,
            ended.label("ended_on"),
            households.c.id.label("id"),
        ).where(
            scope.where(households.c.commune),
            households.c.status != "ACTIVE",
            households.c.erased_on.is_(None),
        )
    else:
        ended = members.c.left_on
        query = (
            sa.select(
                members.c.household_id,
                members.c.id.label("member_id"),
                sa.cast(none, imports.c.id.type).label("import_id"),
                households.c.commune,
                ended.label("ended_on"),
                members.c.id.label("id"),
            )
            .join(households, households.c.id == members.c.household_id)
            .where(scope.where(households.c.commune), members.c.erased_on.is_(None))
        )
    return query.where(ended + months <= day)
