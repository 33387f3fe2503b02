"""Open indexes put before the real engine, which is asked in three manners."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from indexer.errors import MedsearchError
from indexer.store.reader import IndexReader

Manner: TypeAlias = Literal["dense", "lexical", "hybrid"]
"""By embeddings, by words, and by both."""


class OpenIndexes:
    """Some open indexes, as the engine wants its indexes."""

    def __init__(self, readers: Iterable[IndexReader]) -> None:
        self._readers = MappingProxyType({reader.name: reader for reader in readers})

    @property
    def failures(self) -> Mapping[str, MedsearchError]:
        """Nothing has failed: the indexes are open."""
        return {}

    def snapshot(self) -> Mapping[str, IndexReader]:
        """Return the indexes by their names."""
        return self._readers
