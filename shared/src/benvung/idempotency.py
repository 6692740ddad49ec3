"""A change that is asked for twice happens once: the header `Idempotency-Key`.

Who does not hear the answer sends the same request again with the same key, and is told what became of the
first one: its status and Location, with the thing as it is now. A route takes `once: OnlyOnce` behind its
principal and asks it before it acts:

    thing_id = once.made or await actions.add(conn, principal, given)
    response.headers["Location"] = f"/v1/things/{thing_id}"

The key is written in the transaction of the change, so there is never one without the other: a request that
was refused or failed leaves no key behind. Of two at once the second waits for the first.
"""

import asyncio
import datetime as dt
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

import psycopg.errors
import sqlalchemy as sa
from fastapi import Depends, Header, Request, Response
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from benvung import problems
from benvung.db import Conn
from benvung.problems import Conflict, Problem

HEADER, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"
FORGET_SECONDS = 3600.0
FORGET_ROWS = 10_000
_CHARACTERS = r"[!#-\[\]-~]{16,128}"
_SUCCESS = frozenset({"200", "201", "202"})

_CLAIM = sa.text(
    "insert into idempotency_keys (principal, key_hash, operation, request_digest, status, location)"
    " values (:principal, :key_hash, :operation, :digest, 0, '') on conflict do nothing returning true"
)
_FIRST = sa.text(
    "select request_digest, status, location from idempotency_keys"
    " where principal = :principal and key_hash = :key_hash"
)
_ANSWERED = sa.text(
    "update idempotency_keys set status = :status, location = :location"
    " where principal = :principal and key_hash = :key_hash"
)
_FORGET = sa.text(
    "delete from idempotency_keys where (principal, key_hash) in (select principal, key_hash"
    " from idempotency_keys where recorded_at < now() - :age order by recorded_at limit :rows)"
)


class KeyReused(Problem):
    """The same person used this key for another request."""

    status, rule = 422, "idempotency-key-reused"
    title_vi, title_en = "Khóa chống lặp đã dùng cho yêu cầu khác", "The key belongs to another request"

    def __init__(self) -> None:
        super().__init__(
            "Idempotency-Key này đã dùng cho một yêu cầu có nội dung khác. Mỗi yêu cầu mới cần một khóa mới.",
            "This Idempotency-Key was used for a request that says something else. A new request needs a new"
            " key.",
        )


class KeyInUse(Conflict):
    """The first request with this key is still being worked on."""

    rule = "idempotency-key-in-use"
    title_vi, title_en = "Yêu cầu đầu tiên chưa xong", "The first request is not done yet"

    def __init__(self) -> None:
        super().__init__(
            "Yêu cầu trước với Idempotency-Key này đang được xử lý. Hãy gửi lại đúng yêu cầu này sau.",
            "The earlier request with this Idempotency-Key is being worked on. Send this very request again"
            " later.",
            headers={"Retry-After": "5"},
        )


Key = Annotated[
    str | None,
    Header(
        alias=HEADER,
        pattern=rf'^(?:"{_CHARACTERS}"|{_CHARACTERS})$',
        description="a new random text for each change, best a UUID, sent again with the same request when"
        " its answer was not heard: the change then happens once. Empty = nobody looks",
        examples=["7f1b0c5e-6f0a-4c1e-9a64-0d9a3c0d5b1e"],
    ),
]


@dataclass(frozen=True, slots=True)
class Once:
    """What became of the first request with this key: its `location`, or None if this is the first."""

    location: str | None = None

    @property
    def first(self) -> bool:
        """Whether this request is to act."""
        return self.location is None

    @property
    def made(self) -> UUID | None:
        """The id at the end of the first request's Location; None if this is the first."""
        return None if self.location is None else UUID(self.location.rpartition("/")[2])


async def _body(request: Request) -> bytes:
    return await request.body()


