"""Embedding spaces: what of two indexes can be compared by score."""

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Final, Literal, TypeAlias

from indexer.encoders.spec import Fingerprint
from indexer.pixels.ct_windows import WINDOW_FIELDS
from indexer.store.reader import IndexReader

Identity: TypeAlias = tuple[str, ...]
Tower: TypeAlias = tuple[Literal["image", "text"], Identity]

IMAGE: Final = "image"


@dataclass(frozen=True, slots=True)
class Space:
    """An embedding space: one field's encoder as the manifest states it.

    Scores within one space are comparable, whatever index they come from. `identity` is what
    makes vectors differ: arithmetic type and library versions only change their last digits, and
    two catalogue entries (`encoder`) may share a tower.
    """

    field: str
    encoder: str = dataclass_field(compare=False)
    dim: int
    identity: Identity

    @property
    def tower(self) -> Tower:
        """Which tower of its encoder wrote the field, and which one that must be."""
        return ("image" if self.field == IMAGE else "text", self.identity)

    @staticmethod
    def of(reader: IndexReader, field: str) -> "Space | None":
        """Return the space of a reader's field, or None if the index has no such field.

        CT slices by window share the space of images.
        """
        stated = reader.manifest.fields.get(field)
        if stated is None or not stated.vectors:
            return None
        field = IMAGE if field in WINDOW_FIELDS else field
        return Space(field, stated.encoder, stated.dim, identity_of(stated.fingerprint))


def identity_of(fingerprint: Fingerprint) -> Identity:
    """Return the parts of a fingerprint that two towers of one space must share."""
    return (
        fingerprint.revision,
        fingerprint.weights_sha256,
        fingerprint.tokenizer_sha256 or "",
        fingerprint.preprocessing,
    )
