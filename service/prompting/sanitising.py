"""Makes foreign text harmless inside a prompt: it stays readable, but is only ever text.

A passage becomes one line, so it cannot imitate a role, a heading or the end of its fence; its
brackets around numbers become parentheses, so it cannot imitate a citation; the marks that chat
templates give a meaning to are broken up.
"""

import re
import unicodedata

# Control, format (bidirectional overrides, zero-width and tag characters), surrogate, private-use
# and unassigned code points: nothing that a reader sees, and all that hides text from one.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_CITATION = re.compile(r"[\[［【〔]\s*(\d+(?:\s*[,，;–-]\s*\d+)*)\s*[\]］】〕]")
# Places inside <|im_start|>, <｜User｜>, <<SYS>>, [INST], </s>, "###" and the project's own fence.
_INSIDE_CHAT_MARKS = re.compile(
    r"(?<=[<|｜])(?=[<|｜])|(?<=[>|｜])(?=[>|｜])|(?<=\[)(?=/?INST\])|(?<=<)(?=/?s>)|(?<=#)(?=#)"
)


def strip_unseen(text: str) -> str:
    """Return the text without characters that are not seen; all line breaks become line feeds."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub("[\v\f\x85\u2028\u2029]", "\n", text)
    return "".join(
        mark for mark in text if mark in "\n\t" or unicodedata.category(mark) not in _UNSEEN
    )


def defuse(text: str) -> str:
    """Return the text with the marks broken up that chat templates and fences are made of."""
    return _INSIDE_CHAT_MARKS.sub(" ", strip_unseen(text))


def as_passage(text: str) -> str:
    """Return foreign text as one harmless line."""
    line = " ".join(defuse(text).split())
    return _CITATION.sub(r"(\1)", line)
