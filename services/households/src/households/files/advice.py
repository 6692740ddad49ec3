"""What to do about an answer to a row, in words."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources


def advice(level: str, rule: str) -> tuple[str, str]:
    """What to do, in Vietnamese and English."""
    rules, levels = _advice()
    return rules.get(rule) or levels[level]


@cache
def _advice() -> tuple[Mapping[str, tuple[str, str]], Mapping[str, tuple[str, str]]]:
    file = resources.files("households") / "data" / "files" / "advice.toml"
    raw = tomllib.loads(file.read_text("utf-8"))
    rules = {rule: (vi, en) for rule, (vi, en) in raw["rules"].items()}
    return rules, {level: (vi, en) for level, (vi, en) in raw["levels"].items()}
