"""Writes retrieval-augmented prompts: search, choose passages, fence them, count tokens."""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from indexer.errors import QueryError
from indexer.records import ImageRecord, Option
from service.prompting.choosing import (
    Candidate,
    candidate_of,
    choose_diverse,
    in_turn,
    order_for_reading,
)
from service.prompting.context import Passage, evidence_lines, is_formula, sections_of, share_out
from service.prompting.gathering import gather
from service.prompting.layout import Layout
from service.prompting.prompt_receipt import ShownPassage, Signer
from service.prompting.relevance import is_relevant
from service.prompting.request import Citation, Prompt, PromptRequest
from service.prompting.sanitising import as_note, as_passage, defuse
from service.prompting.template_set import Templates
from service.prompting.tokenizers import Found, Tokenizers
from service.retrieval.hits import Hit, Note
from service.retrieval.reply import SearchReply
from service.retrieval.retriever import Retriever
from service.retrieval.selection import Snapshot, find_record

_CALCULATION = "calculation"


class Prompter:
    """Writes prompts with what a retriever finds. Thread-safe; blocks as the retriever does."""

    def __init__(
        self,
        retriever: Retriever,
        templates: Templates | None = None,
        tokenizers: Tokenizers | None = None,
        signer: Signer | None = None,
    ) -> None:
        self._retriever = retriever
        self._templates = templates or Templates()
        self._tokenizers = tokenizers or Tokenizers()
        self.signer = signer or Signer()

    def write(self, request: PromptRequest, *, fence: str | None = None) -> Prompt:
        """Search for a question (and its image), and write the prompt.

        `fence` marks where passages begin and end; a fresh random one unless given.

        Raises
        ------
        QueryError
            The question is empty; the template or the tokenizer is unknown; or not even the
            prompt without passages fits the budget: the remedy names the least that does.
        TemplateBrokenError
            A template of the operator's own cannot be filled.
        MedsearchError
            As `Retriever.search`.
        """
        tokenizer = self._tokenizers.find(request.tokenizer)
        layout = self._layout(request, tokenizer, fence or secrets.token_hex(8))
        snapshot = self._retriever.snapshot()
        replies = gather(self._retriever, request, snapshot)
        by_image = request.image is not None
        relevant = [
            [hit for hit in reply.hits if is_relevant(hit, by_image=by_image)] for reply in replies
        ]
        layout = replace(layout, found=any(relevant))
        least = max(layout.tokens(with_passages=True), layout.tokens(with_passages=False))
        if least > request.budget_tokens:
            raise QueryError(
                "The budget is smaller than the instructions and the question.",
                remedy=f"Give budget_tokens of {least} or more.",
            )
        layout = layout.with_evidence(evidence_lines(replies), request.budget_tokens)
        calculates = layout.version.startswith(f"{_CALCULATION}-")
        chosen = _choose(relevant, request.k, formula_first=calculates)
        passages = _fill(layout, chosen, request.budget_tokens, formula_first=calculates)
        return self._finish(layout, passages, replies, snapshot, tokenizer)

    def _layout(self, request: PromptRequest, tokenizer: Found, fence: str) -> Layout:
        name = request.template or ("choice" if request.options else "answer")
        return Layout(
            templates=self._templates,
            version=self._templates.find(name),
            counter=tokenizer.counter,
            fence=fence,
            question=defuse(request.question).strip(),
            note=as_note(request.patient_note) or None if request.patient_note else None,
            options=tuple(
                Option(key=as_passage(one.key), text=as_passage(one.text))
                for one in request.options
            ),
            language=request.language,
            images=request.images,
        )

    def _finish(
        self,
        layout: Layout,
        passages: tuple[Passage, ...],
        replies: Sequence[SearchReply],
        snapshot: Snapshot,
        tokenizer: Found,
    ) -> Prompt:
        messages = layout.messages(passages)
        pictured = sum(map(layout.image_tokens, passages))
        shown = tuple(
            ShownPassage(
                number=one.number,
                record_id=one.hit.record.record_id,
                index=one.hit.index,
                text=one.text,
            )
            for one in passages
        )
        builds = {name: build for reply in replies for name, build in reply.builds.items()}
        searches = tuple(reply.receipt.hits_sha256 for reply in replies)
        return Prompt(
            messages=messages,
            text="\n\n".join(message.content for message in messages),
            citations=tuple(
                Citation(
                    number=one.number,
                    hit=one.hit,
                    text=one.text,
                    tokens=layout.cost(one),
                    thumbnail=_thumbnail(one.hit, snapshot) if layout.images else None,
                )
                for one in passages
            ),
            template_version=layout.version,
            tokens=layout.count(messages) + pictured,
            image_tokens=pictured,
            tokens_by=tokenizer.counter.name,
            builds=builds,
            notes=(*_notes(tokenizer, layout, replies), *_notes_of(replies)),
            receipt=self.signer.receipt(shown, layout.version, builds, searches),
            searches=tuple(reply.receipt for reply in replies),
            evidence=layout.evidence if passages else (),
        )


def _choose(relevant: Iterable[Sequence[Hit]], k: int, *, formula_first: bool) -> list[Candidate]:
    """Return the candidates for passages, best first, `k` at most of each kind."""
    kinds = []
    for hits in relevant:
        ranked = sorted(hits, key=lambda hit: formula_first and not is_formula(hit.record))
        candidates = [
            candidate_of(hit, sections_of(hit.record, formula_first=formula_first))
            for hit in ranked
        ]
        kinds.append(choose_diverse(candidates, k))
    return in_turn(*kinds)


def _fill(
    layout: Layout, chosen: Sequence[Candidate], budget_tokens: int, *, formula_first: bool
) -> tuple[Passage, ...]:
    """Return the passages that fit, numbered as they will be read.

    What passages cost one by one need not add up to what the tokenizer counts in the whole: where
    that is more than the budget, they get less room and are cut again.
    """
    sources = [(one.hit, one.sections) for one in chosen]
    room = budget_tokens - layout.tokens(with_passages=True)
    while room > 0:
        passages = share_out(sources, room, layout.measure)
        if formula_first:
            ordered = sorted(passages, key=lambda one: not is_formula(one.hit.record))
        else:
            ordered = order_for_reading(passages)
        numbered = tuple(replace(one, number=place) for place, one in enumerate(ordered, 1))
        spent = layout.count(layout.messages(numbered)) + sum(map(layout.image_tokens, numbered))
        if spent <= budget_tokens:
            return numbered
        room -= spent - budget_tokens
    return ()


def _thumbnail(hit: Hit, snapshot: Snapshot) -> bytes | None:
    if not isinstance(hit.record, ImageRecord):
        return None
    reader, row = find_record(hit.record.record_id, {hit.index: snapshot[hit.index]})
    return reader.thumbnail(row)


def _notes(tokenizer: Found, layout: Layout, replies: Sequence[SearchReply]) -> Iterator[Note]:
    """Yield why tokens are estimated, and why nothing that was found is shown."""
    if tokenizer.missing:
        yield Note(
            "tokenizer",
            "The tokenizer that was asked for is known, but its file is not on this server; "
            "tokens are estimated.",
        )
    if not layout.found:
        reasons = (reply.relevance_reason for reply in replies if reply.hits)
        yield from (Note("relevance", reason) for reason in reasons if reason)


def _notes_of(replies: Sequence[SearchReply]) -> Iterator[Note]:
    """Yield what the searches note; what several say of the same request, once."""
    yield from dict.fromkeys(note for reply in replies for note in reply.notes)
