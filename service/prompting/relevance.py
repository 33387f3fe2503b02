"""Which hits are near enough to a question to be shown to a language model as evidence.

A nearest neighbour always exists; a prompt must be able to say that nothing relevant does. A build
that was calibrated says what chance reaches in it. For one that was not, built by an earlier
version, the floors below stand in.

Measured with MiniLM on Medical Question Pairs: the best cosine of 15 questions about cooking,
travel, cars or nothing at all was .42 at most; 99 of 100 medical questions had a neighbour at .48
or nearer. By words alone (COVID-19 question pairs, Chinese): the best coverage of 10 such
questions was .17 at most; 95 of 100 questions had one of .23 or more.
"""

from indexer.records import ImageRecord
from service.retrieval.hits import Hit
from service.retrieval.legs import LEXICAL

LEAST_COSINE = 0.45
LEAST_COVERAGE = 0.2
# English words are shared by chance more often than Chinese characters, so where an embedding
# speaks against a text, words must speak clearly for it.
LEAST_COVERAGE_AGAINST_COSINE = 0.5
_TEXT_FIELDS = ("question", "caption")


def is_relevant(hit: Hit, *, by_image: bool) -> bool:
    """Return whether a hit is evidence; by fixed floors only if its build was not calibrated.

    Of such a build, what was found by an image always is.
    """
    if hit.beats_chance is not None:
        return hit.beats_chance
    if by_image and isinstance(hit.record, ImageRecord):
        return True
    cosines = [hit.why[field].score for field in _TEXT_FIELDS if field in hit.why]
    coverage = hit.why[LEXICAL].score if LEXICAL in hit.why else 0.0
    if not cosines:
        return coverage >= LEAST_COVERAGE
    return max(cosines) >= LEAST_COSINE or coverage >= LEAST_COVERAGE_AGAINST_COSINE
