"""Kill -9 at random moments: the earlier build keeps serving, the resumed build is the same."""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from indexer.store.reader import IndexReader

KILLS = 20
# Small shards, so that there is something finished to keep at almost any moment.
PROGRAM = """
import sys
from pathlib import Path
from indexer.build import BuildOptions, build_index
from indexer.datasets.registry import get_dataset
from indexer.encoders.selection import select_encoders
root, indexes, limit = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
encoders = select_encoders([], device="cpu")
print("started", flush=True)
result = build_index(
    get_dataset("rocov2"), root, indexes, text=encoders.text, image=encoders.image,
    options=BuildOptions(shard_rows=8, workers=1, limit=limit or None),
)
print("encoded", result.encoded, flush=True)
"""


def start(root: Path, indexes: Path, limit: int = 0) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(root), str(indexes), str(limit)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    return process


def finish(process: subprocess.Popen[str]) -> int:
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return int(output.split()[1])


def digests(folder: Path) -> dict[str, str]:
    build = folder / (folder / "CURRENT").read_text().strip()
    names = ("records.arrow", "image.vectors.npy", "caption.vectors.npy")
    return {name: hashlib.sha256((build / name).read_bytes()).hexdigest() for name in names}


@pytest.mark.slow
def test_twenty_kills_lose_nothing(corpus: Path, tmp_path: Path) -> None:
    root = corpus / "rocov2"
    straight = tmp_path / "straight"
    began = time.monotonic()
    encoded_straight = finish(start(root, straight))
    took = time.monotonic() - began

    killed = tmp_path / "killed"
    finish(start(root, killed, limit=10))
    earlier = IndexReader.open(killed / "rocov2").build_id
    chance = random.Random(20)
    kills = 0
    while kills < KILLS:
        process = start(root, killed)
        time.sleep(chance.uniform(0, took / 4))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        kills += 1
        reader = IndexReader.open(killed / "rocov2")
        assert reader.manifest.counts.records > 0
        if reader.build_id != earlier:
            # The build ended before the kill came: start over with the earlier one.
            assert digests(killed / "rocov2") == digests(straight / "rocov2")
            shutil.rmtree(killed)
            finish(start(root, killed, limit=10))
            earlier = IndexReader.open(killed / "rocov2").build_id

    encoded_at_last = finish(start(root, killed))
    assert digests(killed / "rocov2") == digests(straight / "rocov2")
    assert encoded_at_last < encoded_straight
