"""All indexes of a folder, open together, and kept at their live builds."""

import threading
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from indexer.errors import MedsearchError
from indexer.store.publish import current_mark, index_folders
from indexer.store.reader import IndexReader


class IndexSet:
    """The published indexes below a folder.

    `snapshot` gives the readers as they are now; whoever holds a snapshot goes on reading the
    builds in it, whatever is published meanwhile: files are let go when the last holder does.
    """

    def __init__(self, indexes_dir: Path) -> None:
        self._indexes_dir = indexes_dir
        self._refreshing = threading.Lock()
        self._marks: dict[str, tuple[int, int, int] | None] = {}
        self._readers: Mapping[str, IndexReader] = MappingProxyType({})
        self._failures: Mapping[str, MedsearchError] = MappingProxyType({})
        self.refresh()

    @property
    def failures(self) -> Mapping[str, MedsearchError]:
        """Why an index cannot be opened, by name; the others are served all the same."""
        return self._failures

    def snapshot(self) -> Mapping[str, IndexReader]:
        """Return the open readers by index name; never changes once returned."""
        return self._readers

    def refresh(self) -> bool:
        """Open what was published since the last call; True if anything changed.

        Costs one `stat` an index when nothing was. A new build that cannot be opened leaves the
        earlier one serving and is reported in `failures`.
        """
        with self._refreshing:
            folders = {path.name: path for path in index_folders(self._indexes_dir)}
            marks = {name: current_mark(path) for name, path in folders.items()}
            if marks == self._marks:
                return False
            readers: dict[str, IndexReader] = {}
            failures: dict[str, MedsearchError] = {}
            for name, path in folders.items():
                earlier = self._readers.get(name)
                if earlier is not None and marks[name] == self._marks.get(name):
                    readers[name] = earlier
                    continue
                try:
                    readers[name] = IndexReader.open(path)
                except MedsearchError as error:
                    failures[name] = error
                    if earlier is not None:
                        readers[name] = earlier
            self._marks = marks
            self._readers = MappingProxyType(readers)
            self._failures = MappingProxyType(failures)
            return True
