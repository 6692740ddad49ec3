"""The pytest plugin: real servers, migrated databases, a fixed business date, and events in and out.

A test asks for what it needs:

- `transaction(service)`: a connection whose work is rolled back; the cheapest way to a migrated database.
- `database(service)`: the address of a database of the test's own, for work that commits.
- `engine(service)`: an engine on that database.
- `nats_server`: a NATS server of the test's own, with the users and permissions of deploy/nats.conf.
- `settings(service, **more)`: the service's settings for these servers.
- `app(service, **more)`: a client of the service's application, signed in as somebody who may do
  everything everywhere; `bearer(permissions, areas)` makes the header of somebody else.
- `business_date`: the day on which the test runs (always in force).

and imports `emitted`, `deliver` and `received` for events.
"""

import base64
import datetime as dt
import importlib
import os
import secrets
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import httpx2
import pytest
import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from benvung import clock, projector
from benvung.envelope import EventData, decode, encode
from benvung.issuer import Issuer
from benvung.settings import ServiceSettings
from benvung.testing.databases import Databases
from benvung.testing.servers import NatsServer, NoServers, Postgres, start_nats, start_postgres
from benvung.testing.tokens import ISSUER, Tokens

E = TypeVar("E", bound=EventData)
Database = Callable[[str], str]
Engine = Callable[[str], AsyncEngine]
Transaction = Callable[[str], Awaitable[AsyncConnection]]
SettingsFor = Callable[..., ServiceSettings]
App = Callable[..., Awaitable[httpx2.AsyncClient]]
Bearer = Callable[..., dict[str, str]]

BUSINESS_DATE = "2024-01-24"
NOWHERE = "nats://127.0.0.1:9"
_RUN = "benvung_run"

_server = pytest.StashKey[Postgres]()
_run = pytest.StashKey[dict[str, str]]()


# The run: one PostgreSQL server for all workers, started by the process that outlives them.


def _start(config: pytest.Config) -> dict[str, str]:
    if _run not in config.stash:
        server = start_postgres()
        config.stash[_server] = server
        run = {
            "server": server.url,
            "name": f"benvung_test_{secrets.token_hex(4)}",
            "password": secrets.token_hex(8),
        }
        config.stash[_run] = run
        Databases(run["server"], run["name"], run["password"]).prepare()
    return config.stash[_run]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the run's server is."""
    node.workerinput[_RUN] = _start(node.config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Drop what the run made and stop its server."""
    run, server = config.stash.get(_run, None), config.stash.get(_server, None)
    if run is not None and server is not None:
        Databases(run["server"], run["name"], run["password"]).drop_all()
        server.stop()


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest) -> Databases:
    """The run's templates and clones."""
    given = getattr(request.config, "workerinput", {}).get(_RUN)
    run = given or _start(request.config)
    return Databases(run["server"], run["name"], run["password"])


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> str:
    """The superuser's address of the run's PostgreSQL server."""
    given = getattr(request.config, "workerinput", {}).get(_RUN)
    return str((given or _start(request.config))["server"])


@pytest.fixture
def nats_server() -> Iterator[NatsServer]:
    """A NATS server without streams, of this test alone; `.kill()` and `.start()` crash and revive it."""
    server = start_nats()
    yield server
    server.stop()


# Databases.


@pytest.fixture
def database(databases: Databases) -> Iterator[Database]:
    """`database("funding")`: address of this test's own database of that service, dropped afterwards."""
    made: dict[str, str] = {}

    def of(service: str) -> str:
        if service not in made:
            made[service] = databases.clone(service)
        return made[service]

    yield of
    for url in made.values():
        databases.drop(url)


@pytest_asyncio.fixture(loop_scope="session")
async def engine(database: Database) -> AsyncIterator[Engine]:
    """`engine("funding")`: an engine on this test's own database; `async with engine(…).begin() as conn`."""
    made: dict[str, AsyncEngine] = {}

    def of(service: str) -> AsyncEngine:
        if service not in made:
            made[service] = _engine(database(service))
        return made[service]

    yield of
    for each in made.values():
        await each.dispose()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_engine(databases: Databases) -> AsyncIterator[Engine]:
    """One engine per service on a database in which nothing is ever committed."""
    made: dict[str, AsyncEngine] = {}

    def of(service: str) -> AsyncEngine:
        if service not in made:
            made[service] = _engine(databases.clone(service))
        return made[service]

    yield of
    for each in made.values():
        await each.dispose()


@pytest_asyncio.fixture(loop_scope="session")
async def transaction(
    shared_engine: Engine,
) -> AsyncIterator[Transaction]:
    """`conn = await transaction("funding")`: a connection whose work is rolled back after the test."""
    async with AsyncExitStack() as stack:
        opened: dict[str, AsyncConnection] = {}

        async def of(service: str) -> AsyncConnection:
            if service not in opened:
                conn = await stack.enter_async_context(shared_engine(service).connect())
                stack.push_async_callback((await conn.begin()).rollback)
                opened[service] = conn
            return opened[service]

        yield of


def _engine(url: str) -> AsyncEngine:
    return create_async_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))


