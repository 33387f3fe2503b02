"""Why a record was found: the words that it shares with the query."""

import re

from indexer.records import AnyRecord, ImageRecord
from indexer.text.questions import lexical_text
from indexer.text.tokenise import tokenise
from service.retrieval.query import Query, TextSource

_PIECES = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")


def searched_text(record: AnyRecord) -> str:
    """Return the words that find a record: its caption, or its question with all around it."""
    return record.caption or "" if isinstance(record, ImageRecord) else lexical_text(record)


def matched_words(query: Query, record: AnyRecord) -> tuple[str, ...]:
    """Return the query's words, as they were written, that a record shares in some form.

    Of Chinese, which has no spaces, the shared characters, pairs of characters and wordings.
    """
    held = frozenset(tokenise(searched_text(record)))
    found: dict[str, None] = {}
    for source in query.sources:
        if isinstance(source, TextSource):
            for piece in _PIECES.findall(source.text):
                tokens = tokenise(piece)
                if piece.isascii():
                    tokens = [piece] if not held.isdisjoint(tokens) else []
                found.update((token, None) for token in tokens if piece.isascii() or token in held)
    return tuple(found)
