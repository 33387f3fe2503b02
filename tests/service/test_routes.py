"""Every route, as a client meets it."""

import base64
import json

import pytest
from starlette.testclient import TestClient

from service.reply_schemas import (
    IndexesReply,
    IndexReply,
    PreviewReply,
    ReadyReply,
    RecordReply,
    SearchReplyBody,
)
from service.reply_schemas_prompts import PromptReply
from tests.service.asking import post, refused


def test_words_find_images(client: TestClient) -> None:
    reply = post(client, "/v1/search/text", query="grey 31", k=2)
    SearchReplyBody.model_validate(reply, strict=True)
    hit = reply["hits"][0]
    assert hit["record_id"] == "films/train/31"
    assert hit["thumbnail_url"] == "/v1/records/films/train/31/thumbnail"
    assert reply["query"] == {
        "kind": "text", "target": "images", "k": 2, "offset": 0, "mode": "hybrid",
        "group_by": "case",
    }  # fmt: skip
    assert set(reply["builds"]) == {"films", "scans"}
    assert "diagnostic" in reply["disclaimer"]
    assert set(hit["why"]) == {"image", "caption", "lexical"}


def test_an_upload_finds_itself_with_options(client: TestClient) -> None:
    reply = client.post(
        "/v1/search/image",
        files={"file": ("x.png", b"grey 5", "image/png")},
        data={"params": json.dumps({"k": 2, "group_by": "case", "indexes": ["scans"]})},
    )
    assert reply.status_code == 200, reply.text
    SearchReplyBody.model_validate(reply.json(), strict=True)
    first = reply.json()["hits"][0]
    assert first["record_id"] == "scans/train/5"
    assert first["group"] == {"by": "case", "id": "patient1", "records": 4, "hits": []}
    assert len(reply.json()["hits"]) == 2


def test_facets_evidence_and_a_receipt_come_with_the_hits(client: TestClient) -> None:
    reply = post(
        client, "/v1/search/image", record_id="scans/train/5", k=1, evidence=True,
        facets=["modality", "contrast"], filters={"type": "eq", "key": "modality", "value": "CT"},
    )  # fmt: skip
    SearchReplyBody.model_validate(reply, strict=True)
    assert reply["facets"] == {
        "modality": [
            {"value": "CT", "records": 12}, {"value": "MR", "records": 12},
            {"value": "XR", "records": 6},
        ],
        "contrast": [{"value": True, "records": 12}],
    }  # fmt: skip
    [odd] = reply["evidence"]
    assert (odd["label"], odd["cases"], odd["of"], odd["base_rate"]) == ("odd", 5, 5, 1.0)
    assert reply["receipt"]["builds"] == reply["builds"]
    assert reply["receipt"]["query"]["source"] == {"kind": "record", "record_id": "scans/train/5"}
    plain = post(client, "/v1/search/text", query="grey 31")
    assert (plain["facets"], plain["evidence"]) == ({}, None)
    for bad in ({"facets": ["calculator"]}, {"facets": ["case_id"]}, {"evidence": True}):
        error = refused(client, "/v1/search/text", 422, query="grey 31", **bad)
        assert error["remedy"]


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
def test_base64_and_a_record_id_find_the_same(client: TestClient, prefix: str) -> None:
    encoded = prefix + base64.b64encode(b"grey 5").decode()
    by_image = post(client, "/v1/search/image", image_base64=encoded)
    by_record = post(client, "/v1/search/image", record_id="scans/train/5")
    assert by_image["hits"] == by_record["hits"]


def test_questions_come_with_answers(client: TestClient) -> None:
    reply = post(client, "/v1/search/questions", query="How is anaphylaxis treated first?", k=1)
    SearchReplyBody.model_validate(reply, strict=True)
    hit = reply["hits"][0]
    assert hit["answer"] == "With adrenaline into the thigh."
    assert hit["options"][0] == {"key": "A", "text": "Adrenaline"}
    assert hit["answer_keys"] == ["A"]


