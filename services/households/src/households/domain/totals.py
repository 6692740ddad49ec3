"""How many households an area has: a number, or a range where the source says no more. A range stays one.

Nothing takes the middle of a range: it is nobody's figure. A sum of ranges lies between the sums of their ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from households.domain.terms import Refused


@dataclass(frozen=True, slots=True)
class Total:
    """A number of households: between two numbers, which are one where it is known exactly."""

    least: int
    most: int

    @property
    def exact(self) -> int | None:
        """The number itself, where it is known."""
        return self.least if self.least == self.most else None

    def __add__(self, other: Total) -> Total:
        return Total(self.least + other.least, self.most + other.most)


def check_total(least: int, most: int) -> Total:
    """A total as somebody gives it. Raises `Refused` when it ends below its beginning."""
    if most < least:
        raise Refused(
            "total-implausible",
            f"Tổng số hộ không thể từ {least} đến {most}: số đầu lớn hơn số cuối.",
            f"The number of households cannot lie between {least} and {most}: it ends below its beginning.",
            "body.most",
        )
    return Total(least, most)


def sum_of(parts: Iterable[Total]) -> Total:
    """The total of several areas that do not overlap."""
    return sum(parts, Total(0, 0))
