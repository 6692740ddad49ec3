"""Lists narrowed in tests: households with decisions, and who is listed, or in the file, by which filters."""

import csv
from typing import Any

from tests.households.officer import Commune

LIST = "/v1/households"
FLAGS = (
    ("WATER_SOURCE", "HYGIENIC_TOILET", "EMPLOYMENT"),
    ("WATER_SOURCE", "NUTRITION", "HOUSING_AREA", "EMPLOYMENT"),
    ("HYGIENIC_TOILET",),
    (),
)
CAUSES = (("NO_LAND", "ILLNESS"), ("NO_CAPITAL",), ("ILLNESS",), ())


async def listed(officer: Commune, **asked: Any) -> set[str]:
    """The households that a list with these filters has."""
    found = [each["id"] for each in await officer.households(**asked)]
    assert len(found) == len(set(found))
    return set(found)


async def decide(  # noqa: PLR0917 -- what is decided
    officer: Commune,
    household: str,
    day: str,
    flags: tuple[str, ...] = (),
    b1: int = 120,
    causes: tuple[str, ...] = (),
) -> Any:
    """An official decision by its deprived indicators and with its causes, in a review of its own day."""
    review = await officer.open_review(int(day[:4]), kind="REGULAR", decided_on=day)
    points = 10 * len(flags)
    said = {"deprivations": list(flags), "causes": list(causes)}
    return await officer.decide(review, household, b1, points, **said)


async def in_file(officer: Commune, **asked: Any) -> set[str]:
    """The households of the same list as a file."""
    answer = await officer.client.get(f"{LIST}.csv", params={**asked, "purpose": "POLICY"})
    assert answer.status_code == 200, answer.text
    found = [row["Mã hệ thống"] for row in csv.DictReader(answer.content.decode("utf-8-sig").splitlines())]
    assert len(found) == len(set(found))
    return set(found)
