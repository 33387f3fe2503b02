"""Which images and which of their texts make up a step."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from indexer.encoders.training.corpus import VIEWS

if TYPE_CHECKING:
    from indexer.encoders.training.corpus import Corpus
    from indexer.encoders.training.plan import TrainingPlan


@dataclass(frozen=True, slots=True)
class Batch:
    """The images of one step, int64 (n,), and their texts by view, int64 (VIEWS, n).

    `text_ids` are those of the images as they are, `mirrored_ids` those of their mirror images.
    """

    images: npt.NDArray[np.int64]
    text_ids: npt.NDArray[np.int64]
    mirrored_ids: npt.NDArray[np.int64]


class Sampler:
    """Draws the batch of a step from (seed, step) alone: a resumed run is the same run."""

    def __init__(self, corpus: "Corpus", plan: "TrainingPlan") -> None:
        self._corpus = corpus
        self._plan = plan
        self._images = np.flatnonzero(~corpus.validation)
        self._weights = _weigh(corpus, self._images, plan)

    def draw(self, step: int) -> Batch:
        """Return the batch of a step, images drawn without repetition where there are enough."""
        draw = np.random.default_rng([self._plan.seed, step])
        size = self._plan.batch
        repeat = size > len(self._images)
        images = draw.choice(self._images, size, replace=repeat, p=self._weights)
        firsts = images[None, :] * VIEWS + np.arange(VIEWS)[:, None]
        counts = self._corpus.starts[firsts + 1] - self._corpus.starts[firsts]
        chosen = self._corpus.starts[firsts] + draw.integers(0, counts)
        text_ids = self._corpus.text_ids[chosen]
        return Batch(images, text_ids, self._corpus.mirrored[text_ids])


def _weigh(
    corpus: "Corpus", images: npt.NDArray[np.int64], plan: "TrainingPlan"
) -> npt.NDArray[np.float64]:
    """Return each image's probability, float64 (n,): size ** -power of its source, times boost."""
    sources = np.array([str(corpus.rows[image]["source"]) for image in images])
    boosts = dict(plan.source_boosts)
    weights = np.zeros(len(images))
    for source in np.unique(sources):
        members = sources == source
        weights[members] = members.sum() ** -plan.source_power * boosts.get(str(source), 1.0)
    normalised: npt.NDArray[np.float64] = weights / weights.sum()
    return normalised
