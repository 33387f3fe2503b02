"""Words put to the real engine for images, in three manners: dense, by words, and both (hybrid).

Tasks over embeddings alone (`image_suite`) say what an encoder knows; these say what people get,
whose images have captions, too. Captions often name what an image is labelled with, and then words
alone find it; the long texts of teaching files hold their captions' words, too. Images are asked
for one by one, not by case.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import get_args

import numpy as np

from indexer.store.reader import IndexReader
from service.evaluation.collection import ImageCollection, known_item_rows
from service.evaluation.image_suite import LEAST_KNOWN_ITEMS, OnTask
from service.evaluation.image_tasks import (
    ClassBy,
    Sampling,
    ScoreTexts,
    caption_to_image,
    class_text_to_image,
)
from service.evaluation.manners import Manner, OpenIndexes
from service.evaluation.ranking import Scores
from service.evaluation.results import RUN_DEPTH, TaskResult
from service.retrieval.encoding import QueryEncoders
from service.retrieval.query import Query, TextSource
from service.retrieval.retriever import Retriever

_WHOLE_RANKING = "mAP"  # needs more than the engine is asked for


def run_engine_tasks(
    images: ImageCollection,
    readers: Sequence[IndexReader],
    encoders: QueryEncoders,
    sampling: Sampling,
    *,
    on_task: OnTask | None = None,
) -> Iterator[TaskResult]:
    """Ask for classes, and for known items by their long texts, in each manner.

    `images` are all of the readers'. Tasks without queries, or that chance solves, are left out.
    """
    retriever = Retriever(OpenIndexes(readers), encoders)
    alike = images.named_alike()
    owners = [one.name for one in readers for _ in np.unique(one.rows_of("image"))]
    names = list(zip(owners, images.record_ids.tolist(), strict=True))
    for manner in get_args(Manner):
        score = _by_engine(names, retriever, manner)
        for run in _tasks(alike, score, sampling):
            if on_task:
                on_task(f"engine, {manner}")
            result = run()
            name = f"{result.task}, {manner}"
            if result.queries and result.chances[result.lead] < 1:
                yield replace(result, task=name, values=_shallow(result), ranks=None)


def _tasks(
    images: ImageCollection, score: ScoreTexts, sampling: Sampling
) -> Iterator[Callable[[], TaskResult]]:
    for kind in get_args(ClassBy):
        yield partial(class_text_to_image, images, score, kind, sampling)
    if len(known_item_rows(images.long_texts, images.cases)) >= LEAST_KNOWN_ITEMS:
        yield partial(caption_to_image, images, score, sampling, long=True)


def _by_engine(
    names: Sequence[tuple[str, str]], retriever: Retriever, manner: Manner
) -> ScoreTexts:
    """Return what scores images, by index and record id, by the place that the engine gives them.

    Scores of hits may tie where their order is settled. Each text is asked for once.
    """
    row_of = {name: row for row, name in enumerate(names)}
    known: dict[str, Scores] = {}

    def score(text: str) -> Scores:
        scores = np.full(len(names), -np.inf, np.float32)
        query = Query(target="images", source=TextSource(text), mode=manner, k=RUN_DEPTH)
        for hit in retriever.search(query).hits:
            row = row_of.get((hit.index, hit.record.record_id))
            if row is not None:
                scores[row] = 1 / hit.rank
        return scores

    def score_all(texts: Sequence[str]) -> Iterator[Scores]:
        for text in texts:
            if text not in known:
                known[text] = score(text)
            yield known[text]

    return score_all


def _shallow(result: TaskResult) -> dict[str, np.ndarray]:
    return {name: found for name, found in result.values.items() if name != _WHOLE_RANKING}
