"""What is stated of pictures without captions, under different filters."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from indexer.store.index_set import IndexSet
from indexer.store.reader import IndexReader
from indexer.store.records import to_row, to_table
from indexer.store.subset import Subset
from service.opening import assemble
from service.retrieval.columns import BuildColumns, ColumnCache
from service.retrieval.encoding import QueryEncoders
from service.retrieval.filters import Comparison, evaluate
from service.retrieval.legs import STATED, Area, DenseLeg
from service.retrieval.query import Query, TextSource
from service.retrieval.reply import SearchReply
from service.retrieval.spaces import Space
from service.retrieval.stating import Stating

EXTRA = {"content_key": "0", "image_sha256": None, "image_hash": None}


def ids(reply: SearchReply) -> list[str]:
    return [hit.record.record_id for hit in reply.hits]


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


def test_images_without_captions_are_found_by_what_is_stated_of_them(tmp_path: Path, kit) -> None:  # type: ignore[no-untyped-def]
    parts = ["wrist", "hand", "elbow"]
    records = [
        kit.image_record("bare", n, caption=None, modality="X-ray", body_part=parts[n % 3])
        for n in range(30)
    ]
    kit.publish(tmp_path, "bare", records)
    kit.publish(tmp_path, "told", [kit.image_record("told", n) for n in range(5)])
    encoders = QueryEncoders(kit.loader(kit.HashEncoder()), kit.decode_grey)
    opened = assemble(IndexSet(tmp_path), encoders)
    query = Query(target="images", source=TextSource("hand radiograph grey 3"), k=10)
    reply = opened.retriever.search(query)
    bare = [hit for hit in reply.hits if hit.index == "bare"]
    assert [hit.record.body_part for hit in bare[:5]] == ["hand"] * 5
    assert {"image", "stated"} <= set(bare[0].why)
    assert "lexical" not in bare[0].why
    filtered = Query(
        target="images", source=query.source, k=30, filters=Comparison("body_part", "ne", "hand")
    )
    found = opened.retriever.search(filtered).hits
    assert "hand" not in {hit.record.body_part for hit in found}
    assert len(found) == 25


@pytest.mark.parametrize("together", [True, False])
def test_what_is_stated_in_full_stands_beside_captions(tmp_path: Path, kit, together: bool) -> None:  # type: ignore[no-untyped-def]
    """Be they in one index or in two, images without captions are not all behind those with."""
    told = [
        kit.image_record("told", n, caption=f"Radiograph of the wrist number {n}")
        for n in range(30)
    ]
    home = "told" if together else "bare"
    bare = [
        kit.image_record(
            home, n, caption=None, modality="X-ray", body_part="wrist" if n % 2 else "hand"
        )
        for n in range(30, 60)
    ]
    if together:
        kit.publish(tmp_path, "told", [*told, *bare])
    else:
        kit.publish(tmp_path, "told", told)
        kit.publish(tmp_path, "bare", bare, greys=list(range(30, 60)))
    encoders = QueryEncoders(kit.loader(kit.HashEncoder()), kit.decode_grey)
    opened = assemble(IndexSet(tmp_path), encoders)
    query = Query(target="images", source=TextSource("wrist radiograph"), k=10)
    hits = opened.retriever.search(query).hits
    uncaptioned = [hit.record for hit in hits if hit.record.caption is None]
    assert 3 <= len(uncaptioned) <= 7
    assert {record.body_part for record in uncaptioned} == {"wrist"}
    # What is stated in part, beside captions that say all, stands back.
    query = Query(target="images", source=TextSource("radiograph of the wrist number 7"), k=5)
    assert opened.retriever.search(query).hits[0].record.record_id == "told/train/7"


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        ("abnormal wrist X-ray", Comparison("split", "eq", "valid")),
        ("abnormal wrist X-ray", Comparison("body_part", "eq", "hand")),
        ("abnormal wrist X-ray", Comparison("split", "eq", "train")),
        ("wrist ultrasound grey 3", Comparison("body_part", "eq", "wrist")),
        ("abnormal wrist X-ray", Comparison("age_years", "gt", 30)),
    ],
)
def test_a_filter_finds_what_an_index_of_the_allowed_records_would(
    words: str,
    chosen: Comparison,
    tmp_path: Path,
    kit,  # type: ignore[no-untyped-def]
) -> None:
    records = [
        kit.image_record(
            "bare", n, caption=None, modality="X-ray" if n % 3 else None, age_years=float(n),
            body_part="wrist" if n % 2 else "hand", labels=("abnormal",) if n < 20 else (),
            split="train" if n < 20 else "valid",
        )
        for n in range(60)
    ]  # fmt: skip
    left = evaluate(
        chosen, BuildColumns(to_table([to_row(one, EXTRA) for one in records], "image"))
    )
    greys = np.flatnonzero(left).tolist()
    kit.publish(tmp_path / "every", "bare", records)
    kit.publish(tmp_path / "left", "bare", [records[n] for n in greys], greys=greys)
    encoders = QueryEncoders(kit.loader(kit.HashEncoder()), kit.decode_grey)
    query = Query(target="images", source=TextSource(words), k=20)
    every, alone = (
        assemble(IndexSet(tmp_path / name), encoders).retriever.search(
            replace(query, filters=filters)
        )
        for name, filters in (("every", chosen), ("left", None))
    )
    assert ids(every) == ids(alone)
    assert [hit.why for hit in every.hits] == [hit.why for hit in alone.hits]
    assert [(leg.name, leg.scanned) for leg in every.legs] == [
        (leg.name, leg.scanned) for leg in alone.legs
    ]
