"""Personal data at rest: sealed with a key from the environment, searchable by a keyed hash.

Who holds the database without the key can neither read a sealed value nor test a guess against its
fingerprint. Two keys for the two uses are derived from the one that is configured.
"""

import base64
import binascii
import hashlib
import hmac
import os
import unicodedata

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

KEY_BYTES = 32
_FORM = b"\x01"
_NONCE_BYTES = 12


class KeyUnusable(Exception):
    """The data key is not the base64 form of 32 bytes."""


class SealBroken(Exception):
    """A sealed value was changed, or was sealed with another key."""


class Vault:
    """Seals and opens texts with one 32-byte key."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise KeyUnusable("the data key must have 32 bytes")
        self._cipher = AESGCM(_derive(key, b"benvung seal"))
        self._search = _derive(key, b"benvung fingerprint")

    @classmethod
    def from_base64(cls, text: str) -> "Vault":
        """The vault of a configured key. Raises `KeyUnusable`."""
        try:
            return cls(base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError) as error:
            raise KeyUnusable("the data key must be the base64 form of 32 bytes") from error

    def seal(self, text: str) -> bytes:
        """Encrypt and authenticate `text`; the same text never gives the same bytes twice."""
        nonce = os.urandom(_NONCE_BYTES)
        return _FORM + nonce + self._cipher.encrypt(nonce, text.encode(), _FORM)

    def open(self, sealed: bytes) -> str:
        """The text that was sealed. Raises `SealBroken`."""
        if sealed[:1] != _FORM:
            raise SealBroken
        nonce, rest = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, rest, _FORM).decode()
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


def normalised(text: str) -> str:
    """`text` in NFC, lower case, with single spaces: how names are compared."""
    return unicodedata.normalize("NFC", " ".join(unicodedata.normalize("NFC", text).casefold().split()))


def _derive(key: bytes, use: bytes) -> bytes:
    return HKDFExpand(algorithm=SHA256(), length=KEY_BYTES, info=use).derive(key)
