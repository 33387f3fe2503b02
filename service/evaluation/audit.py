"""The hash audit: which images of a pool also lie where they must not."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from indexer.pixels.resize import NEAR_DUPLICATE_BITS
from service.evaluation.collection import (
    Hashes,
    ImageCollection,
    Mask,
    Strings,
)

AuditKind: TypeAlias = Literal["training", "index", "pool"]

_EXAMPLES = 10
_COMPARED_AT_ONCE = 20_000_000


@dataclass(frozen=True, slots=True)
class KnownImages:
    """Images to hold a pool against: sha256 of their source bytes, perceptual hashes (m, 4).

    `cases` are their case ids where those mean the same as the pool's.
    """

    kind: AuditKind
    name: str
    digests: Strings
    hashes: Hashes
    cases: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was found: images of the pool that are byte for byte, or nearly, in `against`.

    `near` counts perceptual matches that are not exact ones, `shared_cases` the cases in both;
    `examples` are record ids. An image in another index is no fault of an encoder, one among its
    training images is.
    """

    kind: AuditKind
    against: str
    pool: int
    compared_with: int
    exact: int
    near: int
    shared_cases: int = 0
    examples: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Whether no image and no case was found in both."""
        return not (self.exact or self.near or self.shared_cases)


def audit_against(images: ImageCollection, known: KnownImages) -> Audit:
    """Hold every image of the pool against other images, by both hashes."""
    exact = np.isin(images.digests, known.digests[known.digests != ""])
    near = _nearly_in(images.hashes, known.hashes) & ~exact
    found = np.flatnonzero(exact | near)[:_EXAMPLES]
    return Audit(
        kind=known.kind,
        against=known.name,
        pool=len(images),
        compared_with=len(known.digests),
        exact=int(exact.sum()),
        near=int(near.sum()),
        shared_cases=len(known.cases.intersection(images.cases.tolist())),
        examples=tuple(images.record_ids[found].tolist()),
    )


def audit_within(images: ImageCollection) -> Audit:
    """Count the images that also occur in another case of the same pool."""
    exact = np.zeros(len(images), bool)
    near = np.zeros(len(images), bool)
    for row in range(len(images)):
        other = images.near_duplicates(row) & (images.cases != images.cases[row])
        same = images.digests == images.digests[row]
        exact[row] = bool((other & same).any())
        near[row] = bool(other.any()) and not exact[row]
    found = np.flatnonzero(exact | near)[:_EXAMPLES]
    return Audit(
        kind="pool",
        against="other cases of this pool",
        pool=len(images),
        compared_with=len(images),
        exact=int(exact.sum()),
        near=int(near.sum()),
        examples=tuple(images.record_ids[found].tolist()),
    )


def images_of_index(name: str, images: ImageCollection) -> KnownImages:
    """Return the images of another index as what a pool is held against."""
    return KnownImages("index", name, images.digests, images.hashes)


def _nearly_in(ours: Hashes, theirs: Hashes) -> Mask:
    """Return for each of our hashes whether one of theirs is as near as `NEAR_DUPLICATE_BITS`."""
    theirs = theirs[theirs.any(axis=1)]
    found = np.zeros(len(ours), bool)
    if not len(theirs):
        return found
    block = max(1, _COMPARED_AT_ONCE // len(theirs))
    for start in range(0, len(ours), block):
        part = ours[start : start + block]
        bits = np.zeros((len(part), len(theirs)), np.uint16)
        for word in range(ours.shape[1]):
            bits += np.bitwise_count(part[:, word, np.newaxis] ^ theirs[np.newaxis, :, word])
        found[start : start + block] = (bits <= NEAR_DUPLICATE_BITS).any(axis=1)
    return found & ours.any(axis=1)
