"""Invented people and answers for tests of persons and forms; nobody here exists."""

from datetime import date
from typing import Any
from uuid import UUID

from households.domain.ages import Birth
from households.domain.identity import Sex
from households.domain.persons import Member

REVIEW = date(2026, 10, 15)
"""The day of the review in these tests."""


def birth(text: str | int) -> Birth:
    """A birth by its day ("2010-10-15") or by its year (2010)."""
    return Birth(text) if isinstance(text, int) else Birth.on(date.fromisoformat(text))


def member(order: int = 1, born: str | int = "1985-03-02", **changes: Any) -> Member:
    """A grown-up who lacks nothing: insured, working with a contract, with a qualification."""
    facts: dict[str, Any] = {
        "name": f"Lường Văn Mẫu {'I' * order}",
        "sex": Sex.MALE,
        "relation": "HEAD" if order == 1 else "CHILD",
        "residence": "PERMANENT",
        "number_missing": "NOT_SHOWN",
        "ethnicity": "TAY",
        "disability": "NONE",
        "allowance": "NONE",
        "study": "NONE",
        "qualification": "UPPER_SECONDARY",
        "work": "WAGED_CONTRACT",
        "labour_capacity": "ABLE",
        "insurance": "STATE_PAID",
        "nutrition": "NORMAL",
        "merit": "NONE",
    }
    return Member(id=UUID(int=order), birth=birth(born), **(facts | changes))


def answers(**changes: Any) -> dict[str, Any]:
    """Answers about a household that lacks nothing."""
    return {
        "wall": "DURABLE",
        "pillar": "DURABLE",
        "roof": "DURABLE",
        "floor_area": "120",
        "water": "TAP",
        "toilet": "SEPTIC",
        "internet": True,
        "devices": ["SMARTPHONE"],
    } | changes
