"""Counting tokens: the counters' common face, an estimate, and cutting text at sentence ends.

Byte-pair tokenizers of current models (cl100k, o200k, Llama 3, Qwen) give English prose 4 to 5
characters a token and Chinese 1 to 1.7 characters a token; dense medical text with numbers and
abbreviations comes nearer to 3. The estimate: a CJK character is 1.5 tokens, any other a third of
one.
"""

import math
import re
from collections.abc import Callable
from typing import Protocol

from service.prompting.sentences import sentence_ends

_CHARACTERS_PER_TOKEN = 3
_TOKENS_PER_WIDE = 1.5
# Hangul, kana, CJK ideographs and punctuation, full-width forms, and everything beyond the BMP.
_WIDE = re.compile(
    "[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\ufe30-\uffef\U00010000-\U0010ffff]"
)

MESSAGE_OVERHEAD_TOKENS = 6
"""What a chat format adds to each message: role, separators (4 in OpenAI's) and priming."""


class TokenCounter(Protocol):
    """Counts the tokens of a text as one model's tokenizer does."""

    @property
    def name(self) -> str:
        """The tokenizer's name; `estimate` if there is none behind it."""
        ...

    def count(self, text: str) -> int:
        """Return the tokens of a text, 0 for none."""
        ...


class Estimate:
    """Counts by the rule above."""

    name = "estimate"

    def count(self, text: str) -> int:
        """Return an estimate of the tokens of a text."""
        return estimate_tokens(text)


def count_fraction(text: str) -> float:
    """Return the estimate without rounding; it adds up over parts of a text."""
    wide = 0 if text.isascii() else len(_WIDE.findall(text))
    return wide * _TOKENS_PER_WIDE + (len(text) - wide) / _CHARACTERS_PER_TOKEN


def estimate_tokens(text: str) -> int:
    """Return an estimate of a text's tokens; never less for a longer text."""
    return math.ceil(count_fraction(text))


def cut_at_sentence(text: str, limit: float, count: Callable[[str], float] = count_fraction) -> str:
    """Return the longest run of whole sentences from the start that fits `limit` tokens.

    The text itself if it fits; empty if not even its first sentence does. Sentences are counted
    one by one, so where `count` does not add up exactly the sum may be a few tokens off.
    """
    if count(text) <= limit:
        return text
    kept = end = 0
    spent = 0.0
    for stop, following in sentence_ends(text):
        spent += count(text[end:stop])
        if spent > limit:
            break
        spent += count(text[stop:following])
        kept, end = stop, following
    return text[:kept]
