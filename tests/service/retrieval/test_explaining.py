"""Which words of a query a hit shares."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from indexer.store.index_set import IndexSet
from service.opening import assemble
from service.retrieval.encoding import QueryEncoders
from service.retrieval.query import Query, RecordSource, TextSource
from service.retrieval.reply import SearchReply

Ask = Callable[..., SearchReply]


def test_matched_words_are_those_of_the_query(ask: Ask) -> None:
    source = TextSource("Treating ANAPHYLAXIS, first of all?")
    hit = ask("questions", source, k=1, explain=True).hits[0]
    assert hit.matched_words == ("Treating", "ANAPHYLAXIS", "first")
    assert ask("questions", source, k=1).hits[0].matched_words is None
    chinese = ask("questions", TextSource("血压怎么治"), k=1, explain=True).hits[0]
    assert chinese.matched_words is not None
    assert "血压" in chinese.matched_words


@pytest.mark.parametrize(
    ("words", "shared"),
    [("a fracture?", ("fracture",)), ("CT of the Chest", ("CT", "Chest")), ("effusion", ())],
)
def test_whatever_words_find_an_image_by_is_shared(
    tmp_path: Path, kit: SimpleNamespace, words: str, shared: tuple[str, ...]
) -> None:
    records = [kit.image_record("scans", n, labels=("fracture",)) for n in range(3)]
    kit.publish(tmp_path, "scans", records)
    encoders = QueryEncoders(kit.loader(kit.HashEncoder()), kit.decode_grey)
    search = assemble(IndexSet(tmp_path), encoders).retriever.search
    for mode in ("hybrid", "dense"):
        query = Query(target="images", source=TextSource(words), mode=mode, k=1, explain=True)
        assert search(query).hits[0].matched_words == shared


def test_the_words_of_an_indexed_question_are_the_querys(ask: Ask) -> None:
    source = RecordSource("asked/train/3")
    first, second = ask("questions", source, k=2, explain=True).hits
    assert first.matched_words == ("disease", "3")
    assert second.matched_words == ("disease",)
    # Where words have no vote, none is said to have found anything.
    assert ask("questions", source, k=1, mode="dense", explain=True).hits[0].matched_words == ()
