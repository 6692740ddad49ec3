"""A browser's session, kept by the server: the cookie is a random token whose hash finds the row."""

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from fastapi import Request
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from starlette.responses import Response

_SESSIONS = sa.table(
    "sessions",
    sa.column("token_hash", sa.LargeBinary),
    sa.column("csrf", sa.Text),
    sa.column("claims", pg.JSONB),
    sa.column("expires_at", sa.DateTime(timezone=True)),
)
TOKEN_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser: its claims, and the token it must show to change something."""

    csrf: str
    claims: dict[str, Any]


def cookie_name(request: Request, kind: str = "session") -> str:
    """Services on one host share a browser's cookies, so each has names of its own."""
    return f"{request.app.state.service.name}_{kind}"


async def open_session(
    conn: AsyncConnection, claims: dict[str, Any], lifetime: dt.timedelta, kind: str = "session"
) -> str:
    """Store a session and return the token for the cookie. Rows that have expired are removed on the way."""
    token = secrets.token_urlsafe(32)
    # Real time, not the business date: a session ends by the clock on the wall.
    await conn.execute(sa.delete(_SESSIONS).where(_SESSIONS.c.expires_at < sa.func.now()))
    await conn.execute(
        sa.insert(_SESSIONS).values(
            token_hash=_hash(kind, token),
            csrf=secrets.token_urlsafe(32),
            claims=claims,
            expires_at=sa.func.now() + sa.literal(lifetime, pg.INTERVAL),
        )
    )
    return token


async def find_session(request: Request) -> Session | None:
    """The session of this request's cookie, if it has one that is still valid."""
    token = request.cookies.get(cookie_name(request), "")
    if not token or len(token) > TOKEN_LIMIT:
        return None
    engine: AsyncEngine = request.app.state.engine
    query = sa.select(_SESSIONS.c.csrf, _SESSIONS.c.claims).where(
        _SESSIONS.c.token_hash == _hash("session", token), _SESSIONS.c.expires_at > sa.func.now()
    )
    async with engine.connect() as conn:
        row = (await conn.execute(query)).one_or_none()
    return None if row is None else Session(row.csrf, row.claims)


async def close_session(conn: AsyncConnection, token: str, kind: str = "session") -> dict[str, Any] | None:
    """Remove a session; returns its claims if it was there and still valid."""
    removed = (
        sa.delete(_SESSIONS)
        .where(_SESSIONS.c.token_hash == _hash(kind, token))
        .returning(_SESSIONS.c.claims, (_SESSIONS.c.expires_at > sa.func.now()).label("valid"))
    )
    row = (await conn.execute(removed)).one_or_none()
    return row.claims if row is not None and row.valid else None


def set_cookie(request: Request, response: Response, kind: str, token: str, lifetime: dt.timedelta) -> None:
    """Give the browser a token that scripts cannot read and other sites cannot send."""
    response.set_cookie(
        cookie_name(request, kind),
        token,
        max_age=int(lifetime.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.app.state.settings.public_url.startswith("https:"),
    )


def _hash(kind: str, token: str) -> bytes:
    return hashlib.sha256(f"{kind}:{token}".encode()).digest()
