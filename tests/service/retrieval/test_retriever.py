"""Queries against small real indexes, with brute force beside them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import (
    CorruptBuildError,
    DecodeError,
    EncoderMismatchError,
    EncoderUnavailableError,
    IndexNotFoundError,
    QueryError,
    RecordNotFoundError,
    UnknownNameError,
)
from indexer.store.index_set import IndexSet
from service.opening import Opened, assemble
from service.retrieval.encoding import QueryEncoders
from service.retrieval.filters import Comparison
from service.retrieval.query import ImageSource, Query, RecordSource, TextSource, VectorSource
from service.retrieval.reply import SearchReply
from service.retrieval.votes import PICTURES_BY_WORDS

Ask = Callable[..., SearchReply]


def ids(reply: SearchReply) -> list[str]:
    return [hit.record.record_id for hit in reply.hits]


def test_a_question_finds_its_own_record_by_meaning_and_words(ask: Ask) -> None:
    reply = ask("questions", TextSource("How is anaphylaxis treated first?"), k=2)
    best = reply.hits[0]
    assert best.record.record_id == "asked/train/0"
    assert (best.rank, best.index) == (1, "asked")
    assert reply.score_kind == "blend"
    dense, words = best.why["question"], best.why["lexical"]
    assert (dense.rank, words.rank) == (1, 1)
    assert best.score == pytest.approx(0.7 * dense.score + 0.3 * words.score)
    assert set(reply.builds) == {"asked", "gefragt"}
    assert set(reply.stages_ms) == {"encode", "search", "records"}


def test_an_encoder_that_cannot_read_the_question_has_no_vote(ask: Ask) -> None:
    reply = ask("questions", TextSource("胸痛伴出汗应首先做什么检查？"))
    assert ids(reply)[0] == "gefragt/train/0"
    assert reply.score_kind == "coverage"
    assert set(reply.hits[0].why) == {"lexical"}
    assert [note.code for note in reply.notes] == ["language"]


def test_words_find_images_by_picture_caption_and_words(ask: Ask) -> None:
    reply = ask("images", TextSource("grey 31"), k=3)
    assert ids(reply)[0] == "films/train/31"
    assert set(reply.hits[0].why) == {"image", "caption", "lexical"}
    # Captions and their words have one vote each. Pictures sought by words have two fifths of one,
    # and give up four fifths of that for as much of the words as a caption covers.
    kept = 1 - 0.8 * reply.hits[0].why["lexical"].score
    assert reply.hits[0].score == pytest.approx((2 + kept * PICTURES_BY_WORDS) / 61)
    assert reply.score_kind == "rrf"


def test_an_image_without_caption_is_found_by_its_picture(ask: Ask) -> None:
    reply = ask("images", TextSource("grey 7"), k=64)
    found = next(hit for hit in reply.hits if hit.record.record_id == "scans/train/7")
    assert set(found.why) == {"image"}


def test_an_indexed_image_finds_itself_first(ask: Ask) -> None:
    for source in (ImageSource(b"grey 5"), RecordSource("scans/train/5")):
        reply = ask("images", source, k=4)
        assert ids(reply)[0] == "scans/train/5"
        assert reply.hits[0].score == pytest.approx(1.0)
        assert reply.score_kind == "cosine"


def test_a_question_record_finds_itself_first_in_either_language(ask: Ask) -> None:
    for record_id in ("asked/train/3", "gefragt/train/1"):
        assert ids(ask("questions", RecordSource(record_id), k=1)) == [record_id]


def test_a_vector_searches_one_field(ask: Ask, opened: Opened) -> None:
    reader = opened.indexes.snapshot()["scans"]
    for length in (3.0, 1e30, 1e-30):
        vector = reader.vector("image", 9) * np.float32(length)
        assert ids(ask("images", VectorSource("image", vector), k=1)) == ["scans/train/9"]


@pytest.mark.parametrize(
    "source",
    [
        VectorSource("question", np.ones(64, np.float32)),
        VectorSource("image", np.ones(63, np.float32)),
        VectorSource("image", np.full(64, np.nan, np.float32)),
        VectorSource("image", np.zeros(64, np.float32)),
        VectorSource("image", np.ones((2, 64), np.float32)),
    ],
)
def test_an_impossible_vector_is_refused(ask: Ask, source: VectorSource) -> None:
    with pytest.raises(QueryError):
        ask("images", source)


def test_named_indexes_only(ask: Ask) -> None:
    reply = ask("images", TextSource("grey 3"), k=30, indexes=("films",))
    assert {hit.index for hit in reply.hits} == {"films"}
    assert set(reply.builds) == {"films"}


def test_an_unknown_index_is_not_found_and_a_wrong_one_refused(ask: Ask) -> None:
    with pytest.raises(UnknownNameError) as caught:
        ask("images", TextSource("a"), indexes=("scanz",))
    assert "Did you mean 'scans'?" in caught.value.remedy
    with pytest.raises(QueryError) as refused:
        ask("images", TextSource("a"), indexes=("asked",))
    assert "films, scans" in refused.value.remedy


def test_nothing_published_is_said(tmp_path: Path, hash_encoder) -> None:  # type: ignore[no-untyped-def]
    empty = assemble(IndexSet(tmp_path), QueryEncoders(lambda key: hash_encoder))
    with pytest.raises(IndexNotFoundError):
        empty.retriever.search(Query(target="images", source=TextSource("a")))


@pytest.mark.parametrize(
    ("target", "source", "error"),
    [
        ("images", TextSource("  \u200b\n"), QueryError),
        ("images", RecordSource("scans/train/99"), RecordNotFoundError),
        ("images", RecordSource("asked/train/0"), QueryError),
        ("questions", RecordSource("scans/train/0"), QueryError),
        ("questions", ImageSource(b"grey 1"), QueryError),
        ("images", ImageSource(b"nonsense"), DecodeError),
    ],
)
def test_sources_that_do_not_fit(ask: Ask, target: str, source: object, error: type) -> None:
    with pytest.raises(error):
        ask(target, source)


def test_k_must_be_positive(ask: Ask) -> None:
    with pytest.raises(QueryError):
        ask("images", TextSource("a"), k=0)


def test_a_short_answer_is_all_there_is(ask: Ask) -> None:
    assert len(ask("images", ImageSource(b"grey 1"), k=1000).hits) == 30
    assert len(ask("images", TextSource("grey 1"), k=1000).hits) == 30


def test_more_hits_begin_with_the_fewer(ask: Ask) -> None:
    few, many = (ask("images", TextSource("grey 9 chest"), k=k) for k in (5, 20))
    assert ids(many)[:5] == ids(few)


def test_excluded_records_never_appear(ask: Ask) -> None:
    every = ids(ask("images", ImageSource(b"grey 5"), k=6))
    rest = ids(ask("images", ImageSource(b"grey 5"), k=4, exclude_records=frozenset(every[:2])))
    assert rest == every[2:]


def test_filters_hold_for_every_leg(ask: Ask) -> None:
    chosen = Comparison("modality", "eq", "MR")
    for source in (TextSource("grey 3"), ImageSource(b"grey 3")):
        reply = ask("images", source, k=50, filters=chosen)
        assert len(reply.hits) == 12
        assert {hit.record.modality for hit in reply.hits} == {"MR"}


def test_a_filter_that_nothing_passes_gives_no_hits(ask: Ask) -> None:
    assert ask("images", TextSource("a"), filters=Comparison("age_years", "lt", -1)).hits == ()


@pytest.mark.parametrize("by", ["case", "study", "series", "patient", "article"])
@pytest.mark.parametrize("source", [TextSource("grey 3"), ImageSource(b"grey 3")])
def test_groups_are_exactly_the_best_of_each(ask: Ask, by: str, source: object) -> None:
    column = f"{by}_id"
    every = ask("images", source, k=30)
    best: dict[object, str] = {}
    for hit in every.hits:
        group = getattr(hit.record, column) or hit.record.record_id
        best.setdefault((hit.index, group), hit.record.record_id)
    for k in (1, 3, 8, 100):
        reply = ask("images", source, k=k, group_by=by)
        assert ids(reply) == list(best.values())[:k]


def test_a_group_says_how_many_records_it_has(ask: Ask) -> None:
    [hit] = ask("images", ImageSource(b"grey 5"), k=1, group_by="case").hits
    assert hit.group is not None
    assert (hit.group.by, hit.group.group_id, hit.group.records) == ("case", "patient1", 4)
    [alone] = ask("images", ImageSource(b"grey 5"), k=1, group_by="series").hits
    assert alone.group is not None
    assert (alone.group.group_id, alone.group.records) == ("scans/train/5", 1)


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Opened:
    """One patient with 300 slices that are all nearer to the query than anybody else's."""
    kit = request.getfixturevalue("kit")
    folder = tmp_path_factory.mktemp("crowded")
    records = [kit.image_record("ct", n, case_id="loud", caption="grey 1") for n in range(300)]
    records += [kit.image_record("ct", n, case_id=f"quiet{n}") for n in range(300, 310)]
    kit.publish(folder, "ct", records, greys=[1] * 300 + list(range(200, 210)))
    return assemble(IndexSet(folder), QueryEncoders(kit.loader(kit.HashEncoder()), kit.decode_grey))


