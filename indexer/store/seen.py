"""Which record ids and contents a build has met: on disk, so that memory does not grow."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

_CACHE_KIBIBYTES = 32 * 1024


class Seen:
    """A set of record ids and a map from content key to the first record that has it.

    It lives in a throw-away database: after a crash it is made again from the finished shards,
    so it need not be durable and is not synced. It holds records only, nothing of duplicates and
    rejects: what a resumed build knows is then what an uninterrupted one knows.
    """

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        # A build uses it from one thread at a time, not always the one that made it.
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")
        self._database.execute("CREATE TABLE ids (id TEXT PRIMARY KEY) WITHOUT ROWID")
        self._database.execute(
            "CREATE TABLE contents (key TEXT PRIMARY KEY, id TEXT) WITHOUT ROWID"
        )

    def first_with_content(self, key: str) -> str | None:
        """Return the id of the record that has that content, or None if none has."""
        found = self._database.execute("SELECT id FROM contents WHERE key = ?", (key,)).fetchone()
        return str(found[0]) if found else None

    def claim(self, record_id: str, key: str) -> bool:
        """Take an id and a content for a record; False, and neither taken, if the id is."""
        taken = self._database.execute("INSERT OR IGNORE INTO ids VALUES (?)", (record_id,))
        if taken.rowcount != 1:
            return False
        self._database.execute("INSERT OR IGNORE INTO contents VALUES (?, ?)", (key, record_id))
        return True

    def remember(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Take (record id, content key) pairs of records that are already written."""
        self._database.execute("BEGIN")
        for record_id, key in pairs:
            self.claim(record_id, key)
        self._database.execute("COMMIT")

    def close(self) -> None:
        """Close the database; its file may be deleted afterwards."""
        self._database.close()
