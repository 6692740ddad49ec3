"""Connections that are kept between requests may have ended meanwhile; no request pays for it."""

import asyncio
import logging
from typing import Any

import httpx2
import psycopg
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from benvung import db
from benvung.testing.tokens import Tokens

MANY = 8


async def answers(client: httpx2.AsyncClient, headers: dict[str, str]) -> list[int]:
    asked = (client.get("/v1/things", headers=headers) for _ in range(MANY))
    return [answer.status_code for answer in await asyncio.gather(*asked)]


def end_all(postgres_server: str, kit_app: FastAPI) -> int:
    """The server ends every connection of the application's database; how many these were."""
    with psycopg.connect(postgres_server, autocommit=True) as conn:
        return conn.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s",
            (kit_app.state.engine.url.database,),
        ).rowcount


async def test_requests_after_the_server_ended_all_kept_connections_are_answered(
    client: httpx2.AsyncClient, kit_app: FastAPI, postgres_server: str, tokens: Tokens
) -> None:
    headers = {"Authorization": f"Bearer {tokens.token(['things.read'])}"}
    await answers(client, headers)

    assert end_all(postgres_server, kit_app) >= 2

    assert await answers(client, headers) == [200] * MANY


async def test_a_connection_that_is_lost_at_work_is_no_error_of_its_own_in_the_log(
    kit_app: FastAPI, postgres_server: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Who worked on it tells what became of the work; the pool only throws it away."""
    with pytest.raises(psycopg.OperationalError):
        async with kit_app.state.engine.connect() as conn:
            raw = await db.driver(conn)
            await raw.execute("select 1")
            end_all(postgres_server, kit_app)
            await raw.execute("select 1")

    said = [each.levelno for each in caplog.records if each.name.startswith("sqlalchemy.pool")]
    assert said == [logging.WARNING]


async def test_a_new_connection_that_has_ended_already_is_a_lost_server_to_who_asked_for_it(
    postgres_server: str, kit_app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that goes down ends what it has only just let in."""
    connect = psycopg.AsyncConnection.connect

    async def connect_and_lose(*args: Any, **kwargs: Any) -> psycopg.AsyncConnection[Any]:
        made: psycopg.AsyncConnection[Any] = await connect(*args, **kwargs)
        await asyncio.to_thread(end_all, postgres_server, kit_app)
        return made

    await kit_app.state.engine.dispose()
    monkeypatch.setattr(psycopg.AsyncConnection, "connect", connect_and_lose)

    with pytest.raises(sa.exc.DBAPIError) as lost:
        async with kit_app.state.engine.connect() as conn:
            await conn.execute(sa.text("select 1"))
    assert db.is_transient(lost.value)
