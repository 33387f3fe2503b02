import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.errors import CorruptBuildError
from indexer.store import verify
from indexer.store.files import list_tree
from indexer.store.manifest import read_manifest
from indexer.store.reader import IndexReader
from indexer.store.verify import ensure_verified, verify_build
from tests.indexer.store.conftest import Build


@pytest.fixture
def folder(build: Build) -> Path:
    """A build with every kind of file."""
    return build(flat_limit=10).folder


def names_of(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in list_tree(folder)]


def test_every_file_is_vouched_for(folder: Path) -> None:
    files = read_manifest(folder).files
    assert {*files, "manifest.json"} == set(names_of(folder))
    kinds = {"records.arrow", "thumbnails.arrow", "record_ids.npy", "rejects.jsonl",
             "duplicates.jsonl", "lexical/meta.json"}  # fmt: skip
    for field in ("image", "caption"):
        kinds |= {f"{field}.{part}" for part in ("faiss", "vectors.npy", "rows.npy", "keys.npy")}
    assert kinds <= set(files)
    report = verify_build(folder)
    assert report.faults == ()
    assert report.files == len(files)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
@given(
    which=st.floats(0, 1, exclude_max=True),
    place=st.floats(0, 1, exclude_max=True),
    bit=st.integers(0, 7),
)
def test_any_bit_flipped_in_any_file_is_refused(
    folder: Path, which: float, place: float, bit: int
) -> None:
    names = [name for name in names_of(folder) if (folder / name).stat().st_size]
    path = folder / names[int(which * len(names))]
    sound = path.read_bytes()
    raw = bytearray(sound)
    raw[int(place * len(raw))] ^= 1 << bit
    path.write_bytes(raw)
    try:
        with pytest.raises(CorruptBuildError):
            IndexReader(folder)
    finally:
        path.write_bytes(sound)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "empty": lambda path: path.write_bytes(b""),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_of_another_length_is_refused_and_named(folder: Path, damage: str) -> None:
    for name in names_of(folder):
        path = folder / name
        sound = path.read_bytes()
        if not sound and damage != "missing":
            continue
        DAMAGES[damage](path)
        with pytest.raises(CorruptBuildError) as caught:
            IndexReader(folder)
        assert name == "manifest.json" or name in caught.value.message
        path.write_bytes(sound)
    assert IndexReader(folder).find("tiny/all/3") == 3


def test_nothing_is_parsed_before_it_is_checked(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse(path: Path) -> None:
        raise AssertionError(path)

    (folder / "records.arrow").write_bytes(b"x")
    monkeypatch.setattr("indexer.store.reader.read_table", parse)
    monkeypatch.setattr("indexer.store.reader.read_array", parse)
    with pytest.raises(CorruptBuildError):
        IndexReader(folder)


def test_a_stranger_among_the_files_is_refused(folder: Path) -> None:
    (folder / "stranger").write_text("x")
    with pytest.raises(CorruptBuildError, match="stranger is not in the manifest"):
        IndexReader(folder)


def test_a_build_in_the_folder_of_another_is_refused(folder: Path) -> None:
    other = folder.with_name("20200101t000000000000-00000000")
    folder.rename(other)
    with pytest.raises(CorruptBuildError, match="its folder is named"):
        IndexReader(other)


def test_a_stamp_spares_the_reading_until_a_file_is_touched(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    digest = verify.sha256_of

    def count(path: Path) -> str:
        hashed.append(path.name)
        return digest(path)

    monkeypatch.setattr(verify, "sha256_of", count)
    manifest = read_manifest(folder)
    ensure_verified(folder, manifest)
    assert hashed == []
    verify_build(folder)
    assert len(hashed) == len(manifest.files)

    hashed.clear()
    path = folder / "records.arrow"
    stat = path.stat()
    path.write_bytes(path.read_bytes())
    # Size and modification time can be put back; the change time cannot.
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    ensure_verified(folder, manifest)
    assert "records.arrow" in hashed
    hashed.clear()
    ensure_verified(folder, manifest)
    assert hashed == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff"])
def test_a_broken_stamp_vouches_for_nothing(folder: Path, content: bytes) -> None:
    stamp = folder.parent / ".verified" / f"{folder.name}.json"
    stamp.write_bytes(content)
    ensure_verified(folder, read_manifest(folder))
    assert "records.arrow" in json.loads(stamp.read_text())


READ_AS_NOBODY = """
import os, shutil, sys
from pathlib import Path
from indexer.store.reader import IndexReader

def read():
    reader = IndexReader.open(Path(sys.argv[1]))
    assert reader.search_lexical("number 17", 1).rows.tolist() == [17]
    assert len(reader.search("image", reader.vectors("image")[:1], 3)[0]) == 3

read()  # as root, who may read every library
shutil.rmtree(Path(sys.argv[1], ".verified"))
os.setgid(65534)
os.setuid(65534)
read()
try:
    Path(sys.argv[1], "x").touch()
except PermissionError:
    print("read only")
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can")
def test_an_index_that_may_only_be_read_can_be_read(folder: Path, tmp_path: Path) -> None:
    path = tmp_path
    while not path.stat().st_mode & stat.S_IXOTH:  # pytest's folders are for their owner only
        path.chmod(0o755)
        path = path.parent
    done = subprocess.run(
        [sys.executable, "-c", READ_AS_NOBODY, str(folder.parent)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("read only\n", "")
