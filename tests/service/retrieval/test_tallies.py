"""Facets and evidence as a search gives them."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TypeAlias

import numpy as np
import pytest

from indexer.errors import QueryError
from indexer.records import ImageRecord
from indexer.store.index_set import IndexSet
from indexer.text.tokenise import tokenise
from service.retrieval.encoding import QueryEncoders
from service.retrieval.filters import Combination, Comparison
from service.retrieval.query import ImageSource, Query, RecordSource, TextSource, VectorSource
from service.retrieval.reply import SearchReply
from service.retrieval.retriever import Retriever

Ask: TypeAlias = Callable[..., SearchReply]
PARTS = ("wrist", "hand", "chest")


def scan(kit: SimpleNamespace, n: int) -> ImageRecord:
    """Case n // 4; each other case is abnormal, those from 5 on state nothing."""
    case = n // 4
    return kit.image_record(
        "scans", n, case_id=f"p{case}", body_part=PARTS[n % 3], split="train" if n % 5 else "test",
        modality="CT" if n % 2 else "MR", caption=f"{PARTS[n % 3]} grey {n}",
        labels=() if case > 4 else ("abnormal" if case % 2 else "normal",),
    )  # fmt: skip


@pytest.fixture(scope="module")
def records(kit: SimpleNamespace) -> list[ImageRecord]:
    return [scan(kit, n) for n in range(24)]


@pytest.fixture(scope="module")
def ask(
    tmp_path_factory: pytest.TempPathFactory, kit: SimpleNamespace, records: list[ImageRecord]
) -> Ask:
    folder = tmp_path_factory.mktemp("tallied")
    kit.publish(folder, "scans", records)
    kit.publish(folder, "asked", [kit.text_record("asked", n) for n in range(4)])
    encoders = QueryEncoders(kit.loader(kit.HashEncoder()), kit.decode_grey)
    retriever = Retriever(IndexSet(folder), encoders)

    def run(source: object, target: str = "images", **options: object) -> SearchReply:
        return retriever.search(Query(target=target, source=source, **options))

    return run


def counted(reply: SearchReply, name: str) -> Mapping[object, int]:
    return {one.value: one.records for one in reply.facets[name]}


def test_facets_count_everything_that_the_filters_leave(
    ask: Ask, records: list[ImageRecord]
) -> None:
    reply = ask(
        ImageSource(b"grey 3"), facets=("modality", "labels"), k=1,
        filters=Comparison("body_part", "eq", "hand"), exclude_splits=frozenset({"test"}),
    )  # fmt: skip
    left = [one for one in records if one.body_part == "hand" and one.split != "test"]
    assert counted(reply, "modality") == Counter(one.modality for one in left)
    assert counted(reply, "labels") == Counter(label for one in left for label in one.labels)
    assert sum(counted(reply, "modality").values()) == reply.records_allowed
    assert "counts" in reply.stages_ms
    assert ask(ImageSource(b"grey 3")).facets == {}


def test_a_field_that_is_filtered_by_shows_what_else_there_is(
    ask: Ask, records: list[ImageRecord]
) -> None:
    chosen = Combination(
        "and", (Comparison("modality", "eq", "CT"), Comparison("body_part", "in", ("hand",)))
    )
    reply = ask(TextSource("grey"), facets=("modality", "body_part", "split"), filters=chosen)
    hands = [one for one in records if one.body_part == "hand"]
    scans = [one for one in records if one.modality == "CT"]
    assert counted(reply, "modality") == Counter(one.modality for one in hands)
    assert counted(reply, "body_part") == Counter(one.body_part for one in scans)
    assert reply.records_allowed == sum(one.modality == "CT" for one in hands)


@pytest.mark.parametrize("weights", [None, {"image": 0.0}])
@pytest.mark.parametrize("words", ["X-ray", "hand", "knee X-ray", "ultrasound"])
def test_a_filtered_field_shows_what_else_is_stated_of_pictures_without_captions(
    tmp_path: Path, kit: SimpleNamespace, words: str, weights: Mapping[str, float] | None
) -> None:
    """What the filter says of the field is left out, for what is stated, too."""
    parts = [
        kit.image_record(
            "parts", n, caption=None, modality="X-ray", body_part=("hand", "wrist", "knee")[n % 3]
        )
        for n in range(20)
    ]
    kit.publish(tmp_path, "parts", parts)
    encoders = QueryEncoders(kit.loader(kit.HashEncoder()), kit.decode_grey)
    retriever = Retriever(IndexSet(tmp_path), encoders)
    open_query = Query(
        target="images", source=TextSource(words), k=30, weights=weights, facets=("body_part",)
    )
    everything = counted(retriever.search(open_query), "body_part")
    narrow = replace(open_query, filters=Comparison("body_part", "eq", "hand"))
    assert counted(retriever.search(narrow), "body_part") == everything


def test_an_excluded_split_stays_excluded_where_splits_are_counted(ask: Ask) -> None:
    reply = ask(TextSource("a"), facets=("split",), exclude_splits=frozenset({"test"}))
    assert set(counted(reply, "split")) == {"train"}


@pytest.mark.parametrize("words", ["wrist", "wrist hand", "nothing of this"])
def test_where_only_words_vote_what_shares_none_is_not_counted(
    ask: Ask, records: list[ImageRecord], words: str
) -> None:
    reply = ask(TextSource(words), facets=("body_part", "modality"), mode="lexical", k=30)
    said = set(tokenise(words))
    left = [one for one in records if said & set(tokenise(one.caption))]
    assert counted(reply, "modality") == Counter(one.modality for one in left)
    assert counted(reply, "body_part") == Counter(one.body_part for one in left)
    assert len(left) == len(reply.hits)


