"""The area a question is about: which unit it was on that day, its communes, and whether one may ask."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date

from benvung import areas, clock
from benvung.areas import AreaType, Level, Unit
from benvung.auth import OutsideArea, Principal
from benvung.problems import NotFound


class AreaUnknown(NotFound):
    """No administrative unit had this code on that day."""

    rule = "area-unknown"
    title_vi, title_en = "Không có đơn vị hành chính này", "No such administrative unit"


@dataclass(frozen=True, slots=True)
class Place:
    """An area on a day, with its communes in the order of their codes: those of that day, or of `drawn`."""

    unit: Unit
    on: date
    communes: tuple[Unit, ...]
    drawn: date | None = None

    @property
    def geography(self) -> date:
        """The day whose units these are."""
        return self.drawn or self.on

    @property
    def peopled(self) -> list[str]:
        """The codes of its communes without those that stand for what is not assigned yet."""
        return [unit.code for unit in self.communes if not unit.is_waiting]

    @property
    def codes(self) -> list[str]:
        """The codes of its communes."""
        return [unit.code for unit in self.communes]

    @property
    def at_or_below(self) -> tuple[str, ...]:
        """The codes of the area itself and of every unit inside it."""
        return _inside(self.unit.code, self.geography)

    def above(self, code: str) -> list[str]:
        """The codes of the units that lie between this area and a unit inside it, without either."""
        path = [unit.code for unit in areas.path(code, self.geography)]
        start = path.index(self.unit.code) + 1 if self.unit.code in path else 0
        return path[start:-1]

    def children(self) -> list["Place"]:
        """The units directly below it, each as a place of the same day."""
        return [
            replace(_place(unit, self.geography), on=self.on, drawn=self.drawn)
            for unit in areas.children(self.unit.code, self.geography)
        ]

    def listed(self, known: Collection[str]) -> "Place":
        """The same area with the communes that a list of it names.

        These are all it has; of the whole country's ten thousand, and of what is not assigned to a commune yet,
        only those `known` to have any figure.
        """
        if self.unit.level is not Level.COUNTRY:
            listed = tuple(unit for unit in self.communes if not unit.is_waiting or unit.code in known)
            return replace(self, communes=listed)
        return replace(self, communes=tuple(unit for unit in self.communes if unit.code in known))

    def parts(self) -> list["Place"]:
        """Its communes, each as a place of the same day."""
        return [Place(unit, self.on, (unit,), self.drawn) for unit in self.communes]

    def on_day(self, day: date) -> "Place | None":
        """The same area on another day; None when it did not exist then (a code alone proves nothing)."""
        if self.drawn is not None:
            return self.seen_on(day)
        if areas.find(self.unit.code, day) != self.unit:
            return None
        return _place(self.unit, day)

    def seen_on(self, day: date) -> "Place":
        """Another day, by the units that these are."""
        return replace(self, on=day, drawn=self.geography)


def place(principal: Principal, code: str, on: date, drawn: date | None = None) -> Place:
    """The area with this code on that day, or on the day `drawn` by whose units the figures are asked.

    A figure under an area's name is never counted from a part of it. Raises `AreaUnknown`, and `OutsideArea`
    unless all is in scope: of an earlier unit, all that it became.
    """
    day = drawn or on
    unit = areas.find(code, day)
    if unit is None:
        raise AreaUnknown(
            f"Ngày {day:%d/%m/%Y} không có đơn vị hành chính mã {code}.",
            f"There was no administrative unit with code {code} on {day.isoformat()}.",
        )
    if not _covers(principal, unit, day):
        raise OutsideArea(
            f"{unit.name} không nằm trọn trong địa bàn bạn phụ trách.",
            f"{unit.name} does not lie wholly inside your area.",
        )
    return replace(_place(unit, day), on=on, drawn=drawn)


def _covers(principal: Principal, unit: Unit, on: date) -> bool:
    scope = principal.scope()
    if scope.communes is None:
        return True
    # Codes were given again: of an earlier unit today's scope holds what its communes became.
    now = _now(unit.code, on, clock.today())
    return bool(now) and now <= scope.communes


def _place(unit: Unit, on: date) -> Place:
    return Place(unit, on, _communes(unit.code, on))


@areas.remembered(maxsize=1024)
def _communes(code: str, on: date) -> tuple[Unit, ...]:
    return tuple(areas.communes_under(code, on))


@areas.remembered(maxsize=1024)
def _now(code: str, on: date, today: date) -> frozenset[str]:
    """The communes that an area's are today; none when one of them is not known to have become any."""
    became = [areas.became(commune, today) for commune in _communes(code, on) if not commune.is_waiting]
    if not all(became):
        return frozenset()
    return frozenset(commune.code for each in became for commune in each)


@areas.remembered(maxsize=256)
def _inside(code: str, on: date) -> tuple[str, ...]:
    inside, waiting = [code], [code]
    while waiting:
        below = [unit.code for unit in areas.children(waiting.pop(), on)]
        inside += below
        waiting += below
    return tuple(inside)


def own_areas(principal: Principal, on: date) -> list[Unit]:
    """The areas this person was given, the widest first."""
    found = [unit for unit in (areas.find(code, on) for code in principal.areas) if unit is not None]
    order = list(Level)
    return sorted(found, key=lambda unit: (order.index(unit.level), unit.code))


def choices(principal: Principal, on: date, around: Unit) -> list[Unit]:
    """What the area picker offers beside `around`: the way up as far as one may look, and the units below."""
    scope = principal.scope()

    def visible(unit: Unit) -> bool:
        inside = frozenset(commune.code for commune in _communes(unit.code, on))
        return scope.communes is None or (bool(inside) and inside <= scope.communes)

    above = [unit for unit in areas.path(around.code, on) if visible(unit)]
    below = areas.children(around.code, on)
    beside = areas.children(around.parent, on) if around.level is Level.COMMUNE and around.parent else []
    offered = [*above, around, *own_areas(principal, on), *below, *beside]
    return list(dict.fromkeys(unit for unit in offered if visible(unit)))


def grouped(communes: tuple[Unit, ...]) -> list[tuple[str, list[Unit]]]:
    """Communes as the forms group them: urban, rural, then those whose kind no source states."""
    groups = [
        (kind.value, [unit for unit in communes if unit.area_type is kind])
        for kind in (AreaType.URBAN, AreaType.RURAL)
    ]
    groups.append(("UNKNOWN", [unit for unit in communes if unit.area_type is None]))
    return [(kind, units) for kind, units in groups if units]
