"""From a service over HTTP to a published index, by the commands that a user types."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.store.manifest import read_manifest
from indexer.store.publish import current_build
from tests.end_to_end.conftest import ROOT, medsearch
from tests.indexer.fetching.conftest import esca_series, nbia
from tests.indexer.fetching.stand_ins import Answer, HubStandIn, NbiaStandIn, serve

__all__ = ["esca_series", "nbia"]


def test_fetched_series_are_indexed(nbia: NbiaStandIn, tmp_path: Path) -> None:
    data, indexes = tmp_path / "data", tmp_path / "indexes"
    medsearch(
        "datasets", "get", "tcga_esca", "--limit", 2, "--base-url", nbia.base_url,
        "--data", data, "--yes",
    )  # fmt: skip
    medsearch("index", "tcga_esca", "--data", data, "--indexes", indexes)
    manifest = read_manifest(current_build(indexes / "tcga_esca"))
    slices = len(list(data.rglob("*.dcm")))
    assert manifest.counts.records + manifest.counts.duplicates == slices > 0
    assert manifest.counts.rejected == 0
    assert manifest.licence == "CC BY 3.0"
    assert "TCGA-ESCA" in manifest.citation


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_download_goes_on_where_it_stopped(
    how: signal.Signals, nbia: NbiaStandIn, tmp_path: Path
) -> None:
    held, released = threading.Event(), threading.Event()

    def hold(answer: Answer) -> Answer:
        held.set()
        answer.wait_for = released
        return answer

    words = [
        "datasets", "get", "tcga_esca", "--limit", "5", "--base-url", nbia.base_url,
        "--data", str(tmp_path), "--yes",
    ]  # fmt: skip
    nbia.faults["getImage"] = [*[lambda answer: answer] * 2, *[hold] * 3]
    # A suite that runs in the background ignores SIGINT, and so would what it starts.
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-m", "service", *words],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    signal.signal(signal.SIGINT, inherited)
    assert held.wait(60)
    tree = tmp_path / ".tcga_esca.part" / "tree"
    until(lambda: len({path.parent for path in tree.rglob("*.dcm")}) == 2)
    process.send_signal(how)
    released.set()
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Traceback" not in said
    assert not (tmp_path / "tcga_esca").exists()
    before = nbia.count("getImage")
    nbia.faults.clear()
    medsearch(*words)
    assert nbia.count("getImage") - before <= 3
    assert (tmp_path / "tcga_esca" / "metadata.csv").read_text().count("./TCGA-ESCA") == 5
    assert [path.name for path in tmp_path.iterdir()] == ["tcga_esca"]


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_hub_is_found_by_its_own_variable(tmp_path: Path) -> None:
    row = b'{"id": 1, "question": "q", "options": {"A": "a"}, "answer": ["A"]}\n'
    with serve(HubStandIn("jdh-algo/JMED", {"JMED.jsonl": row}, frozenset())) as hub:
        done = subprocess.run(
            [sys.executable, "-m", "service", "datasets", "get", "jmed", "-y", "--data", tmp_path],
            cwd=ROOT,
            env={**os.environ, "HF_ENDPOINT": hub.url},
            check=False,
            timeout=60,
        )
    assert done.returncode == 0
    assert (tmp_path / "jmed" / "JMED.jsonl").read_bytes() == row


def test_offline_is_an_error_within_seconds_without_a_trace(tmp_path: Path) -> None:
    for name in ("tcga_kich", "jmed"):
        started = time.monotonic()
        done = medsearch(
            "datasets", "get", name, "--yes", "--data", tmp_path,
            "--base-url", "http://127.0.0.1:9", check=False,
        )  # fmt: skip
        assert time.monotonic() - started < 20
        assert done.returncode == 1
        assert "Error: No answer" in done.stderr
        assert "Remedy: Check the connection" in done.stderr
        assert "Traceback" not in done.stderr
