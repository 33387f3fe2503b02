"""The patients of the sample's TCIA collections: who was scanned when, and what was found."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from indexer.sample.curves import FloatMap
from indexer.sample.dicom_files import Series, Vendor, make_uid
from indexer.sample.phantoms.abdomen_ct import draw_abdomen_ct
from indexer.sample.phantoms.chest_ct import draw_chest_ct
from indexer.sample.phantoms.ct_body import Build, Side
from indexer.sample.phantoms.ct_patients import (
    AbdomenFinding,
    AbdomenPatient,
    ChestFinding,
    ChestPatient,
)

_AGENT = "OMNIPAQUE 300"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A series to be written: its tags, the levels of its slices, how a slice is drawn."""

    series: Series
    levels: tuple[float, ...]
    draw: Callable[[float], FloatMap]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """A patient on the table: identity and study, from which series are made."""

    patient_id: str
    age_years: int
    sex: Literal["F", "M"]
    study_uid: str
    date: str
    description: str
    body_part: str

    def series(self, number: int, description: str, vendor: Vendor, *, contrast: bool) -> Series:
        """Return the tags of one series of the study."""
        return Series(
            patient_id=self.patient_id,
            age_years=self.age_years,
            sex=self.sex,
            study_uid=self.study_uid,
            study_date=self.date,
            study_description=self.description,
            series_uid=make_uid(self.study_uid, number),
            number=number,
            description=description,
            body_part=self.body_part,
            vendor=vendor,
            agent=_AGENT if contrast else None,
        )


def _visit(
    seed: int,
    code: str,
    rng: np.random.Generator,
    *,
    date: str,
    description: str,
    body_part: str,
) -> _Visit:
    """Return a visit of the patient `code`; age and sex are drawn."""
    return _Visit(
        patient_id=code,
        age_years=int(rng.integers(41, 84)),
        sex="F" if rng.random() < 0.5 else "M",
        study_uid=make_uid(seed, code, date),
        date=date,
        description=description,
        body_part=body_part,
    )


def _levels(first: float, last: float, count: int) -> tuple[float, ...]:
    """Return evenly spaced levels, rounded to thousandths."""
    return tuple(round(first + (last - first) * i / (count - 1), 3) for i in range(count))


def luad_scans(seed: int) -> Iterator[Scan]:
    """Yield chest scans: nodules with a follow-up, an effusion, a consolidation, a healthy one."""
    rng = np.random.default_rng([seed, 109])
    plan: tuple[tuple[str, ChestFinding, Side, float, Vendor], ...] = (
        ("TCGA-SY-0001", "nodule", "right", 0.5, "signed"),
        ("TCGA-SY-0002", "nodule", "left", 0.36, "unsigned"),
        ("TCGA-SY-0003", "effusion", "left", 0.78, "signed"),
        ("TCGA-SY-0004", "consolidation", "right", 0.55, "compressed"),
        ("TCGA-SY-0005", "none", "right", 0.5, "signed"),
    )
    for code, finding, side, level, vendor in plan:
        patient = ChestPatient(
            build=Build.drawn(rng),
            seed=int(rng.integers(1, 2**31)),
            finding=finding,
            side=side,
            level=level,
            size=0.06 + 0.03 * rng.random(),
        )
        visit = _visit(seed, code, rng, date="20010312", description="CT CHEST", body_part="CHEST")
        if code != "TCGA-SY-0005":
            series = visit.series(2, "CHEST WITHOUT", vendor, contrast=False)
            yield _chest_scan(series, patient, _levels(0.16, 0.95, 5), contrast=False)
        series = visit.series(3, "CHEST WITH CONTRAST", vendor, contrast=True)
        yield _chest_scan(series, patient, _levels(0.2, 0.92, 5), contrast=True)


def esca_scans(seed: int) -> Iterator[Scan]:
    """Yield scans of patients with a tumour of the oesophagus: chest and upper abdomen."""
    rng = np.random.default_rng([seed, 113])
    plan: tuple[tuple[str, float, Vendor], ...] = (
        ("TCGA-SY-0101", 0.7, "signed"),
        ("TCGA-SY-0102", 0.55, "unsigned"),
        ("TCGA-SY-0103", 0.8, "signed"),
    )
    for code, level, vendor in plan:
        build, number = Build.drawn(rng), int(rng.integers(1, 2**31))
        chest = ChestPatient(build=build, seed=number, finding="oesophageal tumour", level=level)
        visit = _visit(
            seed, code, rng, date="20030924", description="CT THORAX ABDOMEN", body_part="ESOPHAGUS"
        )
        series = visit.series(2, "THORAX ARTERIAL", vendor, contrast=True)
        levels = _levels(level - 0.22, min(level + 0.22, 0.98), 6)
        yield _chest_scan(series, chest, levels, contrast=True)
        abdomen = AbdomenPatient(build=build, seed=number)
        series = visit.series(3, "UPPER ABDOMEN", vendor, contrast=True)
        yield _abdomen_scan(series, abdomen, _levels(0.03, 0.24, 3), contrast=True)


def kich_scans(seed: int) -> Iterator[Scan]:
    """Yield abdominal scans of patients with a renal mass, before and after contrast agent."""
    rng = np.random.default_rng([seed, 127])
    plan: tuple[tuple[str, AbdomenFinding, Side, float, Vendor], ...] = (
        ("TCGA-SY-0201", "renal mass", "left", 0.62, "signed"),
        ("TCGA-SY-0202", "renal mass", "right", 0.68, "compressed"),
        ("TCGA-SY-0203", "renal mass", "left", 0.58, "unsigned"),
    )
    for code, finding, side, level, vendor in plan:
        patient = AbdomenPatient(
            build=Build.drawn(rng),
            seed=int(rng.integers(1, 2**31)),
            finding=finding,
            side=side,
            level=level,
            size=0.11 + 0.04 * rng.random(),
        )
        visit = _visit(
            seed, code, rng, date="20020605", description="CT ABDOMEN", body_part="KIDNEY"
        )
        for number, description, contrast, count in (
            (2, "ABDOMEN NATIVE", False, 4),
            (3, "ABDOMEN ARTERIAL", True, 6),
        ):
            series = visit.series(number, description, vendor, contrast=contrast)
            levels = _levels(0.34, 0.94, count)
            yield _abdomen_scan(series, patient, levels, contrast=contrast)


def _chest_scan(
    series: Series, patient: ChestPatient, levels: tuple[float, ...], *, contrast: bool
) -> Scan:
    def draw(level: float) -> FloatMap:
        return draw_chest_ct(patient, level, contrast=contrast)

    return Scan(series=series, levels=levels, draw=draw)


def _abdomen_scan(
    series: Series, patient: AbdomenPatient, levels: tuple[float, ...], *, contrast: bool
) -> Scan:
    def draw(level: float) -> FloatMap:
        return draw_abdomen_ct(patient, level, contrast=contrast)

    return Scan(series=series, levels=levels, draw=draw)
