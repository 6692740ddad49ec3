"""The only place that asks the time.

`today()` is Vietnam's calendar day. A business date can be fixed, so that a demonstration, a test or a
late entry runs "as on" a day: then `today()` is that day, and `now()` keeps the real time of day on it.
"""

import datetime as dt
from zoneinfo import ZoneInfo

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")

_fixed: dt.date | None = None


def fix(day: dt.date | None) -> None:
    """Fix the business date for this process, or release it with `None`."""
    global _fixed  # noqa: PLW0603 -- the process has one business date
    _fixed = day


def now() -> dt.datetime:
    """The present moment with Vietnam's offset, on the fixed business date if there is one."""
    moment = dt.datetime.now(VIETNAM)
    return moment if _fixed is None else dt.datetime.combine(_fixed, moment.timetz())


def today() -> dt.date:
    """The business date: the fixed one, else Vietnam's calendar day."""
    return now().date()
