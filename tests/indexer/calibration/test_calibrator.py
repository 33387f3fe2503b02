"""A small index of pictures with captions, calibrated as every build is."""

import dataclasses
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.build import BuildOptions, BuildResult, build_index
from indexer.calibration.calibrator import Calibrator, _known
from indexer.datasets.own_images import OwnImages
from indexer.encoders.base import Embeddings, TextEncoder
from indexer.encoders.spec import TextRole
from indexer.store.calibration import PAIR_SHARES, Measured
from indexer.store.manifest import read_manifest
from indexer.store.reader import IndexReader
from tests.end_to_end.tiny_encoder import TinyEncoder

PARTS = ("chest", "wrist", "skull", "knee")
SIGNS = ("fracture", "effusion", "opacity", "nodule", "plate", "normal")


def disc(number: int, px: int = 64) -> np.ndarray:
    rng = np.random.default_rng(number)
    y, x = np.mgrid[:px, :px] / px - rng.uniform(0.4, 0.6, (2, 1, 1))
    return (230 * np.exp(-((x**2 + y**2) / rng.uniform(0.04, 0.08)))).astype(np.uint8)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own") / "own_images"
    folder.mkdir()
    rows = []
    for number in range(48):
        Image.fromarray(disc(number)).save(folder / f"{number}.png")
        caption = f"{PARTS[number % 4]} radiograph with {SIGNS[number % 6]} on the left"
        rows.append({"file": f"{number}.png", "text": caption, "patient_id": f"p{number // 2}"})
    (folder / "records.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


class ShortTexts(TinyEncoder):
    """A text encoder whose space is not that of the images."""

    spec = dataclasses.replace(TinyEncoder.spec, key="short", dim=24)
    text_fingerprint = dataclasses.replace(
        TinyEncoder.text_fingerprint, key="short", dim=24, weights_sha256="1" * 64
    )

    def encode_texts(self, texts: Sequence[str], role: TextRole) -> Embeddings:
        rows = super().encode_texts(texts, role)[:, :24]
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def build(
    root: Path, indexes: Path, text: TextEncoder | None = None, **options: object
) -> BuildResult:
    encoder = TinyEncoder()
    return build_index(
        OwnImages(), root, indexes, text=text or encoder, image=encoder,
        options=BuildOptions(**{"workers": 1} | options),
    )  # fmt: skip


@pytest.fixture(scope="module")
def reader(root: Path, tmp_path_factory: pytest.TempPathFactory) -> IndexReader:
    return IndexReader(build(root, tmp_path_factory.mktemp("indexes")).published.folder)


def test_every_ranking_is_calibrated_for_what_can_reach_it(reader: IndexReader) -> None:
    calibration = reader.manifest.calibration
    assert calibration is not None
    assert set(calibration.measured) == {
        "en>lexical", "en>image", "en>caption", "zh>lexical", "image>image",
    }  # fmt: skip
    assert set(calibration.rates) == {"en", "zh", "image"}
    for measured in calibration.measured.values():
        assert measured.pairs is None or list(measured.pairs) == sorted(measured.pairs)
    assert reader.looks is not None
    assert reader.looks.shape == (48, 18)


def test_words_are_compared_with_pictures_by_the_encoder_of_the_pictures(
    root: Path, reader: IndexReader, tmp_path: Path
) -> None:
    apart = build(root, tmp_path, text=ShortTexts()).published.manifest.calibration
    together = reader.manifest.calibration
    assert apart is not None
    assert together is not None
    assert apart.measured["en>image"].pairs == together.measured["en>image"].pairs
    assert apart.measured["en>caption"].pairs != together.measured["en>caption"].pairs


def test_it_is_tried_how_well_captions_find_their_picture(root: Path, tmp_path: Path) -> None:
    own = tmp_path / "own_images"
    shutil.copytree(root, own)
    rows = [json.loads(line) for line in (own / "records.jsonl").read_text().splitlines()]
    for number, row in enumerate(rows):
        row["text"] = f"film {number}, {row['text']}"
    (own / "records.jsonl").write_text("\n".join(map(json.dumps, rows)))
    reader = IndexReader(build(own, tmp_path / "indexes").published.folder)
    calibration = reader.manifest.calibration
    assert calibration is not None
    assert calibration.measured["en>caption"].known is None
    measured = calibration.measured["en>image"]
    texts = reader.table.column("caption").to_pylist()
    vectors = TinyEncoder().encode_texts(texts, "query")
    cosines = (vectors * reader.vectors("image")).sum(axis=1).tolist()
    found = [(measured.percentile(one) or 0.0) >= 99 for one in cosines]
    assert measured.known == pytest.approx(np.mean(found), abs=1e-6)


def test_the_share_of_captions_that_find_their_picture() -> None:
    measured = Measured(pairs=PAIR_SHARES, least=0.0)
    cosines = np.array([0.5, 0.98, 0.989, 0.991, 1.0] * 4)
    assert _known(measured, cosines) == pytest.approx(0.4)
    assert _known(measured, cosines[:19]) is None
    assert _known(measured, None) is None
    assert _known(dataclasses.replace(measured, pairs=None), cosines) is None


def test_few_captions_tell_nothing(reader: IndexReader) -> None:
    calibration = reader.manifest.calibration
    assert calibration is not None
    assert len(set(reader.table.column("caption").to_pylist())) < 20
    assert calibration.measured["en>image"].known is None


def test_words_of_the_index_pass_and_others_do_not(reader: IndexReader) -> None:
    calibration = reader.manifest.calibration
    assert calibration is not None
    rates = calibration.rates["en"]
    assert rates.misses is not None
    assert rates.misses < 0.2
    assert rates.related > 20
    pictures = calibration.rates["image"]
    assert pictures.false_alarms is not None
    assert pictures.false_alarms < 0.2


def test_the_calibration_is_the_same_each_time_and_survives_the_manifest(
    root: Path, reader: IndexReader, tmp_path: Path
) -> None:
    again = build(root, tmp_path, shard_rows=7).published
    assert again.manifest.calibration == reader.manifest.calibration
    assert again.manifest.content_hash == reader.manifest.content_hash
    assert read_manifest(again.folder).calibration == again.manifest.calibration


def test_another_way_of_calibrating_makes_another_build(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build(root, tmp_path, limit=6).published
    monkeypatch.setattr("indexer.calibration.calibrator.VERSION", 99)
    second = build(root, tmp_path, limit=6).published
    assert not second.unchanged
    assert second.manifest.content_hash != first.manifest.content_hash


def test_unrelated_texts_and_pictures_are_embedded_once_for_several_builds(
    root: Path, reader: IndexReader
) -> None:
    class Counting(TinyEncoder):
        pictures = 0

        def encode_images(self, pixels: np.ndarray) -> Embeddings:
            self.pictures += len(pixels)
            return super().encode_images(pixels)

    encoder = Counting()
    calibrator = Calibrator(encoder, encoder)
    first = calibrator.calibrate(reader.folder, reader.manifest.fields)
    embedded = encoder.pictures
    assert calibrator.calibrate(reader.folder, reader.manifest.fields) == first
    assert encoder.pictures == embedded > 0


def test_an_index_of_one_case_has_limits_but_no_percentiles(root: Path, tmp_path: Path) -> None:
    calibration = build(root, tmp_path, limit=2).published.manifest.calibration
    assert calibration is not None
    measured = calibration.of("image", "image")
    assert measured is not None
    assert measured.pairs is None
    assert measured.percentile(0.5) is None
    assert np.isfinite(measured.least)
    assert calibration.farthest_look is not None
    assert np.isfinite(calibration.farthest_look)
