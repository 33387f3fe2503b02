"""Tiny made-up pools for the evaluation's tests."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from service.evaluation.collection import ImageCollection

MakeImages = Callable[..., ImageCollection]


def make_images(
    vectors: Sequence[Sequence[float]] | np.ndarray, **columns: object
) -> ImageCollection:
    """Return images that differ in case, caption and hash unless `columns` say otherwise."""
    rows = np.asarray(vectors, np.float32)
    count = len(rows)
    random = np.random.default_rng(7)
    values: dict[str, object] = {
        "record_ids": np.array([f"d/all/{row}" for row in range(count)]),
        "vectors": rows,
        "captions": [f"caption {row}" for row in range(count)],
        "long_texts": [""] * count,
        "modalities": np.array(["CT"] * count),
        "body_parts": np.array(["chest"] * count),
        "sources": np.array(["d"] * count),
        "cases": np.array([f"case{row}" for row in range(count)]),
        "labels": [frozenset()] * count,
        "concepts": [frozenset()] * count,
        "digests": np.array([f"{row:064x}" for row in range(count)]),
        "hashes": random.integers(1, 2**63, (count, 4)).astype(np.uint64),
    }
    return ImageCollection(**(values | columns))


@pytest.fixture(scope="session")
def images() -> MakeImages:
    return make_images
