"""By income, without forms B1 and B2: households with an average living standard, and low-income workers."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

from households.domain.procedure_terms import Finding, ProcedureKind, procedure_label
from households.domain.standards import Standard
from households.domain.terms import AreaType, Refused

MONTHS = 12
INCOME_LIMIT = 100_000_000_000
"""No household of a review earns this in a year; a larger number is a slip of the pen."""

BY_INCOME: Mapping[ProcedureKind, Finding] = {
    ProcedureKind.AVERAGE_LIVING: Finding.AVERAGE_LIVING,
    ProcedureKind.LOW_INCOME_WORKER: Finding.LOW_INCOME_WORKER,
}
"""What each review that goes by income may find; everybody else does not qualify."""


@dataclass(frozen=True, slots=True)
class IncomeLimit:
    """Up to which income, in đồng per person and month, somebody is found to be that."""

    finding: Finding
    standard: str
    valid_from: date
    valid_to: date
    above_poverty_line: bool
    limits: Mapping[AreaType, int]
    legal: str


@dataclass(frozen=True, slots=True)
class Income:
    """What a household of so many members had in the twelve months before the review, in đồng."""

    total_dong: int
    members: int

    def exceeds(self, per_month: int) -> bool:
        """Whether it is more, by person and month, than that; nothing is rounded."""
        return self.total_dong > per_month * MONTHS * self.members


def income_limit(kind: ProcedureKind, standard: Standard, on: date) -> IncomeLimit:
    """The limit of a review by income that holds on a day; refuses what is not loaded."""
    finding = BY_INCOME[kind]
    for limit in _limits():
        if (limit.finding, limit.standard) == (
            finding,
            standard.code,
        ) and limit.valid_from <= on <= limit.valid_to:
            return limit
    raise Refused(
        "income-limit-not-loaded",
        f"Chưa nạp mức thu nhập để xác định “{procedure_label(finding)}” theo chuẩn {standard.code} vào ngày"
        f" {on:%d/%m/%Y}.",
        f"No income limit is loaded for “{procedure_label(finding, 'en')}” by {standard.code} on"
        f" {on.isoformat()}.",
        "standard",
        standard.legal,
    )


def find_by_income(
    kind: ProcedureKind, standard: Standard, area_type: AreaType, on: date, income: Income
) -> Finding:
    """What an income means. A household up to the poverty line is for the review of poor households."""
    _check(income)
    limit = income_limit(kind, standard, on)
    if income.exceeds(limit.limits[area_type]):
        return Finding.NOT_QUALIFIED
    if limit.above_poverty_line and not income.exceeds(standard.income_lines[area_type]):
        return Finding.NOT_QUALIFIED
    return limit.finding


def _check(income: Income) -> None:
    if not 0 <= income.total_dong <= INCOME_LIMIT:
        raise Refused(
            "income-out-of-range",
            f"Tổng thu nhập 12 tháng phải từ 0 đến {INCOME_LIMIT:,} đồng.".replace(",", "."),
            f"The income of twelve months lies between 0 and {INCOME_LIMIT:,} đồng.",
            "income_dong",
        )


@cache
def _limits() -> tuple[IncomeLimit, ...]:
    raw = tomllib.loads((resources.files("households") / "data" / "income_limits.toml").read_text("utf-8"))
    return tuple(
        IncomeLimit(
            Finding(one["finding"]),
            one["standard"],
            one["valid_from"],
            one["valid_to"],
            one["above_poverty_line"],
            {area: one[area.value] for area in AreaType},
            one["legal"],
        )
        for one in raw["limits"]
    )
