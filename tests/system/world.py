"""The running system of these tests, with three communes of the invented district in it."""

import asyncio
import csv
import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from pydantic import SecretStr

from benvung import bus
from benvung.bus import Bus, Stored
from benvung.settings import ServiceSettings
from benvung_local import demo, district, verify
from benvung_local.client import Addresses, Officer
from benvung_local.district import Entered
from benvung_local.stack import Ports, Stack

BUSINESS_DATE = dt.date(2024, 1, 24)
YEAR_ENDS = {2022: "2022-12-31", 2023: "2023-12-31"}
DISTRICT = district.DISTRICT
COMMUNE, OTHER, THIRD = "23827", "23830", "23836"
COMMUNES = (COMMUNE, OTHER, THIRD)
OWNERS = ("households", "funding", "training")
READERS = {
    "funding": (("funding", "HOUSEHOLDS"),),
    "training": (("training", "HOUSEHOLDS"),),
    "reporting": (("reporting", "HOUSEHOLDS"), ("reporting", "FUNDING"), ("reporting", "TRAINING")),
}
SETTLE_SECONDS = 60.0


@dataclass
class World:
    """A running stack and what was entered into it. `poison` lists what tests put into streams by hand."""

    stack: Stack
    folder: Path
    entered: dict[int, Entered] = field(default_factory=dict)
    poison: dict[str, list[int]] = field(default_factory=lambda: {"HOUSEHOLDS": []})
    _officers: dict[str, Officer] = field(default_factory=dict)

    @property
    def where(self) -> Addresses:
        """Where the issuer and the services answer."""
        return demo.addresses(self.stack)

    def officer(self, name: str = "huyen-kong-chro") -> Officer:
        """One of the invented officers, signed in once."""
        if name not in self._officers:
            self._officers[name] = Officer(self.where, name)
        return self._officers[name]

    def close(self) -> None:
        """Close the officers' connections."""
        for officer in self._officers.values():
            officer.close()

    def households(self, area: str, **query: str) -> list[Any]:
        """The households of an area that the district's officer sees."""
        return list(self.officer().pages("households", "/v1/households", area=area, **query))

    def open_review(self, commune: str, *, official: bool = True, on: str = "2024-01-24") -> str:
        """A regular review of results that hold from a day; returns its id."""
        return district.open_review(
            self.officer(),
            {
                "commune": commune,
                "year": on[:4],
                "kind": "REGULAR",
                "stage": "OFFICIAL" if official else "PRELIMINARY",
                "standard": "STD_2022_2025",
                "decided_on": on,
                "valid_from": on,
                "decision_number": f"{commune}/{on}",
            },
        )

    def compared(self) -> verify.Comparison:
        """What registry, stream, funding and reporting say of the district once nothing is under way."""
        self.settle()
        urls = {name: self.stack.url(name) for name in ("households", "funding", "reporting")}
        return verify.compare(urls, self.officer().token, DISTRICT)

    def rows(self, service: str, query: str, *values: Any) -> list[Any]:
        """What a service's database holds."""
        with psycopg.connect(self.stack.database_url(service)) as conn:
            return conn.execute(query.encode(), values).fetchall()

    def settle(self, seconds: float = SETTLE_SECONDS) -> None:
        """Return when every outbox is empty and every projection has read its stream to the end."""
        end = time.monotonic() + seconds
        while under_way := self._under_way():
            assert time.monotonic() < end, f"not within {seconds:.0f} s: {under_way}"
            time.sleep(0.05)

    def _under_way(self) -> list[str]:
        # Upstream first: an outbox that was empty before its reader was looked at stays empty.
        found: list[str] = []
        for owner in OWNERS:
            [(waiting,)] = self.rows(owner, "select count(*) from outbox")
            found += [f"outbox of {owner}: {waiting}"] if waiting else []
            last = self.stream_state(owner.upper()).last_seq
            for reader, pairs in READERS.items():
                for projector, stream in pairs:
                    if stream == owner.upper():
                        found += self._behind(reader, projector, stream, last)
        return found

    def _behind(self, reader: str, projector: str, stream: str, last: int) -> list[str]:
        query = "select stream_seq from checkpoints where projector = %s and stream = %s"
        at = sum(row[0] for row in self.rows(reader, query, projector, stream))
        return [] if at >= last else [f"{reader} reads {stream} at {at} of {last}"]

    def wait_ready(self) -> None:
        """Return when every service says that it is ready: one that lost its database notices by asking."""
        for service in (*OWNERS, "reporting"):
            eventually(partial(self._ready, service))

    def _ready(self, service: str) -> bool:
        return self.officer().ask("GET", service, "/health/ready").is_success

    def settings(self, service: str) -> ServiceSettings:
        """The settings with which a service speaks to NATS."""
        return ServiceSettings(
            database_url=SecretStr(self.stack.database_url(service)),
            nats_url=self.stack.nats.url,
            nats_user=service,
            nats_password=SecretStr(self.stack.secrets.nats[service]),
        )

    def stream_state(self, stream: str) -> bus.StreamState:
        """How far a stream reaches, asked as its owner."""

        async def ask() -> bus.StreamState:
            connected = await Bus.connect(self.settings(stream.lower()), stream.lower(), "test")
            try:
                return await connected.stream_state(stream)
            finally:
                await connected.close()

        return asyncio.run(ask())

    def stream(self, name: str, after: int = 0) -> list[Stored]:
        """The messages of a stream behind a stream sequence, without what tests put there by hand."""

        async def read() -> list[Stored]:
            owner = name.lower()
            connected = await Bus.connect(self.settings(owner), owner, "test")
            try:
                last = (await connected.stream_state(name)).last_seq
                return [stored async for stored in connected.read_range(name, after + 1, last)]
            finally:
                await connected.close()

        ours = set(self.poison.get(name, ()))
        return [stored for stored in asyncio.run(read()) if stored.stream_seq not in ours]


