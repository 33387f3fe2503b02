import pytest

from indexer.datasets.tcga import DATASETS, TCGA_ESCA
from indexer.datasets.tcia import TciaDataset


def test_the_three_collections_are_defined() -> None:
    assert [dataset.collection for dataset in DATASETS] == ["TCGA-ESCA", "TCGA-KICH", "TCGA-LUAD"]


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.info.name)
def test_each_is_cited_by_its_own_identifier(dataset: TciaDataset) -> None:
    assert "https://doi.org/10.7937/K9/TCIA.2016." in dataset.info.citation
    assert dataset.attribution is not None
    assert dataset.attribution.split()[-1] in dataset.info.citation
    assert dataset.info.licence == "CC BY 3.0"
    assert dataset.info.folders[1] == dataset.collection


def test_no_two_share_an_identifier() -> None:
    assert len({dataset.attribution for dataset in DATASETS}) == len(DATASETS)
    assert TCGA_ESCA.labels == ("esophageal carcinoma",)
