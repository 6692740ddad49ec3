"""Sealed values are secret and whole; fingerprints find equal names and only with the key."""

import base64
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benvung.vault import KeyUnusable, SealBroken, Vault

VAULT = Vault(bytes(range(32)))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXTS)
def test_what_was_sealed_opens_again(text: str) -> None:
    assert VAULT.open(VAULT.seal(text)) == text


def test_the_same_text_never_looks_the_same() -> None:
    assert VAULT.seal("Siu Thoan") != VAULT.seal("Siu Thoan")


@given(st.data())
def test_a_changed_seal_does_not_open(data: st.DataObject) -> None:
    sealed = bytearray(VAULT.seal("Siu Thoan"))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))

    with pytest.raises(SealBroken):
        VAULT.open(bytes(sealed))


@given(st.binary(max_size=40))
def test_bytes_that_are_no_seal_do_not_open(garbage: bytes) -> None:
    with pytest.raises(SealBroken):
        VAULT.open(garbage)


def test_another_key_opens_nothing_and_finds_nothing() -> None:
    other = Vault(os.urandom(32))

    with pytest.raises(SealBroken):
        other.open(VAULT.seal("Siu Thoan"))
    assert other.fingerprint("Siu Thoan") != VAULT.fingerprint("Siu Thoan")


@pytest.mark.parametrize(
    "written", ["Đinh Văn Klơi", "ĐINH  VĂN KLƠI ", "Đinh Va\u0306n Klo\u031bi", "\tđinh văn klơi"]
)
def test_a_name_is_found_however_it_was_typed(written: str) -> None:
    assert VAULT.fingerprint(written) == VAULT.fingerprint("Đinh Văn Klơi")


def test_names_that_differ_in_a_mark_stay_apart() -> None:
    assert VAULT.fingerprint("Đinh Văn Klơi") != VAULT.fingerprint("Đinh Vân Klơi")


@pytest.mark.parametrize("key", ["", "abc", base64.b64encode(b"short").decode(), "ô" * 44])
def test_a_key_of_another_form_is_refused(key: str) -> None:
    with pytest.raises(KeyUnusable):
        Vault.from_base64(key)
