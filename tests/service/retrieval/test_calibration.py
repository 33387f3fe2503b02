"""Verdicts over small builds whose calibration is written by hand."""

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
from service.opening import Opened, assemble
from service.retrieval.calibration import Chance
from service.retrieval.drafting import Plan
from service.retrieval.encoding import QueryEncoders
from service.retrieval.fusion import Found, Key, Ranking, Score
from service.retrieval.legs import Area, DenseLeg, LexicalLeg
from service.retrieval.query import ImageSource, Query, RecordSource, SeriesSource, TextSource
from service.retrieval.reply import SearchReply
from service.retrieval.spaces import Space
from tests.service.retrieval.calibrated import calibrated, spread

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


@pytest.fixture
def fresh(indexes_dir: Path, kit) -> Opened:  # type: ignore[no-untyped-def]
    """Readers of this test alone, for their manifests are changed."""
    encoders = QueryEncoders(kit.loader(kit.HashEncoder()), kit.decode_grey)
    return assemble(IndexSet(indexes_dir), encoders)


def ask(opened: Opened, words: str, **options: object) -> SearchReply:
    values = {"target": "questions", "source": TextSource(words), "indexes": ("asked",)}
    return opened.retriever.search(Query(**(values | options)))


def test_what_the_index_holds_is_relevant_and_what_it_does_not_is_refused(fresh: Opened) -> None:
    opened = calibrated(fresh, CALIBRATION)
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
    opened = calibrated(fresh, CALIBRATION)
    assert ask(opened, "胸痛伴出汗应首先做什么检查？", indexes=("gefragt",)).relevant is True
    refused = ask(opened, "怎样烤面包才松软", indexes=("gefragt",))
    assert refused.relevant is False
    assert "0.50" not in str(refused.relevance_reason)


def test_a_known_index_does_not_speak_for_one_that_is_not_calibrated(fresh: Opened) -> None:
    opened = calibrated(fresh, CALIBRATION)
    reader = opened.indexes.snapshot()["films"]
    reader.manifest = dataclasses.replace(reader.manifest, calibration=None)
    query = Query(target="images", source=TextSource("sourdough"), k=50)
    assert opened.retriever.search(query).relevant is None


def test_only_hits_of_the_percentile_asked_for_come_back(fresh: Opened) -> None:
    opened = calibrated(fresh, CALIBRATION)
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
    opened = calibrated(fresh, CALIBRATION)
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
    opened = calibrated(fresh, CALIBRATION)
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