@settings(max_examples=10)
@given(st.integers(1, 12), st.booleans())
def test_one_patient_never_fills_the_answer(crowded: Opened, k: int, by_text: bool) -> None:
    source = TextSource("grey 1") if by_text else ImageSource(b"grey 1")
    query = Query(target="images", source=source, k=k, group_by="case")
    cases = [hit.record.case_id for hit in crowded.retriever.search(query).hits]
    assert len(cases) == len(set(cases)) == min(k, 11)
    assert cases[0] == "loud"


def two_encoders(tmp_path: Path, kit, loaded: Sequence[object]) -> Opened:  # type: ignore[no-untyped-def]
    """An index of each of two encoders, of which only some can be loaded."""
    for name in ("one", "two"):
        records = [kit.text_record(name, number) for number in range(5)]
        kit.publish(tmp_path, name, records, kit.HashEncoder(name))
    return assemble(IndexSet(tmp_path), QueryEncoders(kit.loader(*loaded)))


def test_different_encoders_are_fused_by_rank(tmp_path: Path, kit) -> None:  # type: ignore[no-untyped-def]
    opened = two_encoders(tmp_path, kit, [kit.HashEncoder("one"), kit.HashEncoder("two")])
    query = Query(target="questions", source=TextSource("What is disease 3?"), k=2)
    reply = opened.retriever.search(query)
    assert reply.score_kind == "rrf"
    assert set(ids(reply)) == {"one/train/3", "two/train/3"}


