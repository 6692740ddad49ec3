"""Child processes that never outlive us: started, watched, stopped and killed by their own id."""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom
from socket import AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, socket

LOOPBACK = "127.0.0.1"
# Below the range from which Linux gives ports to outgoing connections, so that a killed server finds its
# port free again.
PORTS = range(15_000, 32_000)
# Open to every account and kept over a restart; whatever of ours is found there is checked first.
COMMON_GROUND = Path("/var/tmp")  # noqa: S108 -- see above
MEMORY = Path("/dev/shm")  # noqa: S108 -- folders of ours there have names of their own and are private
ROOM_NEEDED = 4 * 2**30
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class DidNotStart(Exception):
    """A process ended early or did not become ready in time; the message shows the end of its log."""


def free_port() -> int:
    """A TCP port of the loopback address that nothing uses now."""
    random = SystemRandom()
    for _ in range(200):
        port = random.choice(PORTS)
        with socket(AF_INET, SOCK_STREAM) as probe:
            probe.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise DidNotStart("no free TCP port found")


@dataclass(frozen=True, slots=True)
class Owner:
    """The account a process runs as and owns its files with."""

    uid: int
    gid: int

    @classmethod
    def unprivileged(cls) -> "Owner":
        """Ourselves, or `nobody` when we are root: PostgreSQL refuses to run as root."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        try:
            nobody = pwd.getpwnam("nobody")
        except KeyError as error:
            raise DidNotStart("running as root needs an account named nobody for PostgreSQL") from error
        return cls(nobody.pw_uid, nobody.pw_gid)

    @property
    def is_us(self) -> bool:
        """Whether no change of account is needed."""
        return self.uid == os.geteuid()

    def can_enter(self, folder: Path) -> bool:
        """Whether this account can reach `folder` through all folders above it."""
        if self.is_us:
            return True
        return all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents))


@dataclass(slots=True)
class Process:
    """One program: how to start it and, while it runs, its id.

    It is told to end when the thread that started it ends, so start it from a thread that stays.
    """

    name: str
    command: Sequence[str]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    owner: Owner | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    folder: Path | None = None
    _child: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it, unless it runs already. Its output is appended to the log."""
        if self.running:
            return
        change = self.owner is not None and not self.owner.is_us
        with self.log.open("ab") as log, warnings.catch_warnings():
            # The hook between fork and exec makes a single system call and takes no lock.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._child = subprocess.Popen(
                list(self.command),
                env=dict(self.env),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=self.owner.uid if change and self.owner else None,
                group=self.owner.gid if change and self.owner else None,
                extra_groups=[] if change else None,
                preexec_fn=_end_with_parent(self.stop_signal),  # noqa: PLW1509 -- see above
            )

    @property
    def pid(self) -> int:
        """The process id. Raises `DidNotStart` when it was never started."""
        if self._child is None:
            raise DidNotStart(f"{self.name} was not started")
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._child is not None and self._child.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How it ended: its exit code, or minus the signal it died of; nothing while it runs."""
        return self._child.poll() if self._child is not None else None

    def wait_until(self, ready: Callable[[], bool], timeout: float) -> None:
        """Return when `ready()` says so. Raises `DidNotStart` if the process ends or time runs out."""
        end = time.monotonic() + timeout
        while not ready():
            if not self.running:
                raise DidNotStart(f"{self.name} ended at its start:\n{self.tail()}")
            if time.monotonic() > end:
                raise DidNotStart(f"{self.name} was not ready after {timeout:.0f} s:\n{self.tail()}")
            time.sleep(0.01)

    def ask_to_stop(self) -> None:
        """Ask it to end and do not wait."""
        self.send(self.stop_signal)

    def send(self, what: signal.Signals) -> None:
        """Send a signal, if it runs."""
        if self._child is not None and self.running:
            self._child.send_signal(what)

    def stop(self, timeout: float = 10) -> None:
        """Ask it to end; kill it when it does not within `timeout` seconds."""
        if self._child is None or not self.running:
            return
        self.ask_to_stop()
        try:
            self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once, as a crash or a power cut would."""
        if self._child is not None and self.running:
            self._child.kill()
            self._child.wait()

    def tail(self, lines: int = 15) -> str:
        """The last lines of its log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


def _end_with_parent(stop: signal.Signals) -> Callable[[], None] | None:
    libc, parent = _libc, os.getpid()
    if libc is None:
        return None

    def arrange() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(stop))
        if os.getppid() != parent:
            os._exit(1)

    return arrange


def private_folder(prefix: str, user: Owner | None = None, *, in_memory: bool = False) -> Path:
    """A new temporary folder of ours, where `user` can reach what is given to it.

    `in_memory` puts it into memory, where there is room for it. Folders of the same kind whose process is
    gone are removed first.
    """
    base = Path(tempfile.gettempdir())
    if in_memory and _room(MEMORY) >= ROOM_NEEDED and os.access(MEMORY, os.W_OK):
        base = MEMORY
    if user is not None and not user.can_enter(base):
        base = COMMON_GROUND
    for old in base.glob(f"{prefix}-*-*"):
        _remove_if_left_behind(old)
    return Path(tempfile.mkdtemp(prefix=f"{prefix}-{os.getpid()}-", dir=base))


def _room(folder: Path) -> int:
    """Bytes that are free there; none where there is no such folder."""
    return shutil.disk_usage(folder).free if folder.is_dir() else 0


def _remove_if_left_behind(folder: Path) -> None:
    pid = folder.name.split("-")[-2]
    try:
        if folder.lstat().st_uid != os.geteuid() or not pid.isdigit():
            return
        os.kill(int(pid), 0)
    except ProcessLookupError:
        shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        return
