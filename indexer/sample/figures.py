"""The figures of the sample's image-and-caption collection: what is drawn, and how it is drawn."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from indexer.pixels.window import PRESETS, apply_window
from indexer.sample.noise import Pixels
from indexer.sample.phantoms.abdomen_ct import draw_abdomen_ct
from indexer.sample.phantoms.brain_mr import BrainFinding, BrainScan, Lobe, Weighting, draw_brain
from indexer.sample.phantoms.chest_ct import draw_chest_ct
from indexer.sample.phantoms.chest_xray import ChestFilm, FilmFinding, Zone, draw_chest_film
from indexer.sample.phantoms.ct_body import Build, Side
from indexer.sample.phantoms.ct_patients import (
    AbdomenFinding,
    AbdomenPatient,
    ChestFinding,
    ChestPatient,
)
from indexer.sample.phantoms.dental import DentalFinding, Panorama, draw_panorama
from indexer.sample.phantoms.limb_xray import (
    SITES,
    LimbFinding,
    LimbStudy,
    LimbView,
    draw_limb,
)
from indexer.sample.phantoms.mammogram import BreastFinding, Mammogram, draw_mammogram
from indexer.sample.phantoms.ultrasound import FINDINGS_OF, EchoScan, draw_echo

CtWindow: TypeAlias = Literal["lung window", "soft tissue window"]
_WINDOWS = {"lung window": PRESETS["lung"], "soft tissue window": PRESETS["soft_tissue"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChestSlice:
    """A slice of a chest CT as a figure shows it."""

    patient: ChestPatient
    level: float
    contrast: bool
    window: CtWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class AbdomenSlice:
    """A slice of an abdominal CT in the soft tissue window."""

    patient: AbdomenPatient
    level: float
    contrast: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LimbImage:
    """One view of a limb."""

    study: LimbStudy
    view: LimbView


Subject: TypeAlias = (
    ChestFilm | ChestSlice | AbdomenSlice | LimbImage | BrainScan | EchoScan | Mammogram | Panorama
)
# What one article shows: figures of the same patient.
Article: TypeAlias = tuple[Subject, ...]


def draw_subject(subject: Subject) -> Pixels:
    """Return the picture of a subject, uint8 (H, W)."""
    if isinstance(subject, ChestSlice):
        hu = draw_chest_ct(subject.patient, subject.level, contrast=subject.contrast)
        return apply_window(hu, _WINDOWS[subject.window])
    if isinstance(subject, AbdomenSlice):
        hu = draw_abdomen_ct(subject.patient, subject.level, contrast=subject.contrast)
        return apply_window(hu, _WINDOWS["soft tissue window"])
    if isinstance(subject, LimbImage):
        return draw_limb(subject.study, subject.view)
    if isinstance(subject, ChestFilm):
        return draw_chest_film(subject)
    if isinstance(subject, BrainScan):
        return draw_brain(subject)
    if isinstance(subject, EchoScan):
        return draw_echo(subject)
    return draw_mammogram(subject) if isinstance(subject, Mammogram) else draw_panorama(subject)


def plan_articles(seed: int) -> list[Article]:
    """Return what the articles of the collection show, in a shuffled order."""
    rng = np.random.default_rng([seed, 101])
    articles = [
        *_chest_films(rng),
        *_chest_slices(rng),
        *_abdomen_slices(rng),
        *_limbs(rng),
        *_brains(rng),
        *_echoes(rng),
        *_breasts(rng),
        *_jaws(rng),
    ]
    return [articles[i] for i in rng.permutation(len(articles))]


def _number(rng: np.random.Generator) -> int:
    """Return the seed of one patient."""
    return int(rng.integers(1, 2**31))


def _pick_side(rng: np.random.Generator) -> Side:
    return "left" if rng.random() < 0.5 else "right"


def _chest_films(rng: np.random.Generator) -> Iterator[Article]:
    sided: tuple[tuple[FilmFinding, Side, Zone], ...] = (
        ("effusion", "left", "lower"), ("effusion", "right", "lower"),
        ("effusion", "left", "middle"), ("effusion", "right", "upper"),
        ("pneumothorax", "left", "upper"), ("pneumothorax", "right", "upper"),
        ("nodule", "right", "upper"), ("nodule", "left", "middle"), ("nodule", "right", "lower"),
        ("consolidation", "left", "lower"), ("consolidation", "right", "middle"),
        ("consolidation", "right", "lower"), ("pacemaker", "left", "upper"),
        ("pacemaker", "right", "upper"), ("cardiomegaly", "left", "lower"),
        ("cardiomegaly", "left", "lower"), ("none", "left", "lower"), ("none", "left", "lower"),
        ("none", "left", "lower"),
    )  # fmt: skip
    for i, (finding, side, zone) in enumerate(sided):
        film = ChestFilm(
            seed=_number(rng),
            finding=finding,
            side=side,
            zone=zone,
            view="AP" if i % 3 == 2 else "PA",
        )
        yield (film,)


def _chest_slices(rng: np.random.Generator) -> Iterator[Article]:
    plan: tuple[tuple[ChestFinding, Side, float, bool, CtWindow], ...] = (
        ("nodule", "right", 0.5, True, "lung window"),
        ("nodule", "left", 0.36, False, "lung window"),
        ("nodule", "left", 0.54, True, "lung window"),
        ("effusion", "right", 0.78, True, "soft tissue window"),
        ("effusion", "left", 0.74, False, "soft tissue window"),
        ("consolidation", "right", 0.55, True, "lung window"),
        ("consolidation", "left", 0.5, False, "lung window"),
        ("emphysema", "right", 0.35, False, "lung window"),
        ("emphysema", "left", 0.5, False, "lung window"),
        ("oesophageal tumour", "right", 0.7, True, "soft tissue window"),
        ("none", "right", 0.36, True, "soft tissue window"),
        ("none", "right", 0.72, True, "soft tissue window"),
    )
    for finding, side, level, contrast, window in plan:
        patient = ChestPatient(
            build=Build.drawn(rng),
            seed=_number(rng),
            finding=finding,
            side=side,
            level=level,
            size=0.06 + 0.04 * rng.random(),
        )
        first = ChestSlice(patient=patient, level=level, contrast=contrast, window=window)
        if finding in {"nodule", "consolidation", "none"}:
            other: CtWindow = "soft tissue window" if window == "lung window" else "lung window"
            second = ChestSlice(patient=patient, level=level, contrast=contrast, window=other)
            yield (first, second)
        else:
            yield (first,)


def _abdomen_slices(rng: np.random.Generator) -> Iterator[Article]:
    plan: tuple[tuple[AbdomenFinding, Side, float, bool], ...] = (
        ("renal mass", "left", 0.62, True), ("renal mass", "right", 0.66, True),
        ("renal mass", "left", 0.6, False), ("renal cyst", "right", 0.66, True),
        ("renal cyst", "left", 0.6, True), ("kidney stone", "left", 0.64, False),
        ("kidney stone", "right", 0.64, False), ("liver cyst", "right", 0.2, True),
        ("none", "left", 0.1, True), ("none", "left", 0.5, True), ("none", "left", 0.8, False),
    )  # fmt: skip
    for finding, side, level, contrast in plan:
        patient = AbdomenPatient(
            build=Build.drawn(rng), seed=_number(rng), finding=finding, side=side, level=level
        )
        yield (AbdomenSlice(patient=patient, level=level, contrast=contrast),)


def _limbs(rng: np.random.Generator) -> Iterator[Article]:
    findings: tuple[LimbFinding, ...] = ("none", "fracture", "plate")
    for region in SITES:
        for finding in findings:
            study = LimbStudy(
                region=region, side=_pick_side(rng), seed=_number(rng), finding=finding
            )
            yield (LimbImage(study=study, view="frontal"),)


def _brains(rng: np.random.Generator) -> Iterator[Article]:
    plan: tuple[tuple[BrainFinding, Side, Lobe, tuple[Weighting, ...]], ...] = (
        ("tumour", "left", "frontal", ("T1 with contrast", "FLAIR")),
        ("tumour", "right", "parietal", ("T1 with contrast", "T2")),
        ("tumour", "right", "occipital", ("T1 with contrast",)),
        ("infarct", "left", "parietal", ("FLAIR", "T2")),
        ("infarct", "right", "frontal", ("FLAIR",)),
        ("hydrocephalus", "left", "frontal", ("T2",)),
        ("none", "left", "frontal", ("T2", "FLAIR")),
    )
    for finding, side, lobe, weightings in plan:
        number = _number(rng)
        yield tuple(
            BrainScan(seed=number, weighting=w, finding=finding, side=side, lobe=lobe)
            for w in weightings
        )


def _echoes(rng: np.random.Generator) -> Iterator[Article]:
    for organ, findings in FINDINGS_OF.items():
        for finding in findings:
            sides: tuple[Side, ...] = ("left", "right") if organ != "gallbladder" else ("right",)
            for side in sides if finding != "none" else sides[:1]:
                yield (EchoScan(seed=_number(rng), organ=organ, finding=finding, side=side),)


def _breasts(rng: np.random.Generator) -> Iterator[Article]:
    findings: tuple[BreastFinding, ...] = ("none", "mass", "calcifications")
    for finding in findings:
        for side, dense in (("left", False), ("right", True), ("right", False)):
            yield (
                Mammogram(
                    seed=_number(rng),
                    side="left" if side == "left" else "right",
                    finding=finding,
                    dense=dense,
                ),
            )


def _jaws(rng: np.random.Generator) -> Iterator[Article]:
    plan: tuple[tuple[DentalFinding, Side], ...] = (
        ("none", "left"), ("impacted molar", "left"), ("impacted molar", "right"),
        ("missing tooth", "right"), ("missing tooth", "left"), ("fillings", "left"),
        ("none", "left"),
    )  # fmt: skip
    for finding, side in plan:
        yield (Panorama(seed=_number(rng), finding=finding, side=side),)