def known_by(content: Callable[..., Awaitable[bytes]]) -> Any:
    """`OnlyOnce` for a route whose request is known by something else than its body, as a file's digest.

    `content` is a dependency of its own.
    """

    async def claimed(
        request: Request,
        response: Response,
        content: Annotated[bytes, Depends(content)],
        conn: Conn,
        key: Key = None,
    ) -> AsyncIterator[Once]:
        if key is None:
            yield Once()
            return
        claim = _claim(request, key.strip('"').encode(), content)
        if not await _is_first(conn, claim):
            earlier = await _earlier(conn, claim)
            response.status_code = earlier.status
            response.headers[REPLAYED] = "true"
            yield Once(earlier.location)
            return
        yield Once()
        status = response.status_code or request.scope["route"].status_code or 200
        answered = {"status": status, "location": response.headers["Location"]}
        await conn.execute(_ANSWERED, claim | answered)

    return Depends(claimed, scope="function")


OnlyOnce = Annotated[Once, known_by(_body)]


async def leads(
    request: Request, conn: AsyncConnection, key: bytes, content: bytes, act: Callable[[], Awaitable[str]]
) -> str:
    """Where a page's form leads after it acted; sent again with the same key it acts no more."""
    claim = _claim(request, key, content)
    if not await _is_first(conn, claim):
        return str((await _earlier(conn, claim)).location)
    location = await act()
    await conn.execute(_ANSWERED, claim | {"status": HTTPStatus.SEE_OTHER.value, "location": location})
    return location


def _claim(request: Request, key: bytes, content: bytes) -> dict[str, Any]:
    operation = f"{request.method} {request.url.path}"
    asked = b"\n".join([operation.encode(), request.url.query.encode(), content])
    return {
        "principal": request.state.principal.subject,
        "key_hash": _hash(key),
        "operation": operation,
        # Under the key, because who guesses at a body that holds few secrets could tell that they guessed right.
        "digest": hmac.digest(key, asked, "sha256"),
    }


def _hash(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()


async def _is_first(conn: AsyncConnection, claim: dict[str, Any]) -> bool:
    """Write the key, unless it is there. Waits for whoever is about to write it."""
    try:
        return (await conn.execute(_CLAIM, claim)).first() is not None
    except OperationalError as error:
        if isinstance(error.orig, psycopg.errors.LockNotAvailable):
            raise KeyInUse from error
        raise


async def _earlier(conn: AsyncConnection, claim: dict[str, Any]) -> sa.Row[Any]:
    earlier = (await conn.execute(_FIRST, claim)).one_or_none()
    if earlier is None:
        # It was forgotten between the two questions.
        raise KeyInUse
    if earlier.request_digest != claim["digest"]:
        raise KeyReused
    return earlier


async def forget(engine: AsyncEngine, days: int) -> None:
    """Remove the keys that are older; runs for ever, in the background."""
    while True:
        async with engine.begin() as conn:
            found = await conn.execute(_FORGET, {"age": dt.timedelta(days=days), "rows": FORGET_ROWS})
        if found.rowcount < FORGET_ROWS:
            await asyncio.sleep(FORGET_SECONDS)


def describe(schema: dict[str, Any]) -> dict[str, Any]:
    """Say in an OpenAPI document what every operation that takes a key may answer because of it."""
    for path in schema.get("paths", {}).values():
        for operation in path.values():
            if any(each["name"] == HEADER for each in operation.get("parameters", ())):
                _describe(operation["responses"])
    return schema


def _describe(answers: dict[str, Any]) -> None:
    for status, refusal in problems.responses(KeyReused, KeyInUse).items():
        known = answers.setdefault(str(status), {**refusal, "description": ""})
        if refusal["description"] not in known["description"]:
            known["description"] = f"{known['description']}\n\n{refusal['description']}".strip()
    for status in _SUCCESS & set(answers):
        answers[status].setdefault("headers", {}).update(
            {
                "Location": {"description": "what was made or changed", "schema": {"type": "string"}},
                REPLAYED: {
                    "description": "true = an earlier request with this key did it",
                    "schema": {"type": "string", "enum": ["true"]},
                },
            }
        )
