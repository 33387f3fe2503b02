"""Hits: what was found, and where and how each ranking put it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from indexer.pixels.ct_windows import WINDOW_FIELDS, WindowName
from indexer.records import AnyRecord
from service.retrieval.query import GroupBy

Measure: TypeAlias = Literal["cosine", "coverage"]
ScoreKind: TypeAlias = Literal["cosine", "coverage", "rrf", "blend"]


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
    side; where `refining` says so, it stands behind others. `matched_words` are the query's words
    that the record shares; None unless the query asked for an explanation. `percentile` is the
    share of unrelated pairs (0 to 100) that it beats in its best ranking, be it beyond the depth
    that was read (by words, in a ranking that holds it), `beats_chance` whether it is above what
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