def test_chinese_questions_are_answered_with_a_note(client: TestClient) -> None:
    reply = post(client, "/v1/search/questions", query="胸痛伴出汗应首先做什么检查？")
    assert reply["hits"][0]["record_id"] == "gefragt/train/0"
    assert reply["notes"][0]["code"] == "language"


def test_a_prompt_with_an_image(client: TestClient) -> None:
    reply = post(
        client,
        "/v1/prompts",
        question="How is anaphylaxis treated first?",
        record_id="films/train/31",
        budget_tokens=900,
    )
    PromptReply.model_validate(reply, strict=True)
    assert reply["tokens"] <= 900
    cited = [citation["record_id"] for citation in reply["citations"]]
    assert "asked/train/0" in cited
    assert "films/train/31" in cited
    assert [citation["number"] for citation in reply["citations"]] == [*range(1, len(cited) + 1)]
    assert reply["text"] == "\n\n".join(one["content"] for one in reply["messages"])


def test_a_budget_below_the_least_says_the_least(client: TestClient) -> None:
    error = refused(client, "/v1/prompts", 422, question="Fever?", budget_tokens=50)
    least = int("".join(filter(str.isdigit, error["remedy"])))
    assert post(client, "/v1/prompts", question="Fever?", budget_tokens=least)["tokens"] <= least
    refused(client, "/v1/prompts", 422, question="Fever?", budget_tokens=least - 1)


def test_records_and_thumbnails(client: TestClient) -> None:
    record = client.get("/v1/records/scans/train/5")
    RecordReply.model_validate(record.json(), strict=True)
    assert record.json()["slice_number"] == 5
    thumbnail = client.get("/v1/records/scans/train/5/thumbnail")
    assert thumbnail.headers["content-type"] == "image/jpeg"
    assert thumbnail.content.startswith(b"\xff\xd8")
    assert client.get("/v1/records/scans%2Ftrain%2F5").json() == record.json()


@pytest.mark.parametrize(
    "path",
    [
        "/v1/records/scans/train/999",
        "/v1/records/asked/train/0/thumbnail",  # a question has no image
        "/v1/records/../../etc/passwd",
        "/v1/records/..%2f..%2fetc%2fpasswd",
        "/v1/records/a%00b/c/d",
        "/v1/records/\ud55c/\U0001f600/%ff",
        "/v1/records/a/b/c/d/e",
        "/v1/records/",
        "/v1/indexes/nowhere",
        "/v1/nowhere",
    ],
)
def test_what_is_not_there_is_404(client: TestClient, path: str) -> None:
    reply = client.get(path)
    assert reply.status_code == 404
    assert set(reply.json()) == {"code", "message", "remedy"}


def test_a_record_may_be_called_thumbnail(tmp_path, kit, serve) -> None:  # type: ignore[no-untyped-def]
    kit.publish(tmp_path, "t", [kit.image_record("t", 1, record_id="t/train/thumbnail")])
    with serve(tmp_path) as client:
        assert client.get("/v1/records/t/train/thumbnail").json()["record_id"] == (
            "t/train/thumbnail"
        )
        thumbnail = client.get("/v1/records/t/train/thumbnail/thumbnail")
        assert thumbnail.headers["content-type"] == "image/jpeg"


def test_indexes_are_listed(client: TestClient) -> None:
    listed = client.get("/v1/indexes").json()
    IndexesReply.model_validate(listed, strict=True)
    assert [entry["name"] for entry in listed["indexes"]] == ["asked", "films", "gefragt", "scans"]
    scans = client.get("/v1/indexes/scans").json()
    IndexReply.model_validate(scans, strict=True)
    assert scans["records"] == 24
    values = {entry["key"]: entry.get("values") for entry in scans["filter_fields"]}
    assert values["modality"] == ["CT", "MR"]
    assert values["case_id"] is None
    assert "calculator" not in values


def test_an_unknown_index_names_those_that_exist(client: TestClient) -> None:
    error = refused(client, "/v1/search/text", 404, query="a", indexes=["scan"])
    assert "scans" in error["remedy"]


