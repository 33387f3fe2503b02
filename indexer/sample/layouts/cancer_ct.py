"""Kaggle's "CT Medical Images": overview.csv with DICOM files, float64 TIFF files, an archive."""

from pathlib import Path

import numpy as np

from indexer.sample.curves import FloatMap
from indexer.sample.dicom_files import Series, ct_bytes, make_uid, write_file
from indexer.sample.phantoms.chest_ct import draw_chest_ct
from indexer.sample.phantoms.ct_body import Build, Side
from indexer.sample.phantoms.ct_patients import ChestFinding, ChestPatient
from indexer.sample.tally import Tally, write_csv

_COLUMNS = (
    "", "Age", "Contrast", "ContrastTag", "raw_input_path", "id", "tiff_name", "dicom_name",
)  # fmt: skip
_SLICES_A_PATIENT = 3
# Which slices exist as DICOM and as TIFF; all of them are in the archive.
_DICOM_UP_TO = 15
_TIFF_FROM = 12
_TIFF_UP_TO = 18
_PATIENTS: tuple[tuple[str, ChestFinding, Side, bool], ...] = (
    ("TCGA-SY-0301", "nodule", "left", True),
    ("TCGA-SY-0302", "none", "left", True),
    ("TCGA-SY-0303", "effusion", "right", True),
    ("TCGA-SY-0304", "nodule", "right", False),
    ("TCGA-SY-0305", "emphysema", "left", False),
    ("TCGA-SY-0306", "consolidation", "left", False),
    ("TCGA-SY-0307", "none", "left", False),
)


def write_cancer_ct(root: Path, seed: int) -> Tally:
    """Write the slices of seven patients; one line of the overview gives no number."""
    import tifffile

    rng = np.random.default_rng([seed, 131])
    lines: list[tuple[object, ...]] = [_COLUMNS]
    images = []
    for position, (code, finding, side, contrast) in enumerate(_PATIENTS):
        patient = ChestPatient(
            build=Build.drawn(rng), seed=int(rng.integers(1, 2**31)), finding=finding, side=side
        )
        age = int(rng.integers(47, 85))
        series = _series(seed, code, age, contrast=contrast)
        for instance in range(1, _SLICES_A_PATIENT + 1):
            number = position * _SLICES_A_PATIENT + instance - 1
            hu = draw_chest_ct(patient, 0.26 + 0.17 * instance, contrast=contrast)
            stem = f"ID_{number:04d}_AGE_{age:04d}_CONTRAST_{int(contrast)}_CT"
            if number < _DICOM_UP_TO:
                write_file(root / "dicom_dir" / f"{stem}.dcm", ct_bytes(series, hu, instance))
            if _TIFF_FROM <= number < _TIFF_UP_TO:
                (root / "tiff_images").mkdir(exist_ok=True)
                tifffile.imwrite(root / "tiff_images" / f"{stem}.tif", _whole_hu(hu, np.float64))
            images.append(_whole_hu(hu, np.int16))
            lines.append(_overview_line(number, age, stem, contrast=contrast))
    np.savez(
        root / "full_archive.npz",
        idx=np.arange(len(images), dtype=np.int64),
        image=np.stack(images),
    )
    tally = Tally(records=len(images))
    lines.append((len(images), "", "", "NONE", "", "", "", ""))
    tally.expect_reject("overview.csv", "bad_row", "a line without a number", line=len(lines))
    write_csv(root / "overview.csv", lines, line_end="\r\n")
    return tally


def _whole_hu(hu: FloatMap, kind: type[np.float64] | type[np.int16]) -> np.ndarray:
    return np.rint(hu).astype(kind)


def _series(seed: int, code: str, age_years: int, *, contrast: bool) -> Series:
    study_uid = make_uid(seed, code)
    return Series(
        patient_id=code,
        age_years=age_years,
        sex="M" if int(code[-1]) % 2 else "F",
        study_uid=study_uid,
        study_date="19990118",
        study_description="CT CHEST",
        series_uid=make_uid(study_uid, 2),
        number=2,
        description="CHEST",
        body_part="CHEST",
        agent="APPLIED" if contrast else None,
    )


def _overview_line(number: int, age: int, stem: str, *, contrast: bool) -> tuple[object, ...]:
    folder = "Contrast" if contrast else "No contrast"
    raw = f"../data/50_50_dicom_cases\\{folder}\\00001 ({number + 1}).dcm"
    tag = "APPLIED" if contrast else "NONE"
    return (number, age, contrast, tag, raw, number, f"{stem}.tif", f"{stem}.dcm")
