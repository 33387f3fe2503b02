"""Verdicts and percentiles over small builds whose calibration is written by hand."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import QueryError
from indexer.pixels.looks import look_at
from indexer.store.calibration import PAIR_SHARES, Calibration, Measured
from indexer.store.index_set import IndexSet
from indexer.store.lexical import LexicalIndex
from service.opening import Opened, assemble
from service.retrieval.calibration import Chance
from service.retrieval.drafting import Plan
from service.retrieval.encoding import QueryEncoders
from service.retrieval.fusion import Found, Key, Ranking, Score
from service.retrieval.legs import Area, DenseLeg, LexicalLeg
from service.retrieval.query import ImageSource, Query, RecordSource, SeriesSource, TextSource
from service.retrieval.reply import SearchReply
from service.retrieval.spaces import Space

PAIRS = tuple(2 * share - 1 for share in PAIR_SHARES)
CALIBRATION = Calibration(
    measured={
        "en>question": Measured(pairs=PAIRS, least=0.5, spread=0.05),
        "en>lexical": Measured(pairs=None, least=0.4, spread=0.05),
        "zh>lexical": Measured(pairs=None, least=0.2, spread=0.05),
        "en>image": Measured(pairs=PAIRS, least=0.3, spread=0.02),
        "en>caption": Measured(pairs=PAIRS, least=0.5, spread=0.05),
        "image>image": Measured(pairs=PAIRS, least=0.8, spread=0.05),
    },
    farthest_look=5.0,
)
WORDS = Query(target="questions", source=TextSource("what is it"))


def calibrated(opened: Opened, calibration: Calibration | None = CALIBRATION) -> Opened:
    """Let every open build carry a calibration."""
    for reader in opened.indexes.snapshot().values():
        reader.manifest = dataclasses.replace(reader.manifest, calibration=calibration)
    return opened


@pytest.fixture
def fresh(indexes_dir: Path, kit) -> Opened:  # type: ignore[no-untyped-def]
    """Readers of this test alone, for their manifests are changed."""
    encoders = QueryEncoders(kit.loader(kit.HashEncoder()), kit.decode_grey)
    return assemble(IndexSet(indexes_dir), encoders)


def ask(opened: Opened, words: str, **options: object) -> SearchReply:
    values = {"target": "questions", "source": TextSource(words), "indexes": ("asked",)}
    return opened.retriever.search(Query(**(values | options)))


def test_what_the_index_holds_is_relevant_and_what_it_does_not_is_refused(fresh: Opened) -> None:
    opened = calibrated(fresh)
    found = ask(opened, "How is anaphylaxis treated first?")
    assert (found.relevant, found.relevance_reason) == (True, None)
    assert found.hits[0].beats_chance is True
    assert found.hits[0].percentile is not None
    assert found.hits[0].percentile > 95
    refused = ask(opened, "sourdough rises overnight")
    assert refused.relevant is False
    assert refused.relevance_reason is not None
    assert "0.50 is needed" in refused.relevance_reason
    assert "None of the query's words occurs" in refused.relevance_reason
    assert refused.hits[0].beats_chance is False


def test_a_build_without_calibration_says_nothing(fresh: Opened) -> None:
    reply = ask(fresh, "sourdough rises overnight")
    assert (reply.relevant, reply.relevance_reason) == (None, None)
    assert {hit.percentile for hit in reply.hits} == {None}
    assert {hit.beats_chance for hit in reply.hits} == {None}
    assert len(ask(fresh, "sourdough", min_percentile=99).hits) == len(ask(fresh, "sourdough").hits)


def test_chinese_is_judged_by_its_words(fresh: Opened) -> None:
    opened = calibrated(fresh)
    assert ask(opened, "胸痛伴出汗应首先做什么检查？", indexes=("gefragt",)).relevant is True
    refused = ask(opened, "怎样烤面包才松软", indexes=("gefragt",))
    assert refused.relevant is False
    assert "0.50" not in str(refused.relevance_reason)


def test_a_known_index_does_not_speak_for_one_that_is_not_calibrated(fresh: Opened) -> None:
    opened = calibrated(fresh)
    reader = opened.indexes.snapshot()["films"]
    reader.manifest = dataclasses.replace(reader.manifest, calibration=None)
    query = Query(target="images", source=TextSource("sourdough"), k=50)
    assert opened.retriever.search(query).relevant is None


def test_only_hits_of_the_percentile_asked_for_come_back(fresh: Opened) -> None:
    opened = calibrated(fresh)
    words = "How is anaphylaxis treated first?"
    everything = ask(opened, words, k=50, mode="dense").hits
    wanted = [hit for hit in everything if (hit.percentile or 0) >= 60]
    assert 0 < len(wanted) < len(everything)
    some = ask(opened, words, k=50, mode="dense", min_percentile=60).hits
    assert [hit.record for hit in some] == [hit.record for hit in wanted]
    assert ask(opened, "sourdough", mode="dense", min_percentile=99).hits == ()


@pytest.mark.parametrize("percentile", [-1.0, 100.5, float("nan")])
def test_what_is_no_percentile_is_refused(fresh: Opened, percentile: float) -> None:
    with pytest.raises(QueryError, match="percentile"):
        ask(fresh, "anything", min_percentile=percentile)


def test_a_picture_must_also_look_like_those_indexed(fresh: Opened) -> None:
    opened = calibrated(fresh)
    alike = look_at(np.full((8, 8, 3), 5, np.uint8))[np.newaxis].astype(np.float32)
    for reader in opened.indexes.snapshot().values():
        reader.looks = alike
    near = Query(target="images", source=ImageSource(b"grey 5"))
    strange = Query(target="images", source=ImageSource(b"grey 31"))
    assert opened.retriever.search(near).relevant is True
    refused = opened.retriever.search(strange)
    assert refused.relevant is False
    assert "looks like none" in str(refused.relevance_reason)
    # Something is always nearest: what its labels are says nothing about such a picture.
    told = opened.retriever.search(dataclasses.replace(strange, evidence=True))
    assert told.evidence == ()
    assert [note.code for note in told.notes] == ["evidence"]
    indexed = Query(target="images", source=RecordSource("films/train/31"))
    assert opened.retriever.search(indexed).relevant is True


def test_excluded_records_do_not_make_a_search_relevant(fresh: Opened) -> None:
    opened = calibrated(fresh)
    query = Query(
        target="questions", source=RecordSource("asked/train/0"), indexes=("asked",), mode="dense",
        exclude_records=frozenset({"asked/train/0"}),
    )  # fmt: skip
    assert opened.retriever.search(query).relevant is False
    shown = dataclasses.replace(query, exclude_records=frozenset())
    assert opened.retriever.search(shown).relevant is True


class StubReader:
    """As much of a reader as verdicts need."""

    looks = None

    def __init__(self, calibration: Calibration | None) -> None:
        self.manifest = type("Manifest", (), {"calibration": calibration})()


def chance_of(readers: int, calibration: Calibration | None = CALIBRATION) -> Chance:
    members = tuple(range(readers))
    space = Space("question", "hash", 2, ())
    legs = (
        DenseLeg(name="question", space=space, weight=1, vector=np.ones(2), members=members),
        LexicalLeg("what is it", 1.0, members, (1.0,) * readers),
    )
    stubs = [StubReader(calibration) for _ in members]
    area = Area(stubs, [None] * readers)  # type: ignore[arg-type]
    return Chance(WORDS, Plan(legs, "blend", ()), area)


def rankings(cosine: float, coverage: float) -> list[Ranking]:
    return [
        Ranking(
            name=name, measure=measure, weight=1, keys=[Key(0, 0)], scores=[score],
            found=[Found(0, np.zeros(1, np.int64), np.array([score]))],
        )
        for name, measure, score in (
            ("question", "cosine", cosine), ("lexical", "coverage", coverage),
        )
    ]  # fmt: skip


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(-1, 1), st.floats(0, 1))
def test_better_scores_never_make_a_verdict_worse(
    cosine: float, coverage: float, more: float, further: float
) -> None:
    def passes(one: float, other: float) -> bool | None:
        return chance_of(1).judge(rankings(one, other), ()).relevant

    if passes(cosine, coverage):
        assert passes(max(cosine, more), max(coverage, further))


@given(st.floats(-1, 1), st.floats(0, 1))
def test_a_hit_beats_chance_just_if_it_alone_makes_the_search_relevant(
    cosine: float, coverage: float
) -> None:
    chance = chance_of(1)
    scores = {"question": Score(cosine), "lexical": Score(coverage)}
    verdict = chance.judge(rankings(cosine, coverage), ()).relevant
    assert chance.beats_chance(Key(0, 0), scores) is verdict


def test_more_indexes_are_more_chances() -> None:
    assert chance_of(1).judge(rankings(0.51, 0), ()).relevant is True
    assert chance_of(9).judge(rankings(0.51, 0), ()).relevant is False
    assert chance_of(9).judge(rankings(0.6, 0), ()).relevant is True


def test_nothing_found_is_not_relevant() -> None:
    empty = [Ranking(name=n, measure="cosine", weight=1, keys=[], scores=[]) for n in "ab"]
    verdict = chance_of(1).judge(empty, ())
    assert verdict.relevant is False
    assert verdict.reason == "Nothing was found."


def test_what_falls_short_of_a_limit_does_not_look_equal_to_it() -> None:
    reason = chance_of(1).judge(rankings(0.4999, 0.3999), ()).reason
    assert reason is not None
    assert "cosine of 0.49; 0.50 is needed" in reason
    assert "39% of the query's words" in reason
    assert "40% is needed" in reason


def spread(low: float, high: float) -> tuple[float, ...]:
    """Return scores of unrelated pairs, evenly from low to high."""
    return tuple(np.linspace(low, high, len(PAIR_SHARES)).tolist())


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
    kit.publish(tmp_path, "films", records, greys=[number % 250 for number in range(600)])
    opened = assemble(IndexSet(tmp_path), QueryEncoders(kit.loader(kit.HashEncoder())))
    measured = {
        "en>image": Measured(pairs=spread(-0.15, 0.13), least=0.1),
        "en>caption": Measured(pairs=spread(0.9, 0.97), least=0.95),
        "en>lexical": Measured(pairs=spread(0.3, 2.0), least=0.9),
    }
    return calibrated(opened, Calibration(measured=measured))


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
    kit.publish(tmp_path, "films", records, greys=[number * 7 % 250 for number in range(400)])
    opened = assemble(IndexSet(tmp_path), QueryEncoders(kit.loader(kit.HashEncoder())))
    measured = {"en>lexical": Measured(pairs=spread(0.2, 0.5), least=0.2)}
    calibrated(opened, Calibration(measured=measured))
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
    kit.publish(tmp_path, "films", records, greys=[number * 7 % 250 for number in range(400)])
    opened = assemble(IndexSet(tmp_path), QueryEncoders(kit.loader(kit.HashEncoder())))
    measured = {
        "en>image": Measured(pairs=spread(-0.3, 0.3), least=0.1),
        "en>caption": Measured(pairs=spread(0.5, 1), least=0.1),
        "en>lexical": Measured(pairs=spread(0.9, 2), least=0.9),
    }
    calibrated(opened, Calibration(measured=measured))
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


def test_a_small_index_that_knows_is_not_crowded_out_of_the_verdict(tmp_path: Path, kit) -> None:  # type: ignore[no-untyped-def]
    large = [f"fever cough child weather{number}" for number in range(120)]
    small = [f"fever topic{number} lunch dinner" for number in range(5)]
    for name, texts in (("large", large), ("small", small)):
        records = [
            kit.text_record(name, number, question=text, answer="x")
            for number, text in enumerate(texts)
        ]
        kit.publish(tmp_path, name, records)
    opened = assemble(IndexSet(tmp_path), QueryEncoders(kit.loader(kit.HashEncoder())))
    for name, least in (("large", 0.99), ("small", 0.15)):
        reader = opened.indexes.snapshot()[name]
        measured = {
            "en>question": Measured(pairs=PAIRS, least=least),
            "en>lexical": Measured(pairs=None, least=0.99),
        }
        reader.manifest = dataclasses.replace(
            reader.manifest, calibration=Calibration(measured=measured)
        )
    for indexes in (("small",), ("large", "small")):
        query = Query(
            target="questions", source=TextSource("fever cough child"), k=10, indexes=indexes
        )
        assert opened.retriever.search(query).relevant is True


@pytest.mark.parametrize("match", ["late_interaction", "best_slice"])
def test_a_series_is_judged_as_the_pictures_that_it_consists_of(
    tmp_path: Path, kit, match: str
) -> None:  # type: ignore[no-untyped-def]
    records = [
        kit.image_record("scans", number, caption=None, study_id=f"s{number // 2}")
        for number in range(20)
    ]
    kit.publish(tmp_path, "scans", records)
    encoders = QueryEncoders(kit.loader(kit.HashEncoder()), kit.decode_grey)
    opened = assemble(IndexSet(tmp_path), encoders)
    measured = {
        "en>image": Measured(pairs=spread(-0.1, 0.04), least=0.1),
        "image>image": Measured(pairs=spread(0.9, 0.95), least=0.97),
    }
    calibrated(opened, Calibration(measured=measured))

    def ask_by(*greys: int) -> SearchReply:
        files = tuple(f"grey {grey}".encode() for grey in greys)
        return opened.retriever.search(
            Query(
                target="images",
                source=SeriesSource(files),
                k=2,
                group_by="study",
                match=match,  # type: ignore[arg-type]
            )
        )

    unlike = ask_by(77, 78)
    assert unlike.relevant is False
    assert "The nearest of the series has a cosine of" in str(unlike.relevance_reason)
    assert {hit.beats_chance for hit in unlike.hits} == {False}
    assert {hit.percentile for hit in unlike.hits} == {None}
    assert ask_by(2, 3).relevant is True
