"""Whatever is asked over HTTP and in whatever order: no path skips a step, no time limit is lost or told twice."""

import datetime as dt
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from tests.households.officer import Commune
from tests.households.reviewing import Review
from tests.households.test_cycle_paths import MOVES, PATHS

from benvung import clock
from benvung.testing import Engine, emitted
from households.deadlines import tell_missed
from households.domain.procedure_terms import Action, ProcedureKind, Step
from households.events import DeadlineMissed

ANNUAL = ProcedureKind.ANNUAL
LETTERS = {
    Action.LIST: "L", Action.SURVEY: "S", Action.SCORE: "C", Action.POST: "P", Action.COMPLAIN: "K",
    Action.RECHECK: "X", Action.ASK_OPINION: "A", Action.RECOGNISE: "R",
}  # fmt: skip
ONE_BY_ONE = {
    Action.LIST, Action.SURVEY, Action.SCORE, Action.COMPLAIN, Action.RECHECK, Action.WITHDRAW,
    Action.ISSUE_CERTIFICATE, Action.REVOKE_CERTIFICATE, Action.CORRECT,
}  # fmt: skip
NEXT = {
    "LISTING": [Action.CLOSE_LIST],
    "SURVEY": [Action.SURVEY, Action.SCORE, Action.CALL_MEETING],
    "MEETING": [Action.HOLD_MEETING, Action.POST],
    "POSTING": [Action.END_POSTING, Action.ASK_OPINION],
    "RECHECK": [Action.RECHECK, Action.POST],
    "CONSULT": [Action.GIVE_OPINION, Action.RECOGNISE],
    "RECOGNISED": [Action.ISSUE_CERTIFICATE, Action.REPORT],
    "REPORTED": [Action.CORRECT],
}
"""What leads on from each state; whether it is taken is for the rules."""

STRAY = st.sampled_from([each for each in Action if each is not Action.OPEN])


@dataclass(frozen=True)
class Wish:
    """One act that somebody tries: what leads on, to each case in turn, or a stray one for one case."""

    stray: Action | None
    case: int
    days: int
    agreeing: int
    b1: int
    returned: bool
    tick: bool


WISHES = st.lists(
    st.builds(
        Wish,
        stray=st.one_of(st.none(), st.none(), STRAY),
        case=st.integers(0, 2),
        days=st.sampled_from([0, 0, 1, 3, 6]),
        agreeing=st.sampled_from([19, 20, 35, 40]),
        b1=st.sampled_from([120, 200]),
        returned=st.sampled_from([False, False, False, True]),
        tick=st.booleans(),
    ),
    min_size=8,
    max_size=16,
)


@dataclass
class Player:
    """Tries wishes on one village and remembers every time limit it ever saw."""

    commune: Commune
    review: Review
    cases: list[str]
    limits: dict[str, str] = field(default_factory=dict)
    papers: int = 0

    async def play(self, wishes: list[Wish]) -> None:
        for wish in wishes:
            later = clock.today() + dt.timedelta(days=wish.days)
            self.review.at(later.isoformat())
            if wish.tick:
                await tell_missed(self.commune.app.state.engine)
            if wish.stray is not None:
                await self.attempt(wish.stray, wish, [self.cases[wish.case]])
            else:
                await self.forward(wish)
            await self.look()

    async def forward(self, wish: Wish) -> None:
        for action in NEXT[await self.review.state()]:
            if action in ONE_BY_ONE and action is not Action.CORRECT:
                for case in self.cases:
                    await self.attempt(action, wish, [case])
            else:
                await self.attempt(action, wish, self.cases[:1])

    async def attempt(self, action: Action, wish: Wish, cases: list[str]) -> None:
        """Try it; what is refused changes nothing."""
        before = await self.commune.ask("GET", self.review.here)
        self.papers += 1
        said = self.said(action, wish, cases) | {"number": f"{self.papers}/{self.review.village}"}
        if action is Action.CORRECT:
            said["corrects"] = (await self.review.cases())[cases[0]]["decision_number"] or "1"
        given, path, client = self.review.act(action, **said), "opinions", self.commune.higher
        if action is not Action.GIVE_OPINION:
            given, path, client = {"action": action, **given}, "entries", self.commune.client
        assert client is not None
        answer = await client.post(f"{self.review.here}/{path}", json=given)
        assert answer.status_code in {201, 422}, answer.text
        event(f"{answer.status_code} {action}")
        if answer.status_code == 422:
            assert answer.json()["rule"] not in {"input-invalid", "holidays-not-loaded"}, answer.text
            assert await self.commune.ask("GET", self.review.here) == before

    def said(self, action: Action, wish: Wish, cases: list[str]) -> dict[str, Any]:
        if action is Action.GIVE_OPINION:
            return {"returned": cases, "reason": "Chưa rõ"} if wish.returned else {}
        said: dict[str, Any] = {"cases": cases} if action in ONE_BY_ONE else {}
        if action is Action.HOLD_MEETING:
            signed = ["CHAIR", "MINUTE_TAKER", "HOUSEHOLDS"]
            return {"present": 40, "agreeing": wish.agreeing, "copies": 2, "signed_by": signed}
        if action in {Action.SCORE, Action.RECHECK, Action.CORRECT}:
            said |= {"members": 4, "b1_points": wish.b1, "b2_points": 40}
        if action in {Action.CORRECT, Action.WITHDRAW, Action.REVOKE_CERTIFICATE}:
            said |= {"reason": "Nhầm"}
        return said

    async def look(self) -> None:
        """Each time limit is open, met or missed; none goes away, and none comes back from its end."""
        asked = {"review": self.review.id, "village": self.review.village, "limit": 500}
        found = (await self.commune.ask("GET", "/v1/deadlines", params=asked))["items"]
        now = {each["id"]: each["state"] for each in found}
        assert set(self.limits) <= set(now)
        for one, state in self.limits.items():
            assert state == "OPEN" or now[one] == state, (state, now[one])
        for each in found:
            assert each["state"] in {"OPEN", "MET", "MISSED"}
            assert (each["state"] == "MISSED") == (each["told_on"] is not None)
            assert each["state"] != "MET" or each["done_on"] <= each["due_on"]
        self.limits = now


