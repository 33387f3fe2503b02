"""From a dataset's folder to a published index: rows -> records -> shards -> build.

Three things overlap: rows are read here, pixels are decoded in worker processes, embeddings are
made on threads. Shards cover a fixed number of rows, so a build that was killed goes on at the
first unfinished shard and ends in the same bytes.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Protocol, TypeAlias

from indexer.datasets.base import Dataset, not_found
from indexer.embedding import (
    EmbeddedField,
    EmbeddedInput,
    FieldEncoder,
    field_encoders,
    input_of,
    start_embedding,
)
from indexer.encoders.base import ImageEncoder, TextEncoder
from indexer.encoders.spec import ImageInput
from indexer.errors import DatasetEmptyError, DecodeError, NotAnImageError
from indexer.inventory import Inventory, Marker, take_inventory
from indexer.pixels.decode import DecodedImage, DecodeRequest
from indexer.pixels.limits import BUILD_LIMITS, DecodeLimits
from indexer.pixels.pool import DecodePool
from indexer.records import AnyRecord, ImageRecord, Reject, RejectKind, Row
from indexer.store.writer import (
    BuildPlan,
    BuildWriter,
    Duplicate,
    Published,
    Shard,
    ShardField,
    ShardImage,
)

# Rows a shard: small enough that a kill loses seconds of work, large enough that fsync is cheap.
SHARD_ROWS = 512
_SHARDS_IN_FLIGHT = 2
_DECODES_AHEAD_PER_WORKER = 16


class OnProgress(Protocol):
    """Called as a build goes on."""

    def __call__(self, stage: str, rows: int) -> None:
        """Take note of what is being done and of the number of rows settled so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    """How to build. `workers` decode processes and as many encoding threads; all cores if None."""

    limit: int | None = None
    workers: int | None = None
    shard_rows: int = SHARD_ROWS
    limits: DecodeLimits = BUILD_LIMITS


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """What a build did: what was published, and how many inputs had to be encoded anew."""

    published: Published
    encoded: int
    reused: int


Decoded: TypeAlias = DecodedImage | DecodeError | None


def build_index(
    dataset: Dataset,
    root: Path,
    indexes_dir: Path,
    *,
    text: TextEncoder,
    image: ImageEncoder | None = None,
    options: BuildOptions | None = None,
    on_progress: OnProgress | None = None,
) -> BuildResult:
    """Build and publish the index of `dataset` from the files below `root`.

    Raises
    ------
    DatasetNotFoundError
        No known layout lies below `root`.
    DatasetEmptyError
        Files are there, but not one record could be read; nothing is published.
    BuildLockedError
        Another build of the same index is running.
    ReconciliationError
        Rows read differ from records + duplicates + rejects: a defect, so nothing is published.

    """
    options = options or BuildOptions()
    if dataset.detect(root) is None:
        raise not_found(dataset.info, root)
    inventory = take_inventory(root)
    fields = field_encoders(dataset.info.kind, text, image)
    workers = options.workers or os.cpu_count() or 1
    plan = _plan(dataset, inventory, fields, options)
    with (
        BuildWriter.open(indexes_dir, plan) as writer,
        DecodePool(workers, options.limits) as pool,
        ThreadPoolExecutor(workers, thread_name_prefix="encode") as threads,
    ):
        rows = islice(dataset.iter_rows(root), writer.rows_consumed, options.limit)
        image_input = image.image_input if image else None
        decoded = _decode_ahead(rows, root, pool, image_input, workers)
        run = _Run(writer, fields, threads, inventory.marker, on_progress)
        run.consume(decoded, options.shard_rows)
        if writer.records == 0:
            raise DatasetEmptyError(
                f"{dataset.info.title}: {writer.rows_consumed} rows were read and none of them "
                "could become a record.",
                remedy=f"The first reasons: {'; '.join(writer.first_rejects())}",
            )
        published = writer.publish(
            inventory.tables,
            on_stage=lambda stage: (
                on_progress(stage, writer.rows_consumed) if on_progress else None
            ),
        )
    return BuildResult(published=published, encoded=run.encoded, reused=run.reused)


def _decode_ahead(
    rows: Iterable[Row], root: Path, pool: DecodePool, image: ImageInput | None, workers: int
) -> Iterator[tuple[Row, Decoded]]:
    """Pair each row with its decoded image, in order, decoding a bounded number of rows ahead."""
    waiting: deque[tuple[Row, Future[DecodedImage] | None]] = deque()

    def take() -> tuple[Row, Decoded]:
        row, future = waiting.popleft()
        if future is None:
            return row, None
        try:
            return row, future.result()
        except DecodeError as error:
            return row, error

    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as callers:
        for row in rows:
            future = None
            if isinstance(row, ImageRecord) and image is not None:
                request = DecodeRequest(
                    root=root,
                    ref=row.image,
                    px=image.px,
                    resize=image.resize,
                )
                future = callers.submit(pool.decode_one, request)
            waiting.append((row, future))
            if len(waiting) > workers * _DECODES_AHEAD_PER_WORKER:
                yield take()
        while waiting:
            yield take()


