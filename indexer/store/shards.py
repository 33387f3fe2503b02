"""Shards: what a build has finished so far, one folder each, complete or not there at all."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from indexer.records import AnyRecord, Reject
from indexer.store.files import sync_folder, write_durably
from indexer.store.records import to_row, to_table

LEDGER_NAME = "ledger.json"
RECORDS_NAME = "records.arrow"
THUMBNAILS_NAME = "thumbnails.arrow"
THUMBNAIL_SCHEMA = pa.schema([pa.field("jpeg", pa.binary())])
KEY_BYTES = 16
_HEADER_BYTES = 128


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
    one 16-byte key of the embedded input each.
    """

    positions: npt.NDArray[np.int64]
    vectors: npt.NDArray[np.float32]
    keys: Sequence[bytes]


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
    """A finished shard's account, and the ids and contents that it has claimed."""

    rows_consumed: int
    records: int
    duplicates: tuple[dict[str, Any], ...]
    rejects: tuple[dict[str, Any], ...]


def write_shard(staging: Path, number: int, shard: Shard, kind: Literal["image", "text"]) -> None:
    """Write a shard; after a crash it is there whole or not at all."""
    final = shard_folder(staging, number)
    partial = final.with_name(final.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    _write_table(partial / RECORDS_NAME, to_table(_rows(shard, kind), kind))
    if kind == "image":
        jpegs = [image.thumbnail if image else None for image in shard.images]
        _write_table(partial / THUMBNAILS_NAME, pa.table({"jpeg": jpegs}, schema=THUMBNAIL_SCHEMA))
    for name, field in shard.fields.items():
        keys = np.frombuffer(b"".join(field.keys), np.uint8).reshape(-1, KEY_BYTES)
        _write_array(partial / f"{name}.positions.npy", field.positions)
        _write_array(partial / f"{name}.vectors.npy", field.vectors)
        _write_array(partial / f"{name}.keys.npy", keys)
    ledger = Ledger(
        rows_consumed=shard.rows_consumed,
        records=len(shard.records),
        duplicates=tuple(asdict(one) for one in shard.duplicates),
        rejects=tuple(asdict(one) for one in shard.rejects),
    )
    write_durably(partial / LEDGER_NAME, json.dumps(asdict(ledger)).encode())
    partial.replace(final)
    sync_folder(staging)


def finished_shards(staging: Path) -> list[Path]:
    """Return the folders of the finished shards, 0, 1, 2 ... up to the first that is missing."""
    found: list[Path] = []
    while (folder := shard_folder(staging, len(found))).is_dir():
        found.append(folder)
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
    )


def read_records(shard: Path) -> pa.Table:
    """Memory-map a shard's records."""
    return read_table(shard / RECORDS_NAME)


def read_table(path: Path) -> pa.Table:
    """Memory-map an Arrow file."""
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def read_array(path: Path) -> npt.NDArray[Any]:
    """Memory-map an npy file; object arrays, which would be pickles, are refused.

    An array without elements cannot be mapped and is read.
    """
    mode: Literal["r"] | None = "r" if path.stat().st_size > _HEADER_BYTES else None
    return np.asanyarray(np.load(path, mmap_mode=mode, allow_pickle=False))


def iter_ledgers(staging: Path) -> Iterator[Ledger]:
    """Yield the account of each finished shard in order."""
    for shard in finished_shards(staging):
        yield read_ledger(shard)


def _rows(shard: Shard, kind: Literal["image", "text"]) -> list[dict[str, object]]:
    rows = []
    for record, key, image in zip(shard.records, shard.content_keys, shard.images, strict=True):
        extra: dict[str, object] = {"content_key": key}
        if kind == "image":
            extra["image_sha256"] = image.sha256 if image else None
            extra["image_hash"] = image.perceptual_hash if image else None
        rows.append(to_row(record, extra))
    return rows


def _write_table(path: Path, table: pa.Table) -> None:
    with path.open("wb") as stream:
        with pa.ipc.new_file(stream, table.schema) as writer:
            writer.write_table(table)
        stream.flush()
        os.fsync(stream.fileno())


def _write_array(path: Path, array: npt.NDArray[Any]) -> None:
    with path.open("wb") as stream:
        np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
        stream.flush()
        os.fsync(stream.fileno())
