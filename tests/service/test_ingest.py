import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from service import ingest as ingest_module
from service.ingest import Ingest
from service.settings import Settings

HEADERS = {"authorization": "Bearer key"}
# Stands for `medsearch index pacs`: notes its words and what it reads, says how it ended.
PROGRAM = """
import json, pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
run = len(list(folder.glob("run*")))
(folder / f"run{run}").write_text(json.dumps([sys.argv[2:], sys.stdin.read().split()]))
while (folder / "hold").exists():
    time.sleep(0.01)
error = (folder / "error")
if error.exists():
    error.unlink()
    print(json.dumps({"indexes": [{"index": "pacs", "error": "pacs_unreachable"}], "pacs": None}))
    sys.exit(1)
if (folder / "crash").exists():
    sys.exit(3)
done = {"fetched": 2, "deleted": 1, "stored": 7, "refused": 0}
print(json.dumps({"indexes": [{"index": "pacs", "records": 6}], "pacs": done}))
"""


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Any]]:
    def make(_: Settings) -> Ingest:
        return Ingest([sys.executable, "-c", PROGRAM, str(tmp_path)], retry_s=(0.01,))

    monkeypatch.setattr(ingest_module.Ingest, "from_settings", make)
    return lambda: [json.loads(path.read_text()) for path in sorted(tmp_path.glob("run*"))]


@pytest.fixture
def client(indexes_dir: Path, serve: Any, runs: object) -> Iterator[TestClient]:
    with serve(indexes_dir, api_keys=("key",)) as client:
        client.headers.update(HEADERS)
        yield client


def wait(client: TestClient, number: int, runs: Callable[[], list[Any]]) -> dict[str, Any]:
    """Wait until so many runs have been made and nothing is to be done."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        status = client.get("/v1/ingest").json()
        if status["state"] == "idle" and len(runs()) == number:
            return status
        time.sleep(0.01)
    pytest.fail(f"{status}, {runs()}")


def test_the_first_run_compares_everything(client: TestClient, runs: Any) -> None:
    status = wait(client, 1, runs)
    assert runs() == [[[], []]]
    last = status["last"]
    assert (last["fetched"], last["deleted"], last["stored"], last["records"]) == (2, 1, 7, 6)
    assert last["error"] is None


def test_a_study_is_taken_in_and_its_uid_is_on_no_command_line(
    client: TestClient, runs: Any
) -> None:
    wait(client, 1, runs)
    reply = client.post("/v1/ingest/study", json={"study_uid": "1.2.3"})
    assert reply.status_code == 202
    assert reply.json()["state"] in {"waiting", "running"}
    wait(client, 2, runs)
    assert runs()[1] == [["--only", "-"], ["1.2.3"]]


def test_what_comes_during_a_run_waits_and_goes_together(
    client: TestClient, runs: Any, tmp_path: Path
) -> None:
    wait(client, 1, runs)
    (tmp_path / "hold").touch()
    client.post("/v1/ingest/study", json={"study_uid": "1.1"})
    while len(runs()) < 2:
        time.sleep(0.01)
    for uid in ("1.2", "1.3", "1.2"):
        reply = client.post("/v1/ingest/study", json={"series_uid": uid})
    assert (reply.json()["state"], reply.json()["waiting"]) == ("running", 2)
    # Searching goes on.
    assert client.post("/v1/search/text", json={"query": "grey 3"}).status_code == 200
    (tmp_path / "hold").unlink()
    wait(client, 3, runs)
    assert [uids for _, uids in runs()] == [[], ["1.1"], ["1.2", "1.3"]]


def test_all_is_compared_when_asked(client: TestClient, runs: Any) -> None:
    wait(client, 1, runs)
    assert client.post("/v1/ingest/archive").status_code == 202
    wait(client, 2, runs)
    assert runs()[1] == [[], []]


def test_what_failed_is_tried_again(client: TestClient, runs: Any, tmp_path: Path) -> None:
    wait(client, 1, runs)
    (tmp_path / "error").touch()
    client.post("/v1/ingest/study", json={"study_uid": "1.1"})
    status = wait(client, 3, runs)
    assert [uids for _, uids in runs()] == [[], ["1.1"], ["1.1"]]
    assert status["failures_in_a_row"] == 0


def test_a_crash_is_told(client: TestClient, runs: Any, tmp_path: Path) -> None:
    wait(client, 1, runs)
    (tmp_path / "crash").touch()
    client.post("/v1/ingest/study", json={"study_uid": "1.1"})
    while (last := client.get("/v1/ingest").json()["last"])["error"] is None:
        time.sleep(0.01)
    assert last["error"] == "crashed"
    assert last["records"] is None


@pytest.mark.parametrize(
    "body",
    [{}, {"study_uid": "1.2", "series_uid": "1.3"}, {"study_uid": "1.2; drop"}, {"uid": "1"}],
)
def test_a_body_that_names_no_study_is_refused(client: TestClient, body: dict[str, str]) -> None:
    reply = client.post("/v1/ingest/study", json=body)
    assert reply.status_code == 422
    assert "drop" not in reply.text


def test_without_keys_nothing_is_taken_in(indexes_dir: Path, serve: Any, tmp_path: Path) -> None:
    with serve(indexes_dir, pacs_url="http://127.0.0.1:9/d", pacs_mirror=tmp_path) as client:
        for reply in (
            client.post("/v1/ingest/study", json={"study_uid": "1.2"}),
            client.get("/v1/ingest"),
        ):
            assert reply.status_code == 403
            assert reply.json()["code"] == "ingest_closed"


def test_a_key_is_needed(client: TestClient) -> None:
    reply = client.post(
        "/v1/ingest/study", json={"study_uid": "1.2"}, headers={"authorization": "Bearer no"}
    )
    assert reply.status_code == 403
    assert reply.json()["code"] == "forbidden"


def test_the_command_is_that_of_the_settings(tmp_path: Path) -> None:
    ingest = Ingest.from_settings(
        Settings(
            api_keys=("key",), pacs_url="https://pacs/dicom-web", pacs_user="me",
            pacs_mirror=tmp_path, indexes_dir=Path("there"), pacs_encoders=("biomedclip",),
            pacs_since="2024-01-31",
        )
    )  # fmt: skip
    assert ingest is not None
    words = " ".join(ingest._command)
    assert f"index pacs={tmp_path} --if-changed --json --dicomweb https://pacs/dicom-web" in words
    assert "--name pacs --indexes there --user me --since 2024-01-31 --encoder biomedclip" in words


def test_a_full_line_says_so() -> None:
    from service.errors import NotReadyError

    ingest = Ingest(["true"])
    for number in range(ingest_module.MAX_WAITING):
        ingest.add(f"1.{number}")
    ingest.add("1.0")
    with pytest.raises(NotReadyError):
        ingest.add("2.0")
