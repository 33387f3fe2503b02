"""The retriever at size: what fusing, filtering, grouping and paging cost beside one ranking.

Everything runs on one synthetic index of questions in one process, so that ratios are of one run;
they are of processor time, which says more than the clock where others use the machine too.
The encoder hands out ready embeddings: encoding is not measured here.
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np

from indexer.encoders.spec import EncoderSpec, Fingerprint
from indexer.records import TextRecord
from indexer.store.arrays import write_array
from indexer.store.field_manifest import FieldManifest
from indexer.store.index_set import IndexSet
from indexer.store.reader import IndexReader
from indexer.store.structures import build_structure
from indexer.store.vectors import FieldVectors
from indexer.store.writer import BuildPlan, BuildWriter, Shard, ShardField
from service.opening import assemble
from service.retrieval.encoding import QueryEncoders
from service.retrieval.filters import Comparison
from service.retrieval.query import Query, TextSource
from service.retrieval.retriever import Retriever
from tests.benchmarks.machine import Timings, time_each
from tests.benchmarks.report import Report
from tests.benchmarks.synthetic import (
    DIM,
    FIELD,
    SHARD_ROWS,
    ClusteredVectors,
    synthetic_plan,
)

_INDEX = "questions"
_SMALL_INDEX = "few"
_FEW = 10
_QUERIES = 100
_UNSEEN = 20
_QUERY_BLOCK = 1 << 30
_K = 10
_SHARES = (0.5, 0.05, 0.005, 0.0001)
# The same on one side of a direction: it follows the clusters, as a filter on modality does.
_SIDES = (0.5, 0.05, 0.005)
_LABELS = (
    *(f"{100 * share:g} %, scattered" for share in _SHARES),
    *(f"{100 * share:g} %, clustered" for share in _SIDES),
)
_CASE_RECORDS = 8
_VOCABULARY = 30_000
_COMMON = 50


class ReadyEncoder:
    """An encoder that finds the embedding of `number words ...` in a table."""

    def __init__(self, vectors: np.ndarray) -> None:
        self._vectors = vectors
        self.text_fingerprint = Fingerprint(
            key="ready", revision="1", dim=DIM, weights_sha256="0" * 64, tokenizer_sha256=None,
            preprocessing="none", dtype="float32",
        )  # fmt: skip
        self.spec = EncoderSpec(
            key="ready", family="builtin", model="none", revision="1", dim=DIM,
            modalities=frozenset({"text"}), languages=("en",), max_tokens=None, image_px=None,
            licence="none", source="none", description="ready embeddings",
        )  # fmt: skip

    def encode_texts(self, texts: Sequence[str], role: str) -> np.ndarray:
        """Return the embedding that each text names: float32 (n, d)."""
        return self._vectors[[int(text.split()[0]) for text in texts]]


def run(records: int, scratch: Path | None) -> Report:
    """Build an index of `records` synthetic questions and search it in all ways."""
    vectors, _ = ClusteredVectors().draw(_QUERY_BLOCK, _QUERIES)
    encoder = ReadyEncoder(vectors)
    report = Report("Retrieval", {"records": f"{records:,}", "queries": _QUERIES, "k": _K})
    folder = Path(tempfile.mkdtemp(prefix="medsearch-retrieval-", dir=scratch))
    try:
        for name, size in ((_INDEX, records), (_SMALL_INDEX, _FEW)):
            with BuildWriter.open(folder, _plan(encoder, name, size)) as writer:
                for shard in _iter_shards(size):
                    writer.add_shard(shard)
                writer.publish([])
        encoders = QueryEncoders(lambda _: encoder)  # type: ignore[arg-type, return-value]
        _measure(report, assemble(IndexSet(folder), encoders).retriever)
    finally:
        shutil.rmtree(folder)
    return report


def _measure(report: Report, retriever: Retriever) -> None:
    words = _draw_texts(np.random.default_rng(7), _QUERIES, 5)
    plain = [
        Query(target="questions", source=TextSource(f"{number} {text}"), k=_K, indexes=(_INDEX,))
        for number, text in enumerate(words)
    ]
    among_few = [replace(query, mode="dense", indexes=(_SMALL_INDEX,)) for query in plain]
    fixed = _time(retriever, among_few)
    dense = _time(retriever, [replace(query, mode="dense") for query in plain])
    lexical = _time(retriever, [replace(query, mode="lexical") for query in plain])
    hybrid = _time(retriever, plain)
    grouped = _time(retriever, [replace(query, group_by="case") for query in plain])
    second = _time(retriever, [replace(query, offset=_K) for query in plain])
    named = {
        f"dense, among {_FEW} records": fixed,
        "dense": dense,
        "lexical": lexical,
        "hybrid": hybrid,
        "hybrid by case": grouped,
        "hybrid, second page": second,
    }
    for name, timings in named.items():
        report.add(f"{name}: p50", timings.p50_ms, "ms")
        report.add(f"{name}: p50, processor time", timings.p50_cpu_ms, "ms")
    cpu = {name: timings.p50_cpu_ms for name, timings in named.items()}
    report.add("hybrid / dense", cpu["hybrid"] / cpu["dense"], "", "2 or less")
    report.add("hybrid / the sum of both", cpu["hybrid"] / (cpu["dense"] + cpu["lexical"]), "")
    report.add("hybrid by case / hybrid", cpu["hybrid by case"] / cpu["hybrid"], "", "1.2 or less")
    for label in _LABELS:
        _measure_filter(report, retriever, plain, among_few, label)


def _measure_filter(
    report: Report,
    retriever: Retriever,
    plain: list[Query],
    among_few: list[Query],
    label: str,
) -> None:
    """Compare a filtered search with exact searches among the allowed alone.

    One is what this program does with a field that holds nothing else, the other a product of the
    query and the allowed vectors, gathered beforehand; to both comes the fixed cost of any query.
    The first search with a filter has to look up which records pass; later ones find that done.
    """
    queries = [
        replace(query, mode="dense", filters=Comparison("labels", "eq", label)) for query in plain
    ]
    reader = retriever.snapshot()[_INDEX]
    rows = _rows_with(label, reader)
    # The same filter in another writing is another one: nothing is known of it yet.
    unseen = [
        replace(query, filters=Comparison("labels", "in", (label,) * times))
        for times, query in enumerate(queries[:_UNSEEN], start=1)
    ]
    first = time_each(retriever.search, unseen)[0]
    timings, replies = _ask(retriever, queries)
    # Beside it, so that whatever else the machine does falls on both.
    fixed = _time(retriever, among_few)
    vectors, _ = ClusteredVectors().draw(_QUERY_BLOCK, _QUERIES)
    within = np.ascontiguousarray(reader.vectors("question")[rows])
    brute, scores = time_each(lambda query: within @ query, list(vectors))
    with _field_of(within) as field:
        alone, _ = time_each(lambda query: field.search(query[np.newaxis], _K, None, True), vectors)
    right = [
        len(_found(reply, reader) & _best(rows, score)) / min(_K, len(rows))
        for reply, score in zip(replies, scores, strict=True)
    ]
    report.add(f"{label} ({len(rows):,}): p50", timings.p50_ms, "ms")
    report.add(f"{label}: p50, processor time", timings.p50_cpu_ms, "ms")
    report.add(f"{label}: p50 of first searches, processor time", first.p50_cpu_ms, "ms")
    report.add(f"{label}: any query's cost, processor time", fixed.p50_cpu_ms, "ms")
    report.add(f"{label}: exact search among these alone, processor time", alone.p50_cpu_ms, "ms")
    report.add(f"{label}: a matrix product over them, processor time", brute.p50_cpu_ms, "ms")
    spent = timings.p50_cpu_ms
    for times, name in ((timings, label), (first, f"{label}, first searches")):
        report.add(
            f"{name}: over any query's cost and that exact search",
            times.p50_cpu_ms / (fixed.p50_cpu_ms + alone.p50_cpu_ms), "", "2 or less",
        )  # fmt: skip
    report.add(
        f"{label}: over any query's cost and that product",
        spent / (fixed.p50_cpu_ms + brute.p50_cpu_ms), "",
    )  # fmt: skip
    report.add(f"{label}: recall@10", float(np.mean(right)), "", "0.99 or more")


def _rows_with(label: str, reader: IndexReader) -> np.ndarray:
    # Nothing may be left of so many lists: garbage collection would count as time of queries.
    stored = reader.table.column("labels").to_pylist()
    return np.array([place for place, labels in enumerate(stored) if label in labels])


@contextmanager
def _field_of(vectors: np.ndarray) -> Iterator[FieldVectors]:
    """Yield an open field that holds some vectors and nothing else."""
    with tempfile.TemporaryDirectory(prefix="medsearch-alone-") as name:
        folder = Path(name)
        write_array(folder / "f.vectors.npy", [vectors], vectors.shape, np.float32)
        write_array(folder / "f.rows.npy", [np.arange(len(vectors))], (len(vectors),), np.int64)
        structure = build_structure(vectors, folder, "f")
        encoder, fingerprint = synthetic_plan(len(vectors)).fields[FIELD]
        field = FieldManifest(
            encoder=encoder, fingerprint=fingerprint, dim=DIM, vectors=len(vectors),
            structure=structure,
        )  # fmt: skip
        yield FieldVectors(folder, "f", field, len(vectors))


def _found(reply: Any, reader: Any) -> set[int]:
    return {reader.find(hit.record.record_id) for hit in reply.hits}


def _best(rows: np.ndarray, scores: np.ndarray) -> set[int]:
    return set(rows[np.argsort(-scores, kind="stable")[:_K]].tolist())


def _time(retriever: Retriever, queries: list[Query]) -> Timings:
    return _ask(retriever, queries)[0]


def _ask(retriever: Retriever, queries: list[Query]) -> tuple[Timings, list[Any]]:
    retriever.search(queries[0])  # reads columns once
    return time_each(retriever.search, queries)


def _draw_texts(rng: np.random.Generator, texts: int, words: int) -> list[str]:
    """Return texts of made-up words as unevenly frequent as those of a language.

    Zipf and Mandelbrot: the word of rank r is drawn by 1 / (r + 50), which leaves out what function
    words would be; the commonest of 30,000 stands in one text of 25.
    """
    odds = 1 / (np.arange(1, _VOCABULARY + 1) + _COMMON)
    chosen = rng.choice(_VOCABULARY, (texts, words), p=odds / odds.sum())
    return [" ".join(f"w{number}x" for number in row) for row in chosen.tolist()]


def _plan(encoder: ReadyEncoder, name: str, records: int) -> BuildPlan:
    return BuildPlan(
        index=name, dataset=name, kind="text", title="Synthetic", licence="CC0-1.0",
        citation="none", homepage="https://example.org", synthetic=True,
        fields={"question": ("ready", encoder.text_fingerprint)}, source_digest=str(records),
        options={},
    )  # fmt: skip


def _iter_shards(records: int) -> Iterator[Shard]:
    """Yield shards of synthetic questions; each label is on its own share of them."""
    source = ClusteredVectors()
    axis = np.random.default_rng(9).normal(size=DIM).astype(np.float32)
    sides = np.quantile(np.concatenate([source.draw(block, SHARD_ROWS)[0] @ axis
                                        for block in range(8)]), _SIDES)  # fmt: skip
    for block, start in enumerate(range(0, records, SHARD_ROWS)):
        numbers = range(start, min(start + SHARD_ROWS, records))
        vectors, _ = source.draw(block, len(numbers))
        rng = np.random.default_rng((5, block))
        texts = _draw_texts(rng, len(numbers), 12)
        holds = np.concatenate([
            rng.random((len(numbers), len(_SHARES))) < _SHARES,
            (vectors @ axis)[:, np.newaxis] < sides,
        ], axis=1)  # fmt: skip
        yield Shard(
            rows_consumed=len(numbers),
            records=[
                _record(number, text, tuple(compress(_LABELS, held)))
                for number, text, held in zip(numbers, texts, holds.tolist(), strict=True)
            ],
            content_keys=[f"{number:032x}" for number in numbers],
            images=[None] * len(numbers),
            fields={
                "question": ShardField(
                    positions=np.arange(len(numbers)),
                    vectors=vectors,
                    keys=[number.to_bytes(16, "big") for number in numbers],
                )
            },
            duplicates=[],
            rejects=[],
        )


def _record(number: int, text: str, labels: tuple[str, ...]) -> TextRecord:
    return TextRecord(
        record_id=f"{_INDEX}/all/{number}", dataset=_INDEX, split="all", source_id=str(number),
        source_path="rows.csv", source_line=number + 1, case_id=f"case {number // _CASE_RECORDS}",
        licence="CC0-1.0", question=text, answer="none", labels=labels, synthetic=True,
    )  # fmt: skip
