"""What a seal is: a hash over one audit row, its number in the chain, and the seal before it.

The row's bytes are a JSON array of everything the row holds, as PostgreSQL writes it: moments as seconds
since 1970, `detail` as the database's own text of it, `about` as the digest of that. With a key the hash is an HMAC, so that only who
knows the key can write seals; without one it is plain SHA-256, and whoever can rewrite all rows can also
compute their seals again. Against that, and against cutting off the end, there is the anchor: a number and
its seal, kept where the database's masters cannot reach.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

FORMAT = "benvung audit 1"
FIRST = bytes(32)
"""What stands for the seal before the first one."""

COLUMNS = (
    "a.id, extract(epoch from a.recorded_at)::text, a.principal, a.action, a.entity, a.entity_id,"
    " a.request_id, a.detail::text, encode(sha256(convert_to(a.about::text, 'UTF8')), 'hex')"
)
"""What of a row `a` of the audit is sealed: all of it. Long lists are digested where they lie."""

Row = tuple[Any, ...]


class KeyUnknown(Exception):
    """The chain was sealed with a key that is not at hand; the message names it by its fingerprint."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of AUDIT_KEY: the first one seals, all of them check. Seals name theirs by its fingerprint."""

    current: str | None = None
    by_fingerprint: Mapping[str, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> Self:
        """Keys from base64 of 32 bytes each, with commas between. Raises `ValueError`."""
        keys = [_decoded(part) for part in text.split(",")] if text else []
        prints = [hashlib.sha256(b"benvung audit key" + key).hexdigest()[:12] for key in keys]
        return cls(prints[0] if prints else None, dict(zip(prints, keys, strict=True)))

    def key(self, fingerprint: str | None) -> bytes | None:
        """The key of that fingerprint; none for seals made without one. Raises `KeyUnknown`."""
        if fingerprint is None:
            return None
        if fingerprint not in self.by_fingerprint:
            raise KeyUnknown(fingerprint)
        return self.by_fingerprint[fingerprint]


def _decoded(text: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error as error:
        raise ValueError("an audit key is base64 of 32 bytes") from error
    if len(key) != 32:
        raise ValueError("an audit key is base64 of 32 bytes")
    return key


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place of the chain as somebody outside the database has noted it."""

    number: int
    seal: str

    @classmethod
    def of(cls, text: str) -> Self:
        """An anchor written as NUMBER:SEAL. Raises `ValueError`."""
        number, _, seal = text.partition(":")
        if not number.isdecimal() or len(bytes.fromhex(seal)) != hashlib.sha256().digest_size:
            raise ValueError("an anchor is written NUMBER:SEAL, the seal with 64 hexadecimal digits")
        return cls(int(number), seal.lower())

    def __str__(self) -> str:
        return f"{self.number}:{self.seal}"


def seal(previous: bytes, number: int, sealed_at: str, row: Row, key: bytes | None) -> bytes:
    """The seal of `row` as the `number`th of the chain, behind `previous`."""
    content = json.dumps([FORMAT, previous.hex(), number, sealed_at, *row], separators=(",", ":")).encode()
    return hashlib.sha256(content).digest() if key is None else hmac.digest(key, content, "sha256")
