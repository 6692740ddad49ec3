"""How long what is known of persons is kept, and when it may be erased.

The periods are no part of the program: an administrator loads each with its document, and until then its subject
refuses. A request to erase does not shorten a period: what the law has an office keep, it keeps.
"""

import calendar
import datetime as dt
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from households.domain.terms import Refused

LEGAL = "Luật Bảo vệ dữ liệu cá nhân số 91/2025/QH15"
ERASED = "đã xoá theo yêu cầu"
"""What stands where a name or a reason stood."""


class Subject(StrEnum):
    """Whose data are kept."""

    HOUSEHOLD = "HOUSEHOLD"
    MEMBER = "MEMBER"
    IMPORT = "IMPORT"


@dataclass(frozen=True, slots=True)
class Period:
    """For how many months after its end a subject is kept, from which day on this holds, by which document."""

    sequence: int
    subject: Subject
    months: int
    valid_from: dt.date
    document: str


def period_on(periods: Iterable[Period], subject: Subject, day: dt.date) -> Period:
    """The period in force; of two from one day, the one that was loaded later. Refuses where none is loaded."""
    known = [each for each in periods if each.subject is subject and each.valid_from <= day]
    if not known:
        words = subject_words(subject)
        raise Refused(
            "retention-period-missing",
            f"Chưa nạp thời hạn lưu giữ của “{words['vi']}” cùng văn bản quy định, nên chưa xoá được.",
            f"No period is loaded for “{words['en']}” with its document, so nothing of it is erased.",
            "subject",
            LEGAL,
        )
    return max(known, key=lambda each: (each.valid_from, each.sequence))


def kept_until(period: Period, ended_on: dt.date) -> dt.date:
    """The first day on which what ended then may be erased."""
    month = ended_on.month - 1 + period.months
    year, month = ended_on.year + month // 12, month % 12 + 1
    return dt.date(year, month, min(ended_on.day, calendar.monthrange(year, month)[1]))


def in_use() -> Refused:
    """What is in the register or at work is not erased."""
    return Refused(
        "data-still-in-use",
        "Hộ, người hoặc tệp này còn đang được quản lý nên chưa xoá được.",
        "It is still in the register or at work, so it cannot be erased.",
        "subject",
        LEGAL,
    )


def check_over(period: Period, ended_on: dt.date | None, day: dt.date) -> None:
    """Refuse while the subject is still in the register, or its time is not over."""
    if ended_on is None:
        raise in_use()
    over = kept_until(period, ended_on)
    if day < over:
        raise Refused(
            "retention-not-over",
            f"Phải lưu giữ đến ngày {over:%d/%m/%Y} theo {period.document}.",
            f"It is to be kept until {over.isoformat()} by {period.document}.",
            "subject",
            LEGAL,
        )


def check_not_erased(*, erased: bool) -> None:
    """Refuse to go on with a household or a person whose data were erased."""
    if erased:
        raise Refused(
            "erased",
            "Dữ liệu cá nhân đã được xoá; nếu trở về, hãy đăng ký mới.",
            "The personal data were erased; whoever comes back is registered anew.",
            "household_id",
            LEGAL,
        )


def check_ground(code: str) -> Mapping[str, str]:
    """The words of a reason to refuse a request; refuses what the list does not have."""
    known = _data()["grounds"]
    if code not in known:
        raise Refused(
            "ground-unknown",
            f"Lý do từ chối phải là một trong: {', '.join(known)}.",
            f"The ground is one of: {', '.join(known)}.",
            "ground",
            LEGAL,
        )
    found: Mapping[str, str] = known[code]
    return found


def subject_words(subject: Subject) -> Mapping[str, str]:
    """What a subject is called, and from when its time runs."""
    found: Mapping[str, str] = _data()["subjects"][subject]
    return found


@cache
def _data() -> Mapping[str, Any]:
    return tomllib.loads((resources.files("households") / "data" / "retention.toml").read_text("utf-8"))
