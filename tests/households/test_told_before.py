"""The migration that brought tellings works out from decisions and changes what was told of them until then."""

import importlib.util
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from tests.households.officer import COMMUNE, OTHER, STANDARD, Commune, SignIn, row

from benvung.testing import Engine
from households import main

WORKED_OUT = (
    *("sequence", "fact", "leg", "household_id", "kind", "stage", "holds_from", "province", "commune"),
    *("village", "members", "status", "class", "standard", "class_since", "left_list_on", "left_list_from"),
    *("preliminary_class", "previous_class", "previous_standard", "previous_members", "movement", "replaces"),
)


def migration() -> Any:
    path = Path(main.__file__).parents[2] / "migrations" / "versions" / "0004_tellings.py"
    spec = importlib.util.spec_from_file_location("tellings", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_what_was_told_in_time_is_worked_out_as_it_was_told(
    commune: Commune, signed_in: SignIn, engine: Engine
) -> None:
    officer = Commune(commune.app, signed_in("630"), commune.folder)
    await Commune(commune.app, officer.client, commune.folder, OTHER).list_villages("Làng Xa")
    moving, ending, waiting = [await officer.register(members=n) for n in (4, 3, 2)]
    for year, points in ((2022, (120, 40)), (2023, (200, 0)), (2024, (120, 10))):
        early = await officer.open_review(year, "PRELIMINARY", decided_on=f"{year}-11-01")
        await officer.decide(early, moving, 120, 10, members=4)
        review = await officer.open_review(year)
        await officer.import_rows(review, row(7, "Đinh Bảy", b1_points=points[0], b2_points=points[1]))
        await officer.decide(review, moving, *points, members=5)
        if year == 2022:
            await officer.decide(review, ending, *points, members=3)
            closed = {"reason": "DEATH", "on": "2023-05-01"}
            await officer.ask("POST", f"/v1/households/{ending}/closure", 201, json=closed)
    gone = {"reason": "MOVED_OUT", "on": "2024-05-01"}
    await officer.ask("POST", f"/v1/households/{waiting}/closure", 201, json=gone)
    moved = {"to_commune": OTHER, "to_village": f"{OTHER}.01", "on": "2025-01-10"}
    await officer.ask("POST", f"/v1/households/{moving}/moves", 201, json=moved)
    arrival = {"commune": COMMUNE, "village": f"{COMMUNE}.02", "head_name": "Siu Đến", "members": 3}
    held = {"class": "POOR", "standard": STANDARD, "on": "2023-03-01", "certificate": "12/GCN"}
    await officer.ask("POST", "/v1/arrivals", 201, json=arrival | held)

    columns = sa.text(f"select {', '.join(WORKED_OUT)} from tellings order by sequence")
    async with engine("households").connect() as conn:
        told = (await conn.execute(columns)).all()
        await conn.execute(sa.text("alter table tellings disable trigger facts_stay_as_written"))
        await conn.execute(sa.text("delete from tellings"))
        await conn.execute(sa.text(migration().TOLD))
        worked_out = (await conn.execute(columns)).all()
        await conn.rollback()

    assert len(told) == 18
    different = [
        (told_one.kind, name, was, now)
        for told_one, made in zip(told, worked_out, strict=True)
        for name, was, now in zip(WORKED_OUT, told_one, made, strict=True)
        if was != now
    ]
    assert different == []
