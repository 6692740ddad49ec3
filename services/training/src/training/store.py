"""Rows to classes and back: the only place in training that runs SQL."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import areas, clock, paging, reorganised
from benvung.auth import Principal
from training.domain import (
    Count,
    Document,
    Form,
    Level,
    Organiser,
    Qualifier,
    State,
    Told,
    TrainingClass,
)
from training.tables import classes, topics

PAGE = 1000


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to. Dates ask for classes planned or held to touch the days between them.

    By the units of `then`, `area` is a code of the day of each class; by those of `now`, of the business date.
    """

    area: str | None = None
    geography: Literal["then", "now"] = "then"
    component: str | None = None
    form: Form | None = None
    state: State | None = None
    topic: str | None = None
    first: date | None = None
    last: date | None = None


async def add(conn: AsyncConnection, planned: TrainingClass, path: Sequence[str]) -> None:
    """Store a new class. `path` is its area and every unit above it on the day of the class."""
    await conn.execute(sa.insert(classes).values(_row(planned) | {"path": list(path)}))
    await conn.execute(
        sa.insert(topics),
        [
            {
                "class_id": planned.id,
                "position": position,
                "number": topic.number,
                "issued_on": topic.issued_on,
                "issuer": topic.issuer,
                "title": topic.title,
            }
            for position, topic in enumerate(planned.topics)
        ],
    )


