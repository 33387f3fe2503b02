import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import WeakKeyError
from indexer.pixels.pseudonyms import KEY_VARIABLE, PUBLIC_KEY, Pseudonymiser

SECRET = Pseudonymiser(b"0123456789abcdef")


def test_the_same_value_gives_the_same_pseudonym_and_padding_does_not_matter() -> None:
    assert SECRET.pseudonym("patient", "ANON-17") == SECRET.pseudonym("patient", "ANON-17 \0")


def test_kind_and_key_change_the_pseudonym() -> None:
    other = Pseudonymiser(b"another key, 16+")
    pseudonyms = {
        SECRET.pseudonym("patient", "1.2.3"),
        SECRET.pseudonym("study", "1.2.3"),
        other.pseudonym("patient", "1.2.3"),
    }
    assert len(pseudonyms) == 3


def test_it_is_an_hmac_that_a_keeper_of_the_key_can_recompute() -> None:
    digest = hmac.new(b"0123456789abcdef", b"patient\0ANON-17", hashlib.sha256).digest()
    first_character = "abcdefghijklmnopqrstuvwxyz234567"[digest[0] >> 3]
    assert SECRET.pseudonym("patient", "ANON-17")[0] == first_character


@given(st.text(min_size=4))
def test_no_pseudonym_holds_its_value(value: str) -> None:
    pseudonym = SECRET.pseudonym("patient", value)
    assert len(pseudonym) == 16
    assert set(pseudonym) <= set("abcdefghijklmnopqrstuvwxyz234567")
    assert value not in pseudonym


@given(st.text(), st.text())
def test_kind_and_value_cannot_be_shifted_into_one_another(kind: str, value: str) -> None:
    shifted = SECRET.pseudonym(kind, f"x{value}")
    assert shifted != SECRET.pseudonym(f"{kind}x", value)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(WeakKeyError, match="16 bytes"):
        Pseudonymiser(b"short")
    with pytest.raises(WeakKeyError, match="openssl rand"):
        Pseudonymiser.from_environment({KEY_VARIABLE: "short"})


def test_the_environment_gives_the_key() -> None:
    secret = Pseudonymiser.from_environment({KEY_VARIABLE: "0123456789abcdef"})
    assert secret.pseudonym("study", "1") == SECRET.pseudonym("study", "1")
    assert not secret.uses_public_key


def test_without_a_key_the_public_one_is_used_and_says_so() -> None:
    public = Pseudonymiser.from_environment({})
    assert public.uses_public_key
    assert public.pseudonym("a", "b") == Pseudonymiser(PUBLIC_KEY).pseudonym("a", "b")


def test_repr_keeps_the_key_to_itself() -> None:
    assert "0123456789abcdef" not in repr(SECRET)
