"""Which tasks are run over which parts of a pool of images."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import get_args

import numpy as np

from service.evaluation.collection import EncodeTexts, ImageCollection, known_item_rows
from service.evaluation.image_tasks import (
    ClassBy,
    Likeness,
    Sampling,
    by_tower,
    caption_to_image,
    class_text_to_image,
    image_to_caption,
    image_to_image,
)
from service.evaluation.results import TaskResult

LEAST_OF_SOURCE = 100
"""Images that a source needs for a pool of its own: in smaller ones R@10 comes by itself."""

LEAST_KNOWN_ITEMS = 20
"""Queries that a known-item task needs: over fewer, an interval says nothing."""

OnTask = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the pool that is searched by itself; `whole` runs every task over it."""

    name: str
    images: ImageCollection
    whole: bool


def run_image_tasks(
    images: ImageCollection,
    encode: EncodeTexts,
    sampling: Sampling,
    *,
    trained_sources: frozenset[str] = frozenset(),
    on_task: OnTask | None = None,
) -> Iterator[TaskResult]:
    """Run every task that the pool has queries for; tasks that chance solves are left out.

    The whole pool comes first, then the part of sources that the encoder was trained on and the
    part that it never saw (if `trained_sources` are known), then each large source by itself.
    """
    for part in _parts(images, trained_sources):
        mine = replace(sampling, subset=part.name)
        for name, run in _tasks(part, encode, mine):
            if on_task:
                on_task(f"{name} [{part.name}]")
            result = run()
            if result.queries and result.chances[result.lead] < 1:
                yield result


def _tasks(
    part: _Part, encode: EncodeTexts, sampling: Sampling
) -> Iterator[tuple[str, Callable[[], TaskResult]]]:
    images, score = part.images, by_tower(part.images, encode)
    if len(known_item_rows(images.captions, images.cases)) >= LEAST_KNOWN_ITEMS:
        yield "caption -> image", lambda: caption_to_image(images, score, sampling)
        yield "image -> caption", lambda: image_to_caption(images, encode, sampling)
    if len(known_item_rows(images.long_texts, images.cases)) >= LEAST_KNOWN_ITEMS:
        yield "long text -> image", lambda: caption_to_image(images, score, sampling, long=True)
    for by in _likenesses(images, whole=part.whole):
        yield f"image -> image, {by}", partial(image_to_image, images, by, sampling)
    if part.whole:
        for kind in get_args(ClassBy):
            yield (
                f"class text -> image, {kind}",
                partial(class_text_to_image, images, score, kind, sampling),
            )


def _likenesses(images: ImageCollection, *, whole: bool) -> Iterator[Likeness]:
    """Yield what images can be alike in: what is not stated, or the same for all, is left out."""
    for by in get_args(Likeness):
        if by == "concepts" and not any(images.concepts):
            continue
        if by == "source" and (not whole or len(np.unique(images.sources)) < 2):
            continue
        yield by


def _parts(images: ImageCollection, trained_sources: frozenset[str]) -> Iterator[_Part]:
    names, counts = np.unique(images.sources, return_counts=True)
    together = images.named_alike()
    yield _Part("all", together, whole=True)
    seen = np.isin(images.sources, sorted(trained_sources))
    if seen.any() and not seen.all():
        yield _Part("trained sources", together.select(np.flatnonzero(seen)), whole=True)
        yield _Part("unseen sources", together.select(np.flatnonzero(~seen)), whole=True)
    if len(names) < 2:
        return
    for name, count in zip(names.tolist(), counts.tolist(), strict=True):
        if name and count >= LEAST_OF_SOURCE:
            mine = np.flatnonzero(images.sources == name)
            yield _Part(name, images.select(mine), whole=False)
