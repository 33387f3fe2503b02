"""What must not be found: records by name, whole splits, and what is the query's own.

That is its case, its article, or pictures that are nearly its own. Whole datasets are left out
where indexes are selected.

Whoever evaluates a model on MedQA must not retrieve MedQA's own questions, and whoever searches
for similar cases does not want the case that he came from.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from indexer.errors import QueryError
from indexer.pixels.resize import NEAR_DUPLICATE_BITS
from indexer.store.reader import IndexReader
from service.retrieval.columns import BuildColumns, ColumnCache, Mask
from service.retrieval.encoding import Unpack
from service.retrieval.filters import Combination, Comparison, Filter
from service.retrieval.fusion import Key
from service.retrieval.hits import Note
from service.retrieval.query import ImageSource, Query, RecordSource, SeriesSource, StudySource
from service.retrieval.selection import find_record
from service.retrieval.series_slices import files_of_series, rows_of_study

Fingerprint: TypeAlias = Callable[[bytes], bytes]

UNKNOWN_RECORDS = "exclude_records"
"""The code of the note that ids in `exclude_records` name nothing."""

_SHARED_COLUMN = "article_id"
_IMAGE_HASH = "image_hash"


@dataclass(frozen=True, slots=True)
class _Origin:
    """What the query itself came from: indexed rows by reader, and the hashes of its images."""

    rows: tuple[tuple[IndexReader, int], ...]
    hashes: tuple[bytes, ...]


class Excluder:
    """Finds the records that a query must not return."""

    def __init__(self, columns: ColumnCache, fingerprint: Fingerprint, unpack: Unpack) -> None:
        self._columns = columns
        self._fingerprint = fingerprint
        self._unpack = unpack

    def keys(
        self, query: Query, readers: Sequence[IndexReader], everywhere: Mapping[str, IndexReader]
    ) -> frozenset[Key]:
        """Return the excluded records of `readers`; the query's own may lie `everywhere`.

        Raises
        ------
        QueryError
            `exclude_same` without a record or an image that something could be the same as, or
            near duplicates of questions.
        RecordNotFoundError, DecodeError
            The query's own record is gone, or its image cannot be decoded.
        """
        found = set(_named(query, readers))
        if query.exclude_same:
            _check_same(query)
            origin = self._origin(query, everywhere)
            duplicates = list(self._near_duplicates(origin.hashes, readers))
            if "near_duplicate" in query.exclude_same:
                found.update(duplicates)
            known = [(readers[key.reader], key.row) for key in duplicates]
            rows = [*origin.rows, *known]
            if "case" in query.exclude_same:
                found.update(self._of_same_case(rows, readers))
            if "article" in query.exclude_same:
                found.update(self._of_same_article(rows, readers))
        return frozenset(found)

    def _origin(self, query: Query, everywhere: Mapping[str, IndexReader]) -> _Origin:
        rows: list[tuple[IndexReader, int]] = []
        hashes: list[bytes] = []
        for source in query.sources:
            if isinstance(source, RecordSource):
                home, row = find_record(source.record_id, everywhere)
                rows.append((home, row))
                if home.manifest.kind == "image":
                    hashes.append(home.table.column(_IMAGE_HASH)[row].as_py() or b"")
            elif isinstance(source, ImageSource):
                hashes.append(self._fingerprint(source.raw))
            elif isinstance(source, SeriesSource):
                hashes += map(self._fingerprint, files_of_series(source, self._unpack))
            elif isinstance(source, StudySource):
                home, some = rows_of_study(source, self._columns, everywhere)
                rows += [(home, row) for row in some]
                hashes += [home.table.column(_IMAGE_HASH)[row].as_py() or b"" for row in some]
        if not rows and not hashes:
            raise QueryError(
                "exclude_same needs a query by record or by image.",
                remedy="Leave it out, or use exclude_records, exclude_datasets, exclude_splits.",
            )
        return _Origin(tuple(rows), tuple(one for one in hashes if any(one)))

    def _near_duplicates(
        self, hashes: Sequence[bytes], readers: Sequence[IndexReader]
    ) -> Iterator[Key]:
        for position, reader in enumerate(readers):
            if reader.manifest.kind != "image":
                continue
            known = self._columns.of(reader).image_hashes()
            for one in hashes:
                rows = np.flatnonzero(near_duplicates(known, one)).tolist()
                yield from (Key(position, row) for row in rows)

    def _of_same_case(
        self, rows: Sequence[tuple[IndexReader, int]], readers: Sequence[IndexReader]
    ) -> Iterator[Key]:
        for home, row in rows:
            for position, reader in enumerate(readers):
                if reader is home:
                    codes = self._columns.of(reader).groups("case_id").codes
                    yield from _keys(position, codes == codes[row])

    def _of_same_article(
        self, rows: Sequence[tuple[IndexReader, int]], readers: Sequence[IndexReader]
    ) -> Iterator[Key]:
        """Yield the records of the same articles: unlike cases, these are named alike anywhere."""
        articles = {_article(self._columns.of(home), home, row) for home, row in rows} - {None}
        for position, reader in enumerate(readers):
            columns = self._columns.of(reader)
            if articles and _SHARED_COLUMN in columns.names:
                yield from _keys(position, columns.holds_any(_SHARED_COLUMN, articles))


def near_duplicates(known: npt.NDArray[np.uint64], fingerprint: bytes) -> Mask:
    """Return which of `known` uint64 (n, 4) show the picture of 256 perceptual bits: bool (n,).

    Images without a hash (zeros) are nobody's duplicates.
    """
    wanted = np.frombuffer(fingerprint, np.uint64)
    bits = np.bitwise_count(known ^ wanted).sum(axis=1, dtype=np.uint16)
    same: Mask = (bits <= NEAR_DUPLICATE_BITS) & known.any(axis=1)
    return same


def note_unknown(query: Query, everywhere: Mapping[str, IndexReader]) -> Iterator[Note]:
    """Yield how many ids of `exclude_records` no index holds: misspelt, they exclude nothing.

    Others than the searched indexes count, too: questions may be left out of a search for images.
    """
    named = query.exclude_records
    unknown = sum(all(one.find(name) is None for one in everywhere.values()) for name in named)
    if unknown:
        yield Note(
            UNKNOWN_RECORDS,
            f"{unknown} of the {len(named)} ids in exclude_records name no record of any open "
            "index, so they exclude nothing.",
        )


def without_splits(filters: Filter | None, splits: frozenset[str]) -> Filter | None:
    """Return a filter that also leaves out some splits; a split that none has fails its check."""
    if not splits:
        return filters
    excluded = Comparison("split", "nin", tuple(sorted(splits)))
    return excluded if filters is None else Combination("and", (filters, excluded))


def _check_same(query: Query) -> None:
    if query.target == "questions" and "near_duplicate" in query.exclude_same:
        raise QueryError(
            "near_duplicate compares pictures, and questions have none.",
            remedy="Leave it out of exclude_same, or use exclude_records.",
        )


def _named(query: Query, readers: Sequence[IndexReader]) -> Iterator[Key]:
    for record_id in query.exclude_records.union(query.unlike):
        for position, reader in enumerate(readers):
            row = reader.find(record_id)
            if row is not None:
                yield Key(position, row)


def _article(columns: BuildColumns, reader: IndexReader, row: int) -> str | None:
    if _SHARED_COLUMN not in columns.names:
        return None
    article: str | None = reader.table.column(_SHARED_COLUMN)[row].as_py()
    return article


def _keys(position: int, mask: Mask) -> Iterator[Key]:
    return (Key(position, row) for row in np.flatnonzero(mask).tolist())
