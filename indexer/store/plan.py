"""What decides a build's content, and what a shard of it must look like."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from indexer.encoders.spec import Fingerprint
from indexer.errors import ReconciliationError
from indexer.store.manifest import FORMAT_VERSION, Manifest
from indexer.store.shards import KEY_BYTES, Shard, ShardField

# Names become names of files and folders.
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*\Z")
# Encoders normalise in their own precision; what is further off than this is no unit vector.
_LENGTH_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildPlan:
    """What decides a build's content; the same plan may go on where an earlier run stopped.

    `fields` maps a field to the catalogue key and the fingerprint of its encoder. `source_digest`
    covers the dataset's files (names, sizes, times), `options` whatever else changes the result
    (a limit on rows, rows a shard).

    Raises
    ------
    ValueError
        The name of the index or of a field cannot be the name of a file.
    """

    index: str
    dataset: str
    kind: Literal["image", "text"]
    title: str
    licence: str
    citation: str
    homepage: str
    synthetic: bool
    fields: Mapping[str, tuple[str, Fingerprint]]
    source_digest: str
    options: Mapping[str, str | int | None]

    def __post_init__(self) -> None:
        for name in (self.index, *self.fields):
            if not _NAME.match(name):
                message = f"{name!r} cannot name an index or a field: use a-z, 0-9, _ and -"
                raise ValueError(message)

    def digest(self) -> str:
        """Return a digest of the whole plan (hex), shards of another format being of no use."""
        return _digest({**asdict(self), "format_version": FORMAT_VERSION})

    def meaning(self) -> dict[str, object]:
        """Return what the plan says about the content itself, as JSON-ready values."""
        values = asdict(self)
        del values["source_digest"], values["options"]
        return values

    def check(self, shard: Shard) -> None:
        """Refuse a shard that does not fit the plan or itself.

        Raises
        ------
        ReconciliationError
            Its rows are not its records, duplicates and rejects together.
        ValueError
            Its parts do not belong together, or its embeddings are not unit rows of the right size.
        """
        settled = len(shard.records) + len(shard.duplicates) + len(shard.rejects)
        if settled != shard.rows_consumed:
            raise ReconciliationError(
                f"A shard of {self.index!r} covers {shard.rows_consumed} rows, "
                f"but settles {settled}.",
                remedy="This is a defect of medsearch: please report it.",
            )
        lengths = {len(shard.records), len(shard.content_keys), len(shard.images)}
        if len(lengths) > 1 or set(shard.fields) != set(self.fields):
            message = "a shard needs one content key and one image a record, and the plan's fields"
            raise ValueError(message)
        for name, (_, fingerprint) in self.fields.items():
            _check_field(name, shard.fields[name], len(shard.records), fingerprint.dim)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A live build; `unchanged` if an identical one was live already and was kept."""

    manifest: Manifest
    folder: Path
    unchanged: bool


def content_hash(meaning: Mapping[str, object], files: Mapping[str, str]) -> str:
    """Return the hash of what a build says, from its plan's meaning and its files' sha256."""
    return _digest([meaning, files])


def _check_field(name: str, field: ShardField, records: int, dim: int) -> None:
    positions = np.asarray(field.positions, np.int64)
    vectors = np.asarray(field.vectors, np.float32)
    fits = (
        vectors.shape == (len(positions), dim)
        and len(field.keys) == len(positions)
        and (field.thumbnails is None or len(field.thumbnails) == len(positions))
        and all(len(key) == KEY_BYTES for key in field.keys)
    )
    if not fits:
        message = (
            f"field {name!r}: vectors ({len(positions)}, {dim}) and a key each are needed, "
            "and a thumbnail each or none"
        )
        raise ValueError(message)
    if len(positions) and not _rise(positions, records):
        message = f"field {name!r}: positions must rise and lie within the shard"
        raise ValueError(message)
    lengths = np.linalg.norm(vectors, axis=1)
    if not (np.abs(lengths - 1) <= _LENGTH_TOLERANCE).all():
        message = f"field {name!r}: an embedding is not a unit vector of finite numbers"
        raise ValueError(message)


def _rise(positions: npt.NDArray[np.int64], records: int) -> bool:
    inside = bool(positions[0] >= 0 and positions[-1] < records)
    return inside and bool((np.diff(positions) >= 0).all())


def _digest(values: object) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
