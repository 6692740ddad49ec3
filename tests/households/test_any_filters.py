"""Lists of any filters, page by page, against a plain look at every household."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.households.narrowed import CAUSES, FLAGS, LIST, decide, in_file
from tests.households.officer import COMMUNE, OTHER, Commune, SignIn
from tests.households.people import child, enter, leave, person


@dataclass
class Register:
    """Two communes and what was recorded of their households, read once one by one."""

    officer: Commune
    known: dict[str, Any] = field(default_factory=dict)

    async def facts(self, household: str, on: str | None) -> Any:
        """What the household's own pages say of it on a day."""
        key = f"{household} {on}"
        if key not in self.known:
            day = {"on": on} if on else {}
            groups = await self.officer.ask("GET", f"{LIST}/{household}/cohorts", params=day)
            history = await self.officer.ask("GET", f"{LIST}/{household}/decisions")
            self.known[key] = groups, history
        return self.known[key]

    async def plainly(self, asked: dict[str, Any]) -> list[tuple[str, str]]:
        """What a list with these filters must have: every household of the register, judged by itself."""
        places = {name: asked[name] for name in ("area", "on") if name in asked}
        rows = await self.officer.households(**places)
        return [(row["commune"], row["id"]) for row in rows if await self._belongs(row, asked)]

    async def _belongs(self, row: Any, asked: dict[str, Any]) -> bool:
        on = asked.get("on")
        groups, history = await self.facts(row["id"], on)
        shown = {**row, "class": row["poverty_class"] or "NONE"}
        if any(name in asked and shown[name] != asked[name] for name in ("village", "class", "status")):
            return False
        taken = [
            each for each in history["decisions"] if each["stands"] and each["valid_from"] <= (on or "9")
        ]
        official = [each for each in taken if each["stage"] == "OFFICIAL"]
        newest = max(official, key=lambda each: (each["valid_from"], each["sequence"]), default=None)
        if "indicator" in asked:
            flags = (newest and newest["deprivations"]) or []
            if row["status"] != "ACTIVE" or asked["indicator"] not in flags:
                return False
        if "cause" in asked:
            said = [each["code"] for each in (newest and newest["causes"]) or ()]
            if row["status"] != "ACTIVE" or asked["cause"] not in said:
                return False
        if "movement" in asked or "movement_year" in asked:
            ended = [each for each in history["changes"] if each["stands"] and each["on"] <= (on or "9")]
            moves = [(each["movement"], each["valid_from"][:4]) for each in taken if each["movement"]]
            moves += [(each["movement"], each["on"][:4]) for each in ended if each["movement"]]
            kinds, year = asked.get("movement"), asked.get("movement_year")
            if not any(
                (kinds is None or kind in kinds) and (year is None or told == str(year))
                for kind, told in moves
            ):
                return False
        if "group" in asked:
            belongs = {each["cohort"]: bool(each["belongs"]) for each in groups["cohorts"]}
            belongs["MERIT"] = bool(groups["merit"])
            return belongs[asked["group"]]
        return True

    async def paged(self, asked: dict[str, Any], limit: int) -> list[tuple[str, str]]:
        """The same, page by page."""
        found: list[tuple[str, str]] = []
        after: dict[str, str] = {}
        while True:
            page = await self.officer.ask("GET", LIST, params={**asked, "limit": limit, **after})
            assert len(page["items"]) <= limit
            found += [(each["commune"], each["id"]) for each in page["items"]]
            if page["next"] is None:
                return found
            after = {"after": page["next"]}


