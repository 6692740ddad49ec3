"""What is told of a class last does not depend on when a reorganisation before it was recorded."""

import asyncio
import datetime as dt
import importlib.util
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise, permutations
from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from tests.training.test_api import organised, planned
from tests.training.test_reorganised_areas import (
    AFTER,
    AREAS,
    DIVIDED,
    HALVES,
    KEPT,
    MERGED,
    MOVED,
    NEW_CODE,
    OTHER_PROVINCE,
    new,
    told,
    units,
)

from benvung import areas, clock
from benvung.areas import Unit
from benvung.reorganised import Keeper
from benvung.testing import Engine, deliver, emitted
from training import main, store
from training.actions import tell_again
from training.events import ClassCompleted

SignIn = Callable[..., httpx2.AsyncClient]
Where = tuple[str, str | None, str | None]

# A second reorganisation, some days after the first: the halves are one commune again, and two others merge.
LATER, WHOLE, LARGE = dt.date(2026, 3, 8), "98004", "98005"
CODES = (KEPT, MERGED, DIVIDED, MOVED)

pytestmark = pytest.mark.usefixtures("units_as_listed")


def units_later() -> list[Unit]:
    halves = [replace(new(code, DIVIDED), valid_to=LATER) for code in HALVES]
    moved = replace(new(NEW_CODE, MOVED, province=OTHER_PROVINCE), valid_to=LATER)
    kept = replace(new(KEPT, KEPT, MERGED), valid_to=LATER)
    whole = replace(new(WHOLE, *HALVES), valid_from=LATER)
    large = replace(new(LARGE, NEW_CODE, KEPT, province=OTHER_PROVINCE), valid_from=LATER)
    return [*halves, moved, kept, whole, large]


async def plan(signed_in: SignIn, *codes: str, on: str = "2026-02-10") -> dict[str, str]:
    """A class for each of these communes, planned while they were all there."""
    made = {}
    for code in codes:
        found = await planned(
            signed_in("VN"),
            organiser=organised("COMMUNE", code),
            component="DA7.1",
            planned_from=on,
            topics=[{"number": "90/QĐ-TTg"}],
        )
        made[code] = str(found["id"])
    return made


async def complete(signed_in: SignIn, ids: dict[str, str], on: str = "2026-03-12") -> None:
    clock.fix(AFTER)
    result = {"held_on": on, "participants": 30, "count_qualifier": "EXACT"}
    for class_id in ids.values():
        answer = await signed_in("VN").post(f"/v1/classes/{class_id}/completion", json=result)
        assert answer.status_code == 200, answer.text


async def hear(engine: Engine, sequence: int, listed: Sequence[Unit]) -> None:
    """Training hears of a reorganisation; its processes do not know yet what is written down."""
    async with engine("training").begin() as conn:
        await deliver(conn, AREAS, [(sequence, told(listed))])


async def learn(engine: Engine) -> None:
    """A process learns what is written down, as each does every second."""
    await Keeper(then=tell_again).round(engine("training"))


async def tellings(engine: Engine) -> dict[uuid.UUID, list[ClassCompleted]]:
    async with engine("training").connect() as conn:
        found: dict[uuid.UUID, list[ClassCompleted]] = {}
        for each in await emitted(conn, ClassCompleted):
            found.setdefault(each.class_id, []).append(each)
        return found


async def last_told(engine: Engine, ids: dict[str, str]) -> dict[str, Where]:
    found = await tellings(engine)
    for each in found.values():
        assert [event.revision for event in each] == list(range(1, len(each) + 1))
        assert all(now.area != before.area for before, now in pairwise(each))
    last = {code: found[uuid.UUID(class_id)][-1] for code, class_id in ids.items()}
    return {code: (each.area, each.province, each.commune) for code, each in last.items()}


@pytest.mark.parametrize("order", [*permutations(("complete", "first", "second"))], ids="-".join)
async def test_what_is_told_last_is_the_same_in_whatever_order_things_become_known(
    signed_in: SignIn, engine: Engine, order: Sequence[str]
) -> None:
    ids = await plan(signed_in, *CODES)
    for step in order:
        if step == "complete":
            await complete(signed_in, ids)
        else:
            await hear(engine, *((41, units()) if step == "first" else (42, units_later())))
            await learn(engine)

    assert await last_told(engine, ids) == {
        KEPT: (LARGE, OTHER_PROVINCE, LARGE),
        MERGED: (LARGE, OTHER_PROVINCE, LARGE),
        DIVIDED: (WHOLE, "52", WHOLE),
        MOVED: (LARGE, OTHER_PROVINCE, LARGE),
    }
    listed = await signed_in("VN").get("/v1/classes", params={"area": LARGE})
    assert {each["id"] for each in listed.json()["items"]} == {ids[KEPT], ids[MERGED], ids[MOVED]}


async def test_a_class_of_a_commune_that_was_divided_is_told_again_under_what_holds_its_parts(
    signed_in: SignIn, engine: Engine
) -> None:
    ids = await plan(signed_in, DIVIDED)
    await complete(signed_in, ids)
    assert await last_told(engine, ids) == {DIVIDED: (DIVIDED, "52", DIVIDED)}

    await hear(engine, 41, units())
    await learn(engine)

    assert await last_told(engine, ids) == {DIVIDED: ("52", "52", None)}
    assert (await signed_in("VN").get(f"/v1/classes/{ids[DIVIDED]}")).json()["area"] == DIVIDED


