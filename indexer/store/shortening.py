"""Shorter stand-ins for unit vectors, whose inner products are never less than the true ones.

Embeddings vary much in few directions and little in the rest. A stand-in holds a vector's
components along the first and, as one number more, the length of what is left:

    short(x) = (B x, |x - B'B x|)        B: the directions, as orthonormal rows

By Cauchy and Schwarz <x, y> <= <short(x), short(y)>, and |short(x)| = |x|. A search among stand-ins
therefore tells for certain which vectors cannot be among the best, from fewer bytes of each.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]

# FAISS reads codes of a multiple of so many components by its quick instructions.
_STEP = 16
_LEAST_WIDTH = 32
# Of two vectors' product what is left adds this much at most, on average: 1 - .96. Measured
# (fewer directions leave too many to be looked at): 256 of 512 suffice for the vectors of
# tests/benchmarks, 224 of 384 for questions by MiniLM, 32 of 384 for pictures by the built-in
# tower.
_LEAST_SHARE = 0.96


@dataclass(frozen=True, slots=True)
class Shortening:
    """Maps vectors float32 (n, d) to stand-ins float32 (n, `width`).

    `directions` float32 (m, d) are orthonormal rows; what `width` has beyond m + 1 is zeros.
    """

    directions: Vectors
    width: int

    @classmethod
    def fit(cls, sample: Vectors, least_share: float = _LEAST_SHARE) -> "Shortening":
        """Return the one that keeps `least_share` of what some vectors (n, d) hold, or more."""
        dim = sample.shape[1]
        moments = np.zeros((dim, dim))
        for start in range(0, len(sample), 1 << 14):
            block = sample[start : start + (1 << 14)].astype(np.float64)
            moments += block.T @ block
        strengths, directions = np.linalg.eigh(moments)
        kept = np.cumsum(strengths[::-1]) / strengths.sum()
        needed = int(np.searchsorted(kept, least_share)) + 1
        width = max(-(-(needed + 1) // _STEP) * _STEP, _LEAST_WIDTH)
        used = min(width - 1, dim)
        chosen = np.ascontiguousarray(directions[:, ::-1][:, :used].T, np.float32)
        return cls(chosen, width)

    def apply(self, vectors: Vectors) -> Vectors:
        """Return the stand-in of each vector: float32 (n, width)."""
        used = len(self.directions)
        short = np.zeros((len(vectors), self.width), np.float32)
        along = vectors @ self.directions.T
        short[:, :used] = along
        short[:, used] = np.linalg.norm(vectors - along @ self.directions, axis=1)
        return short
