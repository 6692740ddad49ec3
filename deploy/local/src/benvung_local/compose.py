"""Builds the images, brings docker compose up as a project of its own, runs the main job, takes it down.

Needs a Docker engine with compose. Passwords, ports and volumes are this run's own: a system that runs
from the same folder is not touched.
"""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx2
from rich.console import Console

from benvung_local import demo, district, reclassify, verify
from benvung_local.client import Addresses, Officer
from benvung_local.processes import LOOPBACK, free_port
from benvung_local.servers import DEPLOY
from benvung_local.stack import DEMO_DATE

NAMES = ("issuer", "households", "funding", "training", "reporting")
OFFICER = "huyen-kong-chro"
READY_SECONDS = 180.0
DECISIONS = 600


def compose_command() -> list[str]:
    """The compose of this machine. Exits when there is none."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) and not _run([*command, "version"], quiet=True):
            return command
    sys.exit("docker compose was not found")


def wait_ready(addresses: Addresses) -> None:
    """Return when all answer. Exits when they do not in time."""
    end = time.monotonic() + READY_SECONDS
    for name in NAMES:
        path = "/health/live" if name == "issuer" else "/health/ready"
        url = getattr(addresses, name) + path
        while (said := _answer(url)) != "":
            if time.monotonic() > end:
                sys.exit(f"{name} is not ready: {said}")
            time.sleep(0.5)


def _answer(url: str) -> str:
    try:
        answer = httpx2.get(url, timeout=3, trust_env=False)
    except httpx2.HTTPError as error:
        return repr(error)
    return "" if answer.status_code == httpx2.codes.OK else answer.text


def main_job(console: Console, addresses: Addresses, compose: "Compose") -> bool:
    """Two years of a district, then decisions while a service and NATS are killed; do all say the same?"""
    with tempfile.TemporaryDirectory() as folder:
        demo.load(addresses, Path(folder))
    steps = [(DECISIONS // 3, ("kill", "nats", "funding")), (2 * DECISIONS // 3, ("up", "-d", "--no-build"))]

    def interfere(done: int) -> None:
        while steps and done >= steps[0][0]:
            compose(*steps.pop(0)[1])

    reclassify.many(addresses, DECISIONS, interfere)
    wait_ready(addresses)
    urls = {name: getattr(addresses, name) for name in NAMES}
    token = Officer(addresses, OFFICER).token
    found = verify.compare_until_equal(urls, token, district.DISTRICT, 60)
    verify.show(console, found)
    return found.equal and bool(found.communes)


class Compose:
    """This run's own compose project."""

    def __init__(self, scratch: Path, ports: dict[str, int]) -> None:
        """Draw passwords into a file that compose reads; ports and addresses go by the environment."""
        _run([sys.executable, str(DEPLOY / "make_env.py"), str(scratch / "env")])
        here = {f"{name.upper()}_PORT": str(port) for name, port in ports.items()}
        there = {f"{name.upper()}_URL": f"http://{LOOPBACK}:{port}" for name, port in ports.items()}
        inside = {"ISSUER_INTERNAL_URL": "http://issuer:8000", "BUSINESS_DATE": DEMO_DATE.isoformat()}
        self._environment = {**os.environ, **here, **there, **inside}
        self._command = [
            *compose_command(),
            *("--project-name", f"benvungtest{secrets.token_hex(3)}"),
            *("--env-file", str(scratch / "env")),
            *("-f", "docker-compose.yml", "-f", "deploy/compose.test.yml"),
        ]

    def __call__(self, *words: str) -> None:
        """Run a command of compose. Exits when it fails."""
        if code := _run([*self._command, *words], env=self._environment):
            sys.exit(f"compose {words[0]} ended with {code}")


def _run(command: list[str], *, quiet: bool = False, env: dict[str, str] | None = None) -> int:
    sink = subprocess.DEVNULL if quiet else None
    return subprocess.run(
        command, cwd=DEPLOY.parent, env=env, stdout=sink, stderr=sink, check=False
    ).returncode


def main() -> int:
    """Exit code 0 when the main job ran and every number was equal."""
    ports = {name: free_port() for name in NAMES}
    addresses = Addresses(**{name: f"http://{LOOPBACK}:{port}" for name, port in ports.items()})
    with tempfile.TemporaryDirectory() as scratch:
        compose = Compose(Path(scratch), ports)
        try:
            compose("build")
            compose("up", "-d")
            wait_ready(addresses)
            return 0 if main_job(Console(width=120), addresses, compose) else 1
        except BaseException:
            compose("logs", "--tail=30")
            raise
        finally:
            compose("down", "--volumes", "--timeout=5")


if __name__ == "__main__":
    sys.exit(main())