# Settings and time.


@pytest.fixture(autouse=True)
def business_date() -> Iterator[dt.date]:
    """The day on which every test runs; TEST_BUSINESS_DATE names another one."""
    day = dt.date.fromisoformat(os.environ.get("TEST_BUSINESS_DATE", BUSINESS_DATE))
    clock.fix(day)
    yield day
    clock.fix(None)


@pytest.fixture
def settings(database: Database, business_date: dt.date, monkeypatch: pytest.MonkeyPatch) -> SettingsFor:
    """`settings("funding", nats=nats_server, **more)`: that service's settings for this test's servers.

    Without `nats` the address leads nowhere. Nothing is read from the caller's environment.
    """

    def of(service: str, *, nats: NatsServer | None = None, **more: Any) -> ServiceSettings:
        kind: type[ServiceSettings] = importlib.import_module(f"{service}.settings").Settings
        for field in kind.model_fields:
            monkeypatch.delenv(field.upper(), raising=False)
        user, password = nats.user(service) if nats else (service, "")
        values: dict[str, Any] = {
            "database_url": database(service),
            "nats_url": nats.url if nats else NOWHERE,
            "nats_user": user,
            "nats_password": password,
            "nats_shared_account": nats.shared_account if nats else False,
            "business_date": business_date,
            "issuer_url": ISSUER,
            "data_key": base64.b64encode(b"a key of thirty-two known bytes.").decode(),
        }
        return kind(**{**values, **more})

    return of


# HTTP.


@pytest.fixture(scope="session")
def tokens() -> Tokens:
    """The sign-in provider of this run."""
    return Tokens()


@pytest.fixture
def bearer(tokens: Tokens) -> Bearer:
    """`bearer(["funding.read"], ["630"])`: the header of somebody with these permissions in these areas."""

    def of(*permissions_and_areas: Sequence[str], **claims: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {tokens.token(*permissions_and_areas, **claims)}"}

    return of


@pytest_asyncio.fixture(loop_scope="session")
async def app(settings: SettingsFor, tokens: Tokens, bearer: Bearer) -> AsyncIterator[App]:
    """`client = await app("funding")`: a client of that service on this test's own database.

    With `nats=nats_server` its relay and projectors run too. `headers={}` makes it a client that has not
    signed in; other keywords are settings.
    """
    async with AsyncExitStack() as stack:

        async def of(
            service: str,
            *,
            nats: NatsServer | None = None,
            headers: dict[str, str] | None = None,
            **more: Any,
        ) -> httpx2.AsyncClient:
            from benvung.web import create_app

            built = importlib.import_module(f"{service}.main").build(settings(service, nats=nats, **more))
            application = create_app(built, worker=nats is not None)
            application.state.issuer = Issuer(built.settings, transport=tokens.transport)
            await stack.enter_async_context(application.router.lifespan_context(application))
            client = httpx2.AsyncClient(
                transport=httpx2.ASGITransport(app=application),
                base_url=f"http://{service}.test",
                headers=bearer() if headers is None else headers,
            )
            return await stack.enter_async_context(client)

        yield of


# Events.


async def emitted(conn: AsyncConnection, kind: type[E]) -> list[E]:
    """The events of one kind that wait in the outbox, oldest first."""
    rows = await conn.execute(
        sa.text("select payload from outbox where event_type = :kind order by id"), {"kind": kind.event_type}
    )
    return [kind.model_validate(decode(payload).data) for (payload,) in rows]


def received(
    reader: projector.Projector, events: Sequence[EventData | tuple[int, EventData]]
) -> list[projector.Received]:
    """Events as the projector's handler gets them: written as bytes, read by the consumer's own models.

    Sequences count 1, 2, 3 … unless given. What the projector does not listen to is left out.
    """
    numbered = [each if isinstance(each, tuple) else (at, each) for at, each in enumerate(events, start=1)]
    read = [
        reader.read(
            encode(
                data,
                event_id=_event_id(sequence, data),
                sequence=sequence,
                time=clock.now(),
                traceparent=None,
            )
        )
        for sequence, data in numbered
    ]
    return [each for each in read if each is not None]


async def deliver(
    conn: AsyncConnection,
    reader: projector.Projector,
    events: Sequence[EventData | tuple[int, EventData]],
) -> None:
    """Project events in the given order in `conn`'s transaction, announcements into its outbox."""
    await projector.project(conn, reader, received(reader, events))


def _event_id(sequence: int, data: EventData) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{data.stream()}/{sequence}"))


__all__ = [
    "App",
    "Bearer",
    "Database",
    "Databases",
    "Engine",
    "NatsServer",
    "NoServers",
    "SettingsFor",
    "Tokens",
    "Transaction",
    "deliver",
    "emitted",
    "received",
]
