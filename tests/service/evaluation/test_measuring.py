import numpy as np
import pytest

from indexer.store.reader import IndexReader
from service.evaluation.gathering import SideColumns, gather_images, text_embedder, to_hashes
from service.evaluation.image_tasks import Sampling
from service.evaluation.measuring import ImagePool, evaluate_images, shared_space
from service.retrieval.encoding import QueryEncoders


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory, kit) -> IndexReader:
    folder = tmp_path_factory.mktemp("films")
    records = [
        kit.image_record(
            "films", number, modality="CT" if number % 2 else "MR", labels=("odd",) * (number % 2),
            caption=None if number == 3 else f"grey {number}", concepts=("C1",),
        )
        for number in range(30)
    ]  # fmt: skip
    kit.publish(folder, "films", records)
    return IndexReader.open(folder / "films")


def test_a_build_becomes_a_collection(films: IndexReader) -> None:
    images = gather_images(films, {"4": SideColumns(source="teaching", long_text="more of it")})
    assert len(images) == 30
    assert images.record_ids[4] == "films/train/4"
    assert images.sources[4] == "teaching"
    assert images.sources[5] == "films"
    assert images.long_texts[4] == "more of it"
    assert images.captions[3] == ""
    assert images.labels[1] == frozenset({"odd"})
    assert images.concepts[1] == frozenset({"C1"})
    assert np.allclose(np.linalg.norm(images.vectors, axis=1), 1)


def test_hashes_of_any_kind_become_words() -> None:
    hashes = to_hashes([bytes(32), None, b"\x01" + bytes(31)])
    assert hashes.shape == (3, 4)
    assert hashes.tolist() == [[0] * 4, [0] * 4, [1, 0, 0, 0]]


def test_a_text_is_embedded_once(hash_encoder) -> None:
    encode = text_embedder(hash_encoder)
    first = encode(["grey 1", "grey 2", "grey 1"])
    again = encode(["grey 2"])
    assert hash_encoder.encoded_texts == 2
    assert (first[0] == first[2]).all()
    assert (first[1] == again[0]).all()
    assert encode([]).shape == (0, 64)


def test_an_encoder_that_knows_every_image_is_seen_to(films: IndexReader, hash_encoder) -> None:
    pool = ImagePool(name="films", readers=(films,))
    encoders = QueryEncoders(lambda key: hash_encoder)
    evaluation = evaluate_images(pool, encoders, Sampling(), lambda step: None)
    figures = {
        (result.task, figure.name): figure
        for result in evaluation.results
        for figure in result.figures()
    }
    assert figures["caption -> image", "R@1"].mean == 1
    assert figures["caption -> image", "R@1"].queries == 29
    assert figures["class text -> image, body part", "P@10"].chance == 0.5
    assert evaluation.records == evaluation.cases == 30
    assert evaluation.encoder.key == "hash"
    assert any("cases may not be known" in note for note in evaluation.notes)
    assert evaluation.picture("films/train/0") == films.thumbnail(0)
    assert evaluation.picture("films/train/nobody") is None


def test_copies_of_one_picture_find_each_other_in_no_task(films: IndexReader, hash_encoder) -> None:
    # Every image of the kit's indexes has the same sha256.
    pool = ImagePool(name="films", readers=(films,))
    encoders = QueryEncoders(lambda key: hash_encoder)
    evaluation = evaluate_images(pool, encoders, Sampling(), lambda step: None)
    assert evaluation.audits[0].exact == 30
    assert not [one for one in evaluation.results if one.task.startswith("image -> image")]


def test_several_indexes_of_one_space_are_one_pool(films: IndexReader, hash_encoder) -> None:
    [(space, members)] = shared_space([films, films]).items()
    assert space.encoder == "hash"
    pool = ImagePool(name="both", readers=tuple(members))
    encoders = QueryEncoders(lambda key: hash_encoder)
    assert evaluate_images(pool, encoders, Sampling(), lambda step: None).records == 60
