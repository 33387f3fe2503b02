"""Searches over HTTP that cannot be answered as they are asked."""

import pytest
from starlette.testclient import TestClient

from tests.service.asking import post, refused

HUGE = 10**299


@pytest.mark.parametrize(
    "chosen",
    [
        {"type": "gt", "key": "age_years", "value": HUGE},
        {"type": "lt", "key": "age_years", "value": -HUGE},
        {"type": "eq", "key": "age_years", "value": 2**64},
        {"type": "in", "key": "age_years", "value": [41, 2**64]},
    ],
)
def test_a_number_that_cannot_be_answered_is_the_clients_mistake(
    client: TestClient, chosen: dict[str, object]
) -> None:
    either = {"type": "or", "filters": [chosen, {"type": "eq", "key": "age_years", "value": 41}]}
    for filters in (chosen, either):
        error = refused(client, "/v1/search/text", 422, query="grey", filters=filters)
        assert error["code"] == "bad_query"
        assert "age_years" in error["message"]


@pytest.mark.parametrize("weight", [1e308, 5e-324, -1])
def test_weights_that_make_no_scores_are_refused(client: TestClient, weight: float) -> None:
    weights = dict.fromkeys(("image", "caption", "lexical"), weight)
    error = refused(client, "/v1/search/text", 422, query="grey 3", weights=weights)
    assert error["code"] == "bad_query"


def test_where_all_is_excluded_the_reply_says_so(client: TestClient) -> None:
    reply = post(
        client, "/v1/search/text", query="grey 3", exclude_datasets=["scans", "films"],
        exclude_splits=["train"], facets=["modality"],
        filters={"type": "eq", "key": "modality", "value": "CT"},
    )  # fmt: skip
    assert (reply["hits"], reply["facets"]) == ([], {"modality": []})
    assert "exclude_datasets" in reply["notes"][-1]["message"]


@pytest.mark.parametrize("length", [1e30, 1e-30])
def test_the_length_of_an_embedding_does_not_matter(client: TestClient, length: float) -> None:
    sent = [{"field": "image", "values": [one] * 64} for one in (1.0, length)]
    plain, scaled = (post(client, "/v1/search/image", vector=vector) for vector in sent)
    assert [hit["record_id"] for hit in scaled["hits"]] == [
        hit["record_id"] for hit in plain["hits"]
    ]
