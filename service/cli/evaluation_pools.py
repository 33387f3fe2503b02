"""What `medsearch eval` builds and reads of folders in the pool's layout."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indexer.datasets.own_images import DATASETS
from indexer.datasets.raw_row import RawRow
from indexer.datasets.rows import read_rows
from indexer.pixels.decode import DecodeRequest
from indexer.records import ImageRecord
from service.cli.console import progress_bars
from service.evaluation.audit import KnownImages, images_of_index
from service.evaluation.gathering import SideColumns, gather_images, to_hashes

if TYPE_CHECKING:
    from indexer.encoders.selection import Encoders
    from indexer.store.reader import IndexReader

(OWN_IMAGES,) = DATASETS

_LONG_TEXT_COLUMNS = ("text_long", "long_text")
_HASHED_PX = 32


def build_pool(root: Path, indexes_dir: Path, encoders: "Encoders") -> "IndexReader":
    """Index a folder in the pool's layout by the same path as any dataset, and open the index.

    Raises
    ------
    DatasetNotFoundError, DatasetEmptyError
        There is no table of images in the folder, or nothing in it can be read.
    """
    from indexer.build import build_index
    from indexer.store.reader import IndexReader

    with progress_bars() as progress:
        task = progress.add_task(root.name, total=None)
        built = build_index(
            OWN_IMAGES,
            root,
            indexes_dir,
            text=encoders.text,
            image=encoders.image,
            chinese=encoders.chinese,
            on_progress=lambda stage, rows: progress.update(
                task, description=f"{root.name}: {stage}", completed=rows
            ),
        )
    return IndexReader(built.published.folder)


def read_sides(root: Path) -> dict[str, SideColumns]:
    """Return what a pool's table says of each image beyond its record, by file."""
    return {
        row.text("file"): SideColumns(
            source=row.optional_text("source") or "",
            long_text=row.optional_text(*_LONG_TEXT_COLUMNS) or "",
        )
        for row in _rows(root)
        if row.optional_text("file")
    }


def _hash_images(root: Path, workers: int) -> KnownImages:
    """Hash every readable image of a folder in the pool's layout that an encoder was trained on."""
    from indexer.pixels.pool import DecodePool

    records = [row for row in OWN_IMAGES.iter_rows(root) if isinstance(row, ImageRecord)]
    requests = (
        DecodeRequest(root=root, ref=one.image, px=_HASHED_PX, resize="squash", thumbnail_px=0)
        for one in records
    )
    digests: list[str] = []
    hashes: list[bytes] = []
    with progress_bars() as progress, DecodePool(workers) as pool:
        task = progress.add_task(f"{root.name}: hashing", total=len(records))
        for image in pool.decode(requests):
            progress.advance(task)
            if not isinstance(image, Exception):
                digests.append(image.sha256)
                hashes.append(image.fingerprint_bits)
    return KnownImages(
        kind="training",
        name=f"the training images in {root.name}",
        digests=np.array(digests, np.str_),
        hashes=to_hashes(hashes),
        cases=frozenset(one.case_id for one in records),
    )


def images_of_indexes(indexes: Path) -> list[KnownImages]:
    """Return the images of every built index, for the hash audit."""
    from indexer.store.index_set import IndexSet

    if not indexes.is_dir():
        return []
    readers = IndexSet(indexes).snapshot().values()
    return [
        images_of_index(f"the index {reader.name}", gather_images(reader))
        for reader in readers
        if reader.manifest.kind == "image" and "image" in reader.manifest.fields
    ]


def hash_training(folders: Sequence[Path]) -> list[tuple[KnownImages, frozenset[str]]]:
    """Return the images of training folders, and the names of their sources."""
    return [
        (
            _hash_images(folder, os.cpu_count() or 1),
            frozenset(side.source for side in read_sides(folder).values() if side.source),
        )
        for folder in folders
    ]


def _rows(root: Path) -> Iterator[RawRow]:
    table = OWN_IMAGES.detect(root)
    if table is not None:
        yield from (row for row in read_rows(root, root / table) if isinstance(row, RawRow))
