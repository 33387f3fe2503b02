"""Why a record was found: the words that it shares with the query."""

import re

from indexer.records import AnyRecord
from indexer.store.lexical import searchable_text
from indexer.text.tokenise import tokenise
from service.retrieval.drafting import Plan
from service.retrieval.legs import LexicalLeg
from service.retrieval.query import Query, TextSource

_PIECES = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")


def words_of(query: Query, plan: Plan) -> str:
    """Return the words that vote, also those of indexed questions; if none do, the query's own."""
    voting = [leg.text for leg in plan.legs if isinstance(leg, LexicalLeg)]
    own = [source.text for source in query.sources if isinstance(source, TextSource)]
    return "\n".join(voting or own)


def matched_words(words: str, record: AnyRecord) -> tuple[str, ...]:
    """Return those of a query's words, as they were written, that a record shares in some form.

    Of Chinese, which has no spaces, the shared characters, pairs of characters and wordings.
    """
    held = frozenset(tokenise(searchable_text(record)))
    found: dict[str, None] = {}
    for piece in _PIECES.findall(words):
        tokens = tokenise(piece)
        if piece.isascii():
            tokens = [piece] if not held.isdisjoint(tokens) else []
        found.update((token, None) for token in tokens if piece.isascii() or token in held)
    return tuple(found)
