"""What prompts and checked answers look like on the wire."""

from typing import Any, Literal

from service.reply_schemas import NoteReply, Reply
from service.reply_schemas_counts import ReceiptReply


class MessageReply(Reply):
    """One chat message; a list of OpenAI's content parts where pictures are shown."""

    role: Literal["system", "user"]
    content: str | list[dict[str, Any]]


class CitationReply(Reply):
    """What a number in the prompt stands for."""

    number: int
    record_id: str
    index: str
    dataset: str
    split: str
    source_id: str
    licence: str
    attribution: str | None
    synthetic: bool
    url: str
    score: float
    text: str
    tokens: int


class ShownPassageReply(Reply):
    """A passage as it was shown."""

    number: int
    record_id: str
    index: str
    text: str


class PromptReceiptReply(Reply):
    """What was shown, signed: `POST /v1/prompts/verify` takes it as it is."""

    passages: list[ShownPassageReply]
    template_version: str
    builds: dict[str, str]
    searches: list[str]
    created_at: str
    signature: str
    receipt_version: int


class PromptReply(Reply):
    """A finished prompt with its citations."""

    messages: list[MessageReply]
    text: str
    citations: list[CitationReply]
    template_version: str
    tokens: int
    image_tokens: int
    tokens_by: str
    builds: dict[str, str]
    evidence: list[str]
    receipt: PromptReceiptReply
    searches: list[ReceiptReply]
    notes: list[NoteReply]
    disclaimer: str


class SupportReply(Reply):
    """How much of a sentence a cited passage has; `supports` is a guess from that."""

    number: int
    lexical: float
    embedding: float | None
    missing_numbers: list[str]
    supports: bool


class CheckedSentenceReply(Reply):
    """One sentence of the answer, what it cites and what it cites in vain."""

    text: str
    citations: list[SupportReply]
    unknown: list[int]


class VerificationReply(Reply):
    """What checking found; `uncited` and `unsupported` are places in `sentences`, from 0."""

    valid: bool
    cited: list[int]
    unknown: list[int]
    uncited: list[int]
    unsupported: list[int]
    sentences: list[CheckedSentenceReply]
    method: str


class AnswererReply(Reply):
    """The language model that answers, by the name that its server knows; null if there is none."""

    model: str | None


class AnswerReply(Reply):
    """An answer with its citations checked, and the prompt that it answers."""

    answer: str
    finish_reason: str | None
    model: str
    verification: VerificationReply
    prompt: PromptReply
