"""Replies of the service as typed values. What a newer service adds is kept in `extra`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one ranking put a hit: rank from 1, its own score, and which embedding matched."""

    rank: int
    score: float
    field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The group that a hit stands for; `records` counts its members, `hits` are the best."""

    by: str
    id: str
    records: int
    hits: tuple["Hit", ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One answer option."""

    key: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An image with what is known about it (`kind` "image"), or a question with its answer."""

    record_id: str
    index: str
    dataset: str
    split: str
    source_id: str
    case_id: str
    language: str
    labels: tuple[str, ...]
    licence: str
    attribution: str | None
    synthetic: bool
    kind: str
    url: str
    caption: str | None = None
    concepts: tuple[str, ...] = ()
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
    options: tuple[Option, ...] = ()
    answer_keys: tuple[str, ...] = ()
    reasoning: str | None = None
    calculator: str | None = None
    category: str | None = None
    answer_lower: str | None = None
    answer_upper: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def text(self) -> str:
        """What the record says, a labelled line a part: words of third parties, so only data."""
        kind = ", ".join(part for part in (self.modality, self.body_part) if part)
        parts = {
            "Image": kind if self.kind == "image" else None,
            "Caption": self.caption,
            "Question": self.question,
            "Answer": self.answer,
            "Options": "; ".join(f"{option.key}. {option.text}" for option in self.options),
            "Explanation": self.reasoning,
            "Patient note": self.context,
            "Labels": ", ".join(self.labels),
        }
        return "\n".join(f"{label}: {words}" for label, words in parts.items() if words)

    def metadata(self) -> dict[str, Any]:
        """Return what is stated beside the text, in plain types: what frameworks call metadata."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        told = {"caption", "question", "answer", "options", "reasoning", "context"}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if name not in told and isinstance(value, str | int | float | tuple) and value != ()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit(Record):
    """A record at its place in the answer; `why` says where each ranking put it.

    `contradicts` marks records that deny what the query states, or state what it denies.
    """

    rank: int
    score: float
    why: Mapping[str, Place]
    window: str | None = None
    group: Group | None = None
    contradicts: bool = False
    matched_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that a reader of the hits should know."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetCount:
    """How many records hold a value; None stands for all values beyond those listed."""

    value: str | bool | int | None
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """How common a label is among the nearest cases, against how common it is anyway.

    `of` counts the nearest cases that state labels; `low` to `high` is the 95 % interval of
    `share`, `base_rate` what is to be expected of any cases of the same indexes.
    """

    label: str
    cases: int
    of: int
    share: float
    low: float
    high: float
    base_rate: float
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchReply:
    """Hits, best first, with the builds of the indexes that they come from.

    `receipt` is what `medsearch replay` takes to run the search again.
    """

    hits: tuple[Hit, ...]
    records_allowed: int
    score_kind: str
    builds: Mapping[str, str]
    notes: tuple[Note, ...]
    took_ms: float
    disclaimer: str
    facets: Mapping[str, tuple[FacetCount, ...]] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] | None = None
    receipt: Mapping[str, Any] = field(default_factory=dict, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One chat message; its content is a list of OpenAI's parts where pictures were asked for."""

    role: str
    content: str | list[Any]

    def to_openai(self) -> dict[str, Any]:
        """Return the message as chat completion clients take it."""
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """What a number in the prompt stands for; `text` is exactly what was shown."""

    number: int
    record_id: str
    index: str
    licence: str
    attribution: str | None
    synthetic: bool
    url: str
    score: float
    text: str
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A finished prompt with its citations; `evidence` says what the nearest cases are labelled.

    `receipt` is what `POST /v1/prompts/verify` takes beside an answer.
    """

    messages: tuple[Message, ...]
    text: str
    citations: tuple[Citation, ...]
    template_version: str
    tokens: int
    tokens_by: str
    builds: Mapping[str, str]
    notes: tuple[Note, ...]
    disclaimer: str
    evidence: tuple[str, ...] = ()
    receipt: Mapping[str, Any] = field(default_factory=dict, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """One published index and its live build."""

    name: str
    dataset: str
    kind: str
    build_id: str
    created_at: str
    records: int
    licence: str
    citation: str
    synthetic: bool
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexes:
    """All published indexes."""

    indexes: tuple[Index, ...]
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)
