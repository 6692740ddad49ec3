"""Personal data at rest: sealed with a key from the environment, searchable by a keyed hash.

Who holds the database without the key can neither read a sealed value nor test a guess against its
fingerprint. Two keys for the two uses are derived from the one that is configured.

A sealed value names the key it was sealed with. While a key is being replaced two are configured: the first one
seals, both open, and whoever searches asks by the fingerprints of both.
"""

import base64
import binascii
import copy
import hashlib
import hmac
import os
import unicodedata

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

KEY_BYTES = 32
_UNNAMED, _NAMED = b"\x01", b"\x02"
_NONCE_BYTES, _ID_BYTES = 12, 4
PREFIX_BYTES = len(_NAMED) + _ID_BYTES
"""As many bytes of a sealed value say which key it was sealed with."""


class KeyUnusable(Exception):
    """The data key is not the base64 form of 32 bytes, or more than two are given."""


class SealBroken(Exception):
    """A sealed value was changed, or was sealed with a key that is not configured."""


class Vault:
    """Seals with one 32-byte key; opens with it and with the one it replaces."""

    def __init__(self, key: bytes, previous: bytes | None = None) -> None:
        if len(key) != KEY_BYTES:
            raise KeyUnusable("the data key must have 32 bytes")
        if key == previous:
            raise KeyUnusable("the data key and the one it replaces are the same")
        self._cipher = AESGCM(_derive(key, b"benvung seal"))
        self._search = _derive(key, b"benvung fingerprint")
        self._prefix = _NAMED + _derive(key, b"benvung key name")[:_ID_BYTES]
        self.previous = None if previous is None else Vault(previous)
        """The key that is being replaced, or about to come: it opens and is searched by, and never seals."""

    @classmethod
    def from_base64(cls, text: str) -> "Vault":
        """The vault of a configured key, or of two with a comma between them. Raises `KeyUnusable`."""
        try:
            keys = [base64.b64decode(each.strip(), validate=True) for each in text.split(",")]
        except (binascii.Error, ValueError) as error:
            raise KeyUnusable("the data key must be the base64 form of 32 bytes") from error
        if len(keys) > 2:
            raise KeyUnusable("finish replacing one data key before the next one: at most two are given")
        return cls(*keys)

    @property
    def key_id(self) -> str:
        """The name of the key that seals, as commands show it; it tells nothing of the key."""
        return self._prefix[len(_NAMED) :].hex()

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The names of all keys that are configured, the one that seals first."""
        return (self.key_id, *(() if self.previous is None else self.previous.key_ids))

    @property
    def prefix(self) -> bytes:
        """What every value begins with that is sealed by the key that seals now."""
        return self._prefix

    def seal(self, text: str) -> bytes:
        """Encrypt and authenticate `text`; the same text never gives the same bytes twice."""
        nonce = os.urandom(_NONCE_BYTES)
        return self._prefix + nonce + self._cipher.encrypt(nonce, text.encode(), self._prefix)

    def open(self, sealed: bytes) -> str:
        """The text that was sealed. Raises `SealBroken`."""
        if sealed.startswith(_UNNAMED):
            # Sealed before values named their key.
            return self._unnamed(sealed)
        if sealed.startswith(self._prefix):
            return self._opened(sealed, self._prefix)
        if self.previous is None:
            raise SealBroken
        return self.previous.open(sealed)

    def reseal(self, sealed: bytes) -> bytes:
        """The same text under the key that seals now; the same bytes when they are that already."""
        return sealed if sealed.startswith(self._prefix) else self.seal(self.open(sealed))

    def _unnamed(self, sealed: bytes) -> str:
        try:
            return self._opened(sealed, _UNNAMED)
        except SealBroken:
            if self.previous is None:
                raise
            return self.previous.open(sealed)

    def _opened(self, sealed: bytes, form: bytes) -> str:
        nonce, rest = sealed[len(form) : len(form) + _NONCE_BYTES], sealed[len(form) + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, rest, form).decode()
        except (InvalidTag, ValueError) as error:
            raise SealBroken from error

    def fingerprint(self, text: str) -> bytes:
        """A keyed hash that is equal for texts differing only in case, spacing or Unicode form."""
        return hmac.digest(self._search, normalised(text).encode(), hashlib.sha256)

    def short_fingerprint(self, text: str) -> int:
        """The first eight bytes of the fingerprint, for indexes of many small parts.

        Two texts may share it by chance, so what it finds is compared once it is opened.
        """
        return int.from_bytes(self.fingerprint(text)[:8], "big", signed=True)

    @property
    def searched(self) -> tuple["Vault", ...]:
        """A vault for each key by which something may be kept now: whoever looks for a text asks by each."""
        return (self,) if self.previous is None else (self, self.previous)

    @property
    def alone(self) -> "Vault":
        """The key that seals, without the other one."""
        vault = copy.copy(self)
        vault.previous = None
        return vault

    def fingerprints(self, text: str) -> list[bytes]:
        """The fingerprints under which a text may be kept now, that of the key that seals first."""
        return [each.fingerprint(text) for each in self.searched]


def normalised(text: str) -> str:
    """`text` in NFC, lower case, with single spaces: how names are compared."""
    return unicodedata.normalize("NFC", " ".join(unicodedata.normalize("NFC", text).casefold().split()))


def _derive(key: bytes, use: bytes) -> bytes:
    return HKDFExpand(algorithm=SHA256(), length=KEY_BYTES, info=use).derive(key)
