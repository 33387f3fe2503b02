from pathlib import Path
from typing import Any

import pytest

from indexer.datasets.mirror_layout import JOURNAL
from indexer.pacs.instances import InstanceRef
from indexer.pacs.journal import Journal
from indexer.pacs.private_table import PrivateTable
from indexer.pixels.pseudonyms import Pseudonymiser
from service.settings import Settings
from service.viewer import Viewer, ViewerSettingError

TEMPLATE = "/ohif/viewer?StudyInstanceUIDs={study_uid}"
PSEUDONYMS = Pseudonymiser(b"sixteen bytes or more")
STUDY, SERIES = PSEUDONYMS.pseudonym("study", "1.2"), PSEUDONYMS.pseudonym("series", "1.2.3")


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    (tmp_path / "mirror" / JOURNAL).parent.mkdir(parents=True)
    journal = Journal(tmp_path / "mirror" / JOURNAL, PSEUDONYMS)
    journal.want([InstanceRef("1.2", "1.2.3", "1.2.3.4")], {})
    journal.close()
    return tmp_path / "mirror"


def record(kit: Any, dataset: str = "pacs", **changes: object) -> Any:
    return kit.image_record(dataset, 1, **({"study_id": STUDY, "series_id": SERIES} | changes))


def test_a_known_study_is_linked(kit: Any, mirror: Path) -> None:
    viewer = Viewer(TEMPLATE + "&s={series_uid}", PrivateTable(mirror), "pacs")
    for _ in range(2):
        assert viewer.url(record(kit)) == "/ohif/viewer?StudyInstanceUIDs=1.2&s=1.2.3"


@pytest.mark.parametrize(
    "changes",
    [{"study_id": "unknown"}, {"series_id": None}, {"study_id": None}, {"dataset": "mura"}],
)
def test_others_are_not(kit: Any, mirror: Path, changes: dict[str, Any]) -> None:
    viewer = Viewer(TEMPLATE, PrivateTable(mirror), "pacs")
    assert viewer.url(record(kit, **changes)) is None
    assert viewer.url(kit.text_record("pacs", 1)) is None


def test_without_a_journal_nothing_is_linked(kit: Any, tmp_path: Path) -> None:
    (tmp_path / "damaged" / JOURNAL).parent.mkdir(parents=True)
    (tmp_path / "damaged" / JOURNAL).write_bytes(b"no database" * 99)
    for name in ("nowhere", "damaged"):
        assert Viewer(TEMPLATE, PrivateTable(tmp_path / name), "pacs").url(record(kit)) is None


@pytest.mark.parametrize(
    "template", ["/viewer", "/{study}", "/{study_uid}{", "/{study_uid.__class__}", "/{}"]
)
def test_a_template_that_cannot_be_filled_is_refused(template: str, tmp_path: Path) -> None:
    with pytest.raises(ViewerSettingError):
        Viewer(template, PrivateTable(tmp_path), "pacs")


def test_links_need_keys_and_a_mirror(tmp_path: Path) -> None:
    assert Viewer.from_settings(Settings()) is None
    for missing in ({"api_keys": ("key",)}, {"pacs_mirror": tmp_path}):
        with pytest.raises(ViewerSettingError, match="original UIDs"):
            Viewer.from_settings(Settings(viewer_template=TEMPLATE, **missing))


def test_hits_and_records_carry_the_link(
    kit: Any, serve: Any, mirror: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "indexes"
    kit.publish(folder, "pacs", [record(kit), kit.image_record("pacs", 2)])
    settings = {"viewer_template": TEMPLATE, "pacs_mirror": mirror, "api_keys": ("key",)}
    with serve(folder, **settings) as client:
        client.headers["x-api-key"] = "key"
        hits = client.post("/v1/search/text", json={"query": "grey 1"}).json()["hits"]
        links = {hit["record_id"]: hit.get("viewer_url") for hit in hits}
        assert links == {
            "pacs/train/1": "/ohif/viewer?StudyInstanceUIDs=1.2",
            "pacs/train/2": None,
        }
        shown = client.get("/v1/records/pacs/train/1").json()
        assert shown["viewer_url"] == "/ohif/viewer?StudyInstanceUIDs=1.2"
    with serve(folder) as client:
        assert "viewer_url" not in client.get("/v1/records/pacs/train/1").json()