def check_log(log: list[Any]) -> None:
    """Each line moves the village as the law lets that act; each case goes its whole way before it is decided."""
    steps = [each["step_after"] for each in log]
    for before, each in zip([None, *steps], log, strict=False):
        action = Action(each["action"])
        move = (each["step_before"] and Step(each["step_before"]), Step(each["step_after"]))
        assert each["step_before"] == before
        leaves = move[0] is move[1] or (action is Action.WITHDRAW and move == (Step.RECHECK, Step.POSTING))
        assert move in MOVES[action] if action in MOVES else leaves, (action, move)
    assert [each["number"] for each in log] == list(range(1, len(log) + 1))
    for path in paths(log).values():
        if "R" in path:
            assert re.fullmatch(PATHS[ANNUAL], path), path


def paths(log: list[Any]) -> dict[str, str]:
    """Each case's own history in letters, as `tests/households/record.py` has them."""
    found: dict[str, str] = defaultdict(str)
    for each in log:
        action = Action(each["action"])
        letter = LETTERS.get(action, "")
        if action is Action.HOLD_MEETING:
            back = each["facts"]["sent_back"]
            assert back in {0, len(each["cases"])}, "all have one vote here"
            letter = "m" if back else "M"
        if action is Action.GIVE_OPINION:
            letter = "!"
            if not each["cases"]:
                found.update({one: path + "O" for one, path in found.items() if path.endswith("A")})
        for case in each["cases"]:
            found[case] += letter
    return {one: re.sub(r"!(?=S)", "r", path).replace("!", "n") for one, path in found.items()}


@pytest.fixture
async def annual(commune: Commune) -> Review:
    """The review of 2024 of a commune with many villages."""
    clock.fix(dt.date(2024, 10, 1))
    await commune.list_villages(
        "Làng Một", "Làng Hai", "Làng Ba", *(f"Làng {number}" for number in range(4, 100))
    )
    return Review(commune, await commune.open_review(2024))


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(wishes=WISHES)
async def test_no_step_is_skipped_and_no_time_limit_lost(
    commune: Commune, annual: Review, engine: Engine, wishes: list[Wish]
) -> None:
    clock.fix(dt.date(2024, 10, 1))
    begun = len((await commune.ask("GET", annual.path, params={"limit": 500}))["items"])
    review = Review(commune, annual.id, village=begun + 1)
    cases = [await commune.register(village=review.village, code=f"H{number}") for number in range(3)]
    await review.open()
    for case in cases:
        await review.request(case, screened_in=True)
    player = Player(commune, review, cases)

    await player.play(wishes)
    await tell_missed(commune.app.state.engine)
    await player.look()

    log = await review.log()
    check_log(log)
    event(f"reached {await review.state()}")
    decided = any(each["action"] == "RECOGNISE" for each in log)
    for one, case in (await review.cases()).items():
        history = (await commune.ask("GET", f"/v1/households/{one}/decisions"))["decisions"]
        assert bool(history) == (decided and case["state"] != "WITHDRAWN")
    async with engine("households").connect() as conn:
        told = Counter(str(each.deadline_id) for each in await emitted(conn, DeadlineMissed))
    missed = {one for one, state in player.limits.items() if state == "MISSED"}
    assert {one: told[one] for one in player.limits if told[one]} == dict.fromkeys(missed, 1)
    today = clock.today().isoformat()
    asked = {"review": review.id, "village": review.village, "limit": 500}
    for each in (await commune.ask("GET", "/v1/deadlines", params=asked))["items"]:
        assert each["state"] != "OPEN" or each["due_on"] >= today
