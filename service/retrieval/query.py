"""One query object for every kind of input, and what answers it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from indexer.pixels.ct_windows import WINDOW_FIELDS, WindowName
from indexer.records import AnyRecord
from service.retrieval.filters import Filter

if TYPE_CHECKING:
    from service.retrieval.evidence import LabelEvidence
    from service.retrieval.facets import FacetCount
    from service.retrieval.receipt import Receipt

Target: TypeAlias = Literal["images", "questions"]
GroupBy: TypeAlias = Literal["case", "study", "series", "patient", "article"]
QueryKind: TypeAlias = Literal["text", "image", "record", "vector", "series", "mixed"]
Match: TypeAlias = Literal["late_interaction", "best_slice"]
Mode: TypeAlias = Literal["hybrid", "dense", "lexical"]
SameAs: TypeAlias = Literal["case", "article", "near_duplicate"]
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


@dataclass(frozen=True, slots=True)
class Place:
    """Where one ranking put a hit: rank from 1, and its own score (cosine, or word coverage).

    `field` names the embedding that matched where a ranking compares several of a record:
    `image`, or a CT slice by window (`lung_window` ...).
    """

    rank: int
    score: float
    field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The group that a hit stands for; `records` counts its members in the hit's index.

    `best` holds the best of them, the hit itself first, as many as the query's `group_size`.
    """

    by: GroupBy
    group_id: str
    records: int
    best: "tuple[Hit, ...]" = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One answer. `why` says where each ranking (`image`, `caption`, `lexical` ...) put it.

    `contradicts` marks a record whose words deny what the query asks for, or place it on the other
    side; such hits stand behind the others. `matched_words` are the query's words that the record
    shares; None unless the query asked for an explanation. `percentile` is the share of unrelated
    pairs (0 to 100) that it beats in its best ranking, `beats_chance` whether it is above what
    unrelated queries find; both are None where that is not known.
    """

    rank: int
    score: float
    index: str
    record: AnyRecord
    why: Mapping[str, Place]
    group: Group | None = None
    contradicts: bool = False
    matched_words: tuple[str, ...] | None = None
    percentile: float | None = None
    beats_chance: bool | None = None

    @property
    def window(self) -> WindowName | None:
        """The window in which this CT slice matched; None if it matched as it is shown."""
        named = (WINDOW_FIELDS.get(place.field or "") for place in self.why.values())
        return next((name for name in named if name is not None), None)


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a reader of the hits should know, e.g. a field that could not take part."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegReport:
    """How one ranking was made: in which indexes, how deep, and how much was compared for it.

    `scanned` counts embeddings (or texts) that were compared; where the search is not exact it is
    the number expected in the lists that were read.
    """

    name: str
    measure: Measure
    weight: float
    indexes: tuple[str, ...]
    depth: int
    exact: bool
    scanned: int
    took_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchReply:
    """Hits, best first, with the builds that they come from.

    `score_kind` says what the scores are: the cosine similarity or word coverage of one ranking,
    the RRF sum of several, or the weighted mean of a cosine above chance and a coverage.
    `stages_ms` holds the time of each stage (`encode`, `search`, `records`). `records_allowed`
    counts the records that filters and exclusions of datasets and splits leave. `legs` says how
    each ranking was made. `relevant` says whether anything found is better than chance, None if
    that cannot be said; `relevance_reason` why nothing is. `facets` and `evidence` are what the
    query asked for of these, `receipt` what it takes to ask again.
    """

    query: Query
    hits: tuple[Hit, ...]
    builds: Mapping[str, str]
    score_kind: ScoreKind
    notes: tuple[Note, ...]
    stages_ms: Mapping[str, float]
    took_ms: float
    records_allowed: int
    legs: tuple[LegReport, ...]
    receipt: "Receipt"
    relevant: bool | None = None
    relevance_reason: str | None = None
    facets: "Mapping[str, tuple[FacetCount, ...]]" = field(default_factory=dict)
    evidence: "tuple[LabelEvidence, ...] | None" = None
