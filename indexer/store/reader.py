"""Reading a published build: vectors, words, records and thumbnails, all memory-mapped."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from indexer.errors import CorruptBuildError, MapNotFoundError, UnknownNameError
from indexer.records import AnyRecord
from indexer.store.arrays import read_array
from indexer.store.calibration import LOOKS_NAME
from indexer.store.index_map import IndexMap
from indexer.store.lexical import LEXICAL_NAME, LexicalIndex, Words, searchable_text
from indexer.store.manifest import Manifest, read_manifest
from indexer.store.merge import id_digest
from indexer.store.publish import current_build
from indexer.store.records import completed, from_row
from indexer.store.shards import RECORDS_NAME, THUMBNAILS_NAME, read_table
from indexer.store.subset import Mask, Subset
from indexer.store.vectors import FieldVectors
from indexer.store.verify import ensure_verified
from indexer.text.tokenise import tokenise

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class FieldHits:
    """Ranked rows int64 (m,) with their scores float32 (m,): best first, ties by row, rows once."""

    rows: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]

    def __len__(self) -> int:
        """Return the number of hits."""
        return len(self.rows)


class IndexReader:
    """One build of one index, open for searching. Safe to share between threads.

    Its files are memory-mapped and let go when the last reference to the reader goes. `looks` holds
    the looks float32 (n, m) of a sample of its pictures, by which others are compared with them.
    """

    def __init__(self, folder: Path) -> None:
        """Open the build in `folder`; its files are checked before any of them is parsed.

        Raises
        ------
        CorruptBuildError
            A file is missing or is not what the manifest vouches for.
        """
        self.folder = folder
        self.manifest: Manifest = read_manifest(folder)
        ensure_verified(folder, self.manifest)
        self.table: pa.Table = completed(read_table(folder / RECORDS_NAME), self.manifest.kind)
        if len(self.table) != self.manifest.counts.records:
            raise CorruptBuildError(
                f"Build {self.build_id} holds {len(self.table)} records, not "
                f"{self.manifest.counts.records}.",
                remedy="Rebuild the index with `medsearch index`.",
            )
        # A row is read from its batch: slicing the whole table costs a visit to every batch, and
        # asking a batch for a column by its name as much as reading a value.
        batches = self.table.to_batches()
        self._starts = np.cumsum([0, *(len(batch) for batch in batches)])
        self._columns = [
            dict(zip(batch.schema.names, batch.columns, strict=True)) for batch in batches
        ]
        self._record_ids = read_array(folder / "record_ids.npy")
        self._lexical = LexicalIndex(folder / LEXICAL_NAME, len(self.table))
        self._thumbnails = (
            read_table(folder / THUMBNAILS_NAME) if self.manifest.kind == "image" else None
        )
        self.looks: npt.NDArray[np.float32] | None = (
            read_array(folder / LOOKS_NAME) if LOOKS_NAME in self.manifest.files else None
        )
        facts = self.manifest.index_map
        self._map = IndexMap.open(folder, facts) if facts else None
        self._without: dict[frozenset[str], Subset] = {}
        self._fields = {
            name: FieldVectors(folder, name, field, len(self.table))
            for name, field in self.manifest.fields.items()
        }
        self._field_thumbnails = {
            name: read_table(folder / file)
            for name in self._fields
            if (file := f"{name}.{THUMBNAILS_NAME}") in self.manifest.files
        }

    @classmethod
    def open(cls, index_folder: Path) -> "IndexReader":
        """Open the live build of an index.

        Raises
        ------
        IndexNotFoundError
            Nothing was published there.
        CorruptBuildError
            The build is damaged.
        """
        return cls(current_build(index_folder))

    @property
    def name(self) -> str:
        """The index's name."""
        return self.manifest.index

    @property
    def build_id(self) -> str:
        """The build's id."""
        return self.manifest.build_id

    def search(
        self,
        field: str,
        queries: npt.NDArray[np.float32],
        k: int,
        *,
        allowed: Subset | None = None,
        exact: bool = False,
    ) -> list[FieldHits]:
        """Return the k best records for each query by the cosine of one field.

        `queries` float32 (q, d), unit rows. With `allowed`, the answer is exactly the best of these
        records; with `exact`, exactly the best of all. Otherwise it is what the field's structure
        finds, with the recall that the manifest states.

        Raises
        ------
        UnknownNameError
            The index has no such field.
        ValueError
            Queries are not (q, d) finite numbers, or the subset is of another number of records.
        """
        self._check_subset(allowed)
        found = self._field(field).search(queries, k, allowed, exact)
        return [FieldHits(rows, scores) for rows, scores in found]

    def search_lexical(self, query: Words, k: int, *, allowed: Subset | None = None) -> FieldHits:
        """Return the k best records by BM25 over their words, of all or exactly of `allowed`.

        `query` may be weighed already, where several indexes are asked for the same words.

        Raises
        ------
        ValueError
            The subset is of another number of records.
        """
        self._check_subset(allowed)
        mask = None if allowed is None else allowed.mask
        return FieldHits(*self._lexical.search(query, k, mask))

    def shared_words(self, rows: Sequence[int], query: Words) -> Iterator[Mapping[str, float]]:
        """Yield those of a query's tokens that each record holds, as far as `search_lexical` asks.

        Their texts are cut anew: for many records, a search takes less.
        """
        asked = self._lexical.asked(query)
        for row in rows:
            held = set(tokenise(searchable_text(self.record(row))))
            yield {token: weight for token, weight in asked.items() if token in held}

    def records_with(self, token: str) -> int:
        """Return how many records hold a token, as `indexer.text.tokenise` cuts it."""
        return self._lexical.records_with(token)

    def lexical_ceiling(self, query: Words) -> float:
        """Return the BM25 that no record can exceed for some words."""
        return self._lexical.ceiling(query)

    def record(self, row: int) -> AnyRecord:
        """Return the record of a row."""
        return from_row(self.row(row))

    def row(self, row: int, columns: Sequence[str] | None = None) -> dict[str, Any]:
        """Return a row's columns as plain values: all, or those named."""
        self._check_row(row)
        number = int(np.searchsorted(self._starts, row, side="right")) - 1
        held, place = self._columns[number], row - int(self._starts[number])
        return {name: held[name][place].as_py() for name in columns or held}

    def find(self, record_id: str) -> int | None:
        """Return the row of a record id, or None."""
        digests = self._record_ids[:, 0]
        wanted = np.uint64(id_digest(record_id))
        position = int(np.searchsorted(digests, wanted))
        while position < len(digests) and digests[position] == wanted:
            row = int(self._record_ids[position, 1])
            if self.table.column("record_id")[row].as_py() == record_id:
                return row
            position += 1
        return None

    def vector(self, field: str, row: int) -> npt.NDArray[np.float32] | None:
        """Return the first embedding float32 (d,) that a field holds of a row, or None."""
        self._check_row(row)
        return self._field(field).of_row(row)

    def scores_of(
        self, field: str, query: npt.NDArray[np.float32], rows: Sequence[int]
    ) -> npt.NDArray[np.float32]:
        """Return what some records score in a field, as `search` does: float32 (m,).

        NaN for records that have no embedding there. `query` is float32 (d,).
        """
        return self._field(field).scores_of(query, np.asarray(rows, np.int64))

    def vectors(self, field: str) -> npt.NDArray[np.float32]:
        """Return all embeddings of a field, float32 (m, d), memory-mapped."""
        return self._field(field).vectors

    def rows_of(self, field: str) -> npt.NDArray[np.int64]:
        """Return the record row of each embedding of a field, int64 (m,)."""
        return self._field(field).rows

    def rows_without(self, fields: frozenset[str]) -> Subset:
        """Return the records that have no embedding in any of some fields."""
        if fields not in self._without:
            mask: Mask = np.ones(len(self.table), np.bool_)
            for name in fields:
                mask[self.rows_of(name)] = False
            self._without[fields] = Subset(mask)
        return self._without[fields]

    def places_of(
        self, rows: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        """Return where rows lie on the map, float32 (q, 2), and which it was drawn with, bool (q,).

        A record outside the map's sample lies among those that are like it; NaN where it has no
        embedding.

        Raises
        ------
        MapNotFoundError
            The build has no map.
        """
        return self.map.places_of(rows, self._field(self.map.facts.field))

    @property
    def map(self) -> IndexMap:
        """Where a sample of the records lies in the plane.

        Raises
        ------
        MapNotFoundError
            The build has no map.
        """
        if self._map is None:
            embedded = any(field.vectors for field in self.manifest.fields.values())
            raise MapNotFoundError(
                f"This build of the index {self.name!r} has no map.",
                remedy=f"Rebuild it: `medsearch index {self.name}`."
                if embedded
                else "None of its records is embedded. Rebuild it with an encoder that reads "
                f"them: `medsearch index {self.name} --encoder KEY`.",
            )
        return self._map

    def thumbnail(self, row: int) -> bytes | None:
        """Return the JPEG thumbnail of a row, or None where there is none.

        Raises
        ------
        IndexError
            There is no such row.
        """
        self._check_row(row)
        if self._thumbnails is None:
            return None
        jpeg = self._thumbnails.column("jpeg")[row].as_py()
        return bytes(jpeg) if jpeg is not None else None

    def field_thumbnail(self, field: str, row: int) -> bytes | None:
        """Return what was embedded of a row as a JPEG, or None if nothing was, or is kept.

        Raises
        ------
        IndexError
            There is no such row.
        """
        self._check_row(row)
        table = self._field_thumbnails.get(field)
        place = None if table is None else self._field(field).place_of(row)
        return None if table is None or place is None else bytes(table["jpeg"][place].as_py())

    def fields_shown(self, row: int) -> tuple[str, ...]:
        """Return the fields of which a row has a thumbnail of its own."""
        shown = ((name, self._field(name).place_of(row)) for name in self._field_thumbnails)
        return tuple(name for name, place in shown if place is not None)

    def _check_row(self, row: int) -> None:
        if not 0 <= row < len(self.table):
            message = f"row {row} of {len(self.table)}"
            raise IndexError(message)

    def _check_subset(self, allowed: Subset | None) -> None:
        if allowed is not None and allowed.mask.shape != (len(self.table),):
            message = f"a subset of {len(self.table)} records is needed"
            raise ValueError(message)

    def _field(self, name: str) -> FieldVectors:
        if name not in self._fields:
            raise UnknownNameError(f"field of {self.name!r}", name, self._fields)
        return self._fields[name]
