"""What was done with a household's data, in the words that its people read."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from households.domain.labels import Language

Words = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Access:
    """A kind of access: whether data were seen or changed, what for, and by which law."""

    kind: str
    legal: str
    words: Words
    kind_words: Words
    purpose_words: Words

    def label(self, language: Language) -> str:
        """What was done."""
        return self.words[language]

    def kind_label(self, language: Language) -> str:
        """Seen, or recorded and changed."""
        return self.kind_words[language]

    def purpose(self, language: Language) -> str:
        """What this kind of access is for. Nobody types a purpose in: it goes with the kind of work."""
        return self.purpose_words[language]


def access(action: str) -> Access:
    """The access that the audit records under this action; for an unknown one, the words for any other."""
    known, other = _accesses()
    return known.get(action, other)


def known_actions() -> frozenset[str]:
    """The actions that have words of their own."""
    return frozenset(_accesses()[0])


@cache
def _accesses() -> tuple[Mapping[str, Access], Access]:
    raw = tomllib.loads((resources.files("households") / "data" / "accesses.toml").read_text("utf-8"))
    return {entry["code"]: _access(raw, entry) for entry in raw["actions"]}, _access(raw, raw["other"])


def _access(raw: Mapping[str, Any], entry: Mapping[str, str]) -> Access:
    purpose = raw["purposes"][entry["purpose"]]
    return Access(entry["kind"], purpose["legal"], entry, raw["kinds"][entry["kind"]], purpose)
