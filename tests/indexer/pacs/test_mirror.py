import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.datasets.mirror_layout import JOURNAL, REFUSED_TABLE
from indexer.errors import (
    MirrorError,
    PacsAccessError,
    PacsError,
    PacsProtocolError,
    PacsUnreachableError,
)
from indexer.pacs import transport
from indexer.pacs.address import PacsAddress
from indexer.pacs.dicomweb import DicomWeb
from indexer.pacs.folder import MirrorFolder, open_mirror
from indexer.pacs.journal import Journal
from indexer.pacs.mirror import MirrorOptions, MirrorReport, update_mirror
from indexer.pixels.pseudonyms import PUBLIC_KEY, Pseudonymiser
from tests.indexer.pacs.stand_in import StandIn, Uids, serving

KEY = b"sixteen bytes or more"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "PAUSES_S", (0.0, 0.0))


@pytest.fixture
def pacs() -> Iterator[StandIn]:
    files = {
        (f"1.{study}", f"1.{study}.{series}", f"1.{study}.{series}.{number}"): bytes(
            [study, series]
        )
        * (number + 1)
        for study in range(3)
        for series in range(2)
        for number in range(4)
    }
    with serving(StandIn(files=files)) as server:
        yield server


def update(
    pacs: StandIn, folder: Path, *, key: bytes = KEY, url: str = "", **options: object
) -> MirrorReport:
    url = url or pacs.url
    client = DicomWeb(PacsAddress.parse(url, user=None, password=None))
    with (
        client.session,
        open_mirror(
            folder, url=url, indexes_dir=folder.parent / "indexes", pseudonyms=Pseudonymiser(key)
        ) as mirror,
    ):
        return update_mirror(client, mirror, MirrorOptions(**options), lambda *_: None)


def contents(folder: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in folder.rglob("*.dcm"))


def test_all_pages_are_read_and_each_file_is_the_servers(pacs: StandIn, tmp_path: Path) -> None:
    report = update(pacs, tmp_path / "m")
    assert report == MirrorReport(fetched=24, deleted=0, stored=24, refused=0)
    assert contents(tmp_path / "m") == sorted(pacs.files.values())


def test_nothing_is_fetched_twice(pacs: StandIn, tmp_path: Path) -> None:
    update(pacs, tmp_path / "m")
    pacs.asked.clear()
    assert update(pacs, tmp_path / "m").fetched == 0
    assert not [path for path in pacs.asked if "/instances" in path]


def test_a_file_that_did_not_change_is_not_written_again(pacs: StandIn, tmp_path: Path) -> None:
    pacs.changes = []
    update(pacs, tmp_path / "m")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "m").rglob("*.dcm")}
    same, other = list(pacs.files)[:2]
    pacs.files[other] = b"new pixels"
    pacs.changes += [same, other]
    assert update(pacs, tmp_path / "m").fetched == 2
    changed = [path for path, time in times.items() if path.stat().st_mtime_ns != time]
    assert [path.read_bytes() for path in changed] == [b"new pixels"]


def test_one_that_came_and_one_that_went_are_seen_though_their_number_is_equal(
    pacs: StandIn, tmp_path: Path
) -> None:
    pacs.changes = []
    update(pacs, tmp_path / "m")
    del pacs.files["1.0", "1.0.0", "1.0.0.0"]
    pacs.files["1.0", "1.0.0", "1.0.0.99"] = b"came"
    pacs.changes.append(("1.0", "1.0.0", "1.0.0.99"))
    update(pacs, tmp_path / "m")
    assert contents(tmp_path / "m") == sorted(pacs.files.values())


def test_without_a_log_of_changes_recheck_sees_it(pacs: StandIn, tmp_path: Path) -> None:
    update(pacs, tmp_path / "m")
    del pacs.files["1.0", "1.0.0", "1.0.0.0"]
    pacs.files["1.0", "1.0.0", "1.0.0.99"] = b"came"
    update(pacs, tmp_path / "m", recheck=True)
    assert contents(tmp_path / "m") == sorted(pacs.files.values())


def test_a_server_that_counts_nothing_is_compared_study_by_study(
    pacs: StandIn, tmp_path: Path
) -> None:
    pacs.counts = False
    update(pacs, tmp_path / "m")
    del pacs.files["1.0", "1.0.0", "1.0.0.0"]
    assert update(pacs, tmp_path / "m").deleted == 1


