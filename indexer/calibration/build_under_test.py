"""A build that is complete but for its manifest, opened to be asked."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from indexer.calibration.chance import Scores
from indexer.calibration.probes import Probe, sample_rows
from indexer.encoders.spec import Resize
from indexer.pixels.ct_windows import WINDOW_FIELDS
from indexer.pixels.resize import make_square
from indexer.store.lexical import LEXICAL_NAME, LexicalIndex
from indexer.store.picking import ColumnPicker
from indexer.store.shards import RECORDS_NAME, THUMBNAILS_NAME, read_table
from indexer.store.vectors import FieldVectors

if TYPE_CHECKING:
    import pyarrow as pa

    from indexer.store.field_manifest import FieldManifest

Vectors = npt.NDArray[np.float32]

_IMAGE = "image"
_DEPTH = 50
_DEEPER = 8
_DEEPEST = 3200
_COVERED = 1000


@dataclass(frozen=True, slots=True)
class OwnPictures:
    """A sample of an index's pictures: pixels uint8 (n, px, px, 3), embeddings (n, d), cases."""

    pixels: Sequence[npt.NDArray[np.uint8]]
    vectors: Vectors
    cases: Sequence[str]


class BuildUnderTest:
    """The search structures and the records of a build.

    CT slices by window count as further views of their image, as they do in a search: an image
    scores what the best of its views does.
    """

    def __init__(self, folder: Path, fields: "Mapping[str, FieldManifest]") -> None:
        self.folder = folder
        self.table: pa.Table = read_table(folder / RECORDS_NAME)
        self.kind: Literal["image", "text"] = (
            "text" if "question" in self.table.schema.names else "image"
        )
        opened = {
            name: FieldVectors(folder, name, field, len(self.table))
            for name, field in fields.items()
            if field.vectors
        }
        self._by_window = [opened[name] for name in WINDOW_FIELDS if name in opened]
        self.fields = {name: one for name, one in opened.items() if name not in WINDOW_FIELDS}
        self._cases = ColumnPicker(self.table, "case_id")
        self._lexical = LexicalIndex(folder / LEXICAL_NAME, len(self.table))

    def records_with(self, token: str) -> int:
        """Return how many records hold a token."""
        return self._lexical.records_with(token)

    def best_cosine(self, field: str, vectors: Vectors) -> Scores:
        """Return the best cosine of each query: float64 (q,)."""
        best = [
            [scores[0] for _, scores in view.search(vectors, 1, None, False)]
            for view in self._views(field)
        ]
        return np.asarray(np.max(np.array(best, np.float64), axis=0))

    def best_cosine_elsewhere(self, field: str, vectors: Vectors, cases: Sequence[str]) -> Scores:
        """Return the best cosine of each query with a record of another case; -inf without one."""
        best = [
            [self._best_elsewhere(view, *one) for one in zip(vectors, cases, strict=True)]
            for view in self._views(field)
        ]
        return np.asarray(np.max(np.array(best, np.float64), axis=0))

    def own_cosines(self, field: str, vectors: Vectors, rows: npt.NDArray[np.int64]) -> Scores:
        """Return the best cosine of each query with its own row, of those that are embedded."""
        best = np.full(len(rows), -np.inf)
        for view in self._views(field):
            for number, row in enumerate(rows.tolist()):
                own = view.of_row(row)
                if own is not None:
                    best[number] = max(best[number], float(vectors[number] @ own))
        found: Scores = best[np.isfinite(best)]
        return found

    def paired_cosines(
        self, field: str, vectors: Vectors, cases: Sequence[str], most: int
    ) -> Scores:
        """Return the cosines of queries with sampled records of other cases, in any order."""
        searched = self.fields[field]
        places = np.array(sample_rows(len(searched.vectors), most), np.int64)
        others = self._cases_of(searched.rows[places])
        apart = np.array(cases, np.object_)[:, np.newaxis] != others
        cosines = vectors.astype(np.float64) @ searched.vectors[places].astype(np.float64).T
        for view in self._views(field)[1:]:
            _, here, there = np.intersect1d(
                searched.rows[places], view.rows, assume_unique=True, return_indices=True
            )
            seen = vectors.astype(np.float64) @ view.vectors[there].astype(np.float64).T
            cosines[:, here] = np.maximum(cosines[:, here], seen)
        return np.asarray(cosines[apart]) if len(vectors) else np.empty(0)

    def best_coverage(self, texts: Sequence[str]) -> Scores:
        """Return how much of each text's words the best record covers: float64 (q,)."""
        best = [self._covered(text, 1)[1] for text in texts]
        return np.array([scores[0] if len(scores) else 0.0 for scores in best], np.float64)

    def best_coverage_elsewhere(self, probes: Sequence[Probe]) -> Scores:
        """Return how much of each probe a record of another case covers at best."""
        best = [
            max(0.0, self._best_of_others(*self._covered(probe.text, _DEPTH), probe.case_id))
            for probe in probes
        ]
        return np.array(best, np.float64)

    def paired_coverage(self, probes: Sequence[Probe]) -> tuple[Scores, Scores]:
        """Return coverages of probes by records of other cases, and how many pairs have each.

        Only a thousand records are ranked for a probe; the rest count as the last of these.
        """
        scores: list[float] = []
        counts: list[float] = []
        for probe in probes:
            rows, covered = self._covered(probe.text, _COVERED)
            others = covered[self._cases_of(rows) != probe.case_id]
            scores += [*others.tolist(), float(covered[-1]) if len(rows) == _COVERED else 0.0]
            counts += [*np.ones(len(others)).tolist(), float(len(self.table) - len(rows))]
        return np.array(scores, np.float64), np.array(counts, np.float64)

    def sample_pictures(self, most: int, px: int, resize: Resize) -> OwnPictures:
        """Return some of the index's pictures as an encoder would see their thumbnails."""
        searched = self.fields[_IMAGE]
        places = np.array(sample_rows(len(searched.vectors), most), np.int64)
        rows = searched.rows[places]
        shown: list[int] = []
        pixels: list[npt.NDArray[np.uint8]] = []
        thumbnails = ColumnPicker(read_table(self.folder / THUMBNAILS_NAME), "jpeg")
        for place, jpeg in enumerate(thumbnails.pick(rows)):
            if jpeg:
                with Image.open(io.BytesIO(jpeg)) as image:
                    pixels.append(make_square(image, px, resize))
                shown.append(place)
        cases = self._cases_of(rows[shown]).tolist()
        return OwnPictures(pixels, np.asarray(searched.vectors[places[shown]]), cases)

    def _views(self, field: str) -> Sequence[FieldVectors]:
        return [self.fields[field], *(self._by_window if field == _IMAGE else ())]

    def _best_elsewhere(self, view: FieldVectors, vector: Vectors, case: str) -> float:
        """Return the best cosine with a record of another case; -inf without one."""
        depth = _DEPTH
        while True:
            [(rows, scores)] = view.search(vector[np.newaxis], depth, None, False)
            best = self._best_of_others(rows, scores, case)
            depth *= _DEEPER
            if np.isfinite(best) or len(rows) * _DEEPER < depth or depth > _DEEPEST:
                return best

    def _covered(self, text: str, count: int) -> tuple[npt.NDArray[np.int64], Scores]:
        """Return rows and the share of the text's words that each covers, best first."""
        rows, scores = self._lexical.search(text, count, None)
        ceiling = self._lexical.ceiling(text)
        return rows, scores.astype(np.float64) / (ceiling or 1.0)

    def _best_of_others(
        self, rows: npt.NDArray[np.int64], scores: npt.NDArray[np.floating], case: str
    ) -> float:
        others = scores[self._cases_of(rows) != case]
        return float(others[0]) if len(others) else -np.inf

    def _cases_of(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.object_]:
        return np.array(self._cases.pick(rows), np.object_)
