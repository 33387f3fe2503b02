"""What is measured of image search: known items, classes by words, cases like a case.

Every search is over the full pool. Where the query is an image, its own case and its
near-duplicates are always excluded, so that a patient's second view is never counted as a find.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from service.evaluation.collection import EncodeTexts, ImageCollection, Rows, known_item_rows
from service.evaluation.image_classes import find_classes
from service.evaluation.ranking import CLASS_MEASURES, KNOWN_ITEM_MEASURES, Integers, Scores
from service.evaluation.results import TaskResult
from service.evaluation.searching import Findings, Task, cosines, measure_all

Likeness: TypeAlias = Literal["modality", "body part", "label", "source", "concepts"]
ClassBy: TypeAlias = Literal["body part", "label's body part", "label"]
ScoreTexts: TypeAlias = Callable[[Sequence[str]], Iterable[Scores]]
"""Yields for each text a score of every image (n,): -inf where it was not found."""

CLASS_DEPTH = 20
"""Candidates of each query in the run files of classes: more than any of their measures needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Which pool is searched, and how many queries a task takes, drawn by `seed` from more."""

    subset: str = "all"
    max_queries: int = 5000
    seed: int = 0

    def draw(self, rows: Rows) -> Rows:
        """Return at most `max_queries` of the rows, in their order."""
        if len(rows) <= self.max_queries:
            return rows
        chosen = np.random.default_rng(self.seed).choice(rows, self.max_queries, replace=False)
        return np.sort(chosen)


def by_tower(images: ImageCollection, encode: EncodeTexts) -> ScoreTexts:
    """Return what scores images by their cosine with a text, which `encode` embeds."""
    return lambda texts: cosines(encode(texts), images.vectors)


def caption_to_image(
    images: ImageCollection, score: ScoreTexts, sampling: Sampling, *, long: bool = False
) -> TaskResult:
    """Find the one image that a caption (or `long` text) was written for, among all images.

    Captions that images of several cases share are left out. Where images of one case share one,
    each is asked for in turn and the others count against it.
    """
    texts = images.long_texts if long else images.captions
    rows = sampling.draw(known_item_rows(texts, images.cases))
    wanted = tuple(texts[row] for row in rows)
    task = Task(
        query_ids=tuple(images.record_ids[rows].tolist()),
        candidate_ids=images.record_ids,
        grades_of=lambda query: _one_of(len(images), rows[query]),
        measures=KNOWN_ITEM_MEASURES,
    )
    name = "long text -> image" if long else "caption -> image"
    return _result(name, images, rows, measure_all(task, score(wanted)), sampling, wanted)


def image_to_caption(
    images: ImageCollection, encode: EncodeTexts, sampling: Sampling
) -> TaskResult:
    """Find the caption that was written for an image, among all captions that are no templates."""
    everyone = known_item_rows(images.captions, images.cases)
    first = {images.captions[row]: int(row) for row in everyone[::-1]}
    captions = tuple(sorted(first, key=first.__getitem__))
    place = {text: number for number, text in enumerate(captions)}
    rows = sampling.draw(everyone)
    wanted = tuple(images.captions[row] for row in rows)
    task = Task(
        query_ids=tuple(images.record_ids[rows].tolist()),
        candidate_ids=images.record_ids[[first[text] for text in captions]],
        grades_of=lambda query: _one_of(len(captions), place[wanted[query]]),
        measures=KNOWN_ITEM_MEASURES,
    )
    found = measure_all(task, cosines(images.vectors[rows], encode(captions)))
    pool = len(captions)
    return _result("image -> caption", images, rows, found, sampling, wanted, pool=pool)


def image_to_image(images: ImageCollection, by: Likeness, sampling: Sampling) -> TaskResult:
    """Find images of other cases that are like the query's.

    Alike is what shares the modality, the modality and the body part, a label as well as both,
    the source (which measures a shortcut, not a skill), or UMLS concepts: of those the number
    shared is the grade. Queries to which no other case is alike are left out.
    """
    grade = _grader(images, by)
    rows = sampling.draw(np.arange(len(images)))
    rows = rows[[bool((grade(row)[images.other_cases(row)] > 0).any()) for row in rows.tolist()]]
    task = Task(
        query_ids=tuple(images.record_ids[rows].tolist()),
        candidate_ids=images.record_ids,
        grades_of=lambda query: grade(int(rows[query])),
        allowed_of=lambda query: images.other_cases(int(rows[query])),
        measures=CLASS_MEASURES,
        depth=CLASS_DEPTH,
    )
    name = f"image -> image, same {by}"
    texts = tuple(images.captions[row] for row in rows)
    found = measure_all(task, cosines(images.vectors[rows], images.vectors))
    return _result(name, images, rows, found, sampling, texts, known_item=False)


def class_text_to_image(
    images: ImageCollection, score: ScoreTexts, by: ClassBy, sampling: Sampling
) -> TaskResult:
    """Find images of a class by the words for it.

    By body part, queries are "MODALITY of the BODY PART". By label they are "MODALITY of the BODY
    PART, LABEL", and relevant is what bears the label there; by label's body part they are the
    same, and any image of that modality and body part is relevant. One query for every class that
    has images enough (`image_classes.LEAST_OF_CLASS`).
    """
    classes = find_classes(images, with_labels=by != "body part")
    task = Task(
        query_ids=tuple("class:" + "-".join(one.text.split()) for one in classes),
        candidate_ids=images.record_ids,
        grades_of=lambda query: (
            classes[query].bearing if by == "label" else classes[query].inside
        ).astype(np.int64),
        measures=CLASS_MEASURES,
        depth=CLASS_DEPTH,
    )
    found = measure_all(task, score([one.text for one in classes]))
    return TaskResult(
        task=f"class text -> image, {by}",
        subset=sampling.subset,
        pool=len(images),
        values=found.values,
        chances=found.chances,
        query_texts=tuple(one.text for one in classes),
        ranked=found.ranked,
        facets={
            "modality": tuple(one.modality for one in classes),
            "body part": tuple(one.body_part for one in classes),
        },
        seed=sampling.seed,
    )


def _result(
    task: str,
    images: ImageCollection,
    rows: Rows,
    found: Findings,
    sampling: Sampling,
    texts: tuple[str, ...],
    *,
    pool: int | None = None,
    known_item: bool = True,
) -> TaskResult:
    return TaskResult(
        task=task,
        subset=sampling.subset,
        pool=len(images) if pool is None else pool,
        values=found.values,
        chances=found.chances,
        query_texts=texts,
        ranked=found.ranked,
        clusters=tuple(images.cases[rows].tolist()),
        facets={
            "modality": tuple(images.modalities[rows].tolist()),
            "body part": tuple(images.body_parts[rows].tolist()),
            "source": tuple(images.sources[rows].tolist()),
        },
        ranks=found.ranks if known_item else None,
        seed=sampling.seed,
    )


def _one_of(size: int, row: int) -> Integers:
    grades = np.zeros(size, np.int64)
    grades[row] = 1
    return grades


def _grader(images: ImageCollection, by: Likeness) -> Callable[[int], Integers]:
    """Return what grades every image against a query's row."""
    if by == "label":
        shared = _shared_counts(images.labels)
        places = images.places
        return lambda row: ((places == places[row]) & (shared(row) > 0)).astype(np.int64)
    if by == "concepts":
        return _shared_counts(images.concepts)
    columns = {"modality": images.modalities, "body part": images.places, "source": images.sources}
    column = columns[by]
    return lambda row: ((column == column[row]) & (column != "")).astype(np.int64)


def _shared_counts(sets: Sequence[frozenset[str]]) -> Callable[[int], Integers]:
    """Return what counts, for a row, the names that each row shares with it.

    Each name keeps the rows that bear it, so that memory grows with what is stated only.
    """
    bearers: dict[str, list[int]] = {}
    for row, names in enumerate(sets):
        for name in names:
            bearers.setdefault(name, []).append(row)
    rows_of = {name: np.array(rows, np.int64) for name, rows in bearers.items()}

    def count(row: int) -> Integers:
        shared = np.zeros(len(sets), np.int64)
        for name in sets[row]:
            shared[rows_of[name]] += 1
        return shared

    return count
