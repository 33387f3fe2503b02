"""Every encoder that medsearch knows by name. An encoder is added by one entry here."""

from types import MappingProxyType
from typing import TYPE_CHECKING

from indexer.encoders.spec import EncoderSpec
from indexer.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping

_ENTRIES = (
    EncoderSpec(
        key="minilm",
        family="builtin",
        model="sentence-transformers/all-MiniLM-L6-v2",
        revision="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
        dim=384,
        modalities=frozenset({"text"}),
        languages=("en",),
        max_tokens=256,
        image_px=None,
        licence="Apache-2.0",
        source="https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
        description="General English sentence encoder; works offline from a Python package.",
    ),
)


CATALOGUE: "Mapping[str, EncoderSpec]" = MappingProxyType({spec.key: spec for spec in _ENTRIES})
"""Key to entry, in the order in which they are shown."""


def get_spec(key: str) -> EncoderSpec:
    """Return the catalogue entry of that name.

    Raises
    ------
    UnknownNameError
        There is none; the remedy suggests the nearest.
    """
    try:
        return CATALOGUE[key]
    except KeyError:
        raise UnknownNameError("encoder", key, CATALOGUE) from None
