import numpy as np

from service.evaluation.audit import KnownImages, audit_against, audit_within, images_of_index


def test_equal_and_near_images_are_counted_apart(images) -> None:
    pool = images(np.eye(5))
    hashes = pool.hashes[:3].copy()
    hashes[1, 0] ^= np.uint64(0xFF)  # 8 bits away: the same picture saved again
    hashes[2, :] ^= np.uint64(0xFFFFFFFF)  # 128 bits away: another picture
    known = KnownImages(
        "training", "somewhere", np.array([pool.digests[0], "other", "third"]), hashes,
        cases=frozenset({"case4", "elsewhere"}),
    )  # fmt: skip
    audit = audit_against(pool, known)
    assert (audit.exact, audit.near, audit.shared_cases) == (1, 1, 1)
    assert audit.examples == ("d/all/0", "d/all/1")
    assert audit.compared_with == 3
    assert not audit.clean


def test_what_shares_nothing_is_clean(images) -> None:
    pool = images(np.eye(4))
    others = images(np.eye(4)).select(np.array([], np.int64))
    assert audit_against(pool, images_of_index("empty", others)).clean


def test_an_image_in_two_cases_of_a_pool_is_told(images) -> None:
    pool = images(np.eye(4))
    digests, hashes = pool.digests.copy(), pool.hashes.copy()
    digests[1], hashes[1] = digests[0], hashes[0]
    hashes[3] = hashes[2]
    twice = audit_within(images(np.eye(4), digests=digests, hashes=hashes))
    assert (twice.exact, twice.near) == (2, 2)
    cases = np.array(["a", "a", "b", "b"])
    assert audit_within(images(np.eye(4), digests=digests, hashes=hashes, cases=cases)).clean
