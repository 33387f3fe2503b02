"""One query object for every kind of input."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from indexer.pixels.ct_windows import WindowName
from service.retrieval.filters import Filter

Target: TypeAlias = Literal["images", "questions"]
GroupBy: TypeAlias = Literal["case", "study", "series", "patient", "article"]
QueryKind: TypeAlias = Literal["text", "image", "record", "vector", "series", "mixed"]
Match: TypeAlias = Literal["late_interaction", "best_slice"]
Mode: TypeAlias = Literal["hybrid", "dense", "lexical"]
SameAs: TypeAlias = Literal["case", "article", "near_duplicate"]


@dataclass(frozen=True, slots=True)
class TextSource:
    """Words to search with."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ImageSource:
    """The bytes of an image file (PNG, JPEG, TIFF, WebP, DICOM ...), not yet decoded."""

    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecordSource:
    """An indexed record to search like; its own embedding is used, so nothing is encoded."""

    record_id: str


@dataclass(frozen=True, slots=True, eq=False)
class VectorSource:
    """A ready embedding float32 (d,) for one field (`image`, `caption`, `question`)."""

    name: str
    vector: npt.NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SeriesSource:
    """The image files of one series or study, in their order, not yet decoded."""

    files: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class StudySource:
    """An indexed study or series to search like, by the id that its records state."""

    by: Literal["study", "series"]
    group_id: str


Source: TypeAlias = (
    TextSource | ImageSource | RecordSource | VectorSource | SeriesSource | StudySource
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerank:
    """A cross-encoder that reads the first `depth` texts with the query, if time allows."""

    encoder: str
    depth: int = 50
    budget_ms: float = 2000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is looked for, where, and how it is to be answered.

    `target` is the kind of records wanted; `indexes` None means all of that kind. Hits are to be
    like `source` and all of `also`, unlike the records named in `unlike`. `mode` says whether
    embeddings vote (`dense`), words (`lexical`) or both; `weights` replaces the votes of single
    rankings, by their names in `Hit.why`.

    Records named in `exclude_records` or `unlike` never appear, nor those of `exclude_datasets`
    and `exclude_splits`, nor what is the same as the query's own record or image by
    `exclude_same`. The first `offset` hits are skipped, so that pages of equal `k` follow on each
    other. With `group_by` each hit is the best of its group and lists its `group_size` best.
    `facets` names fields whose values are counted; `evidence` asks for labels among the nearest
    cases. `rerank` lets a cross-encoder order the first hits. Hits whose percentile is known to be
    less than `min_percentile` are left out. `windows` says in which windows CT slices are compared:
    if it is empty, those that the words name, or the one in which the query's own slice is best
    read. `match` says how a whole series or study is compared with others. Checked by
    `Retriever.search`, not here.
    """

    target: Target
    source: Source
    also: tuple[Source, ...] = ()
    unlike: tuple[str, ...] = ()
    k: int = 10
    offset: int = 0
    indexes: tuple[str, ...] | None = None
    filters: Filter | None = None
    mode: Mode = "hybrid"
    weights: Mapping[str, float] | None = None
    group_by: GroupBy | None = None
    group_size: int = 1
    exclude_records: frozenset[str] = frozenset()
    exclude_same: frozenset[SameAs] = frozenset()
    exclude_datasets: frozenset[str] = frozenset()
    exclude_splits: frozenset[str] = frozenset()
    rerank: Rerank | None = None
    explain: bool = False
    facets: tuple[str, ...] = ()
    evidence: bool = False
    min_percentile: float | None = None
    windows: tuple[WindowName, ...] = ()
    match: Match = "late_interaction"

    @property
    def sources(self) -> tuple[Source, ...]:
        """Everything that hits are to be like."""
        return (self.source, *self.also)

    @property
    def kind(self) -> QueryKind:
        """What the query consists of."""
        if len({type(source) for source in self.sources}) > 1:
            return "mixed"
        match self.source:
            case TextSource():
                return "text"
            case ImageSource():
                return "image"
            case RecordSource():
                return "record"
            case VectorSource():
                return "vector"
            case SeriesSource() | StudySource():
                return "series"