async def test_a_class_is_told_again_once_however_often_and_by_how_many_processes(
    signed_in: SignIn, engine: Engine
) -> None:
    ids = await plan(signed_in, MERGED, MOVED)
    await complete(signed_in, ids)
    for _ in range(2):
        await hear(engine, 41, units())
        await asyncio.gather(*(learn(engine) for _ in range(4)))

    assert [len(each) for each in (await tellings(engine)).values()] == [2, 2]
    async with engine("training").connect() as conn:
        query = "select principal, entity_id from audit where action = 'tell_again' order by 2"
        audited = [tuple(row) for row in await conn.execute(sa.text(query))]
    assert audited == [("system", each) for each in sorted(ids.values())]


async def test_a_class_held_before_the_reorganisation_stays_where_it_was(
    signed_in: SignIn, engine: Engine
) -> None:
    ids = await plan(signed_in, *CODES)
    await complete(signed_in, ids, on="2026-02-28")
    await hear(engine, 41, units())
    await learn(engine)

    assert [len(each) for each in (await tellings(engine)).values()] == [1] * len(CODES)
    assert await last_told(engine, ids) == {code: (code, "52", code) for code in CODES}


async def test_a_reorganisation_that_no_longer_holds_puts_classes_back(
    signed_in: SignIn, engine: Engine
) -> None:
    ids = await plan(signed_in, *CODES)
    await complete(signed_in, ids)
    await hear(engine, 41, units())
    await learn(engine)
    async with engine("training").begin() as conn:
        await conn.execute(sa.text("delete from reorganised_areas"))
    await learn(engine)

    assert await last_told(engine, ids) == {code: (code, "52", code) for code in CODES}
    listed = await signed_in("VN").get("/v1/classes", params={"area": MERGED})
    assert [each["id"] for each in listed.json()["items"]] == [ids[MERGED]]


async def test_a_process_that_has_not_learnt_yet_tells_a_class_where_it_was_held(
    signed_in: SignIn, engine: Engine
) -> None:
    ids = await plan(signed_in, *CODES)
    await hear(engine, 41, units())
    await complete(signed_in, ids)

    assert [len(each) for each in (await tellings(engine)).values()] == [1] * len(CODES)
    assert await last_told(engine, ids) == {
        KEPT: (KEPT, "52", KEPT),
        MERGED: (KEPT, "52", KEPT),
        DIVIDED: ("52", "52", None),
        MOVED: (NEW_CODE, OTHER_PROVINCE, NEW_CODE),
    }


async def test_a_reorganisation_waits_for_a_class_that_is_being_told(engine: Engine) -> None:
    async with engine("training").begin() as conn:
        await store.hold_units(conn)
        hearing = asyncio.create_task(hear(engine, 41, units()))
        done, _ = await asyncio.wait({hearing}, timeout=0.5)
        assert not done
    await hearing


async def test_units_that_were_made_anew_are_learnt_though_they_end_alike(engine: Engine) -> None:
    keeper = Keeper()
    await hear(engine, 41, units())
    await keeper.round(engine("training"))
    async with engine("training").begin() as conn:
        await conn.execute(sa.text("alter table reorganised_areas rename to replaced"))
        await conn.execute(sa.text("create table reorganised_areas (like replaced including all)"))
        copied = "insert into reorganised_areas select code, begins, sequence, unit || cast(:more as jsonb)"
        await conn.execute(sa.text(f"{copied} from replaced"), {"more": '{"unit_name": "Xã Đổi Tên"}'})
        await conn.execute(sa.text("drop table replaced"))
    await keeper.round(engine("training"))

    found = areas.find(NEW_CODE, AFTER)
    assert found is not None
    assert found.name == "Xã Đổi Tên"


@pytest.mark.parametrize("told_from", ["outbox", "journal"])
async def test_the_migration_reads_what_was_told_of_classes_before_it(
    signed_in: SignIn, engine: Engine, told_from: str
) -> None:
    ids = await plan(signed_in, DIVIDED, MERGED, KEPT, on="2026-03-05")
    del ids[KEPT]
    await complete(signed_in, ids)
    await hear(engine, 41, units())
    await learn(engine)
    columns = sa.text("select id, told_area, told_province, told_commune from classes order by id")
    async with engine("training").connect() as conn:
        if told_from == "journal":
            moved = (
                "with sent as (delete from outbox returning *) insert into journal select id, stream, id,"
                " subject, event_id, event_type, payload from sent"
            )
            await conn.execute(sa.text(moved))
        before = (await conn.execute(columns)).all()
        await conn.run_sync(again)
        after = (await conn.execute(columns)).all()
        await conn.rollback()

    assert {row.told_area for row in before} == {"52", KEPT, None}
    assert after == before


def again(conn: sa.Connection) -> None:
    """The migration that brought it is undone and done once more."""
    path = Path(main.__file__).parents[2] / "migrations" / "versions" / "0004_told_again.py"
    spec = importlib.util.spec_from_file_location("told_again", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with Operations.context(MigrationContext.configure(conn)):
        module.downgrade()
        module.upgrade()