async def load(
    conn: AsyncConnection, class_id: UUID, principal: Principal, *, lock: bool = False
) -> TrainingClass | None:
    """The class, or `None` when there is none that the principal may see."""
    query = sa.select(classes).where(classes.c.id == class_id, visible_to(principal))
    row = (await conn.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        return None
    return _class(row, (await _topics(conn, [class_id]))[class_id])


async def hold_units(conn: AsyncConnection) -> None:
    """Until the transaction ends nobody writes down what units became; call it before rows are locked.

    A class is told by the units known then, and whoever learns of others afterwards finds it told.
    """
    await conn.execute(sa.text("lock table reorganised_areas in share mode"))


async def held(conn: AsyncConnection, since: date | None) -> AsyncIterator[list[TrainingClass]]:
    """Pages of the classes held on that day or later, and of those that once lay elsewhere; without topics."""
    lies_elsewhere = sa.or_(
        classes.c.area != classes.c.planned_area,
        classes.c.area_begins != classes.c.planned_area_begins,
        classes.c.told_area != classes.c.area,
    )
    concerned = lies_elsewhere if since is None else sa.or_(classes.c.held_on >= since, lies_elsewhere)
    query = sa.select(classes).where(classes.c.state == State.COMPLETED, concerned)
    query = query.order_by(classes.c.id).limit(PAGE)
    rows = (await conn.execute(query)).all()
    while rows:
        yield [_class(row, ()) for row in rows]
        rows = (await conn.execute(query.where(classes.c.id > rows[-1].id))).all()


async def load_each(conn: AsyncConnection, ids: Collection[UUID]) -> list[TrainingClass]:
    """These classes, whoever may see them, their rows locked in one order."""
    query = sa.select(classes).where(classes.c.id.in_(sorted(ids))).order_by(classes.c.id).with_for_update()
    rows = (await conn.execute(query)).all()
    taught = await _topics(conn, [row.id for row in rows])
    return [_class(row, taught[row.id]) for row in rows]


async def save_result(conn: AsyncConnection, held: TrainingClass, path: Sequence[str] | None) -> None:
    """Store that a class was held, and where. Its row is locked by the caller; no `path` = it lies as before."""
    row = _row(held)
    result = {name: row[name] for name in RESULT}
    if path is not None:
        result |= {name: row[name] for name in PLACE} | {"path": list(path)}
    await conn.execute(sa.update(classes).where(classes.c.id == held.id).values(result))


async def page(
    conn: AsyncConnection, filters: Filters, principal: Principal, after: str | None, limit: int
) -> tuple[list[TrainingClass], str | None]:
    """Classes the principal may see, oldest plan first, and the cursor of the next page."""
    columns = (classes.c.planned_from, classes.c.id)
    query = sa.select(classes).where(visible_to(principal), *_conditions(filters))
    rows = (await conn.execute(paging.keyset(query, columns, after, limit))).all()
    shown, following = paging.split(rows, columns, limit)
    taught = await _topics(conn, [row.id for row in shown])
    return [_class(row, taught[row.id]) for row in shown], following


TOLD = ("told_area", "told_province", "told_commune", "revision")
RESULT = ("state", "held_on", "ended_on", "participants", "count_qualifier", *TOLD)
PLACE = ("area", "area_begins", "province", "commune")


def visible_to(principal: Principal) -> sa.ColumnElement[bool]:
    """A class is seen and changed by those whose areas contain its area.

    Areas are the units of the business date, and hold what they were made from as far as nothing of it went
    elsewhere: a class of a former district is its province's, one of a commune that was divided is whose
    areas hold all its parts, and one of an earlier unit that merely had the same code is not theirs.
    """
    if areas.COUNTRY in principal.areas:
        return sa.true()
    return _for(areas.wholly_in(principal.areas, clock.today()))


def _in_area(area: str, geography: Literal["then", "now"]) -> sa.ColumnElement[bool]:
    if geography == "then" or area == areas.COUNTRY:
        return classes.c.path.contains([area])
    return _for(areas.wholly_in((area,), clock.today()))


def _for(found: Collection[areas.Unit]) -> sa.ColumnElement[bool]:
    """Classes that are for one of these units, which a code alone would not say."""
    # Two array parameters, so that every scope shares one prepared statement.
    listed = sorted((unit.code, unit.valid_from or reorganised.EVER) for unit in found)
    codes = sa.literal([code for code, _ in listed], pg.ARRAY(sa.Text))
    begins = sa.literal([day for _, day in listed], pg.ARRAY(sa.Date))
    columns = (sa.column("code", sa.Text), sa.column("begins", sa.Date))
    inside = sa.func.unnest(codes, begins).table_valued(*columns).render_derived("inside")
    return sa.tuple_(classes.c.area, classes.c.area_begins).in_(sa.select(inside.c.code, inside.c.begins))


def _conditions(filters: Filters) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if filters.area is not None:
        found.append(_in_area(filters.area, filters.geography))
    if filters.component is not None:
        found.append(classes.c.component == filters.component)
    if filters.form is not None:
        found.append(classes.c.form == filters.form)
    if filters.state is not None:
        found.append(classes.c.state == filters.state)
    if filters.topic is not None:
        found.append(classes.c.id.in_(sa.select(topics.c.class_id).where(topics.c.number == filters.topic)))
    if filters.first is not None:
        found.append(sa.func.coalesce(classes.c.ended_on, classes.c.planned_to) >= filters.first)
    if filters.last is not None:
        found.append(sa.func.coalesce(classes.c.held_on, classes.c.planned_from) <= filters.last)
    return found


async def _topics(conn: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, tuple[Document, ...]]:
    query = sa.select(topics).where(topics.c.class_id.in_(ids)).order_by(topics.c.class_id, topics.c.position)
    found: dict[UUID, list[Document]] = {class_id: [] for class_id in ids}
    for row in await conn.execute(query):
        found[row.class_id].append(Document(row.number, row.issued_on, row.issuer, row.title))
    return {class_id: tuple(documents) for class_id, documents in found.items()}


def _row(of: TrainingClass) -> dict[str, Any]:
    return {
        "id": of.id,
        "title": of.title,
        "organiser_name": of.organiser.name,
        "organiser_level": of.organiser.level,
        "organiser_area": of.organiser.area,
        "area": of.area,
        "area_begins": of.area_begins or reorganised.EVER,
        "planned_area": of.planned_area,
        "planned_area_begins": of.planned_area_begins or reorganised.EVER,
        "province": of.province,
        "commune": of.commune,
        "component": of.component,
        "form": of.form,
        "venue": of.venue,
        "plan_number": of.plan.number if of.plan else None,
        "plan_issued_on": of.plan.issued_on if of.plan else None,
        "plan_issuer": of.plan.issuer if of.plan else None,
        "plan_title": of.plan.title if of.plan else None,
        "planned_from": of.planned_from,
        "planned_to": of.planned_to,
        "state": of.state,
        "held_on": of.held_on,
        "ended_on": of.ended_on,
        "participants": of.count.participants if of.count else None,
        "count_qualifier": of.count.qualifier if of.count else None,
        "told_area": of.told.area if of.told else None,
        "told_province": of.told.province if of.told else None,
        "told_commune": of.told.commune if of.told else None,
        "revision": of.revision,
    }


def _class(row: sa.Row[Any], taught: tuple[Document, ...]) -> TrainingClass:
    held = row.participants is not None
    return TrainingClass(
        id=row.id,
        organiser=Organiser(row.organiser_name, Level(row.organiser_level), row.organiser_area),
        area=row.area,
        area_begins=_beginning(row.area_begins),
        planned_area=row.planned_area,
        planned_area_begins=_beginning(row.planned_area_begins),
        province=row.province,
        commune=row.commune,
        component=row.component,
        form=Form(row.form),
        title=row.title,
        topics=taught,
        plan=_plan(row),
        venue=row.venue,
        planned_from=row.planned_from,
        planned_to=row.planned_to,
        state=State(row.state),
        held_on=row.held_on,
        ended_on=row.ended_on,
        count=Count(row.participants, Qualifier(row.count_qualifier)) if held else None,
        told=Told(row.told_area, row.told_province, row.told_commune) if held else None,
        revision=row.revision,
    )


def _beginning(kept: date) -> date | None:
    return None if kept == reorganised.EVER else kept


def _plan(row: sa.Row[Any]) -> Document | None:
    if row.plan_number is None:
        return None
    return Document(row.plan_number, row.plan_issued_on, row.plan_issuer, row.plan_title)