def test_filters(client: TestClient) -> None:
    chosen = {
        "type": "and",
        "filters": [
            {"type": "in", "key": "modality", "value": ["CT", "XR"]},
            {"type": "or", "filters": [
                {"type": "gte", "key": "age_years", "value": 60},
                {"type": "eq", "key": "body_part", "value": "hand"},
            ]},
        ],
    }  # fmt: skip
    reply = post(client, "/v1/search/text", query="grey", k=50, filters=chosen)
    found = {(hit["modality"], (hit["age_years"] or 0) >= 60) for hit in reply["hits"]}
    assert found == {("CT", True), ("XR", False)}


def test_a_counted_year_filters_as_it_was_counted(client: TestClient) -> None:
    reply = post(client, "/v1/search/text", query="grey", facets=["year"])
    [first, *_] = reply["facets"]["year"]
    assert isinstance(first["value"], int)
    chosen = {"type": "eq", "key": "year", "value": first["value"]}
    narrowed = post(client, "/v1/search/text", query="grey", k=50, group_by="none", filters=chosen)
    assert [hit["year"] for hit in narrowed["hits"]] == [first["value"]] * first["records"]


def test_health_and_readiness(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    ready = client.get("/readyz").json()
    ReadyReply.model_validate(ready, strict=True)
    assert ready["ready"] is True
    assert set(ready["builds"]) == {"asked", "films", "gefragt", "scans"}


def test_metrics_count_routes_and_never_words(client: TestClient) -> None:
    post(client, "/v1/search/text", query="zebrafinch")
    client.get("/v1/records/quux/quux/quux")
    client.get("/quux?quux=1")
    text = client.get("/metrics").text
    assert 'route="/v1/search/text",status="200"' in text
    assert 'route="/v1/records/{dataset}/{split}/{native_id}",status="404"' in text
    assert 'route="unmatched"' in text
    assert 'stage="encode"' in text
    assert "medsearch_index_records{" in text
    assert "zebrafinch" not in text
    assert "quux" not in text


def test_an_upload_is_shown_as_it_is_read(client: TestClient) -> None:
    sent = base64.b64encode(b"grey 9").decode()
    reply = post(client, "/v1/previews", image_base64=sent)
    PreviewReply.model_validate(reply, strict=True)
    assert base64.b64decode(reply["slices"][0]["jpeg_base64"]).endswith(b"grey 9")
    lung = post(client, "/v1/previews", image_base64=sent, window="lung")
    assert b"lung" in base64.b64decode(lung["slices"][0]["jpeg_base64"])
    assert refused(client, "/v1/previews", 422, image_base64=sent, window="moon")["details"]
    assert refused(client, "/v1/previews", 415, image_base64="AAAA")["code"]
    assert refused(client, "/v1/previews", 422, image_base64="?")["code"] == "bad_query"


def test_a_series_is_shown_slice_by_slice(client: TestClient) -> None:
    parts = [("file", ("a", b"grey 1 lung=2")), ("file", ("b", b"grey 3"))]
    reply = client.post("/v1/previews", files=parts, data={"params": '{"window": "bone"}'}).json()
    PreviewReply.model_validate(reply, strict=True)
    assert (len(reply["slices"]), reply["images"], reply["windows"]) == (2, 2, ["lung"])
    assert b"bone" in base64.b64decode(reply["slices"][1]["jpeg_base64"])
    assert client.post("/v1/previews", files=parts, data={"params": "{}x"}).status_code == 422
    assert client.post("/v1/previews", content=b"x").status_code == 415


def test_nothing_of_the_server_leaves(client: TestClient, indexes_dir) -> None:  # type: ignore[no-untyped-def]
    bodies = [
        client.post("/v1/search/text", json={"query": "grey", "k": 200}).text,
        client.post("/v1/search/questions", json={"query": "disease", "k": 200}).text,
        client.post("/v1/prompts", json={"question": "disease 3"}).text,
        client.get("/v1/records/scans/train/5").text,
        client.get("/v1/indexes").text,
        client.get("/v1/indexes/scans").text,
        client.get("/readyz").text,
        client.get("/metrics").text,
    ]
    for body in bodies:
        for secret in ("secret", "source_path", "source_line", str(indexes_dir), "rows.csv"):
            assert secret not in body
