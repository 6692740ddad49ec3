"""What the register corrected is in every answer given after it, for each day, in whatever order it came."""

import datetime as dt
from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.reporting.late_histories import LateRegister, Step, late_steps
from tests.reporting.projections import disordered

from benvung.auth import Scope
from benvung.testing import Transaction, deliver
from funding import domain
from funding.consumers import PROJECTORS
from funding.domain import HouseholdStatus, PovertyClass, Standing
from funding.store.reading import fact_on
from households.domain import HouseholdState

DAYS = tuple(dt.date(2022, 1, 1) + dt.timedelta(days=100 * number) for number in range(12))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happened=late_steps, seed=st.integers(0, 2**32))
async def test_each_day_is_answered_by_what_holds_in_the_end(
    transaction: Transaction, happened: list[Step], seed: int
) -> None:
    conn = await transaction("funding")
    register = LateRegister().play(happened)
    savepoint = await conn.begin_nested()
    for batch in disordered(register.told, seed):
        await deliver(conn, PROJECTORS[0], batch)

    for household, history in register.book.histories.items():
        for on in DAYS:
            fact = await fact_on(conn, Scope(None), household, on)
            state = history.at(on)
            if fact is None:
                assert state is None or state.poverty_class is None
                continue
            assert state is not None
            assert fact.commune == state.commune
            assert opened(fact.standing, on) == opened(standing(state, on), on)
            assert fact.standing.class_since == state.class_since

    await savepoint.rollback()


def standing(state: HouseholdState, on: dt.date) -> Standing:
    """A state of the register as eligibility reads it."""
    return Standing(
        HouseholdStatus(state.status),
        PovertyClass(state.poverty_class) if state.poverty_class else None,
        state.class_since,
        state.left_list_on,
        on,
    )


def opened(of: Standing, on: dt.date) -> Sequence[str]:
    """The products that are open on a day."""
    return [answer.product.value for answer in domain.answers(of) if domain.on_day(answer, on).eligible]
