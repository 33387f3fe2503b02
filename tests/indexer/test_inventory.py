import os
from pathlib import Path

from indexer.inventory import take_inventory


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, ns=(10**18, 10**18))
    return path


def test_tables_are_hashed_and_images_only_counted(tmp_path: Path) -> None:
    write(tmp_path, "rows.csv", "a,b\n")
    write(tmp_path, "images/one.png", "not really")
    write(tmp_path, ".hidden.csv", "x")

    found = take_inventory(tmp_path)

    assert found.files == 2
    assert found.size_bytes == 4 + 10
    assert [table.path for table in found.tables] == ["rows.csv"]
    # sha256 of b"a,b\n", computed with sha256sum
    assert found.tables[0].sha256.startswith("5be08c9684a1d25e")


def test_the_digest_follows_names_sizes_and_times_only(tmp_path: Path) -> None:
    for order in (("a.png", "b.png"), ("b.png", "a.png")):
        for name in order:
            write(tmp_path / order[0][0], name, name)
    first, second = take_inventory(tmp_path / "a"), take_inventory(tmp_path / "b")
    assert first.digest == second.digest

    path = tmp_path / "a" / "a.png"
    os.utime(path, ns=(10**18, 10**18 + 1))
    assert take_inventory(tmp_path / "a").digest != first.digest


def test_the_marker_of_the_sample_corpus_is_seen(tmp_path: Path) -> None:
    assert not take_inventory(tmp_path).marker.covers("a.dcm")
    write(tmp_path, "SYNTHETIC.json", '{"synthetic": true, "real_files": ["real.dcm"]}')
    marker = take_inventory(tmp_path).marker
    assert marker.covers("a.dcm")
    assert not marker.covers("real.dcm")
