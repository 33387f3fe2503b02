"""Kill -9 at random moments: the earlier build keeps serving, the resumed build is the same."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from indexer.store.reader import IndexReader

ROOT = Path(__file__).resolve().parents[2]
KILLS = 20
# Small shards, so that there is something finished to keep at almost any moment.
PROGRAM = """
import sys
from pathlib import Path
from indexer.build import BuildOptions, build_index
from indexer.datasets.registry import get_dataset
from tests.end_to_end.tiny_encoder import TinyEncoder
root, indexes, limit = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
print("started", flush=True)
result = build_index(
    get_dataset("rocov2"), root, indexes, text=TinyEncoder(), image=TinyEncoder(),
    options=BuildOptions(shard_rows=4, workers=1, limit=limit or None),
)
print(result.encoded, flush=True)
"""


def start(root: Path, indexes: Path, limit: int = 0) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(root), str(indexes), str(limit)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    return process


def finish(process: subprocess.Popen[str]) -> int:
    """Wait for the end of a build; return how many inputs it encoded."""
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return int(output)


def digests(folder: Path) -> dict[str, str]:
    build = folder / (folder / "CURRENT").read_text().strip()
    names = (
        "records.arrow", "image.vectors.npy", "caption.vectors.npy", "thumbnails.arrow", "map.npy",
    )  # fmt: skip
    return {name: hashlib.sha256((build / name).read_bytes()).hexdigest() for name in names}


@pytest.mark.slow
def test_twenty_kills_lose_nothing(corpus: Path, tmp_path: Path) -> None:
    root, straight, killed = corpus / "rocov2", tmp_path / "straight", tmp_path / "killed"
    began = time.monotonic()
    encoded_straight = finish(start(root, straight))
    took = time.monotonic() - began
    whole = digests(straight / "rocov2")

    finish(start(root, killed, limit=10))
    earlier = IndexReader.open(killed / "rocov2").build_id
    chance = random.Random(20)
    finished_early = 0
    for _ in range(KILLS):
        process = start(root, killed)
        time.sleep(chance.uniform(0, took / 3))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        reader = IndexReader.open(killed / "rocov2")
        if reader.build_id == earlier:
            continue
        # That one was done before it was killed. Start over from the small build.
        assert digests(killed / "rocov2") == whole
        finished_early += 1
        finish(start(root, killed, limit=10))
        earlier = IndexReader.open(killed / "rocov2").build_id

    encoded_at_last = finish(start(root, killed))
    assert digests(killed / "rocov2") == whole
    assert encoded_at_last < encoded_straight
    assert finished_early < KILLS
