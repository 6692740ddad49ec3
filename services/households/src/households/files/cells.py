"""Reading single cells: text, numbers as Vietnamese write them, dates, yes/no marks, classes."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from households.domain import HouseholdClass
from households.files.rows import Gender

Cell = str | int | float | bool | date | datetime | timedelta | None

LARGEST_NUMBER = 1e9
EXCEL_EPOCH = date(1899, 12, 30)
_EXCEL_DAYS = range(366, 109_574)  # 1900-12-31 to 2199-12-31: anything else is no date a review could have
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]+")
_GROUPED = re.compile(r"[+-]?\d{1,3}(\.\d{3})+(,\d+)?")
_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_ISO_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?")

_TRUE = {"x", "1", "co", "true", "yes", "c", "dung", "thieuhut", "thieu"}
_FALSE = {"", "0", "khong", "false", "no", "k", "ko", "khongthieuhut", "khongthieu"}
_CLASSES = {
    HouseholdClass.POOR: {"poor", "honghes", "hongheo", "ngheo", "n"},
    HouseholdClass.NEAR_POOR: {"nearpoor", "hocanngheo", "canngheo", "cn"},
    HouseholdClass.NOT_POOR: {"notpoor", "hokhongngheo", "khongngheo", "kn"},
    HouseholdClass.AVERAGE_LIVING: {
        "averageliving",
        "hocomucsongtrungbinh",
        "homucsongtrungbinh",
        "mucsongtrungbinh",
        "mstb",
    },
}
_CLASS_BY_WORD = {word: code for code, words in _CLASSES.items() for word in words}
_GENDERS = {"nam": Gender.MALE, "male": Gender.MALE, "nu": Gender.FEMALE, "female": Gender.FEMALE}


class CellInvalid(ValueError):
    """A cell cannot be read; carries the rule and words for both languages."""

    def __init__(self, rule: str, message_vi: str, message_en: str) -> None:
        super().__init__(message_en)
        self.rule = rule
        self.message_vi = message_vi
        self.message_en = message_en


@lru_cache(maxsize=4096)
def fold(words: str) -> str:
    """Letters and digits only, lower case, without diacritics: how headers and marks are compared."""
    plain = unicodedata.normalize("NFD", words.casefold().replace("đ", "d"))
    return "".join(c for c in plain if c.isalnum())


def text(cell: Cell) -> str:
    """A cell as one line of text; whole numbers lose the ".0" that a sheet gives them."""
    if cell is None or cell == "":
        return ""
    if isinstance(cell, str):
        if cell.isalnum() and cell.isascii():
            return cell
        plain = _CONTROL.sub(" ", cell) if not cell.isprintable() else cell
        plain = " ".join(unicodedata.normalize("NFC", plain).split())
        return plain[1:] if plain[:1] == "'" and plain[1:2] in set("=+-@") else plain
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def limited(cell: Cell, most: int) -> str:
    """Text of at most `most` characters that is no formula and no error of the sheet."""
    words = text(cell)
    if len(words) > most:
        raise CellInvalid("text-too-long", f"dài quá {most} ký tự.", f"is longer than {most} characters.")
    if words[:1] in ("=", "@") or words.startswith(("#REF", "#N/A", "#VALUE", "#NAME", "#DIV")):
        raise CellInvalid(
            "formula-in-cell",
            "chứa công thức hoặc lỗi công thức, cần là giá trị.",
            "holds a formula or its error instead of a value.",
        )
    return words


def whole_number(cell: Cell) -> int | None:
    """A whole number; None when blank. Reads 4, 4.0, "4", "1.234" (one thousand …), "140,0"."""
    if isinstance(cell, bool):
        raise CellInvalid("number-invalid", "không phải là số.", "is not a number.")
    value = float(cell) if isinstance(cell, (int, float)) else _number(text(cell))
    if value is None:
        return None
    if not abs(value) <= LARGEST_NUMBER:  # NaN compares with nothing
        raise CellInvalid("number-invalid", "không phải là số hợp lệ.", "is not a usable number.")
    if not value.is_integer():
        raise CellInvalid(
            "number-not-whole", f"phải là số nguyên, không phải {value:g}.", f"is not whole: {value:g}."
        )
    return int(value)


def day(cell: Cell) -> date | None:
    """A day; None when blank. Reads dates of the sheet, their serial numbers, dd/mm/yyyy and yyyy-mm-dd."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        if abs(cell) <= LARGEST_NUMBER and int(cell) in _EXCEL_DAYS:
            return EXCEL_EPOCH + timedelta(days=int(cell))
        raise _no_day(text(cell))
    words = text(cell)
    if not words:
        return None
    if match := _DAY.fullmatch(words):
        dd, mm, yyyy = match.groups()
    elif match := _ISO_DAY.fullmatch(words):
        yyyy, mm, dd = match.groups()
    else:
        raise _no_day(words)
    try:
        return date(int(yyyy), int(mm), int(dd))
    except ValueError:
        raise _no_day(words) from None


def mark(cell: Cell) -> bool | None:
    """A yes/no mark; None when blank."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return cell
    word = fold(text(cell))
    if not word:
        if text(cell) in ("", "-", "–"):
            return None
        raise _no_mark(text(cell))
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise _no_mark(text(cell))


def household_class(cell: Cell) -> HouseholdClass | None:
    """A class by its Vietnamese words or its code; None when blank."""
    words = text(cell)
    if not words:
        return None
    found = _CLASS_BY_WORD.get(fold(words))
    if found is None:
        raise CellInvalid(
            "class-unknown", f"“{words[:40]}” không phải là một loại hộ.", f"“{words[:40]}” is no class."
        )
    return found


def gender(cell: Cell) -> Gender | None:
    """The head's sex; None when blank."""
    words = text(cell)
    if not words:
        return None
    found = _GENDERS.get(fold(words))
    if found is None:
        raise CellInvalid(
            "gender-unknown", f"“{words[:40]}” không phải Nam hay Nữ.", f"“{words[:40]}” is no sex."
        )
    return found


def system_id(cell: Cell) -> UUID | None:
    """Our identifier of a household (Mã hệ thống); None when blank."""
    words = text(cell)
    if not words:
        return None
    try:
        return UUID(words)
    except ValueError:
        raise CellInvalid(
            "system-id-invalid", "không phải là một Mã hệ thống.", "is no identifier of this system."
        ) from None


def _number(words: str) -> float | None:
    if not words:
        return None
    plain = words.replace(" ", "")
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(".", "").replace(",", ".")
    elif plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    try:
        if not plain.isascii() or "_" in plain:
            raise ValueError
        return float(plain)
    except ValueError:
        raise CellInvalid(
            "number-invalid", f"“{words[:40]}” không phải là số.", f"“{words[:40]}” is no number."
        ) from None


def _no_day(words: str) -> CellInvalid:
    return CellInvalid(
        "date-invalid",
        f"“{words[:40]}” không phải là ngày (ngày/tháng/năm).",
        f"“{words[:40]}” is no date (day/month/year).",
    )


def _no_mark(words: str) -> CellInvalid:
    return CellInvalid(
        "mark-invalid",
        f"“{words[:40]}” không phải là dấu có/không (x hoặc để trống).",
        f"“{words[:40]}” is no mark (x or blank).",
    )
