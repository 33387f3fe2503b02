import numpy as np
import pytest

from service.evaluation.collection import ImageCollection
from service.evaluation.image_tasks import (
    caption_to_image,
    class_text_to_image,
    image_to_caption,
    image_to_image,
)


def collection(
    vectors: np.ndarray, cases: list[str], captions: list[str] | None = None
) -> ImageCollection:
    n = len(vectors)
    half = n // 2
    return ImageCollection(
        record_ids=np.array([f"d/all/{row}" for row in range(n)]),
        vectors=vectors.astype(np.float32),
        captions=np.array(captions or [f"caption {row}" for row in range(n)]),
        modalities=np.array(["CT"] * half + ["X-ray"] * (n - half)),
        body_parts=np.array(["chest"] * half + ["wrist"] * (n - half)),
        labels=[frozenset({"nodule"})] * half + [frozenset({"fracture"})] * (n - half),
        cases=np.array(cases),
    )


def two_clusters(n: int) -> np.ndarray:
    vectors = np.zeros((n, 2))
    vectors[: n // 2, 0] = 1
    vectors[n // 2 :, 1] = 1
    return vectors


def test_a_perfect_encoder_finds_every_known_item() -> None:
    images = collection(np.eye(12), [str(row) for row in range(12)])
    result = caption_to_image(images, lambda texts: np.eye(12, dtype=np.float32)[: len(texts)])
    figures = {figure.name: figure.mean for figure in result.figures}
    assert figures == {"R@1": 1, "R@5": 1, "R@10": 1, "MRR": 1, "median rank": 1}


def test_an_encoder_that_says_the_same_of_everything_finds_nothing() -> None:
    images = collection(np.ones((40, 1)), [str(row) for row in range(40)])
    for task in (caption_to_image, image_to_caption):
        result = task(images, lambda texts: np.ones((len(texts), 1), np.float32))
        assert result.figures[2].name == "R@10"
        assert result.figures[2].mean == 0
        assert result.figures[2].chance == 0.25


def test_template_captions_are_no_known_items() -> None:
    images = collection(np.eye(4), list("abcd"), ["same", "same", "own", ""])
    result = caption_to_image(images, lambda texts: np.eye(4, dtype=np.float32)[2:3])
    assert result.query_ids == ("d/all/2",)
    assert result.figures[0].mean == 1


def test_the_querys_own_case_is_never_a_find() -> None:
    cases = ["one"] * 12 + [f"w{row}" for row in range(12)]
    images = collection(two_clusters(24), cases)
    result = image_to_image(images, "body part")
    # All twelve CT images are one case, so none of them has anything to find.
    assert len(result.query_ids) == 12
    assert {name.split("/")[2] for name in result.query_ids} == {str(row) for row in range(12, 24)}
    assert result.figures[0].mean == 1


@pytest.mark.parametrize("by", ["modality", "body part", "label"])
def test_precision_and_chance_by_hand(by: str) -> None:
    images = collection(two_clusters(24), [str(row) for row in range(24)])
    figure = image_to_image(images, by).figures[0]
    assert figure.mean == 1
    assert figure.chance == pytest.approx(11 / 23)


def test_ties_are_counted_against_us() -> None:
    images = collection(np.ones((24, 1)), [str(row) for row in range(24)])
    assert image_to_image(images, "label").figures[0].mean == 0


def test_class_texts_name_modality_body_part_and_label() -> None:
    images = collection(two_clusters(24), [str(row) for row in range(24)])
    asked: list[str] = []

    def encode(texts):
        asked.extend(texts)
        return np.array([[1, 0] if "CT" in text else [0, 1] for text in texts], np.float32)

    assert class_text_to_image(images, encode, "body part").figures[0].mean == 1
    assert class_text_to_image(images, encode, "label").figures[0].mean == 1
    assert asked == [
        "CT of the chest", "X-ray of the wrist", "chest CT, nodule", "wrist X-ray, fracture",
    ]  # fmt: skip


def test_classes_too_small_to_fill_ten_places_are_left_out() -> None:
    images = collection(two_clusters(8), [str(row) for row in range(8)])
    result = class_text_to_image(
        images, lambda texts: np.zeros((len(texts), 2), np.float32), "label"
    )
    assert result.figures[0].queries == 0
