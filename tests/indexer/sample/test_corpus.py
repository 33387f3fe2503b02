import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from indexer.errors import TargetOccupiedError
from indexer.sample import corpus
from indexer.sample.corpus import LAYOUTS, MARKER, write_sample_corpus
from indexer.sample.layouts.questions import write_jmed, write_medqa


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def two_layouts(monkeypatch):
    monkeypatch.setattr(corpus, "LAYOUTS", {"medqa": write_medqa, "jmed": write_jmed})


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_in_another_process(sample_corpus, tmp_path):
    code = (
        "import sys; from pathlib import Path; from indexer.sample.corpus import *;"
        "write_sample_corpus(Path(sys.argv[1]))"
    )
    again = tmp_path / "again"
    subprocess.run(
        [sys.executable, "-c", code, str(again)],
        check=True,
        cwd=Path(__file__).resolve().parents[3],
        env={"PYTHONHASHSEED": "77", "PATH": "/usr/bin:/bin", "TZ": "Asia/Tokyo"},
    )
    assert digests(again) == digests(sample_corpus)


def test_another_seed_gives_other_bytes_under_the_same_names(two_layouts, tmp_path):
    write_sample_corpus(tmp_path / "a", seed=0)
    write_sample_corpus(tmp_path / "b", seed=1)
    first, second = digests(tmp_path / "a"), digests(tmp_path / "b")
    assert set(first) == set(second)
    assert first["jmed/JMED.jsonl"] != second["jmed/JMED.jsonl"]


def test_there_are_some_hundred_records_of_all_datasets(sample_corpus):
    assert sorted(LAYOUTS) == sorted(path.name for path in sample_corpus.iterdir() if path.is_dir())
    total = 0
    for name in LAYOUTS:
        marker = json.loads((sample_corpus / name / MARKER).read_text())
        assert marker["synthetic"] is True
        assert marker["generator"] == "medsearch sample corpus"
        counts = marker["expected_counts"]
        rejected = sum(counts["rejects"].values())
        assert counts["rows"] == counts["records"] + counts["duplicates"] + rejected
        assert len(marker["expected_rejects"]) == rejected
        total += counts["records"]
    assert 400 <= total <= 700


def test_every_dataset_has_something_to_reject(sample_corpus):
    for name in LAYOUTS:
        marker = json.loads((sample_corpus / name / MARKER).read_text())
        assert marker["expected_rejects"], name
        for reject in marker["expected_rejects"]:
            assert (sample_corpus / name / reject["path"]).is_file()


def test_a_corpus_that_is_there_already_is_kept(two_layouts, tmp_path):
    target = tmp_path / "corpus"
    write_sample_corpus(target)
    before = target.stat().st_ino
    calls = []
    write_sample_corpus(target, progress=lambda done, total: calls.append((done, total)))
    assert target.stat().st_ino == before
    assert calls == [(2, 2)]


@pytest.mark.parametrize("damage", ["removed", "grown", "another seed"])
def test_a_corpus_that_differs_is_replaced(two_layouts, tmp_path, damage):
    target = tmp_path / "corpus"
    write_sample_corpus(target, seed=5 if damage == "another seed" else 0)
    file = target / "jmed" / "JMED.jsonl"
    if damage == "removed":
        file.unlink()
    elif damage == "grown":
        file.write_text(file.read_text() + "\n")
    write_sample_corpus(target)
    fresh = tmp_path / "fresh"
    write_sample_corpus(fresh)
    assert digests(target) == digests(fresh)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "fresh"]


def test_what_is_no_sample_corpus_is_not_touched(two_layouts, tmp_path):
    target = tmp_path / "precious"
    target.mkdir()
    (target / "thesis.txt").write_text("years of work")
    with pytest.raises(TargetOccupiedError, match="no sample corpus"):
        write_sample_corpus(target)
    file = tmp_path / "file"
    file.write_text("x")
    before = digests(tmp_path)
    with pytest.raises(TargetOccupiedError):
        write_sample_corpus(file)
    assert digests(tmp_path) == before
    assert sorted(before) == ["file", "precious/thesis.txt"]


def test_an_empty_folder_is_filled(two_layouts, tmp_path):
    (tmp_path / "corpus").mkdir()
    write_sample_corpus(tmp_path / "corpus")
    assert (tmp_path / "corpus" / "jmed" / "JMED.jsonl").is_file()


def test_a_failure_half_way_leaves_nothing(monkeypatch, tmp_path):
    def fail(root, seed):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(corpus, "LAYOUTS", {"jmed": write_jmed, "medqa": fail})
    with pytest.raises(RuntimeError, match="disk"):
        write_sample_corpus(tmp_path / "corpus")
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_the_datasets(two_layouts, tmp_path):
    calls = []
    write_sample_corpus(tmp_path / "c", progress=lambda done, total: calls.append((done, total)))
    assert calls == [(0, 2), (1, 2), (2, 2)]
