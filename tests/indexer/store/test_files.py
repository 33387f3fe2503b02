import os
from pathlib import Path

import pytest

from indexer.store.files import (
    clear_folder,
    list_tree,
    sha256_of,
    sync_tree,
    write_durably,
    write_whole,
)


@pytest.mark.parametrize("write", [write_durably, write_whole])
def test_a_file_is_replaced_whole_or_not_at_all(write: object, tmp_path: Path) -> None:
    path = tmp_path / "CURRENT"
    write(path, b"old")
    with pytest.raises(TypeError):
        write(path, "no bytes")
    assert path.read_bytes() == b"old"
    write(path, b"new")
    assert path.read_bytes() == b"new"
    assert [one.name for one in tmp_path.iterdir()] == ["CURRENT"]


def test_content_is_on_disk_before_the_name_is_and_the_name_before_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    rename = Path.replace

    def note_sync(descriptor: int) -> None:
        steps.append(f"sync {Path(f'/proc/self/fd/{descriptor}').readlink().name}")

    def note_rename(path: Path, target: Path) -> Path:
        steps.append(f"rename {path.name} {target.name}")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "replace", note_rename)
    write_durably(tmp_path / "CURRENT", b"x")
    assert steps == [
        "sync CURRENT.partial", "rename CURRENT.partial CURRENT", f"sync {tmp_path.name}",
    ]  # fmt: skip


def test_every_file_and_folder_of_a_tree_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for name in ("a", "deep/b", "deep/er/c"):
        (tmp_path / name).write_bytes(b"x")
    synced: set[Path] = set()
    monkeypatch.setattr(
        os, "fsync", lambda number: synced.add(Path(f"/proc/self/fd/{number}").readlink())
    )
    sync_tree(tmp_path)
    assert synced == {tmp_path, *tmp_path.rglob("*")}


def test_a_deletion_that_is_cut_short_takes_the_sign_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "build"
    (folder / "deep").mkdir(parents=True)
    for name in ("manifest.json", "a", "deep/b"):
        (folder / name).write_bytes(b"x")

    def die(path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", die)
        with pytest.raises(KeyboardInterrupt):
            clear_folder(folder, "manifest.json")
    assert not (folder / "manifest.json").exists()
    clear_folder(folder, "manifest.json")
    assert not folder.exists()
    clear_folder(folder, "manifest.json")


def test_a_tree_is_listed_in_order_without_locks(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("b/z", "b/.tantivy-meta.lock", "c", "a"):
        (tmp_path / name).write_bytes(name.encode())
    sync_tree(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in list_tree(tmp_path)] == [
        "a", "b/z", "c",
    ]  # fmt: skip


def test_the_digest_is_that_of_the_standard(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1.
    assert sha256_of(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
