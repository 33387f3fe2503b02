"""Facts that a query mentions and records state: modality, body part, labels.

Where images have no captions there are no words to search; what is stated of them (wrist, X-ray,
abnormal) is all that tells one tower's near misses from what was asked for.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from indexer.text.tokenise import tokenise
from service.retrieval.columns import BuildColumns, Mask

_TAGS = "labels"
_MODALITIES = ("X-ray", "CT", "MRI", "ultrasound", "PET", "mammography", "angiography")
# No image of one of these shows another; regions that overlap (spine, pelvis, breast) are left out.
_REGIONS = (
    "head", "chest", "abdomen", "shoulder", "humerus", "elbow", "forearm", "wrist", "hand",
    "finger", "hip", "femur", "knee", "ankle", "foot",
)  # fmt: skip
# What people say, and what records say instead (indexer/pixels/terms.py and the datasets).
_SYNONYMS: Mapping[str, str] = MappingProxyType(
    {
        "radiograph": "X-ray", "radiography": "X-ray", "roentgenogram": "X-ray",
        "computed tomography": "CT", "magnetic resonance": "MRI", "sonography": "ultrasound",
        "sonogram": "ultrasound", "echography": "ultrasound", "mammogram": "mammography",
        "thorax": "chest", "thoracic": "chest", "lung": "chest", "pulmonary": "chest",
        "brain": "head", "cranial": "head", "skull": "head", "abdominal": "abdomen",
    }
)  # fmt: skip


def mentioned_masks(
    words: str, builds: Sequence[BuildColumns], allowed: Sequence[Mask | None]
) -> list[Mask] | None:
    """Return for each build which records state the most of what `words` mention: bool (n,).

    Only the `allowed` records of each build (None: all) are asked, as if there were no others. The
    most is counted over all builds together, one for each field; a record that states another
    modality or another region than the words do is left out. None if no record states anything of
    what is mentioned, and none anything else in its place.
    """
    said = _said(words)
    asked = [
        np.ones(build.records, np.bool_) if mask is None else mask
        for build, mask in zip(builds, allowed, strict=True)
    ]
    counts = [_count(said, build) for build in builds]
    fitting = [mask & ~_contradicts(said, build) for build, mask in zip(builds, asked, strict=True)]
    most = max(
        (int(count[fits].max(initial=0)) for count, fits in zip(counts, fitting, strict=True)),
        default=0,
    )
    if most == 0 and all(map(np.array_equal, fitting, asked)):
        return None
    return [(count == most) & fits for count, fits in zip(counts, fitting, strict=True)]


def _said(words: str) -> frozenset[str]:
    """Return the tokens of a query, and those of the words that records use instead."""
    said = frozenset(tokenise(words))
    meant = (right for wrong, right in _SYNONYMS.items() if _tokens(wrong) <= said)
    return said.union(*map(_tokens, meant))


def _count(said: frozenset[str], build: BuildColumns) -> npt.NDArray[np.int8]:
    """Return how many of its fields each record shares with the query: int8 (n,)."""
    modality, part, tags = build.coded("modality"), build.coded("body_part"), build.tags(_TAGS)
    count = _hits(said, part.values)[part.codes] + _hits(said, modality.values)[modality.codes]
    return count + tags.holders(lambda value: _is_said(said, value), build.records)


def _contradicts(said: frozenset[str], build: BuildColumns) -> Mask:
    """Return which records state another modality or region than the query does: bool (n,)."""
    found = np.zeros(build.records, np.bool_)
    for name, known in (("modality", _MODALITIES), ("body_part", _REGIONS)):
        if any(_tokens(one) <= said for one in known):
            column = build.coded(name)
            others = [_is_one_of(known, value) for value in column.values]
            found |= (np.array([*others, False]) & (_hits(said, column.values) == 0))[column.codes]
    return found


def _hits(said: frozenset[str], values: tuple[str, ...]) -> npt.NDArray[np.int8]:
    """Return 1 for each value that is said in full, and a last 0 for what states none (-1)."""
    return np.array([*(_is_said(said, value) for value in values), False], np.int8)


def _is_said(said: frozenset[str], value: str) -> bool:
    return any(one and one <= said for one in _meanings(value))


def _is_one_of(known: Sequence[str], value: str) -> bool:
    return any(_tokens(one) in _meanings(value) for one in known)


@lru_cache(maxsize=1 << 12)
def _meanings(value: str) -> tuple[frozenset[str], ...]:
    """Return the tokens of a value, and of the word that others use for it."""
    own = _tokens(value)
    return (own, *(_tokens(right) for wrong, right in _SYNONYMS.items() if _tokens(wrong) == own))


@lru_cache(maxsize=1 << 12)
def _tokens(text: str) -> frozenset[str]:
    return frozenset(tokenise(text))
