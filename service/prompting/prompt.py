"""Writes retrieval-augmented prompts: search, choose passages, fence them, count tokens."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from indexer.errors import IndexNotFoundError, QueryError
from service.prompting.context import Passage, choose_passages, evidence_lines
from service.prompting.relevance import is_relevant
from service.prompting.sanitising import defuse
from service.prompting.tokens import MESSAGE_OVERHEAD_TOKENS, count_fraction, estimate_tokens
from service.retrieval.filters import Filter
from service.retrieval.query import (
    Hit,
    ImageSource,
    Note,
    Query,
    RecordSource,
    SearchReply,
    Source,
    Target,
    TextSource,
)
from service.retrieval.retriever import Retriever
from service.retrieval.selection import Snapshot

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATE_VERSION = "answer-2"
# Counts of labels are told as far as they take this share of the room for passages.
_EVIDENCE_SHARE = 0.25
Role: TypeAlias = Literal["system", "user"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptRequest:
    """What a prompt is wanted for. An image, or the id of an indexed one, adds similar cases.

    `k` is the number of passages looked for of each kind, `budget_tokens` the most that the
    whole prompt may take by the estimate of `service.prompting.tokens`.
    """

    question: str = field(repr=False)
    image: ImageSource | RecordSource | None = None
    k: int = 5
    budget_tokens: int = 2000
    indexes: tuple[str, ...] | None = None
    filters: Filter | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message in the shape that chat models take."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """What a number in the prompt stands for; `text` is exactly what was shown."""

    number: int
    hit: Hit
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A finished prompt, as chat messages and as one text. `tokens` is an estimate, never low.

    `evidence` holds the sentences about the nearest cases of the image, as they were shown.
    """

    messages: tuple[Message, ...]
    text: str
    citations: tuple[Citation, ...]
    template_version: str
    tokens: int
    builds: Mapping[str, str]
    notes: tuple[Note, ...]
    evidence: tuple[str, ...] = ()


class Prompter:
    """Writes prompts with what a retriever finds. Thread-safe; blocks as the retriever does."""

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever

    def write(self, request: PromptRequest, *, fence: str | None = None) -> Prompt:
        """Search for a question (and its image), and write the prompt.

        `fence` marks where passages begin and end; a fresh random one unless given.

        Raises
        ------
        QueryError
            The question is empty, or not even the prompt without passages fits the budget; the
            remedy names the least that does.
        MedsearchError
            As `Retriever.search`.
        """
        replies = self._search(request)
        question = defuse(request.question).strip()
        by_image = request.image is not None
        hits = [
            hit for reply in replies for hit in reply.hits if is_relevant(hit, by_image=by_image)
        ]
        layout = _Layout(question, fence or secrets.token_hex(8), found=bool(hits))
        least = max(layout.tokens(with_passages=True), layout.tokens(with_passages=False))
        if least > request.budget_tokens:
            raise QueryError(
                "The budget is smaller than the instructions and the question.",
                remedy=f"Give budget_tokens of {least} or more.",
            )
        layout = layout.with_evidence(evidence_lines(replies), request.budget_tokens)
        room = request.budget_tokens - layout.tokens(with_passages=True)
        passages = choose_passages(hits, room, layout.cost)
        messages = layout.messages(passages)
        return Prompt(
            messages=messages,
            text="\n\n".join(message.content for message in messages),
            citations=tuple(
                Citation(number=one.number, hit=one.hit, text=one.text) for one in passages
            ),
            template_version=TEMPLATE_VERSION,
            tokens=_count(messages),
            builds={name: build for reply in replies for name, build in reply.builds.items()},
            notes=tuple(note for reply in replies for note in reply.notes),
            evidence=layout.evidence if passages else (),
        )

    def _search(self, request: PromptRequest) -> list[SearchReply]:
        """Search questions and answers by the question, images by the image or by the question."""
        snapshot = self._retriever.snapshot()
        chosen = self._retriever.selector.targets(request.indexes, snapshot)
        replies: list[SearchReply] = []
        if "questions" in chosen:
            words = TextSource(request.question)
            replies.append(self._ask(request, "questions", words, chosen, snapshot))
        if "images" in chosen and (request.image or request.indexes or not replies):
            source = request.image or TextSource(request.question)
            replies.append(self._ask(request, "images", source, chosen, snapshot))
        elif request.image is not None:
            raise IndexNotFoundError(
                "None of the chosen indexes holds images.",
                remedy="Name an image index, or leave the image out.",
            )
        return replies

    def _ask(
        self,
        request: PromptRequest,
        target: Target,
        source: Source,
        chosen: Mapping[Target, tuple[str, ...] | None],
        snapshot: Snapshot,
    ) -> SearchReply:
        query = Query(
            target=target,
            source=source,
            k=request.k,
            indexes=chosen[target],
            filters=request.filters,
            group_by="case",
            evidence=target == "images" and source is request.image,
        )
        return self._retriever.search(query, snapshot)


class _Layout:
    """One request's templates, filled with its question and fence.

    `found` tells "nothing relevant is indexed" from "nothing of it fits".
    """

    def __init__(
        self, question: str, fence: str, *, found: bool, evidence: tuple[str, ...] = ()
    ) -> None:
        self._question = question
        self._fence = fence
        self._found = found
        self.evidence = evidence

    def with_evidence(self, lines: tuple[str, ...], budget_tokens: int) -> "_Layout":
        """Return the layout with as many of `lines` as may take room from the passages."""
        bare = self.tokens(with_passages=True)
        most = bare + _EVIDENCE_SHARE * (budget_tokens - bare)
        for count in range(len(lines), 0, -1):
            told = _Layout(self._question, self._fence, found=self._found, evidence=lines[:count])
            if told.tokens(with_passages=True) <= most:
                return told
        return self

    def messages(self, passages: tuple[Passage, ...]) -> tuple[Message, ...]:
        """Return the chat messages that show `passages`."""
        return self._fill(bool(passages), [self._block(passage) for passage in passages])

    def tokens(self, *, with_passages: bool) -> int:
        """Return the tokens of everything but the passages themselves."""
        return _count(self._fill(with_passages, []))

    def cost(self, passage: Passage) -> float:
        """Return the tokens that a passage adds, its fence and line breaks included."""
        return count_fraction(self._block(passage) + "\n")

    def _block(self, passage: Passage) -> str:
        return _render("passage", passage=passage, fence=self._fence)

    def _fill(self, passages: bool, blocks: list[str]) -> tuple[Message, ...]:
        evidence = self.evidence if passages else ()
        system = _render(
            "system", passages=passages, found=self._found, fence=self._fence, evidence=evidence
        )
        user = _render(
            "user", blocks=blocks, question=self._question, fence=self._fence, evidence=evidence
        )
        return (Message("system", system), Message("user", user))


def _count(messages: tuple[Message, ...]) -> int:
    return sum(estimate_tokens(one.content) + MESSAGE_OVERHEAD_TOKENS for one in messages)


def _render(part: str, **values: object) -> str:
    return _environment().get_template(f"{TEMPLATE_VERSION}.{part}.j2").render(values).strip()


@cache
def _environment() -> "Environment":
    """Return the template environment: plain text, and a missing value is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(  # noqa: S701 - a prompt is plain text, and escaping would distort it
        loader=PackageLoader("service.prompting"), undefined=StrictUndefined
    )
