"""Statements of an English sentence."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TypeAlias

from indexer.text.english_words import (
    BONES,
    DEVICES,
    DONE_TO,
    ENGLISH,
    ONE_FINDING,
    SIZES,
    WHICH,
    Kind,
)
from indexer.text.phrases import Clause
from indexer.text.statement import Statement
from indexer.text.tokenise import stem

# Each word of a phrase to what a phrase that ends with it does (if one does), and what may follow.
Branch: TypeAlias = "dict[str, tuple[Kind | None, Branch]]"

_TOKEN = re.compile(r"-free\b|w/o\b|r/o\b|w/|and/or\b|[a-z0-9]+|[^\W\d_]+|[,:()\[\]/&+]")
# What only points into the picture: (*), (B), (white arrow).
_POINTER = re.compile(r"\([^()a-z0-9]*\)|\([a-z]\d?\)|\([^()]{0,60}arrow[^()]{0,60}\)")
_LETTER_A = re.compile(r"\ba-(?=[a-z])")  # no article: A-lines
_CONTRACTION = re.compile(r"\b(ca|[a-z]+)n't\b")
# Before a bone or a joint, that is: a broken needle is no fracture.
_BONE = (
    rf"(?:(?:{'|'.join(WHICH)}) ){{0,3}}(?:{'|'.join(BONES)})\b"
    rf"(?! (?:of the )?(?:{'|'.join(DEVICES)}))"
)
_DONE_TO = re.compile(rf"\b(?P<word>{'|'.join(DONE_TO)}) (?:(?P<any>bones?\b)|(?={_BONE}))")
_ADVERB = re.compile(r"(?!famil|earl|anomal|assembl|monopol)[a-z]{3,}ly")
_STEMS_KEPT = 1 << 15


def read_english(sentence: str) -> list[Statement]:
    """Return what a folded English sentence states, in its order."""
    clause = Clause(SIZES)
    tokens = _cut(sentence)
    place = 0
    while place < len(tokens):
        word = tokens[place]
        kind, length = _longest(tokens, place) if word in _LEXICON else (None, 1)
        place += length
        if kind is not None:
            clause.tell(kind, word)
        elif word == "-free":
            clause.deny_phrase()
        elif content := _content_of(word):
            clause.tell_content(content)
    return clause.finish()


@lru_cache(maxsize=_STEMS_KEPT)
def normal_form(word: str) -> str:
    """Return a word's stem, one for all words of `ONE_FINDING`.

    The same for the singular and plural of Greek words in -sis.
    """
    found = _stem(word)
    return _names().get(found, found)


def forms_of(name: str) -> tuple[str, ...]:
    """Return the stems of all words that have a normal form."""
    return (name, *(one for one, chosen in _names().items() if chosen == name))


@lru_cache(maxsize=1)
def _names() -> Mapping[str, str]:
    """Return the stems of words for one finding, with that of the one that stands for them."""
    lines = (list(map(_stem, line.split())) for line in ONE_FINDING)
    return {other: chosen for chosen, *others in lines for other in others if other != chosen}


def _stem(word: str) -> str:
    found = stem(word)
    return found[:-1] if word.endswith("sis") and found.endswith("si") else found


@lru_cache(maxsize=_STEMS_KEPT)
def _content_of(word: str) -> str:
    """Return a word's normal form; "" for numbers and adverbs, which name nothing."""
    return "" if word.isdigit() or _ADVERB.fullmatch(word) else normal_form(word)


def _cut(sentence: str) -> list[str]:
    if "'" in sentence:
        sentence = _CONTRACTION.sub(_spell_out, sentence)
    if "(" in sentence:
        sentence = _POINTER.sub(" ", sentence)
    sentence = _DONE_TO.sub(_name_first, sentence)
    return _TOKEN.findall(_LETTER_A.sub("lettera ", sentence))


def _name_first(found: re.Match[str]) -> str:
    name = DONE_TO[found["word"]]
    return name if found["any"] else f"{name} of "


def _spell_out(contraction: re.Match[str]) -> str:
    return "cannot" if contraction[1] == "ca" else f"{contraction[1]} not"


def _longest(tokens: list[str], place: int) -> tuple[Kind | None, int]:
    """Return what the longest known phrase that begins here does, and its length in tokens."""
    found: tuple[Kind | None, int] = (None, 1)
    branch = _LEXICON
    for end in range(place, len(tokens)):
        step = branch.get(tokens[end])
        if step is None:
            break
        kind, branch = step
        if kind is not None:
            found = (kind, end + 1 - place)
        if not branch:
            break
    return found


def _build_lexicon() -> Branch:
    root: Branch = {}
    for kind, listed in ENGLISH.items():
        for phrase in listed.split("|"):
            words = _TOKEN.findall(phrase)
            branch = root
            for word in words[:-1]:
                branch = branch.setdefault(word, (None, {}))[1]
            known, longer = branch.get(words[-1], (None, {}))
            branch[words[-1]] = (known or kind, longer)
    return root


_LEXICON = _build_lexicon()