def test_an_archive_whose_log_began_anew_is_compared_wholly(pacs: StandIn, tmp_path: Path) -> None:
    pacs.changes = list(pacs.files)
    update(pacs, tmp_path / "m")
    # Restored from a backup: one instance is another, and fewer changes are known.
    del pacs.files["1.0", "1.0.0", "1.0.0.0"]
    pacs.files["1.0", "1.0.0", "1.0.0.99"] = b"came"
    pacs.changes = []
    update(pacs, tmp_path / "m")
    assert contents(tmp_path / "m") == sorted(pacs.files.values())


def test_a_page_that_shifted_deletes_nothing(pacs: StandIn, tmp_path: Path) -> None:
    update(pacs, tmp_path / "m")
    listed = pacs._studies
    pacs._studies = lambda: listed()[1:]  # type: ignore[method-assign]
    assert update(pacs, tmp_path / "m").deleted == 0


def is_indexed(folder: Path, terms: str = "nameless") -> bool:
    journal = Journal(folder / JOURNAL, Pseudonymiser(KEY))
    try:
        return journal.is_indexed_as(folder / "build", terms)
    finally:
        journal.close()


def note_indexed(folder: Path) -> None:
    journal = Journal(folder / JOURNAL, Pseudonymiser(KEY))
    journal.note_indexed(folder / "build", "nameless")
    journal.close()


def test_a_mirror_knows_whether_it_is_indexed_as_it_is(pacs: StandIn, tmp_path: Path) -> None:
    folder, gone = tmp_path / "m", ("1.0", "1.0.0", "1.0.0.0")
    pacs.changes = []
    update(pacs, folder)
    assert not is_indexed(folder)
    note_indexed(folder)
    assert not is_indexed(folder, "all")
    # Announced again, though nothing changed.
    pacs.changes.append(gone)
    assert update(pacs, folder).fetched == 1
    assert is_indexed(folder)
    for change in (
        lambda: pacs.files.update({("1.0", "1.0.0", "1.0.0.9"): b"new"}),
        lambda: pacs.files.pop(gone),
        lambda: pacs.failures.update({"/dicom-web/studies/1.1/series/1.1.0": [500] * 4}),
    ):
        change()
        if pacs.failures:
            pacs.changes.append(("1.1", "1.1.0", "1.1.0.0"))
        update(pacs, folder)
        assert not is_indexed(folder)
        note_indexed(folder)


def test_files_come_and_go_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "unfinished").mkdir()
    journal = Journal(tmp_path / "journal.sqlite", Pseudonymiser(KEY))
    folder = MirrorFolder(tmp_path / "m", journal, tmp_path / "unfinished")

    def come_and_go(number: int) -> None:
        for _ in range(200):
            folder.place(f"study/series/{number}.dcm", b"x")
            folder.remove(f"study/series/{number}.dcm")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(come_and_go, range(4)))
    assert not (tmp_path / "m" / "study").exists()
    journal.close()


@pytest.mark.parametrize("status", [500, 400])
def test_a_broken_instance_is_listed_and_asked_for_again(
    pacs: StandIn, tmp_path: Path, status: int
) -> None:
    broken = "/dicom-web/studies/1.1/series/1.1.0/instances/1.1.0.2"
    pacs.failures[broken] = [status]
    assert update(pacs, tmp_path / "m") == MirrorReport(fetched=23, deleted=0, stored=23, refused=1)
    table = (tmp_path / "m" / REFUSED_TABLE).read_text()
    assert f"status {status}" in table
    assert "1.1.0" not in table
    assert update(pacs, tmp_path / "m").fetched == 1
    assert not (tmp_path / "m" / REFUSED_TABLE).exists()


def test_what_passes_by_itself_is_tried_again(pacs: StandIn, tmp_path: Path) -> None:
    pacs.failures["/dicom-web/studies"] = [503, 429]
    pacs.failures["/dicom-web/studies/1.1/series"] = [502, 504]
    assert update(pacs, tmp_path / "m").stored == 24


def test_a_server_that_goes_away_half_way_loses_nothing(pacs: StandIn, tmp_path: Path) -> None:
    pacs.failures["/dicom-web/studies/1.2/series/1.2.1"] = [503] * 12
    with pytest.raises(PacsError, match="503"):
        update(pacs, tmp_path / "m")
    assert update(pacs, tmp_path / "m").stored == 24
    assert contents(tmp_path / "m") == sorted(pacs.files.values())


