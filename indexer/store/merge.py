"""From shards to the files of a build, one shard at a time: memory does not grow with the build."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from indexer.records import AnyRecord
from indexer.store.arrays import read_array, write_array
from indexer.store.records import from_row, schema_of
from indexer.store.shards import (
    KEY_BYTES,
    THUMBNAIL_SCHEMA,
    THUMBNAILS_NAME,
    read_ledger,
    read_records,
    read_table,
)

# Rows a record batch: the unit in which a memory-mapped column is addressed.
_BATCH_ROWS = 4096


def merge_records(shards: Sequence[Path], path: Path, kind: Literal["image", "text"]) -> int:
    """Write all shards' records to one Arrow file; return their number."""
    schema = schema_of(kind)
    tables = (read_records(shard) for shard in shards)
    return _merge_tables(tables, path, schema)


def merge_thumbnails(shards: Sequence[Path], path: Path) -> int:
    """Write all shards' thumbnails to one Arrow file; return their number."""
    tables = (read_table(shard / THUMBNAILS_NAME) for shard in shards)
    return _merge_tables(tables, path, THUMBNAIL_SCHEMA)


def merge_field(shards: Sequence[Path], folder: Path, name: str, dim: int) -> int:
    """Write a field's vectors, their rows and keys to `<field>.*.npy`; return their number.

    Its thumbnails, where it has any, become `<field>.thumbnails.arrow`, in the same order.
    """
    counts = [len(read_array(shard / f"{name}.positions.npy")) for shard in shards]
    total = sum(counts)
    offsets = np.cumsum([0, *(read_ledger(shard).records for shard in shards)])
    vectors = (read_array(shard / f"{name}.vectors.npy") for shard in shards)
    write_array(folder / f"{name}.vectors.npy", vectors, (total, dim), np.float32)
    rows = (
        read_array(shard / f"{name}.positions.npy") + offset
        for shard, offset in zip(shards, offsets[:-1], strict=True)
    )
    write_array(folder / f"{name}.rows.npy", rows, (total,), np.int64)
    keys = (read_array(shard / f"{name}.keys.npy") for shard in shards)
    write_array(folder / f"{name}.keys.npy", keys, (total, KEY_BYTES), np.uint8)
    thumbnails = [shard / f"{name}.{THUMBNAILS_NAME}" for shard in shards]
    if thumbnails and all(path.is_file() for path in thumbnails):
        target = folder / f"{name}.{THUMBNAILS_NAME}"
        _merge_tables(map(read_table, thumbnails), target, THUMBNAIL_SCHEMA)
    return total


def write_record_ids(records: Path, path: Path) -> None:
    """Write the sorted digests of all record ids with their rows: uint64 (n, 2)."""
    digests: list[npt.NDArray[np.uint64]] = [np.empty(0, np.uint64)]
    for batch in iter_batches(records):
        ids = batch.column("record_id").to_pylist()
        digests.append(np.array([id_digest(str(one)) for one in ids], np.uint64))
    everything = np.concatenate(digests)
    order = np.argsort(everything, kind="stable").astype(np.uint64)
    table = np.stack([everything[order], order], axis=1)
    write_array(path, [table], table.shape, np.uint64)


def id_digest(record_id: str) -> int:
    """Return the 64-bit digest under which a record id is looked up."""
    raw = hashlib.blake2b(record_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(raw, "big")


def write_rejects(shards: Sequence[Path], path: Path) -> None:
    """Write every reject as one line of JSON: path, line, reason, kind."""
    _write_lines(path, (one for shard in shards for one in read_ledger(shard).rejects))


def write_duplicates(shards: Sequence[Path], path: Path) -> None:
    """Write every duplicate as one line of JSON: which record stands for it."""
    _write_lines(path, (one for shard in shards for one in read_ledger(shard).duplicates))


def iter_records(path: Path) -> Iterator[AnyRecord]:
    """Yield the records of an Arrow file in order."""
    for batch in iter_batches(path):
        for row in batch.to_pylist():
            yield from_row(row)


def iter_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Yield the record batches of a memory-mapped Arrow file."""
    with pa.memory_map(str(path)) as source:
        reader = pa.ipc.open_file(source)
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


def _merge_tables(tables: Iterator[pa.Table], path: Path, schema: pa.Schema) -> int:
    """Append tables to one Arrow file in batches of a fixed size; return the number of rows."""
    count = 0
    waiting = schema.empty_table()
    with path.open("wb") as stream, pa.ipc.new_file(stream, schema) as writer:
        for table in tables:
            waiting = pa.concat_tables([waiting, table])
            count += len(table)
            full = len(waiting) - len(waiting) % _BATCH_ROWS
            for start in range(0, full, _BATCH_ROWS):
                writer.write_batch(_copied(waiting.slice(start, _BATCH_ROWS)))
            waiting = waiting.slice(full)
        if len(waiting):
            writer.write_batch(_copied(waiting))
    return count


def _copied(table: pa.Table) -> pa.RecordBatch:
    """Return a table as one batch with buffers of its own.

    A slice would be written with whatever follows it in its buffers, up to the next multiple of 64
    bytes, and equal rows from other shards would give other bytes.
    """
    rows = pa.array(range(len(table)), pa.int64())
    [batch] = table.combine_chunks().take(rows).to_batches()
    return batch


def _write_lines(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    with path.open("wb") as stream:
        for row in rows:
            stream.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
