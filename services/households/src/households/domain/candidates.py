"""Why a household or person may be the one that a row of a file means, in words. Shown to who decides."""

from __future__ import annotations

from enum import StrEnum


class Hint(StrEnum):
    """What a row and a record have in common, from the strongest to the weakest."""

    NUMBER = "NUMBER"
    NAME_BIRTH_AREA = "NAME_BIRTH_AREA"
    HEAD = "HEAD"
    CODE = "CODE"
    PLAIN_HEAD = "PLAIN_HEAD"


HINT_LABELS: dict[Hint, tuple[str, str]] = {
    Hint.NUMBER: ("Trùng số định danh cá nhân", "Same personal number"),
    Hint.NAME_BIRTH_AREA: ("Trùng họ tên, năm sinh trong xã", "Same name and birth in the commune"),
    Hint.HEAD: ("Trùng họ tên chủ hộ", "Same name of the head"),
    Hint.CODE: ("Trùng mã hộ trong thôn", "Same code in the village"),
    Hint.PLAIN_HEAD: ("Gần trùng họ tên chủ hộ (không kể dấu)", "Same name of the head without diacritics"),
}


def by_weight(hints: set[Hint]) -> tuple[Hint, ...]:
    """The hints, the strongest first."""
    return tuple(hint for hint in Hint if hint in hints)
