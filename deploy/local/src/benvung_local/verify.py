"""Do all say the same? Registry, funding, reporting and the stream, commune by commune, asked over HTTP only."""

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2
from rich.console import Console
from rich.table import Table

from benvung import areas
from benvung.pages.formats import vi_number
from benvung_local.stack import DEMO_DATE

CLASSES = {
    "POOR": "Nghèo",
    "NEAR_POOR": "Cận nghèo",
    "AVERAGE_LIVING": "Mức sống trung bình",
    "NOT_POOR": "Không nghèo",
}
SOURCES = {
    "households": "Sổ hộ",
    "stream": "Dòng sự kiện",
    "funding": "Vốn và điều kiện vay",
    "reporting": "Báo cáo",
}
PATHS = {
    "households": ("households", "/v1/verify"),
    "stream": ("households", "/v1/verify/stream"),
    "funding": ("funding", "/v1/verify"),
    "reporting": ("reporting", "/v1/verify"),
}
# What puts right what differs from the register.
REPAIRS = {
    "stream": "households recover",
    "funding": "funding rebuild HOUSEHOLDS",
    "reporting": "reporting rebuild HOUSEHOLDS",
}
TIMEOUT = 60.0
# (commune, class) -> (households, persons), without what is zero
Counts = Mapping[tuple[str, str], tuple[int, int]]


class CannotAsk(Exception):
    """A service does not answer, or refuses; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What each of the four said about an area."""

    area: str
    said: Mapping[str, Counts]

    @property
    def communes(self) -> list[str]:
        """Codes of all communes that anybody named."""
        return sorted({commune for counts in self.said.values() for commune, _ in counts})

    @property
    def equal(self) -> bool:
        """Whether all four said the same of every commune and class."""
        return all(self.agrees(commune) for commune in self.communes)

    @property
    def repairs(self) -> list[str]:
        """The commands that put right whoever says something else than the register."""
        return [
            command
            for source, command in REPAIRS.items()
            if any(
                self._counts(source, commune) != self._counts("households", commune)
                for commune in self.communes
            )
        ]

    def agrees(self, commune: str) -> bool:
        """Whether all four said the same of this commune."""
        return len({self._counts(source, commune) for source in self.said}) == 1

    def total(self, source: str, name: str) -> tuple[int, int]:
        """Households and persons of one class in the whole area, as one source counts them."""
        found = [count for (_, of), count in self.said[source].items() if of == name]
        return sum(each[0] for each in found), sum(each[1] for each in found)

    def row(self, source: str, commune: str) -> list[str]:
        """Households by class in one commune, as one source counts them, written out."""
        return [vi_number(households) for households, _ in self._counts(source, commune)]

    def _counts(self, source: str, commune: str) -> tuple[tuple[int, int], ...]:
        return tuple(self.said[source].get((commune, name), (0, 0)) for name in CLASSES)


def compare(urls: Mapping[str, str], token: str, area: str) -> Comparison:
    """Ask all four about an area. Raises `CannotAsk`."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(headers=headers, timeout=TIMEOUT, trust_env=False) as client:
        return Comparison(
            area,
            {source: _ask(client, urls[service] + path, area) for source, (service, path) in PATHS.items()},
        )


def compare_until_equal(urls: Mapping[str, str], token: str, area: str, seconds: float) -> Comparison:
    """Ask again while events are still under way, at most for `seconds`; the last answer counts."""
    end = time.monotonic() + seconds
    while not (found := compare(urls, token, area)).equal and time.monotonic() < end:
        time.sleep(0.5)
    return found


def _ask(client: httpx2.Client, url: str, area: str) -> Counts:
    try:
        answer = client.get(url, params={"area": area})
        body = answer.json()
        if answer.status_code != httpx2.codes.OK:
            raise CannotAsk(f"{url}: {answer.status_code} {body.get('title', '')} {body.get('detail', '')}")
        return {
            (row["commune"], name): (count["households"], count["persons"])
            for row in body["communes"]
            for name, count in row["classes"].items()
            if count["households"] or count["persons"]
        }
    except (httpx2.HTTPError, ValueError, KeyError) as error:
        raise CannotAsk(f"{url}: {error!r}") from error


def show(console: Console, found: Comparison, on: dt.date = DEMO_DATE) -> None:
    """Print the comparison commune by commune, and the totals of each source. `on` chooses the names."""
    console.print(_communes(found, on), totals(found))
    if found.repairs:
        console.print("Sổ hộ là gốc. Đưa nơi lệch về đúng:", *found.repairs, sep="\n  ", highlight=False)


def _communes(found: Comparison, on: dt.date) -> Table:
    table = Table(title=f"Đối chiếu {_name(found.area, on)}, số hộ theo xã")
    table.add_column("Xã", no_wrap=True)
    for title in CLASSES.values():
        table.add_column(title, justify="right")
    table.add_column("Bốn nguồn")
    for commune in found.communes:
        if found.agrees(commune):
            table.add_row(_name(commune, on), *found.row("households", commune), "[green]khớp[/]")
            continue
        for source, title in SOURCES.items():
            table.add_row(_name(commune, on), *found.row(source, commune), f"[bold red]LỆCH[/]: {title}")
    return table


def totals(found: Comparison) -> Table:
    """What each source says of the whole area."""
    table = Table(title=f"Toàn địa bàn: {'bốn nguồn khớp nhau' if found.equal else 'CÓ CHỖ LỆCH'}")
    table.add_column("Nguồn", no_wrap=True)
    for title in CLASSES.values():
        table.add_column(f"Hộ {title[0].lower()}{title[1:]}", justify="right")
    table.add_column("Tổng số hộ", justify="right")
    table.add_column("Tổng số khẩu", justify="right")
    for source, title in SOURCES.items():
        counts = [found.total(source, name) for name in CLASSES]
        numbers = [*(each[0] for each in counts), sum(h for h, _ in counts), sum(p for _, p in counts)]
        table.add_row(title, *map(vi_number, numbers))
    return table


def _name(code: str, on: dt.date) -> str:
    unit = areas.find(code, on)
    return f"{code} {unit.name}" if unit else code
