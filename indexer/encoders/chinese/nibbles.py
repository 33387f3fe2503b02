"""Matrices in four bits: each row in blocks of 32 weights, which share one scale.

A weight is (code - 8) * scale with a code of 0 to 15. Byte k of a row holds the codes of columns 2k
(low half) and 2k + 1 (high half).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BLOCK = 32
_ZERO = 8
_HALF_BITS = 4
_HALF = 0x0F


@dataclass(frozen=True, slots=True)
class PackedMatrix:
    """A matrix of (n, d): codes uint8 (n, d / 2), scales float16 (n, d / 32)."""

    codes: npt.NDArray[np.uint8]
    scales: npt.NDArray[np.float16]

    def take(self, rows: npt.NDArray[np.int64]) -> "PackedMatrix":
        """Return some rows, in the order given."""
        return PackedMatrix(self.codes[rows], self.scales[rows])

    def widen(self) -> npt.NDArray[np.float32]:
        """Return the matrix itself: float32 (n, d)."""
        rows, half = self.codes.shape
        wide = np.empty((rows, 2 * half), np.float32)
        wide[:, 0::2] = self.codes & _HALF
        wide[:, 1::2] = self.codes >> _HALF_BITS
        wide -= _ZERO
        wide.reshape(rows, 2 * half // BLOCK, BLOCK)[...] *= self.scales.astype(np.float32)[
            ..., np.newaxis
        ]
        return wide


def pack(codes: npt.NDArray[np.uint8], scales: npt.NDArray[np.float16]) -> PackedMatrix:
    """Pack codes of 0 to 15, one a weight (n, d), with the scales of their blocks (n, d / 32).

    Raises
    ------
    ValueError
        A code has more than four bits, or there is not one scale for each block.
    """
    rows, columns = codes.shape
    if scales.shape != (rows, columns // BLOCK) or columns % BLOCK or codes.max(initial=0) > _HALF:
        message = f"codes {codes.shape} and scales {scales.shape} are no matrix in four bits"
        raise ValueError(message)
    high = codes[:, 1::2] << np.uint8(_HALF_BITS)
    return PackedMatrix(np.asarray(codes[:, 0::2] | high, np.uint8), scales)