def test_gone_between_listing_and_fetching(pacs: StandIn, tmp_path: Path) -> None:
    pacs.failures["/dicom-web/studies/1.1/series/1.1.0/instances/1.1.0.2"] = [404]
    assert update(pacs, tmp_path / "m").stored == 23


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_user(pacs: StandIn, tmp_path: Path, status: int) -> None:
    pacs.failures["/dicom-web/studies"] = [status] * 9
    with pytest.raises(PacsAccessError, match=str(status)) as caught:
        update(pacs, tmp_path / "m")
    assert "MEDSEARCH_PACS_PASSWORD" in caught.value.remedy


def test_no_dicomweb_there(pacs: StandIn, tmp_path: Path) -> None:
    with pytest.raises(PacsProtocolError) as caught:
        update(pacs, tmp_path / "m", url=pacs.url + "-not")
    assert "orthanc-dicomweb" in caught.value.remedy


def test_nobody_there(pacs: StandIn, tmp_path: Path) -> None:
    with pytest.raises(PacsUnreachableError, match="cannot be reached"):
        update(pacs, tmp_path / "m", url="http://127.0.0.1:9/dicom-web")


def test_tls_to_a_server_without_it(pacs: StandIn, tmp_path: Path) -> None:
    with pytest.raises(PacsUnreachableError) as caught:
        update(pacs, tmp_path / "m", url=pacs.url.replace("http:", "https:"))
    assert "--ca-file" in caught.value.remedy


def test_a_mirror_belongs_to_one_pacs_and_one_key(pacs: StandIn, tmp_path: Path) -> None:
    update(pacs, tmp_path / "m")
    with pytest.raises(MirrorError, match="another pseudonym key"):
        update(pacs, tmp_path / "m", key=KEY[::-1])
    with pytest.raises(MirrorError, match="mirrors the PACS at"):
        update(pacs, tmp_path / "m", url="http://127.0.0.1:9/dicom-web")


def test_a_mirror_is_not_put_anywhere(pacs: StandIn, tmp_path: Path) -> None:
    with pytest.raises(MirrorError, match="no key"):
        update(pacs, tmp_path / "m", key=PUBLIC_KEY)
    with pytest.raises(MirrorError, match="among the indexes"):
        update(pacs, tmp_path / "indexes")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with pytest.raises(MirrorError, match="holds other files"):
        update(pacs, tmp_path / "other")


def test_one_process_at_a_time(pacs: StandIn, tmp_path: Path) -> None:
    with (
        open_mirror(
            tmp_path / "m",
            url=pacs.url,
            indexes_dir=tmp_path / "indexes",
            pseudonyms=Pseudonymiser(KEY),
        ),
        pytest.raises(MirrorError, match="Another process"),
    ):
        update(pacs, tmp_path / "m")


def test_a_journal_that_is_none_says_what_to_do(pacs: StandIn, tmp_path: Path) -> None:
    update(pacs, tmp_path / "m")
    (tmp_path / "m" / JOURNAL).write_bytes(b"not a database" * 100)
    with pytest.raises(MirrorError, match="journal cannot be read"):
        update(pacs, tmp_path / "m")


def test_the_original_uids_stand_in_the_journal_alone(pacs: StandIn, tmp_path: Path) -> None:
    update(pacs, tmp_path / "m")
    names = [
        path.relative_to(tmp_path / "m").as_posix() for path in (tmp_path / "m").rglob("*.dcm")
    ]
    assert not [name for name in names if name.startswith("1.") or "1.0" in name]
    with sqlite3.connect(tmp_path / "m" / JOURNAL) as journal:
        [[study]] = journal.execute(
            "SELECT DISTINCT study_uid FROM instances WHERE study_name = ?", (names[0][:16],)
        )
    journal.close()
    assert study in {uids[0] for uids in pacs.files}


UIDS = st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 2)).map(
    lambda n: (f"1.{n[0]}", f"1.{n[0]}.{n[1]}", f"1.{n[0]}.{n[1]}.{n[2]}")
)
STATES = st.dictionaries(UIDS, st.binary(min_size=1, max_size=3), max_size=9)


@settings(max_examples=12)
@given(states=st.lists(STATES, min_size=1, max_size=4))
def test_whatever_happens_the_mirror_ends_as_the_server(
    states: list[dict[Uids, bytes]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("law") / "m"
    with serving(StandIn(changes=[])) as pacs:
        for state in states:
            assert pacs.changes is not None
            pacs.changes += [uids for uids, file in state.items() if pacs.files.get(uids) != file]
            pacs.files = state
            update(pacs, folder)
            assert contents(folder) == sorted(state.values())
