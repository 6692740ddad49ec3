"""Results by income: households with an average living standard, and low-income workers. Never edited."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.auth import Scope
from households.domain.procedure_terms import ProcedureKind
from households.tables import households, members, recognitions


@dataclass(frozen=True, slots=True)
class Recognition:
    """One result: recognised, or refused in writing. `member_id` is the worker's."""

    id: uuid.UUID
    review_id: uuid.UUID
    commune: str
    village: str
    kind: ProcedureKind
    household_id: uuid.UUID
    member_id: uuid.UUID | None
    recognised: bool
    decision_number: str
    decided_on: dt.date
    sealed: bytes
    legal: str
    corrects: uuid.UUID | None


async def add(conn: AsyncConnection, found: Sequence[Recognition]) -> None:
    """Write results down."""
    names = [column.name for column in recognitions.c if column.name != "recorded_at"]
    if found:
        await conn.execute(
            recognitions.insert(), [{name: getattr(each, name) for name in names} for each in found]
        )


async def newest(conn: AsyncConnection, review_id: uuid.UUID, case_id: uuid.UUID) -> uuid.UUID | None:
    """The result of a case that no later one corrects."""
    later = recognitions.alias("later")
    query = sa.select(recognitions.c.id).where(
        recognitions.c.review_id == review_id,
        sa.func.coalesce(recognitions.c.member_id, recognitions.c.household_id) == case_id,
        ~sa.exists().where(later.c.corrects == recognitions.c.id),
    )
    return (await conn.execute(query)).scalar_one_or_none()


def query(scope: Scope, kind: ProcedureKind | None, village: str | None) -> sa.Select[Any]:
    """Who is recognised: results that stand, of households and members that are still there.

    The newest result of a household or a member counts; whom an official decision put on a list since is
    poor or near-poor and on this one no more.
    """
    later = recognitions.alias("later")
    same = sa.and_(
        later.c.kind == recognitions.c.kind,
        later.c.household_id == recognitions.c.household_id,
        later.c.member_id.is_not_distinct_from(recognitions.c.member_id),
    )
    newer = sa.or_(
        later.c.corrects == recognitions.c.id,
        sa.tuple_(later.c.decided_on, later.c.recorded_at)
        > sa.tuple_(recognitions.c.decided_on, recognitions.c.recorded_at),
    )
    found = (
        sa.select(recognitions)
        .join(households, households.c.id == recognitions.c.household_id)
        .outerjoin(members, members.c.id == recognitions.c.member_id)
        .where(
            scope.where(recognitions.c.commune),
            recognitions.c.recognised,
            households.c.status == "ACTIVE",
            sa.func.coalesce(households.c.poverty_class, "").not_in(("POOR", "NEAR_POOR")),
            members.c.left_on.is_(None),
            ~sa.exists().where(same, newer),
        )
    )
    if kind is not None:
        found = found.where(recognitions.c.kind == kind)
    return found if village is None else found.where(recognitions.c.village == village)


async def find(conn: AsyncConnection, recognition_id: uuid.UUID, scope: Scope) -> sa.Row[Any] | None:
    """One result within the scope, whether it stands or not."""
    one = sa.select(recognitions).where(
        recognitions.c.id == recognition_id, scope.where(recognitions.c.commune)
    )
    return (await conn.execute(one)).one_or_none()
