import numpy as np

from indexer.calibration.pictures import draw_unrelated


def test_pictures_are_repeatable_varied_and_do_not_depend_on_their_number() -> None:
    pictures = draw_unrelated(32, 40)
    assert pictures.shape == (40, 32, 32, 3)
    assert pictures.dtype == np.uint8
    assert np.array_equal(draw_unrelated(32, 15), pictures[:15])
    assert len({picture.tobytes() for picture in pictures}) == 40
    colour = (pictures.max(axis=-1) > pictures.min(axis=-1)).any(axis=(1, 2))
    assert 8 < colour.sum() < 32


def test_some_pictures_are_empty_and_some_are_not() -> None:
    spread = draw_unrelated(32, 20).std(axis=(1, 2)).max(axis=-1)
    assert (spread == 0).sum() == 2
    assert (spread > 20).sum() > 10
