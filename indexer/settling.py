"""Settling rows: each becomes a record, a duplicate or a reject, and runs of them become shards."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Protocol, TypeAlias

from indexer.embedding import (
    EmbeddedField,
    EmbeddedInput,
    FieldEncoder,
    input_of,
    start_embedding,
)
from indexer.errors import DecodeError, NotAnImageError
from indexer.inventory import Marker
from indexer.pixels.ct_windows import WINDOW_FIELDS
from indexer.pixels.decode import DecodedImage
from indexer.pixels.pseudonyms import PATH_KIND, Pseudonymiser
from indexer.records import AnyRecord, ImageRecord, Reject, RejectKind, Row
from indexer.store.writer import BuildWriter, Duplicate, Shard, ShardField, ShardImage

# Shards whose embeddings are being made while the next ones are decoded.
_SHARDS_IN_FLIGHT = 2

Decoded: TypeAlias = DecodedImage | DecodeError | None


class OnProgress(Protocol):
    """Called as a build goes on."""

    def __call__(self, stage: str, rows: int) -> None:
        """Take note of what is being done and of the number of rows settled so far."""


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


class Settling:
    """The moving parts of one build: rows become drafts, drafts become shards, in order.

    `encoded` and `reused` count the inputs that were embedded anew and taken from the live build.
    """

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
        self._pseudonyms = Pseudonymiser.from_environment()
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
            draft.rejects.append(self._nameless(row))
            return
        if isinstance(decoded, DecodeError):
            draft.rejects.append(self._nameless(_reject(row, decoded.message, _kind_of(decoded))))
            return
        row = self._indexable(row)
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
        draft.records.append(row)
        draft.content_keys.append(content)
        draft.images.append(decoded)

    def _indexable(self, record: AnyRecord) -> AnyRecord:
        """Return a record as it enters the index: marked if it was made up, without its path.

        Only the path of a DICOM file is left out: folders and files of scans are named after
        patients and studies. Once the pixels are embedded and a thumbnail is kept, nothing asks
        for it again.
        """
        if self._marker.covers(record.source_path):
            record = replace(record, synthetic=True)
        if not isinstance(record, ImageRecord) or not _is_of_scan(record):
            return record
        hidden = self._pseudonyms.pseudonym(PATH_KIND, record.source_path)
        return replace(record, source_path=hidden, image=replace(record.image, path=hidden))

    def _nameless(self, reject: Reject) -> Reject:
        """Return a reject as it enters the index: a scan's file under a pseudonym.

        Whoever has the files and the key finds it again: `medsearch rejects INDEX --data DIR`.
        """
        if not reject.of_scan:
            return reject
        return replace(reject, path=self._pseudonyms.pseudonym(PATH_KIND, reject.path))

    def _inputs(self, draft: _Draft, one: FieldEncoder) -> Iterator[EmbeddedInput | None]:
        for position, (record, image) in enumerate(zip(draft.records, draft.images, strict=True)):
            yield input_of(one, position, record, image)

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
                    name: ShardField(
                        positions=one.positions,
                        vectors=one.vectors,
                        keys=one.keys,
                        thumbnails=_thumbnails(draft, name, one),
                    )
                    for name, one in embedded.items()
                },
                duplicates=draft.duplicates,
                rejects=draft.rejects,
            )
        )
        if self._on_progress:
            self._on_progress("encoding", self._writer.rows_consumed)


def _thumbnails(draft: _Draft, name: str, field: EmbeddedField) -> list[bytes] | None:
    """Return how the slices of a window's field look in it; None for any other field."""
    window = WINDOW_FIELDS.get(name)
    if window is None:
        return None
    images = (draft.images[position] for position in field.positions.tolist())
    return [image.window_thumbnails[window] for image in images if image is not None]


def _is_of_scan(record: ImageRecord) -> bool:
    """Tell whether a record is of a scan's own file, and of no row of a table."""
    return record.study_id is not None or record.source_path == record.image.path


def _reject(row: AnyRecord, reason: str, kind: RejectKind) -> Reject:
    of_scan = isinstance(row, ImageRecord) and _is_of_scan(row)
    return Reject(
        path=row.source_path, line=row.source_line, reason=reason, kind=kind, of_scan=of_scan
    )


def _shard_image(image: DecodedImage | None) -> ShardImage | None:
    if image is None:
        return None
    return ShardImage(
        sha256=image.sha256, perceptual_hash=image.fingerprint_bits, thumbnail=image.thumbnail
    )


def _kind_of(error: DecodeError) -> RejectKind:
    return "not_an_image" if isinstance(error, NotAnImageError) else "undecodable"
