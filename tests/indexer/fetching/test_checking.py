import zipfile
from pathlib import Path

import pytest

from indexer.datasets.registry import get_dataset
from indexer.errors import DamagedDownloadError, DatasetNotFoundError, TargetOccupiedError
from indexer.fetching import checking
from indexer.fetching.checking import Findings, adopt_archive, check_folder
from indexer.fetching.mura import REGIONS
from indexer.fetching.receipt import read_receipt
from tests.indexer.fetching.conftest import files_below

MURA = get_dataset("mura")


def mura_files() -> dict[str, str]:
    """A copy of MURA with one image a region and split, its tables, and what macOS adds."""
    files = {"__MACOSX/MURA-v1.1/._train": "", "MURA-v1.1/.DS_Store": ""}
    for split in ("train", "valid"):
        studies = [
            f"MURA-v1.1/{split}/{region}/patient00001/study1_negative/" for region in REGIONS
        ]
        files |= {f"{study}image1.png": "no pixels" for study in studies}
        files |= {f"{study}._image1.png": "macOS" for study in studies}
        files[f"MURA-v1.1/{split}_image_paths.csv"] = "".join(
            f"{study}image1.png\n" for study in studies
        )
        files[f"MURA-v1.1/{split}_labeled_studies.csv"] = "".join(f"{s},0\n" for s in studies)
    return files


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write_zip(tmp_path / "MURA-v1.1.zip", mura_files())


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the small copy be the whole dataset."""
    monkeypatch.setattr(checking, "PUBLISHED_IMAGES", {"train": 7, "valid": 7})


def write_zip(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


def adopt(archive: Path, data: Path, *, partial: bool = False) -> Findings:
    return adopt_archive(MURA, archive, data, partial=partial, on_bytes=lambda _done: None)


@pytest.mark.usefixtures("small")
def test_a_whole_archive_is_put_where_indexing_finds_it(archive: Path, tmp_path: Path) -> None:
    findings = adopt(archive, tmp_path / "data")
    assert findings.faults == ()
    assert findings.records == {"train": 7, "valid": 7}
    root = tmp_path / "data" / "mura"
    assert MURA.detect(root) == "tables"
    assert not [name for name in files_below(root) if "._" in name or "__MACOSX" in name]
    receipt = read_receipt(root)
    assert receipt is not None
    assert "no redistribution" in receipt.licence
    assert receipt.revision is not None
    assert receipt.revision.startswith("sha256:")


def test_an_archive_that_is_not_all_of_it_is_refused_unless_taken_so(
    archive: Path, tmp_path: Path
) -> None:
    with pytest.raises(DamagedDownloadError, match="train has 7 images of 36,808") as caught:
        adopt(archive, tmp_path / "data")
    assert "--partial" in caught.value.remedy
    assert not (tmp_path / "data" / "mura").exists()
    findings = adopt(archive, tmp_path / "data", partial=True)
    assert len(findings.faults) == 2
    assert MURA.detect(tmp_path / "data" / "mura") == "tables"


@pytest.mark.usefixtures("small")
def test_missing_folders_tables_and_images_are_named(tmp_path: Path) -> None:
    files = mura_files()
    files = {name: text for name, text in files.items() if "valid/XR_WRIST" not in name}
    del files["MURA-v1.1/train_labeled_studies.csv"]
    for name, text in files.items():
        path = tmp_path / "copy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    findings = check_folder(MURA, tmp_path / "copy")
    assert findings.faults == (
        "train_labeled_studies.csv is missing",
        "valid/ lacks XR_WRIST",
        "valid has 6 images of 7",
    )
    assert findings.rejects == {"missing_file": 1}
    assert "XR_WRIST" in findings.examples[0]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no whole zip file"),
        ({"../evil": ""}, "leaves the folder"),
        ({"something/else.txt": ""}, "does not hold MURA"),
    ],
    ids=["truncated", "traversal", "another"],
)
def test_a_bad_archive_leaves_nothing(
    content: dict[str, str] | None, reason: str, archive: Path, tmp_path: Path
) -> None:
    if content is None:
        archive.write_bytes(archive.read_bytes()[:-100])
    else:
        write_zip(archive, content)
    with pytest.raises(DamagedDownloadError, match=reason):
        adopt(archive, tmp_path / "data")
    assert not (tmp_path / "data" / "mura").exists()
    assert not (tmp_path / "evil").exists()


def test_files_of_the_user_are_left_alone(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "data" / "MURA-v1.1" / "train").mkdir(parents=True)
    with pytest.raises(TargetOccupiedError):
        adopt(archive, tmp_path / "data", partial=True)


def test_a_folder_of_something_else_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError):
        check_folder(MURA, tmp_path)


@pytest.mark.realdata
def test_the_genuine_tables_of_mura_are_counted(realdata_dir: Path) -> None:
    findings = check_folder(MURA, realdata_dir / "genuine" / "mura")
    assert findings.rejects["missing_file"] == checking.PUBLISHED_IMAGES["valid"]
