"""Movements close per area in households and persons, whatever happened; given figures that do not are named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from households.domain import HouseholdClass, Movement, Refused
from households.domain.given_forms import GivenRow, check_given, form_columns
from households.domain.ledger import IN, OUT, Count, Flow, Step, booked, form_rows, ledger
from households.domain.movements import TOTAL, Measure

POOR, NEAR = HouseholdClass.POOR, HouseholdClass.NEAR_POOR
State = tuple[str, HouseholdClass | None, int] | None
KINDS = ("CLASSIFIED", "ARRIVED", "LEFT", "CLOSED", "RESIZED", "REGISTERED")
states = st.none() | st.tuples(
    st.sampled_from(("A", "B", "C")), st.sampled_from((POOR, NEAR, None)), st.integers(1, 9)
)
happenings = st.tuples(
    states,
    st.sampled_from(KINDS),
    st.sampled_from((None, "SPLIT", "MERGED", "MOVED", "REORGANISED", "RETURNED")),
    st.sampled_from((None, *Movement)),
)


def step(before: State, after: State, kind: str, reason: str | None, movement: Movement | None) -> Step:
    area, listed, members = before or (None, None, 0)
    place, then, size = after or ("", None, members)
    more = size - members if before else 0
    return Step(
        kind, movement, reason, area, listed, place, then, 1, members, size, max(more, 0), max(-more, 0)
    )


def stock(homes: list[State]) -> dict[tuple[str, HouseholdClass], Count]:
    found: dict[tuple[str, HouseholdClass], Count] = {}
    for home in homes:
        if home is not None and home[1] is not None:
            key = (home[0], home[1])
            found[key] = found.get(key, Count()) + Count(1, home[2])
    return found


@given(st.lists(st.tuples(states, st.lists(happenings, max_size=6)), max_size=12))
def test_whatever_happened_every_account_closes_and_the_forms_agree(
    histories: list[tuple[State, list[tuple[State, str, str | None, Movement | None]]]],
) -> None:
    steps, ends = [], []
    for first, happened in histories:
        now = first
        for after, kind, reason, movement in happened:
            steps.append(step(now, after, kind, reason, movement))
            now = after
        ends.append(now)

    accounts = ledger(stock([first for first, _ in histories]), steps, stock(ends))

    assert {each.open_by for each in accounts} == {Count()}
    rows = [GivenRow(r.form, r.area, r.measure, dict(enumerate(r.columns, 1))) for r in form_rows(accounts)]
    faults = [each for each in check_given(rows) if each.rule != "column-negative"]
    assert faults == []


def test_a_ledger_that_does_not_close_says_where_and_by_how_much() -> None:
    accounts = ledger({("A", POOR): Count(3, 12)}, [], {("A", POOR): Count(2, 9)})

    found = {(each.area, each.list): each.open_by for each in accounts}

    assert found["A", POOR] == found[TOTAL, POOR] == Count(-1, -3)
    assert found["A", NEAR] == Count()


Happened = tuple[State, State, str, str | None, Movement | None]


@pytest.mark.parametrize(
    ("happened", "flows"),
    [
        ((("A", None, 4), ("A", POOR, 4), "CLASSIFIED", None, Movement.NEW_POOR), {Flow.NEW}),
        ((("A", None, 4), ("A", POOR, 4), "CLASSIFIED", None, Movement.RELAPSE_POOR), {Flow.RELAPSE}),
        ((("A", POOR, 4), ("A", None, 4), "CLASSIFIED", None, None), {Flow.ESCAPED}),
        (
            (("A", POOR, 4), ("A", NEAR, 4), "CLASSIFIED", None, None),
            {Flow.TO_OTHER_LIST, Flow.FROM_OTHER_LIST},
        ),
        ((("A", POOR, 4), ("A", POOR, 5), "RESIZED", "BIRTH", None), {Flow.GREW}),
        ((("A", POOR, 4), ("A", POOR, 3), "RESIZED", "SPLIT", None), {Flow.SHRANK}),
        ((("A", POOR, 4), ("B", POOR, 4), "ARRIVED", "MOVED", None), {Flow.LEFT, Flow.ARRIVED}),
        (
            (("A", POOR, 4), ("B", POOR, 4), "ARRIVED", "REORGANISED", None),
            {Flow.REORGANISED_OUT, Flow.REORGANISED_IN},
        ),
        ((None, ("A", POOR, 2), "ARRIVED", "SPLIT", None), {Flow.SPLIT}),
        ((None, ("A", POOR, 2), "ARRIVED", "RETURNED", None), {Flow.RETURNED}),
        ((None, ("A", NEAR, 2), "ARRIVED", "ARRIVED", None), {Flow.ARRIVED}),
        ((("A", POOR, 1), None, "CLOSED", "DEATH", None), {Flow.CLOSED}),
        ((("A", POOR, 1), None, "CLOSED", "MERGED", None), {Flow.MERGED}),
        ((("A", POOR, 1), None, "LEFT", "MOVED_OUT", None), {Flow.LEFT}),
        ((("A", POOR, 4), ("A", POOR, 4), "CLASSIFIED", None, None), set()),
        ((("A", None, 4), ("B", None, 4), "ARRIVED", "MOVED", None), set()),
    ],
)
def test_each_thing_that_happens_has_its_flow(happened: Happened, flows: set[Flow]) -> None:
    assert {each[2] for each in booked(step(*happened))} == flows
    assert flows <= {*IN, *OUT}


def test_a_change_of_size_is_booked_on_the_list_it_happened_on() -> None:
    found = {
        (each[1], each[2]): each[3]
        for each in booked(step(("A", POOR, 4), ("A", NEAR, 6), "CLASSIFIED", None, None))
    }

    assert found == {
        (POOR, Flow.GREW): Count(0, 2),
        (POOR, Flow.TO_OTHER_LIST): Count(1, 6),
        (NEAR, Flow.FROM_OTHER_LIST): Count(1, 6),
    }


def row(form: str, area: str, *columns: int | None, measure: Measure | None = Measure.HOUSEHOLDS) -> GivenRow:
    return GivenRow(form, area, measure, dict(enumerate(columns, start=1)))


GOOD = [
    row("7.2", "23827", 10, 2, 1, 0, 1, 0, 3, 0, 11),
    row("7.3", "23827", 5, 1, 1, 0, 2, 0, 0, 0, 5),
    row("7.1", "23827", 100, 400, 11, None, 40, None, 5, None, 20, None, measure=None),
]


def test_figures_that_close_have_no_fault() -> None:
    assert check_given(GOOD, [row("7.2", "23827", *[0] * 6, 10, 0, 10)]) == []


@pytest.mark.parametrize(
    ("place", "column", "value", "found"),
    [
        (0, 9, 12, {("row-does-not-close", "7.2", 9, 11, 12, 1), ("forms-differ", "7.1", 3, 12, 11, -1)}),
        (0, 4, None, {("column-missing", "7.2", 4, None, None, None)}),
        (
            0,
            8,
            -1,
            {("column-negative", "7.2", 8, None, -1, None), ("row-does-not-close", "7.2", 9, 10, 11, 1)},
        ),
        (1, 5, 3, {("forms-differ", "7.3", 5, 2, 3, 1), ("row-does-not-close", "7.3", 9, 6, 5, -1)}),
        (1, 3, 0, {("forms-differ", "7.3", 3, 1, 0, -1), ("row-does-not-close", "7.3", 9, 6, 5, -1)}),
        (2, 7, 6, {("forms-differ", "7.1", 7, 5, 6, 1)}),
    ],
)
def test_each_fault_names_area_column_and_difference(
    place: int,
    column: int,
    value: int | None,
    found: set[tuple[str, str, int, int | None, int | None, int | None]],
) -> None:
    rows = list(GOOD)
    wrong = rows[place]
    rows[place] = GivenRow(wrong.form, wrong.area, wrong.measure, {**wrong.columns, column: value})

    faults = check_given(rows)

    assert {(f.rule, f.form, f.column, f.expected, f.given, f.difference) for f in faults} == found
    assert all("23827" in f.message_vi and "23827" in f.message_en for f in faults)


def test_a_beginning_that_is_not_last_years_end_is_named() -> None:
    [fault] = check_given(GOOD[:1], [row("7.2", "23827", 0, 0, 0, 0, 0, 0, 9, 0, 9)])

    assert (fault.rule, fault.column, fault.expected, fault.given) == (
        "start-differs-from-last-end",
        1,
        9,
        10,
    )
    assert "phải là 9, ghi 10, chênh +1" in fault.message_vi


def test_a_total_is_held_against_its_areas() -> None:
    total = row("7.2", TOTAL, 10, 2, 1, 0, 1, 0, 4, 0, 12)

    assert {(f.rule, f.column) for f in check_given([GOOD[0], total])} == {
        ("total-differs-from-areas", 7),
        ("total-differs-from-areas", 9),
    }


@pytest.mark.parametrize(
    "rows",
    [
        [row("7.9", "23827", 1)],
        [row("7.2", "23827", *[0] * 9, 1)],
        [row("7.2", "23827", 1, measure=None)],
        [GOOD[0], GOOD[0]],
    ],
)
def test_what_is_no_row_of_a_form_is_refused(rows: list[GivenRow]) -> None:
    with pytest.raises(Refused) as caught:
        check_given(rows)
    assert caught.value.rule in {"form-row-unknown", "form-row-twice"}


def test_the_columns_are_data_with_their_sources() -> None:
    assert {form for form, _ in form_columns()} == {"7.1", "7.2", "7.3"}
    assert form_columns()["7.2", 9].formula == "1-2-3-4+5+6+7+8"
    assert all(each.source and each.confidence in {"high", "medium"} for each in form_columns().values())
