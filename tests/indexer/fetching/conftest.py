from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer.fetching.base import FetchOptions, Patience
from indexer.sample.layouts.tcia import write_tcga_esca
from tests.indexer.fetching.stand_ins import NbiaSeries, NbiaStandIn, read_series, serve

QUICK = Patience(connect_s=2, answer_s=2, attempts=3, first_wait_s=0.001, longest_wait_s=0.01)


@pytest.fixture(scope="session")
def esca_series(tmp_path_factory: pytest.TempPathFactory) -> dict[str, NbiaSeries]:
    """The image series of the sample corpus, as files of real DICOM."""
    tree = tmp_path_factory.mktemp("esca")
    write_tcga_esca(tree, 0)
    return read_series(tree, "TCGA-ESCA")


@pytest.fixture
def nbia(esca_series: dict[str, NbiaSeries]) -> Iterator[NbiaStandIn]:
    series = {uid: NbiaSeries(dict(one.row), one.files) for uid, one in esca_series.items()}
    with serve(NbiaStandIn(series)) as stand_in:
        yield stand_in


@pytest.fixture
def options() -> Callable[..., FetchOptions]:
    def make(**values: object) -> FetchOptions:
        return FetchOptions(**{"patience": QUICK, "at_once": 1, **values})

    return make


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