@dataclass(slots=True)
class _Draft:
    """One shard while its embeddings are being made."""

    rows: int = 0
    records: list[AnyRecord] = field(default_factory=list)
    content_keys: list[str] = field(default_factory=list)
    images: list[DecodedImage | None] = field(default_factory=list)
    duplicates: list[Duplicate] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    fields: dict[str, Callable[[], EmbeddedField]] = field(default_factory=dict)


class _Run:
    """The moving parts of one build: rows become drafts, drafts become shards, in order."""

    def __init__(
        self,
        writer: BuildWriter,
        fields: tuple[FieldEncoder, ...],
        threads: ThreadPoolExecutor,
        marker: Marker,
        on_progress: OnProgress | None,
    ) -> None:
        self._writer = writer
        self._fields = fields
        self._threads = threads
        self._marker = marker
        self._on_progress = on_progress
        self.encoded = 0
        self.reused = 0

    def consume(self, rows: Iterator[tuple[Row, Decoded]], shard_rows: int) -> None:
        """Turn all rows into shards; a few are in flight, so decoding and encoding overlap."""
        flying: deque[_Draft] = deque()
        while batch := list(islice(rows, shard_rows)):
            flying.append(self._start(batch))
            if len(flying) > _SHARDS_IN_FLIGHT:
                self._finish(flying.popleft())
        while flying:
            self._finish(flying.popleft())

    def _start(self, batch: list[tuple[Row, Decoded]]) -> _Draft:
        """Settle every row of a shard, then start embedding what is to be indexed."""
        draft = _Draft(rows=len(batch))
        for row, decoded in batch:
            self._settle(draft, row, decoded)
        for one in self._fields:
            inputs = [found for found in self._inputs(draft, one) if found is not None]
            draft.fields[one.name] = start_embedding(one, inputs, self._threads, self._writer.reuse)
        return draft

    def _settle(self, draft: _Draft, row: Row, decoded: Decoded) -> None:
        """Make a row exactly one of: a record of the shard, a duplicate, a reject."""
        if isinstance(row, Reject):
            draft.rejects.append(row)
            return
        if isinstance(decoded, DecodeError):
            draft.rejects.append(_reject(row, decoded.message, _kind_of(decoded)))
            return
        if isinstance(row, ImageRecord):
            content = row.content_key(decoded.sha256 if decoded else "")
        else:
            content = row.content_key()
        first = self._writer.seen.first_with_content(content)
        if first is not None:
            draft.duplicates.append(
                Duplicate(
                    record_id=row.record_id,
                    of_record_id=first,
                    source_path=row.source_path,
                    source_line=row.source_line,
                )
            )
            return
        if not self._writer.seen.claim(row.record_id, content):
            reason = f"the id {row.record_id!r} is taken by an earlier row with other content"
            draft.rejects.append(_reject(row, reason, "bad_row"))
            return
        made_up = self._marker.covers(row.source_path)
        draft.records.append(replace(row, synthetic=True) if made_up else row)
        draft.content_keys.append(content)
        draft.images.append(decoded)

    def _inputs(self, draft: _Draft, one: FieldEncoder) -> Iterator[EmbeddedInput | None]:
        for position, (record, image) in enumerate(zip(draft.records, draft.images, strict=True)):
            pixels = image.pixels if image else None
            yield input_of(one, position, record, pixels, image.sha256 if image else None)

    def _finish(self, draft: _Draft) -> None:
        """Wait for a draft's embeddings and write it down."""
        embedded = {name: finish() for name, finish in draft.fields.items()}
        encoded = sum(one.encoded for one in embedded.values())
        self.encoded += encoded
        self.reused += sum(len(one.keys) for one in embedded.values()) - encoded
        self._writer.add_shard(
            Shard(
                rows_consumed=draft.rows,
                records=draft.records,
                content_keys=draft.content_keys,
                images=[_shard_image(image) for image in draft.images],
                fields={
                    name: ShardField(positions=one.positions, vectors=one.vectors, keys=one.keys)
                    for name, one in embedded.items()
                },
                duplicates=draft.duplicates,
                rejects=draft.rejects,
            )
        )
        if self._on_progress:
            self._on_progress("encoding", self._writer.rows_consumed)


def _reject(row: AnyRecord, reason: str, kind: RejectKind) -> Reject:
    return Reject(path=row.source_path, line=row.source_line, reason=reason, kind=kind)


def _shard_image(image: DecodedImage | None) -> ShardImage | None:
    if image is None:
        return None
    return ShardImage(
        sha256=image.sha256, perceptual_hash=image.fingerprint_bits, thumbnail=image.thumbnail
    )


def _kind_of(error: DecodeError) -> RejectKind:
    return "not_an_image" if isinstance(error, NotAnImageError) else "undecodable"


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
        options={"limit": options.limit, "shard_rows": options.shard_rows},
    )
