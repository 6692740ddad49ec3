"""Trying out rule sets: a district with its officers, what each household gives by itself, random rules."""

import datetime as dt
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from hypothesis import strategies as st
from openpyxl import load_workbook
from tests.households.officer import COMMUNE, STANDARD, Commune

from households.domain import (
    AreaType,
    HouseholdClass,
    RuleSet,
    RuleSetGiven,
    Undecided,
    get_standard,
    list_change,
    rule_set,
)
from households.simulator import Simulator

TOWN, VILLAGES = "23824", COMMUNE
DISTRICT, DAY = "630", "2024-01-24"
CODES = get_standard(STANDARD).indicator_codes
READER = ("households.read", "households.write", "reviews.decide", "simulations.write")
REGISTER = ("households", "decisions", "changes", "reviews", "villages", "populations", "outbox", "journal")
Rules = dict[str, Any]


async def run(commune: Commune) -> None:
    """Let the background work do all that waits."""
    simulator = Simulator(commune.app.state.settings)
    while await simulator.round(commune.app.state.engine):
        pass


async def ask(commune: Commune, rules: Rules, status: int = 202, area: str = COMMUNE, day: str = DAY) -> Any:
    given = {"title": "Thử", "area": area, "day": day, "rules": {"standard": STANDARD} | rules}
    return await commune.ask("POST", "/v1/simulations", status, json=given)


async def simulate(commune: Commune, rules: Rules, area: str = COMMUNE, day: str = DAY) -> Any:
    """The results of a rule set over an area."""
    asked = await ask(commune, rules, area=area, day=day)
    await run(commune)
    found = await commune.ask("GET", f"/v1/simulations/{asked['id']}")
    assert found["state"] == "DONE", found["failure"]
    return found


async def decided(commune: Commune, review: str, code: str, b1: int, *flags: str) -> str:
    """A household decided on by its deprived indicators; returns its id."""
    household = await commune.register(code=code, head_name=f"Đinh Văn {code}", village=f"{commune.code}.01")
    await decide(commune, review, household, b1, flags)
    return household


async def decide(
    commune: Commune,
    review: str,
    household: str,
    b1: int,
    flags: Sequence[str] | None,
    *,
    b2: int | None = None,
) -> Any:
    given = {"household_id": household, "members": 4, "b1_points": b1, "b2_points": b2}
    if flags is not None:
        given["deprivations"] = list(flags)
    return await commune.ask("POST", f"/v1/reviews/{review}/results", 201, json=given)


async def one(commune: Commune, query: str, **given: Any) -> Any:
    async with commune.app.state.engine.begin() as conn:
        return (await conn.execute(sa.text(query), given)).scalar()


# Against a plain evaluation, household by household.


@dataclass(frozen=True)
class Facts:
    """One official decision as a reviewer gave it."""

    valid_from: str
    area_type: AreaType
    b1: int
    b2: int
    flags: tuple[str, ...] | None
    household_class: HouseholdClass


@dataclass
class District:
    """A town and a rural commune, and all that was decided there."""

    officers: Mapping[str, Commune]
    households: Mapping[str, str]
    decisions: dict[str, list[Facts]] = field(default_factory=dict)
    days: int = 0

    async def review(self, facts: Sequence[tuple[int, tuple[str, ...] | None, int]]) -> str:
        """Decide on as many households as there are facts, on the next day; returns the day."""
        self.days += 1
        on = (dt.date(2023, 3, 1) + dt.timedelta(days=self.days)).isoformat()
        opened = {
            code: await officer.open_review(2023, kind="REGULAR", decided_on=on)
            for code, officer in self.officers.items()
        }
        for (household, code), (b1, flags, total) in zip(self.households.items(), facts, strict=False):
            b2 = 10 * len(flags) if flags is not None else 10 * total
            officer = self.officers[code]
            found = await decide(
                officer, opened[code], household, b1, flags, b2=None if flags is not None else b2
            )
            area_type = AreaType.URBAN if code == TOWN else AreaType.RURAL
            taken = Facts(on, area_type, b1, b2, flags, HouseholdClass(found["class"]))
            self.decisions.setdefault(household, []).append(taken)
        return on

    def expected(self, rules: RuleSet, day: str) -> dict[str, Any]:
        """What the rules say of each household by itself: counts, changes, deprived indicators."""
        counts: Counter[tuple[Any, ...]] = Counter()
        deprived: Counter[tuple[Any, ...]] = Counter()
        changes = {}
        for household, commune in self.households.items():
            known = [each for each in self.decisions.get(household, ()) if each.valid_from <= day]
            if not known:
                counts[commune, None, None, None, "NO_DECISION"] += 1
                continue
            facts = known[-1]
            before = facts.household_class
            verdict = rules.judge(STANDARD, facts.area_type, facts.b1, facts.b2, facts.flags)
            if isinstance(verdict, Undecided):
                counts[commune, facts.area_type, before, None, verdict] += 1
                continue
            counts[commune, facts.area_type, before, verdict, None] += 1
            deprived.update((flag, before, verdict) for flag in facts.flags or ())
            if change := list_change(before, verdict):
                changes[household] = (before, verdict, change)
        return {"counts": counts, "deprived": deprived, "changes": changes}


