"""Which administrative units a question or a decision may name."""

import datetime as dt
from typing import Self

from benvung.problems import FieldError, Problem


class AreaUnknown(Problem):
    """There is no such administrative unit on that day."""

    status, rule = 422, "area-unknown"
    title_vi, title_en = "Không có đơn vị hành chính này", "There is no such administrative unit"

    @classmethod
    def at(cls, area: str, on: dt.date, field: str = "area") -> Self:
        """The problem for this code on this day, given in this field."""
        vi = f"Không có địa bàn {area} vào ngày {on:%d/%m/%Y}."
        en = f"There is no area {area} on {on}."
        return cls(vi, en, errors=[FieldError(field, cls.rule, vi, en)])
