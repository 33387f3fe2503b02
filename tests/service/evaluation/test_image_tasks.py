from dataclasses import replace

import numpy as np
import pytest

from service.evaluation.image_tasks import (
    Sampling,
    by_tower,
    caption_to_image,
    class_text_to_image,
    image_to_caption,
    image_to_image,
)

ALL = Sampling()


def figures(result) -> dict[str, float]:
    return {figure.name: figure.mean for figure in result.figures()}


def chances(result) -> dict[str, float]:
    return {figure.name: figure.chance for figure in result.figures()}


def scored(pool, texts: np.ndarray):
    """The pool, and what scores it by the embeddings of the texts."""
    return pool, by_tower(pool, lambda _: texts.astype(np.float32))


def two_kinds(images, count: int = 24, **columns: object):
    """Half CT of the chest with nodules, half X-rays of the wrist with fractures, told apart."""
    half = count // 2
    vectors = [[1, 0]] * half + [[0, 1]] * half
    values = {
        "modalities": np.array(["CT"] * half + ["X-ray"] * half),
        "body_parts": np.array(["chest"] * half + ["wrist"] * half),
        "labels": [frozenset({"nodule"})] * half + [frozenset({"fracture"})] * half,
    }
    return images(vectors, **(values | columns))


def test_a_perfect_encoder_finds_every_known_item(images) -> None:
    result = caption_to_image(*scored(images(np.eye(12)), np.eye(12)), ALL)
    assert figures(result) == {"R@1": 1, "R@5": 1, "R@10": 1, "MRR": 1, "median rank": 1}
    assert chances(result)["R@10"] == pytest.approx(10 / 12)
    assert chances(result)["median rank"] == 6.5


