"""The words of the register: classes, stages, movements, and the refusal that every rule answers with."""

from __future__ import annotations

from enum import StrEnum


class AreaType(StrEnum):
    """Urban (phường, thị trấn) or rural (xã); a commune's type has dates and is never read from its name."""

    URBAN = "URBAN"
    RURAL = "RURAL"


class HouseholdClass(StrEnum):
    """The class of a household by a review (Decree 07/2021/NĐ-CP, Article 3)."""

    POOR = "POOR"
    NEAR_POOR = "NEAR_POOR"
    AVERAGE_LIVING = "AVERAGE_LIVING"
    NOT_POOR = "NOT_POOR"


LISTED = frozenset({HouseholdClass.POOR, HouseholdClass.NEAR_POOR})
"""The two named lists that a commune's chair recognises by decision."""


class ReviewKind(StrEnum):
    """Annual (định kỳ) or regular (thường xuyên) review: Decision 24/2021/QĐ-TTg, Article 3."""

    ANNUAL = "ANNUAL"
    REGULAR = "REGULAR"


class Stage(StrEnum):
    """Preliminary results are reported before 15 November, official ones before 20 December."""

    PRELIMINARY = "PRELIMINARY"
    OFFICIAL = "OFFICIAL"


class Status(StrEnum):
    """Whether the household is in the register now."""

    ACTIVE = "ACTIVE"
    LEFT = "LEFT"
    CLOSED = "CLOSED"


class Basis(StrEnum):
    """What the points rest on: totals written by the reviewer; deprived indicators beside a total of form B1;
    or both forms item by item."""

    TOTALS_GIVEN = "TOTALS_GIVEN"
    FLAGS = "FLAGS"
    ITEMS = "ITEMS"


class ClosureReason(StrEnum):
    """Why a household is no longer in the register."""

    DEATH = "DEATH"
    DISSOLVED = "DISSOLVED"
    MOVED_OUT = "MOVED_OUT"
    MERGED = "MERGED"


class SizeReason(StrEnum):
    """Why a household has another number of members without a decision."""

    BIRTH = "BIRTH"
    DEATH = "DEATH"
    JOINED = "JOINED"
    WENT_AWAY = "WENT_AWAY"
    SPLIT = "SPLIT"
    MERGED = "MERGED"


class ListStatus(StrEnum):
    """How a household stands in a named list of one year."""

    LIST_NEW = "LIST_NEW"
    LIST_RELAPSE = "LIST_RELAPSE"
    LIST_OLD = "LIST_OLD"


class Movement(StrEnum):
    """A change of list, named as the columns of forms 7.2 and 7.3 name it."""

    ESCAPED_TO_NEAR_POOR = "ESCAPED_TO_NEAR_POOR"
    ESCAPED_ABOVE_NEAR_POOR = "ESCAPED_ABOVE_NEAR_POOR"
    OTHER_DECREASE_POOR = "OTHER_DECREASE_POOR"
    NEAR_POOR_TO_POOR = "NEAR_POOR_TO_POOR"
    RELAPSE_POOR = "RELAPSE_POOR"
    NEW_POOR = "NEW_POOR"
    OTHER_INCREASE_POOR = "OTHER_INCREASE_POOR"
    ESCAPED_NEAR_POOR = "ESCAPED_NEAR_POOR"
    OTHER_DECREASE_NEAR_POOR = "OTHER_DECREASE_NEAR_POOR"
    RELAPSE_NEAR_POOR = "RELAPSE_NEAR_POOR"
    NEW_NEAR_POOR = "NEW_NEAR_POOR"
    OTHER_INCREASE_NEAR_POOR = "OTHER_INCREASE_NEAR_POOR"


class Refused(Exception):
    """A named rule says no. The messages are what the person sees."""

    def __init__(
        self,
        rule: str,
        message_vi: str,
        message_en: str,
        field: str | None = None,
        legal: str | None = None,
    ) -> None:
        super().__init__(message_en)
        self.rule = rule
        self.message_vi = message_vi
        self.message_en = message_en
        self.field = field
        self.legal = legal

    def __repr__(self) -> str:
        return f"Refused({self.rule!r}, field={self.field!r})"
