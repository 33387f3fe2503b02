import csv
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.datasets.registry import get_dataset
from indexer.errors import (
    DownloadIncompleteError,
    FetchError,
    SourceFailedError,
    SourceUnreachableError,
    TargetOccupiedError,
)
from indexer.fetching.base import FetchOptions, FetchPlan
from indexer.fetching.fetch import open_fetch
from indexer.fetching.receipt import read_receipt
from indexer.records import ImageRecord, Reject
from tests.indexer.fetching.conftest import QUICK, files_below
from tests.indexer.fetching.stand_ins import (
    Answer,
    NbiaSeries,
    NbiaStandIn,
    cut,
    failing,
    with_body,
    zip_series,
)

Make = Callable[..., FetchOptions]


def fetch(data: Path, options: FetchOptions) -> FetchPlan:
    with open_fetch("tcga_esca", data, options) as opened:
        plan = opened.plan
        opened.run(lambda _piece, _done: None)
    return plan


def largest(series: dict[str, NbiaSeries]) -> str:
    """The series that is fetched first."""
    best = max(series.values(), key=lambda one: (len(one.files), one.row["SeriesInstanceUID"]))
    count = len(best.files)
    return min(uid for uid, one in series.items() if len(one.files) == count)


def zips_in(data: Path) -> list[str]:
    return [name for name in files_below(data) if name.endswith((".zip", ".part"))]


def test_what_is_fetched_is_what_the_loader_reads(
    nbia: NbiaStandIn, options: Make, tmp_path: Path
) -> None:
    plan = fetch(tmp_path, options(base_url=nbia.base_url))
    ct = [one for one in nbia.series.values() if one.row["Modality"] == "CT"]
    assert (plan.pieces, plan.pieces_there) == (len(ct), 0)
    assert plan.missing_bytes == sum(int(str(one.row["FileSize"])) for one in ct)
    dataset = get_dataset("tcga_esca")
    root = tmp_path / "tcga_esca"
    assert dataset.detect(root) == "tcia-tree+metadata"
    rows = list(dataset.iter_rows(root))
    assert not [row for row in rows if isinstance(row, Reject)]
    assert len(rows) == sum(len(one.files) for one in ct)
    fetched = {path.read_bytes() for path in root.rglob("*.dcm")}
    assert fetched == {content for one in ct for content in one.files}


def test_the_tree_is_laid_out_as_by_the_retriever(
    nbia: NbiaStandIn, options: Make, tmp_path: Path
) -> None:
    fetch(tmp_path, options(base_url=nbia.base_url, limit=1))
    root = tmp_path / "tcga_esca"
    with (root / "metadata.csv").open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    listed = nbia.series[row["Series UID"]].row
    location = root / row["File Location"]
    collection, patient, study, series = Path(row["File Location"]).parts
    assert (collection, patient) == ("TCGA-ESCA", listed["PatientID"])
    year, month, day = str(listed["StudyDate"])[:10].split("-")
    tail = str(listed["StudyInstanceUID"])[-5:]
    assert study == f"{month}-{day}-{year}-NA-{listed['StudyDesc']}-{tail}"
    assert series.startswith(f"{listed['SeriesNumber']}.000000-{listed['SeriesDescription']}-")
    assert int(row["Number of Images"]) == len(list(location.glob("*.dcm")))


def test_the_receipt_records_licence_citation_and_how_it_was_checked(
    nbia: NbiaStandIn, options: Make, tmp_path: Path
) -> None:
    fetch(tmp_path, options(base_url=nbia.base_url, limit=1))
    receipt = read_receipt(tmp_path / "tcga_esca")
    assert receipt is not None
    assert receipt.licence == "CC BY 3.0"
    assert "TCGA-ESCA" in receipt.citation
    assert receipt.checked == "md5"
    assert len(receipt.pieces) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["tcga_esca"]


def test_few_series_show_many_patients(nbia: NbiaStandIn, options: Make, tmp_path: Path) -> None:
    patients = {one.row["PatientID"] for one in nbia.series.values()}
    fetch(tmp_path, options(base_url=nbia.base_url, limit=len(patients)))
    there = {path.name for path in (tmp_path / "tcga_esca" / "TCGA-ESCA").iterdir()}
    assert there == patients


def test_a_larger_limit_fetches_only_what_is_missing(
    nbia: NbiaStandIn, options: Make, tmp_path: Path
) -> None:
    fetch(tmp_path, options(base_url=nbia.base_url, limit=1))
    first = files_below(tmp_path / "tcga_esca")
    plan = fetch(tmp_path, options(base_url=nbia.base_url, limit=3))
    assert (plan.pieces, plan.pieces_there) == (3, 1)
    assert nbia.count("getImageWithMD5Hash") == 3
    assert first < files_below(tmp_path / "tcga_esca")
    with open_fetch("tcga_esca", tmp_path, options(base_url=nbia.base_url, limit=2)) as again:
        assert again.plan.is_done


