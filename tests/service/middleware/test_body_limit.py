import asyncio
from collections.abc import Iterator

from starlette.testclient import TestClient

LIMIT = 2048


def test_a_stated_length_is_refused_before_a_byte_is_read(indexes_dir, serve) -> None:  # type: ignore[no-untyped-def]
    with serve(indexes_dir, max_body_bytes=LIMIT) as client:
        app = client.app
        sent: list[dict] = []

        async def receive() -> dict:
            message = "the body was read"
            raise AssertionError(message)

        async def send(message: dict) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": "POST", "path": "/v1/search/text", "raw_path": b"/",
            "query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1",
            "headers": [(b"content-length", str(LIMIT + 1).encode())], "app": app,
            "server": ("test", 80), "client": ("test", 1),
        }  # fmt: skip
        asyncio.run(app(scope, receive, send))
        assert sent[0]["status"] == 413


def test_a_body_without_length_is_refused_on_the_way(indexes_dir, serve) -> None:  # type: ignore[no-untyped-def]
    given = 0

    def chunks() -> Iterator[bytes]:
        nonlocal given
        for _ in range(100):
            given += 1
            yield b" " * 512

    with serve(indexes_dir, max_body_bytes=LIMIT) as client:
        for headers in (
            {"content-type": "application/json"},
            {"content-type": "multipart/form-data; boundary=x"},
        ):
            reply = client.post("/v1/search/image", content=chunks(), headers=headers)
            assert reply.status_code == 413
            assert reply.json()["code"] == "too_large"
    del given


def test_the_largest_allowed_body_is_read(client: TestClient, indexes_dir, serve) -> None:  # type: ignore[no-untyped-def]
    body = b'{"query": "grey"}'
    with serve(indexes_dir, max_body_bytes=LIMIT) as small:
        headers = {"content-type": "application/json"}
        fits = small.post("/v1/search/text", content=body.ljust(LIMIT), headers=headers)
        assert fits.status_code == 200
        over = small.post("/v1/search/text", content=body.ljust(LIMIT + 1), headers=headers)
        assert over.status_code == 413
