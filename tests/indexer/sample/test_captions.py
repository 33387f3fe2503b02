import re
import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.sample.captions import describe
from indexer.sample.figures import (
    AbdomenSlice,
    ChestSlice,
    LimbImage,
    draw_subject,
    plan_articles,
)
from indexer.sample.phantoms.brain_mr import BrainScan
from indexer.sample.phantoms.chest_xray import ChestFilm
from indexer.sample.phantoms.dental import Panorama
from indexer.sample.phantoms.mammogram import Mammogram
from indexer.sample.phantoms.ultrasound import EchoScan
from indexer.sample.texts import read_texts

# Where a caption names a side that is not the finding's: chambers of the heart, lobes of the liver.
FIXED_SIDES = re.compile(r"right ventric\w+|right (liver )?lobe( of the liver)?|both sides")


def subjects(seed):
    return [subject for article in plan_articles(seed) for subject in article]


def finding_of(subject):
    if isinstance(subject, ChestSlice | AbdomenSlice):
        return subject.patient.finding
    return subject.study.finding if isinstance(subject, LimbImage) else subject.finding


def side_of(subject):
    if isinstance(subject, ChestSlice | AbdomenSlice):
        return subject.patient.side
    return subject.study.side if isinstance(subject, LimbImage) else subject.side


def named_sides(caption):
    return set(re.findall(r"\b(left|right)\b", FIXED_SIDES.sub("", caption.lower())))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_caption_names_the_drawn_side_and_no_other(seed):
    rng = np.random.default_rng(seed)
    named = 0
    for subject in subjects(seed):
        sides = named_sides(describe(subject, rng).caption)
        assert sides <= {side_of(subject)}, describe(subject, rng).caption
        named += bool(sides)
    assert named > 60


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_limbs_caption_names_region_and_the_bone_that_was_treated(seed):
    rng = np.random.default_rng(seed)
    limbs = [subject for subject in subjects(seed) if isinstance(subject, LimbImage)]
    assert len(limbs) == 21
    for limb in limbs:
        caption = describe(limb, rng).caption
        assert limb.study.region in caption
        assert ("fracture of" in caption or "Displaced" in caption) == (
            limb.study.finding == "fracture"
        )
        if limb.study.finding != "none":
            assert limb.study.bone in caption


WORDS = {
    "effusion": "effusion|fluid", "pneumothorax": "pneumothorax|pleural space",
    "nodule": "nodule|coin lesion", "consolidation": "consolidation|pneumonia",
    "cardiomegaly": "cardiomegaly|enlarged cardiac", "pacemaker": "pacemaker",
    "emphysema": "emphysem", "oesophageal tumour": "esophag", "renal mass": "mass|tumor",
    "renal cyst": "cyst", "kidney stone": "calculus|stone", "liver cyst": "cyst",
    "fracture": "fracture", "plate": "plate", "tumour": "mass|tumor", "infarct": "infarct",
    "hydrocephalus": "hydrocephalus", "gallstone": "stone", "cyst": "cyst",
    "hydronephrosis": "hydronephrosis|dilated", "solid mass": "mass", "mass": "mass",
    "calcifications": "calcification", "impacted molar": "impacted", "missing tooth": "missing|gap",
    "fillings": "fillings",
}  # fmt: skip


def test_every_finding_is_named_in_every_one_of_its_sentence_plans():
    for kinds in read_texts("captions").values():
        for finding, plans in kinds.items():
            word = WORDS.get(finding.rpartition("/")[2])
            for plan in plans:
                words = plan.lower().replace("{tumour_look}", "mass").replace("{infarct_look}", "")
                assert word is None or re.search(word, words), plan


def test_healthy_subjects_are_not_called_ill():
    rng = np.random.default_rng(3)
    healthy = [subject for subject in subjects(3) if finding_of(subject) == "none"]
    assert len(healthy) > 15
    for subject in healthy:
        assert not re.search(
            r"suspicious|consistent|displaced|plate|pneumonia|carcinoma",
            describe(subject, rng).caption,
        )


def test_contrast_window_and_weighting_are_those_of_the_drawing():
    rng = np.random.default_rng(0)
    for subject in subjects(0):
        caption = describe(subject, rng).caption.lower()
        if isinstance(subject, ChestSlice):
            assert subject.window in caption
        if isinstance(subject, ChestSlice | AbdomenSlice):
            assert "non-contrast" not in caption or not subject.contrast
            assert "contrast-enhanced" not in caption or subject.contrast
        if isinstance(subject, BrainScan):
            assert subject.weighting.split()[0].lower() in caption


def test_every_slot_of_every_plan_is_filled():
    formatter = string.Formatter()
    used = {
        name.lower()
        for kinds in read_texts("captions").values()
        for plans in kinds.values()
        for plan in plans
        for _, name, _, _ in formatter.parse(plan)
        if name
    }
    assert "side" in used
    for seed in range(3):
        rng = np.random.default_rng(seed)
        for subject in subjects(seed):
            assert "{" not in describe(subject, rng).caption


def test_concepts_are_named_in_the_table_and_begin_with_the_modality():
    names = read_texts("concepts")
    rng = np.random.default_rng(0)
    modality = {
        ChestFilm: "C1306645", LimbImage: "C1306645", Mammogram: "C1306645", Panorama: "C1306645",
        ChestSlice: "C0040405", AbdomenSlice: "C0040405", BrainScan: "C0024485",
        EchoScan: "C0041618",
    }  # fmt: skip
    for subject in subjects(0):
        description = describe(subject, rng)
        assert description.manual[0] == modality[type(subject)]
        assert set(description.manual) <= set(description.concepts)
        assert set(description.concepts) <= set(names)


@pytest.mark.parametrize("kind", [ChestFilm, ChestSlice, AbdomenSlice, LimbImage, BrainScan,
                                  EchoScan, Mammogram, Panorama])  # fmt: skip
def test_a_subject_of_each_kind_can_be_drawn(kind):
    subject = next(subject for subject in subjects(1) if isinstance(subject, kind))
    image = draw_subject(subject)
    assert image.dtype == np.uint8
    assert image.ndim == 2
    assert image.std() > 10


def test_figures_of_an_article_show_one_patient():
    together = [article for article in plan_articles(0) if len(article) > 1]
    assert len(together) > 5
    for article in together:
        assert len({type(subject) for subject in article}) == 1
        assert len({side_of(subject) for subject in article}) == 1
