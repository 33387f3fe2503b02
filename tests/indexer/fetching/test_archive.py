import io
import stat
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import DamagedDownloadError
from indexer.fetching.archive import Bounds, unpack
from tests.indexer.fetching.conftest import files_below

BOUNDS = Bounds(files=10, size_bytes=1 << 20)


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_what_was_packed_is_unpacked(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", {"one/two.txt": b"2", "three.txt": b"three"})
    members = unpack(archive, tmp_path / "out", BOUNDS)
    assert [(one.name, one.size_bytes) for one in members] == [("one/two.txt", 1), ("three.txt", 5)]
    assert members[1].md5 == "35d6d33467aae9a2e3dccb4b6b027878"
    assert (tmp_path / "out" / "one" / "two.txt").read_bytes() == b"2"


def test_only_what_is_wanted_is_unpacked(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", {"keep/a": b"", "drop/b": b""})
    unpack(archive, tmp_path / "out", BOUNDS, wanted=lambda name: name.startswith("keep"))
    assert files_below(tmp_path / "out") == {"keep/a"}


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "a/../../x",
        "/etc/x",
        "..",
        "a\\..\\x",
        "C:/x",
        "C:x",
        "//host/share/x",
        "n" * 2000,
        "n" * 256,
    ],
)
def test_a_name_that_leaves_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", {"good": b"", name: b"evil"})
    with pytest.raises(DamagedDownloadError, match="leaves the folder"):
        unpack(archive, tmp_path / "deep" / "out", BOUNDS)
    assert files_below(tmp_path) == {"a.zip"}


def test_links_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(DamagedDownloadError, match="is a link"):
        unpack(tmp_path / "a.zip", tmp_path / "out", BOUNDS)


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", {"a.dcm": b"", "A.DCM": b""})
    with pytest.raises(DamagedDownloadError, match="two files"):
        unpack(archive, tmp_path / "out", BOUNDS)


def test_bombs_are_refused_before_they_are_inflated(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", {"zeros": bytes(2 << 20)})
    assert archive.stat().st_size < 5000
    with pytest.raises(DamagedDownloadError, match="are allowed"):
        unpack(archive, tmp_path / "out", BOUNDS)
    archive = write_zip(tmp_path / "b.zip", {str(number): b"" for number in range(11)})
    with pytest.raises(DamagedDownloadError, match="11 files"):
        unpack(archive, tmp_path / "out", BOUNDS)


def test_a_size_that_lies_is_found_out(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", {"zeros": bytes(2 << 20)})
    honest = (2 << 20).to_bytes(4, "little")
    archive.write_bytes(archive.read_bytes().replace(honest, (100).to_bytes(4, "little")))
    with pytest.raises(DamagedDownloadError):
        unpack(archive, tmp_path / "out", BOUNDS)
    assert sum(path.stat().st_size for path in (tmp_path / "out").rglob("*")) <= 100


def test_encrypted_members_are_refused(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", {"secret": b"x"})
    content = bytearray(archive.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)
    with pytest.raises(DamagedDownloadError, match="encrypted"):
        unpack(archive, tmp_path / "out", BOUNDS)


@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "a")])
def test_a_file_where_a_folder_should_be_is_refused(names: tuple[str, str], tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", dict.fromkeys(names, b""))
    with pytest.raises(DamagedDownloadError):
        unpack(archive, tmp_path / "out", BOUNDS)


def test_only_what_zips_of_data_are_packed_with_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a", b"x")
    with pytest.raises(DamagedDownloadError, match="neither stored nor deflated"):
        unpack(tmp_path / "a.zip", tmp_path / "out", BOUNDS)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 neither"])
def test_what_is_no_zip_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DamagedDownloadError, match="no whole zip file"):
        unpack(tmp_path / "a.zip", tmp_path / "out", BOUNDS)


NAMES = st.lists(st.sampled_from(["..", "a", "b", "/", "\\", "C:", ".", "é", "\n"]), min_size=1)


@given(names=st.lists(NAMES.map("".join), min_size=1, max_size=4, unique=True),
       damage=st.none() | st.tuples(st.integers(0, 400), st.integers(1, 255)))  # fmt: skip
def test_nothing_is_written_outside_whatever_the_archive(
    names: list[str], damage: tuple[int, int] | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("property")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, b"content")
    content = bytearray(buffer.getvalue())
    if damage is not None:
        content[damage[0] % len(content)] ^= damage[1]
    (folder / "a.zip").write_bytes(content)
    try:
        members = unpack(folder / "a.zip", folder / "out", BOUNDS)
    except DamagedDownloadError:
        members = []
    inside = {f"out/{name}" for name in files_below(folder / "out")}
    assert files_below(folder) == {"a.zip"} | inside
    assert all((folder / "out" / one.name).stat().st_size == one.size_bytes for one in members)
