import hashlib
import os
from pathlib import Path

import pytest

from indexer.encoders.digests import file_sha256, files_sha256, joined_sha256, read_verified
from indexer.errors import EncoderError


def test_a_changed_file_gets_a_new_digest(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    assert file_sha256(path) == hashlib.sha256(b"one").hexdigest()
    path.write_bytes(b"two!")
    assert file_sha256(path) == hashlib.sha256(b"two!").hexdigest()


def test_an_unchanged_file_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    first, status = file_sha256(path), path.stat()
    with path.open("r+b") as stream:  # same inode, same size, and the time set back
        stream.write(b"two")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert file_sha256(path) == first


def test_the_digest_of_files_covers_their_names_and_not_their_order(tmp_path: Path) -> None:
    for name, content in (("a", b"1"), ("b", b"2")):
        (tmp_path / name).write_bytes(content)
    both = files_sha256(tmp_path, ["a", "b"])
    assert files_sha256(tmp_path, ["b", "a"]) == both
    (tmp_path / "a").rename(tmp_path / "c")
    assert files_sha256(tmp_path, ["c", "b"]) != both


def test_one_digest_joined_is_itself_and_several_keep_their_order() -> None:
    assert joined_sha256(["x"]) == "x"
    assert joined_sha256(["x", "y"]) != joined_sha256(["y", "x"])


def test_a_file_is_given_only_if_it_is_the_expected_one(tmp_path: Path) -> None:
    path = tmp_path / "model" / "tokenizer.json"
    path.parent.mkdir()
    path.write_bytes(b"{}")
    assert read_verified(path, hashlib.sha256(b"{}").hexdigest()) == b"{}"
    with pytest.raises(EncoderError, match=r"model/tokenizer.json: SHA-256 is") as caught:
        read_verified(path, "0" * 64)
    assert str(tmp_path) not in str(caught.value)


def test_a_missing_file_is_an_encoder_error_without_its_whole_path(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="No such file") as caught:
        read_verified(tmp_path / "gone", "0" * 64)
    assert str(tmp_path) not in str(caught.value)
