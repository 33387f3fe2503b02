import types
from collections.abc import Iterator

import pytest

from indexer.datasets import registry
from indexer.datasets.mura import DATASETS as MURA
from indexer.errors import UnknownNameError


@pytest.fixture
def forget() -> Iterator[None]:
    registry.all_datasets.cache_clear()
    yield
    registry.all_datasets.cache_clear()


def test_datasets_are_found_and_sorted_by_name() -> None:
    datasets = registry.all_datasets()
    assert list(datasets) == sorted(datasets)
    assert {"rocov2", "mura", "cancer_ct", "tcga_esca", "tcga_kich", "tcga_luad"} <= set(datasets)
    assert all(dataset.info.name == name for name, dataset in datasets.items())


def test_a_dataset_is_got_by_its_name() -> None:
    assert registry.get_dataset("mura").info.title == "MURA v1.1"


def test_a_misspelt_name_gets_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match=r"Did you mean 'tcga_luad'\?") as caught:
        registry.get_dataset("tcga_lusd")
    assert "rocov2" in caught.value.remedy
    assert isinstance(caught.value, LookupError)


@pytest.mark.usefixtures("forget")
def test_two_datasets_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = types.SimpleNamespace(DATASETS=(*MURA, *MURA))
    monkeypatch.setattr(registry.importlib, "import_module", lambda name: twice)
    with pytest.raises(ValueError, match="two datasets are named 'mura'"):
        registry.all_datasets()
