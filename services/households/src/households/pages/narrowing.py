"""What the list of households is narrowed by on its page: what is offered, and what was chosen of it."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import areas, clock
from benvung.areas import Level
from benvung.auth import Principal
from benvung.forms import Typed, wrong
from benvung.pages.catalogue import translator
from households import store
from households.actions.simulations import RESTRICTED
from households.api.fields import NO_CONTROLS, AreaCode, Day, PovertyClass, VillageCode, Year
from households.domain import HouseholdClass, Refused, Status, label
from households.domain.causes import cause_list
from households.domain.groups import Group, group_label, groups_asked
from households.domain.labels import Language
from households.domain.persons import plain_name
from households.domain.standards import standards
from households.domain.terms import Movement

HERE = "/households"
NO_CLASS = "NONE"
DAYS = frozenset({"on"})
CODE_LENGTH = 5
Options = list[tuple[str, str]]


class Chosen(BaseModel):
    """What somebody chose, as the API names it; nothing was chosen of what is None."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(max_length=100, pattern=NO_CONTROLS)] | None = None
    area: AreaCode | None = None
    village: VillageCode | None = None
    poverty_class: Literal[PovertyClass, "NONE"] | None = Field(default=None, alias="class")
    status: Status | None = None
    indicator: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9_]{1,40}$")] | None = None
    cause: Annotated[str, StringConstraints(pattern=r"^[A-Z_]{1,40}$")] | None = None
    group: Group | None = None
    movement: Movement | None = None
    movement_year: Year | None = None
    on: Day | None = None

    @property
    def earlier(self) -> dt.date | None:
        """The day asked about, where it is another than today."""
        return self.on if self.on != clock.today() else None

    @property
    def standing(self) -> Status | None:
        """A list has who is in the register; a name is looked for among all who ever were."""
        return self.status or (None if self.name else Status.ACTIVE)

    def filters(self) -> dict[str, Any]:
        """All but the name, the area and the day, as the API takes them."""
        return {
            "village": self.village,
            "poverty_class": self.poverty_class,
            "status": self.standing,
            "indicator": self.indicator,
            "cause": self.cause,
            "group": self.group,
            "movement": None if self.movement is None else [self.movement],
            "movement_year": self.movement_year,
        }

    def of_file(self) -> list[tuple[str, str]]:
        """The same list as a file: what its address says."""
        given = self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"name"})
        found = [(name, str(value)) for name, value in given.items()]
        return [*found, ("geography", "now")] if self.on else found


NAMES = tuple(field.alias or name for name, field in Chosen.model_fields.items())


def typed_in(query: Mapping[str, str], names: Iterable[str] = NAMES) -> Typed:
    """What stands in the address, of what the page asks."""
    return Typed({name: (query[name],) for name in names if query.get(name, "").strip()})


def in_its_commune(typed: Typed, known: "Offered") -> Typed:
    """The same without a village that was chosen of another commune than the one that is asked for now."""
    if typed.text("village") in dict(known.villages):
        return typed
    return replace(typed, values={name: v for name, v in typed.values.items() if name != "village"})


def chosen_in(typed: Typed) -> Chosen:
    """What was chosen. Raises a `Problem` with what is written wrongly, and the domain's `Refused`."""
    given = {name: typed.day(name) if name in DAYS else typed.text(name) for name in typed.values}
    if "name" in given:
        given["name"] = " ".join((given["name"] or "").split()) or None
    try:
        chosen = Chosen.model_validate(given)
    except ValidationError as error:
        raise wrong(error) from error
    if chosen.on is not None and chosen.on > clock.today():
        raise Refused(
            "day-to-come",
            "Ngày này chưa đến: hãy chọn hôm nay hoặc một ngày trước đây.",
            "This day is still to come: choose today or an earlier one.",
            "on",
        )
    if chosen.name and chosen.earlier:
        raise Refused(
            "names-are-of-today",
            "Tìm theo tên chỉ tìm trong sổ hiện nay: hãy bỏ tên hoặc bỏ ngày.",
            "Names are looked for in the register of today: leave out the name or the day.",
            "on",
        )
    return chosen


