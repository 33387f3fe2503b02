import gzip
from pathlib import Path

import pytest

from indexer.errors import BadRecordError
from service.evaluation.runs import read_qrels, read_run, write_qrels, write_run


@pytest.mark.parametrize("name", ["run", "run.gz"])
def test_a_run_survives_the_round_trip_and_is_ranked(tmp_path: Path, name: str) -> None:
    run = {"q1": {"d/all/2": 0.25, "d/all/1": 0.5}, "q2": {"d/all/1": 1 / 3}}
    write_run(tmp_path / name, run)
    assert read_run(tmp_path / name) == run
    raw = (tmp_path / name).read_bytes()
    text = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode()
    first = text.splitlines()[0].split()
    assert first == ["q1", "Q0", "d/all/1", "1", "0.5", "medsearch"]


def test_qrels_survive_the_round_trip(tmp_path: Path) -> None:
    qrels = {"q1": {"a": 2, "b": 0}}
    write_qrels(tmp_path / "qrels", qrels)
    assert read_qrels(tmp_path / "qrels") == qrels


@pytest.mark.parametrize("line", ["q Q0 a 1 0.5", "q Q0 a 1 many tag"])
def test_a_broken_line_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "run").write_text(f"q Q0 b 1 0.5 tag\n{line}\n")
    with pytest.raises(BadRecordError, match="run:2"):
        read_run(tmp_path / "run")


def test_ids_that_would_break_the_format_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot hold the id"):
        write_run(tmp_path / "run", {"two words": {"a": 1.0}})