def test_a_missing_encoder_is_noted_unless_its_index_was_named(tmp_path: Path, kit) -> None:  # type: ignore[no-untyped-def]
    opened = two_encoders(tmp_path, kit, [kit.HashEncoder("one")])
    search = opened.retriever.search
    query = Query(target="questions", source=TextSource("What is disease 3?"), k=1)
    reply = search(query)
    assert ids(reply) == ["one/train/3"]
    assert [note.code for note in reply.notes] == ["encoder"]
    assert "two" in reply.notes[0].message
    with pytest.raises(EncoderUnavailableError):
        search(Query(target="questions", source=query.source, indexes=("two",)))


def test_an_index_of_other_weights_is_a_mismatch(tmp_path: Path, kit) -> None:  # type: ignore[no-untyped-def]
    impostor = kit.HashEncoder("other")
    impostor.spec = kit.HashEncoder("one").spec
    opened = two_encoders(tmp_path, kit, [impostor])
    query = Query(target="questions", source=TextSource("a"), indexes=("one",))
    with pytest.raises(EncoderMismatchError):
        opened.retriever.search(query)


def test_a_record_is_compared_within_its_own_space_only(tmp_path: Path, kit) -> None:  # type: ignore[no-untyped-def]
    opened = two_encoders(tmp_path, kit, [])  # its embedding is at hand: no encoder is needed
    query = Query(target="questions", source=RecordSource("one/train/3"), k=10)
    reply = opened.retriever.search(query)
    assert ids(reply)[0] == "one/train/3"
    assert [note.code for note in reply.notes] == ["other_encoder"]
    assert all("question" not in hit.why for hit in reply.hits if hit.index == "two")


def test_an_answer_comes_from_one_snapshot(tmp_path: Path, kit) -> None:  # type: ignore[no-untyped-def]
    kit.publish(tmp_path, "one", [kit.text_record("one", 1)])
    indexes = IndexSet(tmp_path)
    opened = assemble(indexes, QueryEncoders(kit.loader(kit.HashEncoder())))
    snapshot = opened.retriever.snapshot()
    kit.publish(tmp_path, "one", [kit.text_record("one", 1, question="A new question?")])
    indexes.refresh()
    query = Query(target="questions", source=TextSource("What is disease 1?"))
    old, new = opened.retriever.search(query, snapshot), opened.retriever.search(query)
    assert old.builds != new.builds
    assert old.hits[0].record.question == "What is disease 1?"
    assert new.hits[0].record.question == "A new question?"


def test_a_damaged_index_is_named_when_asked_for(tmp_path: Path, kit) -> None:  # type: ignore[no-untyped-def]
    for name in ("good", "bad"):
        kit.publish(tmp_path, name, [kit.text_record(name, 1)])
    [manifest] = (tmp_path / "bad").glob("*/manifest.json")
    manifest.write_text("{}")
    opened = assemble(IndexSet(tmp_path), QueryEncoders(kit.loader(kit.HashEncoder())))
    assert ids(opened.retriever.search(Query(target="questions", source=TextSource("disease"))))
    query = Query(target="questions", source=TextSource("a"), indexes=("bad",))
    with pytest.raises(CorruptBuildError):
        opened.retriever.search(query)


def test_warming_up_loads_and_asks(tmp_path: Path, kit) -> None:  # type: ignore[no-untyped-def]
    opened = two_encoders(tmp_path, kit, [kit.HashEncoder("one")])
    warmth = opened.retriever.warm()
    assert warmth.answered == 1
    assert [problem.code for problem in warmth.problems] == ["encoder_unavailable"]
