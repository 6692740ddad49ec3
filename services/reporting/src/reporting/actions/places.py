"""The area a question is about: which unit it was on that day, its communes, and whether one may ask."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta

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
    def at_or_below(self) -> Collection[Unit]:
        """The area itself and every unit inside it; by the units of a later day also those they came from."""
        if self.drawn is None:
            return _inside(self.unit.code, self.on)
        if self.unit.level is Level.COUNTRY:
            return {*_inside(self.unit.code, self.on), *_inside(self.unit.code, self.drawn)}
        return areas.wholly_in((self.unit.code,), self.drawn)

    def above(self, inside: Unit) -> list[Unit]:
        """The units that lie between this area and a unit inside it, without either."""
        last = inside.valid_to - timedelta(days=1) if inside.valid_to is not None else self.geography
        path = areas.path(inside.code, min(last, self.geography))
        start = path.index(self.unit) + 1 if self.unit in path else 0
        return path[start:-1]

    @property
    def then(self) -> "list[Unit]":
        """What this area was on its day, by the units of that day."""
        return areas.was_of(self.unit, self.on)

    @property
    def now(self) -> "list[Unit]":
        """What this area is by the units of today."""
        return areas.now_of(self.unit, max(clock.today(), self.geography))

    @property
    def differs(self) -> bool:
        """Whether the units of its day and those of today are not the same here."""
        days = (self.on, max(clock.today(), self.on))
        if not all(self.unit.exists(day) for day in days):
            return True
        one, other = (
            {(each.code, each.valid_from) for each in _communes(self.unit.code, day)} for day in days
        )
        return one != other

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
    if not may_ask(principal, unit, day):
        raise OutsideArea(
            f"{unit.name} không nằm trọn trong địa bàn bạn phụ trách.",
            f"{unit.name} does not lie wholly inside your area.",
        )
    return replace(_place(unit, day), on=on, drawn=drawn)


def may_ask(principal: Principal, unit: Unit, on: date) -> bool:
    """Whether all of a unit, as it was on that day, is in scope: of an earlier one, all that it became."""
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
def _inside(code: str, on: date) -> tuple[Unit, ...]:
    inside = [unit for unit in (areas.find(code, on),) if unit is not None]
    waiting = [code]
    while waiting:
        below = areas.children(waiting.pop(), on)
        inside += below
        waiting += [unit.code for unit in below]
    return tuple(inside)


def own_areas(principal: Principal) -> list[Unit]:
    """The areas this person was given, the widest first; their codes are those of today."""
    today = clock.today()
    found = [unit for unit in (areas.find(code, today) for code in principal.areas) if unit is not None]
    order = list(Level)
    return sorted(found, key=lambda unit: (order.index(unit.level), unit.code))


def choices(principal: Principal, on: date, around: Unit) -> list[Unit]:
    """What the area picker offers beside `around`: the way up as far as one may look, and the units below."""
    above = areas.path(around.code, on)[:-1]
    own = [then for unit in own_areas(principal) for then in areas.was_of(unit, on)]
    below = areas.children(around.code, on)
    beside = areas.children(around.parent, on) if around.level is Level.COMMUNE and around.parent else []
    offered = dict.fromkeys([*above, around, *own, *below, *beside])
    return [unit for unit in offered if may_ask(principal, unit, on)]


def meant(code: str, seen: date, on: date, *, by_now: bool) -> tuple[str, bool]:
    """The code, and whether by the units of today, of a unit that somebody saw under `code` among those of `seen`.

    A code alone may mean another place on another day. What was made from several units has no one code on an
    earlier day, so it is then asked by the units of today; what was divided is asked with its province.
    """
    unit, today = areas.find(code, seen), clock.today()
    day = today if by_now and on < today else on
    if unit is None or unit.exists(day):
        return code, by_now
    before = unit.valid_from is not None and day < unit.valid_from
    found = areas.was_of(unit, day) if before else areas.now_of(unit, day)
    if len(found) == 1:
        return found[0].code, by_now
    if before and unit.exists(today):
        return code, True
    above = areas.province_of(found[0].code, day) if found else None
    return (above.code if above else code), by_now


def grouped(communes: tuple[Unit, ...]) -> list[tuple[str, list[Unit]]]:
    """Communes as the forms group them: urban, rural, then those whose kind no source states."""
    groups = [
        (kind.value, [unit for unit in communes if unit.area_type is kind])
        for kind in (AreaType.URBAN, AreaType.RURAL)
    ]
    groups.append(("UNKNOWN", [unit for unit in communes if unit.area_type is None]))
    return [(kind, units) for kind, units in groups if units]
