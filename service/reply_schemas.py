"""The shapes of replies, as OpenAPI shows them; `service.replies` fills them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from indexer.pixels.ct_windows import WindowName
from service.reply_schemas_counts import EvidenceReply, FacetCountReply, ReceiptReply
from service.retrieval.hits import Measure
from service.retrieval.query import GroupBy, Mode, QueryKind, Target


class Reply(BaseModel):
    """Base of all replies: a field that is not listed is a mistake of ours."""

    model_config = ConfigDict(extra="forbid")


class PlaceReply(Reply):
    """Where one ranking put a hit; `field` is the embedding that matched (`lung_window` ...)."""

    rank: int
    score: float
    field: str | None = None


class OptionReply(Reply):
    """One answer option."""

    key: str
    text: str


class RecordReply(Reply):
    """A record: an image with what is known about it, or a question with its answer."""

    record_id: str
    index: str
    dataset: str
    split: str
    source_id: str
    case_id: str
    language: str
    labels: list[str]
    licence: str
    attribution: str | None
    synthetic: bool
    kind: Literal["image", "text"]
    url: str
    caption: str | None = None
    concepts: list[str] | None = None
    modality: str | None = None
    body_part: str | None = None
    patient_id: str | None = None
    study_id: str | None = None
    series_id: str | None = None
    article_id: str | None = None
    year: int | None = None
    slice_number: int | None = None
    age_years: float | None = None
    sex: str | None = None
    contrast: bool | None = None
    abnormal: bool | None = None
    thumbnail_url: str | None = None
    viewer_url: str | None = None
    question: str | None = None
    answer: str | None = None
    context: str | None = None
    options: list[OptionReply] | None = None
    answer_keys: list[str] | None = None
    reasoning: str | None = None
    calculator: str | None = None
    category: str | None = None
    answer_lower: str | None = None
    answer_upper: str | None = None


class MemberReply(Reply):
    """One record of a case; an image has its thumbnail at `url`/thumbnail.

    `windows` are those that its thumbnail can be asked for in: `?window=lung`.
    """

    record_id: str
    series_id: str | None
    slice_number: int | None
    windows: list[WindowName]
    url: str


class CaseReply(Reply):
    """A case of an index: `records` counts them all, `members` lists 2000 of them at most."""

    index: str
    case_id: str
    records: int
    members: list[MemberReply]


class GroupReply(Reply):
    """The group that a hit stands for; `records` counts its members in the index.

    `hits` are the best of them, if `group_size` asks for more than one.
    """

    by: GroupBy
    id: str
    records: int
    hits: list["HitReply"]


class PreviewSliceReply(Reply):
    """One image as it was read: a small JPEG as base64, and the size of the upright image."""

    jpeg_base64: str
    width_px: int
    height_px: int
    slice_number: int | None


class PreviewReply(Reply):
    """How an upload was read: the slices that a search compares, of `images` that were sent.

    `windows` are the CT windows in which the middle one shows something, the leading one first.
    """

    slices: list[PreviewSliceReply]
    images: int
    windows: list[WindowName]


class HitReply(RecordReply):
    """A record at its place in the answer; `window` is the one in which a CT slice matched."""

    rank: int
    score: float
    why: dict[str, PlaceReply]
    window: WindowName | None = None
    group: GroupReply | None = None
    contradicts: bool
    matched_words: list[str] | None = None
    percentile: float | None


class QueryReply(Reply):
    """What was asked, but for the words or the image themselves."""

    kind: QueryKind
    target: Target
    k: int
    offset: int
    mode: Mode
    group_by: GroupBy | None


class RankingReply(Reply):
    """How one ranking was made: where, how deep, whether exactly, and what was compared for it."""

    name: str
    measure: Measure
    weight: float
    indexes: list[str]
    depth: int
    exact: bool
    scanned: int
    took_ms: float


class ExplainReply(Reply):
    """The plan of the query: every ranking of every depth that was needed."""

    rankings: list[RankingReply]


class NoteReply(Reply):
    """Something that a reader of the hits should know."""

    code: str
    message: str


class SearchReplyBody(Reply):
    """Hits, best first; `relevant` is false if none of them is better than chance."""

    query: QueryReply
    relevant: bool | None
    relevance_reason: str | None
    records_allowed: int
    score_kind: Literal["cosine", "coverage", "rrf", "blend"]
    hits: list[HitReply]
    builds: dict[str, str]
    explain: ExplainReply | None
    facets: dict[str, list[FacetCountReply]]
    evidence: list[EvidenceReply] | None
    receipt: ReceiptReply
    notes: list[NoteReply]
    stages_ms: dict[str, float]
    took_ms: float
    disclaimer: str


class ErrorReply(Reply):
    """Why there is no answer, and what to do about it."""

    code: str
    message: str
    remedy: str
    details: list[dict[str, str]] | None = None


class AliveReply(Reply):
    """The process answers."""

    status: Literal["alive"]


class ProblemReply(Reply):
    """Something that keeps an index or an encoder from serving."""

    index: str | None
    code: str
    message: str


class ReadyReply(Reply):
    """Whether searches are answered, and from which builds."""

    ready: bool
    builds: dict[str, str]
    problems: list[ProblemReply]


class FieldReply(Reply):
    """What of the records was embedded, and by what."""

    name: str
    encoder: str
    dim: int
    metric: str
    vectors: int


class FilterFieldReply(Reply):
    """A field that filters may name; `values` lists those of a category (at most 100)."""

    key: str
    kind: Literal["category", "identifier", "tags", "number", "flag"]
    values: list[str] | None = None


class MapFactsReply(Reply):
    """What the map of an index shows: the field that was projected, how many records, how truly.

    `trustworthiness` is 1 where all neighbours on the map are neighbours in truth, about .5 where
    none is but by chance, null where there are too few points.
    """

    field: str
    points: int
    trustworthiness: float | None


class IndexReply(Reply):
    """One published index and its live build."""

    name: str
    dataset: str
    kind: Literal["image", "text"]
    build_id: str
    created_at: str
    records: int
    duplicates: int
    rejects: int
    licence: str
    citation: str
    synthetic: bool
    fields: list[FieldReply]
    map: MapFactsReply | None
    filter_fields: list[FilterFieldReply] | None = None


class IndexesReply(Reply):
    """All published indexes, and those that could not be opened."""

    indexes: list[IndexReply]
    problems: list[ProblemReply]
