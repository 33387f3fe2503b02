"""One request's template, filled with its question, its note and its passages."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from indexer.records import ImageRecord, Language, Option
from service.prompting.context import Measure, Passage
from service.prompting.request import Message
from service.prompting.template_set import Templates
from service.prompting.tokens import MESSAGE_OVERHEAD_TOKENS, TokenCounter

IMAGE_TOKENS = 85
"""What a picture counts as: GPT-4o at low detail, by OpenAI's guide to vision. Models differ."""

# Counts of labels are told as far as they take this share of the room for passages.
_EVIDENCE_SHARE = 0.25


@dataclass(frozen=True)
class Layout:
    """A template and what fills it.

    The template's variables are `question`, `note`, `options`, `language`, `fence`, `found`
    (something relevant is indexed), `passages` (some are shown), `blocks` and `evidence`.
    """

    templates: Templates
    version: str
    counter: TokenCounter
    fence: str
    question: str = field(repr=False)
    note: str | None = field(default=None, repr=False)
    options: tuple[Option, ...] = ()
    language: Language | None = None
    found: bool = False
    images: bool = False
    evidence: tuple[str, ...] = ()

    def with_evidence(self, lines: tuple[str, ...], budget_tokens: int) -> "Layout":
        """Return the layout with as many of `lines` as may take room from the passages."""
        bare = self.tokens(with_passages=True)
        most = bare + _EVIDENCE_SHARE * (budget_tokens - bare)
        for count in range(len(lines), 0, -1):
            told = replace(self, evidence=lines[:count])
            if told.tokens(with_passages=True) <= most:
                return told
        return self

    def messages(self, passages: tuple[Passage, ...]) -> tuple[Message, ...]:
        """Return the chat messages that show `passages`.

        Raises
        ------
        TemplateBrokenError
            The template cannot be filled, or does not show every passage as it stands.
        """
        blocks = [self._block(passage) for passage in passages]
        messages = self._fill(bool(passages), blocks)
        if not all(block in messages[1].content for block in blocks):
            raise self.templates.broken(self.version, "it does not show its blocks as they are")
        return messages

    def tokens(self, *, with_passages: bool) -> int:
        """Return the tokens of everything but the passages themselves."""
        return self.count(self._fill(with_passages, []))

    def count(self, messages: tuple[Message, ...]) -> int:
        """Return the tokens of messages, what a chat format adds included, pictures not."""
        return sum(self.counter.count(one.content) + MESSAGE_OVERHEAD_TOKENS for one in messages)

    def cost(self, passage: Passage) -> int:
        """Return the tokens that a passage adds: its fence, line breaks and picture included."""
        return self.counter.count(self._block(passage) + "\n") + self.image_tokens(passage)

    def image_tokens(self, passage: Passage) -> int:
        """Return what the picture of a passage is counted as, 0 if it is not shown."""
        if not self.images or not isinstance(passage.hit.record, ImageRecord):
            return 0
        return IMAGE_TOKENS + self.counter.count(image_heading(passage.number))

    @cached_property
    def measure(self) -> Measure:
        """How passages are measured in this layout."""
        return Measure(self.cost, self.counter.count)

    def _block(self, passage: Passage) -> str:
        """Return a passage between the lines of its fence; no template changes how."""
        name = f"passage [{passage.number}]"
        synthetic = " synthetic sample, not a real case" if passage.hit.record.synthetic else ""
        return f"<<{self.fence} {name}{synthetic}>>\n{passage.text}\n<<{self.fence} end of {name}>>"

    def _fill(self, passages: bool, blocks: list[str]) -> tuple[Message, ...]:
        values: dict[str, Any] = {
            "question": self.question,
            "note": self.note,
            "options": self.options,
            "language": self.language,
            "fence": self.fence,
            "found": self.found,
            "passages": passages,
            "blocks": blocks,
            "evidence": self.evidence if passages else (),
        }
        return (
            Message("system", self.templates.render(self.version, "system", values)),
            Message("user", self.templates.render(self.version, "user", values)),
        )


def image_heading(number: int) -> str:
    """Return the words before the picture of a passage."""
    return f"Image of passage [{number}]:"
