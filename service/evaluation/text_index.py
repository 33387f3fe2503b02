"""A judged set of texts as a published index, so that the real engine can be asked."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from indexer.calibration.calibrator import Calibrator
from indexer.embedding import FieldEncoder, field_encoders, input_of
from indexer.encoders.base import Embeddings, TextEncoder
from indexer.records import TextRecord, make_record_id
from indexer.store.calibration import Calibrates
from indexer.store.reader import IndexReader
from indexer.store.writer import BuildPlan, BuildWriter, Duplicate, Shard, ShardField
from service.evaluation.text_sets import TextSet

_TEXTS_AT_ONCE = 256

OnProgress = Callable[[str, int], None]


def build_text_index(
    texts: TextSet,
    indexes_dir: Path,
    encoder: TextEncoder,
    chinese: TextEncoder | None = None,
    *,
    on_progress: OnProgress | None = None,
    calibrator: Calibrates | None = None,
) -> IndexReader:
    """Publish the documents of a set as an index of questions and open it.

    The records, the embedded text and the rule that an encoder embeds only languages that it
    reads are those of every build, and so is the calibration; documents that say the same become
    one record. `chinese` embeds Chinese texts that `encoder` does not read; `calibrator` is one for
    both unless given.
    """
    records, duplicates = _records(texts)
    if "zh" in encoder.spec.languages:
        chinese = None
    fields = field_encoders("text", encoder, None, chinese=chinese)
    shard = Shard(
        rows_consumed=len(records) + len(duplicates),
        records=records,
        content_keys=[record.content_key() for record in records],
        images=[None] * len(records),
        fields={one.name: _embed(records, one, on_progress) for one in fields},
        duplicates=duplicates,
        rejects=[],
    )
    with BuildWriter.open(indexes_dir, _plan(texts, fields)) as writer:
        writer.add_shard(shard)
        made = calibrator or Calibrator(encoder, None, chinese)
        published = writer.publish(sources=(), calibrator=made)
    return IndexReader(published.folder)


def document_ids(texts: TextSet) -> Mapping[str, str]:
    """Return which record each document id became: documents that say the same share one."""
    first: dict[str, str] = {}
    return {
        name: first.setdefault(record.content_key(), record.record_id)
        for name, record in _all_records(texts).items()
    }


def _all_records(texts: TextSet) -> dict[str, TextRecord]:
    return {
        name: TextRecord(
            record_id=make_record_id(texts.name, "all", name),
            dataset=texts.name,
            split="all",
            source_id=name,
            source_path=texts.name,
            case_id=make_record_id(texts.name, "all", name),
            language=texts.language,
            licence=texts.licence,
            question=text,
            answer="",
        )
        for name, text in texts.documents.items()
    }


def _records(texts: TextSet) -> tuple[list[TextRecord], list[Duplicate]]:
    kept = document_ids(texts)
    records: list[TextRecord] = []
    duplicates: list[Duplicate] = []
    for name, record in _all_records(texts).items():
        if kept[name] == record.record_id:
            records.append(record)
        else:
            duplicates.append(
                Duplicate(
                    record_id=record.record_id,
                    of_record_id=kept[name],
                    source_path=texts.name,
                    source_line=None,
                )
            )
    return records, duplicates


def _embed(
    records: Sequence[TextRecord], field: FieldEncoder, on_progress: OnProgress | None
) -> ShardField:
    """Embed in a field what its encoder reads of the records."""
    found = (input_of(field, position, one, None) for position, one in enumerate(records))
    inputs = [one for one in found if one is not None]
    parts: list[Embeddings] = [np.zeros((0, field.spec.dim), np.float32)]
    for start in range(0, len(inputs), _TEXTS_AT_ONCE):
        block = inputs[start : start + _TEXTS_AT_ONCE]
        parts.append(field.encode(block))
        if on_progress:
            on_progress("encoding", start + len(block))
    return ShardField(
        positions=np.array([one.position for one in inputs], np.int64),
        vectors=np.concatenate(parts),
        keys=[one.key for one in inputs],
    )


def _plan(texts: TextSet, fields: Sequence[FieldEncoder]) -> BuildPlan:
    content = repr(sorted(texts.documents.items())).encode()
    return BuildPlan(
        index=texts.name,
        dataset=texts.name,
        kind="text",
        title=texts.name,
        licence=texts.licence,
        citation="",
        homepage="",
        synthetic=False,
        fields={one.name: (one.spec.key, one.fingerprint) for one in fields},
        source_digest=hashlib.sha256(content).hexdigest(),
        options={},
    )
