"""Two clocks: facts come late, are corrected and annulled, and the history is as if each had come in time."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from households.domain import (
    AreaType,
    ClosureReason,
    Decision,
    HouseholdClass,
    Movement,
    Place,
    Refused,
    ReviewKind,
    SizeReason,
    Stage,
    Status,
    get_standard,
)
from households.domain.history import (
    Annulled,
    Arrived,
    Closed,
    Entry,
    Fact,
    History,
    Moved,
    Registered,
    Resized,
    SplitOff,
)

HOUSEHOLD = uuid.UUID(int=1)
HERE = Place("52", "23827", "23827.01", AreaType.RURAL)
THERE = Place("52", "23830", "23830.01", AreaType.RURAL)
STANDARD = get_standard("STD_2022_2025")
POOR, NEAR_POOR, NOT_POOR = HouseholdClass.POOR, HouseholdClass.NEAR_POOR, HouseholdClass.NOT_POOR


def day(number: int) -> dt.date:
    return dt.date(2022, 1, 1) + dt.timedelta(days=number)


def decided(
    household_class: HouseholdClass, on: dt.date, *, members: int = 4, stage: str = "OFFICIAL"
) -> Decision:
    return Decision(
        year=on.year,
        kind=ReviewKind.REGULAR,
        stage=Stage(stage),
        household_class=household_class,
        members=members,
        standard=STANDARD,
        decided_on=on,
        valid_from=on,
    )


def entry(sequence: int, on: dt.date, fact: Fact, corrects: int | None = None) -> Entry:
    return Entry(sequence, on, fact, corrects)


def decision(
    sequence: int, on: dt.date, household_class: HouseholdClass, corrects: int | None = None
) -> Entry:
    return entry(sequence, on, decided(household_class, on), corrects)


REGISTERED = entry(1, day(0), Registered(HERE, 4))


def history(*entries: Entry) -> History:
    return History(HOUSEHOLD, entries)


def test_a_late_decision_changes_what_the_next_one_meant() -> None:
    poor_in_time = history(REGISTERED, decision(2, day(400), POOR))
    taken = poor_in_time.take(decision(3, day(100), NEAR_POOR))
    late, again = taken.told
    assert (late.entry.sequence, late.again) == (3, False)
    assert late.outcomes[0].movement is Movement.NEW_NEAR_POOR
    assert (again.entry.sequence, again.again) == (2, True)
    assert again.outcomes[0].movement is Movement.NEAR_POOR_TO_POOR
    assert taken.state.poverty_class is POOR
    assert taken.state.class_since == day(400)


def test_a_late_decision_that_changes_nothing_later_is_told_alone() -> None:
    before = history(REGISTERED, decision(2, day(50), POOR), decision(3, day(400), POOR))
    taken = before.take(decision(4, day(100), POOR))
    assert [each.entry.sequence for each in taken.told] == [4]
    assert taken.state.class_since == day(50)


def test_a_correction_stands_in_the_place_of_what_it_corrects() -> None:
    before = history(REGISTERED, decision(2, day(50), POOR), decision(3, day(400), NOT_POOR))
    taken = before.take(decision(4, day(50), NEAR_POOR, corrects=2))
    corrected, after = taken.told
    assert (corrected.entry.corrects, corrected.again) == (2, True)
    assert after.outcomes[0].movement is Movement.ESCAPED_NEAR_POOR
    assert not taken.state.ever_poor
    assert taken.state.left_list_from is NEAR_POOR


def test_what_was_annulled_counts_no_more() -> None:
    before = history(REGISTERED, decision(2, day(50), POOR))
    taken = before.take(entry(3, day(50), Annulled(), corrects=2))
    assert taken.told[0].outcomes == ()
    assert taken.state.poverty_class is None
    assert not taken.state.ever_poor


def test_a_correction_of_a_correction_and_of_nothing() -> None:
    twice = history(REGISTERED, decision(2, day(50), POOR), decision(3, day(50), NEAR_POOR, corrects=2))
    assert twice.take(decision(4, day(50), NOT_POOR, corrects=3)).state.poverty_class is NOT_POOR
    for wrong in (2, 9):
        with pytest.raises(Refused, match="corrected") as refused:
            twice.take(decision(4, day(50), NOT_POOR, corrects=wrong))
        assert refused.value.rule == "correction-of-nothing"


def test_both_clocks_are_asked_apart() -> None:
    told = history(REGISTERED, decision(2, day(400), POOR), decision(3, day(100), NEAR_POOR))
    assert told.at(day(0) - dt.timedelta(days=1)) is None
    on_200 = [told.at(day(200), known) for known in (1, 2, 3)]
    assert [each and each.poverty_class for each in on_200] == [None, None, NEAR_POOR]
    on_500 = told.at(day(500))
    assert on_500 is not None
    assert on_500.poverty_class is POOR


def test_nothing_is_recorded_that_later_facts_forbid() -> None:
    before = history(REGISTERED, decision(2, day(400), POOR))
    with pytest.raises(Refused) as refused:
        before.take(entry(3, day(100), Closed(ClosureReason.DEATH)))
    assert refused.value.rule == "contradicts-later-fact"
    with pytest.raises(Refused) as refused:
        before.take(entry(3, day(0) - dt.timedelta(days=1), decided(POOR, day(1))))
    assert refused.value.rule == "before-first-entry"


def test_relapse_is_told_from_a_new_case_across_moves_splits_and_returns() -> None:
    once_poor = history(
        REGISTERED,
        decision(2, day(50), POOR),
        decision(3, day(400), NOT_POOR),
        entry(4, day(410), Moved(THERE)),
    )
    assert once_poor.take(decision(5, day(500), POOR)).told[0].outcomes[0].movement is Movement.RELAPSE_POOR

    parent = once_poor.at(day(420))
    assert parent is not None
    child = History(uuid.UUID(int=2), [entry(6, day(420), SplitOff(THERE, 2, parent))])
    assert child.take(decision(7, day(500), POOR)).told[0].outcomes[0].movement is Movement.RELAPSE_POOR

    gone = History(HOUSEHOLD, [*once_poor.entries, entry(5, day(450), Closed(ClosureReason.MOVED_OUT))])
    back = gone.take(entry(6, day(480), Arrived(HERE, 3, NOT_POOR, STANDARD, None, again=True)))
    assert back.state.status is Status.ACTIVE
    assert back.state.ever_poor
    again = History(HOUSEHOLD, [*gone.entries, back.told[0].entry])
    assert again.take(decision(7, day(500), POOR)).told[0].outcomes[0].movement is Movement.RELAPSE_POOR


def test_who_is_here_cannot_come_back_and_nobody_enters_twice() -> None:
    here = history(REGISTERED)
    for fact, rule in (
        (Arrived(HERE, 3, NOT_POOR, STANDARD, None, again=True), "household-is-here"),
        (Registered(HERE, 3), "entered-twice"),
    ):
        with pytest.raises(Refused) as refused:
            here.take(entry(2, day(10), fact))
        assert refused.value.rule == rule


def test_a_household_of_other_size_is_not_another_movement() -> None:
    taken = history(REGISTERED, decision(2, day(50), POOR)).take(
        entry(3, day(60), Resized(3, SizeReason.DEATH))
    )
    assert (taken.state.members, taken.state.poverty_class) == (3, POOR)
    assert taken.told[0].outcomes[0].movement is None


facts = st.one_of(
    st.builds(
        decided,
        st.sampled_from((POOR, NEAR_POOR, NOT_POOR)),
        st.just(day(0)),
        members=st.integers(1, 9),
        stage=st.sampled_from(("OFFICIAL", "OFFICIAL", "PRELIMINARY")),
    ),
    st.sampled_from((Moved(HERE), Moved(THERE), Resized(2, SizeReason.DEATH))),
)


def accepted(days_and_facts: Sequence[tuple[int, Fact]]) -> History:
    """All that the rules accept of it, in this order of recording."""
    found = history(REGISTERED)
    for number, (on, fact) in enumerate(days_and_facts, start=2):
        dated = (
            replace(fact, decided_on=day(on), valid_from=day(on), year=day(on).year)
            if isinstance(fact, Decision)
            else fact
        )
        new = entry(number, day(on), dated)
        try:
            found.take(new)
        except Refused:
            continue
        found = history(*found.entries, new)
    return found


@given(st.lists(st.tuples(st.integers(1, 30), facts), max_size=8))
def test_the_order_of_recording_does_not_matter(days_and_facts: list[tuple[int, Fact]]) -> None:
    late = accepted(days_and_facts)
    in_time = history(
        *(replace(each, sequence=number) for number, each in enumerate(late.in_force(), start=1))
    )
    for number in range(32):
        assert late.at(day(number)) == in_time.at(day(number))
    assert list(late.outcomes().values()) == list(in_time.outcomes().values())


@given(st.lists(st.tuples(st.integers(1, 30), facts), max_size=8))
def test_each_telling_goes_on_from_the_one_before_it(days_and_facts: list[tuple[int, Fact]]) -> None:
    found = accepted(days_and_facts)
    before = None
    for outcomes in found.outcomes().values():
        for outcome in outcomes[:1]:
            assert outcome.previous_class == (before and before.poverty_class)
        before = outcomes[-1].state


@given(st.lists(st.tuples(st.integers(1, 30), facts), max_size=6), st.integers(1, 30), facts)
def test_who_heard_the_old_tellings_and_the_new_ones_knows_all(
    days_and_facts: list[tuple[int, Fact]], on: int, fact: Fact
) -> None:
    found = accepted(days_and_facts)
    heard = dict(found.outcomes())
    longer = accepted([*days_and_facts, (on, fact)])
    if len(longer.entries) == len(found.entries):
        return
    taken = found.take(longer.entries[-1])
    for each in taken.told:
        heard[each.entry.sequence] = each.outcomes
    meant = {
        key: [(o.movement, o.previous_class, o.state.poverty_class) for o in v] for key, v in heard.items()
    }
    now = {
        key: [(o.movement, o.previous_class, o.state.poverty_class) for o in v]
        for key, v in longer.outcomes().items()
    }
    assert meant == now
    assert taken.state == longer.at(day(10_000))


@given(st.lists(st.tuples(st.integers(1, 30), facts), max_size=8), st.integers(1, 12), st.integers(0, 31))
def test_what_was_known_then_is_what_an_older_history_says(
    days_and_facts: list[tuple[int, Fact]], known: int, on: int
) -> None:
    found = accepted(days_and_facts)
    older = history(*(each for each in found.entries if each.sequence <= known))
    assert found.at(day(on), known) == older.at(day(on))
