"""Hostile uploads hurt nobody: some here, 10,000 by `python -m tests.benchmarks hostile`."""

from itertools import islice
from pathlib import Path

from tests.benchmarks.hostile import attack
from tests.benchmarks.hostile_files import hostile_files
from tests.benchmarks.serving import served

_UPLOADS = 150
_GIBIBYTE = 1 << 30


def test_the_service_outlives_hostile_uploads(indexes: Path) -> None:
    with served(indexes) as (process, address):
        outcome = attack(process, address, _UPLOADS, seed=1)
    assert outcome.unexpected == []
    assert outcome.alive
    assert set(outcome.statuses) >= {200, 415}
    assert outcome.peak_bytes - outcome.idle_bytes < _GIBIBYTE


def test_equal_seeds_give_equal_files() -> None:
    first, again = (list(islice(hostile_files(7), 60)) for _ in range(2))
    assert first == again
    assert len({kind for kind, _ in first}) >= 6
