"""Judged questions put to the real engine in three manners: dense, by words, and both (hybrid)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias, get_args

import numpy as np

from indexer.store.reader import IndexReader
from indexer.text.normalise import clean, detect_language
from service.evaluation.manners import Manner, OpenIndexes
from service.evaluation.metrics import Floats, per_query
from service.evaluation.ranking import CLASS_MEASURES, KNOWN_ITEM_MEASURES, Measure, Ranking
from service.evaluation.results import RUN_DEPTH, Ranked, TaskResult
from service.retrieval.encoding import QueryEncoders
from service.retrieval.planning import DENSE_FIELDS
from service.retrieval.query import Query, TextSource, VectorSource
from service.retrieval.retriever import Retriever
from service.retrieval.spaces import Space

Scored: TypeAlias = dict[str, float]
OnStep: TypeAlias = Callable[[str], None]

_OF_THE_JUDGED = "R@1 of the judged"
_SHOWN_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "RR": "MRR",
        "Success@1": "R@1",
        "Judged@1": "judged@1",
        "Success(judged_only=True)@1": _OF_THE_JUDGED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """Questions for one index: `texts`, `qrels` and each one's `own` record, by query id.

    A query's own record is never a hit. `measures` are ir_measures' names, the leading one first.
    """

    task: str
    subset: str
    texts: Mapping[str, str]
    qrels: Mapping[str, Mapping[str, int]]
    own: Mapping[str, str]
    measures: tuple[str, ...]


def ask_questions(
    reader: IndexReader,
    encoders: QueryEncoders,
    questions: Questions,
    *,
    seed: int = 0,
    on_step: OnStep | None = None,
) -> Iterator[TaskResult]:
    """Ask every question in each manner; one that the index has no embeddings for is left out.

    Dense and hybrid go through the engine itself. By words means the engine's lexical leg alone.
    """
    asker = _Asker(reader, encoders)
    for manner in get_args(Manner):
        if manner == "dense" and not any(map(asker.space_for, questions.texts.values())):
            continue
        run: dict[str, Scored] = {}
        if on_step:
            on_step(f"{questions.task}, {manner} [{questions.subset}]")
        for query_id, text in questions.texts.items():
            run[query_id] = asker.ask(manner, clean(text), questions.own.get(query_id))
        yield _result(reader, questions, manner, run, seed)


class _Asker:
    """Puts one question at a time to the engine."""

    def __init__(self, reader: IndexReader, encoders: QueryEncoders) -> None:
        self._reader = reader
        self._encoders = encoders
        self._retriever = Retriever(OpenIndexes([reader]), encoders)
        self._record_ids = record_ids_of(reader)
        found = (Space.of(reader, field) for field in DENSE_FIELDS["questions"])
        self._spaces = [space for space in found if space is not None]

    def space_for(self, words: str) -> Space | None:
        """Return the space in which some words are compared, as the engine chooses it, if any."""
        language = detect_language(words)
        for space in self._spaces:
            if language in self._encoders.encoder(space).spec.languages:
                return space
        return None

    def ask(self, manner: Manner, words: str, own: str | None) -> Scored:
        """Return the scores of the best records but the query's own."""
        if manner == "lexical":
            found = self._reader.search_lexical(words, RUN_DEPTH + 1)
            scored = {
                self._record_ids[row]: float(score)
                for row, score in zip(found.rows, found.scores, strict=True)
            }
            scored.pop(own or "", None)
            return scored
        source: TextSource | VectorSource = TextSource(words)
        space = self.space_for(words) if manner == "dense" else None
        if manner == "dense" and space is None:
            return {}
        if space is not None:
            vector = self._encoders.embed_text(space, words)
            source = VectorSource(space.field, vector)
        query = Query(
            target="questions",
            source=source,
            k=RUN_DEPTH,
            exclude_records=frozenset({own} if own else ()),
        )
        return {hit.record.record_id: hit.score for hit in self._retriever.search(query).hits}


def record_ids_of(reader: IndexReader) -> list[str]:
    """Return the ids of all records, in row order."""
    return [str(name) for name in reader.table.column("record_id").to_pylist()]


def _result(
    reader: IndexReader, questions: Questions, manner: Manner, run: Mapping[str, Scored], seed: int
) -> TaskResult:
    names = tuple(questions.texts)
    pool = reader.table.num_rows - (1 if questions.own else 0)
    values: dict[str, Floats] = {}
    for measure in questions.measures:
        found = per_query(run, questions.qrels, measure)
        values[_SHOWN_NAMES.get(measure, measure)] = np.array([found[name] for name in names])
    return TaskResult(
        task=f"{questions.task}, {manner}",
        subset=questions.subset,
        pool=pool,
        values=values,
        chances=_chances(questions, pool, tuple(values)),
        query_texts=tuple(questions.texts.values()),
        ranked=_ranked(reader, questions, run),
        facets={},
        seed=seed,
    )


def _ranked(reader: IndexReader, questions: Questions, run: Mapping[str, Scored]) -> Ranked:
    record_ids = record_ids_of(reader)
    row_of = {name: row for row, name in enumerate(record_ids)}
    rows = np.full((len(run), RUN_DEPTH), -1, np.int64)
    scores = np.full((len(run), RUN_DEPTH), -np.inf, np.float32)
    for place, scored in enumerate(run.values()):
        top = sorted(scored.items(), key=lambda pair: (-pair[1], pair[0]))[:RUN_DEPTH]
        rows[place, : len(top)] = [row_of[name] for name, _ in top]
        scores[place, : len(top)] = [score for _, score in top]
    judged = [
        (
            np.array([row_of[name] for name in questions.qrels[query_id]], np.int64),
            np.array(list(questions.qrels[query_id].values()), np.int64),
        )
        for query_id in run
    ]
    return Ranked(
        query_ids=tuple(run), candidate_ids=record_ids, rows=rows, scores=scores, judged=judged
    )


def _chances(questions: Questions, pool: int, shown: Sequence[str]) -> dict[str, float]:
    """Return what a random order of the pool would give, for the measures of which that is known.

    The MRR's is that of a single relevant record; with several it would be higher.
    """
    known: dict[str, Measure] = {"MRR": KNOWN_ITEM_MEASURES["MRR"], **CLASS_MEASURES}
    totals: dict[str, list[float]] = {name: [] for name in shown}
    for grades in questions.qrels.values():
        relevant = [grade for grade in grades.values() if grade > 0]
        padded = np.array([*relevant, *[0] * (pool - len(relevant))], np.int64)
        ranking = Ranking(np.arange(pool), np.zeros(pool), padded)
        for name in shown:
            if name == "R@1":
                totals[name].append(len(relevant) / pool)
            elif name == "judged@1":
                totals[name].append(len(grades) / pool)
            elif name == _OF_THE_JUDGED:
                totals[name].append(len(relevant) / len(grades))
            elif name == "R@100":
                totals[name].append(min(1.0, 100 / pool))
            elif name in known and (name != "MRR" or len(relevant) == 1):
                totals[name].append(known[name].chance(ranking))
    return {name: float(np.mean(found)) for name, found in totals.items() if found}
