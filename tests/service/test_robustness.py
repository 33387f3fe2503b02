"""Nothing that a client sends gives a 500."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

POSTS = [
    "/v1/search/text", "/v1/search/questions", "/v1/search/image", "/v1/prompts",
    "/v1/vector_stores/asked/search", "/v1/embeddings",
]  # fmt: skip
FIELDS = [
    "query", "question", "record_id", "image_base64", "k", "indexes", "filters", "group_by",
    "offset", "mode", "weights", "positive_records", "negative_records", "exclude_same",
    "exclude_datasets", "exclude_splits", "explain", "group_size", "vector",
    "exclude_records", "budget_tokens", "type", "key", "value", "nonsense",
]  # fmt: skip
KEYS = ["modality", "labels", "age_years", "contrast", "case_id", "caption", "nonsense"]
OPS = ["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "and", "or", "like"]

TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["grey 5", "scans/train/5", "asked", "\x00", "\ud800", "\u202e", "脑", "a" * 9000]
    ),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.just(10**400), st.floats(), TEXTS)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3)
    ),
    max_leaves=6,
)
FILTERS = st.recursive(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(OPS),
            "key": st.sampled_from(KEYS),
            "value": st.one_of(SCALARS, st.lists(SCALARS, max_size=3)),
        }
    ),
    lambda inner: st.fixed_dictionaries(
        {"type": st.sampled_from(OPS), "filters": st.lists(inner, max_size=3)}
    ),
    max_leaves=4,
)
BODIES = st.one_of(
    ANYTHING,
    st.fixed_dictionaries(
        {},
        optional={
            "query": TEXTS,
            "question": TEXTS,
            "record_id": TEXTS,
            "image_base64": st.one_of(TEXTS, st.just("Z3JleSA1")),
            "k": st.one_of(st.integers(-2, 300), SCALARS),
            "budget_tokens": st.one_of(st.integers(-2, 5000), SCALARS),
            "indexes": st.one_of(
                st.none(), st.lists(st.sampled_from(["scans", "films", "asked", "x"]), max_size=3)
            ),
            "filters": st.one_of(st.none(), FILTERS),
            "group_by": st.sampled_from(
                [None, "case", "study", "series", "patient", "article", "x"]
            ),
            "exclude_records": st.lists(TEXTS, max_size=2),
            "facets": st.one_of(st.lists(st.sampled_from([*KEYS, "split"]), max_size=3), SCALARS),
            "evidence": st.one_of(st.booleans(), SCALARS),
            "model": st.sampled_from(["hash", "other", None]),
            "input": st.one_of(TEXTS, st.just("data:image/png;base64,Z3JleSA1"), ANYTHING),
            "dimensions": st.one_of(st.just(64), SCALARS),
            "max_num_results": st.one_of(st.integers(-2, 60), SCALARS),
            "ranking_options": st.one_of(
                st.none(), st.fixed_dictionaries({"score_threshold": SCALARS})
            ),
            "exclude_same": st.lists(st.sampled_from(["case", "article", "near_duplicate", "x"])),
            "exclude_splits": st.lists(st.sampled_from(["train", "x"]), max_size=2),
            "exclude_datasets": st.lists(st.sampled_from(["scans", "medqa", "x"]), max_size=2),
            "negative_records": st.lists(st.sampled_from(["scans/train/5", "x"]), max_size=2),
            "positive_records": st.lists(st.sampled_from(["scans/train/5", "x"]), max_size=2),
            "mode": st.sampled_from(["hybrid", "dense", "lexical", "x"]),
            "weights": st.dictionaries(st.sampled_from(["image", "lexical", "x"]), SCALARS),
            "offset": st.one_of(st.integers(-2, 300), SCALARS),
            "group_size": st.integers(-1, 21),
            "explain": st.booleans(),
            "rerank": st.fixed_dictionaries(
                {"encoder": st.sampled_from(["bge-reranker-v2-m3", "x"])},
                optional={"depth": SCALARS, "budget_ms": SCALARS},
            ),
            "vector": st.fixed_dictionaries(
                {
                    "field": st.sampled_from(["image", "question", "x"]),
                    "values": st.lists(st.floats(), min_size=63, max_size=65),
                }
            ),
        },
    ),
)


def send(client: TestClient, path: str, content: bytes, content_type: str) -> None:
    reply = client.post(path, content=content, headers={"content-type": content_type})
    assert reply.status_code in {200, 400, 404, 405, 413, 415, 422}, (path, content, reply.text)
    if reply.status_code != 200:
        error = reply.json()
        assert set(error.get("error", error)) - {"type", "param"} <= {
            "code",
            "message",
            "remedy",
            "details",
        }
        assert "Traceback" not in reply.text


@given(st.sampled_from(POSTS), BODIES)
@settings(max_examples=120, deadline=None)
def test_any_json(client: TestClient, path: str, body: object) -> None:
    send(client, path, json.dumps(body).encode(), "application/json")


@given(st.sampled_from(POSTS), st.fixed_dictionaries({"filters": FILTERS, "k": st.integers(1, 9)}))
@settings(max_examples=80, deadline=None)
def test_any_filter(client: TestClient, path: str, body: dict[str, object]) -> None:
    asked = {"/v1/prompts": "question", "/v1/search/image": "image_base64"}.get(path, "query")
    body |= {asked: "Z3JleSA1"}
    if path == "/v1/prompts":
        body["k"] = 2
    send(client, path, json.dumps(body).encode(), "application/json")


@given(
    st.sampled_from(POSTS),
    st.binary(max_size=200),
    st.sampled_from(["application/json", "multipart/form-data; boundary=x", "text/plain", "x"]),
)
@settings(max_examples=60, deadline=None)
def test_any_bytes(client: TestClient, path: str, content: bytes, content_type: str) -> None:
    send(client, path, content, content_type)


@given(st.binary(max_size=60), st.text(max_size=40))
@settings(max_examples=40, deadline=None)
def test_any_parts_of_a_form(client: TestClient, image: bytes, params: str) -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n' + image
        + b'\r\n--x\r\nContent-Disposition: form-data; name="params"\r\n\r\n'
        + params.encode("utf-8", "surrogatepass") + b"\r\n--x--\r\n"
    )  # fmt: skip
    send(client, "/v1/search/image", body, "multipart/form-data; boundary=x")


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"{" * 100_000,
        b"[" * 100_000,
        b'{"filters":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"query": "\\ud800"}',
        b'{"question": "\\ud800", "record_id": "\\udfff", "image_base64": "\\ud800"}',
        b'{"query": "\xff"}',
        b'{"query": "a", "k": NaN}',
        b'{"query": "a", "k": 1e999}',
        b'{"query": "a", "k": ' + b"9" * 5_000 + b"}",
        b'{"query": "a", "query": "b"}',
        b'\xef\xbb\xbf{"query": "a"}',
        '{"query": "a"}'.encode("utf-16"),
        b'{"query": "a", "filters": {"type": "eq", "key": "age_years", "value": '
        + b"9" * 400
        + b"}}",
    ],
    ids=lambda content: repr(content[:20]),
)
def test_json_at_its_worst(client: TestClient, path: str, content: bytes) -> None:
    send(client, path, content, "application/json")


@given(st.text(max_size=60), st.sampled_from(["", "/thumbnail"]))
@settings(max_examples=60, deadline=None)
def test_any_record_id(client: TestClient, record_id: str, suffix: str) -> None:
    from urllib.parse import quote

    path = quote(record_id.encode("utf-8", "surrogatepass"), safe="/")
    reply = client.get(f"/v1/records/{path}{suffix}", follow_redirects=False)
    assert reply.status_code in {200, 307, 404}


@pytest.mark.parametrize(
    "headers",
    [
        {"content-length": "-1"},
        {"content-length": "abc"},
        {"content-length": "9" * 40},
        {"content-type": "application/json; charset=utf-7"},
        {"accept-encoding": "\x00"},
        {"authorization": "Bearer " + "x" * 5000},
        {"x-request-id": "\r\nset-cookie: a"},
        {"host": "evil\x00"},
    ],
    ids=str,
)
def test_odd_headers(client: TestClient, headers: dict[str, str]) -> None:
    raw = {"content-type": "application/json"} | headers
    reply = client.post("/v1/search/text", content=b'{"query": "grey"}', headers=raw)
    assert reply.status_code in {200, 400, 413, 422}
    assert "set-cookie" not in reply.headers
