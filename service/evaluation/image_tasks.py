"""What is measured of image search: known items, classes by words, cases like a case.

Every search is over the full pool. A query's own case is always excluded where the query is an
image, so that a patient's second view is never counted as a find.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from service.evaluation.collection import EncodeQueries, ImageCollection, Mask, Vectors
from service.evaluation.metrics import Figure, recall_at, reciprocal, summarise, worst_ranks

PRECISION_DEPTH = 10
RECALL_DEPTHS = (1, 5, 10)
_QUERIES_AT_ONCE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """One task's figures, and each query's value of the first of them, for pairing and plots."""

    task: str
    pool: int
    figures: tuple[Figure, ...]
    query_ids: tuple[str, ...]
    values: tuple[float, ...]
    groups: tuple[str, ...]


def caption_to_image(images: ImageCollection, encode: EncodeQueries) -> TaskResult:
    """Find the one image that a unique caption was written for, among all images."""
    rows = images.unique_captions()
    ranks = _ranks(encode(images.captions[rows].tolist()), images.vectors, rows)
    return _known_items("caption -> image", images, rows, ranks, pool=len(images))


def image_to_caption(images: ImageCollection, encode: EncodeQueries) -> TaskResult:
    """Find the caption that was written for an image, among all unique captions."""
    rows = images.unique_captions()
    captions = encode(images.captions[rows].tolist())
    ranks = _ranks(images.vectors[rows], captions, np.arange(len(rows)))
    return _known_items("image -> caption", images, rows, ranks, pool=len(rows))


def image_to_image(images: ImageCollection, by: str) -> TaskResult:
    """Find images of other cases that share `by`: "modality", "body part" (with modality), "label".

    P@10 over every image that has at least one such image in another case; chance is the mean
    share of such images among those of other cases.
    """
    alike = _alike(images, by)
    values: list[float] = []
    chances: list[float] = []
    rows: list[int] = []
    for row, scores in _scores(images.vectors, images.vectors):
        others = images.other_cases(row)
        relevant = alike(row) & others
        if relevant.any():
            rows.append(row)
            values.append(_precision(scores, relevant, others))
            chances.append(relevant.sum() / max(1, others.sum()))
    return _precision_result(f"image -> image, same {by}", images, rows, values, chances)


def class_text_to_image(images: ImageCollection, encode: EncodeQueries, by: str) -> TaskResult:
    """Find images of a class by the words for it: "body part" or "label"; P@10 over the classes.

    Queries are "MODALITY of the BODY PART" and "BODY PART MODALITY, LABEL". Only classes with ten
    images or more take part, so that a P@10 of 1 can be reached.
    """
    classes = _classes(images, by)
    vectors = encode([text for text, _ in classes])
    values, chances = [], []
    everything = np.ones(len(images), bool)
    for (_, relevant), (_, scores) in zip(classes, _scores(vectors, images.vectors), strict=True):
        values.append(_precision(scores, relevant, everything))
        chances.append(float(relevant.mean()))
    name = f"class text -> image, {by}"
    figure = summarise(f"P@{PRECISION_DEPTH}", values, chance=_mean(chances))
    texts = tuple(text for text, _ in classes)
    return TaskResult(
        task=name,
        pool=len(images),
        figures=(figure,),
        query_ids=texts,
        values=tuple(values),
        groups=texts,
    )


def _ranks(
    queries: Vectors, candidates: Vectors, relevant_rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the rank, from 1, of each query's one relevant candidate, ties counted against us."""
    ranks = np.empty(len(queries), np.int64)
    for start in range(0, len(queries), _QUERIES_AT_ONCE):
        block = slice(start, start + _QUERIES_AT_ONCE)
        scores = queries[block] @ candidates.T
        relevant = np.zeros(scores.shape, bool)
        relevant[np.arange(len(scores)), relevant_rows[block]] = True
        ranks[block] = worst_ranks(scores, relevant)
    return ranks


