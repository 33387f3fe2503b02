"""Which hits are worth a passage: relevant ones that differ from each other, each case once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import TypeVar

from service.prompting.context import Section
from service.retrieval.query import Hit

# Two texts that share this much of their character 4-grams (Jaccard) say the same.
_SAME_TEXT = 0.8
_GRAM = 4
_COMPARED_CHARS = 1200
# Carbonell & Goldstein 1998 (MMR): how much relevance counts against difference.
_RELEVANCE_SHARE = 0.7
# Of a short list, even the last is not irrelevant.
_LEAST_STEPS = 20

Grams = frozenset[str]
Ranked = TypeVar("Ranked")


@dataclass(frozen=True, slots=True)
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
    left = list(_distinct(candidates))
    relevance = {
        id(one): 1 - place / max(len(left), _LEAST_STEPS) for place, one in enumerate(left)
    }
    nearest = dict.fromkeys(relevance, 0.0)
    chosen: list[Candidate] = []
    while left and len(chosen) < most:
        best = max(
            left,
            key=lambda one: (
                _RELEVANCE_SHARE * relevance[id(one)] - (1 - _RELEVANCE_SHARE) * nearest[id(one)]
            ),
        )
        left.remove(best)
        chosen.append(best)
        for one in left:
            nearest[id(one)] = max(nearest[id(one)], similarity(best.grams, one.grams))
    return chosen


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
    """Return the character 4-grams of a text's beginning, whatever its case."""
    folded = text[:_COMPARED_CHARS].casefold()
    last = max(len(folded) - _GRAM + 1, 1)
    return frozenset(folded[at : at + _GRAM] for at in range(last if folded else 0))


def similarity(one: Grams, other: Grams) -> float:
    """Return the share of 4-grams that two texts have in common (Jaccard), 0 to 1."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0


def is_same_text(one: Grams, other: Grams) -> bool:
    """Return whether two texts say the same in nearly the same words."""
    return similarity(one, other) >= _SAME_TEXT


def _distinct(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """Yield candidates whose case and whose text have not been there before."""
    cases: set[tuple[str, str]] = set()
    texts: list[Grams] = []
    for one in candidates:
        case = (one.hit.index, one.hit.record.case_id)
        if not one.grams or case in cases:
            continue
        if any(is_same_text(one.grams, other) for other in texts):
            continue
        cases.add(case)
        texts.append(one.grams)
        yield one
