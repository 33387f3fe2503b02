"""From embeddings to places in the plane: t-SNE of their fifty leading directions.

Chosen by measurement (`make bench BENCH=map`): on 3,022 radiology images it keeps neighbours best
(trustworthiness .994; PCA .894). UMAP kept them at .990 in twice the time and needs numba, 200 MB.
"""

import hashlib
import json

import numpy as np
import numpy.typing as npt

from indexer.store.index_map import Projection, Vectors

Places = npt.NDArray[np.float64]

_VERSION = 1
"""Raised whenever the same embeddings would be drawn otherwise."""

_DIRECTIONS = 50
_PERPLEXITY = 30
_ITERATIONS = 500
_ANGLE = 0.7
_FEWEST = 5
"""Fewer points than this have no neighbourhoods to keep: their leading directions are drawn."""

_START = 1e-4
_TRUSTED_NEIGHBOURS = 12
_BLOCK = 128


class Projector:
    """Draws maps; one thread does it, for sums in another order would give another map."""

    @property
    def digest(self) -> str:
        """A digest of the method and its parameters."""
        parameters = (_VERSION, _DIRECTIONS, _PERPLEXITY, _ITERATIONS, _ANGLE)
        return hashlib.sha256(json.dumps(["t-sne", *parameters]).encode()).hexdigest()[:16]

    def project(self, vectors: Vectors) -> Projection:
        """Return where unit rows float32 (n, d) lie within the unit square.

        Time grows a little faster than n: 3,022 rows take 5 s of processor time, 5,000 take 11.
        """
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=1):
            leading = leading_directions(vectors, _DIRECTIONS)
            places = leading[:, :2] if len(vectors) < _FEWEST else _unfold(leading)
            fitted = _fit(places)
            return Projection(fitted, trustworthiness(vectors, fitted))


def leading_directions(vectors: Vectors, count: int) -> Places:
    """Return rows by their principal components, float64 (n, count); zeros beyond their number.

    The sign of a component, which is arbitrary, is such that its largest weight is positive.
    """
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    _, directions = np.linalg.eigh(centred.T @ centred)
    directions = directions[:, ::-1][:, :count]
    largest = np.abs(directions).argmax(axis=0)
    directions = directions * np.sign(directions[largest, np.arange(directions.shape[1])])
    projected = centred @ directions
    missing = count - projected.shape[1]
    return np.pad(projected, ((0, 0), (0, max(missing, 0))))


def trustworthiness(vectors: Vectors, places: Vectors) -> float | None:
    """Return how far neighbours on a map are neighbours in truth (Venna and Kaski, 2001).

    With k neighbours, 1 - 2 / (n k (2 n - 3 k - 1)) times the sum, over all neighbours on the map
    that are none in truth, of how far beyond the k-th they rank. None for 2 k points or fewer.
    """
    count, k = len(vectors), _TRUSTED_NEIGHBOURS
    if count <= 2 * k:
        return None
    truth, drawn = vectors.astype(np.float64), places.astype(np.float64)
    excess = 0
    for start in range(0, count, _BLOCK):
        block = np.arange(start, min(start + _BLOCK, count))
        here = np.arange(len(block))
        apart = _squared_distances(drawn, block)
        apart[here, block] = np.inf
        nearest = np.argpartition(apart, k - 1, axis=1)[:, :k]
        truly = _squared_distances(truth, block)
        truly[here, block] = np.inf
        for column in range(k):
            reached = truly[here, nearest[:, column]][:, np.newaxis]
            ranks = np.count_nonzero(truly < reached, axis=1) + 1
            excess += int(np.maximum(ranks - k, 0).sum())
    return round(1 - 2 * excess / (count * k * (2 * count - 3 * k - 1)), 4)


def _unfold(leading: Places) -> Places:
    """Return the t-SNE of rows, begun from their two leading directions."""
    from sklearn.manifold import TSNE

    spread = leading[:, 0].std() or 1.0
    return np.asarray(
        TSNE(
            perplexity=min(_PERPLEXITY, (len(leading) - 1) / 3),
            max_iter=_ITERATIONS,
            angle=_ANGLE,
            init=(leading[:, :2] / spread * _START).astype(np.float32),
            n_jobs=1,
        ).fit_transform(leading.astype(np.float32)),
        np.float64,
    )


def _fit(places: Places) -> Vectors:
    """Return places moved and shrunk alike in both directions to fill the unit square."""
    low, high = places.min(axis=0), places.max(axis=0)
    span = float((high - low).max()) or 1.0
    return np.asarray((places - (low + high) / 2) / span + 0.5, np.float32)


def _squared_distances(points: Places, some: npt.NDArray[np.int64]) -> Places:
    """Return squared Euclidean distances from some of n points to all, float64 (m, n)."""
    lengths = np.einsum("ij,ij->i", points, points)
    products = points[some] @ points.T
    return np.asarray(lengths[some][:, np.newaxis] + lengths - 2 * products)
