"""How much a foreign file may ask for before it is refused."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from indexer.errors import LimitExceededError

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeLimits:
    """What one image may cost; checked from its header, before its pixels are decoded.

    `max_pixels` counts rows x columns of one frame; `max_nesting` is the depth of DICOM sequences,
    `max_elements` how many elements of a DICOM file are looked at before it is given up.
    `memory_bytes` is the address space of a worker (RLIMIT_AS), `wall_clock_s` the time after
    which a worker is killed: these two hold only where a `DecodePool` decodes.
    """

    max_file_bytes: int = 512 * MEBIBYTE
    max_inflated_bytes: int = 512 * MEBIBYTE
    max_pixels: int = 64_000_000
    max_frames: int = 20_000
    max_nesting: int = 16
    max_elements: int = 1_000_000
    memory_bytes: int = 2048 * MEBIBYTE
    wall_clock_s: float = 60.0

    def __post_init__(self) -> None:
        """Refuse limits that would refuse everything."""
        for name in self.__slots__:
            if getattr(self, name) <= 0:
                message = f"DecodeLimits.{name} must be positive"
                raise ValueError(message)


BUILD_LIMITS = DecodeLimits()
"""For files that the operator chose to index: generous, so that a busy machine rejects nothing."""

UPLOAD_LIMITS = DecodeLimits(
    max_file_bytes=64 * MEBIBYTE,
    max_inflated_bytes=128 * MEBIBYTE,
    max_pixels=30_000_000,
    max_frames=5_000,
    max_elements=200_000,
    memory_bytes=512 * MEBIBYTE,
    wall_clock_s=5.0,
)
"""For what strangers send: the largest mammogram (28 Mpx) still fits."""


@dataclass(slots=True)
class Patience:
    """How long the images of one request may take to decode, all together: `left_s`, in seconds.

    Waiting for a free worker does not count. By default it has no end.
    """

    left_s: float = math.inf

    @contextmanager
    def spend(self, most_s: float) -> Iterator[float]:
        """Yield the seconds that the block may take, at most `most_s`; take off what it took."""
        began = time.monotonic()
        try:
            yield max(0.0, min(most_s, self.left_s))
        finally:
            self.left_s -= time.monotonic() - began


@dataclass(slots=True)
class Budget:
    """What walking one file may cost: how deep sequences nest, how many elements are looked at."""

    max_nesting: int
    elements_left: int

    def spend(self) -> None:
        """Count one element.

        Raises
        ------
        LimitExceededError
            There were too many.
        """
        self.elements_left -= 1
        if self.elements_left < 0:
            raise LimitExceededError("The DICOM file has too many elements.")
