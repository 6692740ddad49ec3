"""What is asked of a register of a million households: one read, filtered pages, searches."""

import base64
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.load.million import VILLAGES, Filled

from households.domain.persons import plain_name

ONE, PAGE, SEARCH = 15.0, 50.0, 100.0
CLASSES = ("POOR", "NEAR_POOR", "NOT_POOR")
EARLIER = "2024-06-01"
Made = str | tuple[str, dict[str, Any]]
Chosen = Callable[[random.Random], str]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of request: how one is made, and what it is held against in milliseconds."""

    name: str
    made: Callable[[random.Random], Made]
    bound: float | None = None
    offered: bool = True


def kinds(filled: Filled, offered: frozenset[str]) -> Iterator[Kind]:
    """Everything that is asked. `offered` are the filters that the list of households has."""
    yield Kind("giới hạn: dịch vụ chỉ nói là còn sống", lambda _: "/health/live")
    yield Kind("đọc một hộ", lambda rnd: f"/v1/households/{rnd.choice(filled.households)[0]}", ONE)
    yield from _pages(_Some(filled))
    yield from _filters(_Some(filled), offered)
    yield from _searches(_Some(filled))


class _Some:
    """Chooses what a request is about."""

    def __init__(self, filled: Filled) -> None:
        self._filled = filled
        self._communes = sorted({commune for _, commune in filled.households})

    def commune(self, rnd: random.Random) -> str:
        return rnd.choice(self._communes)

    def village(self, rnd: random.Random) -> str:
        return f"{self.commune(rnd)}.0{rnd.randint(1, VILLAGES)}"

    def depth(self, rnd: random.Random) -> str:
        """A cursor somewhere in the list."""
        household, commune = rnd.choice(self._filled.households)
        text = json.dumps([commune, household]).encode()
        return base64.urlsafe_b64encode(text).decode().rstrip("=")

    def poverty_class(self, rnd: random.Random) -> str:
        return rnd.choice(CLASSES)

    def name(self, rnd: random.Random) -> str:
        """As common as it is in the register."""
        return self._filled.names[int(rnd.random() * rnd.random() * len(self._filled.names))]

    def neighbours(self, rnd: random.Random) -> str:
        words = self.name(rnd).split()
        at = rnd.randrange(len(words) - 1)
        return " ".join(words[at : at + 2])

    def word(self, rnd: random.Random) -> str:
        return rnd.choice(self.name(rnd).split())

    def number(self, rnd: random.Random) -> str:
        return rnd.choice(self._filled.numbers)


def _page(**given: str | Chosen) -> Chosen:
    return _request("/v1/households", given)


def _search(name: Chosen, **given: str | Chosen) -> Chosen:
    return _request("/v1/households/search", {"name": name, **given})


def _request(path: str, given: dict[str, Any]) -> Chosen:
    def made(rnd: random.Random) -> str:
        chosen = {name: value(rnd) if callable(value) else value for name, value in given.items()}
        return f"{path}?{urlencode(chosen)}"

    return made


def _pages(some: _Some) -> Iterator[Kind]:
    one, deep, here = {"class": some.poverty_class}, {"after": some.depth}, {"area": some.commune}
    yield Kind("trang không lọc, sâu", _page(**deep), PAGE)
    yield Kind("trang theo hạng, đầu", _page(**one), PAGE)
    yield Kind("trang theo hạng, sâu", _page(**one, **deep), PAGE)
    yield Kind("trang không có hạng", _page(**{"class": "NONE"}), PAGE)
    yield Kind("trang hạng không hộ nào có", _page(**{"class": "AVERAGE_LIVING"}), PAGE)
    yield Kind("trang đã rời đi, không hộ nào", _page(status="LEFT"), PAGE)
    yield Kind("trang theo xã và hạng", _page(**here, **one), PAGE)
    yield Kind("trang theo thôn", _page(village=some.village), PAGE)
    yield Kind("trang theo thôn và hạng, sâu", _page(village=some.village, **one, **deep), PAGE)
    yield Kind("trang của một ngày trước, theo xã", _page(on=EARLIER, **here), PAGE)
    yield Kind("trang của một ngày trước, cả tỉnh, sâu", _page(on=EARLIER, **deep), PAGE)
    yield Kind("trang của một ngày trước, theo hạng", _page(on=EARLIER, **one), PAGE)


def _filters(some: _Some, offered: frozenset[str]) -> Iterator[Kind]:
    kinds = ("NEW_POOR", "ESCAPED_ABOVE_NEAR_POOR", "NEAR_POOR_TO_POOR")
    values: list[tuple[str, str, tuple[str, ...], dict[str, str | Chosen]]] = [
        ("indicator", "chỉ số", ("WATER_SOURCE", "EMPLOYMENT", "HOUSING_AREA"), {}),
        ("indicator", "chỉ số hiếm hộ thiếu", ("HYGIENIC_TOILET", "INFO_DEVICES"), {}),
        ("indicator", "chỉ số và hạng", ("WATER_SOURCE", "HYGIENIC_TOILET"), {"class": some.poverty_class}),
        ("cause", "nguyên nhân", ("NO_LAND", "NO_CAPITAL", "ILLNESS"), {}),
        ("cause", "nguyên nhân hiếm hộ có", ("OTHER",), {}),
        ("cause", "nguyên nhân và chỉ số", ("NO_LAND", "OTHER"), {"indicator": "WATER_SOURCE"}),
        ("movement", "biến động", kinds, {}),
        ("movement", "biến động một năm", kinds, {"movement_year": "2024"}),
        ("movement", "biến động không hộ nào có", ("RELAPSE_NEAR_POOR",), {}),
        ("group", "nhóm", ("MERIT", "CHILDREN_UNDER_16", "PUPILS_STUDENTS"), {}),
    ]
    for name, words, known, more in values:

        def value(rnd: random.Random, known: tuple[str, ...] = known) -> str:
            return rnd.choice(known)

        for where, place in (
            ("", {}),
            (", sâu", {"after": some.depth}),
            (", một xã", {"area": some.commune}),
        ):
            yield Kind(
                f"trang theo {words}{where}", _page(**{name: value}, **more, **place), PAGE, name in offered
            )


def _searches(some: _Some) -> Iterator[Kind]:
    yield Kind("tìm cả họ tên, có dấu", _search(some.name), SEARCH)
    yield Kind("tìm cả họ tên, không dấu", _search(lambda rnd: plain_name(some.name(rnd))), SEARCH)
    yield Kind("tìm hai chữ, có dấu", _search(some.neighbours), SEARCH)
    yield Kind("tìm hai chữ, không dấu", _search(lambda rnd: plain_name(some.neighbours(rnd))), SEARCH)
    yield Kind(
        "tìm hai chữ, không dấu, sâu",
        _search(lambda rnd: plain_name(some.neighbours(rnd)), after=some.depth),
        SEARCH,
    )
    yield Kind("tìm một chữ, không dấu", _search(lambda rnd: plain_name(some.word(rnd))), SEARCH)
    yield Kind("tìm hai chữ trong một xã", _search(some.neighbours, area=some.commune), SEARCH)
    yield Kind(
        "tìm theo số định danh", lambda rnd: ("/v1/households/search", {"number": some.number(rnd)}), SEARCH
    )
