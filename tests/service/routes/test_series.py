"""Whole series over HTTP: several files in one form, or the id of an indexed study."""

from tempfile import SpooledTemporaryFile
from typing import Any

import pytest
from starlette.testclient import TestClient


def post(client: TestClient, *files: bytes, params: str = "{}") -> Any:
    parts = [("file", (f"{number}.dcm", raw)) for number, raw in enumerate(files)]
    return client.post("/v1/search/image", files=parts, data={"params": params})


def test_several_files_are_one_series(client: TestClient) -> None:
    reply = post(client, b"grey 2", b"grey 3").json()
    assert reply["query"] == reply["query"] | {"kind": "series", "group_by": "study"}
    assert reply["hits"][0]["study_id"] == "study1"
    assert reply["hits"][0]["group"]["by"] == "study"
    [name] = reply["hits"][0]["why"]
    assert name == "late_interaction"
    assert reply["hits"][0]["score"] == pytest.approx(1, abs=1e-5)


def test_the_best_slice_can_decide_instead(client: TestClient) -> None:
    reply = post(client, b"grey 2", b"grey 9", params='{"match": "best_slice", "k": 2}').json()
    assert {hit["study_id"] for hit in reply["hits"]} == {"study1", "study4"}
    assert set(reply["hits"][0]["why"]) == {"best_slice"}


def test_an_indexed_study_is_searched_like(client: TestClient) -> None:
    body = {"study_id": "study3", "exclude_same": ["case"], "k": 30}
    reply = client.post("/v1/search/image", json=body).json()
    cases = {hit["case_id"] for hit in reply["hits"]}
    assert "patient1" not in cases
    assert len(cases) > 3


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"study_id": "nobody"}, 404),
        ({"study_id": "study3", "group_by": "none"}, 422),
        ({"study_id": "study3", "query": "words"}, 422),
        ({"study_id": "study3", "record_id": "scans/train/1"}, 422),
        ({"study_id": "study3", "series_id": "x"}, 422),
        ({"study_id": "study3", "match": "luck"}, 422),
        ({"study_id": "study3", "mode": "lexical"}, 422),
        ({"study_id": "study3", "windows": ["door"]}, 422),
    ],
)
def test_what_cannot_be_asked_is_refused(
    client: TestClient, body: dict[str, Any], status: int
) -> None:
    reply = client.post("/v1/search/image", json=body)
    assert reply.status_code == status, reply.text
    assert set(reply.json()) >= {"code", "message", "remedy"}


def test_no_upload_is_written_to_disk(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        pytest.fail("an upload was put into a temporary file")

    monkeypatch.setattr(SpooledTemporaryFile, "rollover", refuse)
    large = b"grey 2" + b" " * 3_000_000
    reply = post(client, large, large)
    assert reply.status_code == 200
    assert reply.json()["hits"][0]["study_id"] == "study1"


def test_one_broken_file_is_told(client: TestClient) -> None:
    reply = post(client, b"grey 2", b"nonsense")
    assert reply.status_code == 415
