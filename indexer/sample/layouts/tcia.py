"""Download trees of The Cancer Imaging Archive, with the retriever's metadata.csv beside them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

from indexer.sample.curves import FloatMap
from indexer.sample.dicom_files import (
    Series,
    ct_bytes,
    make_uid,
    report_bytes,
    segmentation_bytes,
    write_file,
)
from indexer.sample.layouts.tcia_patients import (
    Scan,
    esca_scans,
    kich_scans,
    luad_scans,
)
from indexer.sample.tally import Tally, write_csv

_COLUMNS = (
    "Series UID", "Collection", "3rd Party Analysis", "Data Description URI", "Subject ID",
    "Study UID", "Study Description", "Study Date", "Series Description", "Manufacturer",
    "Modality", "SOP Class Name", "SOP Class UID", "Number of Images", "File Size",
    "File Location", "Download Timestamp",
)  # fmt: skip
_CLASS_NAMES = {
    "CT": ("CT Image Storage", "1.2.840.10008.5.1.4.1.1.2"),
    "SR": ("Basic Text SR Storage", "1.2.840.10008.5.1.4.1.1.88.11"),
    "SEG": ("Segmentation Storage", "1.2.840.10008.5.1.4.1.1.66.4"),
}


@dataclass(slots=True)
class _Tree:
    """A collection's folder while it is being filled, and the lines of its metadata.csv."""

    root: Path
    collection: str
    tally: Tally
    lines: list[Sequence[object]]

    def add_series(self, series: Series, modality: str, contents: Sequence[bytes],
                   *, suffix: str = ".dcm") -> list[str]:  # fmt: skip
        """Write the files of a series and list it; return the files' paths."""
        folder = series_folder(self.collection, series)
        digits = len(str(len(contents)))
        paths = [f"{folder}/1-{i + 1:0{digits}d}{suffix}" for i in range(len(contents))]
        for path, content in zip(paths, contents, strict=True):
            write_file(self.root / path, content)
        self.list_series(series, modality, len(contents), sum(map(len, contents)))
        return paths

    def list_series(self, series: Series, modality: str, count: int, size_bytes: int) -> None:
        """Add the line of a series to metadata.csv."""
        name, uid = _CLASS_NAMES[modality]
        self.lines.append(
            (series.series_uid, self.collection, "NO", "", series.patient_id, series.study_uid,
             series.study_description, _american_date(series.study_date), series.description,
             "SYNTHETIC", modality, name, uid, count, f"{size_bytes / 1e6:.2f} MB",
             f"./{series_folder(self.collection, series)}", "2024-01-01T00:00:00.000")
        )  # fmt: skip


def write_tcga_luad(root: Path, seed: int) -> Tally:
    """Write lungs; one slice is cut off, one object is a report, one series is a real CT."""
    tree = _start(root, "TCGA-LUAD")
    paths = [path for scan in luad_scans(seed) for path in _write_scan(tree, scan)]
    _cut_off(tree, paths[-1])
    _add_report(tree, next(luad_scans(seed)))
    _add_real(tree, "CT_small.dcm", "TCGA-RL-0001", "CHEST", "bone")
    return _finish(tree)


def write_tcga_kich(root: Path, seed: int) -> Tally:
    """Write kidneys; one object is a segmentation, two series are real MR images."""
    tree = _start(root, "TCGA-KICH")
    for scan in kich_scans(seed):
        _write_scan(tree, scan)
    _add_segmentation(tree, next(kich_scans(seed)))
    _add_real(tree, "MR_small.dcm", "TCGA-RL-0002", "MR", "small")
    _add_real(tree, "examples_overlay.dcm", "TCGA-RL-0003", "MR ABDOMEN", "overlay")
    return _finish(tree)


