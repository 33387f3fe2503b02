import numpy as np

from service.evaluation.collection import join_collections, known_item_rows


def test_a_text_of_two_cases_asks_for_no_image() -> None:
    cases = np.array(["one", "two", "two", "two", "five", "six"])
    assert known_item_rows(["a", "b", "a", "b", "", "c"], cases).tolist() == [1, 3, 5]


def test_one_source_keeps_its_own_names(images) -> None:
    parts = np.array(["skull and contents", "Brain and Neuro", "Endocrine"])
    assert images(np.eye(3), body_parts=parts).named_alike().body_parts.tolist() == parts.tolist()


def test_sources_agree_on_body_parts(images) -> None:
    parts = np.array(["skull and contents", "Brain and Neuro", "Endocrine"])
    pool = images(np.eye(3), body_parts=parts, sources=np.array(["a", "b", "b"])).named_alike()
    assert pool.body_parts.tolist() == ["brain", "brain", "endocrine"]


def test_a_place_needs_both_modality_and_body_part(images) -> None:
    pool = images(
        np.eye(3), modalities=np.array(["CT", "CT", ""]), body_parts=np.array(["chest", "", "foot"])
    )
    assert pool.places.tolist() == ["CT / chest", "", ""]


def test_an_image_without_a_hash_is_nobodys_near_duplicate(images) -> None:
    hashes = np.zeros((3, 4), np.uint64)
    pool = images(np.eye(3), hashes=hashes, digests=np.array(["x", "x", ""]))
    assert pool.near_duplicates(0).tolist() == [True, True, False]
    assert not pool.near_duplicates(2).any()


def test_selecting_and_joining_keep_every_column(images) -> None:
    pool = images(np.eye(4), labels=[frozenset({str(row)}) for row in range(4)])
    parts = [pool.select(np.array([0, 2])), pool.select(np.array([3]))]
    joined = join_collections(parts)
    assert joined.record_ids.tolist() == ["d/all/0", "d/all/2", "d/all/3"]
    assert joined.captions == ["caption 0", "caption 2", "caption 3"]
    assert joined.labels == [frozenset("0"), frozenset("2"), frozenset("3")]
    assert (joined.hashes == pool.hashes[[0, 2, 3]]).all()
