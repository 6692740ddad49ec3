"""Forms 7.2 and 7.3 from facts in SQL, against the register's own rules over the same histories."""

import datetime as dt

from hypothesis import given
from tests.reporting.histories import COMMUNES, Register, Step, steps
from tests.reporting.projections import HOUSEHOLDS, relaxed

from benvung.testing import Transaction, deliver
from households.domain import Form as OracleForm
from households.domain import Measure as OracleMeasure
from households.domain import movement_table
from reporting import domain, store
from reporting.domain import Booked, Column, Count, Fault, Form, Identity, Measure
from reporting.forms import movement_forms


@relaxed
@given(happened=steps)
async def test_every_cell_is_what_the_register_counts(transaction: Transaction, happened: list[Step]) -> None:
    conn = await transaction("reporting")
    register = Register().play(happened)
    savepoint = await conn.begin_nested()
    await deliver(conn, HOUSEHOLDS, register.told)

    for year in (2022, 2023, 2024):
        expected = movement_table(register.facts, year)
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


@relaxed
@given(happened=steps)
async def test_states_facts_and_counts_agree(transaction: Transaction, happened: list[Step]) -> None:
    conn = await transaction("reporting")
    savepoint = await conn.begin_nested()
    await deliver(conn, HOUSEHOLDS, Register().play(happened).told)

    def nonzero(found: store.ByCommune) -> store.ByCommune:
        return {
            commune: held
            for commune, classes in found.items()
            if (held := {cls: count for cls, count in classes.items() if count != Count()})
        }

    states = await store.classes_from_states(conn, COMMUNES)
    assert nonzero(await store.classes_from_facts(conn, COMMUNES)) == states
    assert nonzero(await store.classes_from_counts(conn, COMMUNES)) == states
    assert nonzero(await store.official(conn, COMMUNES, dt.date(2100, 1, 1))) == states

    await savepoint.rollback()


FORM = Form(
    "7.2",
    "POOR",
    {},
    "",
    (
        Column(1, "START", None, "", {}),
        Column(2, "DECREASE", "ESCAPED_TO_NEAR_POOR", "", {}),
        Column(4, "DECREASE", "OTHER_DECREASE_POOR", "DECREASE", {}),
        Column(9, "END", None, "", {}),
    ),
    (Identity(2, "7.3", 5),),
)
OTHER = Form(
    "7.3",
    "NEAR_POOR",
    {},
    "",
    (
        Column(1, "START", None, "", {}),
        Column(5, "INCREASE", "ESCAPED_TO_NEAR_POOR", "", {}),
        Column(9, "END", None, "", {}),
    ),
)


def test_a_form_whose_columns_were_left_blank_is_named_with_its_area_and_difference() -> None:
    booked = Booked({"POOR": Count(10, 40)}, {"POOR": Count(7, 30)}, {"ESCAPED_TO_NEAR_POOR": Count(2, 8)})
    line = domain.filled(FORM, booked)
    other = (Count(5, 20), Count(3, 9), Count(8, 29))

    found = domain.faults([FORM, OTHER], {"7.2": {"23827": line}, "7.3": {"23827": other}})

    assert found == [
        Fault("row-does-not-close", "7.2", "23827", Measure.HOUSEHOLDS, 9, 8, 7),
        Fault("row-does-not-close", "7.2", "23827", Measure.PERSONS, 9, 32, 30),
        Fault("forms-differ", "7.2", "23827", Measure.HOUSEHOLDS, 2, 3, 2),
        Fault("forms-differ", "7.2", "23827", Measure.PERSONS, 2, 9, 8),
    ]
    assert [fault.difference for fault in found] == [-1, -2, -1, -1]