def test_ranks_of_known_items_by_hand(images) -> None:
    pool = images([[1.0], [0.5], [0.25]])
    result = caption_to_image(*scored(pool, np.ones((3, 1))), ALL)
    assert result.ranks.tolist() == [1, 2, 3]
    assert figures(result)["MRR"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    assert result.ranked.run()["d/all/2"] == {"d/all/0": 1, "d/all/1": 0.5, "d/all/2": 0.25}
    assert result.ranked.qrels()["d/all/2"] == {"d/all/0": 0, "d/all/1": 0, "d/all/2": 1}


def test_an_encoder_that_says_the_same_of_everything_finds_nothing(images) -> None:
    pool = images(np.ones((40, 1)))

    def encode(texts):
        return np.ones((len(texts), 1), np.float32)

    by_words = caption_to_image(pool, by_tower(pool, encode), ALL)
    for result in (by_words, image_to_caption(pool, encode, ALL)):
        assert figures(result)["R@10"] == 0
        assert chances(result)["R@10"] == 0.25


def test_template_captions_are_no_known_items(images) -> None:
    pool = images(np.eye(4), captions=["same", "same", "own", ""])
    result = caption_to_image(*scored(pool, np.eye(4)[2:3]), ALL)
    assert result.ranked.query_ids == ("d/all/2",)
    assert result.pool == 4
    assert figures(result)["R@1"] == 1


def test_images_are_matched_to_unique_captions_only(images) -> None:
    pool = images(np.eye(4), captions=["same", "same", "own", "other"])
    result = image_to_caption(pool, lambda texts: np.eye(4, dtype=np.float32)[2:], ALL)
    assert result.pool == 2
    assert figures(result)["R@1"] == 1


def test_a_caption_of_several_images_of_one_case_is_one_candidate(images) -> None:
    captions, cases = ["both", "both", "own"], np.array(["x", "x", "y"])
    pool = images([[1, 0], [1, 0], [0, 1]], captions=captions, cases=cases)
    asked = caption_to_image(*scored(pool, np.eye(2)[[0, 0, 1]]), ALL)
    assert asked.ranks.tolist() == [2, 2, 1]
    found = image_to_caption(pool, lambda texts: np.eye(2, dtype=np.float32), ALL)
    assert found.pool == 2
    assert found.ranks.tolist() == [1, 1, 1]
    assert found.ranked.qrels()["d/all/1"] == {"d/all/0": 1, "d/all/2": 0}


def test_long_texts_are_asked_where_wanted(images) -> None:
    asked: list[str] = []

    def encode(texts):
        asked.extend(texts)
        return np.eye(2, dtype=np.float32)

    pool = images(np.eye(2), long_texts=["a long text", "another"])
    result = caption_to_image(pool, by_tower(pool, encode), ALL, long=True)
    assert asked == ["a long text", "another"]
    assert result.task == "long text -> image"


def test_the_querys_own_case_is_never_a_find(images) -> None:
    # All CTs are of one patient: whatever looks like a CT is either excluded or wrong.
    cases = ["one"] * 12 + [f"w{row}" for row in range(12)]
    result = image_to_image(two_kinds(images, cases=np.array(cases)), "modality", ALL)
    assert result.queries == 12
    assert set(result.facets["modality"]) == {"X-ray"}
    assert figures(result)["P@10"] == 1
    for query_id, found in result.ranked.run().items():
        assert query_id not in found


def test_a_near_duplicate_is_never_a_find(images) -> None:
    pool = two_kinds(images)
    hashes = pool.hashes.copy()
    hashes[1:12] = hashes[0]
    hashes[1:12, 0] ^= np.uint64(0xFFFF)  # 16 bits away
    same = image_to_image(two_kinds(images, hashes=hashes), "modality", ALL)
    assert same.queries == 12
    hashes[1:12, 0] ^= np.uint64(0x10000)  # 17 bits away from the first, equal to each other
    told_apart = image_to_image(two_kinds(images, hashes=hashes), "modality", ALL)
    assert told_apart.queries == 24


def test_alike_in_body_part_means_in_modality_too(images) -> None:
    pool = two_kinds(images, body_parts=np.array(["chest"] * 24))
    result = image_to_image(pool, "body part", ALL)
    assert chances(result)["P@10"] == pytest.approx(11 / 23)
    assert figures(result)["P@10"] == 1


def test_alike_in_label_means_one_label_shared_in_one_place(images) -> None:
    labels = [frozenset({"a", "b"}), frozenset({"b"}), frozenset({"c"}), frozenset()]
    result = image_to_image(images(np.eye(4), labels=labels), "label", ALL)
    assert result.ranked.query_ids == ("d/all/0", "d/all/1")
    assert result.ranked.qrels()["d/all/0"] == {"d/all/1": 1, "d/all/2": 0, "d/all/3": 0}


def test_the_number_of_shared_concepts_is_the_grade(images) -> None:
    concepts = [frozenset({"C1", "C2"}), frozenset({"C1", "C2"}), frozenset({"C2"}), frozenset()]
    vectors = np.array([[1, 0], [0.5, 0], [0.9, 0], [0.1, 0]])
    result = image_to_image(images(vectors, concepts=concepts), "concepts", ALL)
    assert result.ranked.qrels()["d/all/0"] == {"d/all/2": 1, "d/all/1": 2, "d/all/3": 0}
    worse = (1 / np.log2(2) + 2 / np.log2(3)) / (2 / np.log2(2) + 1 / np.log2(3))
    assert result.values["nDCG@10"][0] == pytest.approx(worse)


def test_classes_are_asked_for_in_words(images) -> None:
    asked: list[str] = []

    def encode(texts):
        asked.extend(texts)
        return np.array([[1, 0] if "CT" in text else [0, 1] for text in texts], np.float32)

    pool = two_kinds(images)
    assert figures(class_text_to_image(pool, by_tower(pool, encode), "body part", ALL))["P@10"] == 1
    result = class_text_to_image(pool, by_tower(pool, encode), "label", ALL)
    assert figures(result)["P@10"] == 1
    assert chances(result)["P@10"] == 0.5
    assert result.ranked.query_ids[0] == "class:CT-of-the-chest,-nodule"
    assert asked == [
        "CT of the chest",
        "X-ray of the wrist",
        "CT of the chest, nodule",
        "X-ray of the wrist, fracture",
    ]


def test_a_label_query_may_find_the_right_place_without_the_label(images) -> None:
    labels = [frozenset({"nodule"})] * 10 + [frozenset()] * 2 + [frozenset({"fracture"})] * 12
    pool = two_kinds(images, labels=labels)
    vectors = pool.vectors.copy()
    vectors[10:12] *= 2  # the CTs without a nodule look most like the words

    def encode(texts):
        return np.array([[1, 0] if "CT" in text else [0, 1] for text in texts], np.float32)

    pool = replace(pool, vectors=vectors)
    place = class_text_to_image(pool, by_tower(pool, encode), "label's body part", ALL)
    label = class_text_to_image(pool, by_tower(pool, encode), "label", ALL)
    assert place.values["P@10"].tolist() == [1, 1]
    assert label.values["P@10"].tolist() == [0.8, 1]


def test_classes_too_small_to_fill_ten_places_are_left_out(images) -> None:
    pool = two_kinds(images, 18)
    result = class_text_to_image(*scored(pool, np.zeros((0, 2))), "label", ALL)
    assert result.queries == 0
    assert np.isnan(result.figures()[0].mean)


def test_queries_beyond_the_limit_are_drawn_by_seed(images) -> None:
    pool = two_kinds(images)
    ids = [
        image_to_image(pool, "modality", Sampling(max_queries=5, seed=seed)).ranked.query_ids
        for seed in (0, 0, 1)
    ]
    assert len(ids[0]) == 5
    assert ids[0] == ids[1] != ids[2]


def test_a_run_file_alone_gives_the_same_figures(images) -> None:
    """Whoever scores the TREC files with another tool must get what the report says."""
    from service.evaluation.metrics import per_query

    random = np.random.default_rng(3)
    vectors = random.normal(size=(300, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    concepts = [
        frozenset(random.choice(["C1", "C2", "C3", "C4"], random.integers(0, 4)))
        for _ in range(300)
    ]
    result = image_to_image(images(vectors, concepts=concepts), "concepts", ALL)
    for name in ("P@10", "nDCG@10"):
        found = per_query(result.ranked.run(), result.ranked.qrels(), name)
        ours = dict(zip(result.ranked.query_ids, result.values[name], strict=True))
        assert found == pytest.approx(ours, abs=1e-6)
