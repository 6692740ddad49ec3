"""Reviews of a commune."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import db
from benvung.auth import Scope
from households.domain import AreaType, ReviewKind, Stage, Standard, get_standard
from households.domain.procedure_terms import ProcedureKind
from households.store import geography
from households.tables import decisions, reviews


@dataclass(frozen=True, slots=True)
class Review:
    """A review with the standard it declares, as the rules need it."""

    id: uuid.UUID
    province: str
    commune: str
    area_type: AreaType
    year: int
    procedure: ProcedureKind
    stage: Stage
    standard: Standard
    decided_on: dt.date
    valid_from: dt.date
    decision_number: str | None
    is_open: bool
    revision: int
    by_cycle: bool = False

    @property
    def kind(self) -> ReviewKind:
        """Of a review of poor and near-poor households; one by income decides on no class of poverty."""
        return ReviewKind(self.procedure.value)


_COLUMNS = (
    "id, province, commune, area_type, year, kind, stage, standard, decided_on, valid_from,"
    " decision_number, state, revision, by_cycle"
)


def _review(row: Sequence[Any]) -> Review:
    return Review(
        row[0],
        row[1],
        row[2],
        AreaType(row[3]),
        row[4],
        ProcedureKind(row[5]),
        Stage(row[6]),
        get_standard(row[7]),
        row[8],
        row[9],
        row[10],
        row[11] == "OPEN",
        row[12],
        row[13],
    )


async def hold(conn: AsyncConnection, review_id: uuid.UUID) -> Review | None:
    """The review, kept from being closed until this transaction ends."""
    pg = await db.driver(conn)
    cursor = await pg.execute(
        f"select {_COLUMNS} from reviews where id = %s for share", (review_id,), prepare=True
    )
    row = await cursor.fetchone()
    return None if row is None else _review(row)


async def lock(conn: AsyncConnection, review_id: uuid.UUID) -> Review | None:
    """The review, locked against every decision until this transaction ends."""
    pg = await db.driver(conn)
    cursor = await pg.execute(f"select {_COLUMNS} from reviews where id = %s for update", (review_id,))
    row = await cursor.fetchone()
    return None if row is None else _review(row)


async def add(conn: AsyncConnection, values: dict[str, Any]) -> bool:
    """Insert a review; False when the commune already has this annual one."""
    try:
        async with conn.begin_nested():
            await conn.execute(reviews.insert().values(values))
    except IntegrityError as error:
        if "uq_reviews_annual" in str(error.orig):
            return False
        raise
    return True


async def annual(
    conn: AsyncConnection, commune: str, year: int, stage: str, standard: str
) -> uuid.UUID | None:
    """The commune's annual review of that year, stage and standard."""
    query = sa.select(reviews.c.id).where(
        reviews.c.commune == commune,
        reviews.c.year == year,
        reviews.c.kind == "ANNUAL",
        reviews.c.stage == stage,
        reviews.c.standard == standard,
    )
    return (await conn.execute(query)).scalar_one_or_none()


async def close(conn: AsyncConnection, review_id: uuid.UUID, on: dt.date) -> None:
    """Mark a locked review as closed."""
    await conn.execute(
        reviews.update()
        .where(reviews.c.id == review_id)
        .values(state="CLOSED", closed_on=on, revision=reviews.c.revision + 1)
    )


async def run_by_cycle(conn: AsyncConnection, review_id: uuid.UUID) -> None:
    """Mark a locked review as one whose steps are recorded."""
    await conn.execute(reviews.update().where(reviews.c.id == review_id).values(by_cycle=True))


async def has_decisions(conn: AsyncConnection, review_id: uuid.UUID) -> bool:
    """Whether a result was decided in this review."""
    query = sa.select(sa.exists().where(decisions.c.review_id == review_id))
    return bool(await conn.scalar(query))


async def standing_decision(
    conn: AsyncConnection, review_id: uuid.UUID, household_id: uuid.UUID
) -> uuid.UUID | None:
    """The household's decision in this review that no later one corrects."""
    later = decisions.alias("later")
    query = sa.select(decisions.c.decision_id).where(
        decisions.c.review_id == review_id,
        decisions.c.household_id == household_id,
        ~sa.exists().where(later.c.corrects == decisions.c.sequence),
    )
    return (await conn.execute(query)).scalar_one_or_none()


async def totals(conn: AsyncConnection, review_id: uuid.UUID) -> dict[str, tuple[int, int]]:
    """Households and persons by class: the last result of each household in this review."""
    rows = await conn.execute(
        sa.text(
            "select class, count(*), sum(members) from (select distinct on (household_id) class, members"
            " from decisions d where review_id = :review"
            " and not exists (select from decisions c where c.corrects = d.sequence)"
            " and not exists (select from changes c where c.corrects = d.sequence)"
            " order by household_id, sequence desc) last"
            " group by class order by class"
        ),
        {"review": review_id},
    )
    return {row[0]: (row[1], int(row[2])) for row in rows}


async def find(conn: AsyncConnection, review_id: uuid.UUID, scope: Scope) -> sa.Row[Any] | None:
    """One review within the scope, as it is shown."""
    eras = await geography.every(conn)
    seen = eras.where(scope, reviews.c.commune, reviews.c.valid_from, whole=False)
    query = sa.select(reviews).where(reviews.c.id == review_id, seen)
    return (await conn.execute(query)).one_or_none()
