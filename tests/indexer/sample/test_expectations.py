"""What the marker files promise is what the loaders and the decoder give."""

import json
from collections import Counter

import pytest

from indexer.datasets.registry import get_dataset
from indexer.errors import DecodeError
from indexer.pixels.decode import DecodeRequest, decode_image
from indexer.pixels.limits import DecodeLimits
from indexer.records import ImageRecord, Reject
from indexer.sample.corpus import LAYOUTS, MARKER


def settle(root, rows):
    """Return records, duplicates and rejects as a build would count them."""
    seen, rejects = Counter(), []
    for row in rows:
        if isinstance(row, Reject):
            rejects.append((row.path, row.line, row.kind, "load"))
        elif isinstance(row, ImageRecord):
            request = DecodeRequest(
                root=root, ref=row.image, px=64, resize="squash", thumbnail_px=64
            )
            try:
                image = decode_image(request, DecodeLimits())
            except DecodeError:
                rejects.append((row.image.path, None, "undecodable", "decode"))
            else:
                seen[row.content_key(image.sha256)] += 1
        else:
            seen[row.content_key()] += 1
    return len(seen), seen.total() - len(seen), rejects


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_the_promised_counts_and_rejects_come_true(name, sample_corpus):
    root = sample_corpus / name
    marker = json.loads((root / MARKER).read_text())
    rows = list(get_dataset(name).iter_rows(root))
    records, duplicates, rejects = settle(root, rows)
    expected = marker["expected_counts"]
    assert len(rows) == expected["rows"]
    assert (records, duplicates) == (expected["records"], expected["duplicates"])
    assert Counter(kind for _, _, kind, _ in rejects) == expected["rejects"]
    promised = [(r["path"], r["line"], r["kind"], r["stage"]) for r in marker["expected_rejects"]]
    assert sorted(rejects, key=str) == sorted(promised, key=str)


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_record_ids_are_unique(name, sample_corpus):
    rows = get_dataset(name).iter_rows(sample_corpus / name)
    ids = Counter(row.record_id for row in rows if not isinstance(row, Reject))
    assert ids.total() == len(ids)


def test_figures_carry_modality_region_licence_and_article(sample_corpus):
    rows = list(get_dataset("rocov2").iter_rows(sample_corpus / "rocov2"))
    figures = [row for row in rows if isinstance(row, ImageRecord)]
    assert Counter(row.modality for row in figures).keys() == {"CT", "X-ray", "MRI", "ultrasound"}
    assert {"chest", "abdomen", "upper extremity", "head", "breast"} <= {
        row.body_part for row in figures
    }
    assert {row.licence for row in figures} == {"CC BY 4.0"}
    assert {row.split for row in figures} == {"train", "valid", "test"}
    assert max(Counter(row.case_id for row in figures).values()) == 2


def test_slices_carry_contrast_age_and_patient(sample_corpus):
    rows = list(get_dataset("tcga_kich").iter_rows(sample_corpus / "tcga_kich"))
    slices = [row for row in rows if isinstance(row, ImageRecord) and row.modality == "CT"]
    assert Counter(row.contrast for row in slices) == {True: 18, None: 12}
    assert len({row.case_id for row in slices}) == 3
    assert len({row.series_id for row in slices}) == 6
    assert all(41 <= row.age_years < 84 for row in slices)


def test_real_images_that_ship_with_pydicom_are_there_and_named(sample_corpus):
    named = 0
    for name in ("tcga_luad", "tcga_kich"):
        real = json.loads((sample_corpus / name / MARKER).read_text())["real_files"]
        paths = {
            row.image.path: row
            for row in get_dataset(name).iter_rows(sample_corpus / name)
            if isinstance(row, ImageRecord)
        }
        assert set(real) <= set(paths)
        named += len(real)
    assert named == 3


def test_mura_patients_have_one_side_and_several_studies(sample_corpus):
    rows = list(get_dataset("mura").iter_rows(sample_corpus / "mura"))
    images = [row for row in rows if isinstance(row, ImageRecord)]
    assert len({row.body_part for row in images}) == 7
    studies = {}
    for row in images:
        patient = row.case_id.rsplit("/", 1)[0]
        studies.setdefault(patient, set()).add(row.case_id)
    assert Counter(map(len, studies.values()))[2] == 7
    for row in images:
        assert row.abnormal == ("positive" in row.image.path)


def test_questions_stand_in_both_languages(sample_corpus):
    languages = Counter()
    for name in ("medqa", "jmed", "medical_o1_sft"):
        for row in get_dataset(name).iter_rows(sample_corpus / name):
            if not isinstance(row, Reject):
                languages[name, row.language] += 1
    assert languages["medqa", "en"] > 10
    assert languages["medqa", "zh"] > 10
    assert languages["jmed", "zh"] > 10
    assert languages["medical_o1_sft", "en"] > 10
    assert languages["medical_o1_sft", "zh"] > 5


def test_jmed_has_many_options_and_letters_that_lack(sample_corpus):
    rows = list(get_dataset("jmed").iter_rows(sample_corpus / "jmed"))
    letters = ["".join(option.key for option in row.options) for row in rows
               if not isinstance(row, Reject)]  # fmt: skip
    assert "ABCDEFGHIJKLMNOPQRSTU" in letters
    assert any("C" in keys and "E" in keys and "D" not in keys for keys in letters)
    several = [row for row in rows if not isinstance(row, Reject) and len(row.answer_keys) > 1]
    assert len(several) == 1
