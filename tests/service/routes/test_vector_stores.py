"""Indexes as vector stores, asked by OpenAI's own client over a real socket."""

from collections.abc import Iterator

import openai
import pytest
from starlette.testclient import TestClient

from service.reply_schemas_openai import (
    SearchResultsReply,
    VectorStoreReply,
    VectorStoresReply,
)
from service.routes import examples

QUESTION = "How is anaphylaxis treated first?"


@pytest.fixture(scope="module")
def stores(address: str) -> Iterator[openai.resources.VectorStores]:
    with openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client:
        yield client.vector_stores


def test_every_index_is_a_vector_store(stores) -> None:  # type: ignore[no-untyped-def]
    listed = {store.id: store for store in stores.list()}
    assert set(listed) == {"scans", "films", "asked", "gefragt"}
    scans = listed["scans"]
    assert scans == stores.retrieve("scans")
    assert (scans.object, scans.status, scans.name) == ("vector_store", "completed", "scans")
    assert scans.file_counts.completed == scans.file_counts.total == 24
    assert scans.usage_bytes > 24
    assert scans.metadata is not None
    assert scans.metadata["kind"] == "image"


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 3, 4])
def test_pages_neither_overlap_nor_skip(stores, order: str, limit: int) -> None:  # type: ignore[no-untyped-def]
    """The client follows `has_more` and `last_id` by itself."""
    walked = [store.id for store in stores.list(limit=limit, order=order)]
    assert sorted(walked) == ["asked", "films", "gefragt", "scans"]
    other = "desc" if order == "asc" else "asc"
    assert [store.id for store in stores.list(order=other)] == walked[::-1]
    before = stores.list(before=walked[3], limit=2, order=order)
    assert [store.id for store in before.data] == walked[1:3]


def test_a_question_is_answered_with_its_record(stores) -> None:  # type: ignore[no-untyped-def]
    found = stores.search("asked", query=QUESTION, max_num_results=3).data
    assert len(found) == 3
    first = found[0]
    assert first.file_id == "asked/train/0"
    assert first.content[0].type == "text"
    assert "Question: How is anaphylaxis treated first?" in first.content[0].text
    assert "A. Adrenaline" in first.content[0].text
    assert first.attributes["url"] == "/v1/records/asked/train/0"
    assert 0.7 < first.score <= 1
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_images_are_found_by_words_and_filters(stores) -> None:  # type: ignore[no-untyped-def]
    filters = {
        "type": "and",
        "filters": [
            {"type": "eq", "key": "modality", "value": "CT"},
            {"type": "lte", "key": "age_years", "value": 45},
        ],
    }
    found = stores.search("scans", query="grey 5", filters=filters).data
    assert found[0].file_id == "scans/train/5"
    assert found[0].attributes["modality"] == "CT"
    assert {one.attributes["age_years"] for one in found} <= {41.0, 43.0, 45.0}
    assert all(len(one.attributes) <= 16 for one in found)
    assert all(0 <= one.score <= 1 for one in found)


def test_a_threshold_leaves_out_exactly_what_scores_lower(stores) -> None:  # type: ignore[no-untyped-def]
    everything = stores.search("asked", query="What is disease 3?").data
    least = everything[2].score
    kept = stores.search(
        "asked", query="What is disease 3?", ranking_options={"score_threshold": least}
    ).data
    assert kept == [one for one in everything if one.score >= least]
    assert len(kept) < len(everything)


def test_several_queries_give_one_list(stores) -> None:  # type: ignore[no-untyped-def]
    queries = [QUESTION, "What is disease 3?"]
    both = stores.search("asked", query=queries, max_num_results=4)
    assert {one.file_id for one in both.data[:2]} == {"asked/train/0", "asked/train/3"}
    assert len({one.file_id for one in both.data}) == len(both.data) == 4
    assert both.search_query == queries


def test_what_is_accepted_without_effect_is_said(stores) -> None:  # type: ignore[no-untyped-def]
    plain = stores.search("asked", query=QUESTION)
    asked = stores.search(
        "asked", query=QUESTION, rewrite_query=True, ranking_options={"ranker": "none"}
    )
    assert asked.data == plain.data
    assert plain.notes == []
    assert {note["code"] for note in asked.notes} == {"rewrite_query", "ranker"}


def test_errors_are_the_client_s_own_with_message_and_remedy(stores) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(openai.NotFoundError) as missing:
        stores.search("skans", query="x")
    assert missing.value.code == "unknown_name"
    assert "Did you mean 'scans'?" in missing.value.body["message"]
    with pytest.raises(openai.NotFoundError):
        stores.retrieve("nowhere")
    with pytest.raises(openai.UnprocessableEntityError) as invalid:
        stores.search("asked", query="x", max_num_results=51)
    assert invalid.value.param == "max_num_results"
    assert invalid.value.type == "invalid_request_error"
    with pytest.raises(openai.UnprocessableEntityError) as unknown:
        stores.search("asked", query="x", extra_body={"top_k": 3})
    assert "unknown field" in unknown.value.body["message"]
    with pytest.raises(openai.UnprocessableEntityError, match="empty"):
        stores.search("asked", query=["x", "  "])
    with pytest.raises(openai.UnprocessableEntityError, match="limit"):
        stores.list(limit=0)
    with pytest.raises(openai.UnprocessableEntityError, match="No vector store"):
        stores.list(after="nowhere")


def test_replies_have_the_documented_shape(client: TestClient) -> None:
    searched = client.post("/v1/vector_stores/scans/search", json={"query": "grey 5"}).json()
    SearchResultsReply.model_validate(searched, strict=True)
    VectorStoresReply.model_validate(client.get("/v1/vector_stores").json(), strict=True)
    VectorStoreReply.model_validate(client.get("/v1/vector_stores/asked").json(), strict=True)


def test_the_documentation_s_examples_have_that_shape_too() -> None:
    for replies, model in (
        (examples.VECTOR_STORE_REPLY, VectorStoreReply),
        (examples.VECTOR_STORES_REPLY, VectorStoresReply),
    ):
        example = replies[200]["content"]["application/json"]["example"]
        model.model_validate(example, strict=True)
