"""The lists of codes that forms offer (relation, ethnicity, work …), with their words, from a data file.

A list is data: a code may be added without touching a rule, because rules ask for the marks of a code
(`jobless`, `minority` …) and never for its name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from households.domain.terms import Refused


@dataclass(frozen=True, slots=True)
class Code:
    """One code of a list: its words, and the marks that rules ask for."""

    code: str
    vi: str
    en: str
    marks: frozenset[str]


@dataclass(frozen=True, slots=True)
class CodeList:
    """One list. `restricted` says that the answer is sensitive by law and is sealed."""

    name: str
    title_vi: str
    title_en: str
    source: str
    confidence: str
    restricted: bool
    codes: Mapping[str, Code]

    def get(self, code: str, field: str) -> Code:
        """The entry of that code; refuses what the list does not have."""
        found = self.codes.get(code) if isinstance(code, str) else None
        if found is None:
            raise Refused(
                "code-unknown",
                f"{self.title_vi}: không có mã “{code}”.",
                f"{self.title_en}: there is no code “{code}”.",
                field,
            )
        return found

    def has(self, code: str | None, mark: str) -> bool:
        """Whether the entry of that code carries the mark; an unknown or missing code carries none."""
        found = self.codes.get(code) if code is not None else None
        return found is not None and mark in found.marks

    def label(self, code: str, language: str = "vi") -> str:
        """The words for a code; the code itself where the list no longer has it."""
        found = self.codes.get(code)
        if found is None:
            return code
        return found.vi if language == "vi" else found.en


@cache
def code_lists() -> Mapping[str, CodeList]:
    """Every list of the data file, by name."""
    raw = tomllib.loads((resources.files("households") / "data" / "lists.toml").read_text("utf-8"))
    return {name: _parse(name, content) for name, content in raw.items()}


def code_list(name: str) -> CodeList:
    """The list of that name; the names are the program's own."""
    return code_lists()[name]


def _parse(name: str, raw: Mapping[str, Any]) -> CodeList:
    codes: dict[str, Code] = {}
    for code, words in raw["codes"].items():
        vi, en, *marks = words
        codes[code] = Code(code, vi, en, frozenset(marks))
    return CodeList(
        name,
        raw["title_vi"],
        raw["title_en"],
        raw["source"],
        raw["confidence"],
        raw["restricted"],
        codes,
    )