async def filled(commune: Commune, signed_in: SignIn, *, backwards: bool) -> Register:
    """Households of two communes with their facts, recorded in the order of time or against it."""
    other = Commune(commune.app, signed_in(OTHER), commune.folder, OTHER)
    await other.list_villages("Làng Xa", "Làng Gần")
    district = Commune(commune.app, signed_in("630"), commune.folder, COMMUNE)
    order = -1 if backwards else 1
    for officer in (commune, other)[::order]:
        ids = [
            await officer.register(village=f"{officer.code}.0{1 + n % 2}", code=f"H{n}")
            for n in range(6)[::order]
        ]
        facts = [
            (household, day, number + turn)
            for number, household in enumerate(ids[:5])
            for turn, day in enumerate(("2022-04-01", "2022-09-01", "2023-03-01")[: 1 + number % 3])
        ]
        for household, day, kind in facts[::order]:
            b1, causes = (200, ()) if kind % 5 == 0 else (120, CAUSES[kind % 4])
            await decide(officer, household, day, FLAGS[kind % 4], b1, causes)
        await enter(officer, ids[0], **child(), on="2022-02-01")
        merit = person(number=None, number_missing="NO_PAPERS", merit="INVALID")
        await enter(officer, ids[1], **merit, on="2022-02-01")
        gone = await enter(officer, ids[3], **child(name="Lò Văn Đi"), on="2022-02-01")
        await leave(officer, ids[3], gone["member"]["id"], on="2022-06-01")
    going = {"to_commune": OTHER, "to_village": f"{OTHER}.02", "on": "2023-06-01"}
    mover, closing = (await commune.households())[1:3]
    await district.ask("POST", f"{LIST}/{mover['id']}/moves", 201, json=going)
    end = {"reason": "DISSOLVED", "on": "2023-06-15"}
    await commune.ask("POST", f"{LIST}/{closing['id']}/closure", 201, json=end)
    return Register(district)


FILTERS = {
    "area": st.sampled_from((COMMUNE, OTHER)),
    "village": st.sampled_from((f"{COMMUNE}.01", f"{OTHER}.02")),
    "class": st.sampled_from(("POOR", "NEAR_POOR", "NOT_POOR", "NONE")),
    "status": st.sampled_from(("ACTIVE", "CLOSED")),
    "indicator": st.sampled_from(("WATER_SOURCE", "HYGIENIC_TOILET", "NUTRITION", "INFO_DEVICES")),
    "cause": st.sampled_from(("NO_LAND", "ILLNESS", "NO_CAPITAL", "NO_TOOLS")),
    "movement": st.lists(
        st.sampled_from(("NEW_POOR", "NEW_NEAR_POOR", "ESCAPED_ABOVE_NEAR_POOR", "OTHER_DECREASE_POOR")),
        min_size=1, unique=True,
    ),
    "movement_year": st.sampled_from((2022, 2023)),
    "group": st.sampled_from(("MERIT", "PUPILS_STUDENTS", "CHILDREN_UNDER_16")),
    "on": st.sampled_from(("2022-05-01", "2022-12-31", "2023-06-10")),
}  # fmt: skip


@pytest.mark.parametrize("backwards", [False, True], ids=["in-time", "backwards"])
async def test_pages_of_any_filters_have_what_a_plain_look_at_every_household_gives(
    commune: Commune, signed_in: SignIn, *, backwards: bool
) -> None:
    register = await filled(commune, signed_in, backwards=backwards)
    loop = asyncio.get_running_loop()
    told: set[int] = set()

    async def check(asked: dict[str, Any], limit: int) -> None:
        expected = await register.plainly(asked)
        assert await register.paged(asked, limit) == expected
        counted = await register.officer.ask("GET", f"{LIST}/count", params=asked)
        assert counted["households"] == len(expected)
        if asked.get("status") == "ACTIVE":
            assert await in_file(register.officer, **asked) == {household for _, household in expected}
        told.add(len(expected))

    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
    @given(asked=st.fixed_dictionaries({}, optional=FILTERS), limit=st.integers(1, 5))
    def property_holds(asked: dict[str, Any], limit: int) -> None:
        asyncio.run_coroutine_threadsafe(check(asked, limit), loop).result(60)

    await asyncio.to_thread(property_holds)
    assert len(told) > 2, "no filter found anything: the register says too little"
