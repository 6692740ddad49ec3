"""Finding people by name: with diacritics, without them, by some words of the name.

A name is indexed by parts: each word, each two neighbouring words, and the whole, once with diacritics and once
without. A store keeps fingerprints of the parts; what it finds by them is compared here with the name itself.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from itertools import pairwise

from households.domain.matching import normalise_name
from households.domain.persons import plain_name
from households.domain.terms import Refused

_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼʹ`´", "'"))


def name_parts(name: str) -> frozenset[str]:
    """What a name is found by."""
    words = marked_words(name)
    return _parts(words) | _parts([plain_name(word) for word in words])


def marked_words(name: str) -> list[str]:
    """The words with their diacritics; where a tone is written does not matter (Hoà, Hòa)."""
    return [_tone_last(word) for word in normalise_name(name.translate(_APOSTROPHES)).split()]


@dataclass(frozen=True, slots=True)
class NameAsked:
    """Words somebody looks for, next to each other in a name. A word with diacritics must have just these."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> NameAsked:
        """What was typed; refuses a text without a letter."""
        words = tuple(marked_words(text))
        if not any(c.isalpha() for word in words for c in word):
            raise Refused(
                "search-name-empty",
                "Hãy ghi ít nhất một chữ trong họ tên cần tìm.",
                "Give at least one word of the name you look for.",
                "name",
            )
        return cls(words)

    @property
    def parts(self) -> frozenset[str]:
        """Parts that every name which matches has, none of them implied by another.

        What follows from another part finds nothing more, and makes a common name look rare to whoever counts
        each part by itself.
        """
        plain = [plain_name(word) for word in self.words]
        if len(self.words) == 1:
            return frozenset(self.words)
        marked = [word != bare for word, bare in zip(self.words, plain, strict=True)]
        pairs = zip(pairwise(self.words), pairwise(plain), pairwise(marked), strict=True)
        return frozenset(_pair(*(words if all(both) else bare)) for words, bare, both in pairs)

    def matches(self, name: str) -> bool:
        """Whether the words stand in the name one after another."""
        words = marked_words(name)
        starts = range(len(words) - len(self.words) + 1)
        return any(all(map(_is_word, self.words, words[at:])) for at in starts)


def _is_word(asked: str, word: str) -> bool:
    return asked == word or asked == plain_name(word)


def _parts(words: list[str]) -> frozenset[str]:
    return frozenset([*words, *(_pair(*pair) for pair in pairwise(words)), " ".join(words)]) - {""}


def _pair(first: str, second: str) -> str:
    return f"{first} {second}"


def _tone_last(word: str) -> str:
    apart = unicodedata.normalize("NFD", word)
    tones = "".join(c for c in apart if c in _TONES)
    return unicodedata.normalize("NFC", "".join(c for c in apart if c not in _TONES)) + tones
