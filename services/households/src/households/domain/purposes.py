"""What files with data of the register are taken away for: a closed list, from a data file."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

from households.domain.terms import Refused


@cache
def purposes() -> Mapping[str, tuple[str, str]]:
    """Every purpose by its code, in Vietnamese and in English."""
    raw = tomllib.loads((resources.files("households") / "data" / "purposes.toml").read_text("utf-8"))
    return {code: (words["vi"], words["en"]) for code, words in raw.items()}


def check_purpose(code: str) -> tuple[str, str]:
    """The words of a purpose; refuses one that is not in the list."""
    known = purposes()
    if code not in known:
        listed = ", ".join(known)
        raise Refused(
            "purpose-unknown",
            f"Mục đích lấy tệp phải là một trong: {listed}.",
            f"The purpose of an export is one of: {listed}.",
            "purpose",
            "Luật Bảo vệ dữ liệu cá nhân số 91/2025/QH15",
        )
    return known[code]
