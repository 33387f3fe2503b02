"""What stands beside fetched files: where they come from, under which licence, which they are."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from indexer.datasets.base import DatasetInfo

RECEIPT_NAME = ".medsearch.json"
"""Hidden, so that no reader takes it for a part of the dataset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Proof that a folder was filled by `medsearch datasets get`, and with what.

    `pieces` are the files or series with their sizes in bytes (0: not told); `checked` says by
    what they were checked: `sha256`, `md5`, `crc32` or `size`.
    """

    dataset: str
    origin: str
    revision: str | None
    licence: str
    licence_url: str
    citation: str
    fetched_at: str
    checked: str
    pieces: Mapping[str, int]

    def to_json(self) -> bytes:
        """Return it as indented JSON."""
        return (json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n").encode()


def make_receipt(
    info: DatasetInfo,
    *,
    origin: str,
    revision: str | None,
    checked: str,
    pieces: Mapping[str, int],
) -> Receipt:
    """Return the receipt of what was fetched just now."""
    return Receipt(
        dataset=info.name,
        origin=origin,
        revision=revision,
        licence=info.licence,
        licence_url=info.licence_url,
        citation=info.citation,
        fetched_at=datetime.now(UTC).isoformat(timespec="seconds"),
        checked=checked,
        pieces=dict(sorted(pieces.items())),
    )


def read_receipt(folder: Path) -> Receipt | None:
    """Return the receipt in a folder; None if there is none that can be read."""
    try:
        return Receipt(**json.loads((folder / RECEIPT_NAME).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
