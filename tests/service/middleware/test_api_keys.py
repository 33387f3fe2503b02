import pytest
from starlette.testclient import TestClient


@pytest.fixture(scope="module")
def locked(indexes_dir, serve):  # type: ignore[no-untyped-def]
    with serve(indexes_dir, api_keys=("key-one", "key-two")) as client:
        yield client


def test_without_a_key_nobody_gets_in(locked: TestClient) -> None:
    reply = locked.get("/v1/indexes")
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == "Bearer"
    assert set(reply.json()) == {"code", "message", "remedy"}


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer key-on"},
        {"x-api-key": "schlüssel"},
    ],
)
def test_a_wrong_key_is_forbidden(locked: TestClient, headers: dict[str, str]) -> None:
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    assert locked.get("/v1/indexes", headers=raw).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [{"authorization": "Bearer key-one"}, {"authorization": "bearer  key-two"},
     {"x-api-key": "key-two"}],
)  # fmt: skip
def test_any_of_the_keys_opens(locked: TestClient, headers: dict[str, str]) -> None:
    assert locked.get("/v1/indexes", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_need_no_key(locked: TestClient, path: str) -> None:
    assert locked.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/", "/web/parts/main.js"])
def test_the_page_comes_without_a_key_so_that_it_can_ask_for_one(
    locked: TestClient, path: str
) -> None:
    assert locked.get(path).status_code == 200


@pytest.mark.parametrize(
    "path", ["/metrics", "/docs", "/openapi.json", "/healthz/", "/web/../v1/indexes", "/webb"]
)
def test_everything_else_does(locked: TestClient, path: str) -> None:
    assert locked.get(path).status_code == 401