@dataclass(frozen=True, slots=True)
class Offered:
    """What may be chosen, each with its words."""

    areas: Options
    villages: Options
    choices: Mapping[str, Options]

    def words(self, name: str, value: str) -> str:
        """What people read for what was chosen."""
        known = {"area": self.areas, "village": self.villages, **self.choices}.get(name, [])
        return next((words for code, words in known if code == value), value)


async def offered(conn: AsyncConnection, principal: Principal, typed: Typed, lang: Language) -> Offered:
    """What this person may choose: restricted ones only if they may see them, villages once the commune is known."""
    area, today = typed.text("area"), clock.today()
    commune = _commune(principal, area, typed.text("village"))
    villages: Options = []
    if commune is not None:
        listed = await store.places.villages_of(conn, commune, ended="on" in typed.values)
        villages = [(each.code, each.name) for each in listed]
    restricted = principal.may(RESTRICTED)
    return Offered(
        _areas(principal, area, today),
        villages,
        {
            "class": [
                *((code, label(HouseholdClass(code), lang)) for code in get_args(PovertyClass)),
                (NO_CLASS, translator("households", lang)("households.no_class")),
            ],
            "status": [(each.value, label(each, lang)) for each in (Status.LEFT, Status.CLOSED)],
            "indicator": _indicators(today, lang, restricted=restricted),
            "cause": [
                (code, one.label(lang))
                for code, one in cause_list().causes.items()
                if restricted or not one.restricted
            ],
            "group": [(each.value, group_label(each, lang)) for each in groups_asked(today)],
            "movement": [(each.value, label(each, lang)) for each in Movement],
        },
    )


def _areas(principal: Principal, area: str, today: dt.date) -> Options:
    """The communes of this person; of the whole country its provinces, and the communes of the one that was chosen."""
    seen = principal.scope().communes
    if seen is not None:
        return _named(areas.find(code, today) for code in seen) if len(seen) > 1 else []
    province = areas.province_of(area, today) if area else None
    below = areas.communes_under(province.code, today) if province else []
    return _named(areas.children(areas.COUNTRY, today)) + _named(below)


def _named(units: Iterable[areas.Unit | None]) -> Options:
    found = [(each.code, each.name) for each in units if each is not None]
    return sorted(found, key=lambda each: plain_name(each[1]))


def _commune(principal: Principal, area: str, village: str) -> str | None:
    """The one commune whose villages are offered."""
    unit = areas.find(area, clock.today()) if area else None
    if unit is not None and unit.level is Level.COMMUNE:
        return area if principal.scope().covers(area) else None
    seen = principal.scope().communes
    if seen is not None and len(seen) == 1:
        return next(iter(seen))
    commune = village.partition(".")[0]
    return commune if len(commune) >= CODE_LENGTH and not area and principal.scope().covers(commune) else None


def _indicators(today: dt.date, lang: Language, *, restricted: bool) -> Options:
    """Those of the standards that decide, of the one in force first; each code once."""
    found: dict[str, str] = {}
    complete = [each for each in standards().values() if each.complete]
    for standard in sorted(complete, key=lambda each: not each.valid_on(today)):
        for one in standard.indicators:
            if restricted or not one.restricted:
                found.setdefault(one.code, one.label_vi if lang == "vi" else one.label_en)
    return list(found.items())


def address(
    values: Mapping[str, Sequence[str]], *, here: str = HERE, without: str = "", after: str | None = None
) -> str:
    """The page with these values, but for one of them; further on in the list if said."""
    kept = [(name, given[0]) for name, given in values.items() if name != without]
    query = urlencode([*kept, ("after", after)] if after else kept)
    return f"{here}?{query}" if query else here
