"""What is stated of pictures without captions, under different filters."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from indexer.store.index_set import IndexSet
from indexer.store.reader import IndexReader
from indexer.store.subset import Subset
from service.retrieval.columns import ColumnCache
from service.retrieval.legs import STATED, Area, DenseLeg
from service.retrieval.spaces import Space
from service.retrieval.stating import Stating


def stating_of(folder: Path, words: str) -> tuple[Stating, IndexReader]:
    [reader] = IndexSet(folder).snapshot().values()
    space = Space.of(reader, "image")
    assert space is not None
    vector = np.ones(space.dim, np.float32)
    leg = DenseLeg(name="image", space=space, weight=1, vector=vector, members=(0,))
    return Stating([leg], words, ColumnCache()), reader


def test_what_states_the_most_depends_on_what_is_allowed(
    tmp_path: Path, kit: SimpleNamespace
) -> None:
    kit.publish(tmp_path, "parts", [
        kit.image_record("parts", n, caption=None, modality="X-ray", body_part=part)
        for n, part in enumerate(["hand", "spine", "hand", "spine"])
    ])  # fmt: skip
    stating, reader = stating_of(tmp_path, "hand X-ray")
    for allowed, found in (
        (None, [1, 0, 1, 0]),
        (Subset(np.array([0, 1, 0, 1], bool)), [0, 1, 0, 1]),
    ):
        [leg] = stating.legs(Area([reader], [allowed]))
        assert leg.name == STATED
        assert leg.within is not None
        assert leg.within[0].mask.tolist() == [bool(one) for one in found]


def test_filters_are_not_read_where_every_picture_has_a_caption(
    tmp_path: Path, kit: SimpleNamespace
) -> None:
    kit.publish(tmp_path, "told", [kit.image_record("told", n, caption="hand") for n in range(4)])
    stating, reader = stating_of(tmp_path, "hand X-ray")
    unread = object()
    assert stating.legs(Area([reader], [unread])) == []  # type: ignore[list-item]
