"""What the pages offer: an act that is at hand is taken, one that must wait says for what, and none is left out."""

from datetime import date

import pytest
from tests.households.village import ALL_SIGN, ANNUAL, POOR, Village, asked, posted, recognised, surveyed

from households.domain.ages import Birth
from households.domain.b2_form import forms_b2
from households.domain.cycle.coming import CONCERNS, Coming, coming
from households.domain.form_b_asked import asked_of, trained_at_work_counts
from households.domain.procedure_terms import Action

FORM = forms_b2()["STD_2022_2025"]
ON = date(2024, 10, 1)


def at_hand(village: Village) -> dict[Action, Coming]:
    return {each.action: each for each in coming(village.cycle, village.today, village.calendar)}


def ready(village: Village) -> set[Action]:
    return {action for action, each in at_hand(village).items() if each.waits is None}


def test_the_way_on_is_offered_at_each_step() -> None:
    begun = Village(ANNUAL, "2025-10-01")
    begun.enlist(1, POOR)

    assert {Action.LIST, Action.CLOSE_LIST} <= ready(begun)
    assert Action.CALL_MEETING in ready(surveyed())
    assert Action.COMPLAIN in ready(posted())
    assert {Action.ISSUE_CERTIFICATE, Action.REPORT} <= ready(recognised())


def test_what_must_wait_says_for_what() -> None:
    village = Village(ANNUAL, "2025-10-01")
    village.enlist(1, POOR)
    village.close_list()
    hanging = posted()

    waiting = at_hand(village)[Action.CALL_MEETING].waits
    too_early = at_hand(hanging)[Action.END_POSTING].waits
    unanswered = at_hand(asked())[Action.RECOGNISE].waits

    assert waiting is not None and waiting.rule == "cases-behind"
    assert too_early is not None and too_early.rule == "posting-not-over"
    assert unanswered is not None and unanswered.rule == "opinion-not-received"


def test_what_was_done_already_is_not_offered_again() -> None:
    village = surveyed()
    village.call_meeting()
    assert Action.HOLD_MEETING in ready(village)
    village.meet(signed_by=ALL_SIGN)

    assert Action.HOLD_MEETING not in at_hand(village)
    assert Action.POST in ready(village)


def test_nobody_is_offered_for_whom_the_act_is_not() -> None:
    for village in (surveyed(), posted(), asked(), recognised()):
        for each in at_hand(village).values():
            allowed = CONCERNS.get(each.action)
            assert allowed is None or all(case.state in allowed for case in each.cases)


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        (date(2023, 1, 1), ("nutrition",)),
        (date(2014, 5, 6), ("study", "insurance", "nutrition")),
        (date(2006, 1, 1), ("study", "qualification", "work", "allowance", "insurance")),
        (date(1960, 1, 1), ("work", "allowance", "insurance")),
    ],
)
def test_a_person_is_asked_only_what_an_indicator_needs_at_that_age(
    born: date, expected: tuple[str, ...]
) -> None:
    assert asked_of(FORM, Birth.on(born), ON) == expected


def test_training_at_work_is_asked_of_those_whom_it_may_excuse() -> None:
    assert trained_at_work_counts(FORM, Birth.on(date(2000, 1, 1)), ON)
    assert not trained_at_work_counts(FORM, Birth.on(date(2015, 1, 1)), ON)
    assert not trained_at_work_counts(FORM, Birth.on(date(1960, 1, 1)), ON)
