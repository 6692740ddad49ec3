"""Whatever people do and in whatever order: no path skips a step, no deadline is lost, none is told twice."""

import re
from collections import Counter
from datetime import date, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.households.record import identity, owed, paths
from tests.households.village import Village, case_id, holding

from households.domain.cycle import contradictions, recognitions
from households.domain.procedure_terms import (
    Action,
    CaseState,
    Finding,
    PaperKind,
    ProcedureKind,
    Step,
)
from households.domain.terms import HouseholdClass, Refused

ANNUAL, REGULAR, AVERAGE, WORKER = ProcedureKind
STARTS = {
    # kind, first day, month; the second annual one is asked of the district and answered by the province
    "annual": (ANNUAL, "2025-09-29", None),
    "annual of the district": (ANNUAL, "2024-11-20", None),
    "annual over the change": (ANNUAL, "2024-09-02", None),
    "regular": (REGULAR, "2025-02-10", 2),
    "regular before holidays": (REGULAR, "2025-08-15", 8),
    "average": (AVERAGE, "2025-10-15", 10),
    "worker": (WORKER, "2026-01-15", 1),
}
FAR = date(2026, 10, 30)
"""Acts stop before the day of 2026 that is in question."""

# A case's own history in letters: see `tests/households/record.py`.
_AGREED = r"(?:SC+m)*SC+M"
# While some are checked again, who was may complain once more before the village's results hang out anew.
_POSTED = r"P(?:(?:K+X)+P)*"
PATHS = {
    ANNUAL: rf"L{_AGREED}{_POSTED}(?:A(?:r{_AGREED}|n){_POSTED})*AOR",
    REGULAR: rf"L{_AGREED}{_POSTED}R",
    AVERAGE: r"LSC+P(?:K+X)*R",
    WORKER: r"LSC+P(?:K+X)*R",
}
MOVES: dict[Action, set[tuple[Step | None, Step]]] = {
    Action.OPEN: {(None, Step.LISTING)},
    Action.LIST: {(Step.LISTING, Step.LISTING)},
    Action.CLOSE_LIST: {(Step.LISTING, Step.SURVEY)},
    Action.SURVEY: {(Step.SURVEY, Step.SURVEY)},
    Action.SCORE: {(Step.SURVEY, Step.SURVEY)},
    Action.CALL_MEETING: {(Step.SURVEY, Step.MEETING)},
    Action.HOLD_MEETING: {(Step.MEETING, Step.MEETING), (Step.MEETING, Step.SURVEY)},
    Action.POST: {(Step.MEETING, Step.POSTING), (Step.RECHECK, Step.POSTING), (Step.SURVEY, Step.POSTING)},
    Action.END_POSTING: {(Step.POSTING, Step.POSTING), (Step.RECHECK, Step.RECHECK)},
    Action.COMPLAIN: {(Step.POSTING, Step.RECHECK), (Step.RECHECK, Step.RECHECK)},
    Action.RECHECK: {(Step.RECHECK, Step.RECHECK)},
    Action.ASK_OPINION: {(Step.POSTING, Step.CONSULT)},
    Action.GIVE_OPINION: {(Step.CONSULT, Step.CONSULT), (Step.CONSULT, Step.SURVEY)},
    Action.RECOGNISE: {
        (Step.CONSULT, Step.RECOGNISED), (Step.POSTING, Step.RECOGNISED), (Step.RECHECK, Step.RECOGNISED),
    },
    Action.REPORT: {(Step.RECOGNISED, Step.REPORTED)},
}  # fmt: skip
"""How a village may move; what is not here leaves its step, but for a withdrawal that ends a re-check."""

NUMBERS = (1, 2, 3, 7)
CASES = st.integers(1, 3)
CLASSES = st.sampled_from([None, HouseholdClass.POOR, HouseholdClass.NEAR_POOR])


