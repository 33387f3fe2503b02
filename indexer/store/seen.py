"""Which record ids and contents a build has met: on disk, so that memory does not grow."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

_CACHE_KIBIBYTES = 32 * 1024


class Seen:
    """A set of record ids and a map from content key to the first record that has it.

    It lives in a throw-away database: after a crash it is made again from the finished shards,
    so it need not be durable and is not synced.
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

    def first_with_content(self, key: str, record_id: str) -> str | None:
        """Return the id of the first record of that content, or None if this is the first."""
        if self._insert("INSERT OR IGNORE INTO contents VALUES (?, ?)", (key, record_id)):
            return None
        [first] = self._database.execute("SELECT id FROM contents WHERE key = ?", (key,)).fetchone()
        return str(first)

    def claim_record_id(self, record_id: str) -> bool:
        """Take a record id; False if it was taken before."""
        return self._insert("INSERT OR IGNORE INTO ids VALUES (?)", (record_id,))

    def remember(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Take (record id, content key) pairs of records that are already written."""
        self._database.execute("BEGIN")
        for record_id, key in pairs:
            self.claim_record_id(record_id)
            self.first_with_content(key, record_id)
        self._database.execute("COMMIT")

    def close(self) -> None:
        """Close the database; its file may be deleted afterwards."""
        self._database.close()

    def _insert(self, statement: str, values: tuple[str, ...]) -> bool:
        return self._database.execute(statement, values).rowcount == 1
