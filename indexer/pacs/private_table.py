"""From pseudonyms back to UIDs, for who keeps a mirror: its journal, read only."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from indexer.datasets.mirror_layout import JOURNAL

_BUSY_TIMEOUT_S = 1.0


@dataclass(frozen=True, slots=True)
class OriginalUids:
    """The original UIDs of a study and one of its series."""

    study_uid: str
    series_uid: str


class PrivateTable:
    """The table of one mirror; may be asked from several threads, and while it is written."""

    def __init__(self, mirror: Path) -> None:
        self._path = mirror / JOURNAL

    def find(self, study_id: str, series_id: str) -> OriginalUids | None:
        """Return the UIDs behind the pseudonyms of a study and a series, or None.

        A table that is not there, or cannot be read, resolves nothing.
        """
        try:
            database = sqlite3.connect(
                f"{self._path.resolve().as_uri()}?mode=ro", uri=True, timeout=_BUSY_TIMEOUT_S
            )
        except sqlite3.Error:
            return None
        try:
            row = database.execute(
                "SELECT study_uid, series_uid FROM instances "
                "WHERE study_name = ? AND series_name = ? LIMIT 1",
                (study_id, series_id),
            ).fetchone()
        except sqlite3.Error:
            return None
        finally:
            database.close()
        return None if row is None else OriginalUids(str(row[0]), str(row[1]))
