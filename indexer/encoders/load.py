"""Load any encoder by its catalogue key or from a folder."""

from typing import TYPE_CHECKING

from indexer.encoders.catalogue import get_spec
from indexer.encoders.device import choose_device

if TYPE_CHECKING:
    from indexer.encoders.base import ImageEncoder, TextEncoder
    from indexer.encoders.device import Precision


def load_encoder(
    key_or_folder: str, *, device: str | None = None, precision: "Precision | None" = None
) -> "TextEncoder | ImageEncoder":
    """Load an encoder by its catalogue key or from a folder; never reaches for the network."""
    from indexer.encoders.minilm import load_minilm

    return load_minilm(get_spec(key_or_folder), device=choose_device(device), precision=precision)
