"""Which hits are worth a passage: relevant ones that differ from each other, each case once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from service.prompting.context import Section
from service.retrieval.hits import Hit

# Two texts that share this much of their character 4-grams (Jaccard) say the same.
_SAME_TEXT = 0.8
_GRAM = 4
_BITS = 14
_GOLDEN = np.uint32(2654435761)
_COMPARED_CHARS = 800
# Carbonell & Goldstein 1998 (MMR): how much relevance counts against difference.
_RELEVANCE_SHARE = 0.7
# Of a short list, even the last is not irrelevant.
_LEAST_STEPS = 20

Grams: TypeAlias = npt.NDArray[np.uint64]
Counts: TypeAlias = npt.NDArray[np.uint32]
Similarities: TypeAlias = npt.NDArray[np.float64]
Ranked = TypeVar("Ranked")


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A hit with what it has to say, and the character 4-grams of that."""

    hit: Hit
    sections: tuple[Section, ...]
    grams: Grams


def candidate_of(hit: Hit, sections: tuple[Section, ...]) -> Candidate:
    """Return a hit as a candidate; its words are compared by their beginning."""
    return Candidate(hit, sections, grams_of(" ".join(section.text for section in sections)))


def choose_diverse(candidates: Iterable[Candidate], most: int) -> list[Candidate]:
    """Return at most `most` candidates by maximal marginal relevance, best first.

    Of a case, and of those that say the same, only the first takes part. Each step takes the one
    with the largest .7 r - .3 s (Carbonell & Goldstein 1998): r falls evenly with the rank, from 1
    to 0 over 20 or all of them, because scores of different rankings do not compare; s is the
    Jaccard similarity of character 4-grams to the nearest that was taken.
    """
    pool, alike = _distinct(candidates)
    relevance = 1 - np.arange(len(pool)) / max(len(pool), _LEAST_STEPS)
    nearest = np.zeros(len(pool))
    chosen: list[int] = []
    while len(chosen) < min(most, len(pool)):
        worth = _RELEVANCE_SHARE * relevance - (1 - _RELEVANCE_SHARE) * nearest
        worth[chosen] = -np.inf
        best = int(worth.argmax())
        chosen.append(best)
        nearest = np.maximum(nearest, alike[best])
    return [pool[place] for place in chosen]


def in_turn(*rankings: Sequence[Ranked]) -> list[Ranked]:
    """Return the first of each ranking, then the second of each, and so on."""
    rows = zip_longest(*rankings)
    return [one for one in chain.from_iterable(rows) if one is not None]


def order_for_reading(ranked: Sequence[Ranked]) -> list[Ranked]:
    """Return what is best at both ends: 1, 3, 5, ... 6, 4, 2.

    Models use what stands in the middle of a long prompt least (Liu et al. 2023, "Lost in the
    middle").
    """
    return [*ranked[::2], *reversed(ranked[1::2])]


def grams_of(text: str) -> Grams:
    """Return the character 4-grams of a text's beginning, whatever its case: uint64 (256,).

    A set of 2^14 bits: each gram sets the one that a multiplicative hash gives it (Knuth, TAOCP 3,
    6.4). That two different grams share a bit is rare enough for a similarity.
    """
    folded = text[:_COMPARED_CHARS].casefold().ljust(_GRAM if text else 0, "\0")
    codes = np.frombuffer(folded.encode("utf-32-le", "surrogatepass"), np.uint32)
    hashed = np.zeros(max(len(codes) - _GRAM + 1, 0), np.uint32)
    for place in range(_GRAM):
        hashed = (hashed + codes[place : place + len(hashed)]) * _GOLDEN
        hashed ^= hashed >> np.uint32(15)
    bits = np.zeros(1 << _BITS, np.bool_)
    bits[hashed >> np.uint32(32 - _BITS)] = True
    return np.packbits(bits).view(np.uint64)


def similarities(one: Grams, others: Grams) -> Similarities:
    """Return the share of 4-grams (Jaccard, 0 to 1) that a text has in common with others (n,)."""
    return _shares(others & one, _count(one), _count(others))


def is_same_text(one: Grams, other: Grams) -> bool:
    """Return whether two texts say the same in nearly the same words."""
    return bool(similarities(one, other) >= _SAME_TEXT)


def _distinct(candidates: Iterable[Candidate]) -> tuple[list[Candidate], Similarities]:
    """Return candidates whose case and text none before them has, and how alike they are (n, n)."""
    every = [one for one in candidates if one.sections]
    grams = np.array([one.grams for one in every], np.uint64)
    sizes = _count(grams)
    same = np.zeros(len(every), np.bool_)
    cases: set[tuple[str, str]] = set()
    kept: list[int] = []
    alike: list[Similarities] = []
    for place, one in enumerate(every):
        case = (one.hit.index, one.hit.record.case_id)
        if same[place] or case in cases:
            continue
        cases.add(case)
        kept.append(place)
        alike.append(_shares(grams & one.grams, sizes[place], sizes))
        same |= alike[-1] >= _SAME_TEXT
    return [every[place] for place in kept], np.array([row[kept] for row in alike])


def _shares(common: Grams, size: Counts, sizes: Counts) -> Similarities:
    shared = _count(common)
    share: Similarities = shared / np.maximum(sizes + size - shared, 1)
    return share


def _count(grams: Grams) -> Counts:
    counts: Counts = np.bitwise_count(grams).sum(axis=-1, dtype=np.uint32)
    return counts
