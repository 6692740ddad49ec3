"""Numbers, percentages, money and dates as people write them, in Vietnamese and in English.

Rounding is half up, as in the official tables. Blanks inside a value are plain; a page keeps a value on one
line by its style. What has no value is not written here: the page says in words why there is none.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from benvung.clock import VIETNAM

Number = int | float | Decimal

MINUS = "\N{MINUS SIGN}"
_MILLION = 1_000_000


@dataclass(frozen=True)
class Formats:
    """How one language ("vi" or "en") writes values."""

    language: str

    def number(self, value: Number, decimals: int | None = None) -> str:
        """`1234.56` → "1.234,56"; rounded to `decimals`, or with the decimals it has."""
        exact = Decimal(str(value))
        if decimals is not None:
            exact = exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
        plain = f"{abs(exact):,f}"
        if self.language == "vi":
            plain = plain.translate({ord(","): ".", ord("."): ","})
        return MINUS + plain if exact < 0 else plain

    def percent(self, value: Number, decimals: int = 2) -> str:
        """A percentage, already times a hundred: `33.78` → "33,78 %"."""
        return self.number(value, decimals) + (" %" if self.language == "vi" else "%")

    def points(self, value: Number, decimals: int = 2) -> str:
        """A difference of two percentages: `5.91` → "5,91 điểm phần trăm"."""
        unit = "điểm phần trăm" if self.language == "vi" else "percentage points"
        return f"{self.number(value, decimals)} {unit}"

    def money(self, dong: Number) -> str:
        """An amount in đồng: `82_801_000_000` → "82.801 triệu đồng"; below a million in đồng.

        Nothing is rounded away: a million has as many decimals as the amount needs.
        """
        exact = Decimal(str(dong))
        millions = exact if abs(exact) < _MILLION else (exact / _MILLION).normalize()
        written = self.number(millions)
        if self.language == "vi":
            return f"{written} đồng" if millions is exact else f"{written} triệu đồng"
        return f"VND {written}" if millions is exact else f"VND {written} million"

    def date(self, day: dt.date) -> str:
        """A day: "24/01/2024", in English "24 Jan 2024", which nobody reads as another day."""
        return (
            f"{day:%d/%m/%Y}" if self.language == "vi" else f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
        )

    def moment(self, at: dt.datetime) -> str:
        """A moment on Vietnam's clock: "14:05 ngày 24/01/2024"."""
        local = at.astimezone(VIETNAM)
        joined = " ngày " if self.language == "vi" else ", "
        return f"{local:%H:%M}{joined}{self.date(local.date())}"

    def filters(self) -> dict[str, Callable[..., str]]:
        """The same, by the names templates call them."""
        return {
            "number": self.number,
            "percent": self.percent,
            "points": self.points,
            "money": self.money,
            "date": self.date,
            "moment": self.moment,
        }


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

VI = Formats("vi")
EN = Formats("en")

vi_number = VI.number
vi_percent = VI.percent
vi_points = VI.points
vi_money = VI.money
vi_date = VI.date
vi_moment = VI.moment
