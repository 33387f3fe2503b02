"""Starting, watching, publishing while requests are answered, stopping."""

import threading
import time
from pathlib import Path

import pytest
from starlette.testclient import TestClient

QUESTION = {"query": "What is disease 3?", "k": 1}


def wait_for(client: TestClient, path: str, condition) -> dict:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + 30
    while True:
        reply = client.get(path).json()
        if condition(reply):
            return reply
        assert time.monotonic() < deadline, reply
        time.sleep(0.01)


def test_without_an_index_it_is_alive_but_not_ready(tmp_path: Path, kit, serve) -> None:  # type: ignore[no-untyped-def]
    with serve(tmp_path, wait=False) as client:
        assert client.get("/healthz").status_code == 200
        wait_for(client, "/v1/indexes", lambda reply: "indexes" in reply)
        assert client.get("/readyz").status_code == 503
        refused = client.post("/v1/search/questions", json=QUESTION)
        assert refused.status_code == 503
        assert refused.json()["code"] == "not_ready"
        assert "medsearch index" in refused.json()["remedy"]
        assert refused.headers["retry-after"]
        # The first index may come later: it is found without a restart.
        kit.publish(tmp_path, "t", [kit.text_record("t", number) for number in range(5)])
        wait_for(client, "/readyz", lambda reply: reply["ready"])
        assert client.post("/v1/search/questions", json=QUESTION).status_code == 200


def test_where_every_index_is_damaged_the_reply_names_them(
    tmp_path: Path,
    kit,
    serve,  # type: ignore[no-untyped-def]
) -> None:
    kit.publish(tmp_path, "t", [kit.text_record("t", number) for number in range(5)])
    build = (tmp_path / "t" / "CURRENT").read_text().strip()
    (tmp_path / "t" / build / "records.arrow").write_bytes(b"x")
    with serve(tmp_path, wait=False) as client:
        wait_for(client, "/readyz", lambda reply: reply.get("problems"))
        refused = client.post("/v1/search/questions", json=QUESTION)
        assert refused.status_code == 503
        assert "None of the indexes can be opened: t." in refused.json()["message"]
        assert "rollback" in refused.json()["remedy"]


def test_health_answers_while_indexes_are_still_being_opened(indexes_dir: Path) -> None:
    from service.app import create_app
    from service.settings import Settings

    release = threading.Event()

    def slow(settings: object, stack: object) -> None:
        release.wait(30)
        message = "never mind"
        raise RuntimeError(message)

    app = create_app(Settings(indexes_dir=indexes_dir), opener=slow)  # type: ignore[arg-type]
    with TestClient(app) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503
        assert client.get("/metrics").status_code == 200
        for path in ("/v1/indexes", "/v1/records/a/b/c"):
            assert client.get(path).status_code == 503
        assert client.post("/v1/prompts", json={"question": "a"}).status_code == 503
        release.set()


def test_publishing_fails_no_request(tmp_path: Path, kit, serve) -> None:  # type: ignore[no-untyped-def]
    def publish(version: int) -> None:
        records = [kit.text_record("t", n, answer=f"Version {version}.") for n in range(20)]
        kit.publish(tmp_path, "t", records)

    publish(0)
    replies: list[tuple[int, dict]] = []
    with serve(tmp_path) as client:
        stop = threading.Event()

        def ask() -> None:
            while not stop.is_set():
                reply = client.post("/v1/search/questions", json=QUESTION | {"k": 5})
                replies.append((reply.status_code, reply.json()))

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        for version in range(1, 4):
            publish(version)
            build = (tmp_path / "t" / "CURRENT").read_text().strip()
            wait_for(client, "/readyz", lambda reply, b=build: reply["builds"]["t"] == b)
        stop.set()
        for thread in threads:
            thread.join()
        last = client.post("/v1/search/questions", json=QUESTION).json()
    assert {status for status, _ in replies} == {200}
    assert last["hits"][0]["answer"] == "Version 3."
    assert len({reply["builds"]["t"] for _, reply in replies}) > 1
    for _, reply in replies:
        assert len({hit["answer"] for hit in reply["hits"]}) == 1  # one build a reply


def test_a_damaged_build_leaves_the_earlier_one_serving(tmp_path: Path, kit, serve) -> None:  # type: ignore[no-untyped-def]
    kit.publish(tmp_path, "t", [kit.text_record("t", number) for number in range(5)])
    with serve(tmp_path) as client:
        kit.publish(tmp_path, "t", [kit.text_record("t", number) for number in range(6)])
        build = (tmp_path / "t" / "CURRENT").read_text().strip()
        wait_for(client, "/readyz", lambda reply: reply["builds"]["t"] == build)
        (tmp_path / "t" / "CURRENT").write_text("nowhere\n")
        problems = wait_for(client, "/readyz", lambda reply: reply["problems"])["problems"]
        assert problems[0]["index"] == "t"
        assert str(tmp_path) not in str(problems)
        assert client.post("/v1/search/questions", json=QUESTION).status_code == 200


def test_an_index_that_does_not_fit_its_encoder_is_503(tmp_path: Path, kit, serve) -> None:  # type: ignore[no-untyped-def]
    records = [kit.text_record("t", number) for number in range(5)]
    kit.publish(tmp_path, "t", records, kit.HashEncoder("elsewhere"))
    with serve(tmp_path, wait=False) as client:
        wait_for(client, "/readyz", lambda reply: reply["problems"])
        reply = client.post("/v1/search/questions", json=QUESTION)
        assert reply.status_code == 503
        assert "elsewhere" in reply.json()["remedy"]


def test_stopping_ends_the_threads(indexes_dir: Path, serve) -> None:  # type: ignore[no-untyped-def]
    def ours() -> list[str]:
        return [one.name for one in threading.enumerate() if one.name.startswith("medsearch")]

    before = ours()
    with serve(indexes_dir) as client:
        client.post("/v1/search/questions", json=QUESTION)
        assert len(ours()) > len(before)
    assert ours() == before


@pytest.mark.parametrize(
    "module", ["service.app", "service.retrieval.retriever", "service.schemas"]
)
def test_importing_loads_no_model_library(module: str) -> None:
    import subprocess
    import sys

    heavy = ["torch", "faiss", "tantivy", "transformers", "jinja2"]
    program = f"import sys, {module}; print([one for one in {heavy} if one in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
