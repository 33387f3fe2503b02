"""What a client must not send is refused, with the remedy and without repeating it."""

import base64

import pytest
from starlette.testclient import TestClient

from tests.service.asking import refused

SECRET = "Patient Zebulon Quux of 12 Elm Street"


@pytest.mark.parametrize(
    "body",
    [
        {"query": "a", "filters": {"type": "eq", "key": SECRET, "value": "CT"}},
        {"query": "a", "filters": {"type": "eq", "key": "modality", "value": SECRET}},
        {"query": "a", "filters": {"type": SECRET, "key": "modality", "value": "CT"}},
        {"query": "a", "filters": {"type": "eq", "key": "modality", "value": "CT", SECRET: 1}},
        {"query": "a", "filters": {"type": "gt", "key": "age_years", "value": SECRET}},
        {"query": "a", "filters": SECRET},
        {"query": "a", "k": SECRET},
        {"query": "a", "group_by": SECRET},
        {"query": "a", "indexes": [SECRET]},
        {"query": "a", SECRET: 1},
        {"query": [SECRET]},
        {"query": SECRET, "k": 0},
        {"query": SECRET, "k": 201},
        {"query": SECRET * 500},
        {"query": "  "},
        {"query": ""},
        {"query": SECRET, "filter": {}},
        {},
    ],
)
def test_bad_queries_are_refused_without_repeating_them(
    client: TestClient, body: dict[str, object]
) -> None:
    reply = client.post("/v1/search/text", json=body)
    assert reply.status_code == 422
    assert reply.json()["code"] == "bad_query"
    for part in ("Zebulon", "Quux", "Elm"):
        assert part not in reply.text


def test_a_misspelt_field_gets_a_suggestion(client: TestClient) -> None:
    error = refused(client, "/v1/search/text", 422, query="a", filter={})
    assert "Did you mean 'filters'?" in error["details"][0]["problem"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"image_base64": "!!!"}, 422),
        ({"image_base64": base64.b64encode(b"no image").decode()}, 415),
        ({"image_base64": ""}, 415),
        ({"record_id": "no/such/record"}, 404),
        ({"record_id": "../../etc/passwd"}, 404),
        ({"record_id": "a\x00b"}, 422),
        ({"record_id": "asked/train/0"}, 422),
        ({}, 422),
        ({"record_id": "scans/train/5", "image_base64": "aaaa"}, 422),
    ],
)
def test_bad_images(client: TestClient, body: dict[str, object], status: int) -> None:
    refused(client, "/v1/search/image", status, **body)


@pytest.mark.parametrize(
    ("files", "form", "status"),
    [
        ({"file": ("a", b"no image")}, {}, 415),
        ({"file": ("a", b"")}, {}, 415),
        ({"other": ("a", b"grey 1")}, {}, 422),
        ({"file": ("a", b"grey 1"), "params": ("p", b"{}")}, {}, 422),
        ({"params": ("p", b"{}")}, {}, 422),
        ({"file": ("a", b"grey 1")}, {"params": "{"}, 422),
        ({"file": ("a", b"grey 1")}, {"params": "[1]"}, 422),
        ({"file": ("a", b"grey 1")}, {"params": '{"k": 1, "record_id": "a"}'}, 422),
        ({"file": ("a", b"grey 1")}, {"params": '{"k": NaN}'}, 422),
        ({"file": ("a", b"grey 1")}, {"extra": "1"}, 422),
        ({"file": ("a", b"grey 1")}, {"params": "{}", "extra": "1"}, 400),
        ({"file": ("a", b"grey 1")}, {"params": " " * 70_000}, 400),
    ],
)
def test_bad_forms(client: TestClient, files: dict, form: dict, status: int) -> None:
    reply = client.post("/v1/search/image", files=files, data=form)
    assert reply.status_code == status, reply.text
    assert set(reply.json()) <= {"code", "message", "remedy", "details"}


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=x",
        "multipart/form-data; boundary=x; charset=idna",
        "multipart/form-data; boundary=x; charset=undefined",
        "multipart/form-data; boundary=" + "x" * 300,
    ],
)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"--x\r\n",
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\ngrey 1',
        b'--x\r\nContent-Disposition: form-data; name="\xff\xfe.."\r\n\r\n\xff\xfe..\r\n--x--\r\n',
        b"\x00\xff" * 50,
    ],
)
def test_broken_forms(client: TestClient, content_type: str, content: bytes) -> None:
    headers = {"content-type": content_type}
    reply = client.post("/v1/search/image", content=content, headers=headers)
    assert reply.status_code in {400, 415, 422}, reply.text


@pytest.mark.parametrize("content_type", ["text/plain", "image/png", "", "application/xml"])
@pytest.mark.parametrize("path", ["/v1/search/text", "/v1/search/image", "/v1/prompts"])
def test_other_content_types_are_refused(client: TestClient, path: str, content_type: str) -> None:
    headers = {"content-type": content_type} if content_type else {}
    reply = client.post(path, content=b'{"query": "a"}', headers=headers)
    assert reply.status_code in {415, 422}
    assert "code" in reply.json()


def test_methods_are_kept(client: TestClient) -> None:
    reply = client.get("/v1/search/text")
    assert reply.status_code == 405
    assert reply.json()["code"] == "method_not_allowed"
