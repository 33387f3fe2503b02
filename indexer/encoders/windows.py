"""How texts become batches whose results depend on each text alone."""

from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LENGTH_STEP_TOKENS = 16
"""Sequences are padded to the next multiple of this: a length that depends on the text alone."""

TEXT_LIMIT_TOKENS = 8192
"""Of one text, at most so many tokens are embedded; patient notes stay well below."""

BATCH_TOKENS = 4096
"""Padded tokens in one batch: enough to fill one core, little enough to stay in its cache."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences that are padded to one length; `rows` are their positions in the input."""

    length: int
    rows: tuple[int, ...]


def split_windows(tokens: "Sequence[int]", capacity: int) -> list[list[int]]:
    """Cut a text's tokens into as few windows of at most `capacity` as hold it, equally long.

    Windows do not overlap and differ by at most one token, so that each can weigh the same in
    the text's mean. Tokens after `TEXT_LIMIT_TOKENS` are left out. No tokens give one empty window.
    """
    kept = list(tokens[:TEXT_LIMIT_TOKENS])
    count = max(1, ceil(len(kept) / capacity))
    edges = [len(kept) * part // count for part in range(count + 1)]
    return [kept[start:end] for start, end in pairwise(edges)]


def padded_length(length: int, maximum: int) -> int:
    """Return the length to which a sequence is padded: the next step, or the model's maximum."""
    steps = max(1, ceil(length / LENGTH_STEP_TOKENS))
    return min(steps * LENGTH_STEP_TOKENS, maximum)


def plan_batches(padded_lengths: "Sequence[int]") -> "Iterator[Batch]":
    """Group sequences of equal padded length, shortest first, into batches of bounded size."""
    groups: dict[int, list[int]] = {}
    for row, length in enumerate(padded_lengths):
        groups.setdefault(length, []).append(row)
    for length in sorted(groups):
        rows = groups[length]
        size = max(1, BATCH_TOKENS // length)
        for start in range(0, len(rows), size):
            yield Batch(length, tuple(rows[start : start + size]))
