"""What ROCOv2's UMLS concepts say about an image: its modality, the body region, their names.

The concepts of modality, X-ray body region and X-ray view were set by hand by the authors
(Rückert et al. 2024, doi:10.1038/s41597-024-03496-6); the organs were found in captions by a
program. An organ stands here only if nearly every caption of the validation split that carries
its concept speaks of it.
"""

import re
from collections.abc import Sequence
from typing import Final

_CUI: Final = re.compile(r"C[0-9]{7}")

MODALITIES: Final = {
    "C1699633": "PET/CT",
    "C0040405": "CT",
    "C1306645": "X-ray",
    "C0024485": "MRI",
    "C0041618": "ultrasound",
    "C0002978": "angiography",
    "C0032743": "PET",
    "C0920367": "OCT",
    "C0034606": "nuclear medicine",
}
"""Modality concepts, the more telling one first where an image carries several."""

REGIONS: Final = {
    "C0817096": "chest",
    "C0000726": "abdomen",
    "C0030797": "pelvis",
    "C0023216": "lower extremity",
    "C1140618": "upper extremity",
    "C0037303": "head",
    "C0037949": "spine",
    "C0006141": "breast",
}
"""Body regions that the authors set for X-rays; other images may carry them from their caption."""

ORGAN_REGIONS: Final = {
    "C0006104": "head",  # brain
    "C0024947": "head",  # maxilla
    "C0024687": "head",  # mandible
    "C0027530": "neck",
    "C0040132": "neck",  # thyroid
    "C0018787": "chest",  # heart
    "C0225897": "chest",  # left ventricle
    "C0225883": "chest",  # right ventricle
    "C0225860": "chest",  # left atrium
    "C0225754": "chest",  # lungs
    "C0025066": "chest",  # mediastinum
    "C0023884": "abdomen",  # liver
    "C0022646": "abdomen",  # kidney
    "C0030274": "abdomen",  # pancreas
    "C0016976": "abdomen",  # gallbladder
    "C0009368": "abdomen",  # colon
    "C0021852": "abdomen",  # small intestine
    "C0005682": "pelvis",  # bladder
    "C0042149": "pelvis",  # uterus
    "C0033572": "pelvis",  # prostate
    "C0029939": "pelvis",  # ovary
    "C0015811": "lower extremity",  # femur
    "C0019552": "lower extremity",  # hip
    "C0037004": "upper extremity",  # shoulder
    "C0013769": "upper extremity",  # elbow
    "C0043262": "upper extremity",  # wrist
}

VIEWS: Final = {
    "C1999039": "anterior-posterior",
    "C1996865": "postero-anterior",
    "C0205129": "sagittal",
}


def parse_cuis(cell: object) -> tuple[str, ...]:
    """Return the concepts of a cell, each once, in their order; a list, or text in any notation.

    `C0040405;C0817096`, `['C0040405' 'C0817096']` and a list of both are the same. What is no CUI
    (a blank, a name) is passed over.
    """
    text = " ".join(map(str, cell)) if isinstance(cell, list | tuple) else str(cell or "")
    return tuple(dict.fromkeys(_CUI.findall(text)))


def modality_of(*opinions: Sequence[str]) -> str | None:
    """Return the modality that the first of several lists of concepts to name one names."""
    for cuis in opinions:
        named = [name for cui, name in MODALITIES.items() if cui in cuis]
        if {"PET", "CT"} <= set(named):
            return "PET/CT"
        if named:
            return named[0]
    return None


def region_of(*opinions: Sequence[str]) -> str | None:
    """Return the body region that a list of concepts names, or else the one its organs lie in."""
    for regions in (REGIONS, ORGAN_REGIONS):
        for cuis in opinions:
            for cui in cuis:
                if cui in regions:
                    return regions[cui]
    return None


def plain_name(cui: str) -> str | None:
    """Return the name of a concept that is listed here, or None."""
    for names in (MODALITIES, REGIONS, VIEWS):
        if cui in names:
            return names[cui]
    return None
