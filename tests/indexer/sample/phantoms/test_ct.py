import numpy as np
import pytest

from indexer.sample.phantoms.abdomen_ct import draw_abdomen_ct
from indexer.sample.phantoms.chest_ct import draw_chest_ct
from indexer.sample.phantoms.ct_body import Build
from indexer.sample.phantoms.ct_patients import AbdomenPatient, ChestPatient

BUILD = Build()
LEFT, RIGHT = np.s_[:, 128:], np.s_[:, :128]


def chest(at=0.5, contrast=False, **finding):
    return draw_chest_ct(ChestPatient(build=BUILD, seed=4, **finding), at, contrast=contrast)


def abdomen(at=0.62, contrast=True, **finding):
    return draw_abdomen_ct(AbdomenPatient(build=BUILD, seed=4, **finding), at, contrast=contrast)


def test_tissues_have_their_numbers():
    hu = chest()
    assert hu.shape == (256, 256)
    assert hu.dtype == np.float32
    assert np.median(hu[:12]) == pytest.approx(-1000, abs=25)  # air above the patient
    lung = hu[100:150, 60:90]
    assert -900 < np.median(lung) < -800
    assert hu.max() > 450  # cortical bone
    assert hu.min() >= -1024


def test_the_same_slice_is_drawn_twice_alike_and_another_seed_otherwise():
    np.testing.assert_array_equal(chest(), chest())
    other = draw_chest_ct(ChestPatient(build=BUILD, seed=5), 0.5, contrast=False)
    assert (chest() != other).any()


def test_contrast_brightens_blood_and_leaves_lungs_dark():
    plain, bright = chest(0.75), chest(0.75, contrast=True)
    assert (bright > 200).sum() > (plain > 200).sum() + 500
    assert np.median(bright[110:150, 60:80]) < -780


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("finding", "level"),
    [("nodule", 0.5), ("effusion", 0.8), ("consolidation", 0.5), ("emphysema", 0.5)],
)
def test_a_finding_of_the_chest_lies_on_its_side(finding, side, level):
    changed = np.abs(chest(level) - chest(level, finding=finding, side=side, level=level))
    there, elsewhere = (LEFT, RIGHT) if side == "left" else (RIGHT, LEFT)
    strong = changed > 150
    assert strong[there].sum() > 60
    assert strong[there].sum() > 5 * strong[elsewhere].sum()


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("finding", ["renal mass", "renal cyst", "kidney stone"])
def test_a_finding_of_a_kidney_lies_on_its_side(finding, side):
    changed = np.abs(abdomen() - abdomen(finding=finding, side=side, level=0.62)) > 60
    there, elsewhere = (LEFT, RIGHT) if side == "left" else (RIGHT, LEFT)
    assert changed[there].sum() > 8
    assert changed[elsewhere].sum() == 0


def test_a_nodule_is_seen_on_its_own_level_only():
    sick = ChestPatient(build=BUILD, seed=4, finding="nodule", level=0.3)
    assert sick.shows_finding(0.3)
    assert not sick.shows_finding(0.7)
    np.testing.assert_array_equal(draw_chest_ct(sick, 0.7, contrast=False), chest(0.7))
