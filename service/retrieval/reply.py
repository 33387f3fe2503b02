"""The answer to a query: hits, what they come from, and what it takes to ask again."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.retrieval.evidence import LabelEvidence
from service.retrieval.facets import FacetCount
from service.retrieval.hits import Hit, LegReport, Note, ScoreKind
from service.retrieval.query import Query
from service.retrieval.receipt import Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchReply:
    """Hits, best first, with the builds that they come from.

    `score_kind` says what the scores are: the cosine similarity or word coverage of one ranking,
    the RRF sum of several, or the weighted mean of a cosine above chance and a coverage.
    `stages_ms` holds the time of each stage (`encode`, `search`, `records`, and `counts` if asked
    for). `records_allowed` counts the records that filters and exclusions leave, whether or not
    anything finds them. `legs` says how each ranking was made. `relevant` says whether anything
    found is better than chance, None if that cannot be said; `relevance_reason` why nothing is.
    `facets` and `evidence` are what the query asked for of these, `receipt` what it takes to ask
    again.
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
    receipt: Receipt
    relevant: bool | None = None
    relevance_reason: str | None = None
    facets: Mapping[str, tuple[FacetCount, ...]] = field(default_factory=dict)
    evidence: tuple[LabelEvidence, ...] | None = None
