"""The records of a case, as the service lists them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace

from starlette.testclient import TestClient

from service.reply_schemas import CaseReply
from service.retrieval import cases
from service.routes import examples


def test_a_case_lists_its_records_in_the_order_of_their_slices(client: TestClient) -> None:
    reply = client.get("/v1/records/scans/train/6/case").json()
    CaseReply.model_validate(reply, strict=True)
    assert (reply["index"], reply["case_id"], reply["records"]) == ("scans", "patient1", 4)
    assert [one["slice_number"] for one in reply["members"]] == [4, 5, 6, 7]
    assert reply["members"][0]["url"] == "/v1/records/scans/train/4"


def test_a_slice_is_shown_in_the_windows_that_it_was_embedded_in(
    tmp_path: Path, kit: SimpleNamespace, serve: Callable[..., AbstractContextManager[TestClient]]
) -> None:
    records = [kit.image_record("ct", n, case_id="p", slice_number=n) for n in range(3)]
    by_window = {"lung_window": {1: 100}, "bone_window": {0: 110, 1: 111}}
    kit.publish(tmp_path, "ct", records, by_window=by_window)
    with serve(tmp_path) as client:
        members = client.get("/v1/records/ct/train/1/case").json()["members"]
        assert [one["windows"] for one in members] == [["bone"], ["lung", "bone"], []]
        path = "/v1/records/ct/train/1/thumbnail"
        shown = client.get(path, params={"window": "lung"})
        assert shown.headers["content-type"] == "image/jpeg"
        assert shown.content.endswith(b"lung_window 1")
        assert not client.get(path).content.endswith(b"lung_window 1")
        assert client.get(path, params={"window": "brain"}).json()["code"] == "record_not_found"
        assert client.get(path, params={"window": "door"}).status_code == 422


def test_a_question_is_a_case_by_itself(client: TestClient) -> None:
    reply = client.get("/v1/records/asked/train/3/case").json()
    assert [one["record_id"] for one in reply["members"]] == ["asked/train/3"]


def test_a_case_of_no_record(client: TestClient) -> None:
    reply = client.get("/v1/records/scans/train/x/case")
    assert reply.status_code == 404
    assert reply.json()["code"] == "record_not_found"


def test_a_series_stands_together_and_what_has_no_number_stands_last() -> None:
    members = [
        cases.Member(record_id="a", series_id="2", slice_number=1),
        cases.Member(record_id="b", series_id="1", slice_number=None),
        cases.Member(record_id="c", series_id="1", slice_number=9),
    ]
    assert [one.record_id for one in sorted(members, key=cases.place_of)] == ["c", "b", "a"]


def test_the_documented_example_is_a_reply() -> None:
    shown = examples.CASE_REPLY[200]["content"]["application/json"]["example"]
    CaseReply.model_validate(shown, strict=True)
