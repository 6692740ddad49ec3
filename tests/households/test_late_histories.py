"""Random histories in which facts come late, are corrected and annulled, and households split and merge.

Whatever day and whatever moment is asked for, the register answers as a small model of it does.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest_asyncio
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from tests.households.late_model import Model, movement
from tests.households.officer import COMMUNE, OTHER, Commune, SignIn

FIRST = dt.date(2022, 1, 10)
POINTS = {"POOR": (120, 40), "NEAR_POOR": (120, 10), "NOT_POOR": (200, 0)}
ACTIONS = (*("decide",) * 5, "correct", "correct", "annul", "move", "size", "split", "merge", "close")


@dataclass(frozen=True)
class Step:
    """One thing that somebody records."""

    household: int
    action: str
    day: int
    poverty_class: str
    members: int
    chosen: int


steps = st.lists(
    st.builds(
        Step,
        household=st.integers(0, 2),
        action=st.sampled_from(ACTIONS),
        day=st.integers(0, 700),
        poverty_class=st.sampled_from(sorted(POINTS)),
        members=st.integers(2, 8),
        chosen=st.integers(0, 20),
    ),
    min_size=4,
    max_size=12,
)


@dataclass
class Player:
    """Records steps through the interface, and in the model what the interface took."""

    officer: Commune
    model: Model = field(default_factory=Model)
    households: list[str] = field(default_factory=list)
    sequences: dict[int, tuple[str, str]] = field(default_factory=dict)
    moments: list[tuple[int, str]] = field(default_factory=list)

    async def play(self, happened: list[Step]) -> None:
        for _ in range(2):
            household = await self.officer.register()
            self.households.append(household)
            self.model.record(household, dt.date.min, "register", (COMMUNE, 4))
        await self._look()
        for step in happened:
            if step.household < len(self.households):
                await getattr(self, f"_{step.action}")(step, self.households[step.household])
                await self._look()

    async def _look(self) -> None:
        self.moments.append((len(self.model.facts), await self.officer.moment()))

    async def _ask(self, path: str, given: dict[str, Any]) -> Any:
        """The answer, or None where a rule says no."""
        answer = await self.officer.client.post(path, json=given)
        assert answer.status_code in {201, 422}, answer.text
        event(f"{answer.status_code} {path.rpartition('/')[2]}")
        return answer.json() if answer.status_code == 201 else None

    async def _review(self, commune: str, on: dt.date) -> str:
        day = on.isoformat()
        officer = Commune(self.officer.app, self.officer.client, self.officer.folder, commune)
        return await officer.open_review(on.year, kind="REGULAR", decided_on=day, valid_from=day)

    async def _decide(self, step: Step, household: str) -> None:
        on = FIRST + dt.timedelta(days=step.day)
        then = self.model.at(household, on, len(self.model.facts))
        if then is None:
            return
        b1, b2 = POINTS[step.poverty_class]
        given = {"household_id": household, "members": step.members, "b1_points": b1, "b2_points": b2}
        answer = await self._ask(f"/v1/reviews/{await self._review(then.commune, on)}/results", given)
        if answer is not None:
            number = self.model.record(household, on, "decide", (step.poverty_class, step.members))
            self.sequences[number] = "decisions", answer["decision_id"]

    def _standing(self, step: Step, household: str, kinds: set[str]) -> int | None:
        found = [
            each.number
            for each in self.model.standing(household, len(self.model.facts))
            if each.kind in kinds and each.number in self.sequences
        ]
        return found[step.chosen % len(found)] if found else None

    async def _correct(self, step: Step, household: str) -> None:
        wrong = self._standing(step, household, {"decide"})
        if wrong is None:
            return
        b1, b2 = POINTS[step.poverty_class]
        given = {"members": step.members, "b1_points": b1, "b2_points": b2}
        paper = {"decided_on": "2025-06-01", "decision_number": "9/QĐ-UBND", "reason": "Ghi nhầm điểm"}
        answer = await self._ask(f"/v1/decisions/{self.sequences[wrong][1]}/corrections", given | paper)
        if answer is not None:
            on = self.model.facts[wrong].on
            number = self.model.record(household, on, "decide", (step.poverty_class, step.members), wrong)
            self.sequences[number] = "decisions", answer["decision_id"]

    async def _annul(self, step: Step, household: str) -> None:
        wrong = self._standing(step, household, {"decide", "move", "size", "close"})
        if wrong is None:
            return
        kind, known_as = self.sequences[wrong]
        answer = await self._ask(f"/v1/{kind}/{known_as}/annulment", {"reason": "Ghi nhầm hộ"})
        if answer is not None:
            self.model.record(household, self.model.facts[wrong].on, "annul", corrects=wrong)

    async def _changed(self, household: str, number: int) -> None:
        told = await self.officer.ask("GET", f"/v1/households/{household}/decisions")
        kinds = {"LEFT", "RESIZED", "CLOSED"}
        newest = max((each for each in told["changes"] if each["kind"] in kinds), key=lambda e: e["sequence"])
        self.sequences[number] = "changes", newest["change_id"]

    async def _move(self, step: Step, household: str) -> None:
        on = FIRST + dt.timedelta(days=step.day)
        to = OTHER if step.chosen % 2 else COMMUNE
        given = {"to_commune": to, "to_village": f"{to}.01", "on": on.isoformat()}
        if await self._ask(f"/v1/households/{household}/moves", given):
            await self._changed(household, self.model.record(household, on, "move", to))

    async def _size(self, step: Step, household: str) -> None:
        on = FIRST + dt.timedelta(days=step.day)
        then = self.model.at(household, on, len(self.model.facts))
        reason = "BIRTH" if then is not None and step.members > then.members else "DEATH"
        given = {"members": step.members, "reason": reason, "on": on.isoformat()}
        if await self._ask(f"/v1/households/{household}/sizes", given):
            await self._changed(household, self.model.record(household, on, "size", (step.members, None)))

    async def _close(self, step: Step, household: str) -> None:
        on = FIRST + dt.timedelta(days=step.day)
        given = {"reason": "DEATH", "on": on.isoformat()}
        if await self._ask(f"/v1/households/{household}/closure", given):
            await self._changed(household, self.model.record(household, on, "close"))

    async def _split(self, step: Step, household: str) -> None:
        on = FIRST + dt.timedelta(days=step.day)
        then = self.model.at(household, on, len(self.model.facts))
        if then is None or len(self.households) > 2:
            return
        given = {"village": f"{then.commune}.01", "head_name": "Siu Tách", "members": 1, "on": on.isoformat()}
        answer = await self._ask(f"/v1/households/{household}/splits", given)
        if answer is not None:
            cause = self.model.record(household, on, "size", (then.members - 1, None))
            self.model.record(answer["id"], on, "split off", (then.commune, 1, cause))
            self.households.append(answer["id"])

    async def _merge(self, step: Step, household: str) -> None:
        on = FIRST + dt.timedelta(days=step.day)
        other = self.households[step.chosen % len(self.households)]
        known = len(self.model.facts)
        into, ending = self.model.at(household, on, known), self.model.at(other, on, known)
        given = {"merged_id": other, "on": on.isoformat()}
        if await self._ask(f"/v1/households/{household}/mergers", given):
            assert into is not None
            assert ending is not None
            cause = self.model.record(other, on, "close")
            self.model.record(household, on, "size", (into.members + ending.members, cause))

    async def check(self) -> None:
        """Every household on many days at many moments, alone and in lists, and what decisions mean."""
        days = [FIRST + dt.timedelta(days=number) for number in (100, 400, 900)]
        for known, moment in self.moments[-6::3]:
            for on in days:
                asked = {"on": on.isoformat(), "known_at": moment}
                expected = {
                    household: state.shown
                    for household in self.households
                    if (state := self.model.at(household, on, known)) is not None
                }
                listed = {
                    each["id"]: _shown(each)
                    for each in await self.officer.households(**asked)
                    if each["id"] in self.households
                }
                assert listed == expected
                await self._check_alone(expected, asked)
        for household in self.households:
            await self._check_now(household)
        await self._check_movements()

    async def _check_movements(self) -> None:
        """Whatever was recorded, in whatever order, the movements of every year close and the forms agree."""
        for year, level, geography in (
            (2022, "COMMUNE", "then"),
            (2023, "COMMUNE", "now"),
            (2023, "VILLAGE", "then"),
        ):
            asked = {"year": year, "level": level, "geography": geography}
            found = await self.officer.ask("GET", "/v1/movements", params=asked)
            assert [each for each in found["accounts"] if not each["closes"]] == []
            assert found["faults"] == []

    async def _check_alone(
        self, expected: dict[str, tuple[str, int, str, str | None]], asked: dict[str, str]
    ) -> None:
        for household in self.households:
            answer = await self.officer.client.get(f"/v1/households/{household}", params=asked)
            assert answer.status_code == (200 if household in expected else 404)
            if household in expected:
                assert _shown(answer.json()) == expected[household]

    async def _check_now(self, household: str) -> None:
        known = len(self.model.facts)
        newest = self.model.at(household, dt.date.max, known)
        assert newest is not None
        assert _shown(await self.officer.household(household)) == newest.shown
        told = await self.officer.ask("GET", f"/v1/households/{household}/decisions")
        meant = {each["decision_id"]: each["movement"] for each in told["decisions"] if each["stands"]}
        assert meant == {
            self.sequences[fact.number][1]: movement(before, fact.value[0])
            for fact, before, _ in self.model.story(household, known)
            if fact.kind == "decide"
        }


def _shown(household: Any) -> tuple[str, int, str, str | None]:
    return household["commune"], household["members"], household["status"], household["poverty_class"]


@pytest_asyncio.fixture
async def officer(commune: Commune, signed_in: SignIn) -> Commune:
    """Somebody responsible for the district of both communes."""
    client: httpx2.AsyncClient = signed_in("630")
    await Commune(commune.app, client, commune.folder, OTHER).list_villages("Làng Xa")
    return Commune(commune.app, client, commune.folder)


@settings(
    max_examples=8,
    deadline=None,
    # Each example asks a real service: finding out why one fails by many more would take minutes.
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(happened=steps)
async def test_the_register_answers_as_of_any_day_and_moment(officer: Commune, happened: list[Step]) -> None:
    player = Player(officer)
    await player.play(happened)
    await player.check()
