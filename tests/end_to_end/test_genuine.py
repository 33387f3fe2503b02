"""The genuine samples through the same commands: the right counts, every reject explained."""

import json
from collections import Counter
from pathlib import Path

import pytest

from indexer.store.reader import IndexReader
from tests.end_to_end.conftest import medsearch

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="session")
def built(realdata_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Index every genuine sample that has content, found by folder name or pointed at."""
    genuine = realdata_dir / "genuine"
    indexes = tmp_path_factory.mktemp("genuine")
    medsearch(
        "index",
        *("rocov2", "tcga_luad", "jmed", "medical_o1_sft", "ai_medical_chatbot"),
        f"cancer_ct={genuine / 'siim_ct'}",
        *("--data", genuine, "--indexes", indexes),
    )
    # The long texts, cut short so that the suite stays quick; loaders are tested in full elsewhere.
    medsearch(
        *("index", "medqa", "medcalc_bench", "--limit", 400),
        *("--data", genuine, "--indexes", indexes),
    )
    return indexes


@pytest.mark.parametrize(
    ("index", "rows", "records", "duplicates", "rejects"),
    [
        # 9,904 validation rows whose images are not in the sample; two test images that are.
        ("rocov2", 9906, 2, 0, {"missing_file": 9904}),
        ("tcga_luad", 6, 6, 0, {}),
        # overview.csv lists 100 slices, of which ten were copied.
        ("cancer_ct", 100, 10, 0, {"missing_file": 90}),
        ("jmed", 300, 300, 0, {}),
        ("medical_o1_sft", 100, 100, 0, {}),
        # 500 rows as csv and the same as parquet; 339 of them differ.
        ("ai_medical_chatbot", 1000, 339, 661, {}),
    ],
)
def test_counts(
    built: Path, index: str, rows: int, records: int, duplicates: int, rejects: dict[str, int]
) -> None:
    counts = IndexReader.open(built / index).manifest.counts
    assert (counts.rows, counts.records, counts.duplicates) == (rows, records, duplicates)
    assert dict(counts.rejects) == rejects


def test_every_reject_has_a_path_a_reason_and_a_kind(built: Path) -> None:
    reader = IndexReader.open(built / "rocov2")
    lines = (reader.folder / "rejects.jsonl").read_text("utf-8").splitlines()
    rejects = [json.loads(line) for line in lines]
    assert Counter(one["kind"] for one in rejects) == reader.manifest.counts.rejects
    assert all(one["path"] and one["reason"] and one["line"] for one in rejects)


def test_a_dataset_of_which_nothing_can_be_read_fails(realdata_dir: Path, tmp_path: Path) -> None:
    done = medsearch(
        *("index", "mura", "--data", realdata_dir / "genuine", "--indexes", tmp_path), check=False
    )
    assert done.returncode == 1
    assert "none of them could become a record" in " ".join(done.stderr.split())
    assert not (tmp_path / "mura" / "CURRENT").exists()


def test_a_file_asked_by_its_own_bytes_comes_first(realdata_dir: Path, built: Path) -> None:
    image = next((realdata_dir / "genuine" / "rocov2").rglob("*_000001.jpg"))
    done = medsearch("search", "--image", image, "--json", "--indexes", built)
    first = json.loads(done.stdout)["hits"][0]
    assert first["record_id"] == "rocov2/test/ROCOv2_2023_test_000001"
    assert first["score"] > 0.999


@pytest.mark.parametrize("index", ["jmed", "medqa", "medcalc_bench", "medical_o1_sft"])
def test_a_question_finds_its_own_row(built: Path, index: str) -> None:
    reader = IndexReader.open(built / index)
    record = reader.record(len(reader.table) // 2)
    words = (record.context or record.question)[:1500]
    done = medsearch(
        *("search", "--question", words, "-k", 3, "--index", index, "--json", "--indexes", built)
    )
    assert record.record_id in [hit["record_id"] for hit in json.loads(done.stdout)["hits"]]
