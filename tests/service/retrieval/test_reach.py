"""What rankings can reach, against what a search finds that may go as deep as it likes."""

from collections import Counter
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import TypeAlias

import pytest

from indexer.store.index_set import IndexSet
from indexer.store.lexical import LexicalIndex
from service.retrieval.encoding import QueryEncoders
from service.retrieval.filters import Comparison
from service.retrieval.query import ImageSource, Query, RecordSource, StudySource, TextSource
from service.retrieval.reply import SearchReply
from service.retrieval.retriever import Retriever

Ask: TypeAlias = Callable[..., SearchReply]

ALONE = {"weights": {"lexical": 0}}
BY_WORDS = {"mode": "lexical"}
STATED = {"weights": {"image": 0, "caption": 0, "lexical": 0}}


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory, kit: SimpleNamespace) -> Ask:
    """Search records that not every ranking reaches: another encoder's, Chinese ones, windows."""
    folder = tmp_path_factory.mktemp("mixed")
    other = kit.HashEncoder("other")
    kit.publish(folder, "ct", [
        kit.image_record("ct", n, caption=None, study_id=f"study{n // 4}") for n in range(8)
    ], by_window={"lung_window": {0: 0, 1: 1, 4: 4}, "bone_window": {1: 1, 2: 2}})  # fmt: skip
    kit.publish(folder, "scans", [kit.image_record("scans", n) for n in range(6)])
    kit.publish(folder, "films", [kit.image_record("films", n) for n in range(3)], other)
    parts = [kit.image_record("parts", n, caption=None, body_part="hand" if n % 2 else "wrist")
             for n in range(5)]  # fmt: skip
    kit.publish(folder, "parts", parts)
    asked = [kit.text_record("asked", n) for n in range(4)]
    kit.publish(folder, "asked", [
        *asked, kit.text_record("asked", 4, language="zh", question="胸痛应做什么检查？"),
        kit.text_record("asked", 5, language="zh", question="What is 高血压？"),
    ])  # fmt: skip
    kit.publish(folder, "foreign", [kit.text_record("foreign", n) for n in range(3)], other)
    encoders = QueryEncoders(kit.loader(kit.HashEncoder(), other), kit.decode_grey)
    retriever = Retriever(IndexSet(folder), encoders)
    return lambda source, **options: retriever.search(Query(source=source, k=60, **options))


@pytest.mark.parametrize(("target", "source", "options"), [
    ("images", RecordSource("scans/train/1"), {}),
    ("images", RecordSource("ct/train/1"), {"windows": ("lung",)}),
    ("images", ImageSource(b"grey 1 lung=1"), {}),
    ("images", TextSource("grey 3"), {}),
    ("images", TextSource("grey 3"), ALONE),
    ("images", TextSource("grey 3"), BY_WORDS),
    ("images", TextSource("grey 3"), {"windows": ("bone",)}),
    ("images", TextSource("hand"), STATED),
    ("images", StudySource("study", "study0"), {"group_by": "study", "group_size": 20}),
    ("images", StudySource("study", "study0"),
     {"group_by": "study", "group_size": 20, "windows": ("lung",)}),
    ("questions", RecordSource("asked/train/1"), {}),
    ("questions", RecordSource("asked/train/1"), ALONE),
    ("questions", TextSource("What is gout?"), {}),
    ("questions", TextSource("What is gout?"), ALONE),
    ("questions", TextSource("disease"), BY_WORDS),
    ("questions", TextSource("高血压"), {}),
])  # fmt: skip
def test_what_is_counted_is_what_can_be_found(
    ask: Ask, target: str, source: object, options: Mapping[str, object]
) -> None:
    reply = ask(source, target=target, facets=("dataset", "language"), **options)
    groups = [hit.group for hit in reply.hits if hit.group is not None]
    found = [hit.record for one in groups for hit in one.best] or [one.record for one in reply.hits]
    assert found
    for name, counts in reply.facets.items():
        stated = Counter(getattr(one, name) for one in found)
        assert {one.value: one.records for one in counts} == stated


@pytest.mark.parametrize(("words", "options"), [
    # None of the Chinese questions, which alone are not embedded, is left to be asked about.
    ("What is gout?", {"filters": Comparison("language", "eq", "en")}),
    ("What is gout?", {"exclude_records": frozenset({"asked/train/4", "asked/train/5"})}),
    # Or they share no word.
    ("disease", {}),
])  # fmt: skip
def test_words_are_not_looked_up_where_all_else_is_reached(
    ask: Ask, words: str, options: Mapping[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    searches: list[int] = []
    search = LexicalIndex.search

    def spy(self, words, count, allowed):  # type: ignore[no-untyped-def]
        searches.append(count)
        return search(self, words, count, allowed)

    monkeypatch.setattr(LexicalIndex, "search", spy)
    asked = {"target": "questions", "indexes": ("asked",), **options}
    ask(TextSource(words), **asked)
    without = len(searches)
    reply = ask(TextSource(words), **asked, facets=("language",))
    assert len(searches) == 2 * without
    assert {one.value: one.records for one in reply.facets["language"]}["en"] == 4


def test_not_everything_can_be_found(ask: Ask) -> None:
    """Else the tests above would say nothing."""
    alike = ask(RecordSource("scans/train/1"), target="images", facets=("dataset",))
    assert {one.value: one.records for one in alike.facets["dataset"]} == {
        "ct": 8, "scans": 6, "parts": 5,
    }  # fmt: skip
    assert alike.records_allowed == 22
