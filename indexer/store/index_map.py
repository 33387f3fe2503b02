"""The map of a build: where a sample of its records lies in the plane, so that like lies by like.

The sample is bounded, so that a map costs the same whatever the index holds. Records outside it
are placed among those on the map when somebody asks for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from indexer.store.arrays import read_array, write_array
from indexer.text.fields import CHINESE_FIELDS

if TYPE_CHECKING:
    from indexer.store.field_manifest import FieldManifest
    from indexer.store.vectors import FieldVectors

MAP_NAME = "map.npy"
MAP_ROWS_NAME = "map.rows.npy"
MAPPED_FIELDS = ("image", "question", CHINESE_FIELDS["question"])
"""What is drawn of an image index, of a text index, and of one that is all in Chinese."""

MOST_POINTS = 5000
# A record outside the sample lies at the median of so many that are on the map and nearest to it:
# a mean would put it between two groups where it belongs to neither.
_NEIGHBOURS = 5
_SEED = 31
_QUERIES_AT_ONCE = 256

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Drawn = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class MapFacts:
    """What a manifest says of a map: the field that was projected, and how many points it has.

    `trustworthiness` (Venna and Kaski, 2001) is 1 where all that lies together on the map is near
    in truth, and about .5 in a map drawn at random; None where there are too few points.
    """

    field: str
    points: int
    trustworthiness: float | None


@dataclass(frozen=True, slots=True)
class Projection:
    """Places float32 (n, 2) within the unit square, and how far they can be trusted."""

    places: Vectors
    trustworthiness: float | None


class Projects(Protocol):
    """Draws embeddings in the plane."""

    @property
    def digest(self) -> str:
        """What the map depends on beside the embeddings: another digest, another map."""
        ...

    def project(self, vectors: Vectors) -> Projection:
        """Return where unit rows float32 (n, d) lie; the same for the same rows."""
        ...


@dataclass(frozen=True, slots=True)
class IndexMap:
    """The map of an open build: record rows int64 (n,), rising, and their places (n, 2)."""

    facts: MapFacts
    rows: Rows
    places: Vectors

    @classmethod
    def open(cls, folder: Path, facts: MapFacts) -> "IndexMap":
        """Memory-map the map of a build."""
        return cls(facts, read_array(folder / MAP_ROWS_NAME), read_array(folder / MAP_NAME))

    def places_of(self, rows: Rows, field: "FieldVectors") -> tuple[Vectors, Drawn]:
        """Return where records lie, (q, 2), and which of them the map was drawn with, (q,).

        The others are placed by their embeddings in the map's own field; NaN without one.
        """
        at = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        drawn = self.rows[at] == rows
        places = np.where(drawn[:, np.newaxis], self.places[at], np.float32(np.nan))
        others = [(n, field.of_row(int(rows[n]))) for n in np.flatnonzero(~drawn).tolist()]
        known = [(n, vector) for n, vector in others if vector is not None]
        if known:
            mapped = field.vectors[np.searchsorted(field.rows, self.rows)]
            vectors = np.stack([vector for _, vector in known])
            places[[n for n, _ in known]] = self.place_among(vectors, mapped)
        return places, np.asarray(drawn)

    def place_among(self, vectors: Vectors, mapped: Vectors) -> Vectors:
        """Return where vectors (q, d) would lie, (q, 2), given those of the map's rows, (n, d)."""
        placed = np.empty((len(vectors), 2), np.float32)
        count = min(_NEIGHBOURS, len(mapped))
        for start in range(0, len(vectors), _QUERIES_AT_ONCE):
            some = slice(start, start + _QUERIES_AT_ONCE)
            cosines = vectors[some] @ mapped.T
            nearest = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
            placed[some] = np.median(self.places[nearest], axis=1)
        return placed


def draw_map(
    folder: Path, fields: "Mapping[str, FieldManifest]", projector: Projects
) -> MapFacts | None:
    """Project the records of a build in a folder and write its map; None if none is embedded."""
    for name in MAPPED_FIELDS:
        if name in fields and fields[name].vectors:
            break
    else:
        return None
    drawn = _sample(fields[name].vectors)
    rows, first = np.unique(read_array(folder / f"{name}.rows.npy")[drawn], return_index=True)
    vectors = np.asarray(read_array(folder / f"{name}.vectors.npy")[drawn[first]], np.float32)
    projection = projector.project(vectors)
    write_array(folder / MAP_ROWS_NAME, [rows], (len(rows),), np.int64)
    write_array(folder / MAP_NAME, [projection.places], (len(rows), 2), np.float32)
    return MapFacts(field=name, points=len(rows), trustworthiness=projection.trustworthiness)


def parse_map(values: Mapping[str, Any] | None) -> MapFacts | None:
    """Return what a manifest's JSON says of a map; None where it says nothing.

    Raises
    ------
    TypeError
        These are no facts of a map.
    """
    return None if values is None else MapFacts(**values)


def _sample(count: int) -> Rows:
    """Return which of `count` embeddings are drawn, all equally likely; the same each time."""
    chosen = np.random.default_rng([_SEED, count]).choice(
        count, min(count, MOST_POINTS), replace=False
    )
    return np.sort(chosen)
