from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import StoreError
from indexer.records import TextRecord
from indexer.store.lexical import LexicalIndex, build_lexical, cutting_digest, searchable_text
from tests.indexer.store.conftest import no_file_larger_than, record

WORDS = ("fever", "cough", "rash", "knee", "liver", "急性", "头痛")
COUNT = 400


def question(number: int, text: str) -> TextRecord:
    return TextRecord(
        record_id=f"q/all/{number}", dataset="q", split="all", source_id=str(number),
        source_path="q.csv", case_id=str(number), licence="MIT", question=text, answer="yes",
    )  # fmt: skip


def some_texts() -> list[str]:
    rng = np.random.default_rng(4)
    # Many are equal, so that scores tie.
    return [" ".join(rng.choice(WORDS, rng.integers(1, 4))) for _ in range(COUNT)]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> LexicalIndex:
    folder = tmp_path_factory.mktemp("words") / "lexical"
    build_lexical((question(n, text) for n, text in enumerate(some_texts())), folder)
    return LexicalIndex(folder, COUNT)


QUERIES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)


@settings(deadline=None, max_examples=60)
@given(query=QUERIES, k=st.integers(0, 30), share=st.floats(0, 1), seed=st.integers(0, 99))
def test_a_filtered_search_is_the_whole_ranking_filtered(
    index: LexicalIndex, query: str, k: int, share: float, seed: int
) -> None:
    allowed = np.random.default_rng(seed).random(COUNT) < share
    rows, scores = index.search(query, COUNT, None)
    order = sorted(range(len(rows)), key=lambda i: (-scores[i], rows[i]))
    assert order == list(range(len(rows)))
    some_rows, some_scores = index.search(query, k, allowed)
    keep = allowed[rows]
    assert some_rows.tolist() == rows[keep][:k].tolist()
    assert some_scores.tolist() == scores[keep][:k].tolist()
    few_rows, _ = index.search(query, k, None)
    assert few_rows.tolist() == rows[:k].tolist()


@settings(deadline=None, max_examples=20)
@given(query=QUERIES)
def test_it_finds_just_the_records_that_hold_a_word(index: LexicalIndex, query: str) -> None:
    rows, _ = index.search(query, COUNT, None)
    words = query.split()
    holding = [n for n, text in enumerate(some_texts()) if set(words) & set(text.split())]
    # Chinese words share characters with nothing else here.
    assert sorted(rows.tolist()) == holding


def test_the_score_is_bm25(index: LexicalIndex) -> None:
    texts = [text.split() for text in some_texts()]
    rows, scores = index.search("fever", 1, None)
    holding = sum("fever" in text for text in texts)
    # Robertson and Zaragoza (2009), k1 = 1.2, b = .75, with tantivy's idf and (k1 + 1); lengths
    # count tokens, of which a Chinese word of two characters has three.
    lengths = [sum(1 if word.isascii() else 3 for word in text) for text in texts]
    text, length = texts[rows[0]], lengths[rows[0]]
    often = text.count("fever")
    idf = np.log(1 + (COUNT - holding + 0.5) / (holding + 0.5))
    norm = 1.2 * (0.25 + 0.75 * length / np.mean(lengths))
    assert scores[0] == pytest.approx(idf * 2.2 * often / (often + norm), rel=1e-4)
    assert index.records_with("fever") == holding
    assert index.records_with("zebra") == 0


def test_a_word_said_twice_weighs_twice(index: LexicalIndex) -> None:
    [once] = index.search("fever", 1, None)[1]
    [twice] = index.search("fever fever", 1, None)[1]
    assert twice == pytest.approx(2 * once)


@pytest.mark.parametrize("query", ["", "  ", '") OR * AND (', "zebra", "\x00", "a" * 70_000])
def test_a_query_without_any_known_word_finds_nothing(index: LexicalIndex, query: str) -> None:
    assert len(index.search(query, 5, None)[0]) == 0


def test_a_pasted_note_is_asked_by_its_rarest_words(index: LexicalIndex) -> None:
    note = " ".join(f"word{n}" for n in range(5000)) + " rash"
    rows, _ = index.search(note, 3, None)
    assert rows.tolist() == index.search("rash", 3, None)[0].tolist()


def test_opening_and_searching_change_no_file(tmp_path: Path) -> None:
    folder = tmp_path / "lexical"
    build_lexical((question(n, text) for n, text in enumerate(some_texts()[:9])), folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert not [path for path in before if path.suffix == ".lock"]
    LexicalIndex(folder, 9).search("fever", 3, None)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_opening_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_lexical(map(record, range(9)), tmp_path / "lexical")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(elsewhere))
    opened = [LexicalIndex(tmp_path / "lexical", 9) for _ in range(100)]
    assert list(elsewhere.iterdir()) == []
    for index in opened:
        assert len(index.search("number 5", 1, None)[0]) == 1


def test_an_index_of_no_records_finds_nothing(tmp_path: Path) -> None:
    build_lexical([], tmp_path / "lexical")
    assert len(LexicalIndex(tmp_path / "lexical", 0).search("fever", 3, None)[0]) == 0


def test_images_are_found_by_caption_modality_and_labels() -> None:
    assert searchable_text(record(5)) == "caption number 5\nCT\nodd"
    assert searchable_text(record(6)) == "CT"


def test_another_way_of_cutting_words_has_another_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    before = cutting_digest()
    assert before == cutting_digest()
    monkeypatch.setattr("indexer.store.lexical.tokenise", str.split)
    assert cutting_digest() != before


@pytest.mark.parametrize("size_bytes", [0, 1000, 5000])
def test_no_room_for_it_is_an_error(tmp_path: Path, size_bytes: int) -> None:
    records = [record(number) for number in range(2000)]
    with (
        pytest.raises(StoreError, match="could not be written"),
        no_file_larger_than(size_bytes),
    ):
        build_lexical(records, tmp_path / "lexical")


def test_who_may_read_one_file_may_read_all(tmp_path: Path) -> None:
    build_lexical(map(record, range(9)), tmp_path / "lexical")
    assert len({path.stat().st_mode for path in (tmp_path / "lexical").iterdir()}) == 1


def test_a_question_is_found_whatever_its_wording(tmp_path: Path) -> None:
    texts = ("肺炎有什么症状？", "肺炎怎么治疗？", "哮喘怎么治疗？", "肺炎要治疗多久？")
    build_lexical((question(n, text) for n, text in enumerate(texts)), tmp_path / "lexical")
    index = LexicalIndex(tmp_path / "lexical", len(texts))
    for asked in ("肺炎如何医治", "肺炎咋治疗呢", "肺炎怎麼醫治", "怎样救治肺炎"):
        rows, scores = index.search(asked, 4, None)
        assert rows[0] == 1
        assert scores[0] < index.ceiling(asked)
