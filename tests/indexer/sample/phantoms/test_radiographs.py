import numpy as np
import pytest

from indexer.sample.phantoms.chest_xray import ChestFilm, draw_chest_film
from indexer.sample.phantoms.dental import Panorama, draw_panorama
from indexer.sample.phantoms.limb_xray import SITES, LimbStudy, draw_limb
from indexer.sample.phantoms.mammogram import Mammogram, draw_mammogram


def difference(healthy, sick):
    return sick.astype(int) - healthy.astype(int)


def halves(image):
    middle = image.shape[1] // 2
    return {"right": image[:, :middle], "left": image[:, middle:]}


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("finding", "sign"),
    [("effusion", 1), ("consolidation", 1), ("nodule", 1), ("pacemaker", 1), ("pneumothorax", -1)],
)
def test_a_finding_of_the_chest_lies_on_its_side(finding, side, sign):
    healthy = draw_chest_film(ChestFilm(seed=3))
    sick = draw_chest_film(ChestFilm(seed=3, finding=finding, side=side))
    changed = halves(difference(healthy, sick) * sign > 20)
    other = "left" if side == "right" else "right"
    assert changed[side].sum() > 60
    assert changed[side].sum() > 3 * changed[other].sum()


def test_an_enlarged_heart_is_wider_to_the_left():
    healthy = draw_chest_film(ChestFilm(seed=3))
    large = draw_chest_film(ChestFilm(seed=3, finding="cardiomegaly"))
    assert (halves(difference(healthy, large))["left"] > 25).sum() > 200
    assert ChestFilm(seed=3).heart_share < 0.5
    assert ChestFilm(seed=3, finding="cardiomegaly").heart_share > 0.5


def test_air_is_black_and_the_middle_of_the_chest_is_white():
    film = draw_chest_film(ChestFilm(seed=8))
    assert film.dtype == np.uint8
    height, width = film.shape
    lung = film[height // 3 : height // 2, width // 5 : width // 3]
    spine = film[height // 2 : height * 2 // 3, width // 2 - 4 : width // 2 + 4]
    assert lung.mean() + 50 < spine.mean()


@pytest.mark.parametrize("region", list(SITES))
def test_every_region_is_drawn_with_bones_on_black(region):
    image = draw_limb(LimbStudy(region=region, side="right", seed=6), "frontal")
    assert image.shape[0] == 288
    assert image[:3].mean() < 12  # beyond the collimator
    assert image.max() > 130
    assert image.std() > 25


@pytest.mark.parametrize("region", list(SITES))
@pytest.mark.parametrize("finding", ["fracture", "plate"])
def test_a_finding_changes_the_bone_where_it_is_said_to_lie(region, finding):
    healthy = draw_limb(LimbStudy(region=region, side="right", seed=6), "frontal").astype(int)
    sick = draw_limb(LimbStudy(region=region, side="right", seed=6, finding=finding), "frontal")
    strong = np.abs(sick - healthy) > 45
    assert strong.sum() > 12
    rows, columns = np.nonzero(strong)
    extent = max(np.ptp(rows), np.ptp(columns))
    assert extent < 200  # local, not the whole limb
    if finding == "plate":
        assert sick.max() > 235


def test_left_and_right_are_mirror_images_in_the_main():
    right = draw_limb(LimbStudy(region="hand", side="right", seed=6), "frontal").astype(float)
    left = draw_limb(LimbStudy(region="hand", side="left", seed=6), "frontal").astype(float)
    mirrored = np.corrcoef(right.ravel(), left[:, ::-1].ravel())[0, 1]
    assert mirrored > 0.8
    assert mirrored > np.corrcoef(right.ravel(), left.ravel())[0, 1]


def test_each_view_and_each_patient_gives_another_picture():
    def draw(seed, view):
        return draw_limb(LimbStudy(region="wrist", side="right", seed=seed), view)

    np.testing.assert_array_equal(draw(6, "frontal"), draw(6, "frontal"))
    assert (draw(6, "frontal") != draw(6, "lateral")).mean() > 0.3
    assert (draw(6, "frontal") != draw(7, "frontal")).mean() > 0.3


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_breast_points_away_from_the_midline(side):
    """The right breast points to the image's left, so its chest wall is on the image's right."""
    image = draw_mammogram(Mammogram(seed=5, side=side))
    wall_columns = image[:, -20:] if side == "right" else image[:, :20]
    tip_columns = image[:, :20] if side == "right" else image[:, -20:]
    assert wall_columns.mean() > tip_columns.mean() + 25


def test_a_mass_and_calcifications_are_bright():
    plain = draw_mammogram(Mammogram(seed=5, side="left"))
    for finding in ("mass", "calcifications"):
        sick = draw_mammogram(Mammogram(seed=5, side="left", finding=finding))
        assert (difference(plain, sick) > 50).sum() > 10


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("finding", ["impacted molar", "missing tooth"])
def test_a_finding_of_the_jaw_lies_on_its_side(finding, side):
    plain = draw_panorama(Panorama(seed=5))
    sick = draw_panorama(Panorama(seed=5, finding=finding, side=side))
    changed = halves(np.abs(difference(plain, sick)) > 30)
    other = "left" if side == "right" else "right"
    assert changed[side].sum() > 60
    assert changed[other].sum() == 0
