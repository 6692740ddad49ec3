"""The running system of the fault tests: every wire can be cut, and others stand by for each relay and projector.

An operator of NATS is added to each of its accounts, who may do what no service may.
"""

import asyncio
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
from pydantic import SecretStr
from tests.faults.proxy import Link, Proxies
from tests.system.world import BUSINESS_DATE, COMMUNES, World, eventually

from benvung.bus import Bus
from benvung_local import district
from benvung_local.client import Addresses
from benvung_local.processes import LOOPBACK, DidNotStart, Process, free_port
from benvung_local.servers import NATS_CONF, SERVICES, new_password
from benvung_local.stack import Ports, Stack
from households.domain import get_standard
from households.files import ReviewRow, write_review_csv

SERVERS = ("nats", "postgres")
# Beside the worker inside each service: three relays of the register at once, two projectors of the others.
STANDBYS = ("households", "households", "funding", "reporting")
ENTERED_ON = "2022-12-31"
START_SECONDS = 60.0
CLIENT_SECONDS = 5.0


@dataclass
class Site:
    """A running system, its wires, and the password of its operator."""

    world: World
    proxies: Proxies
    operators: Mapping[str, str]
    operator_password: str
    links: dict[str, Link] = field(default_factory=dict)
    standbys: dict[str, str] = field(default_factory=dict)

    @property
    def stack(self) -> Stack:
        """The processes."""
        return self.world.stack

    @property
    def nats_conf(self) -> Path:
        """The configuration that NATS reads when it starts."""
        command = list(self.stack.nats.process.command)
        return Path(command[command.index("--config") + 1])

    @property
    def parts(self) -> list[str]:
        """Everything that can be killed and paused."""
        return [*SERVICES, *self.standbys, *SERVERS]

    @property
    def front(self) -> Addresses:
        """Where clients find the services: the register behind a wire of its own."""
        return replace(self.world.where, households=f"http://{LOOPBACK}:{self.links['clients'].port}")

    def process(self, part: str) -> Process:
        """The process of a service, a standby or a server."""
        if part == "nats":
            return self.stack.nats.process
        if part == "postgres":
            assert self.stack.postgres.process is not None
            return self.stack.postgres.process
        return self.stack.processes[part]

    def start(self, part: str) -> None:
        """Start a part that was killed; returns when it lives, which is before it has found its place."""
        if part not in SERVERS:
            self.process(part).start()
            return

        def started() -> bool:
            try:
                self.stack.start(part)
            except DidNotStart:
                return False  # children of the killed server still hold its memory
            return True

        eventually(started, START_SECONDS)

    def ready(self, seconds: float = START_SECONDS) -> None:
        """Return when every service and standby says that it is ready."""
        end = time.monotonic() + seconds
        while missing := [said for part in (*SERVICES, *self.standbys) if (said := self.lacks(part))]:
            assert time.monotonic() < end, f"not ready within {seconds:.0f} s: {missing}"
            time.sleep(0.05)

    def lacks(self, part: str) -> str:
        """What a part says that it waits for; nothing when it is ready."""
        url = self.standbys.get(part) or self.stack.url(part)
        try:
            answer = httpx2.get(f"{url}/health/ready", timeout=3, trust_env=False)
        except httpx2.HTTPError as error:
            return f"{part}: {error!r}"
        return "" if answer.is_success else f"{part}: {answer.text}"

    def ask(self, stream: str, endpoint: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One JetStream request as the operator of the account that owns `stream`."""

        async def request() -> dict[str, Any]:
            bus = await self.connect(stream)
            try:
                return await bus._api(endpoint, None if body is None else dict(body))
            finally:
                await bus.close()

        return asyncio.run(request())

    async def connect(self, stream: str) -> Bus:
        """A connection of the operator, straight to the server."""
        owner = stream.lower().removesuffix("_restricted")
        settings = self.world.settings(owner)
        user = self.operators.get(owner, next(iter(self.operators.values())))
        given = {"nats_user": user, "nats_password": SecretStr(self.operator_password)}
        return await Bus.connect(settings.model_copy(update=given), owner, "operator")


@contextmanager
def running(
    folder: Path, households: int, *, home: Path | None = None, standbys: Sequence[str] = STANDBYS
) -> Iterator[Site]:
    """The system with so many poor households in each of three communes, until the block ends.

    `home` is where it keeps its data; without one they are temporary.
    """
    proxies = Proxies()
    stack = Stack(folder=home, ports=Ports.free(), business_date=BUSINESS_DATE)
    world = World(stack, folder)
    password = new_password()
    site = Site(world, proxies, _add_operator(stack, folder, password), password)
    try:
        _wire(site)
        stack.start()
        for service in standbys:
            _stand_by(site, service)
        _enter(world, households)
        site.ready()
        yield site
    finally:
        world.close()
        stack.stop()
        proxies.close()


def _wire(site: Site) -> None:
    """Put a link between each service and each server, and one before the register."""
    stack = site.stack
    site.links["clients"] = site.proxies.link("clients", stack.ports.households)
    for service in SERVICES:
        stack.processes[service] = _behind_links(site, service, stack.processes[service])


def _behind_links(site: Site, part: str, process: Process) -> Process:
    env = dict(process.env)
    for server, name in (("nats", "NATS_URL"), ("postgres", "DATABASE_URL")):
        link = site.proxies.link(f"{part} {server}", getattr(site.stack, server).port)
        site.links[link.name] = link
        host = urlsplit(env[name]).hostname
        env[name] = re.sub(rf"{host}:\d+", f"{host}:{link.port}", env[name])
    return replace(process, env=env)


def _stand_by(site: Site, service: str) -> None:
    """Run another worker of a service beside the one in it, on wires of its own."""
    number = 2 + sum(name.startswith(f"{service} ") for name in site.standbys)
    name = f"{service} {number}"
    given = site.stack.processes[service]
    port = free_port()
    command = [*given.command[:-1], "worker", "--port", str(port)]
    base = replace(given, name=name, command=command, log=site.stack.logs / f"{service}-{number}.log")
    own = dict(base.env)
    own["NATS_URL"], own["DATABASE_URL"] = site.stack.nats.url, site.stack.database_url(service)
    process = _behind_links(site, name, replace(base, env=own, _child=None))
    site.stack.processes[name] = process
    site.standbys[name] = f"http://{LOOPBACK}:{port}"
    process.start()


def _add_operator(stack: Stack, folder: Path, password: str) -> dict[str, str]:
    """Start NATS from the house's configuration with one more user in each account; owner → operator."""
    operators: dict[str, str] = {}

    def insert(found: "re.Match[str]") -> str:
        before, user, owner = found.groups()
        operators[owner] = f"operator_{owner}"
        return f"{before}{{ user: {operators[owner]}, password: $NATS_OPERATOR_PASSWORD }}\n{user}"

    text = re.sub(r"(users:\s*\[\s*)(\{\s*user:\s*(\w+))", insert, NATS_CONF.read_text())
    conf = folder / "nats.conf"
    conf.write_text(text)
    process = stack.nats.process
    command = [str(conf) if part == str(NATS_CONF) else part for part in process.command]
    env = {**process.env, "NATS_OPERATOR_PASSWORD": password}
    stack.nats.process = replace(process, command=command, env=env)
    return operators


def _enter(world: World, households: int) -> None:
    """Register poor households in each commune, as a review's file would."""
    officer = world.officer()
    for commune in COMMUNES:
        village = {"code": f"{commune}.01", "name": "Làng Một"}
        officer.send("PUT", "households", f"/v1/communes/{commune}/villages", {"villages": [village]})
        review = world.open_review(commune, on=ENTERED_ON)
        file = world.folder / f"{commune}.csv"
        rows = [_poor(number, village["name"]) for number in range(1, households + 1)]
        write_review_csv(file, rows, get_standard("STD_2022_2025"))
        given = officer.upload(f"/v1/reviews/{review}/imports", file)
        eventually(partial(district.finished, officer, given["import_id"]), START_SECONDS)


def _poor(number: int, village: str) -> ReviewRow:
    return ReviewRow(
        number=number,
        village=village,
        head_name=f"Đinh Văn {number}",
        code=f"H{number:04d}",
        members=1 + number % 7,
        b1_points=120,
        b2_points=40,
    )
