"""Captions and concepts of the figures, written from the very parameters they are drawn with."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from indexer.sample.figures import (
    AbdomenSlice,
    ChestSlice,
    LimbImage,
    Subject,
)
from indexer.sample.phantoms.brain_mr import BrainScan, Weighting
from indexer.sample.phantoms.chest_xray import ChestFilm, Zone
from indexer.sample.phantoms.ct_patients import ChestFinding
from indexer.sample.phantoms.dental import Panorama
from indexer.sample.phantoms.mammogram import Mammogram
from indexer.sample.texts import read_texts

_AMOUNTS: Mapping[Zone, str] = {"lower": "small", "middle": "moderate", "upper": "large"}
_CHEST_LEVELS = (
    (0.28, "through the lung apices"),
    (0.42, "at the level of the aortic arch"),
    (0.6, "below the carina"),
    (0.86, "at the level of the heart"),
    (1.01, "at the lung bases"),
)
_ABDOMEN_LEVELS = (
    (0.28, "at the level of the liver and spleen"),
    (0.48, "at the level of the pancreas"),
    (1.01, "at the level of the kidneys"),
)
_TUMOUR_LOOK: Mapping[Weighting, str] = {
    "T1 with contrast": "a ring-enhancing mass",
    "T2": "a mass surrounded by hyperintense edema",
    "FLAIR": "a mass with extensive hyperintense edema",
}
_INFARCT_LOOK: Mapping[Weighting, str] = {
    "T1 with contrast": "hypointense",
    "T2": "hyperintense",
    "FLAIR": "hyperintense",
}
_VIEW_CUIS = {"PA": "C1996865", "AP": "C1999039"}
_LIMB_VIEW_CUIS = {"frontal": "C1999039", "lateral": "C0205129", "oblique": "C1999039"}
_FILM_CUIS = {
    "effusion": ("C0032227",),
    "pneumothorax": ("C0032326",),
    "nodule": ("C0028259", "C0024109"),
    "consolidation": ("C0521530",),
    "cardiomegaly": ("C0018800",),
    "pacemaker": ("C0030163",),
}
_CHEST_CUIS: Mapping[ChestFinding, tuple[str, ...]] = {
    "nodule": ("C0028259", "C0024109"),
    "effusion": ("C0032227",),
    "consolidation": ("C0521530",),
    "emphysema": ("C0034067",),
    "oesophageal tumour": ("C0014876", "C0027651"),
}
_ABDOMEN_CUIS = {
    "renal mass": ("C0022646", "C0027651"),
    "renal cyst": ("C0022646", "C0010709"),
    "kidney stone": ("C0022646", "C0022650"),
    "liver cyst": ("C0023884", "C0010709"),
}
_REGION_CUIS = {
    "elbow": "C0013769",
    "finger": "C0016129",
    "forearm": "C0016536",
    "hand": "C0018563",
    "humerus": "C0020164",
    "shoulder": "C0037004",
    "wrist": "C0043262",
}
_LIMB_CUIS = {"fracture": ("C0016658",), "plate": ("C0005971", "C0301559")}
_BRAIN_CUIS = {
    "tumour": ("C0027651",),
    "infarct": ("C0021308",),
    "hydrocephalus": ("C0020255", "C0152279"),
}
_ECHO_CUIS = {
    "gallstone": ("C0242216",),
    "hydronephrosis": ("C0020295",),
    "cyst": ("C0010709",),
    "solid mass": ("C0024103",),
    "nodule": ("C0040137",),
}
_ORGAN_CUIS = {
    "gallbladder": "C0016976",
    "kidney": "C0022646",
    "breast": "C0006141",
    "thyroid": "C0040132",
}
_BREAST_CUIS = {"mass": ("C0024103",), "calcifications": ("C0006663",)}
_DENTAL_CUIS = {
    "impacted molar": ("C0024687", "C0026369", "C0040456"),
    "missing tooth": ("C0024687", "C0080233"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A caption with its UMLS concepts.

    `manual` are those that annotators set by hand (modality, region, view); `concepts` are these
    and the ones of what was found.
    """

    caption: str
    concepts: tuple[str, ...]
    manual: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a subject gives its caption: the kind of plan, the words for its slots, concepts."""

    kind: str
    finding: str
    words: Mapping[str, str]
    manual: tuple[str, ...]
    found: tuple[str, ...]


def describe(subject: Subject, rng: np.random.Generator) -> Description:
    """Return the caption and the concepts of a subject, in one of several sentence plans."""
    facts = _facts(subject)
    plans: list[str] = read_texts("captions")[facts.kind][facts.finding]
    plan = plans[int(rng.integers(len(plans)))]
    words = dict(facts.words)
    words |= {f"{key[0].upper()}{key[1:]}": capitalise(value) for key, value in words.items()}
    return Description(
        caption=plan.format_map(words),
        concepts=tuple(dict.fromkeys((*facts.manual, *facts.found))),
        manual=facts.manual,
    )


def capitalise(text: str) -> str:
    """Return the text with its first letter in upper case and the rest untouched."""
    return text[:1].upper() + text[1:]


def _facts(subject: Subject) -> _Facts:
    if isinstance(subject, ChestFilm | LimbImage | Mammogram | Panorama):
        return _radiograph_facts(subject)
    if isinstance(subject, ChestSlice | AbdomenSlice):
        return _ct_facts(subject)
    if isinstance(subject, BrainScan):
        words = {
            "weighting": _weighting(subject.weighting),
            "side": subject.side,
            "lobe": subject.lobe,
            "tumour_look": _TUMOUR_LOOK[subject.weighting],
            "infarct_look": _INFARCT_LOOK[subject.weighting],
        }
        found = ("C0006104", *_BRAIN_CUIS.get(subject.finding, ()))
        return _Facts("brain scan", subject.finding, words, ("C0024485",), found)
    finding = f"{subject.organ}/{subject.finding}"
    found = (_ORGAN_CUIS[subject.organ], *_ECHO_CUIS.get(subject.finding, ()))
    return _Facts("echo scan", finding, {"side": subject.side}, ("C0041618",), found)


def _radiograph_facts(subject: ChestFilm | LimbImage | Mammogram | Panorama) -> _Facts:
    if isinstance(subject, ChestFilm):
        words = {
            "view": subject.view,
            "side": subject.side,
            "zone": subject.zone,
            "amount": _AMOUNTS[subject.zone],
        }
        manual = ("C1306645", "C0817096", _VIEW_CUIS[subject.view])
        found = _FILM_CUIS.get(subject.finding, ())
        return _Facts("chest film", subject.finding, words, manual, found)
    if isinstance(subject, LimbImage):
        study = subject.study
        # The elbow is drawn bent, from the side.
        view = "lateral" if study.region == "elbow" else subject.view
        words = {
            "view": view,
            "side": study.side,
            "region": study.region,
            "bone": study.bone,
        }
        manual = ("C1306645", "C1140618", _LIMB_VIEW_CUIS[view])
        found = (_REGION_CUIS[study.region], *_LIMB_CUIS.get(study.finding, ()))
        return _Facts("limb image", study.finding, words, manual, found)
    if isinstance(subject, Mammogram):
        density = "dense" if subject.dense else "predominantly fatty"
        words = {"side": subject.side, "density": density}
        found = _BREAST_CUIS.get(subject.finding, ())
        return _Facts("mammogram", subject.finding, words, ("C1306645", "C0006141"), found)
    found = _DENTAL_CUIS.get(subject.finding, ())
    words = {"side": subject.side}
    return _Facts("panorama", subject.finding, words, ("C1306645", "C0037303"), found)


def _ct_facts(subject: ChestSlice | AbdomenSlice) -> _Facts:
    words = {
        "side": subject.patient.side,
        "contrast": "contrast-enhanced" if subject.contrast else "non-contrast",
    }
    if isinstance(subject, ChestSlice):
        patient = subject.patient
        words["level"] = _name_level(subject.level, _CHEST_LEVELS)
        words["window"] = subject.window
        found = ("C0817096", *_CHEST_CUIS.get(patient.finding, ()))
        return _Facts("chest slice", patient.finding, words, ("C0040405",), found)
    words["level"] = _name_level(subject.level, _ABDOMEN_LEVELS)
    finding = subject.patient.finding
    found = ("C0000726", *_ABDOMEN_CUIS.get(finding, ()))
    return _Facts("abdomen slice", finding, words, ("C0040405",), found)


def _name_level(level: float, names: tuple[tuple[float, str], ...]) -> str:
    """Return the words for the first stretch that ends above the level."""
    return next(name for end, name in names if level < end)


def _weighting(weighting: Weighting) -> str:
    return {"T1 with contrast": "contrast-enhanced T1-weighted", "T2": "T2-weighted"}.get(
        weighting, "FLAIR"
    )
