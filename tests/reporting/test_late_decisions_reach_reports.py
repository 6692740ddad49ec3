"""What the register records late or anew, as its own events tell it, moves the counts of every day concerned."""

import base64
import datetime as dt
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from tests.households.officer import COMMUNE, Commune
from tests.reporting.projections import HOUSEHOLDS, disordered

from benvung.envelope import REGISTRY, EventData, decode
from benvung.testing import App, Engine, Transaction, deliver
from reporting import store
from reporting.domain import Count

DAYS = ("2022-06-30", "2022-12-31", "2023-06-30", "2023-12-31")


async def told(engine: Engine) -> list[tuple[int, EventData]]:
    """All that the register has told, with its sequences."""
    async with engine("households").connect() as conn:
        rows = await conn.execute(sa.text("select id, event_type, payload from outbox order by id"))
        return [(row[0], REGISTRY[row[1]].model_validate(decode(row[2]).data)) for row in rows]


async def verified(officer: Commune, day: str) -> dict[str, tuple[int, int]]:
    """Households and persons by class, as the register counts them for a day."""
    found = await officer.ask("GET", "/v1/verify", params={"on": day})
    return {cls: (each["households"], each["persons"]) for cls, each in found["total"].items()}


def counted(found: store.ByCommune) -> dict[str, tuple[int, int]]:
    classes = found.get(COMMUNE, {})
    return {cls: (each.households, each.persons) for cls, each in classes.items() if each != Count()}


async def regular(officer: Commune, day: str) -> str:
    return await officer.open_review(int(day[:4]), kind="REGULAR", decided_on=day)


async def test_counts_of_every_day_agree_after_late_decisions_corrections_and_splits(
    app: App, engine: Engine, transaction: Transaction, tmp_path: Path
) -> None:
    key = base64.b64encode(bytes(32)).decode()
    client = await app("households", data_key=key)
    officer = Commune(None, client, tmp_path)  # type: ignore[arg-type]  # files need it, and none is read here
    await officer.list_villages("Làng Một")
    first, second = await officer.register(members=5), await officer.register(members=3)

    in_time = await officer.decide(await regular(officer, "2023-03-01"), first, 120, 40, members=5)
    await officer.decide(await regular(officer, "2022-03-01"), first, 120, 10, members=4)
    wrong = await officer.decide(await regular(officer, "2022-03-01"), second, 120, 40, members=3)
    corrected = {"members": 3, "b1_points": 200, "b2_points": 0, "decided_on": "2023-01-05", "reason": "Nhầm"}
    await officer.ask("POST", f"/v1/decisions/{wrong['decision_id']}/corrections", 201, json=corrected)
    part = {"village": f"{COMMUNE}.01", "head_name": "Siu Tách", "members": 2, "on": "2022-09-01"}
    await officer.ask("POST", f"/v1/households/{first}/splits", 201, json=part)

    expected: dict[str, Any] = {
        "2022-06-30": {"NEAR_POOR": (1, 4), "NOT_POOR": (1, 3)},
        "2022-12-31": {"NEAR_POOR": (2, 4), "NOT_POOR": (1, 3)},
        "2023-06-30": {"NEAR_POOR": (1, 2), "NOT_POOR": (1, 3), "POOR": (1, 5)},
        "2023-12-31": {"NEAR_POOR": (1, 2), "NOT_POOR": (1, 3), "POOR": (1, 5)},
    }
    assert {day: await verified(officer, day) for day in DAYS} == expected
    conn = await transaction("reporting")
    for batch in disordered(await told(engine), 7):
        await deliver(conn, HOUSEHOLDS, batch)
    for day in DAYS:
        official = await store.official(conn, [COMMUNE], dt.date.fromisoformat(day))
        assert counted(official) == expected[day], day
    assert counted(await store.classes_from_states(conn, [COMMUNE])) == expected["2023-12-31"]
    assert counted(await store.classes_from_facts(conn, [COMMUNE])) == expected["2023-12-31"]

    annulled = f"/v1/decisions/{in_time['decision_id']}/annulment"
    await officer.ask("POST", annulled, 201, json={"reason": "Ghi nhầm hộ"})
    await deliver(conn, HOUSEHOLDS, await told(engine))
    official = await store.official(conn, [COMMUNE], dt.date(2023, 12, 31))
    assert (
        counted(official)
        == await verified(officer, "2023-12-31")
        == {
            "NEAR_POOR": (2, 4),
            "NOT_POOR": (1, 3),
        }
    )
