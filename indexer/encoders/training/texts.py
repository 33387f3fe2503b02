"""Several ways of saying what one image shows, because users say it in several ways."""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from indexer.encoders.training.examples import Example

MODALITY_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "x-ray": ("X-ray", "radiograph", "plain film"),
        "ct": ("CT", "CT scan", "computed tomography"),
        "mri": ("MRI", "MR image", "magnetic resonance imaging"),
        "ultrasound": ("ultrasound", "sonogram", "ultrasound image"),
        "mammography": ("mammogram", "mammography"),
        "angiography": ("angiogram", "angiography"),
        "ct angiography": ("CT angiogram", "CT angiography"),
        "nuclear medicine": ("nuclear medicine scan", "scintigraphy"),
        "fluoroscopy": ("fluoroscopy", "contrast fluoroscopy image"),
        "pet": ("PET", "PET scan"),
    }
)

# The first word of each names the region: parts of one region begin alike.
BODY_PART_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "skull and contents": ("brain", "head", "skull and contents", "brain and neuro"),
        "brain": ("brain", "head", "skull and contents"),
        "brain and neuro": ("brain", "head"),
        "head": ("brain", "head", "skull and contents"),
        "musculoskeletal": ("musculoskeletal system", "bones and joints", "musculoskeletal"),
        "bone/extremity": ("musculoskeletal system", "bone", "extremity", "limb"),
        "knee": ("knee", "knee joint"),
        "spine": ("spine", "vertebral column"),
        "spine and contents": ("spine", "vertebral column", "spine and contents"),
        "chest": ("chest", "lung", "thorax"),
        "chest, pulmonary": ("chest", "lung", "thorax"),
        "lung": ("chest", "lung", "thorax"),
        "lung, mediastinum, pleura": ("chest", "lung", "thorax", "lung, mediastinum and pleura"),
        "heart and great vessels": ("heart", "heart and great vessels", "cardiovascular system"),
        "vascular and lymphatic": (
            "blood vessels",
            "vascular system",
            "vascular and lymphatic system",
        ),
        "gastrointestinal": ("abdomen", "gastrointestinal tract", "gastrointestinal system"),
        "abdomen": ("abdomen", "gastrointestinal system"),
        "kidney/abdomen": ("abdomen", "kidneys"),
        "genitourinary": ("genitourinary system", "kidneys and pelvis", "pelvis", "genitourinary"),
        "face, sinuses, and neck": ("head and neck", "face and neck", "face, sinuses and neck"),
        "teeth/jaw": ("teeth and jaws", "teeth", "jaw"),
    }
)

_KELLGREN_LAWRENCE = tuple(
    (f"kl{grade}", f"Kellgren-Lawrence grade {grade} osteoarthritis") for grade in range(1, 5)
)
LABEL_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "notumor": "no tumour",
        "no tumor": "no tumour",
        "tumor": "tumour",
        "pituitary": "pituitary tumour",
        "not_fractured": "no fracture",
        "fractured": "fracture",
        "hemorrhage": "intracranial haemorrhage",
        "no hemorrhage": "no intracranial haemorrhage",
        "panoramic dental": "panoramic dental radiograph",
        "no finding": "no acute finding",
        "kl0": "no osteoarthritis, Kellgren-Lawrence grade 0",
        **dict(_KELLGREN_LAWRENCE),
    }
)

_CLASS_TEMPLATES = (
    "{modality} of the {part}",
    "{part} {modality}",
    "a {part} {modality}",
    "{modality}, {part}",
    "{modality} image of the {part}.",
)
_PARTLESS_TEMPLATES = ("{modality}", "{modality} image")
_LABEL_TEMPLATES = (
    "{labels}",
    "{modality} of the {part} showing {labels}",
    "{part} {modality}, {labels}",
    "{labels} on {modality}",
    "{part}: {labels}",
    "{part} {modality} with {labels}",
)
_PARTLESS_LABEL_TEMPLATES = ("{labels}", "{labels} on {modality}", "{modality} showing {labels}")
_MAX_LABELS = 3
_SIDE = re.compile(r"\b(left|right)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Views:
    """The texts of one image, by how much they tell; a step draws one of each. None is empty.

    `captions` tell what its author wrote, `classes` only modality and body part, `findings` the
    labels too.
    """

    captions: tuple[str, ...]
    classes: tuple[str, ...]
    findings: tuple[str, ...]

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        return iter((self.captions, self.classes, self.findings))


def write_views(example: Example, per_view: int, draw: random.Random) -> Views:
    """Write the texts of an example; equal examples and equal `draw` give equal texts."""
    classes = tuple(_write_class(example, draw) for _ in range(per_view))
    findings = tuple(_write_finding(example, draw) for _ in range(per_view) if example.labels)
    stated = tuple(text for text in (example.caption, *example.details) if text)
    return Views(
        captions=stated or findings or classes,
        classes=classes if example.modality or example.body_part else stated or findings or classes,
        findings=findings or classes,
    )


def name_region(body_part: str) -> str:
    """Return the name under which differently worded body parts count as the same."""
    return _synonyms(BODY_PART_WORDS, body_part)[0] if body_part else ""


def swap_sides(text: str) -> str:
    """Exchange left and right, keeping case: the text of the mirror image."""
    return _SIDE.sub(_other_side, text)


def _other_side(match: "re.Match[str]") -> str:
    side = match.group()
    other = "right" if side.lower() == "left" else "left"
    if side.isupper():
        return other.upper()
    return other.capitalize() if side[0].isupper() else other


def _write_class(example: Example, draw: random.Random) -> str:
    words = _words(example, draw)
    return draw.choice(_CLASS_TEMPLATES if words["part"] else _PARTLESS_TEMPLATES).format(**words)


def _write_finding(example: Example, draw: random.Random) -> str:
    words = _words(example, draw)
    labels = [LABEL_WORDS.get(label.lower(), label.replace("_", " ")) for label in example.labels]
    templates = _LABEL_TEMPLATES if words["part"] else _PARTLESS_LABEL_TEMPLATES
    return draw.choice(templates).format(labels=", ".join(labels[:_MAX_LABELS]), **words)


def _words(example: Example, draw: random.Random) -> dict[str, str]:
    """Choose a word for modality and body part; an unknown body part is the empty word."""
    return {
        "modality": draw.choice(_synonyms(MODALITY_WORDS, example.modality) or ("medical image",)),
        "part": draw.choice(_synonyms(BODY_PART_WORDS, example.body_part) or ("",)),
    }


def _synonyms(table: Mapping[str, Sequence[str]], term: str | None) -> Sequence[str]:
    return table.get(term.lower(), (term,)) if term else ()
