"""Keyset paging: a page is found by the last row of the one before it, however long the list grows."""

import base64
import binascii
import datetime as dt
import json
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Generic, TypeVar

import sqlalchemy as sa
from fastapi import Query
from pydantic import BaseModel, Field

from benvung.problems import Problem

T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=500, description="items per page")]
After = Annotated[
    str | None, Query(max_length=1000, description="`next` of the page before; empty = the first page")
]


class Page(BaseModel, Generic[T]):
    """One page of a list, and the cursor of the page after it."""

    items: list[T]
    next: str | None = Field(description="cursor for `after`; null = this is the last page")


class CursorUnknown(Problem):
    """The cursor in `after` was not given out by this list."""

    status, rule = 422, "cursor-unknown"
    title_vi, title_en = "Con trỏ trang không hợp lệ", "The page cursor is not valid"

    def __init__(self) -> None:
        super().__init__(
            "Hãy dùng nguyên giá trị `next` của trang trước, hoặc bỏ `after` để về trang đầu.",
            "Use the `next` of the page before as it is, or leave `after` out to start again.",
        )


def keyset(
    query: sa.Select[Any], columns: Sequence[sa.ColumnElement[Any]], cursor: str | None, limit: int
) -> sa.Select[Any]:
    """Order `query` by `columns`, start behind `cursor`, and read one row more than `limit`.

    The columns together must be unique, must not be null, and must be selected by the query. Raises
    `CursorUnknown`.
    """
    if cursor:
        values = _decode(cursor, columns)
        bound = [sa.literal(value, column.type) for value, column in zip(values, columns, strict=True)]
        query = query.where(*_behind(columns, bound))
    return query.order_by(*columns).limit(limit + 1)


def _behind(
    columns: Sequence[sa.ColumnElement[Any]], bound: Sequence[sa.ColumnElement[Any]]
) -> list[sa.ColumnElement[bool]]:
    """What of a list is behind a place in it, said so that PostgreSQL knows how much that is.

    An index begins at the first column's bound, and of the rows that share its value those before the place are
    read in vain. A comparison of whole rows beside that bound would be counted a second time by the planner,
    which then expects hardly anything behind a late place, and sorts the half of the list that is there.
    """
    if len(columns) == 1:
        return [columns[0] > bound[0]]
    before = sa.tuple_(*columns[1:]) <= sa.tuple_(*bound[1:])
    return [columns[0] >= bound[0], ~sa.and_(columns[0] == bound[0], before)]


def split(
    rows: Sequence[sa.Row[Any]], columns: Sequence[sa.ColumnElement[Any]], limit: int
) -> tuple[Sequence[sa.Row[Any]], str | None]:
    """The rows of one page out of what a `keyset` query returned, and the cursor of the next page."""
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], _encode([getattr(last, str(column.key)) for column in columns])


def _encode(values: Sequence[Any]) -> str:
    text = json.dumps([value if isinstance(value, int) else str(value) for value in values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str, columns: Sequence[sa.ColumnElement[Any]]) -> list[Any]:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        values = json.loads(text)
        if not isinstance(values, list) or len(values) != len(columns):
            raise CursorUnknown
        return [
            _READERS[column.type.python_type](value) for value, column in zip(values, columns, strict=True)
        ]
    except (binascii.Error, ValueError, TypeError, RecursionError, InvalidOperation) as error:
        raise CursorUnknown from error


def _text(value: object) -> str:
    if not isinstance(value, str) or "\0" in value or not value.isprintable():
        raise ValueError("not a text")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**63) <= value < 2**63:
        raise ValueError("not a whole number")
    return value


def _of_text(read: Callable[[str], Any]) -> Callable[[object], Any]:
    return lambda value: read(_text(value))


_READERS: dict[type, Callable[[object], Any]] = {
    str: _text,
    int: _whole,
    uuid.UUID: _of_text(uuid.UUID),
    dt.date: _of_text(dt.date.fromisoformat),
    dt.datetime: _of_text(dt.datetime.fromisoformat),
    Decimal: _of_text(Decimal),
}
