"""Connections that are kept between requests may have ended meanwhile; no request pays for it."""

import asyncio

import httpx2
import psycopg
from fastapi import FastAPI

from benvung.testing.tokens import Tokens

MANY = 8


async def answers(client: httpx2.AsyncClient, headers: dict[str, str]) -> list[int]:
    asked = (client.get("/v1/things", headers=headers) for _ in range(MANY))
    return [answer.status_code for answer in await asyncio.gather(*asked)]


async def test_requests_after_the_server_ended_all_kept_connections_are_answered(
    client: httpx2.AsyncClient, kit_app: FastAPI, postgres_server: str, tokens: Tokens
) -> None:
    headers = {"Authorization": f"Bearer {tokens.token(['things.read'])}"}
    await answers(client, headers)
    database = kit_app.state.engine.url.database

    with psycopg.connect(postgres_server, autocommit=True) as conn:
        ended = conn.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s", (database,)
        ).fetchall()

    assert len(ended) >= 2
    assert await answers(client, headers) == [200] * MANY
