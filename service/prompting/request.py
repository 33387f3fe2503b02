"""What a prompt is wanted for, and what is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from indexer.records import Language, Option
from service.prompting.prompt_receipt import PromptReceipt
from service.retrieval.filters import Filter
from service.retrieval.hits import Hit, Note
from service.retrieval.query import ImageSource, RecordSource, SameAs
from service.retrieval.receipt import Receipt

Role: TypeAlias = Literal["system", "user"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusions:
    """What must not be shown, so that a benchmark does not find its own answers.

    `same` counts for the image; `near_duplicate` also for the question: a record that asks nearly
    the same words is left out.
    """

    records: frozenset[str] = frozenset()
    datasets: frozenset[str] = frozenset()
    splits: frozenset[str] = frozenset()
    same: frozenset[SameAs] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptRequest:
    """What a prompt is wanted for. An image, or the id of an indexed one, adds similar cases.

    `k` is the number of passages looked for of each kind, `budget_tokens` the most that the
    whole prompt may take as `tokenizer` counts (None: an estimate). `patient_note` and `options`
    are shown, not searched for. `template` None means `choice` if there are options, else
    `answer`; `language` None means that of the question. `images` asks for the pictures of similar
    cases beside their passages.
    """

    question: str = field(repr=False)
    image: ImageSource | RecordSource | None = None
    patient_note: str | None = field(default=None, repr=False)
    options: tuple[Option, ...] = field(default=(), repr=False)
    k: int = 5
    budget_tokens: int = 2000
    tokenizer: str | None = None
    template: str | None = None
    language: Language | None = None
    images: bool = False
    indexes: tuple[str, ...] | None = None
    filters: Filter | None = None
    exclusions: Exclusions = Exclusions()


@dataclass(frozen=True, slots=True)
class Message:
    """One message in the shape that chat models take."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """What a number in the prompt stands for; `text` is exactly what was shown, fence excepted.

    `thumbnail` is the JPEG of a similar case, if pictures were asked for.
    """

    number: int
    hit: Hit
    text: str
    tokens: int
    thumbnail: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A finished prompt, as chat messages and as one text.

    `tokens` counts the whole of it by `tokens_by`, pictures (`image_tokens` of it) included.
    `evidence` holds the sentences about the nearest cases of the image, as they were shown.
    `searches` says what was searched, `receipt` what was shown.
    """

    messages: tuple[Message, ...]
    text: str
    citations: tuple[Citation, ...]
    template_version: str
    tokens: int
    image_tokens: int
    tokens_by: str
    builds: Mapping[str, str]
    notes: tuple[Note, ...]
    receipt: PromptReceipt
    searches: tuple[Receipt, ...] = ()
    evidence: tuple[str, ...] = ()
