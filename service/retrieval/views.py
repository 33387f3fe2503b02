"""Which embeddings of pictures a query is compared with: as they are shown, or CT by window.

All of them lie in one space. A query that names windows is compared with these alone, wherever an
index has them; a CT slice with the slices in its own window and with pictures, as they are shown,
that are in no window; anything else with all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.pixels.ct_windows import WINDOW_FIELDS, WindowName
from indexer.pixels.window_words import windows_asked
from indexer.store.reader import IndexReader
from indexer.store.subset import Subset
from service.retrieval.encoding import Vector
from service.retrieval.query import Query, TextSource
from service.retrieval.spaces import IMAGE, Space


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """An embedded picture float32 (d,), and the window that it was seen in if it is a CT slice."""

    vector: Vector
    window: WindowName | None


def windows_wanted(query: Query) -> tuple[WindowName, ...]:
    """Return the windows that a query asks for by option, else those that its words name."""
    if query.windows:
        return query.windows
    return windows_asked(
        "\n".join(one.text for one in query.sources if isinstance(one, TextSource))
    )


def fields_compared(
    space: Space, wanted: Sequence[WindowName], seen: Sequence[View] = ()
) -> tuple[str, ...]:
    """Return the fields of a space that words, or the pictures `seen`, are compared with."""
    if space.field != IMAGE:
        return ()
    if wanted:
        return tuple(map(field_of, wanted))
    own = {one.window for one in seen}
    window = own.pop() if len(own) == 1 else None
    return (IMAGE, *WINDOW_FIELDS) if window is None else (field_of(window), IMAGE)


def records_compared(reader: IndexReader, name: str, fields: Sequence[str]) -> Subset | None:
    """Return whose embeddings in the field `name`, one of `fields`, are compared; None for all.

    Beside slices in the query's window, pictures are compared as they are shown only if they are in
    no window: CT that shows nothing in the query's window is not like it, however it is shown.
    """
    if name != IMAGE or IMAGE in fields[:1]:
        return None
    windows = frozenset(WINDOW_FIELDS).intersection(reader.manifest.fields)
    return reader.rows_without(windows) if windows else None


def view_of_record(reader: IndexReader, row: int, wanted: Sequence[WindowName]) -> View | None:
    """Return a record's embedding in the first wanted or the leading window, else as it is shown.

    None where it has no embedding at all.
    """
    for window in (*wanted, *WINDOW_FIELDS.values()):
        name = field_of(window)
        if name in reader.manifest.fields:
            vector = reader.vector(name, row)
            if vector is not None:
                return View(vector, window)
    vector = reader.vector(IMAGE, row) if IMAGE in reader.manifest.fields else None
    return None if vector is None else View(vector, None)


def field_of(window: WindowName) -> str:
    """Return the field that holds CT slices in a window."""
    return f"{window}_window"
