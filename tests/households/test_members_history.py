"""Who was a member on a day, as known at a time, is what a small model says after any entries and corrections."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.households.officer import Commune
from tests.households.people import child, wrongly_found

DAYS = [f"2023-03-{day:02d}" for day in range(1, 9)]
WORKS = ("CHILD", "CASUAL", "RETIRED")

step = st.tuples(
    st.sampled_from(["enter", "change", "change", "leave", "correct", "correct leaving"]),
    st.integers(0, len(DAYS) - 1),
    st.integers(0, 5),
    st.sampled_from(WORKS),
)


@dataclass
class Fact:
    """What the model remembers of one thing that was recorded."""

    member: str
    kind: str
    day: int
    work: str
    number: int
    corrects: int | None = None


@dataclass
class Model:
    """A table of days for each member, made anew from what stands uncorrected."""

    facts: list[Fact] = field(default_factory=list)

    def standing(self, *without: int | None) -> list[Fact]:
        """The facts in whose place no other stands."""
        gone = {fact.corrects for fact in self.facts} | set(without)
        return [fact for fact in self.facts if fact.number not in gone]

    def table(self, *without: int | None) -> dict[str, list[str | None]]:
        """By member: the work on each day; None where the person is no member."""
        found: dict[str, list[tuple[int, str] | None]] = {}
        since: dict[str, int] = {}
        until: dict[str, int] = {}
        for fact in self.standing(*without):
            cells = found.setdefault(fact.member, [None] * len(DAYS))
            if fact.kind == "LEFT":
                until[fact.member] = fact.day
                continue
            if fact.kind == "ENTERED":
                since[fact.member] = fact.day
            for day in range(fact.day, len(DAYS)):
                cell = cells[day]
                if cell is None or cell[0] <= fact.day:
                    cells[day] = (fact.day, fact.work)
        return {
            member: [
                cell[1] if cell and since.get(member, 99) <= day < until.get(member, 99) else None
                for day, cell in enumerate(cells)
            ]
            for member, cells in found.items()
        }

    def may(self, fact: Fact) -> bool:
        """Whether this may be recorded."""
        others = self.standing(fact.corrects)
        left = [each.day for each in others if (each.member, each.kind) == (fact.member, "LEFT")]
        if fact.kind == "ENTERED":
            return not left or fact.day < left[0]
        present = self.table(fact.corrects).get(fact.member, [None] * len(DAYS))[fact.day] is not None
        return present and not (fact.kind == "LEFT" and left)


@dataclass
class Register:
    """One household of the real register, driven by steps."""

    commune: Commune
    household: str
    model: Model = field(default_factory=Model)
    names: list[str] = field(default_factory=list)
    known: list[tuple[str, dict[str, list[str | None]]]] = field(default_factory=list)

    async def take(self, what: str, day: int, pick: int, work: str) -> None:
        """One step: recorded or refused, as the model says."""
        path = f"/v1/households/{self.household}/members"
        if what == "enter" or not self.names:
            body = {"on": DAYS[day]} | child(work=work)
            entered = await self.commune.ask("POST", path, 201, json=body)
            self.names.append(entered["member"]["id"])
            return await self.remember(Fact(self.names[-1], "ENTERED", day, work, 0))
        member = self.names[pick % len(self.names)]
        target = None
        if what.startswith("correct"):
            own = [fact for fact in self.model.standing() if fact.member == member]
            target = own[pick % len(own)]
        leaving = what in {"leave", "correct leaving"}
        kind = "LEFT" if leaving else "ENTERED" if target and target.kind == "ENTERED" else "CHANGED"
        fact = Fact(member, kind, day, work, 0, target.number if target else None)
        expected = self.model.may(fact) and not (leaving and target and target.kind != "LEFT")
        body = {"on": DAYS[day], "corrects": fact.corrects}
        if leaving:
            body |= {"reason": "OTHER"}
            request: Any = self.commune.client.post(f"{path}/{member}/leaving", json=body)
        else:
            body |= child(work=work)
            request = self.commune.client.put(f"{path}/{member}", json=body, headers={"If-Match": "*"})
        answer = await request
        assert answer.is_success == expected, (what, fact, answer.text)
        same = not leaving and target is None and self.model.table()[member][day] == work
        if expected and not same:
            await self.remember(fact)
        return None

    async def remember(self, fact: Fact) -> None:
        """Note the fact with its number, and what the model knows from that moment on."""
        path = f"/v1/households/{self.household}/members/{fact.member}/facts"
        told = (await self.commune.ask("GET", path))["facts"][-1]
        assert (told["kind"], told["valid_from"]) == (fact.kind, DAYS[fact.day])
        fact.number = told["fact"]
        self.model.facts.append(fact)
        self.known.append((told["recorded_at"], self.model.table()))

    async def check(self) -> None:
        """Every day as it was known after every fact, and who the household is found by."""
        assert await wrongly_found(self.commune) == []
        for moment, table in self.known:
            for day, on in enumerate(DAYS):
                query = {"on": on, "known_at": moment}
                path = f"/v1/households/{self.household}/members"
                found = (await self.commune.ask("GET", path, params=query))["members"]
                expected = {member: works[day] for member, works in table.items() if works[day]}
                assert {each["id"]: each["work"] for each in found} == expected, (moment, on)


async def test_the_members_on_any_day_as_known_at_any_time_are_the_models(commune: Commune) -> None:
    loop = asyncio.get_running_loop()
    seen = {"corrected": 0, "left": 0}

    async def run(steps: list[tuple[str, int, int, str]]) -> None:
        register = Register(commune, await commune.register())
        for each in steps:
            await register.take(*each)
        await register.check()
        seen["corrected"] += sum(fact.corrects is not None for fact in register.model.facts)
        seen["left"] += sum(fact.kind == "LEFT" for fact in register.model.facts)

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(step, min_size=3, max_size=8))
    @example([("enter", 0, 0, "CASUAL"), ("change", 0, 0, "CHILD"), ("correct", 1, 0, "CHILD")])
    @example([("enter", 1, 0, "CHILD"), ("leave", 4, 0, "CHILD"), ("correct leaving", 5, 1, "CHILD")])
    def property_holds(steps: list[tuple[str, int, int, str]]) -> None:
        asyncio.run_coroutine_threadsafe(run(steps), loop).result(120)

    await asyncio.to_thread(property_holds)
    assert all(seen.values()), seen
