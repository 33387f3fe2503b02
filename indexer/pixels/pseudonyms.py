"""Keyed, consistent pseudonyms for identifiers that must not leave: patients, studies, series."""

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping
from typing import Final, Self

from indexer.errors import WeakKeyError

KEY_VARIABLE: Final = "MEDSEARCH_PSEUDONYM_KEY"
MIN_KEY_BYTES: Final = 16
PATH_KIND: Final = "path"
"""The kind under which paths of scans, relative to their dataset's root, become pseudonyms."""
PSEUDONYM_CHARACTERS: Final = 16

PUBLIC_KEY: Final = b"medsearch: public data only, not a secret"
"""Used where no key is given. Anybody can recompute pseudonyms made with it, so it is fit for
public, de-identified collections only; hospital data needs a key of its own."""


class Pseudonymiser:
    """Replaces identifiers by pseudonyms that only the keeper of the key can link back.

    HMAC-SHA256 (RFC 2104) over kind and value, in base32 (RFC 4648), cut to 80 bits: equal
    values of a kind give equal pseudonyms, so studies and patients still group.
    """

    def __init__(self, key: bytes) -> None:
        """Keep the key.

        Raises
        ------
        WeakKeyError
            The key is shorter than 16 bytes.
        """
        if len(key) < MIN_KEY_BYTES:
            raise WeakKeyError(
                f"The key for pseudonyms has {len(key)} bytes; it needs {MIN_KEY_BYTES} bytes.",
                remedy=f"Set {KEY_VARIABLE} to what `openssl rand -hex 32` prints.",
            )
        self._key = key

    def __repr__(self) -> str:
        """Show which key is in use, never the key itself."""
        return f"Pseudonymiser(key=<{'public' if self.uses_public_key else 'secret'}>)"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Return a pseudonymiser keyed by `MEDSEARCH_PSEUDONYM_KEY`, or by the public key.

        Raises
        ------
        WeakKeyError
            The variable is set, but to fewer than 16 bytes.
        """
        variables = os.environ if environment is None else environment
        secret = variables.get(KEY_VARIABLE, "")
        return cls(secret.encode() if secret else PUBLIC_KEY)

    @property
    def uses_public_key(self) -> bool:
        """Whether anybody could recompute these pseudonyms."""
        return self._key == PUBLIC_KEY

    def pseudonym(self, kind: str, value: str) -> str:
        """Return 16 characters of [a-z2-7] for a value of a kind ("patient", "study", ...).

        White space and NULs around the value are padding in DICOM and are left out; the same
        value under two kinds gives two unrelated pseudonyms.
        """
        cleaned = value.strip(" \0\t\r\n")
        text = f"{kind}\0{cleaned}".encode("utf-8", "surrogatepass")
        digest = hmac.new(self._key, text, hashlib.sha256).digest()
        return base64.b32encode(digest).decode("ascii").lower()[:PSEUDONYM_CHARACTERS]
