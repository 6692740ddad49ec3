"""A rule set is tried out on what stands: late, corrected and annulled decisions as they are known now."""

from typing import Any

from tests.households.officer import OTHER, STANDARD, Commune, row
from tests.households.trying_out import CODES, decide, one, simulate

UNCOMBINED = "select count(*) from decisions where combination_id is null"
BORN = {"members": 5, "reason": "BIRTH", "on": "2023-06-01"}


async def regular(officer: Commune, day: str) -> str:
    return await officer.open_review(int(day[:4]), kind="REGULAR", decided_on=day)


async def outcomes(officer: Commune, day: str) -> list[tuple[Any, ...]]:
    """Class before, or why nothing is decided, with persons and how many households' indicators are known."""
    found = await simulate(officer, {}, day=day)
    parts = ("class_before", "undecided", "persons", "with_indicators")
    return [tuple(each[part] for part in parts) for each in found["outcomes"]]


async def test_late_corrected_and_annulled_decisions_are_judged_as_they_stand(commune: Commune) -> None:
    household = await commune.register()
    first = await decide(commune, await regular(commune, "2023-03-01"), household, 120, CODES[:4])
    await decide(commune, await regular(commune, "2022-03-01"), household, 200, CODES[:1])

    assert await one(commune, UNCOMBINED) == 0
    assert await outcomes(commune, "2022-01-31") == [(None, "NO_DECISION", 4, 0)]
    assert await outcomes(commune, "2022-06-01") == [("NOT_POOR", None, 4, 1)]
    assert await outcomes(commune, "2023-03-01") == [("POOR", None, 4, 1)]

    right = {"members": 3, "b1_points": 120, "deprivations": list(CODES[:2]), "reason": "Nhầm phiếu"}
    path = f"/v1/decisions/{first['decision_id']}/corrections"
    other = await commune.ask("POST", path, 201, json=right | {"decided_on": "2023-04-01"})

    assert await one(commune, UNCOMBINED) == 0
    assert await outcomes(commune, "2023-03-01") == [("NEAR_POOR", None, 3, 1)]

    path = f"/v1/decisions/{other['decision_id']}/annulment"
    await commune.ask("POST", path, 201, json={"reason": "Nhầm hộ"})

    assert await outcomes(commune, "2023-03-01") == [("NOT_POOR", None, 4, 1)]


async def test_late_rows_of_a_file_have_their_combination_at_once(commune: Commune) -> None:
    head = {"code": "H001", "b2_points": None}
    await commune.import_rows(
        await commune.open_review(2023), row(1, "Đinh Một", deprivations=CODES[:4], **head)
    )
    late = await commune.import_rows(
        await regular(commune, "2023-03-01"), row(1, "Đinh Một", deprivations=CODES[:1], **head)
    )

    assert late["applied"] == 1
    assert await one(commune, UNCOMBINED) == 0
    assert await outcomes(commune, "2023-06-01") == [("NEAR_POOR", None, 4, 1)]
    assert await outcomes(commune, "2024-01-24") == [("POOR", None, 4, 1)]


async def test_persons_are_those_of_the_day(commune: Commune) -> None:
    household = await commune.register()
    await decide(commune, await regular(commune, "2023-03-01"), household, 120, CODES[:4])
    await commune.ask("POST", f"/v1/households/{household}/sizes", 201, json=BORN)

    assert await outcomes(commune, "2023-05-31") == [("POOR", None, 4, 1)]
    assert await outcomes(commune, "2023-06-01") == [("POOR", None, 5, 1)]


async def test_a_class_from_outside_rests_on_no_decision_from_before(commune: Commune) -> None:
    household = await commune.register()
    await decide(commune, await regular(commune, "2022-03-01"), household, 120, CODES[:4])
    gone = {"reason": "MOVED_OUT", "on": "2022-09-01"}
    await commune.ask("POST", f"/v1/households/{household}/closure", 201, json=gone)
    back = {"commune": commune.code, "village": f"{commune.code}.02", "members": 3, "class": "NOT_POOR"}
    back |= {"standard": STANDARD, "on": "2023-01-10", "from_commune": OTHER}
    await commune.ask("POST", f"/v1/households/{household}/returns", 201, json=back)

    assert await outcomes(commune, "2022-08-31") == [("POOR", None, 4, 1)]
    assert await outcomes(commune, "2022-12-31") == []
    assert await outcomes(commune, "2023-01-10") == [(None, "NO_DECISION", 3, 0)]
