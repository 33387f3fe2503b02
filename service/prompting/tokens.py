"""An estimate of tokens that errs on the high side, and cutting text to it at sentence ends.

Byte-pair tokenizers of current models (cl100k, o200k, Llama 3, Qwen) give English prose 4 to 5
characters a token and Chinese 1 to 1.7 characters a token; dense medical text with numbers and
abbreviations comes nearer to 3. The rule: a CJK character is 1.5 tokens, any other a third of one.
"""

import math
import re

_CHARACTERS_PER_TOKEN = 3
_TOKENS_PER_WIDE = 1.5
# Hangul, kana, CJK ideographs and punctuation, full-width forms, and everything beyond the BMP.
_WIDE = re.compile(
    "[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\ufe30-\uffef\U00010000-\U0010ffff]"
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？；])\s*|\n+")

MESSAGE_OVERHEAD_TOKENS = 6
"""What a chat format adds to each message: role, separators (4 in OpenAI's) and priming."""


def count_fraction(text: str) -> float:
    """Return the estimate without rounding; it adds up over parts of a text."""
    wide = len(_WIDE.findall(text))
    return wide * _TOKENS_PER_WIDE + (len(text) - wide) / _CHARACTERS_PER_TOKEN


def estimate_tokens(text: str) -> int:
    """Return an estimate of a text's tokens; never less for a longer text."""
    return math.ceil(count_fraction(text))


def cut_at_sentence(text: str, limit: float) -> str:
    """Return the longest run of whole sentences from the start that fits `limit` tokens.

    The text itself if it fits; empty if not even its first sentence does.
    """
    if count_fraction(text) <= limit:
        return text
    kept = end = 0
    spent = 0.0
    for found in _SENTENCE_END.finditer(text):
        spent += count_fraction(text[end : found.start()])
        if spent > limit:
            break
        spent += count_fraction(text[found.start() : found.end()])
        kept, end = found.start(), found.end()
    return text[:kept]
