"""What every service gets from the kit: one transaction per answer, bounds, health, figures, ids."""

import asyncio
import os
import signal
import socket
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated

import httpx2
import pytest
import sqlalchemy as sa
from fastapi import Depends, FastAPI
from typer.testing import Result

from benvung import auth
from benvung.issuer import Issuer
from benvung.testing.tokens import Tokens
from benvung.web import routes

MadeApp = Callable[..., FastAPI]
Command = Callable[..., Result]
THING = {"commune": "23827", "label": "a", "number": 1, "since": "2024-01-24"}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOWHERE = "postgresql://nobody:password@127.0.0.1:9/none"


@pytest.fixture
def writer(tokens: Tokens) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.token(['things.read', 'things.write'])}"}


async def in_pieces(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 100_000):
        yield b" " * 100_000


async def test_an_answer_comes_after_the_commit(
    client: httpx2.AsyncClient, kit_app: FastAPI, writer: dict[str, str]
) -> None:
    made = await client.post("/v1/things", json=THING, headers=writer)

    assert made.status_code == 201
    async with kit_app.state.engine.connect() as conn:
        query = sa.text("select count(*) from things where id = :id")
        assert (await conn.execute(query, {"id": made.json()["id"]})).scalar_one() == 1


async def test_a_commit_that_fails_is_no_success(client: httpx2.AsyncClient, writer: dict[str, str]) -> None:
    assert (await client.post("/v1/things", json=THING, headers=writer)).status_code == 201

    again = await client.post("/v1/things", json=THING, headers=writer)
    assert again.status_code == 409
    assert again.json()["rule"] == "conflict"
    assert len((await client.get("/v1/things", headers=writer)).json()["items"]) == 1


@pytest.mark.parametrize("given", ["abc-1.2_Z", "0" * 64])
async def test_a_request_id_is_echoed(client: httpx2.AsyncClient, given: str) -> None:
    answer = await client.get("/health/live", headers={"X-Request-Id": given})

    assert answer.headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "é", 'a"b'])
async def test_a_request_id_that_cannot_be_logged_is_replaced(client: httpx2.AsyncClient, given: str) -> None:
    answer = await client.get("/health/live", headers={b"X-Request-Id": given.encode()})

    assert uuid.UUID(answer.headers["x-request-id"])


@pytest.mark.parametrize(("given", "seen"), [(TRACE, TRACE), ("", None), ("00-" + "0" * 32 + "-1-01", None)])
async def test_a_trace_context_is_known_while_answering(
    client: httpx2.AsyncClient, given: str, seen: str | None
) -> None:
    answer = await client.get("/v1/trace", headers={"traceparent": given})

    assert answer.json() == seen


async def test_a_json_body_over_a_megabyte_is_refused(
    client: httpx2.AsyncClient, writer: dict[str, str]
) -> None:
    big = THING | {"label": "x" * 1_000_000}
    answer = await client.post("/v1/things", json=big, headers=writer)

    assert (answer.status_code, answer.json()["rule"]) == (413, "body-too-large")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == answer.json()["request_id"]


async def test_a_body_in_pieces_is_counted_as_it_comes(
    client: httpx2.AsyncClient, writer: dict[str, str]
) -> None:
    headers = writer | {"Content-Type": "application/json"}
    answer = await client.post("/v1/things", content=in_pieces(1_100_000), headers=headers)

    assert (answer.status_code, answer.json()["rule"]) == (413, "body-too-large")


async def test_a_route_for_files_has_its_own_limit(client: httpx2.AsyncClient) -> None:
    inside = await client.post("/v1/files", content=in_pieces(2_900_000))
    assert (inside.status_code, inside.json()) == (201, 2_900_000)

    for over in (in_pieces(3_100_000), b" " * 3_100_000):
        answer = await client.post("/v1/files", content=over)
        assert (answer.status_code, answer.json()["rule"]) == (413, "body-too-large")


async def test_every_route_says_who_may_call_it(kit_app: FastAPI) -> None:
    said = {path: declared for path, _, declared in routes(kit_app)}

    assert None not in said.values()
    assert said["/v1/things"] in {"things.read", "things.write"}
    assert said["/health/ready"] == "public"
    assert said["/sign-in"] == "public"