def write_tcga_esca(root: Path, seed: int) -> Tally:
    """Write gullets; files of the last scan have no suffix, a text poses as DICOM."""
    tree = _start(root, "TCGA-ESCA")
    scans = list(esca_scans(seed))
    for scan in scans:
        _write_scan(tree, scan, suffix="" if scan is scans[-1] else ".dcm")
    posing = f"{series_folder('TCGA-ESCA', scans[0].series)}/readme.dcm"
    write_file(root / posing, b"This text was named .dcm on purpose; it is no DICOM file.\n")
    tree.tally.expect_reject(posing, "undecodable", "a text file named .dcm")
    absent = replace(scans[0].series, series_uid=make_uid(seed, "absent"), number=9,
                     description="LEFT OUT ON PURPOSE")  # fmt: skip
    tree.list_series(absent, "CT", 12, 6_000_000)
    tree.tally.expect_reject(
        "metadata.csv", "missing_file", "a series that is listed and not there",
        line=len(tree.lines),
    )  # fmt: skip
    return _finish(tree)


def series_folder(collection: str, series: Series) -> str:
    """Return the folder of a series, named as the NBIA Data Retriever names it."""
    study = (
        f"{_american_date(series.study_date)}-NA-{series.study_description}-{series.study_uid[-5:]}"
    )
    folder = f"{series.number}.000000-{series.description}-{series.series_uid[-5:]}"
    return f"{collection}/{series.patient_id}/{study}/{folder}"


def _american_date(date: str) -> str:
    return f"{date[4:6]}-{date[6:8]}-{date[:4]}"


def _start(root: Path, collection: str) -> _Tree:
    return _Tree(root, collection, Tally(), [_COLUMNS])


def _finish(tree: _Tree) -> Tally:
    write_csv(tree.root / "metadata.csv", tree.lines)
    return tree.tally


def _write_scan(tree: _Tree, scan: Scan, *, suffix: str = ".dcm") -> list[str]:
    contents = [ct_bytes(scan.series, hu, i) for i, hu in enumerate(_slices(scan), start=1)]
    tree.tally.records += len(contents)
    return tree.add_series(scan.series, "CT", contents, suffix=suffix)


def _slices(scan: Scan) -> Iterator[FloatMap]:
    draw: Callable[[float], FloatMap] = scan.draw
    return (draw(level) for level in scan.levels)


def _cut_off(tree: _Tree, path: str) -> None:
    """Keep two thirds of a slice's bytes: its header is whole, its pixels are not."""
    file = tree.root / path
    content = file.read_bytes()
    file.write_bytes(content[: len(content) * 2 // 3])
    tree.tally.records -= 1
    tree.tally.expect_reject(
        path, "undecodable", "a slice whose pixels were cut off", stage="decode"
    )


def _add_report(tree: _Tree, scan: Scan) -> None:
    series = replace(scan.series, series_uid=make_uid(scan.series.series_uid, "report"),
                     number=99, description="REPORT")  # fmt: skip
    content = report_bytes(series, "Synthetic report without an image.")
    (path,) = tree.add_series(series, "SR", [content])
    tree.tally.expect_reject(path, "not_an_image", "a structured report")


def _add_segmentation(tree: _Tree, scan: Scan) -> None:
    series = replace(scan.series, series_uid=make_uid(scan.series.series_uid, "segmentation"),
                     number=100, description="KIDNEY SEGMENTATION")  # fmt: skip
    mask = scan.draw(scan.levels[0]) > 0
    (path,) = tree.add_series(series, "SEG", [segmentation_bytes(series, mask)])
    tree.tally.expect_reject(path, "not_an_image", "a segmentation object")


def _add_real(tree: _Tree, name: str, patient_id: str, study: str, series: str) -> None:
    """Copy a real image that ships with pydicom; nothing is fetched."""
    content = files("pydicom").joinpath("data", "test_files", name).read_bytes()
    folder = f"{tree.collection}/{patient_id}/01-01-2004-NA-{study}-00000"
    path = f"{folder}/1.000000-pydicom {series}-00000/1-1.dcm"
    write_file(tree.root / path, content)
    tree.tally.records += 1
    tree.tally.real_files.append(path)
