import numpy as np

from service.evaluation.image_suite import run_image_tasks
from service.evaluation.image_tasks import Sampling


def encode(texts):
    return np.tile(np.array([[1, 0]], np.float32), (len(texts), 1))


def suite(pool, **options: object) -> dict[tuple[str, str], object]:
    found = run_image_tasks(pool, encode, Sampling(), **options)
    return {(result.task, result.subset): result for result in found}


def two_sources(images, big: int = 100, small: int = 20):
    count = big + small
    random = np.random.default_rng(0)
    return images(
        random.normal(size=(count, 2)),
        sources=np.array(["big"] * big + ["small"] * small),
        modalities=np.array(["CT", "MRI"] * (count // 2)),
        body_parts=np.array(["head"] * big + ["skull and contents"] * small),
        labels=[frozenset({"a" if row % 4 else "b"}) for row in range(count)],
    )


def test_the_whole_pool_and_every_large_source_are_searched(images) -> None:
    found = suite(two_sources(images))
    assert {subset for _, subset in found} == {"all", "big"}
    assert {task for task, subset in found if subset == "big"} == {
        "caption -> image",
        "image -> caption",
        "image -> image, same modality",
        "image -> image, same label",
        "image -> image, same body part",
    }
    assert found["image -> image, same source", "all"].pool == 120
    assert found["caption -> image", "big"].pool == 100


def test_sources_share_names_of_body_parts_only_when_searched_together(images) -> None:
    found = suite(two_sources(images))
    together = found["image -> image, same body part", "all"]
    assert set(together.facets["body part"]) == {"brain"}
    assert set(found["image -> image, same body part", "big"].facets["body part"]) == {"head"}
    assert found["class text -> image, body part", "all"].query_texts == (
        "CT of the brain",
        "MRI of the brain",
    )


def test_a_task_that_chance_solves_is_left_out(images) -> None:
    found = suite(images(np.ones((30, 2))))
    assert "image -> image, same modality" not in {task for task, _ in found}
    assert "caption -> image" in {task for task, _ in found}


def test_sources_of_training_and_others_are_searched_apart(images) -> None:
    found = suite(two_sources(images), trained_sources=frozenset({"small"}))
    assert found["caption -> image", "trained sources"].pool == 20
    assert found["caption -> image", "unseen sources"].pool == 100
    assert found["class text -> image, label", "unseen sources"].queries == 3


def test_steps_are_told(images) -> None:
    told: list[str] = []
    suite(images(np.ones((25, 2))), on_task=told.append)
    assert told[0] == "caption -> image [all]"
