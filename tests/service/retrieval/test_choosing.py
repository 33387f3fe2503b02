"""Pages that follow on each other, and the members of groups."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.errors import QueryError
from service.opening import Opened
from service.retrieval.filters import Comparison
from service.retrieval.query import ImageSource, Query, RecordSource, TextSource
from service.retrieval.reply import SearchReply

Ask = Callable[..., SearchReply]

SOURCES = (TextSource("grey 3"), ImageSource(b"grey 3"), RecordSource("scans/train/5"))
GROUPINGS = st.sampled_from([None, "case", "study", "series", "patient", "article"])


def ids(reply: SearchReply) -> list[str]:
    return [hit.record.record_id for hit in reply.hits]


@pytest.fixture
def ask(opened: Opened) -> Ask:
    return lambda source, **options: opened.retriever.search(
        Query(target="images", source=source, **options)
    )


# The indexes are only read.
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(SOURCES), st.integers(1, 9), GROUPINGS, st.sampled_from(["hybrid", "dense"]))
def test_pages_neither_overlap_nor_skip(
    opened: Opened, source: object, k: int, by: str, mode: str
) -> None:
    pages, ranks = [], []
    for offset in range(0, 40, k):
        query = Query(
            target="images", source=source, k=k, offset=offset, group_by=by, mode=mode,
            filters=Comparison("dataset", "eq", "scans"),
        )  # fmt: skip
        reply = opened.retriever.search(query)
        pages += ids(reply)
        ranks += [hit.rank for hit in reply.hits]
    whole = Query(
        target="images", source=source, k=40, group_by=by, mode=mode,
        filters=Comparison("dataset", "eq", "scans"),
    )  # fmt: skip
    assert len(pages) == len(set(pages))
    assert set(pages) == set(ids(opened.retriever.search(whole)))
    assert ranks == list(range(1, len(pages) + 1))


def test_scores_never_rise_down_the_pages(ask: Ask) -> None:
    scores = [
        hit.score
        for offset in range(0, 30, 2)
        for hit in ask(TextSource("grey 3"), k=2, offset=offset).hits
    ]
    assert len(scores) == 30
    assert scores == sorted(scores, reverse=True)


def test_past_the_end_is_empty_and_says_so(ask: Ask) -> None:
    reply = ask(TextSource("grey 3"), k=5, offset=300)
    assert reply.hits == ()
    assert [note.code for note in reply.notes] == ["empty"]
    assert "30 hits in all" in reply.notes[0].message


@pytest.mark.parametrize(
    "options", [{"k": 0}, {"offset": -1}, {"group_size": 0}, {"group_size": 2}]
)
def test_impossible_extents_are_refused(ask: Ask, options: dict[str, int]) -> None:
    with pytest.raises(QueryError):
        ask(TextSource("grey 3"), **options)


def test_a_group_lists_its_best_members(ask: Ask) -> None:
    everything = ask(ImageSource(b"grey 5"), k=30, indexes=("scans",))
    reply = ask(ImageSource(b"grey 5"), k=2, indexes=("scans",), group_by="case", group_size=3)
    for hit in reply.hits:
        assert hit.group is not None
        of_case = [
            one.record.record_id
            for one in everything.hits
            if one.record.case_id == hit.group.group_id
        ]
        assert [one.record.record_id for one in hit.group.best] == of_case[:3]
        assert [one.rank for one in hit.group.best] == [1, 2, 3]
        assert all(one.why for one in hit.group.best)


def test_members_that_rank_far_below_are_still_found(tmp_path, kit) -> None:  # type: ignore[no-untyped-def]
    from indexer.store.index_set import IndexSet
    from service.opening import assemble
    from service.retrieval.encoding import QueryEncoders

    near = [kit.image_record("ct", n, case_id=f"near{n}", caption=None) for n in range(120)]
    far = [kit.image_record("ct", n, case_id="near0", caption=None) for n in range(120, 123)]
    kit.publish(tmp_path, "ct", near + far, greys=[1] * 120 + [7, 8, 9])
    opened = assemble(
        IndexSet(tmp_path), QueryEncoders(kit.loader(kit.HashEncoder()), kit.decode_grey)
    )
    query = Query(
        target="images", source=ImageSource(b"grey 1"), k=1, group_by="case", group_size=4
    )
    [hit] = opened.retriever.search(query).hits
    assert hit.group is not None
    assert (hit.group.group_id, hit.group.records) == ("near0", 4)
    assert {one.record.record_id for one in hit.group.best} == {
        "ct/train/0", "ct/train/120", "ct/train/121", "ct/train/122",
    }  # fmt: skip
    scores = [one.score for one in hit.group.best]
    assert scores == sorted(scores, reverse=True)


def test_the_plan_names_every_ranking(ask: Ask) -> None:
    reply = ask(TextSource("grey 31"), k=3)
    assert {leg.name for leg in reply.legs} == {"image", "caption", "lexical"}
    for leg in reply.legs:
        assert leg.exact  # small indexes are searched in full
        assert leg.depth == 30
        assert leg.took_ms >= 0
    by_name = {leg.name: leg for leg in reply.legs}
    assert by_name["image"].scanned == 30
    assert by_name["caption"].scanned == 29
    narrowed = ask(TextSource("grey 31"), k=3, filters=Comparison("modality", "eq", "XR"))
    assert {leg.scanned for leg in narrowed.legs if leg.name == "image"} == {6}
    assert (reply.records_allowed, narrowed.records_allowed) == (30, 6)


def test_what_contradicts_the_words_stands_behind(tmp_path, kit) -> None:  # type: ignore[no-untyped-def]
    from indexer.store.index_set import IndexSet
    from service.opening import assemble
    from service.retrieval.encoding import QueryEncoders

    captions = ["No pleural effusion.", "Large pleural effusion.", "Pleural effusion, small."]
    records = [kit.image_record("films", n, caption=one) for n, one in enumerate(captions)]
    kit.publish(tmp_path, "films", records)
    opened = assemble(IndexSet(tmp_path), QueryEncoders(kit.loader(kit.HashEncoder())))

    def found(words: str) -> list[tuple[str, bool]]:
        query = Query(target="images", source=TextSource(words))
        hits = opened.retriever.search(query).hits
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        return [(hit.record.source_id, hit.contradicts) for hit in hits]

    query = Query(target="images", source=TextSource("no pleural effusion"), mode="lexical", k=1)
    [first] = opened.retriever.search(query).hits
    assert (first.record.source_id, first.contradicts) == ("0", False)
    opposite = replace(query, source=TextSource("pleural effusion"))
    pages = [opened.retriever.search(replace(opposite, offset=page)).hits for page in range(4)]
    assert [[hit.contradicts for hit in page] for page in pages] == [[False], [False], [True], []]
    present = found("pleural effusion")
    assert present[-1] == ("0", True)
    assert not any(contradicts for _, contradicts in present[:-1])
    absent = found("no pleural effusion")
    assert absent[0] == ("0", False)
    assert all(contradicts for _, contradicts in absent[1:])


def test_cases_that_contradict_stand_behind_whatever_the_first_case_holds(tmp_path, kit) -> None:  # type: ignore[no-untyped-def]
    from indexer.store.index_set import IndexSet
    from service.opening import assemble
    from service.retrieval.encoding import QueryEncoders

    stated = {
        "large": ["Large pleural effusion."] * 3,
        "none": ["No pleural effusion."],
        "small": ["A pleural effusion beside a heart that is not enlarged, in an adult."],
    }
    records = [
        kit.image_record("films", 10 * place + number, case_id=case, caption=caption)
        for place, (case, captions) in enumerate(stated.items())
        for number, caption in enumerate(captions)
    ]
    kit.publish(tmp_path, "films", records)
    opened = assemble(IndexSet(tmp_path), QueryEncoders(kit.loader(kit.HashEncoder())))

    def cases(**options: object) -> list[str]:
        query = Query(
            target="images", source=TextSource("pleural effusion"), mode="lexical", **options
        )
        return [hit.record.case_id for hit in opened.retriever.search(query).hits]

    assert cases(k=5) == [*["large"] * 3, "small", "none"]
    assert cases(k=2, group_by="case") == ["large", "small"]
    assert cases(k=2, group_by="case", group_size=2) == ["large", "small"]


@pytest.mark.parametrize("by", [None, "case"])
@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
@pytest.mark.parametrize("k", [1, 2, 5])
def test_pages_of_a_query_that_some_contradict_follow_on_each_other(
    tmp_path, kit, by: str, mode: str, k: int
) -> None:  # type: ignore[no-untyped-def]
    from indexer.store.index_set import IndexSet
    from service.opening import assemble
    from service.retrieval.encoding import QueryEncoders

    told = ("No pleural effusion.", "Large pleural effusion.", "Pleural effusion, and no mass.")
    records = [
        kit.image_record("films", n, case_id=f"case{n // 2}", caption=f"{told[n % 3]} Film {n}.")
        for n in range(18)
    ]
    kit.publish(tmp_path, "films", records)
    opened = assemble(IndexSet(tmp_path), QueryEncoders(kit.loader(kit.HashEncoder())))
    query = Query(
        target="images", source=TextSource("pleural effusion"), mode=mode, k=k, group_by=by
    )
    pages = [
        opened.retriever.search(replace(query, offset=offset)).hits for offset in range(0, 24, k)
    ]
    found = [hit.record.case_id if by else hit.record.record_id for page in pages for hit in page]
    assert len(found) == len(set(found)) == (9 if by else 18)
    scores = [hit.score for page in pages for hit in page]
    assert scores == sorted(scores, reverse=True)
    whole = opened.retriever.search(replace(query, k=24)).hits
    denied = [hit.contradicts for page in pages for hit in page]
    assert denied == sorted(denied)
    assert denied == [hit.contradicts for hit in whole]