def test_other_modalities_are_fetched_when_asked_for(
    nbia: NbiaStandIn, options: Make, tmp_path: Path
) -> None:
    with open_fetch("tcga_esca", tmp_path, options(base_url=nbia.base_url, modalities=())) as every:
        assert every.plan.pieces == len(nbia.series)
    with pytest.raises(SourceFailedError, match="no series of XA"):
        fetch(tmp_path, options(base_url=nbia.base_url, modalities=("XA",)))


def test_a_cut_connection_is_tried_again(nbia: NbiaStandIn, options: Make, tmp_path: Path) -> None:
    nbia.faults["getImageWithMD5Hash"] = [cut(2000), failing(500)]
    fetch(tmp_path, options(base_url=nbia.base_url, limit=1))
    assert nbia.count("getImageWithMD5Hash") == 3
    assert read_receipt(tmp_path / "tcga_esca") is not None


def test_an_interrupted_download_goes_on_with_the_series_that_are_missing(
    nbia: NbiaStandIn, options: Make, tmp_path: Path
) -> None:
    nbia.faults["getImage"] = [lambda answer: answer, *[cut(100)] * 3]
    with pytest.raises(SourceUnreachableError) as caught:
        fetch(tmp_path, options(base_url=nbia.base_url, limit=3))
    assert "same command goes on" in caught.value.remedy
    assert not (tmp_path / "tcga_esca").exists(), "half a dataset is never where indexing looks"
    plan = fetch(tmp_path, options(base_url=nbia.base_url, limit=3))
    assert (plan.pieces, plan.pieces_there) == (3, 1)
    assert zips_in(tmp_path) == []


def truncated(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (truncated, "no whole zip file"),
        (lambda body: body[:200] + b"\0\0\0\0" + body[204:], ""),
        (lambda _: zip_series([b"x"] * 99, hashed=False), "md5hashes.csv is missing"),
        (lambda _: zip_series([b"x"] * 99, hashed=True, wrong_hash=True), "differs from its MD5"),
        (lambda _: zip_series([b"x"], hashed=True), "1 of"),
        (lambda _: zip_series([b"x"], hashed=True, names=["../../evil.dcm"]), "leaves the folder"),
        (lambda _: b"<html>login</html>", "no whole zip file"),
    ],
    ids=["truncated", "crc", "no hashes", "wrong hash", "too few", "traversal", "html"],
)
def test_a_damaged_series_is_never_taken_for_whole(
    change: Callable[[bytes], bytes], reason: str, nbia: NbiaStandIn, options: Make, tmp_path: Path
) -> None:
    nbia.faults["getImage"] = [with_body(change)] * 3
    with pytest.raises(DownloadIncompleteError, match="1 of 1 series") as caught:
        fetch(tmp_path / "data", options(base_url=nbia.base_url, limit=1))
    assert reason in caught.value.message
    assert not list(tmp_path.rglob("*.dcm"))
    fetch(tmp_path / "data", options(base_url=nbia.base_url, limit=1))
    assert list((tmp_path / "data" / "tcga_esca").rglob("*.dcm"))


def test_a_series_that_comes_damaged_once_is_fetched_anew(
    nbia: NbiaStandIn, options: Make, tmp_path: Path
) -> None:
    nbia.faults["getImage"] = [with_body(truncated)]
    fetch(tmp_path, options(base_url=nbia.base_url, limit=1))
    assert nbia.count("getImage") == 2


def test_one_series_that_cannot_be_had_does_not_stop_the_others(
    nbia: NbiaStandIn, options: Make, tmp_path: Path
) -> None:
    lost = largest(nbia.series)
    nbia.faults[lost] = [failing(500)] * 99
    with pytest.raises(DownloadIncompleteError, match=r"1 of 3 series.*HTTP 500"):
        fetch(tmp_path, options(base_url=nbia.base_url, limit=3))
    fetch(tmp_path, options(base_url=nbia.base_url, limit=3, allow_missing=True))
    dataset, root = get_dataset("tcga_esca"), tmp_path / "tcga_esca"
    rejects = [row for row in dataset.iter_rows(root) if isinstance(row, Reject)]
    assert [(row.path, row.kind) for row in rejects] == [("metadata.csv", "missing_file")]


