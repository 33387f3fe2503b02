"""From a dataset's folder to a published index: rows -> records -> shards -> build.

Three things overlap: rows are read here, pixels are decoded in worker processes, embeddings are
made on threads. Shards cover a fixed number of rows, so a build that was killed goes on at the
first unfinished shard and ends in the same bytes.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from indexer.calibration.calibrator import Calibrator
from indexer.datasets.base import Dataset, not_found
from indexer.datasets.instances import identity_terms
from indexer.embedding import FieldEncoder, field_encoders
from indexer.encoders.base import ImageEncoder, TextEncoder
from indexer.encoders.spec import ImageInput
from indexer.errors import DatasetEmptyError, StoreError
from indexer.inventory import Inventory, take_inventory
from indexer.pixels.decode import DecodeRequest
from indexer.pixels.limits import BUILD_LIMITS, DecodeLimits
from indexer.pixels.pool import DecodePool
from indexer.pixels.thinning import SLICES_PER_SERIES, mark_slices
from indexer.projection import Projector
from indexer.records import ImageRecord, Row
from indexer.settling import Decoded, OnProgress, Settling
from indexer.store.calibration import Calibrates
from indexer.store.manifest import read_manifest
from indexer.store.publish import current_build
from indexer.store.writer import BuildPlan, BuildWriter, Published

# Rows a shard: small enough that a kill loses seconds of work, large enough that fsync is cheap.
SHARD_ROWS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    """How to build. `workers` decode processes and as many encoding threads; all cores if None.

    CT slices are embedded by window unless `by_window` is off: `slices_per_series` of each series,
    all if None.
    """

    limit: int | None = None
    workers: int | None = None
    shard_rows: int = SHARD_ROWS
    limits: DecodeLimits = BUILD_LIMITS
    by_window: bool = True
    slices_per_series: int | None = SLICES_PER_SERIES


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """What a build did: what was published, and how many inputs had to be encoded anew."""

    published: Published
    encoded: int
    reused: int


def build_index(
    dataset: Dataset,
    root: Path,
    indexes_dir: Path,
    *,
    text: TextEncoder,
    image: ImageEncoder | None = None,
    chinese: TextEncoder | None = None,
    options: BuildOptions | None = None,
    calibrator: Calibrates | None = None,
    on_progress: OnProgress | None = None,
) -> BuildResult:
    """Build and publish the index of `dataset` from the files below `root`.

    `chinese` embeds the Chinese texts of a dataset that may have any, if `text` does not read them.
    `calibrator` measures what is chance in the build; one for these encoders unless given. Several
    builds with the same encoders may share it.

    Raises
    ------
    DatasetNotFoundError
        No known layout lies below `root`.
    DatasetEmptyError
        Files are there, but not one record could be read; nothing is published.
    BuildLockedError
        Another build of the same index is running.
    StoreError
        The files are synthetic and the live index was built from real ones.
    ReconciliationError
        Rows read differ from records + duplicates + rejects: a defect, so nothing is published.
    """
    options = options or BuildOptions()
    if dataset.detect(root) is None:
        raise not_found(dataset.info, root)
    inventory = take_inventory(root)
    if inventory.marker.synthetic:
        _refuse_to_replace_real(indexes_dir / dataset.info.name)
    by_window = options.by_window and dataset.info.holds_ct
    if "zh" not in dataset.info.languages or "zh" in text.spec.languages:
        chinese = None
    fields = field_encoders(dataset.info.kind, text, image, chinese=chinese, by_window=by_window)
    workers = options.workers or os.cpu_count() or 1
    plan = _plan(dataset, inventory, fields, options)
    with (
        BuildWriter.open(indexes_dir, plan) as writer,
        DecodePool(workers, options.limits) as pool,
        ThreadPoolExecutor(workers, thread_name_prefix="encode") as threads,
    ):
        rows = islice(dataset.iter_rows(root), options.limit)
        # Slices are chosen from whole series, also where a build goes on amid one.
        marked = mark_slices(rows, options.slices_per_series if by_window else 0)
        fresh = islice(marked, writer.rows_consumed, None)
        decoded = _decode_ahead(fresh, root, pool, image.image_input if image else None)
        run = Settling(writer, fields, threads, inventory.marker, on_progress)
        run.consume(decoded, options.shard_rows)
        if writer.records == 0:
            raise DatasetEmptyError(
                f"{dataset.info.title}: {writer.rows_consumed} rows were read and none of them "
                "could become a record.",
                remedy=f"The first reasons: {'; '.join(writer.first_rejects())}",
            )
        published = writer.publish(
            inventory.tables,
            calibrator=calibrator or Calibrator(text, image, chinese),
            projector=Projector(),
            on_stage=lambda stage: (
                on_progress(stage, writer.rows_consumed) if on_progress else None
            ),
        )
    return BuildResult(published=published, encoded=run.encoded, reused=run.reused)


def _decode_ahead(
    rows: Iterator[tuple[Row, bool]], root: Path, pool: DecodePool, image: ImageInput | None
) -> Iterator[tuple[Row, Decoded]]:
    """Pair each row with its decoded image, in order, decoding a bounded number of rows ahead.

    A row comes with whether it is to be looked at by window.
    """

    def request_of(row: Row, by_window: bool) -> DecodeRequest | None:
        if image is None or not isinstance(row, ImageRecord):
            return None
        return DecodeRequest(
            root=root,
            ref=row.image,
            px=image.px,
            resize=image.resize,
            by_window=by_window,
            window_thumbnails=by_window,
        )

    return pool.decode_pairs((row, request_of(row, by_window)) for row, by_window in rows)


def _refuse_to_replace_real(index_folder: Path) -> None:
    """Refuse to put the synthetic sample in the place of an index of real files."""
    try:
        live = read_manifest(current_build(index_folder))
    except StoreError:
        return
    if not live.synthetic:
        raise StoreError(
            f"The index {live.index!r} was built from real files; the sample would replace it.",
            remedy="Name the real files (`make index DATA=...`), or another place for the sample "
            "(`make index INDEXES=...`).",
        )


def _plan(
    dataset: Dataset,
    inventory: Inventory,
    fields: tuple[FieldEncoder, ...],
    options: BuildOptions,
) -> BuildPlan:
    """Return what decides the build's content; workers and threads do not."""
    info = dataset.info
    return BuildPlan(
        index=info.name,
        dataset=info.name,
        kind=info.kind,
        title=info.title,
        licence=info.licence,
        citation=info.citation,
        homepage=info.homepage,
        synthetic=inventory.marker.synthetic,
        fields={one.name: (one.spec.key, one.fingerprint) for one in fields},
        source_digest=inventory.digest,
        options={
            "limit": options.limit,
            "shard_rows": options.shard_rows,
            "slices_per_series": options.slices_per_series,
            "identity_terms": identity_terms() if info.kind == "image" else None,
        },
    )
