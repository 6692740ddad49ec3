"""The whole system as processes of this machine: PostgreSQL, NATS, a sign-in provider, four services."""

import base64
import datetime as dt
import fcntl
import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket
from typing import IO, Any

import httpx2

from benvung import db
from benvung_local.issuer import OFFICER_GRANT
from benvung_local.processes import LOOPBACK, DidNotStart, Process, free_port, private_folder
from benvung_local.servers import (
    AGENCIES_TOML,
    DATABASES_SQL,
    SERVICES,
    NatsServer,
    PostgresServer,
    nats_passwords,
    new_password,
)

ISSUER = "issuer"
DEMO_DATE = dt.date(2024, 1, 24)
READY_SECONDS = 60.0
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the sign-in provider and the services listen."""

    issuer: int = 8100
    households: int = 8101
    funding: int = 8102
    training: int = 8103
    reporting: int = 8104

    @classmethod
    def free(cls) -> "Ports":
        """Ports that nothing uses, for several stacks side by side."""
        found: set[int] = set()
        while len(found) < 1 + len(SERVICES):
            found.add(free_port())
        return cls(*found)

    def url(self, name: str) -> str:
        """Address of the provider or of a service."""
        return f"http://{LOOPBACK}:{getattr(self, name)}"


@dataclass(frozen=True, slots=True)
class Secrets:
    """What is drawn once and kept with the data: passwords, and the key that seals personal data."""

    database: Mapping[str, str]
    nats: Mapping[str, str]
    data_key: str

    @classmethod
    def of(cls, folder: Path) -> "Secrets":
        """Those kept in `folder`, or new ones put there."""
        kept = folder / "secrets.json"
        known: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
        made: dict[str, Any] = {
            "database": {service: new_password() for service in SERVICES},
            "data_key": base64.b64encode(secrets.token_bytes(32)).decode(),
            **known,
            # An agency may have come since.
            "nats": nats_passwords(known.get("nats")),
        }
        if made == known:
            return cls(**known)
        draft = kept.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(made, indent=1))
        draft.rename(kept)
        return cls(**made)


@dataclass
class Stack:
    """Everything that runs. `start()` without a name starts all; every part can be killed and started again.

    `folder` keeps the data between runs; without one they are temporary. `durable=False` is for tests that
    do not cut the power. `environment` adds settings to every service, `postgres_settings` to the database server.
    """

    folder: Path | None = None
    ports: Ports = field(default_factory=Ports)
    business_date: dt.date | None = None
    durable: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)
    postgres_settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._temporary = self.folder is None
        self.home = private_folder("benvung-stack") if self.folder is None else self.folder.resolve()
        self.home.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o711)  # PostgreSQL's account passes through, nobody looks around
        self._lock = _lock(self.home)
        self.secrets = Secrets.of(self.home)
        self.logs = self.home / "logs"
        self.logs.mkdir(mode=0o700, exist_ok=True)
        kept = None if self._temporary else self.home / "postgres"
        self.postgres = PostgresServer(kept, durable=self.durable, settings=self.postgres_settings)
        self.nats = NatsServer(self.home / "nats", passwords=self.secrets.nats)
        self.processes = {ISSUER: self._issuer()} | {name: self._service(name) for name in SERVICES}

    def start(self, name: str | None = None, progress: Progress = lambda _: None) -> None:
        """Start one part, or all in their order. Returns when what was started is ready.

        Raises `DidNotStart` with the end of the log of what did not.
        """
        if name is not None:
            self._start_one(name)
            return
        try:
            self._start_all(progress)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything, services before the servers under them; temporary data go."""
        running = [process for process in self.processes.values() if process.running]
        for process in running:
            process.ask_to_stop()
        for process in running:
            process.stop()
        self.nats.stop()
        self.postgres.stop()
        self._lock.close()
        if self._temporary:
            shutil.rmtree(self.home, ignore_errors=True)

    def kill(self, name: str) -> None:
        """SIGKILL one part: `postgres`, `nats`, `issuer` or a service."""
        if name == "postgres":
            self.postgres.kill()
        elif name == "nats":
            self.nats.kill()
        else:
            self.processes[name].kill()

    def ended(self) -> list[str]:
        """Names of the parts that run no more."""
        parts = {"nats": self.nats.process, **self.processes}
        if self.postgres.process is not None:
            parts["postgres"] = self.postgres.process
        return [name for name, process in parts.items() if not process.running]

    def url(self, name: str) -> str:
        """Address of the sign-in provider or of a service."""
        return self.ports.url(name)

    def database_url(self, service: str) -> str:
        """Address of a service's database, as that service."""
        return self.postgres.url(service, service, self.secrets.database[service])

    def token(self, officer: str) -> str:
        """An access token of one of the invented officers."""
        return fetch_token(self.url(ISSUER), officer)

    def _start_all(self, progress: Progress) -> None:
        progress("PostgreSQL và NATS")
        self._check_ports()
        self.nats.start()
        self.postgres.start()
        passwords = {f"{name.upper()}_DB_PASSWORD": word for name, word in self.secrets.database.items()}
        self.postgres.run_sql(DATABASES_SQL, passwords)
        progress("Cơ sở dữ liệu của bốn dịch vụ")
        for service in SERVICES:
            url = self.database_url(service).replace("postgresql://", "postgresql+psycopg://", 1)
            db.migrate(service, url)
        progress("Nơi đăng nhập và bốn dịch vụ")
        for process in self.processes.values():
            process.start()
        self._wait_ready(list(self.processes))

    def _start_one(self, name: str) -> None:
        if name == "postgres":
            self.postgres.start()
        elif name == "nats":
            self.nats.start()
        else:
            self.processes[name].start()
            self._wait_ready([name])

    def _wait_ready(self, names: list[str]) -> None:
        end = time.monotonic() + READY_SECONDS
        with httpx2.Client(timeout=2, trust_env=False) as client:
            for name in names:
                path = "/health/live" if name == ISSUER else "/health/ready"
                last = ""

                def ready(url: str = self.url(name) + path) -> bool:
                    nonlocal last
                    try:
                        answer = client.get(url)
                    except httpx2.HTTPError:
                        return False
                    last = answer.text
                    return answer.status_code == httpx2.codes.OK

                try:
                    self.processes[name].wait_until(ready, max(1.0, end - time.monotonic()))
                except DidNotStart as error:
                    raise DidNotStart(f"{error}\n{last}") from error

    def _check_ports(self) -> None:
        for name in (ISSUER, *SERVICES):
            with socket() as probe:
                if probe.connect_ex((LOOPBACK, getattr(self.ports, name))) == 0:
                    raise DidNotStart(
                        f"port {getattr(self.ports, name)} ({name}) is in use: does another Bền Vững run?"
                    )

    def _issuer(self) -> Process:
        hosts = (LOOPBACK, "localhost")
        services = [
            f"--service=http://{host}:{getattr(self.ports, name)}" for name in SERVICES for host in hosts
        ]
        command = [sys.executable, "-m", "benvung_local.issuer", f"--port={self.ports.issuer}", *services]
        return Process(ISSUER, command, self.logs / "issuer.log", _environment())

    def _service(self, name: str) -> Process:
        date = {"BUSINESS_DATE": self.business_date.isoformat()} if self.business_date else {}
        environment = {
            **_environment(),
            # Pages link to the services that have pages.
            "REPORTING_URL": self.url("reporting"),
            "DATABASE_URL": self.database_url(name),
            "NATS_URL": self.nats.url,
            "NATS_USER": name,
            "NATS_PASSWORD": self.secrets.nats[name],
            "AGENCIES_FILE": str(AGENCIES_TOML),
            "HOST": LOOPBACK,
            "PORT": str(getattr(self.ports, name)),
            "PUBLIC_URL": self.url(name),
            "ISSUER_URL": self.url(ISSUER),
            **({"DATA_KEY": self.secrets.data_key} if name == "households" else {}),
            **date,
            **self.environment,
        }
        return Process(name, [sys.executable, "-m", name, "serve"], self.logs / f"{name}.log", environment)


def fetch_token(issuer: str, officer: str) -> str:
    """An access token of an invented officer from the embedded run's provider."""
    form = {"grant_type": OFFICER_GRANT, "officer": officer}
    answer = httpx2.post(f"{issuer}/token", data=form, timeout=5, trust_env=False)
    answer.raise_for_status()
    return str(answer.json()["access_token"])


def _environment() -> dict[str, str]:
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"PYTHONUNBUFFERED": "1"}


def _lock(home: Path) -> IO[bytes]:
    """Hold `home` for this process: two NATS servers on one store would ruin it."""
    held = (home / "lock").open("ab")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        held.close()
        raise DidNotStart(f"{home} is in use by another run") from error
    return held
