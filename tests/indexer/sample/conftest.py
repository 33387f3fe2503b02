"""The whole sample corpus, written once for all tests that only look at it."""

from pathlib import Path

import pytest

from indexer.sample.corpus import write_sample_corpus


@pytest.fixture(scope="session")
def sample_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("sample") / "corpus"
    write_sample_corpus(target)
    return target
