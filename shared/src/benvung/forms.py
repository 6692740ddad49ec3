"""A page's form: what was typed stays when it is refused, and sent twice it happens once.

Such a form works without a script, so what a program says in headers stands in hidden fields: `once`, a new key
each time the form is shown, and `version`, what the person saw when it was shown.
"""

import datetime as dt
import re
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import idempotency, problems, uploads
from benvung.auth import CSRF_FIELD
from benvung.etags import Believed
from benvung.problems import Problem
from benvung.validation import invalid

ONCE, VERSION = "once", "version"
CORRECTABLE = frozenset({409, 412, 422, 428})
LONGEST = 2_000
_DAY = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})|(\d{2})(\d{2})(\d{4})")
_KEY = re.compile(r"[0-9a-f-]{36}")


@dataclass(frozen=True, slots=True)
class Typed:
    """The fields of a form as they were sent; empty for a form that is shown for the first time."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    preset: Mapping[str, str] = field(default_factory=dict)

    @property
    def sent(self) -> bool:
        """Whether somebody sent this form."""
        return bool(self.values)

    def text(self, name: str) -> str:
        """What stands in a field: what was typed, else what the form begins with."""
        found = self.values.get(name)
        if found is None:
            return "" if self.sent else self.preset.get(name, "")
        return found[0].strip()

    def all(self, name: str) -> tuple[str, ...]:
        """What was ticked under one name; at first the words of what the form begins with."""
        return self.values.get(name, ()) if self.sent else tuple(self.preset.get(name, "").split())

    def ticked(self, name: str, value: str) -> bool:
        """Whether this box was ticked."""
        return value in self.all(name)

    def day(self, name: str) -> str | None:
        """A day as the rules read it, of one that is written as people write it: 24/01/2024, or 24012024."""
        given = self.text(name)
        written = _DAY.fullmatch(given)
        if written is None:
            return given or None
        day, month, year = (int(part) for part in written.groups() if part)
        try:
            return dt.date(year, month, day).isoformat()
        except ValueError:
            return given

    def written(self, name: str) -> str:
        """A day as people write it; what is no day stays as it was typed."""
        given = self.text(name)
        try:
            return f"{dt.date.fromisoformat(given):%d/%m/%Y}"
        except ValueError:
            return given

    def starting(self, prefix: str) -> Iterator[tuple[str, str]]:
        """The filled fields whose names begin so, by the rest of their names."""
        for name in self.values:
            if name.startswith(prefix) and (text := self.text(name)):
                yield name.removeprefix(prefix), text

    def beginning_with(self, **preset: str) -> "Typed":
        """The same with what stands in fields that nobody filled yet."""
        return Typed(self.values, {**self.preset, **preset})

    def beside(self, **known: str) -> "Typed":
        """The same with what else this form is: what its file holds, so that another file is another form."""
        return Typed({**self.values, **{name: (value,) for name, value in known.items()}}, self.preset)

    @property
    def believed(self) -> Believed:
        """The version that the person saw."""
        version = self.text(VERSION)
        return Believed(frozenset({f'"{version}"'}) if version else None)


async def _typed(request: Request) -> Typed:
    values: dict[str, tuple[str, ...]] = {}
    with_file = uploads.media_type(request) == uploads.MULTIPART
    form = await uploads.parts(request) if with_file else await request.form()
    for name, value in form.multi_items():
        if isinstance(value, str):
            values[name] = (*values.get(name, ()), value[:LONGEST])
    return Typed(values)


Sent = Annotated[Typed, Depends(_typed)]
"""What a route that takes a page's form gets: `typed: Sent`."""


def new_key() -> str:
    """What a form carries so that sending it twice does it once."""
    return str(uuid.uuid4())


def wrong(error: ValidationError) -> Problem:
    """What a form says wrongly, by field. A day is asked for as people write it."""
    found = invalid(error.errors(include_url=False, include_input=False))
    errors = [
        replace(each, message_vi=_A_DAY[0], message_en=_A_DAY[1]) if each.rule.startswith("date-") else each
        for each in found.errors
    ]
    return type(found)(found.detail_vi, found.detail_en, errors=errors)


_A_DAY = (
    "Hãy ghi ngày dạng ngày/tháng/năm, ví dụ 05/10/2024.",
    "Give the day as day/month/year, such as 05/10/2024.",
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a form was not taken: what to say above it, and beside which fields."""

    title: str
    text: str
    rule: str
    legal: str
    fields: Mapping[str, str]
    status: int


def refusal(error: Any, language: str) -> Refusal:
    """A refusal of a rule in the words of a page. Fields are named as the form names them: the last part."""
    body = problems.document(error, lang=language, instance="", request_id="")
    fields = {each["field"].removeprefix("body."): each["message"] for each in body["errors"]}
    return Refusal(
        body["title"],
        body["detail"],
        body["rule"],
        body["legal"] or "",
        fields,
        max(int(body["status"]), 400),
    )


async def once(
    request: Request, conn: AsyncConnection, typed: Typed, act: Callable[[], Awaitable[str]], language: str
) -> str | Refusal:
    """Do what a form asks for and say where it leads; sent again, it leads to the same place.

    What a rule refuses leaves nothing behind, and the page is shown again. What is not for this person to do or
    to see goes on to the edge, which says so.
    """
    try:
        async with conn.begin_nested():
            return await idempotency.leads(request, conn, _key(typed), _content(typed), act)
    except Exception as error:
        known = isinstance(error, Problem) and error.status in CORRECTABLE
        if not known and not problems.is_domain_refusal(error):
            raise
        return refusal(error, language)


def _key(typed: Typed) -> bytes:
    given = typed.text(ONCE)
    return (given if _KEY.fullmatch(given) else new_key()).encode()


def _content(typed: Typed) -> bytes:
    kept = sorted((name, values) for name, values in typed.values.items() if name not in {ONCE, CSRF_FIELD})
    return repr(kept).encode()
