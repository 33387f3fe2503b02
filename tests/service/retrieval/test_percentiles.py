"""Percentiles of hits, page by page, over small builds whose calibration is written by hand."""

import dataclasses
from pathlib import Path

import pytest

from indexer.store.calibration import Calibration, Measured
from indexer.store.index_set import IndexSet
from indexer.store.lexical import LexicalIndex
from service.opening import Opened, assemble
from service.retrieval.encoding import QueryEncoders
from service.retrieval.legs import Area, LexicalLeg
from service.retrieval.query import Query, TextSource
from service.retrieval.reply import SearchReply
from tests.service.retrieval.calibrated import calibrated, films, spread


def page_by_page(opened: Opened, query: Query, k: int) -> list[str]:
    """Return the ids of what a query finds, `k` at a time, until a page is empty."""
    found: list[str] = []
    while page := ids(opened.retriever.search(dataclasses.replace(query, k=k, offset=len(found)))):
        found += page
    return found


def ids(reply: SearchReply) -> list[str]:
    return [hit.record.record_id for hit in reply.hits]


@pytest.fixture
def many(tmp_path: Path, kit) -> Opened:  # type: ignore[no-untyped-def]
    """600 images whose captions have nothing to do with them."""
    records = [
        kit.image_record("films", number, caption=f"word{number % 97} note{number % 13}")
        for number in range(600)
    ]
    measured = {
        "en>image": Measured(pairs=spread(-0.15, 0.13), least=0.1),
        "en>caption": Measured(pairs=spread(0.9, 0.97), least=0.95),
        "en>lexical": Measured(pairs=spread(0.3, 2.0), least=0.9),
    }
    return films(tmp_path, kit, records, measured, step=1)


def test_what_a_hit_compares_with_chance_does_not_depend_on_how_many_are_wanted(
    many: Opened,
) -> None:
    query = Query(target="images", source=TextSource("note5 word3"), k=10)
    some = many.retriever.search(query).hits
    every = many.retriever.search(dataclasses.replace(query, k=600)).hits
    by_record = {hit.record.record_id: hit for hit in every}
    assert any("image" not in hit.why for hit in some)
    for hit in some:
        known = by_record[hit.record.record_id]
        assert hit.percentile == pytest.approx(known.percentile)
        assert hit.beats_chance == known.beats_chance


@pytest.mark.parametrize("k", [10, 64, 600])
def test_pages_hold_all_that_have_the_percentile(many: Opened, k: int) -> None:
    wanted = Query(target="images", source=TextSource("note5 word3"), k=k, min_percentile=90)
    everything = many.retriever.search(dataclasses.replace(wanted, k=600, min_percentile=None))
    found = page_by_page(many, wanted, k)
    assert len(found) == len(set(found))
    expected = {hit.record.record_id for hit in everything.hits if (hit.percentile or 0) >= 90}
    assert 0 < len(expected) < 600
    assert set(found) == expected


@pytest.mark.parametrize("weights", [None, {"image": 0.0}])
def test_a_percentile_that_words_alone_have_is_known_on_every_page(
    tmp_path: Path, kit, weights: dict[str, float] | None
) -> None:  # type: ignore[no-untyped-def]
    records = [
        kit.image_record("films", number, caption=f"hand note{number % 13} grey {number % 7}")
        for number in range(400)
    ]
    measured = {"en>lexical": Measured(pairs=spread(0.2, 0.5), least=0.2)}
    opened = films(tmp_path, kit, records, measured)
    query = Query(
        target="images", source=TextSource("hand note5 grey 3"), k=400, weights=weights,
        min_percentile=90,
    )  # fmt: skip
    at_once = ids(opened.retriever.search(query))
    assert 0 < len(at_once) < 400
    assert sorted(page_by_page(opened, query, 40)) == sorted(at_once)


