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


def mentioned_masks(words: str, builds: Sequence[BuildColumns]) -> list[Mask] | None:
    """Return for each build which records state the most of what `words` mention: bool (n,).

    The most is counted over all builds together: one for each field, less one for a modality other
    than the one that is mentioned. None if nothing that any record states is mentioned.
    """
    said = _said(words)
    counts = [_count(said, build) for build in builds]
    most = max((int(count.max(initial=0)) for count in counts), default=0)
    return [count == most for count in counts] if most > 0 else None


def _said(words: str) -> frozenset[str]:
    """Return the tokens of a query, and those of the words that records use instead."""
    said = frozenset(tokenise(words))
    meant = (right for wrong, right in _SYNONYMS.items() if _tokens(wrong) <= said)
    return said.union(*map(_tokens, meant))


def _count(said: frozenset[str], build: BuildColumns) -> npt.NDArray[np.int8]:
    """Return how many of its fields each record shares with the query: int8 (n,)."""
    modality, part, tags = build.coded("modality"), build.coded("body_part"), build.tags(_TAGS)
    count = _hits(said, part.values)[part.codes] + _hits(said, modality.values)[modality.codes]
    if any(_tokens(known) <= said for known in _MODALITIES):
        others = 1 - _hits(said, modality.values)
        others[-1] = 0
        count -= others[modality.codes]
    labelled = np.zeros(build.records, np.int8)
    labelled[tags.rows[_hits(said, tags.values)[tags.codes] == 1]] = 1
    return count + labelled


def _hits(said: frozenset[str], values: tuple[str, ...]) -> npt.NDArray[np.int8]:
    """Return 1 for each value that is said in full, and a last 0 for what states none (-1)."""
    found = [bool(tokens) and tokens <= said for tokens in map(_tokens, values)]
    return np.array([*found, False], np.int8)


@lru_cache(maxsize=1 << 12)
def _tokens(text: str) -> frozenset[str]:
    return frozenset(tokenise(text))
