import math
from types import SimpleNamespace

import pytest

from indexer.errors import QueryError
from indexer.store.calibration import Calibration, Measured
from service.retrieval.votes import PICTURES_BY_WORDS, check_vote, vote_of_pictures


def reader(vectors: int, known: float | None = None, *, tried: bool = True) -> SimpleNamespace:
    """An index with as many pictures, of which words find a share."""
    measured = {"en>image": Measured(pairs=None, least=0.3, known=known)}
    calibration = Calibration(measured=measured) if tried else None
    fields = {"image": SimpleNamespace(vectors=vectors)}
    return SimpleNamespace(manifest=SimpleNamespace(calibration=calibration, fields=fields))


@pytest.mark.parametrize(
    ("readers", "expected"),
    [
        ([], PICTURES_BY_WORDS),
        ([reader(0, 0.3)], PICTURES_BY_WORDS),
        ([reader(9, tried=False)], PICTURES_BY_WORDS),
        ([reader(9)], PICTURES_BY_WORDS),  # no captions to try it on
        ([reader(9, 0.0)], 0.2),
        ([reader(9, 0.3)], 0.39),
        ([reader(9, 0.5)], 0.65),
        ([reader(9, 0.9)], 1.0),
        ([reader(10, 0.5), reader(30, 0.1)], (0.65 + 3 * 0.2) / 4),
        ([reader(10, 0.5), reader(10)], (0.65 + 0.4) / 2),
    ],
)
def test_the_better_words_find_pictures_the_more_these_say(
    readers: list[SimpleNamespace], expected: float
) -> None:
    assert vote_of_pictures(readers) == pytest.approx(expected)  # type: ignore[arg-type]


@pytest.mark.parametrize("weight", [0.0, 1e-6, 1.0, 1e6])
def test_votes_that_can_be_given(weight: float) -> None:
    check_vote(weight)


@pytest.mark.parametrize("weight", [-1.0, 5e-324, 0.9e-6, 1.1e6, 1e308, math.inf, math.nan])
def test_votes_that_no_ranking_can_have(weight: float) -> None:
    with pytest.raises(QueryError, match="out of range"):
        check_vote(weight)
