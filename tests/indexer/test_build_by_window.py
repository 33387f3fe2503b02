"""CT slices embedded by window, from synthetic scans in their genuine layout."""

import shutil
from itertools import islice
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from indexer.build import BuildOptions, BuildResult, build_index
from indexer.datasets.registry import get_dataset
from indexer.pixels.ct_windows import CT_WINDOWS, WINDOW_FIELDS
from indexer.pixels.dicom import decode_dicom
from indexer.pixels.resize import THUMBNAIL_PX, make_thumbnail, resize_square
from indexer.sample.layouts.tcia import write_tcga_luad
from indexer.store.manifest import Manifest
from indexer.store.reader import IndexReader
from tests.end_to_end.tiny_encoder import TinyEncoder

LIMIT = 12


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tcga_luad")
    write_tcga_luad(root, seed=3)
    return root


def build(scans: Path, indexes: Path, **options: object) -> BuildResult:
    return build_index(
        get_dataset("tcga_luad"), scans, indexes, text=TinyEncoder(), image=TinyEncoder(),
        options=BuildOptions(**{"workers": 1, "limit": LIMIT} | options),
    )  # fmt: skip


class StoppedError(Exception):
    pass


def stop_amid(scans: Path, indexes: Path, options: dict[str, int]) -> None:
    """Begin a build and stop it after six rows."""

    def stop(stage: str, rows: int) -> None:
        if rows >= 6:
            raise StoppedError

    with pytest.raises(StoppedError):
        build_index(
            get_dataset("tcga_luad"), scans, indexes, text=TinyEncoder(), image=TinyEncoder(),
            on_progress=stop, options=BuildOptions(workers=1, limit=LIMIT, **options),
        )  # fmt: skip


def vectors(manifest: Manifest) -> dict[str, int]:
    return {name: field.vectors for name, field in manifest.fields.items()}


@pytest.fixture(scope="module")
def reader(scans: Path, tmp_path_factory: pytest.TempPathFactory) -> IndexReader:
    indexes = tmp_path_factory.mktemp("indexes")
    build(scans, indexes)
    return IndexReader.open(indexes / "tcga_luad")


def test_a_slice_is_embedded_in_the_windows_of_its_region(scans: Path, reader: IndexReader) -> None:
    counts = vectors(reader.manifest)
    slices = counts["image"]
    assert counts["soft_tissue_window"] == counts["bone_window"] == slices > 8
    assert 0 < counts["lung_window"] <= slices
    assert counts["brain_window"] == 0
    dataset = get_dataset("tcga_luad")
    record = next(row for row in dataset.iter_rows(scans) if reader.find(row.record_id) is not None)
    raw = (scans / record.image.path).read_bytes()
    for field in ("soft_tissue_window", "bone_window"):
        shown = decode_dicom(raw, window=CT_WINDOWS[WINDOW_FIELDS[field]])
        [expected] = TinyEncoder().encode_images(resize_square(shown, 32, "squash")[np.newaxis])
        row = reader.find(record.record_id)
        np.testing.assert_allclose(reader.vector(field, row), expected, atol=1e-6)


def test_a_slice_keeps_a_thumbnail_of_each_window_that_it_is_embedded_in(
    scans: Path, reader: IndexReader
) -> None:
    dataset = get_dataset("tcga_luad")
    record = next(row for row in dataset.iter_rows(scans) if reader.find(row.record_id) is not None)
    row = reader.find(record.record_id)
    assert row is not None
    assert {"soft_tissue_window", "bone_window"} <= set(reader.fields_shown(row))
    assert reader.field_thumbnail("brain_window", row) is None
    assert reader.field_thumbnail("image", row) is None
    shown = decode_dicom((scans / record.image.path).read_bytes(), window=CT_WINDOWS["soft_tissue"])
    jpeg = reader.field_thumbnail("soft_tissue_window", row)
    assert jpeg == make_thumbnail(Image.fromarray(shown[:, :, 0]), THUMBNAIL_PX)
    for number in range(reader.manifest.counts.records):
        for field in WINDOW_FIELDS:
            embedded = reader.vector(field, number) is not None
            assert (field in reader.fields_shown(number)) == embedded
            assert (reader.field_thumbnail(field, number) is not None) == embedded


def test_a_series_is_thinned_for_its_windows_alone(
    scans: Path, reader: IndexReader, tmp_path: Path
) -> None:
    thinned = vectors(build(scans, tmp_path, slices_per_series=1).published.manifest)
    rows = islice(get_dataset("tcga_luad").iter_rows(scans), LIMIT)
    series = {row.series_id for row in rows if getattr(row, "series_id", None)}
    assert thinned["image"] == reader.manifest.fields["image"].vectors
    assert thinned["bone_window"] == len(series)


def test_without_windows_there_are_no_such_fields(scans: Path, tmp_path: Path) -> None:
    manifest = build(scans, tmp_path, by_window=False).published.manifest
    assert set(manifest.fields) == {"image", "caption"}


def test_a_build_that_was_stopped_amid_a_series_ends_in_the_same_content(
    scans: Path, tmp_path: Path
) -> None:
    options = {"slices_per_series": 2, "shard_rows": 3}
    whole = build(scans, tmp_path / "whole", **options).published.manifest

    stop_amid(scans, tmp_path / "stopped", options)
    resumed = build(scans, tmp_path / "stopped", **options).published.manifest
    assert resumed.content_hash == whole.content_hash


@pytest.mark.parametrize(
    ("name", "value"),
    [("MEDSEARCH_ALLOW_BURNED_IN", "1"), ("MEDSEARCH_PSEUDONYM_KEY", "another key, long enough")],
)
def test_what_was_read_on_other_terms_is_not_gone_on_with(
    scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    options = {"slices_per_series": 2, "shard_rows": 3}
    burned = tmp_path / "scans"
    shutil.copytree(scans, burned)
    first = min(burned.rglob("*.dcm"))
    scan = pydicom.dcmread(first)
    scan.BurnedInAnnotation = "YES"
    scan.save_as(first)
    with monkeypatch.context() as earlier:
        earlier.setenv(name, value)
        stop_amid(burned, tmp_path / "stopped", options)
    resumed = build(burned, tmp_path / "stopped", **options).published.manifest
    fresh = build(burned, tmp_path / "fresh", **options).published.manifest
    assert resumed.content_hash == fresh.content_hash
    assert resumed.counts == fresh.counts


def test_what_was_embedded_by_window_is_taken_over(scans: Path, tmp_path: Path) -> None:
    first = build(scans, tmp_path, slices_per_series=2)
    again = build(scans, tmp_path, slices_per_series=None)
    assert again.reused == first.encoded
    assert again.encoded > 0