def say(text: str) -> None:
    """Words that belong to a failure's report, and are seen with `pytest -s`."""
    print(text)  # noqa: T201 -- see above


def eventually(check: Callable[[], Any], seconds: float = 20.0) -> Any:
    """The first truthy answer of `check`."""
    end = time.monotonic() + seconds
    while not (answer := check()):
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {check}"
        time.sleep(0.02)
    return answer


@contextmanager
def running(folder: Path) -> Iterator[World]:
    """The stack with both years of three communes entered, until the block ends."""
    stack = Stack(ports=Ports.free(), business_date=BUSINESS_DATE)
    world = World(stack, folder)
    try:
        # The first year is invented while the servers start.
        with ThreadPoolExecutor(1) as beside:
            invented = beside.submit(district.generate, folder, min(YEAR_ENDS))
            stack.start()
            invented.result()
        enter(world)
        yield world
    finally:
        world.close()
        stack.stop()


def enter(world: World) -> None:
    """Enter both years through the public API, as the communes' officers would."""
    officer, folder = world.officer(), world.folder
    for year in YEAR_ENDS:
        if year == 2023:
            register = district.export_register(officer, folder / "register", list(COMMUNES))
            district.generate(folder, year, register)
        _keep_our_communes(folder, year)
        if year == 2022:
            district.enter_villages(officer, folder)
        else:
            district.enter_changes(officer, folder, year, _quietly)
        district.enter_population(officer, folder, year)
        world.entered[year] = district.enter_reviews(officer, folder, year, _quietly)
    demo.allocate(world.officer("ngan-sach"))
    demo.train(world.officer("tap-huan"))


def _quietly(_step: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


def _keep_our_communes(folder: Path, year: int) -> None:
    """Narrow the generated tables; what happens to households that nobody entered cannot be entered."""
    for name in (f"reviews-{year}.csv", f"population-{year}.csv", f"changes-{year}.csv"):
        path = folder / name
        if path.exists():
            rows = district.table(path)
            _write(path, list(rows[0]), [row for row in rows if _ours(row)])


def _ours(row: Mapping[str, str]) -> bool:
    known = "household_id" not in row or row["kind"] == "ARRIVAL" or bool(row["household_id"])
    return known and row.get("commune", row.get("area")) in COMMUNES


def _write(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
