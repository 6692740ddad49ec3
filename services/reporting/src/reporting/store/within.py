"""The ways to ask for rows of several areas."""

from collections.abc import Collection
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from benvung import areas
from benvung.areas import Unit
from benvung.reorganised import EVER


def within(column: sa.ColumnElement[Any], codes: Collection[str]) -> sa.ColumnElement[bool]:
    """Whether the column holds one of the codes: one array parameter, so one prepared statement for all."""
    return column == sa.any_(sa.literal(sorted(codes), pg.ARRAY(sa.Text)))


def units(found: Collection[Unit]) -> sa.TableValuedAlias:
    """Units as rows: `code`, and the days from `begins` to before `ends` on which it means this unit.

    What is told under a code that nobody has any more is told of who had it last.
    """
    listed = sorted((unit.code, unit.valid_from or EVER, _given_again(unit)) for unit in found)
    lists = [
        sa.literal([each[0] for each in listed], pg.ARRAY(sa.Text)),
        sa.literal([each[1] for each in listed], pg.ARRAY(sa.Date)),
        sa.literal([each[2] for each in listed], pg.ARRAY(sa.Date)),
    ]
    columns = (sa.column("code", sa.Text), sa.column("begins", sa.Date), sa.column("ends", sa.Date))
    return sa.func.unnest(*lists).table_valued(*columns).render_derived("units")


def _given_again(unit: Unit) -> date:
    ended = unit.valid_to
    return date.max if ended is None or areas.find(unit.code, ended) is None else ended


def of(
    rows: sa.TableValuedAlias, code: sa.ColumnElement[Any], day: sa.ColumnElement[Any]
) -> sa.ColumnElement[bool]:
    """Whether one of these units is the one that had the code on the day."""
    return sa.and_(code == rows.c.code, day >= rows.c.begins, day < rows.c.ends)