def test_sizes_are_asked_for_where_the_listing_has_none(
    nbia: NbiaStandIn, options: Make, tmp_path: Path
) -> None:
    nbia.lists_sizes = False
    with open_fetch("tcga_esca", tmp_path, options(base_url=nbia.base_url, limit=2)) as opened:
        sizes = sorted(int(str(one.row["FileSize"])) for one in nbia.series.values())
        assert opened.plan.missing_bytes is not None
        assert opened.plan.missing_bytes >= sum(sizes[:2])
    assert nbia.count("getSeriesSize") == 2


def test_an_installation_without_hashes_is_checked_by_crc(
    nbia: NbiaStandIn, options: Make, tmp_path: Path
) -> None:
    nbia.gives_hashes = False
    fetch(tmp_path, options(base_url=nbia.base_url, limit=1))
    receipt = read_receipt(tmp_path / "tcga_esca")
    assert receipt is not None
    assert receipt.checked == "crc32"


def test_offline_is_told_at_once(options: Make, tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachableError, match=r"No answer from 127\.0\.0\.1:9") as caught:
        fetch(tmp_path, options(base_url="http://127.0.0.1:9/nbia-api/services/v4"))
    assert "--base-url" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_a_service_that_is_not_nbia_is_told(
    nbia: NbiaStandIn, options: Make, tmp_path: Path
) -> None:
    for body in (b'{"error": 1}', b"<html>", b'[{"SeriesInstanceUID": "../x"}]', b"[1]"):
        nbia.faults["getSeries"] = [with_body(lambda _, body=body: body)]
        with pytest.raises(SourceFailedError):
            fetch(tmp_path, options(base_url=nbia.base_url))
    nbia.series.clear()
    with pytest.raises(SourceFailedError, match="no series of TCGA-ESCA"):
        fetch(tmp_path, options(base_url=nbia.base_url))


def test_a_full_disk_is_told_with_its_remedy(
    nbia: NbiaStandIn, options: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(FetchError, match="No space left on device") as caught:
            fetch(tmp_path, options(base_url=nbia.base_url, limit=1))
    assert "--data" in caught.value.remedy
    assert not (tmp_path / "tcga_esca").exists()
    fetch(tmp_path, options(base_url=nbia.base_url, limit=1))
    assert any(isinstance(row, ImageRecord) for row in
               get_dataset("tcga_esca").iter_rows(tmp_path / "tcga_esca"))  # fmt: skip


def test_more_than_the_disk_has_is_refused_before_anything_is_fetched(
    nbia: NbiaStandIn, options: Make, tmp_path: Path
) -> None:
    for one in nbia.series.values():
        one.row["FileSize"] = 10**18
    with pytest.raises(FetchError, match="GB are needed"):
        fetch(tmp_path, options(base_url=nbia.base_url, limit=1))
    assert nbia.count("getImage") == 0


def test_files_of_the_user_are_left_alone(nbia: NbiaStandIn, options: Make, tmp_path: Path) -> None:
    mine = tmp_path / "TCGA-ESCA" / "mine.dcm"
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    with pytest.raises(TargetOccupiedError, match="not fetched by this command"):
        fetch(tmp_path, options(base_url=nbia.base_url))
    assert files_below(tmp_path) == {"TCGA-ESCA/mine.dcm"}


def test_two_runs_do_not_mix(nbia: NbiaStandIn, options: Make, tmp_path: Path) -> None:
    asked = options(base_url=nbia.base_url, limit=1)
    with open_fetch("tcga_esca", tmp_path, asked) as first:

        def start_another(_piece: str, _done: int) -> None:
            with pytest.raises(FetchError, match="another run"):
                fetch(tmp_path, asked)

        first.run(start_another)


def test_several_series_are_fetched_at_once(
    nbia: NbiaStandIn, options: Make, tmp_path: Path
) -> None:
    together = threading.Barrier(3)

    def wait_for_the_others(answer: Answer) -> Answer:
        together.wait(5)  # breaks unless three requests are being answered at the same time
        return answer

    nbia.faults["getImage"] = [wait_for_the_others] * 3
    seen: list[int] = []
    asked = options(base_url=nbia.base_url, limit=3, at_once=3)
    with open_fetch("tcga_esca", tmp_path, asked) as opened:
        total = opened.plan.missing_bytes
        opened.run(lambda _piece, done: seen.append(done))
    assert seen[-1] == total
    assert not together.broken


def test_when_the_service_goes_away_all_downloads_stop(
    nbia: NbiaStandIn, options: Make, tmp_path: Path
) -> None:
    nbia.faults["getImage"] = [cut(100)] * 99
    with pytest.raises(SourceUnreachableError):
        fetch(tmp_path, options(base_url=nbia.base_url, at_once=2))
    assert nbia.count("getImage") <= 2 * QUICK.attempts + 2
