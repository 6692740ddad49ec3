"""The one way to ask for rows of several areas."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg


def within(column: sa.ColumnElement[Any], codes: Collection[str]) -> sa.ColumnElement[bool]:
    """Whether the column holds one of the codes: one array parameter, so one prepared statement for all."""
    return column == sa.any_(sa.literal(sorted(codes), pg.ARRAY(sa.Text)))
