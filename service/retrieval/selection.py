"""Which of the published indexes a query searches."""

from collections.abc import Mapping
from typing import Protocol

from indexer.errors import (
    IndexNotFoundError,
    MedsearchError,
    QueryError,
    RecordNotFoundError,
    UnknownNameError,
)
from indexer.store.reader import IndexReader
from service.retrieval.query import Query, Target

Snapshot = Mapping[str, IndexReader]


class Indexes(Protocol):
    """Where published indexes come from: `indexer.store.index_set.IndexSet`."""

    def snapshot(self) -> Snapshot:
        """Return the live build of every index that could be opened."""
        ...

    @property
    def failures(self) -> Mapping[str, MedsearchError]:
        """Why the others could not be opened."""
        ...


class Selector:
    """Picks readers by name and by what they hold."""

    def __init__(self, indexes: Indexes) -> None:
        self._indexes = indexes

    def targets(
        self, names: tuple[str, ...] | None, snapshot: Snapshot
    ) -> dict[Target, tuple[str, ...] | None]:
        """Return what can be searched for in some indexes, with the names of each kind.

        None instead of names means all of that kind.

        Raises
        ------
        UnknownNameError, IndexNotFoundError, StoreError
            A named index is not there or not usable, or there is none at all.
        """
        if names is None:
            found = {target_of(reader) for reader in snapshot.values()}
            if not found:
                raise self._nothing_to_search("questions")
            return dict.fromkeys(sorted(found))
        chosen: dict[Target, tuple[str, ...] | None] = {}
        for name in names:
            target = target_of(self._named(name, snapshot))
            chosen[target] = (*(chosen.get(target) or ()), name)
        return chosen

    def select(self, query: Query, everywhere: Snapshot) -> list[IndexReader]:
        """Return the readers that a query names, or all of its kind, in order of their names.

        Those of excluded datasets are left out; that may be all of them. A dataset that no index
        holds is refused: misspelt, it would exclude nothing.
        """
        named = self._select(query, everywhere)
        if not query.exclude_datasets:
            return named
        known = {reader.manifest.dataset for reader in everywhere.values()}
        for dataset in sorted(query.exclude_datasets - known):
            raise UnknownNameError("dataset", dataset, known)
        return [one for one in named if one.manifest.dataset not in query.exclude_datasets]

    def _select(self, query: Query, everywhere: Snapshot) -> list[IndexReader]:
        fitting = {
            name: reader
            for name, reader in sorted(everywhere.items())
            if target_of(reader) == query.target
        }
        if query.indexes is None:
            if not fitting:
                raise self._nothing_to_search(query.target)
            return list(fitting.values())
        if not query.indexes:
            raise QueryError("No index is named.", remedy="Name one, or leave indexes out.")
        for name in query.indexes:
            if target_of(self._named(name, everywhere)) != query.target:
                raise QueryError(
                    f"The index {name!r} does not hold {query.target}.",
                    remedy=f"Indexes of {query.target}: {', '.join(fitting) or 'none'}.",
                )
        return [fitting[name] for name in sorted(set(query.indexes))]

    def _named(self, name: str, snapshot: Snapshot) -> IndexReader:
        if name in snapshot:
            return snapshot[name]
        failures = self._indexes.failures
        if name in failures:
            raise failures[name].with_traceback(None)  # else it would grow with each raise
        raise UnknownNameError("index", name, snapshot)

    def _nothing_to_search(self, target: Target) -> MedsearchError:
        for failure in self._indexes.failures.values():
            return failure.with_traceback(None)
        return IndexNotFoundError(
            f"There is no index of {target}.", remedy="Build one: `medsearch index NAME`."
        )


def target_of(reader: IndexReader) -> Target:
    """Return what an index holds."""
    return "images" if reader.manifest.kind == "image" else "questions"


def find_record(record_id: str, readers: Mapping[str, IndexReader]) -> tuple[IndexReader, int]:
    """Return the reader that holds a record, and its row there.

    Raises
    ------
    RecordNotFoundError
        No index holds it.
    """
    for reader in readers.values():
        row = reader.find(record_id)
        if row is not None:
            return reader, row
    raise RecordNotFoundError(
        "No indexed record has that id.",
        remedy="Ids look like dataset/split/native_id; every hit carries its own.",
    )
