from types import SimpleNamespace

import pytest

from indexer.store.calibration import PAIR_SHARES, Calibration, Measured
from service.retrieval.chance import chance_cosine


def reader(vectors: int, **medians: float | None) -> SimpleNamespace:
    """An index with as many vectors, and the median cosine of unrelated pairs by language."""
    measured = {
        f"{language}>question": Measured(pairs=pairs(median), least=0.5)
        for language, median in medians.items()
    }
    calibration = Calibration(measured=measured) if medians else None
    fields = {"question": SimpleNamespace(vectors=vectors)}
    return SimpleNamespace(manifest=SimpleNamespace(calibration=calibration, fields=fields))


def pairs(median: float | None) -> tuple[float, ...] | None:
    if median is None:
        return None
    return tuple(median + (share - 0.5) / 100 for share in PAIR_SHARES)


@pytest.mark.parametrize(
    ("readers", "expected"),
    [
        ([], 0.0),
        ([reader(10)], 0.0),  # never calibrated
        ([reader(10, en=None)], 0.0),  # too few pairs
        ([reader(10, en=0.1)], 0.1),
        ([reader(10, en=0.1, zh=0.3)], 0.2),
        ([reader(10, en=0.1), reader(30, en=0.5)], 0.4),
        ([reader(10, en=0.1), reader(30)], 0.1),
        ([reader(0, en=0.1)], 0.0),
        ([reader(10, en=1.0)], 0.95),  # all texts are alike
    ],
)
def test_the_median_of_unrelated_pairs(readers: list[SimpleNamespace], expected: float) -> None:
    assert chance_cosine(readers, "question") == pytest.approx(expected)


def test_another_field_has_another_chance() -> None:
    one = reader(10, en=0.1)
    one.manifest.fields["caption"] = SimpleNamespace(vectors=10)
    assert chance_cosine([one], "caption") == 0.0
