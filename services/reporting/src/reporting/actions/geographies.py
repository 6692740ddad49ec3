"""Figures by the units of another day need to be told how the one came from the other."""

from datetime import date, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import areas
from benvung.areas import Unit
from benvung.problems import Conflict
from reporting import store
from reporting.actions.places import Place


class ReorganisationNotRecorded(Conflict):
    """Units became others, and the register has not told what became of their households."""

    rule = "reorganisation-not-recorded"
    title_vi = "Chưa ghi nhận việc sắp xếp đơn vị hành chính"
    title_en = "The reorganisation of units is not recorded"


async def check_told(conn: AsyncConnection, place: Place, since: date) -> None:
    """Raise `ReorganisationNotRecorded` if figures of a unit that ended since then cannot be placed here.

    What a commune became is never guessed from a code, which may be another place's by now.
    """
    ended = {each for unit in place.communes for each in _ended(unit, since)}
    told = await store.told_between(conn, since, place.geography)
    untold = sorted(ended - told)
    code = await store.first_with_figures(conn, untold) if untold else None
    if code is not None:
        day = next(day for each, day in untold if each == code)
        name = _name(code, day)
        raise ReorganisationNotRecorded(
            f"Sổ hộ chưa ghi nhận {name} (mã {code}) trở thành đơn vị nào từ ngày {day:%d/%m/%Y}, nên chưa thể"
            " tính số liệu trước ngày đó theo các đơn vị sau này.",
            f"The register has not recorded what {name} (code {code}) became on {day.isoformat()}, so figures"
            " from before cannot be given by later units.",
        )


def _ended(unit: Unit, since: date) -> set[tuple[str, date]]:
    """The units that ended after a day on the way to this one, each with the day on which it was no more."""
    if unit.valid_from is None or unit.valid_from <= since:
        return set()
    before = [areas.find(code, unit.valid_from - timedelta(days=1)) for code in unit.predecessors]
    found = {(each.code, unit.valid_from) for each in before if each is not None}
    return found.union(*(_ended(each, since) for each in before if each is not None))


def _name(code: str, day: date) -> str:
    unit = areas.find(code, day - timedelta(days=1))
    return unit.name if unit else code
