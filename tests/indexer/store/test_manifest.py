import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.errors import CorruptBuildError
from indexer.records import SourceFile
from indexer.store.field_manifest import FieldManifest, SearchStructure
from indexer.store.manifest import MANIFEST_NAME, Counts, FileEntry, Manifest, read_manifest
from tests.indexer.store.conftest import DIM, PRINT

MANIFEST = Manifest(
    index="tiny", dataset="tiny", kind="image", build_id="20261123t120000000000-abcdef01",
    content_hash="c" * 64, created_at="2026-11-23T12:00:00.000000+00:00",
    counts=Counts(rows=9, records=5, duplicates=1, rejects={"bad_row": 2, "undecodable": 1}),
    fields={
        "image": FieldManifest(
            encoder="fake", fingerprint=PRINT, dim=DIM, vectors=5,
            structure=SearchStructure(
                kind="code_lists", nlist=4, nprobe=2, depth=4, code_error=0.1 + 0.2,
                recall_at_10=0.995, recall_queries=5,
            ),
        )
    },
    files={"records.arrow": FileEntry(sha256="a" * 64, size_bytes=10)},
    sources=(SourceFile(path="问题.csv", size_bytes=3, sha256="b" * 64),),
    title="Tiny", licence="CC0-1.0", citation="Müller, “Tiny”", homepage="https://example.org",
    synthetic=True, versions={"python": "3.11"},
)  # fmt: skip


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    (tmp_path / MANIFEST_NAME).write_text(MANIFEST.to_json(), "utf-8")
    assert read_manifest(tmp_path) == MANIFEST
    assert MANIFEST.counts.rejected == 3


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_manifest_with_any_bit_flipped_is_refused(tmp_path: Path, place: float, bit: int) -> None:
    raw = bytearray(MANIFEST.to_json().encode())
    raw[int(place * len(raw))] ^= 1 << bit
    (tmp_path / MANIFEST_NAME).write_bytes(raw)
    with pytest.raises(CorruptBuildError):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:-1],
        lambda raw: raw[: len(raw) // 2],
        lambda raw: b"",
        lambda raw: raw + b" ",
        lambda raw: b"[]",
        lambda raw: b"\xff" + raw,
    ],
)
def test_a_manifest_of_another_length_is_refused(tmp_path: Path, damage: object) -> None:
    (tmp_path / MANIFEST_NAME).write_bytes(damage(MANIFEST.to_json().encode()))
    with pytest.raises(CorruptBuildError, match="damaged"):
        read_manifest(tmp_path)


def test_no_manifest_is_no_build(tmp_path: Path) -> None:
    with pytest.raises(CorruptBuildError, match="damaged"):
        read_manifest(tmp_path)


def test_another_format_is_refused_with_what_to_do(tmp_path: Path) -> None:
    values = dataclasses.asdict(dataclasses.replace(MANIFEST, format_version=5))
    (tmp_path / MANIFEST_NAME).write_text(json.dumps({**values, "news": 1}))
    with pytest.raises(
        CorruptBuildError, match=r"has format 5; this program reads 1, 2, 3, 4\..*Rebuild"
    ):
        read_manifest(tmp_path)
