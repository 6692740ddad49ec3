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
    """An area on a day, with the communes it had then, in the order of their codes."""

    unit: Unit
    on: date
    communes: tuple[Unit, ...]

    @property
    def codes(self) -> list[str]:
        """The codes of its communes."""
        return [unit.code for unit in self.communes]

    @property
    def at_or_below(self) -> tuple[str, ...]:
        """The codes of the area itself and of every unit inside it."""
        return _inside(self.unit.code, self.on)

    def above(self, code: str) -> list[str]:
        """The codes of the units that lie between this area and a unit inside it, without either."""
        path = [unit.code for unit in areas.path(code, self.on)]
        start = path.index(self.unit.code) + 1 if self.unit.code in path else 0
        return path[start:-1]

    def children(self) -> list["Place"]:
        """The units directly below it, each as a place of the same day."""
        return [_place(unit, self.on) for unit in areas.children(self.unit.code, self.on)]

    def listed(self, known: Collection[str]) -> "Place":
        """The same area with the communes that a list of it names.

        These are all it has; of the whole country's ten thousand only those `known` to have any figure.
        """
        if self.unit.level is not Level.COUNTRY:
            return self
        return replace(self, communes=tuple(unit for unit in self.communes if unit.code in known))

    def parts(self) -> list["Place"]:
        """Its communes, each as a place of the same day."""
        return [Place(unit, self.on, (unit,)) for unit in self.communes]

    def on_day(self, day: date) -> "Place | None":
        """The same area on another day; None when it did not exist then (a code alone proves nothing)."""
        if areas.find(self.unit.code, day) != self.unit:
            return None
        return _place(self.unit, day)


def place(principal: Principal, code: str, on: date) -> Place:
    """The area with this code on that day. Raises `AreaUnknown`, and `OutsideArea` unless all is in scope.

    A figure under an area's name is never counted from a part of it.
    """
    unit = areas.find(code, on)
    if unit is None:
        raise AreaUnknown(
            f"Ngày {on:%d/%m/%Y} không có đơn vị hành chính mã {code}.",
            f"There was no administrative unit with code {code} on {on.isoformat()}.",
        )
    if not _covers(principal, unit):
        raise OutsideArea(
            f"{unit.name} không nằm trọn trong địa bàn bạn phụ trách.",
            f"{unit.name} does not lie wholly inside your area.",
        )
    return _place(unit, on)


def _covers(principal: Principal, unit: Unit) -> bool:
    scope = principal.scope()
    if scope.communes is None:
        return True
    # Codes were given again: today's scope says nothing about an earlier unit of the same code.
    today = clock.today()
    inside = {commune.code for commune in _communes(unit.code, today)}
    return areas.find(unit.code, today) == unit and bool(inside) and inside <= scope.communes


def _place(unit: Unit, on: date) -> Place:
    return Place(unit, on, _communes(unit.code, on))


@areas.remembered(maxsize=1024)
def _communes(code: str, on: date) -> tuple[Unit, ...]:
    return tuple(areas.communes_under(code, on))


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
