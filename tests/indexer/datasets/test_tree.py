import os
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.datasets.tree import (
    NameSet,
    find_image,
    is_nameable,
    is_stray,
    list_files,
    list_folders,
    natural_key,
    relative_name,
    walk_folders,
)


@pytest.mark.parametrize("name", [".DS_Store", "._image1.png", "__MACOSX", "Thumbs.db", ".git"])
def test_what_operating_systems_leave_behind_is_stray(name: str) -> None:
    assert is_stray(name)


def test_an_ordinary_name_is_not_stray() -> None:
    assert not is_stray("image1.png")


def test_natural_order_counts_numbers() -> None:
    names = ["image10", "image2", "Image1", "image", "10", "9", "image02"]
    assert sorted(names, key=natural_key) == [
        "9", "10", "Image1", "image", "image02", "image2", "image10",
    ]  # fmt: skip


@given(st.lists(st.text(max_size=12), max_size=8), st.randoms())
def test_natural_order_does_not_depend_on_the_order_before(names: list[str], by: Random) -> None:
    shuffled = by.sample(names, len(names))
    assert sorted(shuffled, key=natural_key) == sorted(names, key=natural_key)


def test_lists_leave_strays_and_links_to_folders_out(tmp_path: Path) -> None:
    (tmp_path / "b10").mkdir()
    (tmp_path / "b9").mkdir()
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    for name in ("x.PNG", "y.csv", ".hidden.png"):
        (tmp_path / name).touch()
    assert list_folders(tmp_path) == ["b9", "b10"]
    assert list_files(tmp_path) == ["x.PNG", "y.csv"]
    assert list_files(tmp_path, {".png"}) == ["x.PNG"]
    assert [path.name for path in walk_folders(tmp_path, 1)] == [tmp_path.name, "b9", "b10"]


def test_walking_stops_at_the_depth_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a/b/c").mkdir(parents=True)
    assert list(walk_folders(tmp_path, 0)) == [tmp_path]
    assert [path.name for path in walk_folders(tmp_path, 2)][1:] == ["a", "b"]
    assert [path.name for path in walk_folders(tmp_path)][1:] == ["a", "b", "c"]


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".jpg", ".JPEG", ".tif"])
def test_an_image_is_found_under_any_suffix(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a{suffix}").touch()
    assert find_image(tmp_path, "a") == tmp_path / f"a{suffix}"
    assert find_image(tmp_path, "b") is None


def test_a_name_that_is_not_utf8_is_told_and_made_printable(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.dcm")
    assert not is_nameable(str(path))
    assert is_nameable(str(tmp_path / "café.dcm"))
    assert relative_name(tmp_path, path) == "caf?.dcm"


@given(st.sets(st.text(max_size=20), max_size=50), st.text(max_size=20))
def test_a_name_set_is_a_set(names: set[str], other: str) -> None:
    known = NameSet()
    for name in names:
        known.add(name)
    assert all(name in known for name in names)
    assert (other in known) == (other in names)
    known.add(other)
    assert other in known
    assert len(known) == len(names) + 1
