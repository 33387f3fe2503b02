"""From a whole series or study as the query to the leg that answers it."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from indexer.errors import NotAnImageError, QueryError
from indexer.pixels.ct_windows import WindowName
from indexer.store.reader import IndexReader
from service.retrieval.columns import BuildColumns, ColumnCache
from service.retrieval.drafting import Draft
from service.retrieval.encoding import QueryEncoders, SeenImage
from service.retrieval.grouping import GROUP_COLUMNS
from service.retrieval.late_interaction import SeriesLeg, Slices
from service.retrieval.query import Query, SeriesSource, StudySource
from service.retrieval.series_slices import files_of_series, rows_of_study
from service.retrieval.spaces import IMAGE, Space
from service.retrieval.views import View, fields_compared, view_of_record, windows_wanted


def is_of_series(query: Query) -> bool:
    """Return whether a whole series or study is what a query consists of."""
    return any(isinstance(one, SeriesSource | StudySource) for one in query.sources)


def plan_series(
    draft: Draft,
    encoders: QueryEncoders,
    columns: ColumnCache,
    everywhere: Mapping[str, IndexReader],
) -> None:
    """Add the leg that compares a series or study with the groups of the searched indexes.

    Of the query 32 slices are compared, spread evenly over it.

    Raises
    ------
    QueryError
        Something else is asked for as well, or hits are not to be grouped.
    RecordNotFoundError
        No indexed image states the study or series.
    DecodeError, EncoderError
        As for a query by image.
    """
    query = draft.query
    if len(query.sources) > 1 or query.mode == "lexical" or query.target != "images":
        raise QueryError(
            "A whole series is searched by itself, among images, by its pictures.",
            remedy="Leave words, other examples and mode lexical out.",
        )
    if query.group_by is None:
        raise QueryError(
            "A whole series is compared with groups of images.", remedy="Group by study or series."
        )
    spaces = dict(draft.spaces((IMAGE,)))
    views = dict(_views(draft, encoders, columns, everywhere, spaces))
    for space, seen in views.items():
        members = spaces[space]
        builds = [columns.of(draft.readers[member]) for member in members]
        draft.legs.append(
            SeriesLeg(
                name=query.match,
                space=space,
                weight=1.0,
                slices=tuple(_slices(space, seen, query)),
                members=members,
                groups=tuple(_groups(build, GROUP_COLUMNS[query.group_by]) for build in builds),
                best=query.group_size,
            )
        )


def _views(
    draft: Draft,
    encoders: QueryEncoders,
    columns: ColumnCache,
    everywhere: Mapping[str, IndexReader],
    spaces: Mapping[Space, tuple[int, ...]],
) -> Iterator[tuple[Space, list[View]]]:
    """Yield the query's slices as they are embedded in each space that they can be compared in."""
    wanted = windows_wanted(draft.query)
    match draft.query.source:
        case SeriesSource() as source:
            files = files_of_series(source, encoders.unpack)
            for space, members in spaces.items():
                with draft.tolerating(members):
                    seen = _see(encoders, space, files, wanted)
                    for one in seen:
                        draft.add_look(space, one.look)
                    yield space, [View(one.vector, one.window) for one in seen]
        case StudySource() as source:
            home, rows = rows_of_study(source, columns, everywhere)
            own = Space.of(home, IMAGE)
            for space, members in spaces.items():
                if space == own:
                    found = (view_of_record(home, row, wanted) for row in rows)
                    yield space, [view for view in found if view is not None]
                else:
                    draft.note_other_space(space, members)


def _see(
    encoders: QueryEncoders, space: Space, files: Sequence[bytes], wanted: Sequence[WindowName]
) -> list[SeenImage]:
    """Embed files, leaving out reports and the like, which lie beside the images of a study.

    Raises
    ------
    NotAnImageError
        There is nothing but these.
    """
    seen: list[SeenImage] = []
    failure: NotAnImageError | None = None
    for raw in files:
        try:
            seen.append(encoders.see_image(space, raw, wanted))
        except NotAnImageError as error:
            failure = error
    if not seen and failure is not None:
        raise failure
    return seen


def _slices(space: Space, views: Sequence[View], query: Query) -> Iterator[Slices]:
    """Yield the views of slices by the fields that they are compared with."""
    alike: dict[tuple[str, ...], list[View]] = {}
    wanted = windows_wanted(query)
    for view in views:
        alike.setdefault(fields_compared(space, wanted, [view]), []).append(view)
    for fields, some in alike.items():
        yield Slices(np.stack([view.vector for view in some]), fields)


def _groups(build: BuildColumns, name: str) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    if name not in build.names:
        return np.full(build.records, -1, np.int32)
    return build.groups(name).codes