class Reviewed(RuleBasedStateMachine):
    """A village in a review, pushed on by `go_on` and disturbed by everything else."""

    village: Village

    @initialize(
        start=st.sampled_from(sorted(STARTS)),
        classes=st.tuples(CLASSES, CLASSES, CLASSES),
        at=st.sampled_from([Step.LISTING, Step.MEETING, Step.POSTING, Step.CONSULT, Step.RECOGNISED]),
        draw=st.integers(0, 5),
    )
    def begin(self, start: str, classes: tuple[HouseholdClass | None, ...], at: Step, draw: int) -> None:
        kind, on, month = STARTS[start]
        self.kind = kind
        self.village = Village(kind, on, month=month)
        for number, listed in enumerate(classes, start=1):
            self.attempt(self.enlist, number, listed)
        if self.village.today < self.village.procedure.first_day(self.village.today.year, month):
            self.village.wait(5)
        while at in self.village.procedure.steps and self.village.cycle.step is not at:
            self.forward(draw)

    def enlist(self, number: int, listed: HouseholdClass | None) -> None:
        request = {
            ANNUAL: None if listed else PaperKind.REQUEST_REVIEW,
            REGULAR: PaperKind.REQUEST_ESCAPE if listed else PaperKind.REQUEST_REVIEW,
            AVERAGE: PaperKind.REQUEST_REVIEW,
            WORKER: PaperKind.REQUEST_WORKER,
        }[self.kind]
        held = holding(f"{number}/GCN", "2024-01-02") if listed else None
        listed = None if self.kind in {AVERAGE, WORKER} else listed
        self.village.enlist(number, listed, request, screened_in=number != 3, certificate=held)

    def attempt(self, act: Any, *given: Any, **named: Any) -> None:
        """Try it; what is refused changes nothing."""
        before = self.village.cycle, len(self.village.entries)
        try:
            act(*given, **named)
        except Refused as refused:
            assert refused.rule not in ("holidays-not-loaded", "holiday-undecided")
            assert (self.village.cycle, len(self.village.entries)) == before

    def finding(self, draw: int) -> Finding:
        known = sorted(self.village.procedure.findings)
        return known[draw % len(known)]

    def first(self, *states: CaseState) -> int | None:
        found = (number for number in NUMBERS if case_id(number) in self.village.cycle.cases)
        return next((number for number in found if self.village.state(number) in states), None)

    def forward(self, draw: int) -> None:
        """The next thing to do; every state has one until the review is over."""
        steps = {
            Step.LISTING: self.finish_list,
            Step.SURVEY: self.finish_survey,
            Step.MEETING: self.finish_meeting,
            Step.POSTING: self.finish_posting,
            Step.RECHECK: self.finish_recheck,
            Step.CONSULT: self.finish_consulting,
            Step.RECOGNISED: self.finish_review,
        }
        if self.village.cycle.step in steps:
            steps[self.village.cycle.step](draw)

    def finish_list(self, _: int) -> None:
        if not self.village.cycle.active and not self.village.procedure.empty_list:
            self.village.enlist(7, None, max(self.village.procedure.requests))
        self.village.close_list()

    def finish_survey(self, draw: int) -> None:
        waiting = self.first(CaseState.LISTED, CaseState.SENT_BACK)
        surveyed = self.first(CaseState.SURVEYED)
        if waiting:
            self.village.survey(waiting)
        elif surveyed:
            self.village.score(surveyed, self.finding(draw))
        elif self.village.procedure.meeting is None:
            self.village.post()
        else:
            self.village.call_meeting()

    def finish_meeting(self, _: int) -> None:
        cycle = self.village.cycle
        if self.first(CaseState.SCORED) or (not cycle.active and cycle.meetings == cycle.meetings_failed):
            self.village.meet()
        else:
            self.village.post()

    def finish_posting(self, _: int) -> None:
        village = self.village
        if village.cycle.taken_down_on is None:
            assert village.cycle.posted_until is not None
            village.today = max(village.today, village.cycle.posted_until + timedelta(days=1))
            village.end_posting()
        elif Step.CONSULT in village.procedure.steps:
            village.ask()
        else:
            self.decide()

    def finish_recheck(self, draw: int) -> None:
        complained = self.first(CaseState.COMPLAINED)
        if complained:
            self.village.recheck(complained, self.finding(draw))
        elif self.village.procedure.posted_again:
            self.village.post()
        else:
            self.finish_posting(draw)

    def finish_consulting(self, _: int) -> None:
        if self.village.cycle.opinion is None:
            self.village.opinion()
        else:
            self.decide()

    def finish_review(self, _: int) -> None:
        if Step.REPORTED in self.village.procedure.steps:
            self.village.report()

    def decide(self) -> None:
        refused = [
            number
            for number in NUMBERS
            if (case := self.village.cycle.cases.get(case_id(number))) is not None
            and case.active
            and case.finding is not None
            and not recognitions(case.listed_class, case.finding)
        ]
        self.village.recognise(*(refused if self.village.procedure.refusal_in_writing else ()))

    def at(self, *steps: Step) -> bool:
        return self.village.cycle.step in steps

    @rule(draw=st.integers(0, 5), times=st.integers(1, 6))
    def go_on(self, draw: int, times: int) -> None:
        for _ in range(times):
            self.forward(draw)

    @rule(days=st.integers(0, 12))
    def wait(self, days: int) -> None:
        self.village.today = min(self.village.today + timedelta(days=days), FAR)

    @rule()
    def tick(self) -> None:
        told = self.village.tick()
        assert all(one.due < self.village.today for one in told)
        assert self.village.tick() == ()

    @precondition(lambda self: self.at(Step.MEETING))
    @rule(number=CASES, back=st.booleans())
    def disagree(self, number: int, back: bool) -> None:
        self.attempt(self.village.meet, **({"by_case": {number: 3}} if back else {"agreeing": 19}))

    @precondition(lambda self: self.at(Step.POSTING, Step.RECHECK))
    @rule(number=CASES)
    def complain(self, number: int) -> None:
        self.attempt(self.village.complain, number)

    @precondition(lambda self: self.at(Step.CONSULT))
    @rule(number=CASES)
    def return_it(self, number: int) -> None:
        self.attempt(self.village.opinion, number, reason="Chưa rõ thu nhập")

    @precondition(lambda self: self.at(Step.RECOGNISED, Step.REPORTED))
    @rule(number=CASES, draw=st.integers(0, 5), what=st.integers(0, 2))
    def go_on_deciding(self, number: int, draw: int, what: int) -> None:
        acts: list[tuple[Any, tuple[Any, ...]]] = [
            (self.correct, (number, self.finding(draw))),
            (self.village.certify, (number, f"{number}/GCN")),
            (self.village.revoke, (number,)),
        ]
        self.attempt(acts[what][0], *acts[what][1])

    @rule(number=CASES, likely=st.integers(0, 9))
    def withdraw(self, number: int, likely: int) -> None:
        if likely == 9:
            self.attempt(self.village.withdraw, number)

    @rule(number=CASES, draw=st.integers(0, 5), what=st.integers(0, 16))
    def anything(self, number: int, draw: int, what: int) -> None:
        village = self.village
        acts: list[tuple[Any, tuple[Any, ...]]] = [
            (self.enlist, (number, None)), (village.close_list, ()), (village.survey, (number,)),
            (village.score, (number, self.finding(draw))), (village.call_meeting, ()), (village.meet, ()),
            (village.post, ()), (village.end_posting, ()), (village.recheck, (number, self.finding(draw))),
            (village.ask, ()), (village.opinion, ()), (village.recognise, ()), (village.report_preliminary, ()),
            (village.report, ()), (village.certify, (number,)), (village.revoke, (number,)),
            (self.correct, (number, self.finding(draw))),
        ]  # fmt: skip
        act, given = acts[what]
        self.attempt(act, *given)

    def correct(self, number: int, finding: Finding) -> None:
        case = self.village.cycle.cases.get(case_id(number))
        if case is not None and case.decisions:
            before = case.decisions
            self.village.correct(number, finding)
            after = self.village.cycle.cases[case_id(number)].decisions
            assert after[:-1] == before
            assert after[-1].corrects == before[-1].number

    # ---- what always holds

    @invariant()
    def village_and_households_never_contradict_each_other(self) -> None:
        assert contradictions(self.village.cycle) == ()

    @invariant()
    def a_village_moves_only_as_the_law_lets_it(self) -> None:
        steps = (*self.village.procedure.steps, Step.RECHECK)
        for entry in self.village.entries:
            move = (entry.step_before, entry.step_after)
            stays = entry.step_before is entry.step_after
            ends_recheck = entry.action is Action.WITHDRAW and move == (Step.RECHECK, Step.POSTING)
            assert move in MOVES[entry.action] if entry.action in MOVES else stays or ends_recheck
            assert entry.step_after in steps

    @invariant()
    def nobody_is_decided_on_without_every_step(self) -> None:
        for household, path in paths(self.village.entries).items():
            if path.endswith("R"):
                assert re.fullmatch(PATHS[self.kind], path), (household, path)

    @invariant()
    def results_hang_out_for_all_their_days(self) -> None:
        until = date.min
        for entry in self.village.entries:
            if entry.action is Action.POST:
                until = date.fromisoformat(str(entry.facts["until"]))
                days = self.village.calendar.working_days_between(entry.on, until)
                assert days == self.village.procedure.posting.days
            if entry.action in (Action.END_POSTING, Action.ASK_OPINION, Action.RECOGNISE):
                assert entry.on > until

    @invariant()
    def the_record_grows_and_is_in_order(self) -> None:
        entries = self.village.entries
        assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
        assert [entry.on for entry in entries] == sorted(entry.on for entry in entries)
        assert all(entry.by for entry in entries)

    @invariant()
    def every_time_limit_runs_exactly_once_while_it_is_owed(self) -> None:
        running = Counter((one.code, one.case_id) for one in self.village.cycle.open_deadlines)
        assert running == Counter(owed(self.village))

    @invariant()
    def every_missed_deadline_is_told_at_most_once_and_none_that_was_kept(self) -> None:
        told = Counter(map(identity, self.village.told))
        assert all(count == 1 for count in told.values())
        for one in self.village.cycle.deadlines:
            assert (one.told_on is not None) == (identity(one) in told)
            assert one.told_on is None or one.missed_on(one.told_on)

    def teardown(self) -> None:
        if not hasattr(self, "village"):
            return
        village = self.village
        for _ in range(60):
            if village.cycle.step is Step.REPORTED or (
                village.cycle.step is Step.RECOGNISED and Step.REPORTED not in village.procedure.steps
            ):
                break
            self.forward(0)
        else:
            raise AssertionError(f"stuck at {village.cycle.step}")
        self.nobody_is_decided_on_without_every_step()
        village.today = date(2027, 12, 31)
        village.tick()
        late = [identity(one) for one in village.cycle.deadlines if one.missed_on(village.today)]
        assert Counter(late) == Counter(map(identity, village.told))


TestReviewed = Reviewed.TestCase
TestReviewed.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
