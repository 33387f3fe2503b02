import dataclasses
import hashlib
import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from indexer.store.calibration import (
    PAIR_SHARES,
    Calibration,
    Measured,
    Rates,
    parse_calibration,
)
from indexer.store.manifest import MANIFEST_NAME, read_manifest
from tests.indexer.store.conftest import Build

GRIDS = st.lists(
    st.floats(-1, 1, width=32), min_size=len(PAIR_SHARES), max_size=len(PAIR_SHARES)
).map(lambda values: tuple(sorted(values)))


@given(GRIDS, st.floats(-1, 1), st.floats(-1, 1))
def test_a_percentile_rises_with_the_score_within_its_bounds(
    pairs: tuple[float, ...], one: float, other: float
) -> None:
    measured = Measured(pairs=pairs, least=0.0, spread=0.1)
    low, high = (measured.percentile(score) for score in sorted((one, other)))
    assert low is not None
    assert high is not None
    assert 0 <= low <= high <= 100
    assert measured.percentile(1.1) == 100
    assert measured.percentile(-1.1) == 0


@given(GRIDS, st.floats(-1, 1))
def test_a_percentile_lies_between_those_that_are_known(
    pairs: tuple[float, ...], score: float
) -> None:
    measured = Measured(pairs=pairs, least=0.0)
    for one in (score, *pairs):
        assert measured.percentile(one) == 100 * np.interp(one, pairs, PAIR_SHARES)


def test_calibrations_survive_their_json() -> None:
    calibration = Calibration(
        measured={
            "en>caption": Measured(pairs=tuple(PAIR_SHARES), least=0.3, spread=0.1),
            "zh>lexical": Measured(pairs=None, least=0.1, spread=0.0),
        },
        farthest_look=3.5,
        rates={"en": Rates(false_alarms=0.02, misses=None, unrelated=140, related=0)},
    )
    values = dataclasses.asdict(calibration)
    values["measured"]["en>caption"]["pairs"] = list(PAIR_SHARES)
    assert parse_calibration(values) == calibration
    assert calibration.of("zh", "lexical") == Measured(pairs=None, least=0.1, spread=0.0)
    assert calibration.of("zh", "caption") is None


def test_a_build_without_calibration_opens_and_one_from_before_it_too(build: Build) -> None:
    published = build()
    assert published.manifest.calibration is None
    path = published.folder / MANIFEST_NAME
    older = dataclasses.asdict(published.manifest)
    del older["calibration"]
    plain = json.dumps(older, indent=2, ensure_ascii=False)
    older["checksum"] = hashlib.sha256(plain.encode()).hexdigest()
    path.write_text(json.dumps(older, indent=2, ensure_ascii=False) + "\n", "utf-8")
    assert read_manifest(published.folder).calibration is None


@given(st.integers(1, 1000))
def test_the_more_indexes_are_searched_the_more_must_be_reached(indexes: int) -> None:
    measured = Measured(pairs=None, least=0.3, spread=0.05)
    assert measured.least_among(1) == 0.3
    assert 0.3 <= measured.least_among(indexes) < measured.least_among(indexes + 1) < 0.6
