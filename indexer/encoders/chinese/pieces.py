"""Which pieces of XLM-R's vocabulary of 250,002 a reader of Chinese medical texts needs.

A piece is a run of characters; `▁` stands for a space before it. Scores are logarithms of how
common pieces are. Unigram segmentation takes the likeliest pieces, so a text whose pieces are all
kept is cut as by the whole vocabulary; another is cut into shorter pieces.
"""

import re

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
"""The first pieces, in the order of their ids."""

_MASK = "<mask>"  # stands for a word that is to be guessed, in training only

SPACE = "▁"

LEAST_LATIN_SCORE = -12.5
"""Words of Latin letters are kept from this score on: some 15,000, in any language.

They make up nine of ten such pieces in Chinese medical questions; see the model card.
"""

_HAN = re.compile(
    "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f\x21-\x7e\u3000-\u303f\uff00-\uffef]+"
)
_ANY_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_SIGNS = re.compile(
    "[\x21-\x7e\u00a0-\u00bf\u00d7\u00f7\u2000-\u20cf\u2100-\u22ff\u2460-\u24ff\u25a0-\u25ff"
    "\u3000-\u303f\ufe30-\ufe6f\uff00-\uffef]*"
)
_ASCII = re.compile("[\x21-\x7e]+")
_LETTER = re.compile("[A-Za-z\u00c0-\u00ff\u0370-\u03ff]")


def is_needed(piece: str, score: float) -> bool:
    """Return whether a piece is kept.

    Kept are words and characters of Chinese, numbers and signs, single letters of the Latin and
    Greek alphabets, and the commoner words in ASCII letters.
    """
    if piece == _MASK:
        return False
    text = piece.replace(SPACE, "")
    if _ANY_HAN.search(text):
        return _HAN.fullmatch(text) is not None
    if not any(map(str.isalpha, text)):
        return _SIGNS.fullmatch(text) is not None
    if _LETTER.fullmatch(text):
        return True
    return _ASCII.fullmatch(text) is not None and score >= LEAST_LATIN_SCORE