FLAGS = st.lists(st.sampled_from(CODES), unique=True, max_size=6).map(
    lambda found: tuple(code for code in CODES if code in found)
)
FACTS = st.tuples(
    st.sampled_from((0, 120, 140, 141, 150, 160, 175, 176, 180, 190)), st.none() | FLAGS, st.integers(0, 12)
)
THRESHOLDS = st.fixed_dictionaries({"RURAL": st.integers(100, 200), "URBAN": st.integers(100, 200)})
CHOSEN = st.lists(st.sampled_from(CODES), unique=True, min_size=4).flatmap(
    lambda codes: st.tuples(*(st.tuples(st.just(code), st.none() | st.integers(5, 30)) for code in codes))
)
RULES = st.fixed_dictionaries(
    {},
    optional={
        "b1_thresholds": THRESHOLDS,
        "b2_threshold": st.integers(1, 20),
        "points_per_indicator": st.integers(5, 20),
        "indicators": CHOSEN,
    },
)  # fmt: skip


def for_domain(rules: Rules) -> RuleSet:
    lines = rules.get("b1_thresholds")
    return rule_set(
        RuleSetGiven(
            STANDARD,
            lines and {AreaType(area): points for area, points in lines.items()},
            rules.get("b2_threshold"),
            rules.get("points_per_indicator"),
            rules.get("indicators"),
        )
    )


def as_sent(rules: Rules) -> Rules:
    chosen = rules.get("indicators")
    given = None if chosen is None else [{"code": code, "points": points} for code, points in chosen]
    return rules | {"indicators": given}


async def found_by(officer: Commune, simulation: Any) -> dict[str, Any]:
    """What the service says, in the form of `District.expected`."""
    path = f"/v1/simulations/{simulation['id']}"
    communes = (await officer.ask("GET", f"{path}/communes"))["items"]
    changes = (await officer.ask("GET", f"{path}/changes", params={"limit": 500}))["items"]
    return {
        "counts": Counter(
            {
                (
                    commune["commune"],
                    *(each[part] for part in ("area_type", "class_before", "class_after", "undecided")),
                ): each["households"]
                for commune in communes
                for each in commune["outcomes"]
            }
        ),
        "deprived": Counter(
            {
                (each["indicator"], each["class_before"], each["class_after"]): each["households"]
                for each in simulation["deprived"]
            }
        ),
        "changes": {
            each["household_id"]: (each["class_before"], each["class_after"], each["change"])
            for each in changes
        },
    }


async def sheets(commune: Commune, simulation: str, name: str) -> list[tuple[Any, ...]]:
    """The rows of a sheet of the workbook as a spreadsheet reads them."""
    answer = await commune.client.get(f"/v1/simulations/{simulation}/results.xlsx?purpose=STANDARD_TRIAL")
    assert answer.status_code == 200, answer.text
    page = load_workbook(io.BytesIO(answer.content))[name]
    return [tuple(cell.value for cell in line) for line in page.iter_rows()]
