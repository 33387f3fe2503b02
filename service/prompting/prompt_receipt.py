"""Receipts of prompts: what was shown under which number, signed, so that answers can be checked.

A receipt holds everything that checking takes, so that the service keeps nothing. Its signature is
HMAC-SHA256 (RFC 2104) over its canonical JSON with a key that only the service knows: a receipt
that was altered, or that another service wrote, is refused.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from indexer.errors import QueryError

PROMPT_RECEIPT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPassage:
    """A passage as it was shown."""

    number: int
    record_id: str
    index: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptReceipt:
    """What a prompt showed. `searches` are the digests of its searches' hits, in their order."""

    passages: tuple[ShownPassage, ...]
    template_version: str
    builds: Mapping[str, str]
    searches: tuple[str, ...]
    created_at: str
    signature: str
    receipt_version: int = PROMPT_RECEIPT_VERSION

    def values(self) -> dict[str, Any]:
        """Return the receipt as JSON-ready values."""
        return asdict(self)


class Signer:
    """Writes and recognises receipts. Without a key, only those of this very object."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)

    def receipt(
        self,
        passages: tuple[ShownPassage, ...],
        template_version: str,
        builds: Mapping[str, str],
        searches: tuple[str, ...],
    ) -> PromptReceipt:
        """Return the signed receipt of a prompt that is written now."""
        receipt = PromptReceipt(
            passages=passages,
            template_version=template_version,
            builds=dict(builds),
            searches=searches,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            signature="",
        )
        return PromptReceipt(**{**_parts(receipt), "signature": self._sign(receipt)})

    def check(self, receipt: PromptReceipt) -> None:
        """Refuse a receipt that this signer did not write as it stands.

        Raises
        ------
        QueryError
            It was altered, or signed with another key.
        """
        expected = self._sign(receipt).encode()
        if not hmac.compare_digest(expected, receipt.signature.encode("utf-8", "replace")):
            raise QueryError(
                "The receipt is not one that this service wrote, or it was altered.",
                remedy="Send it as /v1/prompts gave it. A service without MEDSEARCH_RECEIPT_KEY "
                "knows only receipts written since it was started.",
            )

    def _sign(self, receipt: PromptReceipt) -> str:
        signed = {name: value for name, value in receipt.values().items() if name != "signature"}
        canonical = json.dumps(signed, sort_keys=True, separators=(",", ":"))
        return hmac.new(self._key, canonical.encode(), hashlib.sha256).hexdigest()


def _parts(receipt: PromptReceipt) -> dict[str, Any]:
    return {name: getattr(receipt, name) for name in receipt.__slots__}
