"""Kaggle's "CT Medical Images": single slices of TCGA-LUAD and TCGA-LUSC with age and contrast."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from indexer.datasets.base import DatasetInfo, not_found
from indexer.datasets.cancer_ct_slices import (
    Slice,
    SliceFiles,
    find_slice_files,
    native_id_of,
    parse_name,
    parse_row,
)
from indexer.datasets.instances import SPLIT, InstanceContext, make_instance, read_instance
from indexer.datasets.rows import read_csv_rows
from indexer.datasets.tree import relative_name
from indexer.errors import BadRecordError
from indexer.pixels.pseudonyms import Pseudonymiser
from indexer.records import ImageRecord, ImageRef, Reject, Row, make_record_id

INFO = DatasetInfo(
    name="cancer_ct",
    title="CT Medical Images (TCGA-LUAD, TCGA-LUSC)",
    kind="image",
    description=(
        "One hundred CT slices of lung cancer patients from The Cancer Imaging Archive, half of "
        "them with contrast agent, with the patients' ages."
    ),
    licence="CC BY 3.0",
    licence_url="https://creativecommons.org/licenses/by/3.0/",
    citation=(
        "Mader KS. CT Medical Images, Kaggle (2017), kaggle.com/datasets/kmader/"
        "siim-medical-images. Slices: Albertina B, et al. TCGA-LUAD, "
        "https://doi.org/10.7937/K9/TCIA.2016.JGNIHEP5; Kirk S, et al. TCGA-LUSC, "
        "https://doi.org/10.7937/K9/TCIA.2016.TYGKKFMQ"
    ),
    homepage="https://www.kaggle.com/datasets/kmader/siim-medical-images",
    size="100 slices, each as DICOM and as TIFF; about 250 MB",
    languages=("en",),
    access=(
        "Sign in to Kaggle, download the archive from "
        "https://www.kaggle.com/datasets/kmader/siim-medical-images and unpack it."
    ),
    layout=(
        "overview.csv with dicom_dir/ID_0000_AGE_0060_CONTRAST_1_CT.dcm, tiff_images/*.tif or "
        "full_archive.npz; any one of the three will do, and so will the files without "
        "overview.csv."
    ),
    folders=("cancer_ct", "siim_ct", "siim-medical-images", "ct-medical-images"),
    holds_ct=True,
)

_ATTRIBUTION = "The Cancer Imaging Archive (TCGA-LUAD, TCGA-LUSC); K. S. Mader, Kaggle"
_BODY_PART = "chest"


class CancerCtDataset:
    """The reader of the Kaggle archive, whole or in part.

    A slice that exists as DICOM, TIFF and archive member is one record, read from the first of
    them that can be read: only DICOM tells which patient, study and series it belongs to.
    """

    info = INFO

    def detect(self, root: Path) -> str | None:
        """Return what there is of `overview+dicom+tiff+npz`, or None."""
        files = find_slice_files(root) if root.is_dir() else None
        if files is None:
            return None
        kinds = {
            "overview": files.overview,
            "dicom": files.dicom,
            "tiff": files.tiff,
            "npz": files.archive,
        }
        return "+".join(kind for kind, found in kinds.items() if found) or None

    def iter_rows(self, root: Path) -> Iterator[Row]:
        """Yield the slices as overview.csv orders them, then those it leaves out, by number.

        Raises
        ------
        DatasetNotFoundError
            Neither overview.csv nor any file of a slice lies below `root`.
        """
        if self.detect(root) is None:
            raise not_found(self.info, root)
        return _Reader(root, find_slice_files(root)).rows()


class _Reader:
    """Reads one folder once."""

    def __init__(self, root: Path, files: SliceFiles) -> None:
        self._root = root
        self._files = files
        self._context = InstanceContext(
            info=INFO,
            pseudonyms=Pseudonymiser.from_environment(),
            body_part=_BODY_PART,
            attribution=_ATTRIBUTION,
        )

    def rows(self) -> Iterator[Row]:
        """Yield a record or a reject for each slice, and a reject for each file that is broken."""
        seen: set[int] = set()
        overview = self._files.overview
        for row in read_csv_rows(self._root, overview) if overview else ():
            if isinstance(row, Reject):
                yield row
                continue
            try:
                one = parse_row(row)
            except BadRecordError as error:
                yield Reject(path=error.path, line=error.line, reason=error.reason)
                continue
            seen.add(one.number)
            yield from self._read(one)
        for one in self._unlisted():
            if one.number not in seen:
                yield from self._read(one)

    def _read(self, one: Slice) -> Iterator[Row]:
        record = None
        if one.number in self._files.dicom:
            outcome = self._from_dicom(one, self._files.dicom[one.number])
            if isinstance(outcome, Reject):
                yield outcome
            else:
                record = outcome
        record = record or self._from_pixels(one)
        if record is not None:
            yield record
        elif one.number not in self._files.dicom:
            reason = f"slice {one.number} is there neither as DICOM nor as TIFF nor in the archive"
            yield Reject(path=one.path, line=one.line, reason=reason, kind="missing_file")

    def _from_dicom(self, one: Slice, file: Path) -> ImageRecord | Reject:
        path = relative_name(self._root, file)
        header = read_instance(file, path)
        if isinstance(header, Reject):
            return header
        record = make_instance(header, path, self._context, native_id=native_id_of(one.number))
        return replace(
            record,
            source_id=one.stem,
            source_path=one.path,
            source_line=one.line,
            age_years=record.age_years if one.age_years is None else one.age_years,
            contrast=record.contrast if one.contrast is None else one.contrast,
        )

    def _from_pixels(self, one: Slice) -> ImageRecord | None:
        """Return the record of a slice of which there are only values: TIFF or archive member."""
        image = self._find_pixels(one.number)
        if image is None:
            return None
        native_id = native_id_of(one.number)
        return ImageRecord(
            record_id=make_record_id(INFO.name, SPLIT, native_id),
            dataset=INFO.name,
            split=SPLIT,
            source_id=one.stem,
            source_path=one.path,
            source_line=one.line,
            case_id=native_id,
            licence=INFO.licence,
            attribution=_ATTRIBUTION,
            image=image,
            modality="CT",
            body_part=_BODY_PART,
            age_years=one.age_years,
            contrast=one.contrast,
        )

    def _find_pixels(self, number: int) -> ImageRef | None:
        if number in self._files.tiff:
            return ImageRef(path=relative_name(self._root, self._files.tiff[number]))
        archive = self._files.archive
        if archive is None or number not in archive.rows:
            return None
        return ImageRef(path=relative_name(self._root, archive.path), row=archive.rows[number])

    def _unlisted(self) -> Iterator[Slice]:
        """Yield all slices of which there is a file, by number, with what the file's name says."""
        files = self._files
        archived = files.archive.rows if files.archive else {}
        for number in sorted({*files.dicom, *files.tiff, *archived}):
            file = files.dicom.get(number) or files.tiff.get(number)
            if file is not None:
                yield parse_name(file.stem, number, relative_name(self._root, file))
            elif files.archive is not None:
                path = relative_name(self._root, files.archive.path)
                yield parse_name(native_id_of(number), number, path)


DATASETS = (CancerCtDataset(),)
