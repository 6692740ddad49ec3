"""What is worth a second look but stops nobody: the words of a warning."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notice:
    """A named warning about one field, in both languages. Unlike a refusal it changes nothing by itself."""

    rule: str
    message_vi: str
    message_en: str
    field: str | None = None
    legal: str | None = None
