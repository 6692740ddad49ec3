"""What the database itself guarantees."""

import datetime as dt
import uuid
from collections.abc import Sequence

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.testing import Engine, Transaction

Lines = Sequence[tuple[str, int]]


async def write(conn: AsyncConnection, total: int, totals: Lines, lines: Lines) -> uuid.UUID:
    allocation = uuid.uuid4()
    await conn.execute(
        sa.text(
            "insert into allocations (allocation_id, programme, area, communes, year, origin_year,"
            " decision_number, decided_on, total_dong) values (:id, 'P', '630', '{}', 2023, 2023, :number, :on, :total)"
        ),
        {"id": allocation, "number": str(allocation), "on": dt.date(2023, 1, 10), "total": total},
    )
    for kind, amount in totals:
        await conn.execute(
            sa.text("insert into allocation_totals values (:id, :kind, :amount)"),
            {"id": allocation, "kind": kind, "amount": amount},
        )
    for number, (kind, amount) in enumerate(lines, start=1):
        await add_line(conn, allocation, number, kind, amount)
    return allocation


async def add_line(conn: AsyncConnection, allocation: uuid.UUID, number: int, kind: str, amount: int) -> None:
    await conn.execute(
        sa.text("insert into allocation_lines values (:id, :line, 'DA2', :kind, :source, :amount)"),
        {"id": allocation, "line": number, "kind": kind, "source": f"S{number}", "amount": amount},
    )


async def test_an_allocation_that_adds_up_is_committed(engine: Engine) -> None:
    async with engine("funding").begin() as conn:
        await write(
            conn,
            82_801,
            [("INVESTMENT", 54_532), ("RECURRENT", 28_269)],
            [("INVESTMENT", 54_532), ("RECURRENT", 28_269)],
        )


@pytest.mark.parametrize(
    ("total", "totals", "lines"),
    [
        (82_800, [("I", 54_532), ("R", 28_269)], [("I", 54_532), ("R", 28_269)]),
        (82_801, [("I", 54_532), ("R", 28_269)], [("I", 54_531), ("R", 28_269)]),
        (82_801, [("I", 54_532), ("R", 28_269)], [("I", 54_533), ("R", 28_268)]),
        (82_801, [("I", 54_532), ("R", 28_269)], [("I", 54_532)]),
        (82_801, [], []),
    ],
)
async def test_the_database_refuses_sums_that_are_off(
    engine: Engine, total: int, totals: Lines, lines: Lines
) -> None:
    with pytest.raises(IntegrityError, match="sum to"):
        async with engine("funding").begin() as conn:
            await write(conn, total, totals, lines)


async def test_a_line_added_later_is_refused_too(engine: Engine) -> None:
    async with engine("funding").begin() as conn:
        allocation = await write(conn, 5, [("R", 5)], [("R", 5)])
    with pytest.raises(IntegrityError, match="sum to"):
        async with engine("funding").begin() as conn:
            await add_line(conn, allocation, 2, "R", 1)


async def test_a_line_of_an_undeclared_kind_is_refused(transaction: Transaction) -> None:
    conn = await transaction("funding")
    with pytest.raises(IntegrityError):
        await write(conn, 5, [("R", 5)], [("I", 5)])


@pytest.mark.parametrize("amount", [0, -1])
async def test_a_line_without_money_is_refused(transaction: Transaction, amount: int) -> None:
    conn = await transaction("funding")
    with pytest.raises(IntegrityError):
        await write(conn, 5, [("R", 5)], [("R", amount)])


@pytest.mark.parametrize("table", ["allocations", "allocation_totals", "allocation_lines"])
@pytest.mark.parametrize("change", ["delete from {}", "truncate {} cascade"])
async def test_allocations_stay_as_written(transaction: Transaction, table: str, change: str) -> None:
    conn = await transaction("funding")
    with pytest.raises(DBAPIError, match="never changed"):
        await conn.execute(sa.text(change.format(table)))


async def test_a_fact_of_the_past_is_never_rewritten(transaction: Transaction) -> None:
    conn = await transaction("funding")
    with pytest.raises(DBAPIError, match="never changed"):
        await conn.execute(sa.text("update eligibility_history set reason = 'X'"))
