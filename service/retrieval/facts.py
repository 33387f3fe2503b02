"""Facts that a query mentions and records state: modality, body part, labels.

Where images have no captions there are no words to search; what is stated of them (wrist, X-ray,
abnormal) is all that tells one tower's near misses from what was asked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from indexer.text.tokenise import tokenise
from service.retrieval.columns import BuildColumns, Mask

Counts: TypeAlias = npt.NDArray[np.uint8]

_TAGS = "labels"
_VALUES_KEPT = 1 << 16
_COLUMNS_KEPT = 64
_MOST_BITS = 63
_SAYS_NEW = 4  # more than there are fields
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


class Mentioned(NamedTuple):
    """Which records of each build state the most of what a query mentions: bool (n,).

    `covered` is the share of the query's tokens that the most of them say.
    """

    masks: list[Mask]
    covered: float


def find_mentioned(
    words: str, builds: Sequence[BuildColumns], allowed: Sequence[Mask | None]
) -> Mentioned | None:
    """Return which records state the most of what `words` mention.

    Only the `allowed` records of each build (None: all) are asked, as if there were no others. The
    most is that of all builds together; a record that states another modality or another region
    than the words do is left out. None if no record states anything of what is mentioned, and none
    anything else in its place.
    """
    said = _Said.of(words)
    by_value = [_values_said(said, build) for build in builds]
    if not said.names_any_kind and not any(by_value):
        return None
    asked = [
        np.ones(build.records, np.bool_) if mask is None else mask
        for build, mask in zip(builds, allowed, strict=True)
    ]
    stated = [_count(values, build) for values, build in zip(by_value, builds, strict=True)]
    fitting = [mask & ~_contradicts(said, build) for build, mask in zip(builds, asked, strict=True)]
    most = _highest([one.much for one in stated], fitting)
    if most == 0 and all(map(np.array_equal, fitting, asked)):
        return None
    masks = [(one.much == most) & fits for one, fits in zip(stated, fitting, strict=True)]
    told = _highest([one.tokens for one in stated], masks)
    return Mentioned(masks, min(1.0, told / max(1, len(said.own))))


def _highest(counts: Sequence[Counts], masks: Sequence[Mask]) -> int:
    return max(
        (int(count[mask].max(initial=0)) for count, mask in zip(counts, masks, strict=True)),
        default=0,
    )


@dataclass(frozen=True, slots=True)
class _Said:
    """The tokens of a query, and with those of the words that records use instead."""

    own: frozenset[str]
    meant: frozenset[str]

    @property
    def names_any_kind(self) -> bool:
        """Whether it names a modality or a region that others contradict."""
        return any(_tokens(one) <= self.meant for one in (*_MODALITIES, *_REGIONS))

    @classmethod
    def of(cls, words: str) -> "_Said":
        own = frozenset(tokenise(words))
        rights = (right for wrong, right in _SYNONYMS.items() if _tokens(wrong) <= own)
        return cls(own, own.union(*map(_tokens, rights)))

    def by(self, value: str) -> frozenset[str]:
        """Return by which of the query's own tokens a value is said; none if not in full."""
        for one in _meanings(value):
            if one and one <= self.meant:
                wrongs = (
                    _tokens(wrong)
                    for wrong, right in _SYNONYMS.items()
                    if _tokens(right) <= one and _tokens(wrong) <= self.own
                )
                return (one & self.own).union(*wrongs)
        return frozenset()


class _Stated(NamedTuple):
    """How much each record says of a query, and how many of its tokens that is: uint8 (n,)."""

    much: Counts
    tokens: Counts


def _count(by_value: Mapping[str, frozenset[str]], build: BuildColumns) -> _Stated:
    """Return how much each record shares with the query, given its values that are said.

    Fields that say what those before do not come first: of "CT, abdomen, the abdomen" two do, and
    the third tells it from "CT, bowel, the abdomen".
    """
    places = {token: place for place, token in enumerate(sorted(set().union(*by_value.values())))}
    width = np.min_scalar_type((1 << min(len(places), _MOST_BITS)) - 1)
    bits = {
        value: sum(1 << place for place in {min(places[one], _MOST_BITS - 1) for one in tokens})
        for value, tokens in by_value.items()
    }
    told = np.zeros(build.records, width)
    much = np.zeros(build.records, np.uint8)
    for found in _told(bits, build, width):
        much += _SAYS_NEW * ((found & ~told) != 0).view(np.uint8) + (found != 0).view(np.uint8)
        told |= found
    return _Stated(much, np.bitwise_count(told))


def _told(
    bits: Mapping[str, int], build: BuildColumns, width: np.dtype[Any]
) -> Iterator[npt.NDArray[Any]]:
    """Yield what fields of every record say of the query, as bits (n,), if anything."""
    for name in ("modality", "body_part"):
        column = build.coded(name)
        said = np.array([*(bits.get(value, 0) for value in column.values), 0], width)
        if said.any():
            yield said[column.codes]
    tags = build.tags(_TAGS)
    labels = [value for value in tags.values if value in bits]
    if labels:
        labelled = np.zeros(build.records, width)
        for value in labels:
            labelled[tags.holders(value.__eq__, build.records)] |= width.type(bits[value])
        yield labelled


def _values_said(said: _Said, build: BuildColumns) -> dict[str, frozenset[str]]:
    """Return the values of a build that a query says in full, each with its tokens that do."""
    columns = (build.coded("modality"), build.coded("body_part"), build.tags(_TAGS))
    likely = {
        value
        for known in [_by_token(column.values) for column in columns]
        for token in said.meant
        for value in known.get(token, ())
    }
    return {value: tokens for value in likely if (tokens := said.by(value))}


@lru_cache(maxsize=_COLUMNS_KEPT)
def _by_token(values: tuple[str, ...]) -> Mapping[str, list[str]]:
    """Return for each token the values that one of their meanings has it in: few of many labels."""
    found: dict[str, list[str]] = {}
    for value in values:
        for token in frozenset().union(*_meanings(value)):
            found.setdefault(token, []).append(value)
    return found


def _contradicts(said: _Said, build: BuildColumns) -> Mask:
    """Return which records state another modality or region than the query does: bool (n,)."""
    found = np.zeros(build.records, np.bool_)
    for name, known in (("modality", _MODALITIES), ("body_part", _REGIONS)):
        if any(_tokens(one) <= said.meant for one in known):
            column = build.coded(name)
            others = [_is_one_of(known, value) for value in column.values]
            told = [bool(said.by(value)) for value in column.values]
            found |= (np.array([*others, False]) & ~np.array([*told, False]))[column.codes]
    return found


def _is_one_of(known: Sequence[str], value: str) -> bool:
    return any(_tokens(one) in _meanings(value) for one in known)


@lru_cache(maxsize=_VALUES_KEPT)
def _meanings(value: str) -> tuple[frozenset[str], ...]:
    """Return the tokens of a value, and of the word that others use for it."""
    own = _tokens(value)
    return (own, *(_tokens(right) for wrong, right in _SYNONYMS.items() if _tokens(wrong) == own))


@lru_cache(maxsize=_VALUES_KEPT)
def _tokens(text: str) -> frozenset[str]:
    return frozenset(tokenise(text))
