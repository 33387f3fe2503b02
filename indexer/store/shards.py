"""Shards: what a build has finished so far, one folder each, complete or not there at all."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from indexer.records import AnyRecord, Reject
from indexer.store.arrays import write_array
from indexer.store.files import (
    clear_folder,
    list_tree,
    sha256_of,
    sync_folder,
    sync_tree,
)
from indexer.store.records import to_row, to_table

LEDGER_NAME = "ledger.json"
RECORDS_NAME = "records.arrow"
THUMBNAILS_NAME = "thumbnails.arrow"
THUMBNAIL_SCHEMA = pa.schema([pa.field("jpeg", pa.binary())])
KEY_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """A row whose content an earlier record already holds."""

    record_id: str
    of_record_id: str
    source_path: str
    source_line: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardImage:
    """What the store keeps of a decoded image: digest, perceptual hash, thumbnail (JPEG)."""

    sha256: str
    perceptual_hash: bytes
    thumbnail: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardField:
    """One field's embeddings of a shard.

    `positions` int64 (m,) of their records in the shard, `vectors` float32 (m, d) unit rows, and
    one 16-byte key of the embedded input each. `thumbnails` (JPEG), of fields that have any, show
    what was embedded.
    """

    positions: npt.NDArray[np.int64]
    vectors: npt.NDArray[np.float32]
    keys: Sequence[bytes]
    thumbnails: Sequence[bytes] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A run of consecutive rows, settled: each is a record, a duplicate or a reject."""

    rows_consumed: int
    records: Sequence[AnyRecord]
    content_keys: Sequence[str]
    images: Sequence[ShardImage | None]
    fields: Mapping[str, ShardField]
    duplicates: Sequence[Duplicate]
    rejects: Sequence[Reject]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """A finished shard's account, with the sha256 of its every file."""

    rows_consumed: int
    records: int
    duplicates: tuple[dict[str, Any], ...]
    rejects: tuple[dict[str, Any], ...]
    files: dict[str, str]


def write_shard(staging: Path, number: int, shard: Shard, kind: Literal["image", "text"]) -> None:
    """Write a shard; after a crash it is there whole or not at all."""
    final = shard_folder(staging, number)
    partial = final.with_name(final.name + ".partial")
    for leftover in (partial, final):
        shutil.rmtree(leftover, ignore_errors=True)
    partial.mkdir()
    _write_table(partial / RECORDS_NAME, to_table(_rows(shard, kind), kind))
    if kind == "image":
        jpegs = [image.thumbnail if image else None for image in shard.images]
        _write_table(partial / THUMBNAILS_NAME, pa.table({"jpeg": jpegs}, schema=THUMBNAIL_SCHEMA))
    for name, field in shard.fields.items():
        _write_field(partial, name, field)
    ledger = Ledger(
        rows_consumed=shard.rows_consumed,
        records=len(shard.records),
        duplicates=tuple(asdict(one) for one in shard.duplicates),
        rejects=tuple(asdict(one) for one in shard.rejects),
        files={path.name: sha256_of(path) for path in list_tree(partial)},
    )
    (partial / LEDGER_NAME).write_bytes(json.dumps(asdict(ledger)).encode())
    sync_tree(partial)
    partial.replace(final)
    sync_folder(staging)


def drop_unsound_shards(staging: Path) -> None:
    """Delete the first shard whose bytes are not those that were written, and all after it."""
    sound = True
    for shard in finished_shards(staging):
        sound = sound and _is_sound(shard)
        if not sound:
            clear_folder(shard, LEDGER_NAME)


def finished_shards(staging: Path) -> list[Path]:
    """Return the folders of the finished shards, 0, 1, 2 ... up to the first that is missing."""
    found: list[Path] = []
    while (shard_folder(staging, len(found)) / LEDGER_NAME).is_file():
        found.append(shard_folder(staging, len(found)))
    return found


def shard_folder(staging: Path, number: int) -> Path:
    """Return where a shard lies or would lie."""
    return staging / f"shard-{number:06d}"


def read_ledger(shard: Path) -> Ledger:
    """Read a shard's account."""
    values = json.loads((shard / LEDGER_NAME).read_text("utf-8"))
    return Ledger(
        rows_consumed=values["rows_consumed"],
        records=values["records"],
        duplicates=tuple(values["duplicates"]),
        rejects=tuple(values["rejects"]),
        files=dict(values["files"]),
    )


def read_records(shard: Path) -> pa.Table:
    """Memory-map a shard's records."""
    return read_table(shard / RECORDS_NAME)


def read_table(path: Path) -> pa.Table:
    """Memory-map an Arrow file."""
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def iter_ledgers(staging: Path) -> Iterator[Ledger]:
    """Yield the account of each finished shard in order."""
    for shard in finished_shards(staging):
        yield read_ledger(shard)


def _is_sound(shard: Path) -> bool:
    try:
        files = read_ledger(shard).files
        return all(sha256_of(shard / name) == digest for name, digest in files.items())
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _rows(shard: Shard, kind: Literal["image", "text"]) -> list[dict[str, object]]:
    rows = []
    for record, key, image in zip(shard.records, shard.content_keys, shard.images, strict=True):
        extra: dict[str, object] = {"content_key": key}
        if kind == "image":
            extra["image_sha256"] = image.sha256 if image else None
            extra["image_hash"] = image.perceptual_hash if image else None
        rows.append(to_row(record, extra))
    return rows


def _write_field(folder: Path, name: str, field: ShardField) -> None:
    count = len(field.positions)
    keys = np.frombuffer(b"".join(field.keys), np.uint8).reshape(count, KEY_BYTES)
    vectors = np.asarray(field.vectors)
    write_array(folder / f"{name}.positions.npy", [np.asarray(field.positions)], (count,), np.int64)
    write_array(folder / f"{name}.vectors.npy", [vectors], vectors.shape, np.float32)
    write_array(folder / f"{name}.keys.npy", [keys], keys.shape, np.uint8)
    if field.thumbnails is not None:
        jpegs = pa.table({"jpeg": list(field.thumbnails)}, schema=THUMBNAIL_SCHEMA)
        _write_table(folder / f"{name}.{THUMBNAILS_NAME}", jpegs)


def _write_table(path: Path, table: pa.Table) -> None:
    with path.open("wb") as stream, pa.ipc.new_file(stream, table.schema) as writer:
        writer.write_table(table)
