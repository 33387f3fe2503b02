"""What a mirror holds, wants and has lost, in a SQLite database that survives a kill.

It is a queue as well: what a PACS announces is first written down as wanted, together with the
number of its last change, and only then fetched. So a number is never ahead of what it stands for.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from indexer.errors import MirrorError
from indexer.pacs.instances import InstanceRef
from indexer.pixels.pseudonyms import Pseudonymiser

State: TypeAlias = Literal["wanted", "stored", "refused", "deleted"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS instances (
    id INTEGER PRIMARY KEY,
    study_uid TEXT NOT NULL, series_uid TEXT NOT NULL, instance_uid TEXT NOT NULL,
    study_date TEXT,
    study_name TEXT NOT NULL, series_name TEXT NOT NULL, instance_name TEXT NOT NULL,
    state TEXT NOT NULL, sha256 TEXT, reason TEXT,
    UNIQUE (study_uid, series_uid, instance_uid)
);
CREATE INDEX IF NOT EXISTS by_study_name ON instances (study_name);
CREATE INDEX IF NOT EXISTS by_series ON instances (series_uid);
CREATE INDEX IF NOT EXISTS by_state ON instances (state, id);
"""
_INDEXED_AS = "indexed_as"
_COLUMNS = (
    "id, study_uid, series_uid, instance_uid, study_date, study_name, series_name, "
    "instance_name, state, sha256"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One instance of the mirror: what it is called at the PACS, and where its file lies."""

    id: int
    ref: InstanceRef = field(repr=False)
    path: str
    state: State
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of an entry that was wanted."""

    entry: Entry
    state: State
    sha256: str | None = None
    reason: str | None = None

    @property
    def changes_content(self) -> bool:
        """Whether an index of the mirror would be another now."""
        if self.state == "refused":
            return self.entry.state != "refused"
        return self.state == "stored" and self.sha256 != self.entry.sha256


class Journal:
    """The database of one mirror; every method that writes is one transaction."""

    def __init__(self, path: Path, pseudonyms: Pseudonymiser) -> None:
        """Open the database, making it where there is none.

        Raises
        ------
        MirrorError
            The file is no sound database.
        """
        self._pseudonyms = pseudonyms
        try:
            self._database = sqlite3.connect(path, isolation_level=None)
            # Readers do not wait for a writer; a commit returns only once it is on disk.
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.executescript(_SCHEMA)
        except sqlite3.DatabaseError as error:
            raise MirrorError(
                f"The mirror's journal cannot be read ({error}).",
                remedy="Delete the mirror's folder and run the command again: all is fetched anew.",
            ) from error

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def fact(self, name: str) -> str | None:
        """Return what was noted under a name, or None."""
        row = self._database.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def note(self, facts: Mapping[str, str]) -> None:
        """Note facts; those of the same names are replaced."""
        with self._writing():
            self._note(facts)

    def is_indexed_as(self, build: Path, terms: str) -> bool:
        """Tell whether that build was made from the mirror as it is now, on those terms."""
        return self.fact(_INDEXED_AS) == f"{terms} {build.resolve()}"

    def note_indexed(self, build: Path, terms: str) -> None:
        """Note that a build was made from the mirror as it is now, on those terms."""
        self.note({_INDEXED_AS: f"{terms} {build.resolve()}"})

    def want(self, refs: Iterable[InstanceRef], facts: Mapping[str, str]) -> int:
        """Want instances, those that are stored too, and note facts; both or neither.

        Returns how many were wanted.
        """
        refs = list(refs)
        with self._writing():
            self._want(refs)
            self._note(facts)
        return len(refs)

    def reconcile(self, study_uid: str, refs: Iterable[InstanceRef]) -> None:
        """Make a study hold just these: want what is new, mark what is gone as deleted."""
        listed = {(ref.series_uid, ref.instance_uid): ref for ref in refs}
        with self._writing():
            known: dict[tuple[str, str], str] = {
                (series_uid, instance_uid): state
                for series_uid, instance_uid, state in self._database.execute(
                    "SELECT series_uid, instance_uid, state FROM instances WHERE study_uid = ?",
                    (study_uid,),
                )
            }
            self._want(ref for key, ref in listed.items() if known.get(key) in {None, "deleted"})
            self._database.executemany(
                "UPDATE instances SET state = 'deleted' WHERE study_uid = ? AND series_uid = ? "
                "AND instance_uid = ?",
                ((study_uid, *key) for key in known if key not in listed),
            )

    def count(self, study_uid: str) -> int:
        """Return how many instances of a study the PACS holds, as far as is known here."""
        return self._number(
            "SELECT count(*) FROM instances WHERE study_uid = ? AND state != 'deleted'", study_uid
        )

    def study_of_series(self, series_uid: str) -> str | None:
        """Return the UID of the study that a known series belongs to, or None."""
        row = self._database.execute(
            "SELECT study_uid FROM instances WHERE series_uid = ?", (series_uid,)
        ).fetchone()
        return None if row is None else str(row[0])

    def total(self, state: State) -> int:
        """Return how many instances are in a state."""
        return self._number("SELECT count(*) FROM instances WHERE state = ?", state)

    def studies(self) -> list[tuple[str, str | None]]:
        """Return UID and date of every study of which something is known."""
        return self._database.execute(
            "SELECT study_uid, max(study_date) FROM instances WHERE state != 'deleted' "
            "GROUP BY study_uid ORDER BY study_uid"
        ).fetchall()

    def entries(self, *states: State, after: int = 0, limit: int = 1000) -> list[Entry]:
        """Return entries in any of some states with ids above `after`, in the order of their ids.

        All files of a series that were announced together follow each other.
        """
        marks = ", ".join("?" for _ in states)
        rows = self._database.execute(
            f"SELECT {_COLUMNS} FROM instances WHERE state IN ({marks}) AND id > ? "  # noqa: S608
            "ORDER BY id LIMIT ?",
            (*states, after, limit),
        )
        return [_entry(row) for row in rows]

    def refusals(self) -> Iterator[tuple[str, str]]:
        """Yield path and reason of every instance that the PACS could not give, by path."""
        yield from self._database.execute(
            "SELECT study_name || '/' || series_name || '/' || instance_name || '.dcm' AS path, "
            "reason FROM instances WHERE state = 'refused' ORDER BY path"
        )

    def settle(self, settled: Iterable[Settled]) -> None:
        """Write down what became of entries; their files must be on disk by now."""
        settled = list(settled)
        with self._writing():
            if any(one.changes_content for one in settled):
                self._note({_INDEXED_AS: ""})
            self._database.executemany(
                "UPDATE instances SET state = ?, sha256 = ?, reason = ? WHERE id = ?",
                ((one.state, one.sha256, one.reason, one.entry.id) for one in settled),
            )

    def forget(self, entries: Iterable[Entry]) -> None:
        """Strike entries out; their files must be gone by now."""
        with self._writing():
            self._note({_INDEXED_AS: ""})
            self._database.executemany(
                "DELETE FROM instances WHERE id = ?", ((one.id,) for one in entries)
            )

    def _writing(self) -> "_Transaction":
        return _Transaction(self._database)

    def _want(self, refs: Iterable[InstanceRef]) -> None:
        self._database.executemany(
            "INSERT INTO instances (study_uid, series_uid, instance_uid, study_date, study_name, "
            "series_name, instance_name, state) VALUES (?, ?, ?, ?, ?, ?, ?, 'wanted') "
            "ON CONFLICT DO UPDATE SET state = 'wanted'",
            (
                (ref.study_uid, ref.series_uid, ref.instance_uid, ref.study_date, *self._names(ref))
                for ref in refs
            ),
        )

    def _names(self, ref: InstanceRef) -> tuple[str, str, str]:
        name = self._pseudonyms.pseudonym
        return (
            name("study", ref.study_uid),
            name("series", ref.series_uid),
            name("instance", ref.instance_uid),
        )

    def _note(self, facts: Mapping[str, str]) -> None:
        self._database.executemany("REPLACE INTO facts VALUES (?, ?)", facts.items())

    def _number(self, query: str, value: str) -> int:
        return int(self._database.execute(query, (value,)).fetchone()[0])


class _Transaction:
    """All or nothing; a kill in between leaves nothing."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._database.execute("ROLLBACK" if kind else "COMMIT")


def _entry(row: tuple[Any, ...]) -> Entry:
    number, study_uid, series_uid, instance_uid, study_date, *names, state, sha256 = row
    ref = InstanceRef(study_uid, series_uid, instance_uid, study_date)
    return Entry(number, ref, "/".join(names) + ".dcm", state, sha256)
