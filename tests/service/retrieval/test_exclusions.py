"""What must not be found is not found."""

from collections.abc import Callable

import numpy as np
import pytest

from indexer.errors import QueryError, UnknownNameError
from service.opening import Opened
from service.retrieval.exclusions import near_duplicates
from service.retrieval.query import ImageSource, Query, RecordSource, TextSource
from service.retrieval.reply import SearchReply

Ask = Callable[..., SearchReply]


@pytest.fixture
def ask(opened: Opened) -> Ask:
    return lambda source, **options: opened.retriever.search(
        Query(**{"target": "images", "source": source, "k": 40} | options)
    )


def ids(reply: SearchReply) -> set[str]:
    return {hit.record.record_id for hit in reply.hits}


def numbers(reply: SearchReply) -> set[int]:
    return {int(hit.record.source_id) for hit in reply.hits if hit.index == "scans"}


@pytest.mark.parametrize("source", [RecordSource("scans/train/5"), ImageSource(b"grey 5")])
def test_the_own_case_is_left_out(ask: Ask, source: object) -> None:
    assert numbers(ask(source)) == set(range(24))
    assert numbers(ask(source, exclude_same=frozenset({"case"}))) == set(range(24)) - {4, 5, 6, 7}


@pytest.mark.parametrize("source", [RecordSource("scans/train/5"), ImageSource(b"grey 5")])
def test_near_duplicates_are_left_out(ask: Ask, source: object) -> None:
    found = numbers(ask(source, exclude_same=frozenset({"near_duplicate"})))
    assert found == set(range(24)) - {5}


def test_the_own_article_is_left_out(ask: Ask) -> None:
    source = RecordSource("scans/train/7")  # PMC2, with 6 and 8
    found = numbers(ask(source, exclude_same=frozenset({"article"})))
    assert found == set(range(24)) - {6, 7, 8}


def test_questions_have_no_near_duplicates(ask: Ask) -> None:
    options = {"target": "questions", "exclude_same": frozenset({"case", "near_duplicate"})}
    with pytest.raises(QueryError, match="near_duplicate"):
        ask(RecordSource("asked/train/3"), **options)
    options["exclude_same"] = frozenset({"case"})
    assert "asked/train/3" not in ids(ask(RecordSource("asked/train/3"), **options))


def test_words_have_no_case_of_their_own(ask: Ask) -> None:
    with pytest.raises(QueryError, match="record or by image"):
        ask(TextSource("grey 5"), exclude_same=frozenset({"case"}))


def test_whole_datasets_are_left_out(ask: Ask) -> None:
    reply = ask(TextSource("grey 5"), exclude_datasets=frozenset({"scans"}))
    assert {hit.record.dataset for hit in reply.hits} == {"films"}
    nothing = ask(TextSource("grey 5"), exclude_datasets=frozenset({"scans", "films"}))
    assert nothing.hits == ()
    assert "exclude_datasets" in nothing.notes[-1].message
    # One of the other kind excludes nothing: that is no mistake.
    assert ids(ask(TextSource("grey 5"), exclude_datasets=frozenset({"asked"})))


def test_a_misspelt_dataset_is_refused(ask: Ask) -> None:
    with pytest.raises(UnknownNameError, match="medqaa"):
        ask(TextSource("grey 5"), exclude_datasets=frozenset({"medqaa"}))


def test_misspelt_records_are_noted_by_number(ask: Ask) -> None:
    misspelt = frozenset({"scans/trian/5", "sacns/train/5"})
    reply = ask(RecordSource("scans/train/5"), exclude_records=misspelt | {"scans/train/5"})
    [note] = reply.notes
    assert note.code == "exclude_records"
    assert note.message.startswith("2 of the 3 ids in exclude_records")
    assert not any(one in note.message for one in misspelt)
    assert numbers(reply) == set(range(24)) - {5}


def test_records_that_are_not_searched_are_no_mistake(ask: Ask) -> None:
    known = frozenset({"asked/train/1", "films/train/31", "scans/train/5"})
    assert ask(TextSource("grey 5"), indexes=("scans",), exclude_records=known).notes == ()
    assert ask(TextSource("grey 5"), unlike=("scans/train/5",)).notes == ()


def test_splits_are_left_out_and_unknown_ones_refused(ask: Ask) -> None:
    reply = ask(TextSource("grey 5"), exclude_splits=frozenset({"train"}))
    assert (reply.hits, reply.records_allowed) == ((), 0)
    with pytest.raises(QueryError, match="split"):
        ask(TextSource("grey 5"), exclude_splits=frozenset({"tset"}))


def test_near_duplicates_by_bits() -> None:
    draw = np.random.default_rng(0)
    wanted = draw.integers(0, 2**63, 4, np.uint64)
    near, far = wanted.copy(), wanted.copy()
    near[0] ^= np.uint64(2**16 - 1)  # 16 bits
    far[1] ^= np.uint64(2**17 - 1)  # 17 bits
    known = np.stack([wanted, near, far, np.zeros(4, np.uint64)])
    assert near_duplicates(known, wanted.tobytes()).tolist() == [True, True, False, False]
