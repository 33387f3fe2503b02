"""One query object for every kind of input, and what answers it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from indexer.records import AnyRecord
from service.retrieval.filters import Filter

Target: TypeAlias = Literal["images", "questions"]
GroupBy: TypeAlias = Literal["case", "study", "series", "patient", "article"]
QueryKind: TypeAlias = Literal["text", "image", "record", "vector"]
Measure: TypeAlias = Literal["cosine", "coverage"]
ScoreKind: TypeAlias = Literal["cosine", "coverage", "rrf", "blend"]


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


Source: TypeAlias = TextSource | ImageSource | RecordSource | VectorSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is looked for, where, and how it is to be answered.

    `target` is the kind of records wanted; `indexes` None means all of that kind. Records named
    in `exclude_records` never appear. With `group_by` each of the `k` hits is the best of its
    group. Checked by `Retriever.search`, not here.
    """

    target: Target
    source: Source
    k: int = 10
    indexes: tuple[str, ...] | None = None
    filters: Filter | None = None
    group_by: GroupBy | None = None
    exclude_records: frozenset[str] = frozenset()

    @property
    def kind(self) -> QueryKind:
        """What the query consists of."""
        match self.source:
            case TextSource():
                return "text"
            case ImageSource():
                return "image"
            case RecordSource():
                return "record"
            case VectorSource():
                return "vector"


@dataclass(frozen=True, slots=True)
class Place:
    """Where one ranking put a hit: rank from 1, and its own score (cosine, or word coverage)."""

    rank: int
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The group that a hit stands for; `records` counts its members in the hit's index."""

    by: GroupBy
    group_id: str
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One answer. `why` says where each ranking (`image`, `caption`, `lexical` ...) put it."""

    rank: int
    score: float
    index: str
    record: AnyRecord
    why: Mapping[str, Place]
    group: Group | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a reader of the hits should know, e.g. a field that could not take part."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchReply:
    """Hits, best first, with the builds that they come from.

    `score_kind` says what the scores are: the cosine similarity or word coverage of one ranking,
    the RRF sum of several, or the weighted mean of a cosine and a coverage. `stages_ms` holds the
    time of each stage (`encode`, `search`, `records`).
    """

    query: Query
    hits: tuple[Hit, ...]
    builds: Mapping[str, str]
    score_kind: ScoreKind
    notes: tuple[Note, ...]
    stages_ms: Mapping[str, float]
    took_ms: float
