"""Database mechanism: engine, the one transaction per request, migrations."""

import importlib
import logging
import select
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import orjson
import psycopg
import sqlalchemy as sa
from fastapi import Depends, Request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from benvung.settings import ServiceSettings

# Alembic is needed for a moment at an upgrade and would stay in memory for good: ten megabytes a service.
if TYPE_CHECKING:
    from alembic.config import Config

TRANSIENT = (psycopg.OperationalError, psycopg.InterfaceError)
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def metadata() -> sa.MetaData:
    """A service's empty metadata with the house's naming convention."""
    return sa.MetaData(naming_convention=NAMING)


def create_engine(settings: ServiceSettings) -> AsyncEngine:
    """The engine for HTTP requests. Statements are bounded, so that a stuck one cannot hold a pool."""
    engine = create_async_engine(
        settings.sqlalchemy_url(),
        pool_size=settings.database_pool,
        max_overflow=settings.database_pool,
        pool_timeout=10,
        # The connection used last has the statements prepared and its backend warm.
        pool_use_lifo=True,
        hide_parameters=True,
        connect_args={
            "connect_timeout": 5,
            # What is asked for stands in memory or on a disk without a head: reading by an index is cheap.
            "options": "-c statement_timeout=60000 -c idle_in_transaction_session_timeout=60000"
            " -c lock_timeout=15000 -c random_page_cost=1.1",
        },
    )
    sa.event.listen(engine.sync_engine, "checkout", _refuse_ended)
    logging.getLogger(f"{type(engine.pool).__module__}.{type(engine.pool).__qualname__}").addFilter(_no_error)
    return engine


def _no_error(said: logging.LogRecord) -> bool:
    """Have the pool warn, and no more, of a connection that it throws away because its server is gone.

    What became of the work on it is told by whoever worked.
    """
    if said.exc_info and isinstance(said.exc_info[1], TRANSIENT):
        said.levelno, said.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
    return True


def _refuse_ended(_adapted: object, record: sa.pool.ConnectionPoolEntry, _proxy: object) -> None:
    """Have the pool connect anew when the server has ended a connection that was kept.

    A kept connection has nothing to read; one whose server is gone has its end. Asking the kernel costs
    microseconds, where SQLAlchemy's own `pool_pre_ping` costs every request a round trip. A new connection
    that has ended already is for who asked for it: the pool tries twice, and then says what nobody takes
    for a lost server.
    """
    if not record.info.setdefault("used", False):
        record.info["used"] = True
        return
    kept = cast("psycopg.AsyncConnection[Any]", record.driver_connection)
    waiting = select.poll()
    waiting.register(kept.fileno(), select.POLLIN)
    if waiting.poll(0):
        raise sa.exc.DisconnectionError


async def transaction(request: Request) -> AsyncIterator[AsyncConnection]:
    """One request, one transaction: committed before the answer leaves, rolled back on any error."""
    engine: AsyncEngine = request.app.state.engine
    async with engine.begin() as conn:
        yield conn


Conn = Annotated[AsyncConnection, Depends(transaction, scope="function")]


async def driver(conn: AsyncConnection) -> psycopg.AsyncConnection[Any]:
    """The psycopg connection under `conn`, in the same transaction: for COPY and hot statements."""
    raw = await conn.get_raw_connection()
    return cast(psycopg.AsyncConnection[Any], raw.driver_connection)


def is_transient(error: BaseException) -> bool:
    """Whether the same work may well succeed later: a lost server or connection, a lock, a full disk."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(error.orig, TRANSIENT)
    return isinstance(error, (OSError, *TRANSIENT))


def as_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Many rows as one parameter, for `json_to_recordset`: dates, UUIDs and decimals as PostgreSQL reads them."""
    return orjson.dumps(rows, default=str).decode()


def migrations_folder(package: str) -> Path:
    """Where a service's migrations are: inside an installed wheel, or beside `src` in the workspace."""
    home = Path(str(importlib.import_module(package).__file__)).parent
    inside = home / "migrations"
    return inside if inside.is_dir() else home.parent.parent / "migrations"


@cache
def newest_revision(package: str) -> str:
    """The revision that a service's migrations lead to; files are named after theirs. Empty without any."""
    files = (migrations_folder(package) / "versions").glob("[0-9]*.py")
    return max((file.name.partition("_")[0] for file in files), default="")


async def is_behind(conn: AsyncConnection, package: str) -> bool:
    """Whether the database lacks migrations of this service. One that has more than we know is not behind."""
    known = await conn.scalar(sa.text("select to_regclass('alembic_version') is not null"))
    at = await conn.scalar(sa.text("select version_num from alembic_version")) if known else None
    return str(at or "") < newest_revision(package)


def alembic_config(package: str, url: str) -> "Config":
    """Alembic's configuration of a service, without an ini file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_folder(package)).replace("%", "%%"))
    config.attributes["url"] = url
    return config


def migrate(package: str, url: str) -> None:
    """Bring the database at `url` (SQLAlchemy form) to the newest schema of `package`."""
    from alembic import command

    command.upgrade(alembic_config(package, url), "head")


def run_migrations(meta: sa.MetaData) -> None:
    """The whole of a service's `migrations/env.py`: run on the given connection or address, synchronously."""
    from alembic import context

    given = context.config.attributes.get("connection")
    if given is not None:
        _run(given, meta)
        return
    engine = sa.create_engine(context.config.attributes["url"], poolclass=sa.NullPool)
    with engine.connect() as conn:
        _run(conn, meta)
    engine.dispose()


def _run(conn: sa.Connection, meta: sa.MetaData) -> None:
    from alembic import context

    context.configure(connection=conn, target_metadata=meta, compare_server_default=False)
    with context.begin_transaction():
        # Two services' containers, or two workers, may start at once on one database.
        conn.execute(sa.text("select pg_advisory_xact_lock(hashtext('benvung migrations'))"))
        context.run_migrations()
