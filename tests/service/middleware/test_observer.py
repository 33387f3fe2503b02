import logging

import pytest
from starlette.testclient import TestClient

SECRET = "zebulonquux"


def test_replies_carry_security_headers_and_an_id(client: TestClient) -> None:
    for path in ("/healthz", "/v1/nowhere", "/v1/search/text"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert len(headers["x-request-id"]) == 32
    assert "content-security-policy" not in client.get("/docs").headers
    assert "private" in client.get("/v1/records/scans/train/5/thumbnail").headers["cache-control"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [("abc-12345", True), ("", False), ("a b", False), ("x" * 65, False), ("é" * 9, False)],
)
def test_a_request_id_is_kept_if_it_is_harmless(client: TestClient, given: str, kept: bool) -> None:
    reply = client.get("/healthz", headers={"x-request-id": given.encode()})
    assert (reply.headers["x-request-id"] == given) is kept


def test_logs_hold_no_words_of_the_client(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client.post("/v1/search/text", json={"query": SECRET})
    client.post("/v1/search/text", json={SECRET: 1})
    client.post("/v1/search/image", files={"file": (SECRET, SECRET.encode())})
    client.get(f"/v1/records/{SECRET}/a/b?q={SECRET}")
    client.request(SECRET.upper(), f"/{SECRET}", headers={SECRET: SECRET})
    ours = [record for record in caplog.records if record.name.startswith("medsearch")]
    assert len(ours) == 5
    assert all(SECRET not in record.getMessage().casefold() for record in ours)
    assert "POST /v1/search/text 200" in ours[0].getMessage()


def test_an_unexpected_error_tells_nothing(
    indexes_dir, serve, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    with serve(indexes_dir) as client:

        def explode(*_: object) -> None:
            raise RuntimeError(SECRET)

        monkeypatch.setattr(client.app.state.service.opened.retriever, "search", explode)
        reply = client.post("/v1/search/text", json={"query": SECRET})
        assert reply.status_code == 500
        assert reply.json()["code"] == "internal"
        assert SECRET not in reply.text + caplog.text
        assert "RuntimeError in explode" in caplog.text
        assert "Traceback" not in caplog.text
