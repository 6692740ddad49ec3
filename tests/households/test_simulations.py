"""A rule set tried out over the register: counts and lists that a household-by-household evaluation confirms."""

from typing import Any

from tests.households.officer import COMMUNE, STANDARD, Commune

from benvung.vault import Vault
from households.simulator import Simulator

LOADED = {"standard": STANDARD}
FLAGS = ("EMPLOYMENT", "HOUSING_QUALITY", "WATER_SOURCE", "HYGIENIC_TOILET", "NUTRITION")


async def run(commune: Commune) -> None:
    """Let the background work do all that waits."""
    simulator = Simulator(commune.app.state.settings)
    while await simulator.round(commune.app.state.engine):
        pass


async def ask(commune: Commune, status: int = 202, area: str = COMMUNE, **rules: Any) -> Any:
    given = {"title": "Thử", "area": area, "day": "2024-01-24", "rules": LOADED | rules}
    return await commune.ask("POST", "/v1/simulations", status, json=given)


async def simulate(commune: Commune, area: str = COMMUNE, **rules: Any) -> Any:
    """The results of a rule set over the commune."""
    asked = await ask(commune, area=area, **rules)
    await run(commune)
    found = await commune.ask("GET", f"/v1/simulations/{asked['id']}")
    assert found["state"] == "DONE", found["failure"]
    return found


async def decided(commune: Commune, review: str, code: str, b1: int, *flags: str, **changes: Any) -> str:
    """A household decided on by its deprived indicators; returns its id."""
    household = await commune.register(code=code, head_name=f"Đinh Văn {code}")
    given = {"b2_points": None, "deprivations": list(flags)} | changes
    await commune.decide(review, household, b1, **{"b2": given.pop("b2_points"), **given})
    return household


async def test_a_loaded_standard_changes_nothing(commune: Commune) -> None:
    review = await commune.open_review(2023)
    await decided(commune, review, "H1", 120, *FLAGS[:3])
    await decided(commune, review, "H2", 150, *FLAGS[:3])
    found = await simulate(commune)
    assert found["totals"] == {
        "households": 2, "persons": 8, "enters": 0, "leaves": 0, "between_lists": 0, "undecided": {},
    }  # fmt: skip
