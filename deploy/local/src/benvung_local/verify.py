"""Do all say the same? Registry, funding, reporting and the stream, commune by commune, asked over HTTP only."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2
from rich.console import Console
from rich.table import Table

from benvung import areas, clock

CLASSES = ("POOR", "NEAR_POOR", "AVERAGE_LIVING", "NOT_POOR")
TITLES = {
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

    def agrees(self, commune: str) -> bool:
        """Whether all four said the same of this commune."""
        return len({self._row(source, commune) for source in self.said}) == 1

    def total(self, source: str, name: str) -> tuple[int, int]:
        """Households and persons of one class in the whole area, as one source counts them."""
        found = [count for (_, of), count in self.said[source].items() if of == name]
        return sum(each[0] for each in found), sum(each[1] for each in found)

    def _row(self, source: str, commune: str) -> tuple[tuple[int, int], ...]:
        return tuple(self.said[source].get((commune, name), (0, 0)) for name in CLASSES)

    def households(self, source: str, commune: str) -> str:
        """Households by class in one commune, as one source counts them."""
        return _cell(tuple(number for number, _ in self._row(source, commune)))


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


def show(console: Console, found: Comparison) -> None:
    """Print the comparison, one line per commune and the totals by class."""
    unit = areas.find(found.area, clock.today())
    table = Table(
        title=f"Đối chiếu {unit.name if unit else found.area}: số hộ nghèo · cận nghèo · mức sống trung bình"
        " · không nghèo",
        caption="Khớp nghĩa là cả bốn nguồn cùng số hộ và số khẩu ở từng hạng.",
    )
    table.add_column("Xã")
    for source in found.said:
        table.add_column(TITLES[source], justify="right")
    table.add_column("Kết quả")
    for commune in found.communes:
        named = areas.find(commune, clock.today())
        verdict = "[green]khớp[/]" if found.agrees(commune) else "[bold red]LỆCH[/]"
        name = f"{commune} {named.name}" if named else commune
        table.add_row(name, *(found.households(source, commune) for source in found.said), verdict)
    table.add_section()
    households = {source: tuple(found.total(source, name)[0] for name in CLASSES) for source in found.said}
    persons = {source: tuple(found.total(source, name)[1] for name in CLASSES) for source in found.said}
    for title, totals in (("Tổng số hộ", households), ("Tổng số khẩu", persons)):
        verdict = "[green]khớp[/]" if len(set(totals.values())) == 1 else "[bold red]LỆCH[/]"
        table.add_row(title, *(_cell(each) for each in totals.values()), verdict, style="bold")
    console.print(table)


def _cell(numbers: tuple[int, ...]) -> str:
    return " · ".join(f"{number:,}".replace(",", ".") for number in numbers)
