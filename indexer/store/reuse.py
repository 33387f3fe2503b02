"""Embeddings that the live build already holds, found by the key of what was embedded."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from indexer.errors import StoreError
from indexer.store.arrays import read_array
from indexer.store.manifest import read_manifest
from indexer.store.publish import current_build
from indexer.store.verify import ensure_verified


class EmbeddingReuse:
    """Looks embeddings up by field, encoder fingerprint and key; 24 bytes of memory a vector."""

    def __init__(self, index_folder: Path) -> None:
        """Open the live build of an index; without a sound one nothing is ever found."""
        self._fields: dict[tuple[str, str], _Field] = {}
        try:
            folder = current_build(index_folder)
            manifest = read_manifest(folder)
            # A damaged build must not pass its damage on to the next.
            ensure_verified(folder, manifest)
        except StoreError:
            return
        for name, field in manifest.fields.items():
            self._fields[name, field.fingerprint.digest()] = _Field(folder, name)

    def vector(self, field: str, fingerprint: str, key: bytes) -> npt.NDArray[np.float32] | None:
        """Return float32 (d,) of the input with that key, or None."""
        found = self._fields.get((field, fingerprint))
        return found.vector(key) if found else None


class _Field:
    """The keys of one field, sorted; as two words each, for these compare quickly."""

    def __init__(self, folder: Path, name: str) -> None:
        words = read_array(folder / f"{name}.keys.npy").view(">u8").astype(np.uint64)
        self._order = np.lexsort((words[:, 1], words[:, 0]))
        self._high = words[self._order, 0]
        self._low = words[self._order, 1]
        self._vectors = read_array(folder / f"{name}.vectors.npy")

    def vector(self, key: bytes) -> npt.NDArray[np.float32] | None:
        high, low = (int.from_bytes(half, "big") for half in (key[:8], key[8:]))
        position = int(np.searchsorted(self._high, np.uint64(high)))
        while position < len(self._high) and int(self._high[position]) == high:
            if int(self._low[position]) == low:
                return np.array(self._vectors[self._order[position]], np.float32)
            position += 1
        return None
