import random
from dataclasses import replace

import numpy as np
import pytest

from indexer.encoders.training.examples import Example, read_answers
from indexer.encoders.training.texts import name_region, swap_sides, write_views

KNEE = Example(
    source="knees",
    case="1",
    caption="Knee radiograph.",
    details=(),
    modality="X-ray",
    body_part="knee",
    labels=("KL2",),
    licence="CC0 1.0",
    origin="1",
    read=lambda: np.zeros((1, 1), dtype=np.uint8),
)


@pytest.mark.parametrize(
    ("text", "mirrored"),
    [
        ("left lung, right kidney", "right lung, left kidney"),
        ("Left and RIGHT", "Right and LEFT"),
        ("leftover of a bright cleft", "leftover of a bright cleft"),
        ("no side", "no side"),
    ],
)
def test_sides_are_swapped_as_whole_words_and_keep_their_case(text: str, mirrored: str) -> None:
    assert swap_sides(text) == mirrored
    assert swap_sides(mirrored) == text


def test_views_tell_more_and_more() -> None:
    views = write_views(KNEE, 20, random.Random(0))
    assert views.captions == ("Knee radiograph.",)
    assert all("knee" in text for text in views.classes)
    assert not any("grade" in text for text in views.classes)
    assert all("Kellgren-Lawrence grade 2 osteoarthritis" in text for text in views.findings)
    assert len(set(views.classes)) > 3


def test_views_depend_on_the_draw_alone() -> None:
    assert write_views(KNEE, 4, random.Random(1)) == write_views(KNEE, 4, random.Random(1))


@pytest.mark.parametrize(
    "example",
    [
        replace(KNEE, caption=None),
        replace(KNEE, labels=()),
        replace(KNEE, modality=None, body_part=None),
        replace(KNEE, caption=None, labels=(), modality=None, body_part=None),
    ],
)
def test_no_view_is_ever_empty(example: Example) -> None:
    for texts in write_views(example, 3, random.Random(0)):
        assert texts
        assert all(text.strip() for text in texts)


def test_differently_worded_body_parts_share_a_region() -> None:
    assert (
        name_region("Brain and Neuro") == name_region("skull and contents") == name_region("head")
    )
    assert name_region("toe") == "toe"


def test_answers_are_kept_without_their_questions() -> None:
    long_text = "is this a ct? no. what plane is this? axial. what is seen? a cyst. is it big? yes."
    assert read_answers(long_text) == "axial, a cyst"
    assert read_answers("is it? yes.") is None
