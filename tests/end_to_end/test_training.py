"""A tower is trained on a dataset's own records, and searches with it."""

import json
from pathlib import Path

import pytest

from tests.end_to_end.conftest import medsearch


def test_a_tower_is_trained_on_a_dataset_and_indexes_with_it(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDSEARCH_MODELS", str(tmp_path))  # where an index finds its encoder
    tower = tmp_path / "tower"
    train = ("encoder", "train", f"rocov2={corpus / 'rocov2'}", "--output", tower)
    medsearch(*train, "--images", 192, "--threads", 1)
    card = (tower / "MODEL_CARD.md").read_text("utf-8")
    assert "| rocov2 | 112 |" in card
    medsearch(
        "index", "cancer_ct", "--data", corpus, "--indexes", tmp_path / "indexes",
        "--encoder", tower,
    )  # fmt: skip
    found = medsearch("search", "chest CT", "-k", 1, "--indexes", tmp_path / "indexes", "--json")
    assert json.loads(found.stdout)["hits"][0]["dataset"] == "cancer_ct"


def test_a_dataset_that_is_not_there_says_how_to_get_it(tmp_path: Path) -> None:
    done = medsearch(
        "encoder", "train", "rocov2", "--data", tmp_path, "--output", tmp_path / "t", check=False
    )
    assert done.returncode == 1
    assert "How to get it" in done.stderr
