"""The same events in any order, any number of times, in any batches, leave the same tables."""

from hypothesis import given
from hypothesis import strategies as st
from tests.reporting.histories import Register, Step, steps
from tests.reporting.projections import HOUSEHOLDS, after, disordered, relaxed

from benvung.testing import Transaction


@relaxed
@given(happened=steps, seed=st.integers(0, 2**32))
async def test_households_in_any_order(transaction: Transaction, happened: list[Step], seed: int) -> None:
    conn = await transaction("reporting")
    told = Register().play(happened).told

    in_order = await after(conn, HOUSEHOLDS, iter([told]))

    assert await after(conn, HOUSEHOLDS, ([one] for one in told)) == in_order
    assert await after(conn, HOUSEHOLDS, disordered(told, seed)) == in_order
