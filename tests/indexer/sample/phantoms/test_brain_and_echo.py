import numpy as np
import pytest

from indexer.sample.phantoms.brain_mr import BrainScan, draw_brain
from indexer.sample.phantoms.ultrasound import FINDINGS_OF, EchoScan, draw_echo


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("finding", ["tumour", "infarct"])
@pytest.mark.parametrize("lobe", ["frontal", "parietal", "occipital"])
def test_a_lesion_lies_on_its_side_and_in_its_lobe(finding, side, lobe):
    plain = draw_brain(BrainScan(seed=2, weighting="FLAIR")).astype(int)
    scan = BrainScan(seed=2, weighting="FLAIR", finding=finding, side=side, lobe=lobe)
    brighter = draw_brain(scan).astype(int) - plain > 40
    rows, columns = np.nonzero(brighter)
    height, width = plain.shape
    assert brighter.sum() > 150
    assert (columns.mean() > width / 2) == (side == "left")
    expected = {"frontal": (0, 0.42), "parietal": (0.38, 0.66), "occipital": (0.6, 1)}[lobe]
    assert expected[0] < rows.mean() / height < expected[1]


def test_fluid_is_bright_on_t2_and_dark_on_flair():
    middle = np.s_[96:112, 88:136]
    t2 = draw_brain(BrainScan(seed=2, weighting="T2", finding="hydrocephalus"))[middle]
    flair = draw_brain(BrainScan(seed=2, weighting="FLAIR", finding="hydrocephalus"))[middle]
    assert t2.max() > 200
    assert flair.min() < 40


@pytest.mark.parametrize(("organ", "findings"), list(FINDINGS_OF.items()))
def test_each_finding_shows(organ, findings):
    plain = draw_echo(EchoScan(seed=4, organ=organ)).astype(int)
    for finding in findings:
        image = draw_echo(EchoScan(seed=4, organ=organ, finding=finding))
        assert image.dtype == np.uint8
        if finding != "none":
            assert (np.abs(image - plain) > 30).sum() > 150


def test_a_stone_casts_a_shadow_to_the_end_of_the_fan():
    plain = draw_echo(EchoScan(seed=4, organ="gallbladder")).astype(int)
    stone = draw_echo(EchoScan(seed=4, organ="gallbladder", finding="gallstone")).astype(int)
    darker = plain - stone > 25
    assert darker[180:220].sum() > 200
    assert darker[:100].sum() == 0


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_thyroid_nodule_lies_on_its_side(side):
    plain = draw_echo(EchoScan(seed=4, organ="thyroid")).astype(int)
    scan = EchoScan(seed=4, organ="thyroid", finding="nodule", side=side)
    darker = plain - draw_echo(scan).astype(int) > 30
    columns = np.nonzero(darker)[1]
    assert (columns.mean() > plain.shape[1] / 2) == (side == "left")
