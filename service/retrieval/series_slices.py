"""Which slices of a series or study that is the query are compared: some, spread evenly over it."""

from collections.abc import Mapping

import numpy as np

from indexer.errors import RecordNotFoundError
from indexer.pixels.archives import ZIP_MAGIC
from indexer.pixels.ct_windows import WINDOW_FIELDS
from indexer.pixels.thinning import SLICES_PER_SERIES, spread
from indexer.store.reader import IndexReader
from service.retrieval.columns import ColumnCache
from service.retrieval.encoding import Unpack
from service.retrieval.grouping import GROUP_COLUMNS
from service.retrieval.query import ImageSource, SeriesSource, StudySource


def rows_of_study(
    source: StudySource, columns: ColumnCache, everywhere: Mapping[str, IndexReader]
) -> tuple[IndexReader, list[int]]:
    """Return the index that holds a study or series, and 32 rows of it at most, spread evenly.

    In the order of series and slices; only slices that are embedded by window, if any is.

    Raises
    ------
    RecordNotFoundError
        No indexed image states it.
    """
    name = GROUP_COLUMNS[source.by]
    for reader in everywhere.values():
        build = columns.of(reader)
        if reader.manifest.kind != "image" or name not in build.names:
            continue
        rows = np.flatnonzero(build.holds_any(name, [source.group_id]))
        if len(rows):
            fields = [one for one in WINDOW_FIELDS if one in reader.manifest.fields]
            by_window = [rows[np.isin(rows, reader.rows_of(one))] for one in fields]
            shown = np.unique(np.concatenate(by_window)) if by_window else rows[:0]
            rows = shown if len(shown) else rows
            order = np.lexsort(
                (
                    build.numbers("slice_number")[rows],
                    build.groups(GROUP_COLUMNS["series"]).codes[rows],
                )
            )
            return reader, rows[order[spread(len(rows), SLICES_PER_SERIES)]].tolist()
    raise RecordNotFoundError(
        f"No indexed image states that {source.by}.",
        remedy=f"Every hit of a scan carries its {name}.",
    )


def source_of_file(raw: bytes) -> ImageSource | SeriesSource:
    """Return what an uploaded file is: a zip archive is a series, anything else an image."""
    return SeriesSource((raw,)) if raw.startswith(ZIP_MAGIC) else ImageSource(raw)


def files_of_series(source: SeriesSource, unpack: Unpack) -> list[bytes]:
    """Return 32 files of an uploaded series at most, spread evenly; archives are unpacked first.

    Raises
    ------
    DecodeError
        An archive is damaged, holds no image, or is beyond the limits.
    """
    files: list[bytes] = []
    for raw in source.files:
        files += unpack(raw, SLICES_PER_SERIES) if raw.startswith(ZIP_MAGIC) else [raw]
    return [files[place] for place in spread(len(files), SLICES_PER_SERIES)]
