"""What a service alone may meet: an empty database of its own, and a sign-in provider."""

import base64
import secrets
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import httpx2
import psycopg
import pytest
from psycopg import sql
from tests.alone.houses import kept

from benvung_local.client import until
from benvung_local.processes import LOOPBACK, Process, free_port
from benvung_local.stack import fetch_token

SignIn = Callable[[str], dict[str, str]]
DATA_KEY = base64.b64encode(b"a key of thirty-two known bytes.").decode()


@dataclass(frozen=True)
class Empty:
    """A database that does not exist yet."""

    server: str
    name: str
    password: str

    @property
    def url(self) -> str:
        """Where it will be, as its owner."""
        parts = urlsplit(self.server)
        place = (parts.hostname or LOOPBACK) + (f":{parts.port}" if parts.port else "")
        return urlunsplit(
            ("postgresql", f"{self.name}:{self.password}@{place}", f"/{self.name}", parts.query, "")
        )

    def create(self) -> None:
        """Make it, as deploy/postgres/databases.sql does, with nothing in it."""
        name = sql.Identifier(self.name)
        with psycopg.connect(self.server, autocommit=True) as conn:
            conn.execute(sql.SQL("create role {} login password {}").format(name, sql.Literal(self.password)))
            conn.execute(
                sql.SQL(
                    "create database {} owner {} template template0 encoding 'UTF8' locale 'C'"
                    " locale_provider builtin builtin_locale 'C.UTF-8'"
                ).format(name, name)
            )

    def drop(self) -> None:
        """Remove it, whoever is still connected."""
        name = sql.Identifier(self.name)
        with psycopg.connect(self.server, autocommit=True) as conn:
            conn.execute(sql.SQL("drop database if exists {} with (force)").format(name))
            conn.execute(sql.SQL("drop role if exists {}").format(name))


@pytest.fixture
def databases_to_be(postgres_server: str) -> Iterator[Callable[[], Empty]]:
    """`databases_to_be()`: a database that the test creates when it likes."""
    made: list[Empty] = []

    def of() -> Empty:
        made.append(Empty(postgres_server, f"alone_{secrets.token_hex(4)}", secrets.token_hex(8)))
        return made[-1]

    yield of
    for each in made:
        each.drop()


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the embedded run's sign-in provider."""
    port = free_port()
    command = [sys.executable, "-m", "benvung_local.issuer", f"--port={port}"]
    process = Process("issuer", command, tmp_path_factory.mktemp("issuer") / "log", kept())
    process.start()
    url = f"http://{LOOPBACK}:{port}"
    try:
        until(30, lambda: _token_or_nothing(url))
        yield url
    finally:
        process.stop()


def _token_or_nothing(url: str) -> str:
    try:
        return fetch_token(url, "van-hanh")
    except httpx2.TransportError:
        return ""


@pytest.fixture
def sign_in(issuer: str) -> SignIn:
    """`sign_in("tap-huan")`: the header of one of the invented officers."""
    return lambda officer: {"Authorization": f"Bearer {fetch_token(issuer, officer)}"}
