"""A service as somebody else runs it: built as wheels, installed into an environment of its own, started
from an empty folder with nothing but environment variables."""

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx2

from benvung_local.processes import LOOPBACK, Process, free_port

ROOT = Path(__file__).resolve().parents[2]
KIT = ROOT / "shared"
UV = os.environ.get("UV") or shutil.which("uv") or str(ROOT / ".benvung" / "uv" / "bin" / "uv")
# The environment we run in is not to be found by what runs alone.
_OURS = ("PYTHON", "VIRTUAL_ENV", "UV_PROJECT", "DATABASE_", "NATS_", "TEST_")
SECONDS = 30.0


def run(*command: str | Path, folder: Path = ROOT, environment: Mapping[str, str] | None = None) -> str:
    """What a command says; one that fails ends the test with its words."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=kept() if environment is None else dict(environment),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def kept() -> dict[str, str]:
    """The variables of this machine, without those that tell of us."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}


def build(project: Path, folder: Path) -> Path:
    """The wheel of a project, built with the locked build backend."""
    python = f"--python={sys.executable}"
    run(
        UV,
        "build",
        "-q",
        "--wheel",
        "--offline",
        "--no-build-isolation",
        python,
        f"--out-dir={folder}",
        project,
    )
    [wheel] = folder.glob(f"benvung_{project.name}-*.whl")
    return wheel


def install(service: str, wheels: list[Path], folder: Path) -> None:
    """An environment with the wheels and what the lock file says they need, and nothing else."""
    locked = folder.with_suffix(".txt")
    what = (f"--package=benvung-{service}", "--no-dev", "--no-emit-workspace", "--no-hashes", "--no-header")
    run(UV, "export", "-q", "--frozen", "--offline", *what, f"--output-file={locked}")
    run(UV, "venv", "-q", "--offline", f"--python={sys.executable}", folder)
    packages = [f"--python={folder}", "--no-deps", "-r", str(locked), *map(str, wheels)]
    try:
        run(UV, "pip", "install", "-q", "--offline", *packages)
    except AssertionError:
        # Whoever keeps no cache has to fetch what is installed beside us already.
        run(UV, "pip", "install", "-q", *packages)
    _take_what_is_compiled(folder)


def _take_what_is_compiled(environment: Path) -> None:
    """Spare the new environment from compiling what was compiled here: Python checks that it is of the same files."""
    ours = Path(sysconfig.get_path("purelib"))
    theirs = environment / ours.relative_to(sys.prefix)
    for package in theirs.iterdir():
        for cache in (ours / package.name).rglob("__pycache__"):
            with contextlib.suppress(OSError):
                shutil.copytree(cache, theirs / cache.relative_to(ours), copy_function=os.link)


@dataclass
class House:
    """One service on its own."""

    service: str
    folder: Path
    environment: Mapping[str, str]
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.home = self.folder / "home"
        self.home.mkdir(parents=True)
        wheels = self.folder / "wheels"
        install(
            self.service,
            [build(KIT, wheels), build(ROOT / "services" / self.service, wheels)],
            self.folder / "environment",
        )

    @property
    def program(self) -> Path:
        """The command that the wheel brings."""
        return self.folder / "environment" / "bin" / self.service

    @property
    def python(self) -> Path:
        """The interpreter of this environment."""
        return self.folder / "environment" / "bin" / "python"

    @cached_property
    def process(self) -> Process:
        """The service's process, told by its environment alone how to run."""
        return Process(
            self.service,
            [str(self.program), "serve"],
            self.folder / "log",
            {**self.environment, "PORT": str(self.port)},
            folder=self.home,
        )

    @cached_property
    def client(self) -> httpx2.Client:
        """Speaks to the running service."""
        return httpx2.Client(base_url=f"http://{LOOPBACK}:{self.port}", timeout=10, trust_env=False)

    def command(self, *arguments: str) -> str:
        """What the service's command says."""
        return run(self.program, *arguments, folder=self.home, environment=self.environment)

    def start(self) -> None:
        """Start to serve; returns as soon as it lives."""
        self.process.start()
        self.process.wait_until(lambda: self._ask("/health/live") == httpx2.codes.OK, SECONDS)

    def _ask(self, path: str) -> int:
        try:
            return self.client.get(path).status_code
        except httpx2.TransportError:
            return 0

    def wait_ready(self) -> None:
        """Return when it says that it is ready."""
        end = time.monotonic() + SECONDS
        while missing := self.waits_for():
            assert time.monotonic() < end, f"after {SECONDS:.0f} s it still waits for {missing}"
            time.sleep(0.05)

    def waits_for(self) -> dict[str, str]:
        """What it waits for: each part and the words for it; nothing if it is ready."""
        answer = self.client.get("/health/ready")
        if answer.status_code == httpx2.codes.OK:
            return {}
        assert answer.status_code == httpx2.codes.SERVICE_UNAVAILABLE
        assert answer.headers["content-type"] == "application/problem+json"
        body = answer.json()
        assert body["detail"].startswith("Đang chờ: ")
        return {each["field"]: each["message"] for each in body["errors"]}

    def stop(self) -> float:
        """Tell it to stop; returns the seconds it took."""
        began = time.monotonic()
        self.process.stop()
        self.client.close()
        return time.monotonic() - began


def eventually(check: Callable[[], Any], seconds: float = SECONDS) -> Any:
    """The first truthy answer of `check`."""
    end = time.monotonic() + seconds
    while not (answer := check()):
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {check}"
        time.sleep(0.05)
    return answer