@pytest.mark.parametrize("weights", [None, {"image": 0.0}, {"stated": 0.0}])
def test_pages_hold_pictures_without_captions_that_lie_deeper(
    tmp_path: Path, kit, weights: dict[str, float] | None
) -> None:  # type: ignore[no-untyped-def]
    records = [
        kit.image_record(
            "films", number, caption=None if number % 20 else f"film {number}",
            modality="X-ray", body_part="wrist",
        )
        for number in range(400)
    ]  # fmt: skip
    measured = {
        "en>image": Measured(pairs=spread(-0.3, 0.3), least=0.1),
        "en>caption": Measured(pairs=spread(0.5, 1), least=0.1),
        "en>lexical": Measured(pairs=spread(0.9, 2), least=0.9),
    }
    opened = films(tmp_path, kit, records, measured)
    query = Query(
        target="images", source=TextSource("wrist grey 3"), k=400, weights=weights,
        min_percentile=60,
    )  # fmt: skip
    at_once = ids(opened.retriever.search(query))
    assert sorted(page_by_page(opened, query, 20)) == sorted(at_once)


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many records each search by words was narrowed to."""
    found: list[int] = []
    search = LexicalIndex.search

    def spy(self, words, count, allowed):  # type: ignore[no-untyped-def]
        found.extend([] if allowed is None else [int(allowed.sum())])
        return search(self, words, count, allowed)

    monkeypatch.setattr(LexicalIndex, "search", spy)
    return found


def with_words(opened: Opened, pairs: tuple[float, ...] | None) -> Opened:
    """Let shared words be compared with other pairs."""
    [reader] = opened.indexes.snapshot().values()
    known = reader.manifest.calibration
    assert known is not None
    measured = {**known.measured, "en>lexical": Measured(pairs=pairs, least=0.9)}
    return calibrated(opened, dataclasses.replace(known, measured=measured))


@pytest.mark.parametrize(
    ("words", "pairs"),
    [
        # All that share a word are ranked already.
        ("note5 word3", spread(0.0, 0.2)),
        # More share one, but too little, or nobody knows what is little.
        ("note1 note2 note3 note5", spread(0.9, 2.0)),
        ("note1 note2 note3 note5", None),
        # Of these, what is deeper shares one word alone, whatever the last that is ranked does.
        ("note1 note2 word1 word2 word3", spread(0.11, 0.12)),
    ],
)
def test_words_are_not_looked_up_where_they_cannot_matter(
    many: Opened, looked_up: list[int], words: str, pairs: tuple[float, ...] | None
) -> None:
    opened = with_words(many, pairs)
    query = Query(target="images", source=TextSource(words), k=10, min_percentile=90)
    assert opened.retriever.search(query).hits
    assert looked_up == []


@pytest.mark.parametrize("k", [10, 64])
def test_pages_hold_what_has_the_percentile_by_its_words_alone(
    many: Opened, looked_up: list[int], k: int
) -> None:
    opened = with_words(many, spread(0.0, 0.1))
    words = " ".join(f"note{number}" for number in (1, 2, 3, 5, 7))
    wanted = Query(target="images", source=TextSource(words), k=600, min_percentile=99)
    at_once = ids(opened.retriever.search(wanted))
    paged = page_by_page(opened, wanted, k)
    assert looked_up
    assert len(at_once) > 200
    assert sorted(paged) == sorted(at_once)


def test_words_are_looked_up_in_no_index_without_any_of_the_records() -> None:
    leg = LexicalLeg("anything", 1.0, (0,), (1.0,))
    untouched = Area([object()], [None])  # type: ignore[list-item]
    assert leg.scores(untouched, []) == {}


def test_an_index_of_another_encoder_does_not_end_the_pages_of_the_first(
    tmp_path: Path, kit
) -> None:  # type: ignore[no-untyped-def]
    own, other = kit.HashEncoder("hash"), kit.HashEncoder("other")
    for name, encoder, count in (("large", own, 900), ("small", other, 5)):
        records = [kit.image_record(name, number, caption=None) for number in range(count)]
        greys = [number % 200 for number in range(count)]
        kit.publish(tmp_path, name, records, encoder, greys=greys)
    opened = assemble(IndexSet(tmp_path), QueryEncoders(kit.loader(own, other)))
    measured = {"en>image": Measured(pairs=spread(0.3, 0.37), least=0.5)}
    calibrated(opened, Calibration(measured=measured))
    query = Query(target="images", source=TextSource("grey 3"), k=2000, min_percentile=90)
    at_once = ids(opened.retriever.search(query))
    assert sorted(page_by_page(opened, query, 50)) == sorted(at_once)
    assert len(at_once) > 100
