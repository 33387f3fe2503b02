"""Reads the chosen letters out of a model's answer to a multiple-choice question."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from indexer.records import Option
from indexer.text.normalise import split_thoughts

# "Answer: B", "The final answer is (B)", "答案：B", "\boxed{B}", in bold or not.
_STATED = re.compile(
    r"(?:\banswers?\b(?:\s+(?:is|are)\b)?|答案(?:是|为)?|选(?:择|项)?|\\boxed)[\s*_`]*[:={]?[\s*_`]*([^\n]+)",
    re.IGNORECASE,
)
_LEAD = re.compile(r"(?:the|options?|choices?|letters?|选项|选择|选)[\s:]+|选项?", re.IGNORECASE)
_MARKUP = re.compile(r"[*_`()\[\]{}【】《》$]")
_BETWEEN = re.compile(r"[\s,、;/&+和及与]+(?:and\b\s*)?")
_LABEL = re.compile(r"(?:^|[\s,、;(])([A-Z])[.:)、](?=\s|$|[^\sA-Za-z0-9])")
# "A fever ...", "I think ...": an article and a pronoun, no letters.
_WORD = re.compile(r"[AI] (?!and\b)[a-z]")
# What a whole answer must begin with to be a choice: "B", "(B)", "B.", "A, C".
_OPENS = re.compile(r"[(\[*_`]*[A-Z](?:[)\].:,、*_`]|\s*$|\s*\n)")


def read_letters(answer: str, options: Sequence[Option]) -> frozenset[str] | None:
    """Return the letters that an answer settles on; None if it settles on none.

    The last statement of an answer ("Answer: B") counts; without one, an answer that is or begins
    with letters ("B", "A, C", "B. Metformin"). An option's own text stands for its letter.
    """
    _, said = split_thoughts(answer)
    said = unicodedata.normalize("NFKC", said).strip()
    for statement in reversed(_STATED.findall(said)):
        letters = _letters(statement.strip(), options)
        if letters is not None:
            return letters
    first_line = said.split("\n", 1)[0]
    by_text = _by_text(first_line, options)
    if by_text is not None:
        return by_text
    bare_run = _run_of_letters(first_line, options)
    if _OPENS.match(said) or (bare_run and len(first_line) == len(bare_run)):
        return _letters(first_line, options)
    return None


def _letters(statement: str, options: Sequence[Option]) -> frozenset[str] | None:
    """Return the letters that a statement lists: "B", "(A) and (C)", "ACD", "A. ..., C. ..."."""
    statement = _LEAD.sub("", statement, count=1) if _LEAD.match(statement) else statement
    by_text = _by_text(statement, options)
    if by_text is not None:
        return by_text
    if _WORD.match(statement):
        return None
    keys = {option.key for option in options}
    labelled = frozenset(_LABEL.findall(statement))
    if len(labelled) > 1 and labelled <= keys:
        return labelled
    return frozenset(_leading_letters(_MARKUP.sub(" ", statement).strip(), options)) or None


def _leading_letters(statement: str, options: Sequence[Option]) -> Iterator[str]:
    """Yield the letters of the tokens that a statement begins with, up to the first word."""
    for token in _BETWEEN.split(statement):
        run = _run_of_letters(token.rstrip(".:。"), options)
        if run is None:
            return
        yield from run
        if token[-1] in ".:。":
            return


def _run_of_letters(token: str, options: Sequence[Option]) -> str | None:
    """Return a token that is letters of options and nothing else, each once, in rising order."""
    keys = {option.key for option in options}
    rising = "".join(sorted(set(token)))
    return token if token and token == rising and set(token) <= keys else None


def _by_text(statement: str, options: Sequence[Option]) -> frozenset[str] | None:
    folded = _fold(statement)
    chosen = {option.key for option in options if _fold(option.text) == folded}
    return frozenset(chosen) if len(chosen) == 1 else None


def _fold(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in folded if letter.isalnum())
