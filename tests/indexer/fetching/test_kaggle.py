import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kagglesdk import kaggle_env

from indexer.datasets.registry import get_dataset
from indexer.errors import (
    AccessDeniedError,
    DamagedDownloadError,
    FetchError,
    SourceFailedError,
    SourceUnreachableError,
)
from indexer.fetching.base import FetchOptions, FetchPlan
from indexer.fetching.fetch import open_fetch
from indexer.fetching.receipt import read_receipt
from indexer.records import ImageRecord
from indexer.sample.layouts.cancer_ct import write_cancer_ct
from tests.indexer.fetching.conftest import files_below
from tests.indexer.fetching.stand_ins import Answer, Asked, StandIn, cut, failing, ranged, serve

Make = Callable[..., FetchOptions]
SERVICE = "/v1/datasets.DatasetApiService"


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    tree = tmp_path_factory.mktemp("siim")
    write_cancer_ct(tree, 0)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name in sorted(files_below(tree)):
            packed.write(tree / name, name)
    return buffer.getvalue()


@pytest.fixture
def kaggle(archive: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """Kaggle's API as kagglehub asks it; its client is pointed here and sees no credentials."""
    stand_in = StandIn(lambda asked: answer(asked, archive))
    with serve(stand_in):
        monkeypatch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.PROD, stand_in.url)
        monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path))
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.delenv("KAGGLE_API_TOKEN", raising=False)
        yield stand_in


def answer(asked: Asked, archive: bytes) -> Answer:
    if asked.path == f"{SERVICE}/GetDataset":
        said = {"ref": "kmader/siim-medical-images", "currentVersionNumber": 6}
        return Answer(body=json.dumps(said).encode(), headers={"Content-Type": "application/json"})
    if asked.path == f"{SERVICE}/DownloadDataset":
        return Answer(302, headers={"Location": "/archive.zip"})
    if asked.path == "/archive.zip":
        return ranged(asked, archive, **{"Accept-Ranges": "bytes"})
    return Answer(404, b"{}")


def fetch(data: Path, options: FetchOptions) -> FetchPlan:
    with open_fetch("cancer_ct", data, options) as opened:
        plan = opened.plan
        opened.run(lambda _piece, _done: None)
    return plan


def test_the_archive_is_put_where_indexing_finds_it(
    kaggle: StandIn, options: Make, tmp_path: Path
) -> None:
    plan = fetch(tmp_path / "data", options())
    assert (plan.pieces, plan.missing_bytes) == (1, None)
    root = tmp_path / "data" / "cancer_ct"
    rows = list(get_dataset("cancer_ct").iter_rows(root))
    assert any(isinstance(row, ImageRecord) for row in rows)
    receipt = read_receipt(root)
    assert receipt is not None
    assert (receipt.revision, receipt.licence) == ("6", "CC BY 3.0")
    asked = len(kaggle.asked)
    with open_fetch("cancer_ct", tmp_path / "data", options()) as again:
        assert again.plan.is_done
    assert len(kaggle.asked) == asked


def test_an_interrupted_download_goes_on(kaggle: StandIn, options: Make, tmp_path: Path) -> None:
    kaggle.faults["/archive.zip"] = [cut(20_000)]
    with pytest.raises(SourceUnreachableError, match="cannot be fetched"):
        fetch(tmp_path / "data", options())
    assert not (tmp_path / "data" / "cancer_ct").exists()
    fetch(tmp_path / "data", options())
    assert any("Range" in one.headers for one in kaggle.asked)
    assert (tmp_path / "data" / "cancer_ct" / "overview.csv").is_file()


@pytest.mark.parametrize("status", [401, 403])
def test_missing_credentials_become_instructions(
    status: int, kaggle: StandIn, options: Make, tmp_path: Path
) -> None:
    kaggle.faults["GetDataset"] = [failing(status)]
    with pytest.raises(AccessDeniedError) as caught:
        fetch(tmp_path / "data", options())
    for word in ("https://www.kaggle.com/settings", "KAGGLE_API_TOKEN", "datasets check cancer_ct"):
        assert word in caught.value.remedy


def test_a_failing_service_is_told(kaggle: StandIn, options: Make, tmp_path: Path) -> None:
    kaggle.faults["GetDataset"] = [failing(500)]
    with pytest.raises(SourceFailedError, match="does not give"):
        fetch(tmp_path / "data", options())


def test_another_archive_is_not_taken_for_the_dataset(
    kaggle: StandIn, options: Make, tmp_path: Path
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("other.txt", "other")
    kaggle.answer = lambda asked: answer(asked, buffer.getvalue())
    with pytest.raises(DamagedDownloadError, match="what the loader reads"):
        fetch(tmp_path / "data", options())
    assert not (tmp_path / "data" / "cancer_ct").exists()


def test_offline_is_told_at_once(
    options: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = "http://127.0.0.1:9"
    monkeypatch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.PROD, nowhere)
    with pytest.raises(SourceUnreachableError, match="No answer") as caught:
        fetch(tmp_path, options())
    assert "datasets check cancer_ct" in caught.value.remedy


def test_without_the_client_both_ways_out_are_told(
    options: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "kagglehub", None)
    with pytest.raises(FetchError, match="kagglehub") as caught:
        fetch(tmp_path, options())
    assert "pip install 'medsearch[kaggle]'" in caught.value.remedy
    assert "browser" in caught.value.remedy
