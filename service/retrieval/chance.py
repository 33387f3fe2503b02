"""What cosine unrelated things have in an index: where a blend begins to count.

Encoders differ in what they give to things that have nothing to do with each other: all-MiniLM
.1, multilingual-e5-small .87. Blended as they are, a cosine of the latter would outvote no word.
"""

from collections.abc import Sequence

from indexer.store.calibration import Asked, Calibration
from indexer.store.reader import IndexReader

_LANGUAGES: tuple[Asked, ...] = ("en", "zh")
# Where nearly all texts are alike, what little tells them apart must not be blown up.
_MOST = 0.95


def chance_cosine(readers: Sequence[IndexReader], field: str) -> float:
    """Return the median cosine of unrelated pairs in a field, by the calibration of its builds.

    Of several indexes it is the mean, by their embeddings; 0 where no build is calibrated.
    """
    known = [
        (value, reader.manifest.fields[field].vectors)
        for reader in readers
        if (value := _median(reader.manifest.calibration, field)) is not None
    ]
    embeddings = sum(count for _, count in known)
    if not embeddings:
        return 0.0
    return min(_MOST, sum(value * count for value, count in known) / embeddings)


def _median(calibration: Calibration | None, field: str) -> float | None:
    """Return the median over pairs of all languages in which the index was asked."""
    if calibration is None:
        return None
    measured = [calibration.of(language, field) for language in _LANGUAGES]
    medians = [one.median for one in measured if one is not None and one.median is not None]
    return sum(medians) / len(medians) if medians else None
