"""The map of an index over HTTP."""

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from starlette.testclient import TestClient

from indexer.store import index_map
from indexer.store.index_map import Projection
from service.reply_schemas_map import MapReply, PlacesReply
from service.routes import examples
from tests.service.asking import post, refused

RECORDS = 30
DRAWN = 20


class Line:
    """Puts everything on a line, one step after the other."""

    digest = "line"

    def project(self, vectors: np.ndarray) -> Projection:
        steps = np.arange(len(vectors)) / len(vectors)
        return Projection(np.stack([steps, steps / 2], axis=1).astype(np.float32), 0.9)


def publish(kit: SimpleNamespace, folder: Path) -> None:
    labels = [("common", "rare") if n % 5 == 0 else ("common",) * (n % 2) for n in range(RECORDS)]
    records = [
        kit.image_record(
            "scans", n, modality="MR" if n % 4 == 0 else "CT", labels=labels[n], sex=None,
            abnormal=None if n % 3 else bool(n % 2), case_id=f"patient{n}",
        )
        for n in range(RECORDS)
    ]  # fmt: skip
    kit.publish(folder, "scans", records, projector=Line())


@pytest.fixture(scope="module")
def folder(kit: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mapped")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index_map, "MOST_POINTS", DRAWN)
        publish(kit, folder)
    kit.publish(folder, "asked", [kit.text_record("asked", n) for n in range(5)])
    return folder


@pytest.fixture(scope="module")
def client(folder: Path, serve: Callable[..., object]) -> Iterator[TestClient]:
    with serve(folder) as started:
        yield started


@pytest.fixture(scope="module")
def shown(client: TestClient) -> dict:
    reply = client.get("/v1/indexes/scans/map")
    assert reply.status_code == 200, reply.text
    return reply.json()


def stated(shown: dict, key: str) -> list:
    """Return what each point states in a category."""
    [category] = [one for one in shown["categories"] if one["key"] == key]
    values = [one["value"] for one in category["values"]]
    return [values[code] if code >= 0 else None for code in category["codes"]]


def test_a_map_has_a_place_and_a_record_for_each_point(client: TestClient, shown: dict) -> None:
    MapReply.model_validate(shown, strict=True)
    assert (shown["index"], shown["field"], shown["trustworthiness"]) == ("scans", "image", 0.9)
    assert (shown["records"], shown["points"]) == (RECORDS, DRAWN)
    assert shown["x"] == [round(n / DRAWN, 5) for n in range(DRAWN)]
    assert shown["y"] == [round(n / DRAWN / 2, 5) for n in range(DRAWN)]
    for record_id in shown["record_ids"]:
        assert client.get(f"/v1/records/{record_id}").status_code == 200
    assert len(set(shown["record_ids"])) == DRAWN


def test_points_know_what_their_records_state(shown: dict) -> None:
    numbers = [int(one.rpartition("/")[2]) for one in shown["record_ids"]]
    assert stated(shown, "modality") == ["MR" if n % 4 == 0 else "CT" for n in numbers]
    assert stated(shown, "abnormal") == [None if n % 3 else bool(n % 2) for n in numbers]
    assert stated(shown, "labels") == [
        "common" if n % 2 or n % 5 == 0 else None for n in numbers
    ]  # fmt: skip
    keys = [one["key"] for one in shown["categories"]]
    assert keys == ["modality", "body_part", "labels", "language", "abnormal", "split"]


def test_values_come_the_commonest_first_with_their_counts(shown: dict) -> None:
    for category in shown["categories"]:
        counts = [one["points"] for one in category["values"]]
        assert counts == sorted(counts, reverse=True)
        told = [category["codes"].count(code) for code in range(len(counts))]
        assert counts == told
        assert min(counts) > 0


def test_rare_values_are_told_as_others(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.retrieval.map_points._MOST_VALUES", 1)
    shown = client.get("/v1/indexes/scans/map").json()
    [modality] = [one for one in shown["categories"] if one["key"] == "modality"]
    assert [one["value"] for one in modality["values"]] == ["CT"]
    assert set(modality["codes"]) == {0, -2}


def test_a_browser_that_has_the_map_is_not_sent_it_again(client: TestClient) -> None:
    path = "/v1/indexes/scans/map"
    first = client.get(path)
    again = client.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(path, headers={"if-none-match": '"another"'}).status_code == 200


def test_a_new_build_has_another_tag(
    kit: SimpleNamespace, tmp_path: Path, serve: Callable[..., object]
) -> None:
    tags = []
    for count in (6, 7):
        records = [kit.image_record("scans", n) for n in range(count)]
        kit.publish(tmp_path, "scans", records, projector=Line())
        with serve(tmp_path) as client:
            tags.append(client.get("/v1/indexes/scans/map").headers["etag"])
    assert tags[0] != tags[1]


def test_it_is_compressed_for_those_who_take_it(client: TestClient, shown: dict) -> None:
    path = "/v1/indexes/scans/map"
    plain = client.get(path, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    with client.stream("GET", path, headers={"accept-encoding": "gzip"}) as reply:
        assert reply.headers["content-encoding"] == "gzip"
        raw = b"".join(reply.iter_raw())
    assert json.loads(gzip.decompress(raw)) == plain.json() == shown


def test_records_on_the_map_and_beside_it_have_places(client: TestClient, shown: dict) -> None:
    wanted = [f"scans/train/{n}" for n in range(RECORDS)]
    reply = post(client, "/v1/indexes/scans/map/places", record_ids=[*wanted, "scans/train/gone"])
    PlacesReply.model_validate(reply, strict=True)
    assert reply["absent"] == ["scans/train/gone"]
    assert [one["record_id"] for one in reply["places"]] == wanted
    known = dict(
        zip(shown["record_ids"], zip(shown["x"], shown["y"], strict=True), strict=True)
    )  # fmt: skip
    for one in reply["places"]:
        assert one["drawn"] == (one["record_id"] in known)
        if one["drawn"]:
            assert (one["x"], one["y"]) == known[one["record_id"]]
        else:
            assert 0 <= one["x"] < 1
            assert one["y"] == pytest.approx(one["x"] / 2, abs=1e-4)
    assert sum(one["drawn"] for one in reply["places"]) == DRAWN


def test_records_of_elsewhere_are_absent(client: TestClient) -> None:
    reply = post(client, "/v1/indexes/scans/map/places", record_ids=["asked/train/1"])
    assert (reply["places"], reply["absent"]) == ([], ["asked/train/1"])


def test_indexes_tell_whether_they_have_a_map(client: TestClient) -> None:
    listed = {one["name"]: one["map"] for one in client.get("/v1/indexes").json()["indexes"]}
    assert listed == {
        "scans": {"field": "image", "points": DRAWN, "trustworthiness": 0.9},
        "asked": None,
    }


@pytest.mark.parametrize("name", ["asked", "scnas"])
def test_without_a_map_one_is_told_what_to_do(client: TestClient, name: str) -> None:
    reply = client.get(f"/v1/indexes/{name}/map")
    assert reply.status_code == 404
    error = reply.json()
    if name == "asked":
        assert error["code"] == "map_not_found"
        assert error["remedy"] == "Rebuild it: `medsearch index asked`."
    else:
        assert "'scans'" in error["remedy"]
    assert refused(client, f"/v1/indexes/{name}/map/places", 404, record_ids=["a/b/c"]) == error


@pytest.mark.parametrize("record_ids", [[], [""], ["a/b/c"] * 2001, "a/b/c", [3]])
def test_places_are_asked_for_by_a_list_of_ids(client: TestClient, record_ids: object) -> None:
    refused(client, "/v1/indexes/scans/map/places", 422, record_ids=record_ids)


def test_the_example_has_its_shape() -> None:
    example = examples.MAP_REPLY[200]["content"]["application/json"]["example"]
    MapReply.model_validate(example, strict=True)