EXCLUDED = [
    {"exclude_records": frozenset({"scans/train/2", "scans/train/5", "asked/train/1"})},
    {"exclude_same": frozenset({"case"})},
    {"exclude_same": frozenset({"near_duplicate"}), "unlike": ("scans/train/9",)},
    {"exclude_same": frozenset({"case"}), "exclude_records": frozenset({"scans/train/5"}),
     "exclude_splits": frozenset({"test"}), "filters": Comparison("modality", "eq", "CT")},
]  # fmt: skip


@pytest.mark.parametrize("grouped", [{}, {"group_by": "case", "group_size": 4}])
@pytest.mark.parametrize("options", EXCLUDED)
def test_what_is_excluded_is_not_counted(
    ask: Ask, grouped: Mapping[str, object], options: Mapping[str, object]
) -> None:
    reply = ask(RecordSource("scans/train/3"), facets=("body_part", "labels"), k=40,
                **grouped, **options)  # fmt: skip
    groups = [hit.group for hit in reply.hits if hit.group is not None]
    found = [hit.record for one in groups for hit in one.best] or [one.record for one in reply.hits]
    assert counted(reply, "body_part") == Counter(one.body_part for one in found)
    assert counted(reply, "labels") == Counter(label for one in found for label in one.labels)
    assert len(found) == reply.records_allowed < 24


def test_what_is_excluded_stays_so_where_only_words_vote(ask: Ask) -> None:
    reply = ask(TextSource("wrist"), facets=("body_part",), mode="lexical", k=30,
                exclude_records=frozenset({"scans/train/0", "scans/train/1"}))  # fmt: skip
    assert counted(reply, "body_part") == {"wrist": 7} == {"wrist": len(reply.hits)}
    assert reply.records_allowed == 22


def test_a_field_that_cannot_be_counted_is_refused(ask: Ask) -> None:
    with pytest.raises(QueryError, match=r"A facet names a field.*Fields: .*modality"):
        ask(TextSource("a"), facets=("calculator",))
    assert ask(TextSource("What"), "questions", facets=("calculator",)).facets == {"calculator": ()}


def test_evidence_is_that_of_the_nearest_cases_whatever_page_is_shown(ask: Ask) -> None:
    """Of six cases five state a label: 0, 2 and 4 normal, 1 and 3 abnormal; 0 is the image's."""
    pages = [
        {"k": 3}, {"k": 1, "offset": 5}, {"k": 3, "group_by": "case", "group_size": 2},
    ]  # fmt: skip
    replies = [ask(ImageSource(b"grey 3"), evidence=True, **page).evidence for page in pages]
    assert replies[0] == replies[1] == replies[2]
    assert replies[0] is not None
    told = {one.label: (one.cases, one.of, one.base_rate) for one in replies[0]}
    assert told == {"normal": (2, 4, 0.5), "abnormal": (2, 4, 0.5)}


@pytest.mark.parametrize("source", [RecordSource("scans/train/1"), ImageSource(b"grey 1")])
def test_the_querys_own_case_counts_nowhere(ask: Ask, source: object) -> None:
    """Nor does the case of an indexed image that shows the same picture as an uploaded one."""
    reply = ask(source, evidence=True, k=2)
    assert reply.evidence is not None
    told = {one.label: (one.cases, one.of, one.base_rate) for one in reply.evidence}
    assert told == {"normal": (2, 4, 0.5), "abnormal": (2, 4, 0.5)}


def test_cases_that_filters_leave_out_count_nowhere(ask: Ask) -> None:
    only = Comparison("case_id", "in", ("p0", "p1", "p2"))
    reply = ask(ImageSource(b"grey 23"), evidence=True, filters=only)
    assert reply.evidence is not None
    told = {one.label: (one.cases, one.of, one.base_rate) for one in reply.evidence}
    assert told == {"normal": (2, 3, pytest.approx(2 / 3))}


def test_what_excluded_records_state_counts_nowhere(
    tmp_path: Path, kit: SimpleNamespace, records: list[ImageRecord]
) -> None:
    """Of four pictures of each case the first alone is labelled."""
    told = [replace(one, labels=("odd",) if n % 4 == 0 else ()) for n, one in enumerate(records)]
    kit.publish(tmp_path, "scans", told)
    retriever = Retriever(IndexSet(tmp_path), QueryEncoders(kit.loader(), kit.decode_grey))
    query = Query(target="images", source=VectorSource("image", np.ones(64, np.float32)),
                  evidence=True)  # fmt: skip
    [odd] = retriever.search(query).evidence
    assert (odd.cases, odd.of) == (6, 6)
    hidden = frozenset(one.record_id for one in told[:8:4])
    [odd] = retriever.search(replace(query, exclude_records=hidden)).evidence
    assert (odd.cases, odd.of) == (4, 4)


def test_an_embedding_comes_from_no_case(ask: Ask) -> None:
    reply = ask(VectorSource("image", np.ones(64, np.float32)), evidence=True)
    assert reply.evidence is not None
    assert {one.label: one.of for one in reply.evidence} == {"normal": 5, "abnormal": 5}


@pytest.mark.parametrize(("target", "source"), [
    ("images", TextSource("grey 3")), ("questions", RecordSource("asked/train/1")),
])  # fmt: skip
def test_words_have_no_nearest_cases(ask: Ask, target: str, source: object) -> None:
    with pytest.raises(QueryError, match="evidence from the nearest cases"):
        ask(source, target, evidence=True)
    assert ask(source, target).evidence is None
