"""Facts told late, corrected, annulled, split and merged: the counts are those of what holds in the end."""

import datetime as dt
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from tests.reporting.histories import COMMUNES
from tests.reporting.late_histories import LateRegister, Step, late_steps
from tests.reporting.projections import HOUSEHOLDS, after, disordered, relaxed

from benvung.testing import Transaction, deliver
from households.domain import Form as OracleForm
from households.domain import Measure as OracleMeasure
from households.domain import Status, movement_table
from reporting import domain, store
from reporting.domain import Count, Measure
from reporting.forms import movement_forms


@relaxed
@given(happened=late_steps, seed=st.integers(0, 2**32))
async def test_corrections_in_any_order(transaction: Transaction, happened: list[Step], seed: int) -> None:
    conn = await transaction("reporting")
    told = LateRegister().play(happened).told

    in_order = await after(conn, HOUSEHOLDS, iter([told]))

    assert await after(conn, HOUSEHOLDS, ([one] for one in told)) == in_order
    assert await after(conn, HOUSEHOLDS, disordered(told, seed)) == in_order


@relaxed
@given(happened=late_steps, seed=st.integers(0, 2**32))
async def test_counts_are_those_of_what_holds_in_the_end(
    transaction: Transaction, happened: list[Step], seed: int
) -> None:
    conn = await transaction("reporting")
    register = LateRegister().play(happened)
    savepoint = await conn.begin_nested()
    for batch in disordered(register.told, seed):
        await deliver(conn, HOUSEHOLDS, batch)

    for day in (dt.date(2022, 6, 1), dt.date(2023, 3, 1), dt.date(2100, 1, 1)):
        assert nonzero(await store.official(conn, COMMUNES, day)) == model(register, day)
    newest = model(register, dt.date(2100, 1, 1))
    assert await store.classes_from_states(conn, COMMUNES) == newest
    assert nonzero(await store.classes_from_facts(conn, COMMUNES)) == newest
    assert nonzero(await store.classes_from_counts(conn, COMMUNES)) == newest

    await savepoint.rollback()


@relaxed
@given(happened=late_steps)
async def test_forms_close_over_what_holds_in_the_end(transaction: Transaction, happened: list[Step]) -> None:
    conn = await transaction("reporting")
    register = LateRegister().play(happened)
    savepoint = await conn.begin_nested()
    await deliver(conn, HOUSEHOLDS, register.told)

    facts = register.facts()
    for year in (2022, 2023, 2024):
        expected = movement_table(facts, year)
        booked = await store.booked(conn, COMMUNES, year)
        for form in movement_forms():
            for area in expected.areas:
                if area == "TOTAL":
                    continue
                line = domain.filled(form, booked[area])
                for measure in Measure:
                    row = expected.row(OracleForm(form.code), area, OracleMeasure(measure.value))
                    assert tuple(measure.of(cell) for cell in line) == row.columns, (year, form.code, area)
        lines = {
            form.code: {area: domain.filled(form, booked[area]) for area in COMMUNES}
            for form in movement_forms()
        }
        assert domain.faults(movement_forms(), lines) == []

    await savepoint.rollback()


def model(register: LateRegister, on: dt.date) -> store.ByCommune:
    """Households and persons by commune and class, from each household's history alone."""
    households: Counter[tuple[str, str]] = Counter()
    persons: Counter[tuple[str, str]] = Counter()
    for history in register.book.histories.values():
        state = history.at(on)
        if state is not None and state.status is Status.ACTIVE and state.poverty_class is not None:
            key = state.commune, state.poverty_class.value
            households[key] += 1
            persons[key] += state.members
    found: store.ByCommune = {}
    for (commune, cls), number in households.items():
        found.setdefault(commune, {})[cls] = Count(number, persons[commune, cls])
    return found


def nonzero(found: store.ByCommune) -> store.ByCommune:
    """Counts without those of nothing."""
    return {
        commune: held
        for commune, classes in found.items()
        if (held := {cls: count for cls, count in classes.items() if count != Count()})
    }