def _known_items(
    task: str,
    images: ImageCollection,
    rows: npt.NDArray[np.int64],
    ranks: npt.NDArray[np.int64],
    pool: int,
) -> TaskResult:
    cases = images.cases[rows].tolist()
    figures = [
        summarise(f"R@{k}", recall_at(ranks, k), clusters=cases, chance=min(1.0, k / max(1, pool)))
        for k in RECALL_DEPTHS
    ]
    figures.append(summarise("MRR", reciprocal(ranks), clusters=cases))
    middle = float(np.median(ranks)) if len(ranks) else np.nan
    figures.append(
        Figure(
            name="median rank",
            mean=middle,
            low=np.nan,
            high=np.nan,
            queries=len(rows),
            chance=pool / 2,
        )
    )
    return TaskResult(
        task=task,
        pool=pool,
        figures=tuple(figures),
        query_ids=tuple(images.record_ids[rows].tolist()),
        values=tuple((1.0 / ranks).tolist()),
        groups=tuple(_group(images, row) for row in rows),
    )


def _precision_result(
    task: str,
    images: ImageCollection,
    rows: Sequence[int],
    values: Sequence[float],
    chances: Sequence[float],
) -> TaskResult:
    cases = [str(images.cases[row]) for row in rows]
    figure = summarise(
        f"P@{PRECISION_DEPTH}", values, clusters=cases or None, chance=_mean(chances)
    )
    return TaskResult(
        task=task,
        pool=len(images),
        figures=(figure,),
        query_ids=tuple(str(images.record_ids[row]) for row in rows),
        values=tuple(values),
        groups=tuple(_group(images, row) for row in rows),
    )


def _scores(queries: Vectors, candidates: Vectors) -> Iterator[tuple[int, Vectors]]:
    """Yield each query's number and its scores over all candidates, a block at a time."""
    for start in range(0, len(queries), _QUERIES_AT_ONCE):
        block = queries[start : start + _QUERIES_AT_ONCE] @ candidates.T
        for offset, scores in enumerate(block):
            yield start + offset, scores


def _precision(scores: Vectors, relevant: Mask, allowed: Mask) -> float:
    """Return P@10 among the allowed; of equal scores those not relevant are taken first."""
    candidates = np.flatnonzero(allowed)
    depth = min(PRECISION_DEPTH, len(candidates))
    order = np.lexsort((relevant[candidates], -scores[candidates]))[:depth]
    return float(relevant[candidates[order]].sum() / PRECISION_DEPTH)


def _alike(images: ImageCollection, by: str) -> Callable[[int], Mask]:
    """Return what tells, for a row, which rows share its modality, body part or a label."""
    places = np.char.add(np.char.add(images.modalities, "\0"), images.body_parts)
    if by == "modality":
        return lambda row: (images.modalities == images.modalities[row]) & (images.modalities != "")
    if by == "body part":
        return lambda row: (places == places[row]) & (images.body_parts != "")
    names = sorted(set().union(*images.labels)) if images.labels else []
    marks = np.array([[name in own for name in names] for own in images.labels], bool)
    marks = marks.reshape(len(images), len(names))
    return lambda row: (places == places[row]) & (marks & marks[row]).any(axis=1)


def _classes(images: ImageCollection, by: str) -> list[tuple[str, Mask]]:
    """Return the text and the members of every class with enough images, in a stable order."""
    alike = _alike(images, by)
    places = sorted(
        {(str(m), str(b)) for m, b in zip(images.modalities, images.body_parts, strict=True)}
    )
    classes: list[tuple[str, Mask]] = []
    for modality, part in places:
        if not modality or not part:
            continue
        inside = _members(images, modality, part)
        if by == "body part":
            classes.append((f"{modality} of the {part}", alike(inside[0])))
            continue
        for label in sorted(set().union(*(images.labels[row] for row in inside))):
            members = np.zeros(len(images), bool)
            members[[row for row in inside if label in images.labels[row]]] = True
            classes.append((f"{part} {modality}, {label.replace('_', ' ')}", members))
    return [(text, members) for text, members in classes if members.sum() >= PRECISION_DEPTH]


def _members(images: ImageCollection, modality: str, part: str) -> list[int]:
    """Return the rows of one modality and body part."""
    mask = (images.modalities == modality) & (images.body_parts == part)
    return [int(row) for row in np.flatnonzero(mask)]


def _group(images: ImageCollection, row: int) -> str:
    """Return the group under which a query's value is broken down."""
    return f"{images.modalities[row] or '?'} / {images.body_parts[row] or '?'}"


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if len(values) else None