async def test_nothing_is_shown_from_another_host(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/docs")).status_code == 404
    assert (await client.get("/redoc")).status_code == 404


async def test_answers_are_not_kept_by_browsers(client: httpx2.AsyncClient, writer: dict[str, str]) -> None:
    answer = await client.get("/v1/things", headers=writer)

    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_requests_are_counted_by_route_and_status(
    client: httpx2.AsyncClient, writer: dict[str, str]
) -> None:
    await client.get("/v1/refusals/domain")
    text = (await client.get("/metrics")).text

    line = 'http_requests_total{method="GET",route="/v1/refusals/{kind}",service="kit",status="422"}'
    assert line in text
    assert 'http_request_seconds_bucket{le="0.005",method="GET",route="/v1/things",service="kit"}' in text
    assert "/v1/refusals/domain" not in text


async def test_a_service_is_ready_when_all_it_needs_answers(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/health/live")).json() == {"status": "alive"}
    ready = await client.get("/health/ready")
    assert (ready.status_code, ready.json()["checked"]) == (200, ["database", "issuer"])


async def test_what_is_waited_for_is_named(made_app: MadeApp) -> None:
    app = made_app(database_url=NOWHERE)
    app.state.issuer = Issuer(app.state.settings, httpx2.MockTransport(lambda _: httpx2.Response(500)))
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://kit.test") as client,
    ):
        assert (await client.get("/health/live")).status_code == 200
        ready = await client.get("/health/ready")

    assert ready.status_code == 503
    assert ready.headers["retry-after"] == "1"
    assert {error["field"] for error in ready.json()["errors"]} == {"database", "issuer"}


async def test_a_database_that_is_gone_is_no_defect(
    made_app: MadeApp, tokens: Tokens, writer: dict[str, str]
) -> None:
    app = made_app(database_url=NOWHERE)
    app.state.issuer = Issuer(app.state.settings, tokens.transport)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://kit.test") as client,
    ):
        answer = await client.get("/v1/things", headers=writer)

    assert (answer.status_code, answer.json()["rule"]) == (503, "not-ready")


PROGRAM = """
import sys
sys.path.insert(0, {folder!r})
from tests.shared.conftest import kit_service, kit_settings
from benvung.web import cli
cli(lambda: kit_service(kit_settings({url!r}, port={port}, issuer_url="")))()
"""


async def test_the_command_serves_and_ends_when_told(kit_database: str) -> None:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    program = PROGRAM.format(folder=str(Path(__file__).parent), url=kit_database, port=port)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, "api", env={**os.environ}, stderr=asyncio.subprocess.PIPE
    )
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        assert await answers(client, process)
        chunked = {"Content-Type": "application/json"}
        large = await client.post("/v1/things", content=in_pieces(1_200_000), headers=chunked)
        assert large.status_code == 413
        assert "server" not in large.headers
        strange = await client.get("/v1/refusals/%00")
        assert strange.status_code == 422
    process.send_signal(signal.SIGTERM)
    _, errors = await asyncio.wait_for(process.communicate(), 10)

    assert process.returncode == 0
    assert b"Traceback" not in errors


async def answers(client: httpx2.AsyncClient, process: asyncio.subprocess.Process) -> bool:
    for _ in range(200):
        if process.returncode is not None:
            return False
        try:
            return (await client.get("/health/ready")).status_code == 200
        except httpx2.TransportError:
            await asyncio.sleep(0.05)
    return False


def test_a_recovery_that_cannot_ask_its_streams_says_why(command: Command) -> None:
    said = command("recover")

    assert said.exit_code == 1
    assert "cannot connect to NATS" in said.stderr


def test_a_wrong_setting_is_named_without_its_value(command: Command) -> None:
    said = command("migrate", port="hunter2")

    assert said.exit_code == 2
    assert said.stderr.startswith("PORT: ")
    assert "hunter2" not in said.output


async def test_a_worker_that_waits_for_its_events_is_not_ready(made_app: MadeApp) -> None:
    app = made_app(streams={"KIT": ()}, nats_url="nats://127.0.0.1:9", issuer_url="")
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://kit.test") as client,
    ):
        ready = await client.get("/health/ready")

    assert ready.status_code == 503
    assert [error["field"] for error in ready.json()["errors"]] == ["relay KIT"]


def test_a_permission_is_found_through_other_dependencies() -> None:
    app = FastAPI()

    def narrowed(principal: Annotated[auth.Principal, Depends(auth.require("x.read"))]) -> str:
        return principal.subject

    @app.get("/x")
    def x(who: Annotated[str, Depends(narrowed)]) -> str:
        return who

    @app.get("/y")
    def y() -> str:
        return ""

    found = {path: declared for path, _, declared in routes(app)}
    assert found["/x"] == "x.read"
    assert found["/y"] is None
