"""Python literals in cells of a table, read without running anything."""

import ast
import re

_MAX_CHARS = 1 << 16
_MAX_DEPTH = 16
_BRACKETS = re.compile(r"[\[({]|[\])}]")


def read_literal(text: str) -> object | None:
    """Return the value of a Python literal, or None if the text is none.

    Texts longer than 65,536 characters or nested deeper than 16 levels are not tried: parsing
    them could take the process's memory or its stack.
    """
    if len(text) > _MAX_CHARS or _depth(text) > _MAX_DEPTH:
        return None
    try:
        value: object = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return value


def _depth(text: str) -> int:
    """Return how deep brackets are nested, those within strings included."""
    depth = deepest = 0
    for bracket in _BRACKETS.findall(text):
        depth += 1 if bracket in "[({" else -1
        deepest = max(deepest, depth)
    return deepest
